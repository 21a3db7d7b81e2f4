"""The words of a post by which it is compared with others. Pure."""

import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

from bot.matching.similarity.lexicon import ENDS, FILLERS, NOT, SIGNS
from bot.matching.similarity.words import SPECIAL, is_exact, is_same, is_same_name, spelt_out
from bot.matching.words.tokens import Document, analyse

_SIGNATURE = 9  # words at most of a line by which a channel signs
_TAG, _MENTION = "'t", "'m"  # begin the tokens of tags, which their words follow, and of mentions
_LINE_ENDS = ("", "\n")  # a mention before one is how a channel signs
_NEW_SENTENCE = re.compile(r"[!?…\n]")
_ABBREVIATED = 3  # letters at most of a word whose full stop ends no sentence: «ул. Мира»


class Body:
    """The words of a post but for those of lines by which its channel signs."""

    def __init__(self, document: Document, tokens: list[str]) -> None:
        self._text = document.text
        self._spans = document.spans
        lines = self._lines()
        self._places = self._unsigned(tokens, lines)  # of its words among the tokens
        self.words = [tokens[place] for place in self._places]
        self.lines = [lines[place] for place in self._places]  # in which these stand

    def is_name(self, at: int) -> bool:
        """Tell whether a word is a name or a number."""
        word = self.words[at]
        if is_exact(word):
            return True
        is_capital = self._text[self._spans[self._places[at]][0]].isupper()
        return is_capital and word not in FILLERS and not self._begins_sentence(at)

    def is_listed(self, at: int) -> bool:
        """Tell whether a comma or a new line is before a word."""
        before = self._before(at)
        return "," in before or "\n" in before

    def _begins_sentence(self, at: int) -> bool:
        before = self._before(at)
        if at == 0 or _NEW_SENTENCE.search(before) is not None:
            return True
        return "." in before and len(self.words[at - 1]) > _ABBREVIATED

    def _before(self, at: int) -> str:
        """Return what is before a word, from the beginning of the token before it: a tag is followed by its words."""
        place = self._places[at]
        return self._text[self._spans[place - 1][0] if place else 0 : self._spans[place][0]]

    def _lines(self) -> list[int]:
        """Return the number of the line in which each token stands."""
        if "\n" not in self._text:
            return [0] * len(self._spans)
        ends = [at for at, letter in enumerate(self._text) if letter == "\n"]
        return [bisect(ends, start) for start, _ in self._spans]

    def _unsigned(self, tokens: list[str], lines: list[int]) -> list[int]:
        """Return the places of the words; where every line is signed, all of them.

        What a channel says at length in the line that it signs is part of its news.
        """
        places = [at for at, token in enumerate(tokens) if token[0] != SPECIAL or not self._is_decoration(token, at)]
        if not any(map(_is_sign, tokens)):
            return places
        lengths = Counter(lines[place] for place in places)
        signed = {lines[place] for place in places if _is_sign(tokens[place])}
        left_out = {line for line in signed if lengths[line] <= _SIGNATURE}
        return [place for place in places if lines[place] not in left_out] or places

    def _is_decoration(self, special: str, place: int) -> bool:
        """Tell whether a tag, mention or site says nothing by itself."""
        end = self._spans[place][1]
        return special.startswith(_TAG) or (special.startswith(_MENTION) and self._text[end : end + 1] in _LINE_ENDS)


@lru_cache(maxsize=1 << 16)
def _is_sign(word: str) -> bool:
    return word.startswith(SIGNS)


FEWEST = 5  # words; shorter posts are alike by chance
_SHINGLE = 3  # words
_LEAD = 40  # words, in which a post tells its news; the end of something is told of further below by the way
_READ = 256  # texts are kept as they were read


class Features:
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
def features(text: str) -> Features:
    """Read a text, unless it was read lately: those of a template are compared again and again."""
    return Features(text)


def shingles(words: Sequence[str]) -> Iterable[str]:
    """Return the runs of three words, some of them perhaps twice; of fewer words, all of them."""
    if len(words) < _SHINGLE:
        return [" ".join(words)]
    return map(" ".join, zip(words, words[1:], words[2:], strict=False))
