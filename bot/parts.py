"""A post's text and what a reader sees beside it come in; one text for queries goes out, and what was found where.

What stands beside a text comes after it, each piece behind a blank line: places in the text stay what they are, and no
phrase or distance reaches from one piece into another.
"""

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_WALL = "\n\n"
NONE = "[]"  # how no asides are written

Spans = tuple[tuple[int, int], ...]


class AsideKind(StrEnum):
    """Where a reader sees a text."""

    POLL = "poll"  # its question or an answer
    TO_DO = "to_do"  # the title of a list or an entry
    PREVIEW = "preview"  # of a link: the site, the title, the description
    QUOTE = "quote"  # of the message that is answered
    FILE = "file"  # its name
    AUDIO = "audio"  # performer and title
    PLACE = "place"
    CONTACT = "contact"
    INVOICE = "invoice"
    GAME = "game"
    GIVEAWAY = "giveaway"
    STORY = "story"
    BUTTON = "button"
    NOTE = "note"  # the fact check that Telegram shows under a post


WORDED = (AsideKind.POLL, AsideKind.TO_DO, AsideKind.PREVIEW)  # what is written there is told like a text


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Aside:
    """A piece of text beside a post's own."""

    kind: AsideKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """An aside in which something was found."""

    aside: Aside
    spans: Spans  # Python characters of its text


def whole(text: str, asides: Iterable[Aside]) -> str:
    """Join a text and what stands beside it."""
    return _WALL.join((text, *(aside.text for aside in asides)))


def split(text: str, asides: Sequence[Aside], spans: Sequence[tuple[int, int]]) -> tuple[Spans, tuple[Beside, ...]]:
    """Tell apart what was found in a text and what beside it; `spans` are places in the whole, sorted."""
    if not spans or spans[-1][1] <= len(text):
        return tuple(spans), ()
    beside = []
    start = len(text) + len(_WALL)
    for aside in asides:
        found = _within(spans, start, start + len(aside.text))
        if found:
            beside.append(Beside(aside=aside, spans=found))
        start += len(aside.text) + len(_WALL)
    return _within(spans, 0, len(text)), tuple(beside)


def worded(asides: Iterable[Aside], kinds: Container[AsideKind] = WORDED) -> tuple[Aside, ...]:
    """Choose what says something by itself: polls, to-do lists, previews; of these only some kinds, where given."""
    return tuple(aside for aside in asides if aside.kind in WORDED and aside.kind in kinds)


def reworded(before: Iterable[Aside], after: Iterable[Aside]) -> bool:
    """Tell whether words beside a text were replaced; a preview that loads only adds some."""
    old = worded(before)
    return sorted(old) != sorted(worded(after, {aside.kind for aside in old}))


def in_both(asides: Iterable[Aside], others: Iterable[Aside]) -> tuple[Aside, ...]:
    """Choose what says something by itself and is of a kind that the others have too; a preview may still load."""
    return worded(asides, {aside.kind for aside in others})


def to_json(asides: Sequence[Aside]) -> str:
    """Write asides."""
    if not asides:
        return NONE
    return json.dumps([[a.kind, a.text] for a in asides], ensure_ascii=False, separators=(",", ":"))


def from_json(written: str) -> tuple[Aside, ...]:
    """Read asides."""
    if written == NONE:
        return ()
    return tuple(Aside(kind=AsideKind(kind), text=text) for kind, text in json.loads(written))


def to_spans(written: Iterable[Sequence[int]]) -> Spans:
    """Read spans as JSON has them."""
    return tuple((start, end) for start, end in written)


def to_beside(written: Iterable[tuple[str, str, Iterable[Sequence[int]]]]) -> tuple[Beside, ...]:
    """Read what was found beside a text as JSON has it: kind, text and spans of each piece."""
    return tuple(
        Beside(aside=Aside(kind=AsideKind(kind), text=text), spans=to_spans(spans)) for kind, text, spans in written
    )


def _within(spans: Iterable[tuple[int, int]], start: int, end: int) -> Spans:
    return tuple((max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start)
