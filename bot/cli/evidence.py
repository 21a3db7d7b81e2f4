"""The commands `about`, and `rotate-key`: who signs what is stored here, and since when."""

import asyncio

from bot.cli import cli, console
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.people import EVERYTHING
from bot.runtime.clock import utc_now
from bot.settings import load_settings
from bot.store.database import open_existing, open_read_only
from bot.store.heads import fingerprint, pem


@cli.command()
def about() -> None:
    """Show what this is, and the key that signs what is stored here: publish it, so that others can tell it.

    Example: channelwatch about
    """
    asyncio.run(_about())


async def _about() -> None:
    from bot.commands.about import describe  # noqa: PLC0415 - Telethon, which takes an eighth of a second
    from bot.evidence.calendars import warning_of  # noqa: PLC0415 - no other command needs it

    settings = load_settings()
    async with open_read_only(settings.database_path) as db:
        text = await describe(db, Locale(t=translator("en"), time_zone="UTC", now=utc_now()), EVERYTHING)
    console.print(text.build()[0], soft_wrap=True)
    if warning := warning_of(settings):
        console.print(warning, soft_wrap=True)


@cli.command(name="rotate-key")
def rotate_key() -> None:
    """Let a new key sign the ledger; the old one signs that the new one follows it, and is deleted.

    A running service signs with the new key from the next hour on.

    Example: channelwatch rotate-key
    """
    asyncio.run(_rotate())


async def _rotate() -> None:
    settings = load_settings()
    async with open_existing(settings.database_path) as database:
        from bot.evidence.signing_key import Signer  # noqa: PLC0415 - which --help shall not wait for

        key = await Signer(database, settings.data_dir).rotate(utc_now())
    console.print(f"From now on this key signs, SHA-256 {fingerprint(key.public)}:")
    console.print(pem(key.public).rstrip())
    console.print("The old one has signed that it follows. Publish the new one where the old one stands.")
