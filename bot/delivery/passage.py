"""A foreign text and its entities in UTF-16 units come in, parts of it with valid ones go out. Pure."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from bot.delivery.nesting import Style, nested
from bot.models import Entity

MOST_ENTITIES = 100  # in one message; Telegram drops the rest
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")  # characters of two units


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and its styles."""

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
    def joined(cls, parts: Iterable["Passage"]) -> Self:
        """Put passages one after the other."""
        texts: list[str] = []
        styles: list[Style] = []
        before = 0
        for part in parts:
            styles += (replace(style, start=style.start + before, end=style.end + before) for style in part.styles)
            texts.append(part.text)
            before += len(part.text)
        return cls("".join(texts), tuple(styles))

    def cut(self, start: int, end: int) -> "Passage":
        """Take the characters from `start` to `end`, with what is left of the styles there."""
        clipped = (
            replace(style, start=max(style.start, start) - start, end=min(style.end, end) - start)
            for style in self.styles
            if style.start < end and start < style.end
        )
        return Passage(self.text[start:end], tuple(style for style in clipped if style.start < style.end))

    def strip(self) -> "Passage":
        """Leave out the white space around the text."""
        start = len(self.text) - len(self.text.lstrip())
        return self.cut(start, max(start, len(self.text.rstrip())))

    def entities(self, most: int = MOST_ENTITIES) -> list[Entity]:
        """Write the styles as entities in UTF-16 units, in order; of too many, what matched comes before the rest."""
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
        while len(found := nested(self.text, matches + own)) > most and own:
            del own[len(own) // 2 :]
        return found[:most]


class _Ruler:
    """Translates between characters and UTF-16 units of a text."""

    def __init__(self, text: str) -> None:
        self._wide = [] if text.isascii() else [found.start() for found in _ASTRAL.finditer(text)]
        self._wide_units = [index + number for number, index in enumerate(self._wide)]

    def units(self, index: int) -> int:
        """Count the units before a character."""
        return index + bisect_left(self._wide, index)

    def index(self, unit: int, *, after: bool = False) -> int:
        """Count the characters before a unit; one that it lies inside of counts where `after` is asked for."""
        wide = bisect_left(self._wide_units, unit)
        if wide and self._wide_units[wide - 1] == unit - 1:
            return self._wide[wide - 1] + after
        return unit - wide
