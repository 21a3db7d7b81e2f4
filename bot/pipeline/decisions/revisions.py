"""What becomes of an alert whose post has changed: what it shows from now on, and the replies that say so. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from bot.matching.similarity.diff import Weight, fingerprint, weigh
from bot.matching.similarity.features import features
from bot.models.alerts import (
    Alert,
    AlertChange,
    ChangeKind,
    Draft,
    Edits,
    MessageKind,
    Priority,
    RestoreWindow,
    StaleAlert,
    Wording,
)
from bot.parts import Part, PartMatch, Spans, common_parts, split_spans, whole_text, worded_parts
from bot.text.spans import Span, merge_spans

RINGS_APART = timedelta(minutes=5)  # of one post; what becomes of it sooner is said without a sound

Found = Mapping[str, tuple[Span, ...]]  # topics by name, and where they were found in the whole


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertUpdate:
    """What becomes of an alert."""

    stale: StaleAlert
    alert: Alert | None  # what it shows from now on; None: what it shows stays
    replies: tuple[Draft, ...]

    @property
    def chat_id(self) -> int:
        """The chat of the alert."""
        return self.stale.alert.chat_id

    def replies_after(self, window: RestoreWindow | None) -> tuple[Draft, ...]:
        """Return the replies that the chat cannot have had before a backup was put back."""
        if window is None or not window.covers(self.current.edit_date):
            return self.replies
        return tuple(reply for reply in self.replies if reply.change and reply.change.kind is not ChangeKind.EDITED)

    @property
    def current(self) -> Wording:
        """What the post says now."""
        return self.stale.current


def revise(stale: StaleAlert, found: Found, wanted: Mapping[str, Priority], now: datetime) -> AlertUpdate:
    """Bring an alert up to date; `found` is what the post is about now, `wanted` what the chat still subscribes to."""
    topics = stale.alert.topics
    joined = tuple(name for name in found if name in wanted and name not in topics)
    alert = _alert(stale, found, topics + joined) if stale.is_shown else None
    if alert == stale.alert:
        return AlertUpdate(stale=stale, alert=None, replies=())
    priorities = [wanted[name] for name in topics + joined if name in wanted]
    replies = _replies(stale, found, joined, priorities, now) if priorities and not stale.is_grouped else ()
    return AlertUpdate(stale=stale, alert=alert, replies=replies)


def _weigh(stale: StaleAlert, found: Found, joined: Collection[str]) -> Weight:
    """Return how much the words have changed: of the text, and of the parts that say something by themselves.

    A change by which the post is about something else is no small one. A preview that is missing may load again; where
    a match is lost with it, an edit that left the text removed it.
    """
    shown, current = stale.shown, stale.current
    is_lost = stale.is_shown and not found.keys() >= set(stale.alert.topics)
    before, after = common_parts(shown.parts, current.parts), common_parts(current.parts, shown.parts)
    if is_lost and shown.edit_date != current.edit_date and shown.text == current.text:
        before = worded_parts(shown.parts)
    weights = (weigh(shown.text, current.text), weigh(whole_text("", sorted(before)), whole_text("", sorted(after))))
    weight = max(weights, key=lambda weight: weight.value)
    return Weight.WORDS if weight is Weight.SMALL and (joined or is_lost) else weight


def _alert(stale: StaleAlert, found: Found, topics: tuple[str, ...]) -> Alert:
    current = stale.current
    alert = replace(
        stale.alert,
        topics=topics,
        shown_version_id=current.version_id,
        gone_at=stale.gone_at,
        gone_items=stale.gone_items,
        losses=stale.alert.losses + _vanishes(stale),
    )
    if stale.shown.version_id == current.version_id and not stale.is_loaded:
        return alert
    spans, parts = marked(
        current.text, current.parts, merge_spans([span for name in topics for span in found.get(name, ())])
    )
    words = fingerprint_of(current.text, current.parts, parts)
    return replace(alert, spans=spans, parts=parts, fingerprint=words)


def _replies(
    stale: StaleAlert, found: Found, joined: tuple[str, ...], priorities: Collection[Priority], now: datetime
) -> tuple[Draft, ...]:
    """Write the replies that the chat wants: what was edited, and that the post is gone; one of both rings at most."""
    replies, weight = [], _weigh(stale, found, joined)
    rang = stale.rang_at is not None and now - stale.rang_at < RINGS_APART and not joined
    is_silent = rang or all(priority == Priority.SILENT for priority in priorities)
    if _is_wanted(stale.edits, weight):
        change = AlertChange(kind=ChangeKind.EDITED, before=stale.shown.version_id, joined=joined)
        # A version is named by what Telegram says of it, so that it has the same name after a restored backup.
        name = _nth(f"{stale.current.hash.hex()[:16]}/{stale.current.edit_date}", stale.current.times)
        replies.append(_reply(stale, name, change, silent=is_silent or weight is Weight.SMALL))
        is_silent = is_silent or weight is not Weight.SMALL
    if stale.is_shown and _vanishes(stale) and stale.edits != Edits.NONE:
        change = AlertChange(kind=ChangeKind.GONE, gone_at=stale.gone_at, gone_items=stale.gone_items)
        name = _nth(f"{stale.current.hash.hex()[:16]}/gone", stale.alert.losses + 1)
        replies.append(_reply(stale, name, change, silent=is_silent))
    return tuple(replies)


def _vanishes(stale: StaleAlert) -> bool:
    """Return whether something is gone that the alert does not say: the post, or of an album the item with the words.

    Where that item went first, the end of the rest counts too.
    """
    alert = stale.alert
    return stale.gone_at is not None and (
        alert.gone_at is None or (alert.gone_items is not None and stale.gone_items is None)
    )


def marked(text: str, all_parts: Sequence[Part], spans: Sequence[Span]) -> tuple[Spans, tuple[PartMatch, ...]]:
    """Return where something was found in a text, and the parts with matches; `spans` are places in the whole.

    Where there is no text, and nothing was found, all parts are returned.
    """
    own, parts = split_spans(text, all_parts, spans)
    if not text.strip() and not parts:
        parts = tuple(PartMatch(part=part, spans=()) for part in all_parts)
    return own, parts


def fingerprint_of(text: str, all_parts: Sequence[Part], parts: Sequence[PartMatch]) -> str:
    """Name the words that an alert shows: the text's, and those of the parts where something was found in one."""
    return _fingerprint(compared(text, all_parts, parts))


def compared(text: str, all_parts: Sequence[Part], parts: Sequence[PartMatch]) -> str:
    """Return what of a post is compared with others."""
    return whole_text(text, all_parts) if parts else text


@lru_cache(maxsize=16)  # each chat is alerted to the same post
def _fingerprint(text: str) -> str:
    return fingerprint(features(text).document)


def _is_wanted(edits: Edits, weight: Weight) -> bool:
    return (weight is Weight.WORDS and edits != Edits.NONE) or (weight is Weight.SMALL and edits == Edits.ALL)


def _nth(name: str, times: int) -> str:
    """Name what has happened before."""
    return name if times == 1 else f"{name}/{times}"


def _reply(stale: StaleAlert, what: str, change: AlertChange, *, silent: bool) -> Draft:
    return Draft(
        chat_id=stale.alert.chat_id,
        chat_key=stale.chat_key,
        kind=MessageKind.CHANGE,
        subject=f"{stale.alert.channel_id}/{stale.message_id}/{what}",
        alert_id=stale.alert.id,
        version_id=stale.current.version_id,
        change=change,
        reply_to=stale.shown_by,
        silent=silent,
    )
