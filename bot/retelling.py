"""An alert whose post has changed comes in; what it is to show now, and what its chat is told, goes out. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.asides import Aside, split, whole
from bot.matching.plan import merged
from bot.matching.regex import Span
from bot.matching.text import analyse
from bot.matching.wording import Weight, fingerprint, weigh
from bot.store.alerts import Draft, Kind
from bot.store.chats import Edits
from bot.store.followups import Outdated, Shown
from bot.store.rows import maybe_ms
from bot.store.subscriptions import Priority

Found = Mapping[str, tuple[Span, ...]]  # topics by name, and where they were found in the whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling:
    """What becomes of an alert."""

    shown: Shown | None  # None: it goes on to show another item of the album
    drafts: tuple[Draft, ...]  # for the outbox


def retell(old: Outdated, found: Found, wanted: Mapping[str, Priority]) -> Retelling:
    """Bring an alert up to date; `found` is what the post is about now, `wanted` what the chat still subscribes to."""
    topics = list(old.payload["topics"])
    joined = [name for name in found if name in wanted and name not in topics]
    weight = weigh(old.shown.text, old.current.text)
    is_lost = old.is_shown and not found.keys() >= set(topics)
    if weight is Weight.SMALL and (joined or is_lost):
        weight = Weight.WORDS
    loudness = [wanted[name] for name in topics + joined if name in wanted]
    changes = _changes(old, weight, joined, loudness) if loudness else []
    if not old.is_shown:
        return Retelling(shown=None, drafts=tuple(changes))
    payload = _payload(old, found, topics + joined)
    words = named(old.current.text, old.current.asides, payload)
    shown = Shown(id=old.id, payload=payload, words=words)
    return Retelling(shown=shown, drafts=(_edit(old, words), *changes))


def _payload(old: Outdated, found: Found, topics: Sequence[str]) -> dict[str, object]:
    is_edited = old.shown.version_id != old.current.version_id
    payload = dict(old.payload) | {"topics": topics, "gone": maybe_ms(old.gone_at)}
    if is_edited or old.loaded:
        spans = merged([span for name in topics for span in found.get(name, ())])
        payload |= {"shown": old.current.version_id, "edited": is_edited or payload.get("edited", False)}
        payload.pop("beside", None)
        payload |= marked(old.current.text, old.current.asides, spans)
    return payload


def _changes(old: Outdated, weight: Weight, joined: Sequence[str], loudness: Collection[Priority]) -> list[Draft]:
    """Make the replies that the chat wants: what was edited, and that the post is gone."""
    changes = []
    is_silent = all(priority == Priority.SILENT for priority in loudness)
    if _tells(old.edits, weight):
        change = {"change": "edited", "before": old.shown.version_id, "joined": joined}
        changes.append(_change(old, _named(old), change, silent=is_silent or weight is Weight.SMALL))
    if old.is_shown and old.gone_at is not None and not old.was_gone and old.edits != Edits.NONE:
        change = {"change": "gone", "gone": maybe_ms(old.gone_at)}
        changes.append(_change(old, f"{old.current.hash.hex()[:16]}/gone", change, silent=is_silent))
    return changes


def marked(text: str, asides: Sequence[Aside], spans: Sequence[Span]) -> dict[str, object]:
    """Return what the payload of an alert says of where something was found; `spans` are places in the whole."""
    own, beside = split(text, asides, spans)
    lines = [(each.aside.kind, each.aside.text, each.spans) for each in beside]
    return {"spans": own} | ({"beside": lines} if lines else {})


def named(text: str, asides: Sequence[Aside], payload: Mapping[str, object]) -> str:
    """Name the words that an alert tells of: the text's, or those beside it too where something was found there."""
    return _fingerprint(whole(text, asides) if payload.get("beside") else text)


@lru_cache(maxsize=16)  # each chat is told of the same post
def _fingerprint(text: str) -> str:
    return fingerprint(analyse(text))


def _tells(edits: Edits, weight: Weight) -> bool:
    return (weight is Weight.WORDS and edits != Edits.NONE) or (weight is Weight.SMALL and edits == Edits.ALL)


def _named(old: Outdated) -> str:
    """Name a version by what Telegram says of it, so that it has the same name after a restored backup."""
    return f"{old.current.hash.hex()[:16]}/{old.current.edit_date}"


def _edit(old: Outdated, words: str) -> Draft:
    what = f"{_named(old)}/{words}" if old.loaded else _named(old)
    return Draft(
        chat_id=old.chat_id,
        chat_key=old.chat_key,
        kind=Kind.EDIT,
        subject=f"{old.channel_id}/{old.message_id}/{what}/{maybe_ms(old.gone_at)}",
        payload={},
        follows=old.alert_id,
    )


def _change(old: Outdated, what: str, payload: Mapping[str, object], *, silent: bool) -> Draft:
    return Draft(
        chat_id=old.chat_id,
        chat_key=old.chat_key,
        kind=Kind.CHANGE,
        subject=f"{old.channel_id}/{old.message_id}/{what}",
        payload={"version_id": old.current.version_id, **payload},
        follows=old.alert_id,
        silent=silent,
    )
