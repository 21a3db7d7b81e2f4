"""A post's text with spans of what was found comes in; the part around the first of them goes out, on one line."""

from collections.abc import Sequence

EXCERPT = 280  # characters of a post in a list


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
