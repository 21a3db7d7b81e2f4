"""Query trees as plans: the steps that evaluate them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from bot.matching.engine.plan import (
    AndStep,
    AnyStep,
    NearStep,
    OrStep,
    Placed,
    RegexStep,
    SequenceStep,
    Step,
    Term,
    TermStep,
    UnitStep,
)
from bot.matching.engine.prefilter import is_plain, watched
from bot.matching.engine.regex import program
from bot.matching.query.tree import AllOf, AnyOf, Mention, Near, Node, Pattern, Phrase, Prefix, Tag, Within, Word
from bot.matching.words.tokens import SITE_ENDS, mention_token, site_token, tag_token

MakeTerm: TypeAlias = Callable[[frozenset[str], frozenset[str], str], Term]


def form_key(word: Word, *, in_phrase: bool) -> str:
    """Return the key of a word's forms; in a phrase it has a quote before it, since more readings count there."""
    return '"' + word.text if in_phrase else word.text


class Planner:
    """Turns trees into steps; raises KeyError for a word without forms."""

    def __init__(self, forms: Mapping[str, Iterable[str]], make_term: MakeTerm | None = None) -> None:
        self._forms = forms  # by `form_key`
        self._make_term = make_term or Term
        self._inflected: dict[str, TermStep] = {}  # by `form_key`: topics repeat their words

    def build(self, node: Node) -> Step:
        """Return the steps of a tree."""
        match node:
            case Pattern(source):
                return RegexStep(program(source))
            case AllOf(items, without):
                return AndStep(tuple(map(self.build, items)), tuple(map(self.build, without)))
            case Within(part, unit):
                return UnitStep(self.build(part), unit)
            case AnyOf(items):
                steps = [self.build(item) for item in items]
                placed = [step for step in steps if isinstance(step, TermStep | SequenceStep | NearStep | AnyStep)]
                return self._choice(placed) if len(placed) == len(steps) else OrStep(tuple(steps))
            case _:
                return self._placed(node)

    def _placed(self, node: Node) -> Placed:
        match node:
            case Phrase(items, gap):
                terms = tuple(self._term_step(item, in_phrase=True) for item in items)
                rows = [terms, *self._with_sites(items, terms)]
                return self._choice([row[0] if len(row) == 1 else SequenceStep(row, gap) for row in rows])
            case Near(left, right, distance):
                return NearStep(self._placed(left), self._placed(right), distance)
            case AnyOf(items):
                return self._choice([self._placed(item) for item in items])
            case Word() | Prefix() | Tag() | Mention():
                return self._term_step(node, in_phrase=False)
            case _:
                raise TypeError(f"{node} stands at no word")  # the parser refuses such queries

    def _with_sites(
        self, items: Sequence[Word | Prefix], terms: tuple[TermStep, ...]
    ) -> Iterator[tuple[TermStep, ...]]:
        """Yield a phrase with two or three of its words read as the site they make: rbc.ru, my-bank.ru."""
        for end in range(2, len(items) + 1):
            if items[end - 1].text in SITE_ENDS:
                for start in range(max(0, end - 3), end - 1):
                    site = site_token(".".join(item.text.lower() for item in items[start:end]))
                    yield (*terms[:start], self._term({site}), *terms[end:])

    def _term_step(self, node: Word | Prefix | Tag | Mention, *, in_phrase: bool) -> TermStep:
        match node:
            case Word(text, exact=True):
                lower = text.lower()
                return self._term({lower}, capitals="" if lower == text else text)
            case Word():
                key = form_key(node, in_phrase=in_phrase)
                if key not in self._inflected:
                    self._inflected[key] = self._term(self._forms[key])
                return self._inflected[key]
            case Prefix(text):
                return self._term((), {text})
            case Tag(name):
                return self._term({tag_token(name)})
            case Mention(name):
                return self._term({mention_token(name)})

    def _choice(self, placed: list[Placed]) -> Placed:
        """Join alternatives; plain words become one term, which costs no more than one word."""
        plain = [step.term for step in placed if is_plain(step)]
        items = [step for step in placed if not is_plain(step)]
        if plain:
            forms = chain.from_iterable(term.forms for term in plain)
            items.append(self._term(forms, chain.from_iterable(term.prefixes for term in plain)))
        return items[0] if len(items) == 1 else AnyStep(tuple(items), _by_term(items))

    def _term(self, forms: Iterable[str], prefixes: Iterable[str] = (), capitals: str = "") -> TermStep:
        return TermStep(self._make_term(frozenset(forms), frozenset(prefixes), capitals))


def _by_term(items: Iterable[Placed]) -> dict[Term, tuple[Placed, ...]]:
    """File steps under terms of which one occurs wherever they stand."""
    steps: dict[Term, tuple[Placed, ...]] = {}
    for item in items:
        for step in watched(item):
            if isinstance(step, TermStep):  # no placed step holds an expression
                steps[step.term] = (*steps.get(step.term, ()), item)
    return steps
