"""Our own texts, built piece by piece, with entities in UTF-16 units; nothing is parsed as markup. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from string import Formatter
from typing import Self

from bot.models import Entity

LIMIT = 4096  # UTF-16 units that Telegram accepts in one message
_TURNING = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)  # marks of direction, and of no width
_UNSENDABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # control characters and halves of characters


def units(text: str) -> int:
    """Count the UTF-16 units of a text, as Telegram does; a broken surrogate counts as one."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def sendable(text: str) -> str:
    """Replace each character that Telegram would refuse or drop by a mark or a space; the length stays."""
    return _UNSENDABLE.sub(lambda found: " " if found[0] < "\x80" else "\ufffd", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text with one format."""

    text: str
    kind: str | None = None  # an Entity's kind; None is plain
    value: str | None = None  # the link of a text_url


def bold(text: str) -> Piece:
    """Make a bold piece."""
    return Piece(text=text, kind="bold")


def code(text: str) -> Piece:
    """Make a piece that is copied at a touch."""
    return Piece(text=text, kind="code")


def link(text: str, url: str | None) -> Piece:
    """Make a piece that opens `url`; without one it is plain."""
    return Piece(text=text, kind="text_url", value=url) if url else Piece(text=text)


class Text:
    """A text that grows piece by piece; each method returns the text itself."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._entities: list[Entity] = []
        self._units = 0

    def __len__(self) -> int:
        """Return the length in UTF-16 units."""
        return self._units

    @property
    def formats(self) -> int:
        """The number of entities so far."""
        return len(self._entities)

    def add(self, *pieces: str | Piece) -> Self:
        """Append pieces; a string is a plain one."""
        for piece in pieces:
            self._append(Piece(text=piece) if isinstance(piece, str) else piece)
        return self

    def say(self, template: str, /, **values: object) -> Self:
        """Append a translated sentence; its `{name}` fields take pieces, texts, or any value that has a `str`."""
        for literal, name, _, _ in Formatter().parse(template):
            self.add(literal)
            if name is None:
                continue
            value = values[name]
            if isinstance(value, Text):
                self.join(value)
            else:
                self.add(value if isinstance(value, Piece) else str(value))
        return self

    def line(self, template: str = "", /, **values: object) -> Self:
        """Append a sentence like `say`, and end the line."""
        return self.say(template, **values).add("\n")

    def marked(self, text: str, spans: Iterable[tuple[int, int]]) -> Self:
        """Append a text with `spans` of Python characters in bold; they are sorted and do not overlap."""
        end = 0
        for start, stop in spans:
            self.add(text[end:start], bold(text[start:stop]))
            end = stop
        return self.add(text[end:])

    def join(self, other: "Text") -> Self:
        """Append another text with its formatting."""
        return self.formatted(*other.build())

    def lines(self, other: "Text") -> Self:
        """Append another text like `join`, and end its last line; nothing of an empty one."""
        return self.join(other).add("\n") if len(other) else self

    def formatted(self, text: str, entities: Iterable[Entity]) -> Self:
        """Append a text with its own entities, counted from its beginning."""
        before = self._units
        self.add(text)
        self._entities.extend(
            replace(entity, offset=entity.offset + before) if before else entity for entity in entities
        )
        return self

    def cut(self, limit: int = LIMIT) -> Self:
        """Shorten to `limit` UTF-16 units at a word's end, with an ellipsis; a text that fits stays as it is."""
        if self._units <= limit:
            return self
        text, entities = self.build()
        if units(text) <= limit:
            return self
        room = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
        kept = room.decode("utf-16-le", "ignore")
        shorter = kept.rsplit(maxsplit=1)[0] if kept.rstrip() == kept and " " in kept else kept.rstrip()
        # A word as long as half the message is no reason to drop half the message.
        kept = shorter if units(shorter) * 2 >= limit else kept.rstrip()
        self._parts, self._units = [kept, "…"], units(kept) + 1
        self._entities = _clipped(entities, start=0, end=units(kept))
        return self

    def build(self) -> tuple[str, tuple[Entity, ...]]:
        """Return the text, trimmed as Telegram would trim it, and its entities in order."""
        text = "".join(self._parts)
        trimmed = text.strip()
        if len(trimmed) == len(text):
            return text, tuple(_clipped(self._entities, start=0, end=self._units))
        start = units(text) - units(text.lstrip())
        return trimmed, tuple(_clipped(self._entities, start=start, end=start + units(trimmed)))

    def _append(self, piece: Piece) -> None:
        text = sendable(piece.text)
        length = units(text)
        if piece.kind is not None and (words := text.strip()):
            offset = self._units + units(text[: text.index(words)])
            self._entities.append(Entity(kind=piece.kind, offset=offset, length=units(words), value=piece.value))
        self._parts.append(text)
        self._units += length


def _clipped(entities: Iterable[Entity], *, start: int, end: int) -> list[Entity]:
    """Return the parts of entities between two UTF-16 offsets, counted from the first; outer ones before inner ones."""
    kept = []
    for entity in entities:
        first, last = max(entity.offset, start), min(entity.offset + entity.length, end)
        if first < last:
            is_same = first - start == entity.offset and last - first == entity.length
            kept.append(entity if is_same else replace(entity, offset=first - start, length=last - first))
    return sorted(kept, key=lambda entity: (entity.offset, -entity.length))


def join_texts(texts: Iterable[Text], between: str) -> Text:
    """Join texts, without the empty ones."""
    whole = Text()
    for text in texts:
        whole.add(between if len(whole) and len(text) else "").join(text)
    return whole


def join_names(names: Sequence[str], most: int, *, total: int | None = None) -> str:
    """List the first `most` names, and how many more there are: «a, b +7»; `total` where not all are given."""
    shown = names[:most]
    more = (len(names) if total is None else total) - len(shown)
    return ", ".join(shown) + (f" +{more}" if more > 0 else "")


@lru_cache(maxsize=1024)  # each chat is told of the same channels and topics
def one_line(name: str, room: int) -> str:
    """Return a foreign name on one line of at most `room` UTF-16 units, without marks that turn the line around."""
    return Text().add(" ".join(_TURNING.sub("", name).split())).cut(room).build()[0]
