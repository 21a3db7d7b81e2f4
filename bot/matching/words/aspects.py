"""Pairs of verbs that differ in aspect alone («отключить» – «отключать»).

The dictionaries know the aspect of a verb but not its partner. So partners are formed by the rules of Russian and
Ukrainian word formation, and count only where the dictionary knows them with the other aspect and the same
transitivity; a table has the irregular ones. In doubt there is no partner: this feeds a hint, not the search.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from pymorphy3.analyzer import Parse

from bot.matching import read_table

Lookup: TypeAlias = Callable[[str], list[Parse]]  # a word → its readings in the dictionary, none for an unknown word


def _pairs(table: str) -> list[tuple[str, str]]:
    return [(one, other) for one, other in (pair.split() for pair in table.split(","))]


_TABLE = read_table(__package__, "aspects")
_PAIRS = _pairs(_TABLE["verbs"])
_BY_VERB = dict(_PAIRS) | {imperfective: perfective for perfective, imperfective in _PAIRS}
_ENDS = _pairs(_TABLE["ends"])
_ALONE = frozenset(_TABLE["alone"].split())
_INFINITIVES = {"ь": ("ить", "ать", "еть", "нуть", "ть"), "и": ("ити", "ати", "нути")}
_SOFTENED = _pairs(_TABLE["softened"])
_LAST_A = re.compile("а(?=[^аеиоуыэюяіїє]*$)")
_LAST_O = re.compile("о(?=[^аеиоуыэюяіїє]*$)")
_HUSHED = re.compile("(?:жд|[жшчщ])$")
_BEFORE_I = re.compile("[гкхжшчщ]$")
_PREFIXES: list[str] = _TABLE["prefixes"].split()
_FOREIGN = "ировать"


def partner(verb: str, lookup: Lookup) -> str | None:
    """Return the partner of a known infinitive, reflexive for a reflexive one; None without one."""
    if verb in _BY_VERB:
        return _BY_VERB[verb]
    plain = re.sub("с[ья]$", "", verb)
    found = _partner(plain, lookup)
    if found is None or plain == verb or found.endswith("ся"):
        return found
    return found + "ся" if _aspects(found + "ся", lookup) else None


def _partner(verb: str, lookup: Lookup) -> str | None:
    if verb in _BY_VERB:
        return _BY_VERB[verb]
    if verb in _ALONE:
        return None
    aspects = _aspects(verb, lookup)
    if "impf" in aspects:
        return _perfective(verb, lookup) or _prefixed(verb, lookup)
    return _imperfective(verb, lookup) or _unprefixed(verb, lookup) if aspects else None


def _perfective(verb: str, lookup: Lookup) -> str | None:
    """Return the perfective from which the rules lead to an imperfective."""
    found = (c for c in _perfectives(verb) if c not in _ALONE and c not in _BY_VERB and _paired(c, verb, lookup))
    return next((c for c in found if _imperfective(c, lookup) == verb), None)


def _unprefixed(verb: str, lookup: Lookup) -> str | None:
    bases = (verb.removeprefix(prefix) for prefix in _PREFIXES if verb.startswith(prefix))
    return next((base for base in bases if _prefixed(base, lookup) == verb), None)


def _imperfective(verb: str, lookup: Lookup) -> str | None:
    # «посчитать» is «считать» done for a while, and «посчитывать» is hardly ever said
    rules = _by_ends(verb) if "impf" in _aspects(verb.removeprefix("по"), lookup) else _imperfectives(verb)
    return next((c for c in rules if c != verb and _paired(verb, c, lookup)), None)


def _prefixed(verb: str, lookup: Lookup) -> str | None:
    if not verb.endswith(_FOREIGN):
        return None
    found = (prefix + verb for prefix in _PREFIXES)
    # one with an imperfective of its own is another verb: «расформировать» has «расформировывать»
    return next((c for c in found if _aspects(c, lookup) == {"perf"} and not _imperfective(c, lookup)), None)


def _imperfectives(verb: str) -> Iterator[str]:
    """Yield possible imperfectives of a perfective, the likeliest first."""
    yield from _by_ends(verb)
    stem, end = verb[:-4], verb[-4:]
    if end in {"нуть", "нути"}:
        yield from (stem + "ать", stem + "ивать", _LAST_O.sub("а", stem) + "ивать", stem + "ывать", stem + "ати")
    stem, end = verb[:-3], verb[-3:]
    if end in {"ить", "еть"}:
        yield verb[:-2] + "вать"
        yield from _softened_imperfectives(stem)
    elif end in {"ать", "ять"}:
        ending = "ивать" if _BEFORE_I.search(stem) else "ывать"
        yield from (stem + ending, _LAST_O.sub("а", stem) + ending, verb[:-2] + "вать")
    elif end == "ыть":
        yield verb[:-2] + "вать"
    elif end == "ити":
        yield from (soft + ending for soft in _soft(stem) for ending in ("ювати", "увати", "яти", "ати"))
    elif end == "ати":
        yield stem + "увати"


def _softened_imperfectives(stem: str) -> Iterator[str]:
    softened = _soft(stem)
    yield from (soft + ("ать" if _HUSHED.search(soft) else "ять") for soft in softened)
    for soft in softened:
        yield from (soft + "ивать", _LAST_O.sub("а", soft) + "ивать")
    yield stem + "ать"


def _by_ends(verb: str) -> Iterator[str]:
    return (verb.removesuffix(end) + other for end, other in _ENDS if verb.endswith(end) and verb != end)


def _soft(stem: str) -> list[str]:
    """Return a stem with its last consonant softened, in every way; unchanged last."""
    return [stem.removesuffix(end) + soft for end, soft in _SOFTENED if stem.endswith(end)] + [stem]


def _perfectives(verb: str) -> Iterator[str]:
    """Yield possible perfectives of an imperfective, unverified."""
    for end, other in _ENDS:
        if verb.endswith(other) and verb != other:
            yield verb.removesuffix(other) + end
    for ending in ("ивать", "ывать", "евать", "вать", "ать", "ять", "ювати", "увати", "яти", "ати"):
        if not verb.endswith(ending):
            continue
        stem = verb.removesuffix(ending)
        for hard in (stem, *(stem.removesuffix(soft) + end for end, soft in _SOFTENED if stem.endswith(soft))):
            for each in (hard, _LAST_A.sub("о", hard)):
                yield from (each + suffix for suffix in _INFINITIVES[ending[-1]])


def _paired(perfective: str, imperfective: str, lookup: Lookup) -> bool:
    one, other = _infinitives(perfective, lookup), _infinitives(imperfective, lookup)
    objects = {reading.tag.transitivity for reading in one} & {reading.tag.transitivity for reading in other}
    return _aspects(perfective, lookup) == {"perf"} and "impf" in _aspects(imperfective, lookup) and bool(objects)


def _aspects(verb: str, lookup: Lookup) -> set[str]:
    return {reading.tag.aspect for reading in _infinitives(verb, lookup)}


def _infinitives(verb: str, lookup: Lookup) -> list[Parse]:
    # Ukrainian ones are tagged as verbs, and some lack the mark of an infinitive
    return [reading for reading in lookup(verb) if reading.tag.POS in {"INFN", "VERB"} and reading.normal_form == verb]
