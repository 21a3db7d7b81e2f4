"""The messages of a post come in, a line for each of their files goes out: what is kept of it, or why it is not."""

from collections.abc import Iterable

from bot.commands.context import Context
from bot.locales import N_, Translator
from bot.locales.figures import show_size
from bot.models.posts import StoredPost
from bot.store import media
from bot.store.media import FileState, MediaFile
from bot.text.markup import Text, code, one_line

_NAME = 60  # UTF-16 units of a file's name
_DIGITS = 12  # of a hash: enough to tell files apart
_REASONS = {
    media.TOO_LARGE: N_("it is too large"),
    media.OFF: N_("no files are kept here"),
    media.GONE: N_("the post was gone before I could fetch it"),
    media.REPLACED: N_("it was replaced before I could fetch it"),
    media.NO_ROOM: N_("the disk is too full"),
}

_REFUSED = N_("Telegram would not hand it over: {reason}")


async def lines(items: Iterable[StoredPost], context: Context) -> Text | None:
    """Write what became of the files of a post as it stands; None where none was wanted."""
    files = await media.of_versions(context.database, [item.version_id for item in items])
    if not files:
        return None
    text = Text()
    for number, file in enumerate(files):
        text.add("\n" if number else "").join(_line(file, context.t))
    return text


def _line(file: MediaFile, t: Translator) -> Text:
    name = one_line(file.name or "", _NAME) or (t.gettext("photo") if file.kind == "photo" else None)
    called = name or t.gettext("document")
    if file.state is FileState.KEPT and file.sha256 is not None:
        line = t.gettext("File kept: {name}, {size}, SHA-256 {hash}")
        return Text().say(line, name=called, size=show_size(file.size or 0, t), hash=code(file.sha256.hex()[:_DIGITS]))
    if file.state is FileState.WANTED:
        return Text().say(t.gettext("File not kept yet: {name}"), name=called)
    reason = file.reason or ""
    why = t.gettext(_REASONS.get(reason, _REFUSED)).format(reason=reason)
    return Text().say(t.gettext("File not kept: {name}; {why}"), name=called, why=why)
