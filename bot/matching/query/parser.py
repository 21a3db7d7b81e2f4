"""The query language: typed text becomes a frozen tree, or a QueryError that says what to mend."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from bot.matching.query.lexer import LONGEST_PHRASE, Lexeme, lex
from bot.matching.query.refusals import AmbiguousQueryError, QueryError
from bot.matching.query.tree import (
    PARTICLES,
    AllOf,
    AnyOf,
    Mention,
    Near,
    Node,
    Phrase,
    Prefix,
    Query,
    Tag,
    Within,
    Word,
    format_node,
    walk,
)

LONGEST_QUERY = 40_000
MOST_PARTS = 5_000
DEEPEST = 20
_ENDS = frozenset({"comma", "line", "close", "end"})  # what ends an alternative


class _Alternative(NamedTuple):
    """What stands between two `|`."""

    start: int  # of its lexemes
    end: int
    particle: Lexeme | None  # a «не» before it, or before the first of the alternatives
    node: Node | None


class _Operand(NamedTuple):
    """One side of a distance, as typed."""

    alternatives: list[_Alternative]
    gap: Lexeme | None  # a `|` with spaces around, which looks as if it bound less than the distance


@lru_cache(maxsize=64)  # those of the built-in topics take 0.2 s, and are parsed again and again
def parse(source: str) -> Query:
    """Read a query; raises QueryError. `parse(str(query)) == query` for every query it returns."""
    if len(source) > LONGEST_QUERY:
        raise QueryError("too_long", length=len(source), limit=LONGEST_QUERY)
    lexemes = lex(source)
    if sum(lexeme.kind == "part" for lexeme in lexemes) > MOST_PARTS:
        raise QueryError("too_many_parts", limit=MOST_PARTS)
    query = Query(_Parser(source, lexemes).whole())
    # the canonical text is stored and parsed again, and may be longer
    if len(str(query)) > LONGEST_QUERY:
        raise QueryError("too_long", length=len(str(query)), limit=LONGEST_QUERY)
    return query


class _Parser:
    """Recursive descent; each method reads one level of the grammar and leaves `_at` behind it.

    rule = alternative {"," alternative}      alternative = item {["И"] item}      item = ["-"] near
    near = either {"~n" either}      either = part {"|" part}
    part = ["head:"] (word, phrase, … or "(" rule ")")
    """

    def __init__(self, source: str, lexemes: list[Lexeme]) -> None:
        self._source = source
        self._lexemes = [*lexemes, Lexeme(kind="end", position=len(source) + 1, text="")]
        self._at = 0
        self._depth = 0
        self._operand_read = _Operand([], gap=None)  # what `_either` read last

    def whole(self) -> Node:
        node = self._rule()
        left = self._peek()
        if left.kind == "close":
            raise QueryError("unopened_bracket", left.position)
        if node is None:
            raise QueryError("empty")
        return node

    def _peek(self) -> Lexeme:
        return self._lexemes[self._at]

    def _take(self, *kinds: str) -> Lexeme | None:
        lexeme = self._lexemes[self._at]
        if lexeme.kind not in kinds:
            return None
        self._at += 1
        return lexeme

    def _rule(self) -> Node | None:
        alternatives: list[Node] = []
        while True:
            while self._take("comma", "line"):
                pass
            node = self._alternative()
            if node is None:
                return _any_of(alternatives) if alternatives else None
            alternatives.append(node)

    def _alternative(self) -> Node | None:
        start = self._peek()
        items: list[Node] = []
        without: list[Node] = []
        while self._peek().kind not in _ENDS:
            node, is_excluded = self._operand(is_first=not (items or without))
            if node is None:
                break
            (without if is_excluded else items).append(node)
        if without and not items:
            raise QueryError("only_exclusions", start.position)
        return _all_of(items, without) if items else None

    def _operand(self, *, is_first: bool) -> tuple[Node | None, bool]:
        """Read what follows an «and» or a «not», and whether it is excluded; a sign alone is refused."""
        conjunction, exclusion = self._take("and"), self._take("not")
        node = self._near()
        dangling = (exclusion or conjunction) if node is None else conjunction if is_first else None
        if dangling:
            raise QueryError("missing_operand", dangling.position, sign=dangling.text)
        return node, exclusion is not None

    def _near(self) -> Node | None:
        start = self._at
        node = self._either()
        sides, distances = [self._operand_read], list[str]()
        while operator := self._take("near"):
            distances.append(f" ~{operator.distance} ")
            if len(distances) > DEEPEST:
                raise QueryError("too_deep", operator.position)
            following = self._peek()
            before = self._lexemes[max(0, self._at - 2)]
            ends = following.kind in _ENDS | {"or", "and"}
            if ends and isinstance(before.node, Phrase) and not before.text[0].isalnum():  # "…" ~3 with a space
                raise QueryError("loose_gap", operator.position, distance=operator.distance)
            right = self._operand_after(operator, self._either, node)
            if node is None or not (_placed(node) and _placed(right)):
                raise QueryError("near_parts", operator.position, distance=operator.distance)
            node = Near(node, right, operator.distance)
            sides.append(self._operand_read)
        loose = next((side.gap for side in sides if side.gap), None)
        if distances and loose:
            read = [([self._typed(each) for each in alternatives], gap is not None) for alternatives, gap in sides]
            near, either = _readings(read, distances)
            span = self._lexemes[start].position - 1, self._lexemes[self._at - 1].end
            raise AmbiguousQueryError(loose.position, span, near=near, either=either)
        return node

    def _either(self) -> Node | None:
        start, gap = self._at, None
        particle = self._particle()
        node = self._after(particle, self._part())
        parts = [] if node is None else [node]
        alternatives = [_Alternative(start, self._at, particle, node)]
        while operator := self._take("or"):
            gap = gap or (operator if self._is_loose() else None)
            start = self._at
            particle = self._particle() or particle
            right = self._operand_after(operator, self._part, node)
            parts.append(self._after(particle, right) or right)
            alternatives.append(_Alternative(start, self._at, particle, parts[-1]))
        self._operand_read = _Operand(alternatives, gap)
        return _any_of(parts) if parts else None

    def _is_loose(self) -> bool:
        """Tell whether an «or» that was just taken has spaces on both sides."""
        around = self._lexemes[max(0, self._at - 2) : self._at + 1]
        return all(left.end < right.position - 1 for left, right in pairwise(around))

    def _typed(self, alternative: _Alternative) -> str:
        """Return an alternative as typed; with a particle as it is meant."""
        start, end, particle, node = alternative
        if node is None or particle is not None:
            return "" if node is None else format_node(node)
        return self._source[self._lexemes[start].position - 1 : self._lexemes[end - 1].end]

    def _operand_after(self, operator: Lexeme, read: Callable[[], Node | None], left: Node | None) -> Node:
        following = self._peek()
        if following.kind == "not":
            sign = operator.text.strip()
            raise QueryError("misplaced_exclusion", following.position, sign=following.text, operator=sign)
        right = read()
        if left is None or right is None:
            raise QueryError("missing_operand", operator.position, sign=operator.text)
        return right

    def _particle(self) -> Lexeme | None:
        """Take a «не» right before a word, a phrase, or a bracket."""
        lexeme = self._peek()
        if not _is_particle(lexeme.node):
            return None
        following = self._lexemes[self._at + 1]
        if following.kind != "open" and not isinstance(following.node, Word | Prefix | Phrase):
            return None
        self._at += 1
        return lexeme

    def _after(self, particle: Lexeme | None, node: Node | None) -> Node | None:
        """Return the phrases of a particle with each word or phrase after it; a phrase that has one stays."""
        if particle is None or node is None:
            return node
        if isinstance(node, AnyOf):
            return _any_of([found for item in node.items if (found := self._after(particle, item))])
        if not isinstance(node, Word | Prefix | Phrase) or not isinstance(particle.node, Word):
            raise QueryError("particle", particle.position, sign=particle.text)
        phrase = node if isinstance(node, Phrase) else Phrase((node,))
        if len(phrase.items) > 1 and _is_particle(phrase.items[0]):
            return node
        if len(phrase.items) >= LONGEST_PHRASE:
            raise QueryError("long_phrase", particle.position, limit=LONGEST_PHRASE)
        return Phrase((particle.node, *phrase.items), phrase.gap)

    def _part(self) -> Node | None:
        lexeme = self._peek()
        if lexeme.kind == "part":
            self._at += 1
            return lexeme.node
        return self._deeper_part(lexeme) if lexeme.kind in {"unit", "open"} else None

    def _deeper_part(self, opening: Lexeme) -> Node:
        self._at += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise QueryError("too_deep", opening.position)
        node = self._part() if opening.unit else self._rule()
        if opening.unit:
            if node is None:
                raise QueryError("lone_sign", opening.position, sign=opening.text.strip())
            node = Within(node, opening.unit)
        elif not self._take("close"):
            raise QueryError("unclosed_bracket", opening.position)
        elif node is None:
            raise QueryError("empty_bracket", opening.position)
        self._depth -= 1
        return node


def _readings(sides: Sequence[tuple[list[str], bool]], distances: Sequence[str]) -> tuple[str, str]:
    """Write alternatives at distances with brackets: around the alternatives, and around what is near one another.

    With the alternatives of a side comes whether they are loose.
    """
    near = ""
    chains: list[list[str]] = [[]]
    for (alternatives, is_loose), distance in zip(sides, (*distances, ""), strict=True):
        whole = "|".join(alternatives)
        near += (f"({whole})" if len(alternatives) > 1 else whole) + distance
        first, *others = alternatives if is_loose else [whole]
        chains[-1].append(first)
        chains += ([other] for other in others)
        chains[-1].append(distance)
    either = "|".join(f"({''.join(chain)})" if len(chain) > 2 else "".join(chain) for chain in chains)  # noqa: PLR2004
    return near, either


def _is_particle(node: Node | None) -> bool:
    return isinstance(node, Word) and not node.exact and node.text in PARTICLES


def _any_of(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    items: list[Node] = []
    for node in nodes:
        items += node.items if isinstance(node, AnyOf) else (node,)
    items = list(dict.fromkeys(items))
    return items[0] if len(items) == 1 else AnyOf(tuple(items))


def _all_of(nodes: list[Node], excluded: list[Node]) -> Node:
    items: list[Node] = []
    without: list[Node] = []
    for node in nodes:
        if isinstance(node, AllOf):
            items += node.items
            without += node.without
        else:
            items.append(node)
    without += excluded
    return items[0] if len(items) == 1 and not without else AllOf(tuple(items), tuple(without))


def _placed(node: Node) -> bool:
    """Tell whether all of a node stands at words, so that distances to it can be counted."""
    return all(isinstance(part, Word | Prefix | Phrase | Tag | Mention | Near | AnyOf) for part in walk(node))
