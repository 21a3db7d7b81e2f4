"""Words that do not count like others where posts are compared, folded; `lexicon.toml` explains them."""

from bot.matching.tables import read_table

_TABLE = read_table(__package__, "lexicon")

SPELT = {word: spelling for spelling, words in _TABLE["spellings"].items() for word in words.split()}
DAYS = frozenset(_TABLE["days"].split())
FILLERS = frozenset(_TABLE["fillers"].split())
OPPOSED = frozenset(map(frozenset, _TABLE["opposed"]))
AND = frozenset(_TABLE["and"].split())
NOT = frozenset(_TABLE["not"].split())
NOT_ENDS = tuple(_TABLE["not_endings"].split())
SIGNS = tuple(_TABLE["signatures"].split())
SAYS = tuple(_TABLE["says"].split())
ENDS = frozenset(
    stem + ending.strip(".")
    for group in _TABLE["ends"]
    for stem in group["stems"].split()
    for ending in group["endings"].split()
)
