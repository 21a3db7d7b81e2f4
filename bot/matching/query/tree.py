"""A query as a tree of frozen nodes, and the canonical text that means the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from bot.matching.words.windows import Unit

# One of these before a word makes a phrase with it, as people mean it; unless it is exact.
PARTICLES = frozenset({"не", "без", "нет"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word, in any form or in this one."""

    text: str  # folded, but an exact word keeps its capitals
    exact: bool = False  # this form only


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins with these letters."""

    text: str  # folded


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in this order."""

    items: tuple[Word | Prefix, ...]
    gap: int = 0  # how many other words may stand between two neighbours


@dataclass(frozen=True, slots=True)
class Near:
    """Both sides in one paragraph, in any order, at most `distance` words apart."""

    left: "Node"
    right: "Node"
    distance: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag, and not the word."""

    name: str  # folded, without the sign


@dataclass(frozen=True, slots=True)
class Mention:
    """A mention of a user or channel, and not the word."""

    name: str  # folded, without the sign


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression on the original text."""

    source: str  # as typed between the slashes


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these; never directly inside another AnyOf."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of `items` in one paragraph and none of `without`; never directly inside another AllOf."""

    items: tuple["Node", ...]
    without: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Within:
    """A part that has to hold in one window of a unit, as if that were the whole post."""

    part: "Node"
    unit: Unit  # never PARAGRAPH, which is so everywhere else


Node: TypeAlias = Word | Prefix | Phrase | Near | Tag | Mention | Pattern | AnyOf | AllOf | Within


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; `str()` is its canonical text, which parses to the same query."""

    root: Node

    def __str__(self) -> str:
        return _rule(self.root)


def leaving_out(root: Node, without: Iterable[Node]) -> Node:
    """Return a node that holds where another one does and none of `without`."""
    items, before = (root.items, root.without) if isinstance(root, AllOf) else ((root,), ())
    return AllOf(items, tuple(dict.fromkeys((*before, *without))))


def format_node(node: Node) -> str:
    """Return a part of a query as the bot writes it; alternatives inside one are written with `|`."""
    if isinstance(node, Word):
        return _bare(node)
    return _either(node) if isinstance(node, AnyOf) else _alternative(node)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it; a phrase comes without its words."""
    yield node
    match node:
        case Near(left, right):
            yield from walk(left)
            yield from walk(right)
        case Within(part):
            yield from walk(part)
        case AnyOf(items):
            for item in items:
                yield from walk(item)
        case AllOf(items, without):
            for item in (*items, *without):
                yield from walk(item)


def _rule(node: Node) -> str:
    if isinstance(node, AnyOf):
        return ", ".join(_alternative(item) for item in node.items)
    return _alternative(node)


def _alternative(node: Node) -> str:
    if isinstance(node, AllOf):
        return " ".join([*map(_item, node.items), *("-" + _item(item) for item in node.without)])
    return _near(node)


def _item(node: Node) -> str:
    """Write what stands beside a space or before a distance: alternatives in brackets, which nobody can misread."""
    return _operand(node) if isinstance(node, AnyOf) else _near(node)


def _near(node: Node) -> str:
    if not isinstance(node, Near):
        return _either(node)
    # a particle before ~ cannot take the next word, so it needs no brackets there
    left = _bare(node.left) if isinstance(node.left, Word) else _item(node.left)
    return f"{left} ~{node.distance} {_operand(node.right)}"


def _either(node: Node) -> str:
    if isinstance(node, AnyOf):
        return "|".join(map(_operand, node.items))
    return _operand(node)


def _operand(node: Node) -> str:
    match node:
        case Word(text, exact):
            # a bare particle would take the next word into a phrase
            return f"({text})" if text in PARTICLES and not exact else _bare(node)
        case Prefix():
            return _bare(node)
        case Phrase(items, gap):
            return '"' + " ".join(map(_bare, items)) + '"' + (f"~{gap}" if gap else "")
        case Tag(name) | Mention(name):
            return f"#{name}" if isinstance(node, Tag) else f"@{name}"
        case Pattern() | Within():
            return f"re:/{node.source}/" if isinstance(node, Pattern) else f"{node.unit}:{_operand(node.part)}"
        case _:
            return f"({format_node(node)})"


def _bare(item: Word | Prefix) -> str:
    if isinstance(item, Prefix):
        return f"{item.text}*"
    return f"={item.text}" if item.exact else item.text
