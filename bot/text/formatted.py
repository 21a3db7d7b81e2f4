"""Texts of others with their formatting, cut and put together so that Telegram takes it as it is. Pure.

Telegram counts entities in UTF-16 units, and drops or moves what crosses something else; here they are styles, counted
in Python characters, until they are written.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from typing import Self

from bot.models import Entity
from bot.text.spans import merge_spans, subtract_spans

MOST_ENTITIES = 100  # in one message; Telegram drops the rest
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")  # characters of two units
_MONOSPACED = frozenset({"code", "pre"})
_LOOSE = ("bold", "italic", "underline", "strike", "spoiler")  # these may be cut in two
_OUTER = ("blockquote", "text_url", "pre", "code", *_LOOSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a stretch of a text looks, counted in Python characters."""

    kind: str  # of an Entity
    start: int
    end: int
    value: str | None = None
    is_match: bool = False  # ours: the words that matched, which stay bold in `code` too


@dataclass(frozen=True, slots=True)
class FormattedText:
    """A text and its styles, in any order; they may overlap."""

    text: str
    styles: tuple[Style, ...] = ()

    @classmethod
    def read(cls, text: str, entities: Iterable[Entity], *, kinds: frozenset[str]) -> Self:
        """Read entities of these kinds; one that begins or ends inside a character takes all of it."""
        ruler = _Ruler(text)
        styles = (
            Style(
                kind=entity.kind,
                start=max(0, ruler.index(entity.offset)),
                end=min(len(text), ruler.index(entity.offset + entity.length, after=True)),
                value=entity.value,
            )
            for entity in entities
            if entity.kind in kinds and (entity.value or entity.kind != "text_url")
        )
        return cls(text, tuple(style for style in styles if style.start < style.end))

    @classmethod
    def joined(cls, parts: Iterable["FormattedText"]) -> Self:
        """Put texts one after the other."""
        texts: list[str] = []
        styles: list[Style] = []
        before = 0
        for part in parts:
            styles += (replace(style, start=style.start + before, end=style.end + before) for style in part.styles)
            texts.append(part.text)
            before += len(part.text)
        return cls("".join(texts), tuple(styles))

    def cut(self, start: int, end: int) -> "FormattedText":
        """Return the characters from `start` to `end`, with the rest of the styles there."""
        clipped = (
            replace(style, start=max(style.start, start) - start, end=min(style.end, end) - start)
            for style in self.styles
            if style.start < end and start < style.end
        )
        return FormattedText(self.text[start:end], tuple(style for style in clipped if style.start < style.end))

    def strip(self) -> "FormattedText":
        """Return the text without the white space around it."""
        start = len(self.text) - len(self.text.lstrip())
        return self.cut(start, max(start, len(self.text.rstrip())))

    def entities(self, most: int = MOST_ENTITIES) -> list[Entity]:
        """Write the styles as entities in UTF-16 units, in order; of too many, matches come before the rest."""
        ruler = _Ruler(self.text)
        return [
            Entity(
                kind=style.kind,
                offset=ruler.units(style.start),
                length=ruler.units(style.end) - ruler.units(style.start),
                value=style.value,
            )
            for style in self._shown(most)
        ]

    def _shown(self, most: int) -> list[Style]:
        matches = [style for style in self.styles if style.is_match][:most]
        own = [style for style in self.styles if not style.is_match][: 2 * most]
        while len(found := nest_styles(self.text, matches + own)) > most and own:
            del own[len(own) // 2 :]
        return found[:most]


def nest_styles(text: str, styles: Iterable[Style]) -> list[Style]:
    """Cut, merge or drop styles of a text so that Telegram takes them as they are; none begins or ends in a space."""
    trimmed = sorted(_trimmed(text, styles), key=_order)
    if all(one.end <= other.start for one, other in pairwise(trimmed)):
        return trimmed
    fixed = _fixed(trimmed)
    loose = _fitted([style for style in trimmed if style.kind in _LOOSE], fixed)
    return sorted(_trimmed(text, _untangled(chain(fixed, loose))), key=_order)


def _order(style: Style) -> tuple[int, int, int]:
    """Put an outer style before an inner one; of two with the same characters the one that may not be cut."""
    return style.start, -style.end, _OUTER.index(style.kind) if style.kind in _OUTER else len(_OUTER)


def _trimmed(text: str, styles: Iterable[Style]) -> list[Style]:
    """Leave out the white space at both ends of styles, as Telegram does, and styles of nothing else."""
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


def _fixed(styles: Sequence[Style]) -> list[Style]:
    """Choose the links, code and quotations that do not cross; code leaves the words that matched out."""
    matches = [(style.start, style.end) for style in styles if style.is_match]
    solid = _apart(style for style in styles if style.kind not in (*_LOOSE, "blockquote"))
    solid = [piece for style in solid for piece in _without(style, matches)]
    quotes = _apart(style for style in styles if style.kind == "blockquote")
    return solid + [quote for quote in quotes if all(_can_hold(quote, style) for style in solid)]


def _apart(styles: Iterable[Style]) -> list[Style]:
    """Drop each of the sorted styles that begins before the one before it ends."""
    kept: list[Style] = []
    for style in styles:
        if not kept or kept[-1].end <= style.start:
            kept.append(style)
    return kept


def _without(style: Style, matches: Sequence[tuple[int, int]]) -> Iterator[Style]:
    """Cut code at the words that matched, which are bold instead; a block that is cut goes on as code in the line."""
    rest = list(subtract_spans((style.start, style.end), matches if style.kind in _MONOSPACED else ()))
    if rest == [(style.start, style.end)]:
        yield style
        return
    for start, end in rest:
        yield Style(kind="code", start=start, end=end)


def _can_hold(outer: Style, inner: Style) -> bool:
    """Return whether the one style contains the other, or shares no character with it."""
    is_apart = inner.end <= outer.start or outer.end <= inner.start
    return is_apart or (outer.start <= inner.start and inner.end <= outer.end)


def _fitted(loose: Sequence[Style], fixed: Sequence[Style]) -> Iterator[Style]:
    """Merge styles of one kind, leave out code, and cut them where a link or a quotation would be crossed."""
    code = [(style.start, style.end) for style in fixed if style.kind in _MONOSPACED]
    for kind in _LOOSE:
        for whole in merge_spans((style.start, style.end) for style in loose if style.kind == kind):
            for start, end in subtract_spans(whole, code):
                points = sorted({start, end, *_crossings(start, end, fixed)})
                yield from (Style(kind=kind, start=first, end=last) for first, last in pairwise(points))


def _crossings(start: int, end: int, fixed: Iterable[Style]) -> Iterator[int]:
    """Yield the ends of fixed styles that cross the characters from `start` to `end`, so far as they lie inside."""
    for style in fixed:
        if style.start < start < style.end < end:
            yield style.end
        elif start < style.start < end < style.end:
            yield style.start


def _untangled(styles: Iterable[Style]) -> Iterator[Style]:
    """Yield outer styles before inner ones; one that would outlast the style around it is cut there."""
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


class _Ruler:
    """Translates between characters and UTF-16 units of a text."""

    def __init__(self, text: str) -> None:
        self._wide = [] if text.isascii() else [found.start() for found in _ASTRAL.finditer(text)]
        self._wide_units = [index + number for number, index in enumerate(self._wide)]

    def units(self, index: int) -> int:
        """Count the units before a character."""
        return index + bisect_left(self._wide, index)

    def index(self, unit: int, *, after: bool = False) -> int:
        """Count the characters before a unit; a character that the unit lies inside of counts with `after`."""
        wide = bisect_left(self._wide_units, unit)
        if wide and self._wide_units[wide - 1] == unit - 1:
            return self._wide[wide - 1] + after
        return unit - wide
