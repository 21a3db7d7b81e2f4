"""Styles that may cross each other come in, styles as Telegram nests them go out. Pure.

Its rules (https://core.telegram.org/bots/api#formatting-options): of two entities that share characters one contains
the other; `pre` and `code` contain nothing; a quotation lies in no quotation, and may contain links and code; these
contain none of each other; bold, italic, underline, strike and spoiler may lie in all but `pre` and `code`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise

_MONOSPACED = frozenset({"code", "pre"})
_LOOSE = ("bold", "italic", "underline", "strike", "spoiler")  # these may be cut in two
_OUTER = ("blockquote", "text_url", "pre", "code", *_LOOSE)
_Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a stretch of a passage looks, counted in Python characters."""

    kind: str
    start: int
    end: int
    value: str | None = None
    is_match: bool = False  # ours: the words that were looked for, which stay bold in `code` too


def nested(text: str, styles: Iterable[Style]) -> list[Style]:
    """Cut, merge or drop styles of a text so that Telegram takes them as they are; none begins or ends in a space."""
    trimmed = _trimmed(text, styles)
    trimmed.sort(key=_order)
    if all(one.end <= other.start for one, other in pairwise(trimmed)):
        return trimmed
    loose = [style for style in trimmed if style.kind in _LOOSE]
    matches = [style for style in loose if style.is_match]
    solid = _apart(style for style in trimmed if style.kind not in _LOOSE and style.kind != "blockquote")
    solid = [piece for style in solid for piece in _without(style, matches)]
    quotes = _apart(style for style in trimmed if style.kind == "blockquote")
    fixed = solid + [quote for quote in quotes if all(_holds(quote, style) for style in solid)]
    return sorted(_trimmed(text, _untangled(chain(fixed, _fitted(loose, fixed)))), key=_order)


def _order(style: Style) -> tuple[int, int, int]:
    """Put what contains before what it contains; of two with the same characters the one that may not be cut."""
    return style.start, -style.end, _OUTER.index(style.kind) if style.kind in _OUTER else len(_OUTER)


def _trimmed(text: str, styles: Iterable[Style]) -> list[Style]:
    """Leave out the white space at both ends, as Telegram does, and what is nothing else."""
    kept = []
    for style in styles:
        start, end = style.start, style.end
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start < end:
            is_same = start == style.start and end == style.end
            kept.append(style if is_same else replace(style, start=start, end=end))
    return kept


def _apart(styles: Iterable[Style]) -> list[Style]:
    """Drop each that begins before the one before it ends; they are sorted."""
    kept: list[Style] = []
    for style in styles:
        if not kept or kept[-1].end <= style.start:
            kept.append(style)
    return kept


def _holds(outer: Style, inner: Style) -> bool:
    """Tell whether one contains the other or has no character in common with it."""
    is_apart = inner.end <= outer.start or outer.end <= inner.start
    return is_apart or (outer.start <= inner.start and inner.end <= outer.end)


def _without(style: Style, matches: Sequence[Style]) -> Iterator[Style]:
    """Cut code at the words that matched, which are bold instead; a block that is cut goes on as code in the line."""
    holes = [(match.start, match.end) for match in matches] if style.kind in _MONOSPACED else []
    rest = list(_minus((style.start, style.end), holes))
    if rest == [(style.start, style.end)]:
        yield style
        return
    for start, end in rest:
        yield Style(kind="code", start=start, end=end)


def _fitted(loose: Sequence[Style], fixed: Sequence[Style]) -> Iterator[Style]:
    """Merge styles of one kind, leave out code, and cut them where a link or a quotation would be crossed."""
    code = [(style.start, style.end) for style in fixed if style.kind in _MONOSPACED]
    for kind in _LOOSE:
        for whole in _merged([(style.start, style.end) for style in loose if style.kind == kind]):
            for start, end in _minus(whole, code):
                points = sorted({start, end, *_crossings(start, end, fixed)})
                yield from (Style(kind=kind, start=first, end=last) for first, last in pairwise(points))


def _merged(ranges: Sequence[_Range]) -> list[_Range]:
    """Join ranges that share characters; they are sorted."""
    found: list[_Range] = []
    for start, end in ranges:
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _minus(whole: _Range, holes: Iterable[_Range]) -> Iterator[_Range]:
    """Yield what is left of a range without the holes; these are sorted."""
    start, end = whole
    for first, last in holes:
        if first >= end:
            break
        if start < first:
            yield start, first
        start = max(start, last)
    if start < end:
        yield start, end


def _crossings(start: int, end: int, fixed: Iterable[Style]) -> Iterator[int]:
    for style in fixed:
        is_held = start <= style.start and style.end <= end
        is_holding = style.start <= start and end <= style.end
        if not is_held and not is_holding:
            yield from (point for point in (style.start, style.end) if start < point < end)


def _untangled(styles: Iterable[Style]) -> Iterator[Style]:
    """Yield outer styles before inner ones; one that would outlast what it lies in is cut there."""
    heap = [(style.start, -style.end, number, style) for number, style in enumerate(styles)]
    heapify(heap)
    ends: list[int] = []  # of the styles around the present one, the innermost last
    while heap:
        start, end, number, style = heappop(heap)
        end = -end
        while ends and ends[-1] <= start:
            ends.pop()
        if ends and ends[-1] < end:
            heappush(heap, (ends[-1], -end, number, style))
            end = ends[-1]
        ends.append(end)
        yield replace(style, start=start, end=end)
