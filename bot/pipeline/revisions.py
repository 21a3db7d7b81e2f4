"""An alert whose post has changed comes in; what it is to show now, and what its chat is told, goes out. Pure."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.matching.similarity.diff import Weight, fingerprint, weigh
from bot.matching.similarity.features import features
from bot.parts import Part, PartMatch, common_parts, split_spans, whole_text, worded_parts
from bot.store import alerts
from bot.store.alerts import Draft, Kind
from bot.store.chats import Edits
from bot.store.revisions import Outdated, Shown
from bot.store.rows import maybe_ms, to_ms
from bot.store.subscriptions import Priority
from bot.text.spans import Span, merge_spans

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
    is_lost = old.is_shown and not found.keys() >= set(topics)
    weight = _weigh(old, is_lost=is_lost)
    if weight is Weight.SMALL and (joined or is_lost):
        weight = Weight.WORDS
    loudness = [wanted[name] for name in topics + joined if name in wanted]
    changes = _changes(old, weight, joined, loudness) if loudness and not old.gathered else []
    if not old.is_shown:
        return Retelling(shown=None, drafts=tuple(changes))
    payload = _payload(old, found, topics + joined)
    if _same(payload, old.payload):
        return Retelling(shown=None, drafts=())
    number = old.payload.get("edits", 0) + 1
    payload["edits"] = number
    words = named(old.current.text, old.current.parts, payload)
    shown = Shown(id=old.id, payload=payload, words=words)
    edit = () if old.gathered else (_edit(old, number),)
    return Retelling(shown=shown, drafts=(*edit, *changes))


def _weigh(old: Outdated, *, is_lost: bool) -> Weight:
    """Tell how much the words have changed: of the text, and of what says something by itself beside it.

    A preview that is missing may load again; where the match `is_lost` with it, an edit that left the text removed it.
    """
    before, after = common_parts(old.shown.parts, old.current.parts), common_parts(old.current.parts, old.shown.parts)
    is_edited = old.shown.edit_date != old.current.edit_date
    if is_lost and is_edited and old.shown.text == old.current.text:
        before = worded_parts(old.shown.parts)
    weights = (
        weigh(old.shown.text, old.current.text),
        weigh(whole_text("", sorted(before)), whole_text("", sorted(after))),
    )
    return max(weights, key=lambda weight: weight.value)


def _same(payload: Mapping[str, object], before: Mapping[str, object]) -> bool:
    return bool(json.loads(json.dumps(payload)) == before)


def _payload(old: Outdated, found: Found, topics: Sequence[str]) -> dict[str, object]:
    payload = {key: value for key, value in old.payload.items() if key not in {"gone", "part"}} | {"topics": topics}
    if old.gone_at is not None:
        payload["gone"] = to_ms(old.gone_at)
    if old.part is not None:
        payload["part"] = old.part
    if _vanishes(old):
        payload["losses"] = _losses(old)
    is_edited = old.shown.version_id != old.current.version_id
    if is_edited:
        payload |= {"shown": old.current.version_id, "edited": True}
    if is_edited or old.loaded:
        spans = merge_spans([span for name in topics for span in found.get(name, ())])
        payload.pop("beside", None)
        payload |= marked(old.current.text, old.current.parts, spans)
    return payload


def _changes(old: Outdated, weight: Weight, joined: Sequence[str], loudness: Collection[Priority]) -> list[Draft]:
    """Make the replies that the chat wants: what was edited, and that the post is gone."""
    changes = []
    is_silent = all(priority == Priority.SILENT for priority in loudness)
    if _tells(old.edits, weight):
        change = {"change": "edited", "before": old.shown.version_id, "joined": joined}
        changes.append(_change(old, _named(old), change, silent=is_silent or weight is Weight.SMALL))
    if old.is_shown and _vanishes(old) and old.edits != Edits.NONE:
        change = {"change": "gone", "gone": maybe_ms(old.gone_at), "part": old.part}
        name = _nth(f"{old.current.hash.hex()[:16]}/gone", _losses(old))
        changes.append(_change(old, name, change, silent=is_silent))
    return changes


def _vanishes(old: Outdated) -> bool:
    """Tell whether something is gone that the chat was not told of: the post, or of an album the item with the words.

    Where that item went first, the end of the rest is told too.
    """
    told, was_part = old.payload.get("gone") is not None, old.payload.get("part") is not None
    return old.gone_at is not None and (not told or (was_part and old.part is None))


def _losses(old: Outdated) -> int:
    """Count how often the post has vanished, this time included."""
    return int(old.payload.get("losses", 0)) + 1


def marked(text: str, parts: Sequence[Part], spans: Sequence[Span]) -> dict[str, object]:
    """Return what the payload of an alert says of where something was found; `spans` are places in the whole.

    Where there is no text, and nothing was found, it is what stands beside it.
    """
    own, beside = split_spans(text, parts, spans)
    if not text.strip() and not beside:
        beside = tuple(PartMatch(part=part, spans=()) for part in parts)
    lines = [(each.part.kind, each.part.text, each.spans) for each in beside]
    return {"spans": own} | ({"beside": lines} if lines else {})


def named(text: str, parts: Sequence[Part], payload: Mapping[str, object]) -> str:
    """Name the words that an alert tells of: the text's, or those beside it too where something was found there."""
    return _fingerprint(compared(text, parts, payload))


def compared(text: str, parts: Sequence[Part], payload: Mapping[str, object]) -> str:
    """Return what an alert tells of a post, where it is compared with others."""
    return whole_text(text, parts) if payload.get("beside") else text


@lru_cache(maxsize=16)  # each chat is told of the same post
def _fingerprint(text: str) -> str:
    return fingerprint(features(text).document)


def _tells(edits: Edits, weight: Weight) -> bool:
    return (weight is Weight.WORDS and edits != Edits.NONE) or (weight is Weight.SMALL and edits == Edits.ALL)


def _named(old: Outdated) -> str:
    """Name a version by what Telegram says of it, so that it has the same name after a restored backup."""
    return _nth(f"{old.current.hash.hex()[:16]}/{old.current.edit_date}", old.current.times)


def _nth(name: str, times: int) -> str:
    """Name what has happened before."""
    return name if times == 1 else f"{name}/{times}"


def _edit(old: Outdated, number: int) -> Draft:
    subject = f"{old.channel_id}/{old.message_id}/edit {number}"
    return alerts.edit(old.chat_id, old.chat_key, old.alert_id, subject=subject)


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
