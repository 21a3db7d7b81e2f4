"""The command `redact`: what a post said is removed for good, for a court or for somebody's privacy."""

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.post_links import messages_at
from bot.errors import SettingsError
from bot.runtime.clock import utc_now
from bot.settings import Settings, load_settings
from bot.store import media, posts, redactions
from bot.store.blobs import Blobs
from bot.store.database import Reader, open_existing, open_read_only
from bot.store.redactions import RedactableVersion, RedactionScope
from bot.text.markup import one_line

_LONGEST, _SHOWN = 300, 100  # UTF-16 units of a reason, and of a text that is shown
_FOR_GOOD = (
    "This cannot be undone. Rows, hashes and lines of the ledger stay, and a line that it was redacted, and why."
)
_OUT_OF_REACH = (
    "It does not reach bundles, exports, dossiers and backups made before, nor what people wrote or copied themselves: "
    "delete those where they are."
)


@cli.command()
def redact(
    link: Annotated[str, typer.Argument(help="The link of the post, or of one of its messages.")],
    *,
    reason: Annotated[str, typer.Option(help="Why: everybody who sees the post reads it, and it stays in the ledger.")],
    version: Annotated[int | None, typer.Option(help="Only this version of that message; else all versions.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it only shows what would go.")] = False,
) -> None:
    """Remove what a post said for good: its text, files, bytes, and whatever repeats them here.

    Without --yes it shows what would go. With --yes the service has to be stopped: the database is written anew.

    The same words do not come back when the post is read again; an edit with other words is stored as a new version.

    Example: channelwatch redact https://t.me/name/123 --reason "court order 2-1234/2026"
    """
    settings, why = load_settings(), one_line(reason, _LONGEST)
    if not why:
        raise SettingsError("--reason is empty: say why, everybody who sees the post reads it")
    if not yes:
        asyncio.run(_preview(settings, link, version))
        return
    from bot.telegram import sessions  # noqa: PLC0415 - Telethon, which takes an eighth of a second

    with sessions.lock(settings.data_dir / sessions.BOT):
        redactions.check_room(settings.database_path)
        count, staying = asyncio.run(_redact(settings, link, version, why))
        redactions.scrub(settings.database_path)
    console.print(f"Redacted for good: {count} versions. Sent alerts change once the service runs.", soft_wrap=True)
    for line in (*staying, _OUT_OF_REACH):
        console.print(line, soft_wrap=True)
    for path in redactions.databases_before(settings.database_path):
        console.print(f"{path} is a database of before, and may have it: delete that, too.", soft_wrap=True)
    console.print("Next: channelwatch run")


async def _preview(settings: Settings, link: str, number: int | None) -> None:
    async with open_read_only(settings.database_path) as db:
        found = await _find(db, link, number)
        left = [each for each in found if not each.is_redacted]
        for each in found:
            console.print(_line(each), soft_wrap=True)
        for line in (*_scope(await redactions.scope_of(db, left)), _FOR_GOOD, _OUT_OF_REACH):
            console.print(line, soft_wrap=True)
    sys.stderr.write("Nothing was changed. Stop the service, then run it again with --yes.\n")


async def _redact(settings: Settings, link: str, number: int | None, reason: str) -> tuple[int, list[str]]:
    """Redact, also what an earlier run was cut off at; return how many versions, and lines of what stays elsewhere."""
    async with open_existing(settings.database_path) as database:
        found = await _find(database, link, number)
        left = [each for each in found if not each.is_redacted]
        staying = list(_staying(await redactions.scope_of(database, left)))
        if left:
            await database.write(partial(redactions.redact, found=left, reason=reason, now=utc_now()))
        blobs = Blobs(settings.media_path)
        blobs.clean()
        await media.remove_strays(database, blobs, before=utc_now())
    return len(left), staying


async def _find(db: Reader, link: str, number: int | None) -> list[RedactableVersion]:
    """Return the versions of the post behind a link. Raises SettingsError where there is none."""
    for channel_id, message_id in await messages_at(db, link) or ():
        for post in await posts.current(db, channel_id, [message_id]):
            items = [post] if number is not None else await posts.by_key(db, channel_id, post.key)
            found = await redactions.versions_of(db, channel_id, [each.message_id for each in items], number)
            if found:
                return found
            raise SettingsError(f"{link} has no version {number}: `channelwatch redact {link}` shows those it has")
    raise SettingsError(f"{link}: no such post is stored. A link looks like this: https://t.me/name/123")


def _line(each: RedactableVersion) -> str:
    said = "redacted already" if each.is_redacted else one_line(each.text, _SHOWN) or "(no text)"
    return f"message {each.message_id}, version {each.number}, seen {each.seen_at:%Y-%m-%d %H:%M} UTC: {said}"


def _scope(scope: RedactionScope) -> Iterator[str]:
    yield "With the text go its formatting, parts, words in the index, and the bytes as they came."
    counted = {
        "later additions, such as previews": scope.additions,
        "translations": scope.translations,
        f"files ({scope.shared} of them stay, since another version shows them)": scope.files,
        "captures of public pages": scope.captures,
        "texts read in pictures": scope.pictures,
        "alerts, which then show that it was redacted": scope.alerts,
    }
    if shown := [f"{count} {what}" for what, count in counted.items() if count]:
        yield f"Also: {', '.join(shown)}."
    yield from _staying(scope)


def _staying(scope: RedactionScope) -> Iterator[str]:
    if scope.fixed:
        yield f"{scope.fixed} messages with it cannot be edited, by e-mail and the like or too old: they stay there."
    if scope.answers:
        yield f"{scope.answers} replies in chats showed an edit or a translation: they stay there, delete them by hand."
