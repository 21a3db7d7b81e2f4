"""English inflection by rule: a word comes in, its forms go out, with a few that no text will ever hold."""

import re

_IRREGULAR = """
be am is are was were been being
become became
begin began begun
break broke broken
bring brought
build built
buy bought
catch caught
choose chose chosen
come came
cut
do does did done
draw drew drawn
drive drove driven
fall fell fallen
fight fought
find found
fly flew flown
forbid forbade forbidden
freeze froze frozen
get got gotten
give gave given
go went gone
hit
hold held
keep kept
know knew known
lead led
leave left
lose lost
make made
meet met
pay paid
put
rise rose risen
run ran
say said
see saw seen
sell sold
send sent
set
show shown
shut
speak spoke spoken
spend spent
split
stand stood
steal stole stolen
strike struck
take took taken
tell told
think thought
win won
withdraw withdrew withdrawn
write wrote written
man men
woman women
child children
person people
"""
_FAMILIES = {form: line.split() for line in _IRREGULAR.split("\n") for form in line.split()}
# Words that end in s without being a plural; the rest of that kind end in ss, us or is.
_NOT_PLURAL = {"news", "always", "perhaps", "does", "was", "has", "texas"}
_SIBILANT = re.compile(r"(?:s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"(?<=[^aeiou])y$")
# One short syllable that doubles its last letter: ban, banned.
_DOUBLING = re.compile(r"[^aeiou]{1,3}[aeiou][bdglmnprt]")
_SHORTEST = 3


def english_forms(word: str) -> frozenset[str]:
    """Return the forms of a word in small Latin letters: plural, possessive, -ed, -ing, the common irregular ones."""
    if len(word) < _SHORTEST and word not in _FAMILIES:
        return frozenset({word, word + "'s"})
    family = _FAMILIES.get(word, [])
    return frozenset({word, *family} | _regular(family[0] if family else _singular(word)))


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
