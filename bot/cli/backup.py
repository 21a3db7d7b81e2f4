"""The commands `backup` and `restore`: a copy of the database, and the way back."""

import asyncio
import shlex
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.locales import translator
from bot.locales.locale import show_size
from bot.runtime.clock import utc_now
from bot.settings import load_settings
from bot.store import backup as backups
from bot.store import ledger, redactions
from bot.store.backup import Backup
from bot.store.database import open_existing

Place = Annotated[Path, typer.Argument(help="A file; for a backup also a folder, where the file is named by date.")]


@cli.command()
def backup(
    path: Place,
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Back up the database, even while the service runs, and check the copy.

    It does not contain the files of posts (DATA_DIR/media) or the sessions.

    Example: channelwatch backup /mnt/backups
    """
    made = backups.back_up(load_settings().database_path, path, now=utc_now(), overwrite=overwrite)
    console.print(f"Backup written and checked: {made.path}, {_summary(made)}", soft_wrap=True)


@cli.command()
def restore(path: Place) -> None:
    """Check a backup and put it in place of the database; the service must be stopped.

    The previous database is kept beside it.

    After the start, chats with newer messages get one silent notice of what they may have been alerted to.

    Example: channelwatch restore /mnt/backups/channelwatch-20260102-030405.db
    """
    from bot.telegram import sessions  # noqa: PLC0415 - Telethon, which takes an eighth of a second

    settings = load_settings()
    with sessions.lock(settings.data_dir / sessions.BOT):
        made, kept = backups.restore(path, settings.database_path, now=utc_now())
        asyncio.run(_note(settings.database_path, made))
    console.print(f"Restored: {made.path}, {_summary(made)}", soft_wrap=True)
    if kept is not None:
        console.print(f"The previous database is now {kept}; delete it when all is well.", soft_wrap=True)
        for link, reason in redactions.undone_by(settings.database_path, kept):
            again = f"channelwatch redact {link} --reason {shlex.quote(reason)} --yes"
            console.print(f"What was redacted after the backup is back: {again}", soft_wrap=True, markup=False)
    console.print("Next: channelwatch run")


async def _note(path: Path, made: Backup) -> None:
    """Write down in the ledger that it goes on from a backup: what came after that is not in it."""
    async with open_existing(path) as database:
        await database.write(lambda tx: ledger.add_restored(tx, alive_at=made.until, now=utc_now()))


def _summary(made: Backup) -> str:
    until = "" if made.until is None else f", the newest of {made.until:%Y-%m-%d %H:%M} UTC"
    return f"{show_size(made.size, translator('en'))}; {made.posts} posts{until}"
