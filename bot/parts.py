"""The parts of a post beside its body: polls, link previews, file names.

Queries are put to one text, the body with each part behind a blank line after it: places in the body stay what they
are, and no phrase or distance reaches from one part into another.
"""

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_WALL = "\n\n"
compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # `dumps` makes one at each call
NO_PARTS = "[]"  # JSON of none

Spans = tuple[tuple[int, int], ...]


class PartKind(StrEnum):
    """What a part is to somebody who reads the post."""

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
    PICTURE = "picture"  # what a program read in a photo: no words of whoever posted it
    REDACTION = "redaction"  # when and why what a version said was removed here: no words of whoever posted it
    NOTE = "note"  # the fact check that Telegram shows under a post


WORDED_KINDS = (PartKind.POLL, PartKind.TO_DO, PartKind.PREVIEW)  # words in these are news like a body


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """A text of a post beside its body."""

    kind: PartKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMatch:
    """A match in a part."""

    part: Part
    spans: Spans  # Python characters of its text


def whole_text(text: str, parts: Iterable[Part]) -> str:
    """Join the body of a post and its parts."""
    return _WALL.join((text, *(part.text for part in parts)))


def split_spans(
    text: str, parts: Sequence[Part], spans: Sequence[tuple[int, int]]
) -> tuple[Spans, tuple[PartMatch, ...]]:
    """Divide sorted spans of the whole text into those in the body and the matches in parts."""
    if not spans or spans[-1][1] <= len(text):
        return tuple(spans), ()
    matches = []
    start = len(text) + len(_WALL)
    for part in parts:
        found = clip_spans(spans, start, start + len(part.text))
        if found:
            matches.append(PartMatch(part=part, spans=found))
        start += len(part.text) + len(_WALL)
    return clip_spans(spans, 0, len(text)), tuple(matches)


def worded_parts(parts: Iterable[Part], kinds: Container[PartKind] = WORDED_KINDS) -> tuple[Part, ...]:
    """Return the parts with words of their own, polls, to-do lists and previews; only those of `kinds`."""
    return tuple(part for part in parts if part.kind in WORDED_KINDS and part.kind in kinds)


def are_reworded(before: Iterable[Part], after: Iterable[Part]) -> bool:
    """Return whether words in parts were replaced; a preview that loads only adds some."""
    old = worded_parts(before)
    return sorted(old) != sorted(worded_parts(after, {part.kind for part in old}))


def common_parts(parts: Iterable[Part], others: Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts with words of their own of the kinds that `others` have too; a preview may still load."""
    return worded_parts(parts, {part.kind for part in others})


def is_redacted(parts: Iterable[Part]) -> bool:
    """Return whether all that was said was removed for good."""
    return any(part.kind is PartKind.REDACTION for part in parts)


def dump_parts(parts: Sequence[Part]) -> str:
    """Write parts as JSON."""
    if not parts:
        return NO_PARTS
    return compact_json([[a.kind, a.text] for a in parts])


def load_parts(written: str) -> tuple[Part, ...]:
    """Read parts from JSON."""
    if written == NO_PARTS:
        return ()
    return tuple(Part(kind=PartKind(kind), text=text) for kind, text in json.loads(written))


def clip_spans(spans: Iterable[tuple[int, int]], start: int, end: int) -> Spans:
    """Return the parts of spans between two places of a text, counted from the first of these."""
    return tuple((max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start)
