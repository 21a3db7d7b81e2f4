"""A post's text and what a reader sees beside it come in; one text for queries goes out, and what was found where.

What stands beside a text comes after it, each piece behind a blank line: places in the text stay what they are, and no
phrase or distance reaches from one piece into another.
"""

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_WALL = "\n\n"
NO_PARTS = "[]"  # how no parts are written

Spans = tuple[tuple[int, int], ...]


class PartKind(StrEnum):
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


WORDED_KINDS = (PartKind.POLL, PartKind.TO_DO, PartKind.PREVIEW)  # what is written there is told like a text


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """A piece of text beside a post's own."""

    kind: PartKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMatch:
    """A part in which something was found."""

    part: Part
    spans: Spans  # Python characters of its text


def whole_text(text: str, parts: Iterable[Part]) -> str:
    """Join a text and what stands beside it."""
    return _WALL.join((text, *(part.text for part in parts)))


def split_spans(
    text: str, parts: Sequence[Part], spans: Sequence[tuple[int, int]]
) -> tuple[Spans, tuple[PartMatch, ...]]:
    """Tell apart what was found in a text and what beside it; `spans` are places in the whole, sorted."""
    if not spans or spans[-1][1] <= len(text):
        return tuple(spans), ()
    beside = []
    start = len(text) + len(_WALL)
    for part in parts:
        found = clip_spans(spans, start, start + len(part.text))
        if found:
            beside.append(PartMatch(part=part, spans=found))
        start += len(part.text) + len(_WALL)
    return clip_spans(spans, 0, len(text)), tuple(beside)


def worded_parts(parts: Iterable[Part], kinds: Container[PartKind] = WORDED_KINDS) -> tuple[Part, ...]:
    """Choose what says something by itself: polls, to-do lists, previews; of these only some kinds, where given."""
    return tuple(part for part in parts if part.kind in WORDED_KINDS and part.kind in kinds)


def are_reworded(before: Iterable[Part], after: Iterable[Part]) -> bool:
    """Tell whether words beside a text were replaced; a preview that loads only adds some."""
    old = worded_parts(before)
    return sorted(old) != sorted(worded_parts(after, {part.kind for part in old}))


def common_parts(parts: Iterable[Part], others: Iterable[Part]) -> tuple[Part, ...]:
    """Choose what says something by itself and is of a kind that the others have too; a preview may still load."""
    return worded_parts(parts, {part.kind for part in others})


def dump_parts(parts: Sequence[Part]) -> str:
    """Write parts."""
    if not parts:
        return NO_PARTS
    return json.dumps([[a.kind, a.text] for a in parts], ensure_ascii=False, separators=(",", ":"))


def load_parts(written: str) -> tuple[Part, ...]:
    """Read parts."""
    if written == NO_PARTS:
        return ()
    return tuple(Part(kind=PartKind(kind), text=text) for kind, text in json.loads(written))


def clip_spans(spans: Iterable[tuple[int, int]], start: int, end: int) -> Spans:
    """Return what of the spans lies between two places of a text, counted from the first of them."""
    return tuple((max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start)
