"""The commands `about`, and `rotate-key`: who signs what is stored here, and since when."""

import asyncio
from collections.abc import AsyncIterator

from bot import __version__
from bot.cli import cli, console
from bot.evidence import signing
from bot.evidence.signing import Signer, fingerprint, pem
from bot.runtime.clock import utc_now
from bot.settings import load_settings
from bot.store import heads, ledger, proofs
from bot.store.database import Database, Reader, open_read_only

_MOMENT = "%Y-%m-%d %H:%M UTC"


@cli.command()
def about() -> None:
    """Show the version, and the key that signs what is stored here: publish it, so that others can tell it.

    Example: channelwatch about
    """
    asyncio.run(_about())


async def _about() -> None:
    console.print(f"channelwatch {__version__}")
    async with open_read_only(load_settings().database_path) as db:
        for line in [line async for line in _lines(db)]:
            console.print(line, soft_wrap=True)


async def _lines(db: Reader) -> AsyncIterator[str]:
    key = await signing.present_key(db)
    if key is None:
        yield "No key signs the ledger yet: it is made when the service starts."
        return
    yield f"Key of the ledger since {key.since:{_MOMENT}}, SHA-256 {fingerprint(key.public)}:"
    yield pem(key.public).rstrip()
    head, tip = await heads.last(db), await ledger.tip(db)
    if head is not None:
        yield f"Signed: line {head.sequence} of {tip.sequence}, {head.signed_at:{_MOMENT}}, {head.hash.hex()}"
    for stamp in (await heads.last_stamps(db)).values():
        last = await heads.last_stamped(db, stamp.authority)
        said = "never stamped" if last is None else f"last stamped {last:{_MOMENT}}"
        yield f"{stamp.authority}: {said}{'' if stamp.reason is None else f'; the last try failed: {stamp.reason}'}"
    async for line in _of_calendars(db):
        yield line


async def _of_calendars(db: Reader) -> AsyncIterator[str]:
    """Say which head is in Bitcoin, as calendars of OpenTimestamps say, and which ones are pending."""
    from bot.evidence.calendars import GIVE_UP_AFTER, MISSING, is_installed  # noqa: PLC0415 - it takes a while

    if load_settings().wants_calendars and not is_installed():
        yield MISSING
    complete, last = await proofs.last_complete(db), await proofs.last(db)
    if complete is not None:
        moment = f"{complete.submitted_at:{_MOMENT}}"
        yield f"OpenTimestamps: block {complete.block} of Bitcoin holds the head of {moment}, says a calendar"
    pending = [proof for proof in await proofs.promised(db) if proof.block is None]
    if pending:
        said = f"{len(pending)} pending since {pending[0].submitted_at:{_MOMENT}}, which proves nothing yet"
        yield f"OpenTimestamps: {said}{f'; {pending[-1].reason}' if pending[-1].reason else ''}"
    if any(proof.submitted_at is not None and utc_now() - proof.submitted_at >= GIVE_UP_AFTER for proof in pending):
        yield f"OpenTimestamps: those older than {GIVE_UP_AFTER.days} days are asked about by `export --evidence` alone"
    if last is not None and last.file is None:
        yield f"OpenTimestamps: the last try failed: {last.reason}"


@cli.command(name="rotate-key")
def rotate_key() -> None:
    """Let a new key sign the ledger; the old one signs that the new one follows it, and is deleted.

    A running service signs with the new key from the next hour on.

    Example: channelwatch rotate-key
    """
    asyncio.run(_rotate())


async def _rotate() -> None:
    settings = load_settings()
    async with open_read_only(settings.database_path):  # there is one, and it is ours
        pass
    database = await Database.open(settings.database_path)
    try:
        key = await Signer(database, settings.data_dir).rotate(utc_now())
    finally:
        await database.close()
    console.print(f"From now on this key signs, SHA-256 {fingerprint(key.public)}:")
    console.print(pem(key.public).rstrip())
    console.print("The old one has signed that it follows. Publish the new one where the old one stands.")
