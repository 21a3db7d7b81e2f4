"""A post with spans of what was found comes in; the part around the first of them goes out, on one line.

What was found beside the text stands under it, each on a line that begins with where it stands.
"""

from collections.abc import Sequence

from bot.locales import Translator
from bot.locales.titles import part_title
from bot.parts import Part, PartMatch, split_spans
from bot.text.excerpts import excerpt

EXCERPT = 280  # characters of a post in a list
_LINES = 3  # of what stands beside it


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
