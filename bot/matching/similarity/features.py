"""A post comes in; the words by which it is compared with others go out. Pure."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

from bot.matching.body import Body
from bot.matching.similarity.lexicon import ENDS, NOT
from bot.matching.similarity.words import SPECIAL, is_exact, is_same, is_same_name, spelt_out
from bot.matching.words.tokens import analyse

FEWEST = 5  # words; shorter posts are alike by chance
_SHINGLE = 3  # words
_LEAD = 40  # words, in which a post tells its news; the end of something is told of further below by the way
_READ = 256  # texts are kept as they were read


class Comparable:
    """A text read to be compared."""

    def __init__(self, text: str) -> None:
        self.document = analyse(text)
        self.tokens = spelt_out(self.document.tokens)
        self.words = [token for token in self.tokens if token[0] != SPECIAL]  # no mentions, tags and sites

    @cached_property
    def shingles(self) -> frozenset[str]:
        """Its runs of three words."""
        return frozenset(shingles(self.words))

    @property
    def is_short(self) -> bool:
        """Whether it says too little to be compared."""
        return len(self.words) < FEWEST

    @cached_property
    def tokens_hash(self) -> int:
        """A hash of all it says, which holds for as long as the process runs."""
        return hash(tuple(self.tokens))

    @cached_property
    def body(self) -> Body:
        """What it says beside what its channel adds."""
        return Body(self.document, self.tokens)

    @cached_property
    def is_end(self) -> bool:
        """Whether it tells that something is over."""
        lead = self.words[:_LEAD]
        if ENDS.isdisjoint(lead):
            return False
        return any(word in ENDS and before not in NOT for before, word in pairwise(["", *lead]))

    def mentions(self, word: str) -> bool:
        """Tell whether it has a word, be it in another form or mistyped."""
        return self._has(word, is_same)

    def names(self, word: str) -> bool:
        """Tell whether it has a name or a number, be the name in another form."""
        return self._has(word, is_same_name)

    def _has(self, word: str, is_one: Callable[[str, str], bool]) -> bool:
        if word in self._vocabulary or is_exact(word):
            return word in self._vocabulary
        begins = word[:2]
        return any(is_one(word, other) for other in self._vocabulary if other.startswith(begins))

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self.tokens)


@lru_cache(maxsize=_READ)
def read(text: str) -> Comparable:
    """Read a text, unless it was read lately: those of a template are compared again and again."""
    return Comparable(text)


def shingles(words: Sequence[str]) -> Iterable[str]:
    """Return the runs of three words, some of them perhaps twice; of fewer words, all of them."""
    if len(words) < _SHINGLE:
        return [" ".join(words)]
    return map(" ".join, zip(words, words[1:], words[2:], strict=False))
