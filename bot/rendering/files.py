"""Files of posts in words: what one is called, and why it is not here. Pure."""

from bot.locales import N_, Translator
from bot.models.files import FileReason
from bot.text.markup import one_line

_REASONS: dict[str, str] = {
    FileReason.TOO_LARGE: N_("it is too large"),
    FileReason.OFF: N_("no files are kept here"),
    FileReason.GONE: N_("the post was gone before I could fetch it"),
    FileReason.REPLACED: N_("it was replaced before I could fetch it"),
    FileReason.NO_ROOM: N_("the disk is too full"),
    FileReason.REDACTED: N_("it was redacted"),
    FileReason.PRUNED: N_("it was removed to make room for newer files"),
}
_REFUSED = N_("Telegram did not hand it over: {reason}")


def file_name(name: str | None, kind: str, t: Translator, *, most: int) -> str:
    """Return the name of a file in so many UTF-16 units at most, or what it is where it has none."""
    return one_line(name or "", most) or (t.gettext("photo") if kind == "photo" else t.gettext("document"))


def why_left(reason: str, t: Translator) -> str:
    """Return the sentence for the reason why a file was given up."""
    return t.gettext(_REASONS.get(reason, _REFUSED)).format(reason=reason)
