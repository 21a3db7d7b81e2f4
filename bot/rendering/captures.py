"""What became of the capture of a post's public page, in a sentence."""

from collections.abc import Callable
from datetime import datetime

from bot.locales import N_, Translator
from bot.models.captures import NAMELESS, OTHER_SERVER, Capture, CaptureOutcome

_SENTENCES = {
    CaptureOutcome.SHOWN: N_("Its public page is kept as it was on {date}."),
    CaptureOutcome.OTHER: N_("Its public page is kept as it was on {date}: another channel has the name now."),
    CaptureOutcome.REFUSED: N_("Its public page is kept as it was on {date}: it did not show the post."),
    CaptureOutcome.STRANGE: N_("Its public page is kept as it was on {date}; I cannot read what it showed."),
    CaptureOutcome.PRIVATE: N_("It has no public page: the channel is private."),
    CaptureOutcome.STORY: N_("It has no public page: it is a story."),
    CaptureOutcome.WEBSITE: N_("I keep public pages of Telegram only; this post is of a website."),
    CaptureOutcome.SILENT: N_("Its public page did not come: {reason}."),
    CaptureOutcome.PRUNED: N_("Its public page was removed to make room."),
    CaptureOutcome.REDACTED: N_("Its public page is not kept, as the post was redacted."),
    CaptureOutcome.TOO_MANY: N_("Its public page was not fetched: there were too many alerts at once."),
}
_REASONS = {
    OTHER_SERVER: N_("this bot is set up not to read pages of t.me"),
    NAMELESS: N_("the channel has no public name any more"),
}
_ANOTHER = N_("t.me did not give it ({detail})")


def capture_sentence(capture: Capture, show: Callable[[datetime], str], t: Translator) -> str:
    """Return a sentence on a capture; `show` writes when its page came."""
    detail, date = (capture.detail or "").rstrip("."), "" if capture.at is None else show(capture.at)
    reason = _REASONS.get(detail, _ANOTHER)
    reason = t.gettext(reason).format(detail=detail)
    if capture.outcome is not None:
        return t.gettext(_SENTENCES[capture.outcome]).format(date=date, reason=reason)
    if detail:
        return t.gettext("Its public page has not come yet, I keep trying: {reason}.").format(reason=reason)
    return t.gettext("I also keep its public page.")
