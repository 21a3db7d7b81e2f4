"""Hints for the author of a query: what else its words mean, and what they miss."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.matching import read_table
from bot.matching.query.tree import AllOf, AnyOf, Near, Node, Query, Within, Word, walk
from bot.matching.words.aspects import partner
from bot.matching.words.folding import fold
from bot.matching.words.inflection import Inflector


class HintKind(StrEnum):
    """Kinds of hints, the most useful first."""

    OPERATOR = "operator"  # a small «или» or «and» is a word here: `also` is the sign to write instead
    UNINFLECTED = "uninflected"  # its dictionary is not installed; `also` is empty
    EXACT = "exact"  # the name is an ordinary word too: `also` is what to write instead
    ASPECT = "aspect"  # a verb of one aspect; `also` is the other one
    ACTION = "action"  # a verb or a noun of action; `also` is the other of the two
    ALPHABETS = "alphabets"  # a name that is written in two alphabets; `also` are the other spellings
    READINGS = "readings"  # a form of several words, all of which are found; `also` is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A hint about one word."""

    word: str  # as the query has it
    kind: HintKind
    finds: tuple[str, ...]  # base forms of the words that are found
    also: tuple[str, ...]  # to write besides or instead, ready to be typed


MOST_HINTS = 8
_MOST_WORDS = 40  # of a query that get hints
_TABLE = read_table(__package__, "hints")
_NAMES: dict[str, str] = _TABLE["names"]
_SPELLINGS = [line.split() for line in _TABLE["spellings"].splitlines()]
_OPERATORS: dict[str, str] = _TABLE["operators"]
_ACTIONS: dict[str, str] = _TABLE["actions"]
_THINGS = frozenset(_TABLE["things"].split())
_LATIN = re.compile("[a-z]+")
_TO_CYRILLIC = str.maketrans("abcehkmoptxy", "авсенкмортху")


def hints(query: Query, inflector: Inflector) -> tuple[Hint, ...]:
    """Return the hints for the words of a query, the most useful first."""
    words = list(dict.fromkeys(_words(query.root)))[:_MOST_WORDS]
    known = {base for word in words for base in inflector.bases(word)}
    found: list[Hint] = []
    for word in words:
        bases = inflector.bases(word)
        for kind, suggested in _suggested(word, bases, inflector):
            also = tuple(each for each in dict.fromkeys(suggested) if each not in known and each != word)
            if also or kind in {HintKind.READINGS, HintKind.UNINFLECTED}:
                known.update(also)
                found.append(Hint(word=word, kind=kind, finds=bases, also=also))
    found += _operator_hints(query)
    order = list(HintKind)
    return tuple(sorted(found, key=lambda hint: order.index(hint.kind))[:MOST_HINTS])


def _operator_hints(query: Query) -> Iterator[Hint]:
    """Yield a hint for each small «или» or «and» between words."""
    groups = (node.items for node in walk(query.root) if isinstance(node, AllOf))
    plain = dict.fromkeys(item.text for items in groups for item in items if isinstance(item, Word) and not item.exact)
    for word in filter(_OPERATORS.__contains__, plain):
        yield Hint(word=word, kind=HintKind.OPERATOR, finds=(word,), also=(_OPERATORS[word],))


def _words(node: Node) -> Iterator[str]:
    """Yield the words that count in any form: not exact, outside phrases, not excluded."""
    match node:
        case Word(text, exact=False):
            yield text
        case Near(left, right):
            yield from _words(left)
            yield from _words(right)
        case Within(part):
            yield from _words(part)
        case AnyOf(items) | AllOf(items):
            for item in items:
                yield from _words(item)


def _suggested(word: str, bases: tuple[str, ...], inflector: Inflector) -> Iterator[tuple[HintKind, list[str]]]:
    if word in _NAMES:
        yield HintKind.EXACT, [_NAMES[word]]
        return
    if inflector.lacks_forms(word):
        yield HintKind.UNINFLECTED, []
        return
    if len(bases) > 1:
        yield HintKind.READINGS, []
    verb = bases[0]
    if any(each.tag.POS in {"INFN", "VERB"} and each.normal_form == verb for each in inflector.known(verb)):
        other = partner(verb, inflector.known)
        yield HintKind.ASPECT, [other] if other else []
        yield HintKind.ACTION, _actions([verb, other] if other else [verb], inflector)
    else:
        yield HintKind.ACTION, _verbs(verb, inflector)
    yield HintKind.ALPHABETS, _spellings(word, bases[0], inflector)


def _actions(verbs: list[str], inflector: Inflector) -> list[str]:
    """Return the noun of a verb or its partner: «отключение» is made of «отключен» as the dictionary has it."""
    for verb in verbs:
        if verb in _ACTIONS:
            return [_ACTIONS[verb]]
    stems = (
        form.word
        for verb in verbs
        for each in inflector.known(verb)
        if each.normal_form == verb
        for form in each.lexeme
        if {"PRTS", "masc", "past"} in form.tag
    )
    return [noun for noun in (fold(stem).lower + "ие" for stem in stems) if _is_noun(noun, inflector)][:1]


def _verbs(noun: str, inflector: Inflector) -> list[str]:
    """Return the verb of a noun of action, and its partner."""
    made = {action: verb for verb, action in _ACTIONS.items()}
    if noun in made:
        verbs = [made[noun]]
    elif noun.endswith("ние") and noun not in _THINGS and _is_noun(noun, inflector):
        verbs = [each.normal_form for each in inflector.known(noun[:-2]) if each.tag.POS == "PRTS"][:1]
    else:
        return []
    return [each for verb in verbs for each in (verb, partner(verb, inflector.known)) if each]


def _is_noun(word: str, inflector: Inflector) -> bool:
    return any(each.tag.POS == "NOUN" and each.normal_form == word for each in inflector.known(word))


def _spellings(word: str, base: str, inflector: Inflector) -> list[str]:
    """Return the other spellings of a name: in the other alphabet, or in its letters that look the same."""
    twin = word.translate(_TO_CYRILLIC)
    if _LATIN.fullmatch(word) and any("Abbr" in each.tag for each in inflector.known(twin)):
        return [twin]
    return next((line for line in _SPELLINGS if base in line), [])
