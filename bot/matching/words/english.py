"""English inflection by rule, without a dictionary.

Where a word in -ed or -ing may have one of two bases (“restored” of restore or restor), both count: the wrong one is no
word. Where both would be words (“noted”, “cared”), spelling tells them apart.
"""

import re

from bot.matching import read_table

_TABLE = read_table(__package__, "english")
_FAMILIES = {form: line.split() for line in _TABLE["irregular"].splitlines() for form in line.split()}
_PAIRS = dict(line.split() for line in _TABLE["plurals"].splitlines())
_PAIRS |= {plural: singular for singular, plural in _PAIRS.items()}
_NOT_PLURAL = frozenset(_TABLE["not_plural"].split())
_NOT_VERBS = frozenset(_TABLE["not_verbs"].split())
_SIBILANT = re.compile(r"(?:s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"(?<=[^aeiou])y$")
# What doubles its last letter: ban, banned; commit, committed; cancel, cancelled.
_DOUBLING = re.compile(r"[^aeiou]{1,3}[aeiou][bdglmnprt]|.*[^aeiou](?:mit|fer|cur|gram|quip|[aeo]l)")
_VERBAL = re.compile(r"(?P<stem>.*[aeiouy].*?)(?:(?<!e)ed|ing)")  # but not: need, string, red
_DOUBLED = re.compile(r"(?P<base>.+([bdgklmnprtz]))\2")
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]|[aeiou][^aeiouwxy]")  # would have doubled, had it no silent e
_SILENT = re.compile(r"(?:[cuvz]|(?<!s)s|dg|[bcdfgkpstz]l)$")  # no word ends so without e
_PLAIN = re.compile(r"(?:[wxy]|[^aeiou][^aeioug])$")
_SHORTEST = 3


def english_forms(word: str) -> frozenset[str]:
    """Return the forms of a word in small Latin letters: plural, possessive, -ed, -ing, common irregular ones."""
    if len(word) < _SHORTEST and word not in _FAMILIES:
        return frozenset({word, word + "'s"})
    family = _FAMILIES.get(word)
    verbs = [] if family else _verbs(word)
    bases = [family[0]] if family else verbs or [_singular(word)]
    forms = {word, *(form for base in bases for form in _regular(base))}
    if verbs:
        forms |= {word + "s", word + "'s"}  # warnings
    if word in _PAIRS:
        forms |= {_PAIRS[word], _PAIRS[word] + "'s"}
    return frozenset(forms.union(*(_FAMILIES.get(base, ()) for base in bases)))


def _verbs(word: str) -> list[str]:
    """Return the possible bases of a word in -ed or -ing; none of other words."""
    found = _VERBAL.fullmatch(word)
    if word in _NOT_VERBS or not found:
        return []
    stem = found["stem"]
    if word.endswith("ied"):
        return [word[:-1] if len(word) <= len("died") else word[:-3] + "y"]
    doubled = _DOUBLED.fullmatch(stem)
    if doubled and len(doubled["base"]) >= _SHORTEST:
        return _before_ll(doubled["base"]) if stem.endswith("ll") else [doubled["base"]]
    if stem in _FAMILIES:
        return [stem]
    if _SHORT.fullmatch(stem) or _SILENT.search(stem):
        return [stem + "e"]
    return [stem] if _PLAIN.search(stem) else [stem, stem + "e"]


def _before_ll(base: str) -> list[str]:
    """Return call of called, cancel or cancell of cancelled."""
    return [base + "l"] if _SHORT.fullmatch(base) else [base, base + "l"]


def _singular(word: str) -> str:
    if word in _NOT_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")) or len(word) <= _SHORTEST:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith("es") and _SIBILANT.search(word[:-2]) else word[:-1]


def _regular(base: str) -> set[str]:
    stem = _CONSONANT_Y.sub("i", base)
    plural = stem + "es" if stem != base or _SIBILANT.search(base) else base + "s"
    silent = base.endswith("e") and not base.endswith("ee")
    root = base[:-1] if silent else base
    forms = {base, base + "'s", plural, (root if silent else stem) + "ed", root + "ing"}
    if base.endswith("o"):
        forms.add(base + "es")
    if _DOUBLING.fullmatch(base):
        forms |= {base + base[-1] + "ed", base + base[-1] + "ing"}
    return forms
