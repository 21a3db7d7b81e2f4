"""A post with spans of what was found comes in; the part around the first of them goes out, on one line.

What was found beside the text stands under it, each on a line that begins with where it stands.
"""

from collections.abc import Sequence

from bot.locales import Translator
from bot.locales.titles import part_title
from bot.parts import Part, PartMatch, split_spans

EXCERPT = 280  # characters of a post in a list
_LINES = 3  # of what stands beside it


def excerpt(text: str, spans: Sequence[tuple[int, int]], *, room: int = EXCERPT) -> tuple[str, list[tuple[int, int]]]:
    """Take up to `room` characters of a text around the first span, with the spans that lie in it; in characters."""
    line = "".join(" " if character.isspace() else character for character in text)
    before = room * 2 // 7  # shown before what was found
    first = spans[0][0] if spans else 0
    start = 0 if first <= before else line.find(" ", first - before, first) + 1 or first
    end = min(len(line), start + room)
    if end < len(line):
        end = max(line.rfind(" ", start + room // 2, end), 0) or end
    opening = "…" if start > 0 else ""
    closing = "…" if end < len(line) else ""
    shift = len(opening) - start
    kept = [(max(a, start) + shift, min(b, end) + shift) for a, b in spans if a < end and b > start]
    return opening + line[start:end] + closing, kept


def shown(
    text: str, parts: Sequence[Part], spans: Sequence[tuple[int, int]], t: Translator, *, room: int = EXCERPT
) -> tuple[str, list[tuple[int, int]]]:
    """Take an excerpt of a post, or where it has no text of what stands beside it; `spans` are places in the whole."""
    own, beside = split_spans(text, parts, spans)
    if not text.strip():
        text, beside = "", beside or tuple(PartMatch(part=part, spans=()) for part in parts[:1])
    words, marks = excerpt(text, own, room=room)
    return with_lines(words, marks, beside, t, room=room)


def with_lines(
    text: str, spans: Sequence[tuple[int, int]], beside: Sequence[PartMatch], t: Translator, *, room: int = EXCERPT
) -> tuple[str, list[tuple[int, int]]]:
    """Add a line for each thing beside a text in which something was found."""
    marks = list(spans)
    for each in beside[:_LINES]:
        newline = "\n" if text else ""
        text += f"{newline}{part_title(each.part.kind, t)}: "
        line, found = excerpt(each.part.text, each.spans, room=room)
        marks += [(len(text) + start, len(text) + end) for start, end in found]
        text += line
    return text, marks
