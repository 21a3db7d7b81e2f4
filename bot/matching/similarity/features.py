"""The words of a post by which it is compared with others."""

import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

from bot.matching.similarity.words import ENDS, FILLERS, NOT, SIGNS, SPECIAL, is_exact, is_same, is_same_name, spelt_out
from bot.matching.words.tokens import Document, analyse, mention_token, tag_token

_SIGNATURE = 9  # words at most of a line by which a channel signs its posts
_TAG, _MENTION = tag_token(""), mention_token("")  # begin the tokens of tags, before their words, and of mentions
_LINE_ENDS = ("", "\n")  # a mention before one is a signature
_NEW_SENTENCE = re.compile(r"[!?…\n]")
_ABBREVIATED = 3  # letters at most of a word whose full stop may end no sentence: «ул. Мира»


class Body:
    """The words of a post without the lines by which its channel signs."""

    def __init__(self, document: Document, tokens: list[str]) -> None:
        self._text = document.text
        self._spans = document.spans
        ends = [end.start() for end in re.finditer("\n", self._text)]
        lines = [bisect(ends, start) for start, _ in self._spans]  # of each token
        self._places = self._unsigned(tokens, lines)  # of its words among the tokens
        self.words = [tokens[place] for place in self._places]
        self.lines = [lines[place] for place in self._places]  # the number of the line of each word

    def is_name(self, at: int) -> bool:
        """Tell whether a word is a name or a number."""
        word = self.words[at]
        if is_exact(word):
            return True
        is_capital = self._text[self._spans[self._places[at]][0]].isupper()
        if not is_capital or word in FILLERS or at == 0:
            return False
        before = self._before(at)
        is_full_stop = "." in before and len(self.words[at - 1]) > _ABBREVIATED
        return not is_full_stop and _NEW_SENTENCE.search(before) is None

    def is_listed(self, at: int) -> bool:
        """Tell whether a comma or a new line is before a word."""
        before = self._before(at)
        return "," in before or "\n" in before

    def _before(self, at: int) -> str:
        """Return the text before a word from the beginning of the token before; a tag is followed by its words."""
        place = self._places[at]
        return self._text[self._spans[place - 1][0] if place else 0 : self._spans[place][0]]

    def _unsigned(self, tokens: list[str], lines: list[int]) -> list[int]:
        """Return the indexes of the tokens of the body; of all, where every line is signed.

        A signed line of more than nine words is part of the news.
        """
        places = [at for at, token in enumerate(tokens) if token[0] != SPECIAL or not self._is_decoration(token, at)]
        if not any(map(_is_sign, tokens)):
            return places
        lengths = Counter(lines[place] for place in places)
        signed = {lines[place] for place in places if _is_sign(tokens[place])}
        return [at for at in places if lines[at] not in signed or lengths[lines[at]] > _SIGNATURE] or places

    def _is_decoration(self, special: str, place: int) -> bool:
        """Tell whether a special token is a tag, or a mention at the end of its line."""
        end = self._spans[place][1]
        return special.startswith(_TAG) or (special.startswith(_MENTION) and self._text[end : end + 1] in _LINE_ENDS)


@lru_cache(maxsize=1 << 16)
def _is_sign(word: str) -> bool:
    return word.startswith(SIGNS)


FEWEST = 5  # words; shorter posts are alike by chance
_SHINGLE = 3  # words
_LEAD = 40  # words, in which a post tells its news; further below the end of something is mentioned by the way
_CACHED = 256  # texts whose features are cached


class Features:
    """A text prepared for comparison."""

    def __init__(self, text: str) -> None:
        self.document = analyse(text)
        self.tokens = spelt_out(self.document.tokens)
        self.words = [token for token in self.tokens if token[0] != SPECIAL]  # no mentions, tags and sites

    @cached_property
    def shingles(self) -> frozenset[str]:
        """The runs of three words."""
        return frozenset(shingles(self.words))

    @property
    def is_short(self) -> bool:
        """Whether the text is too short to be compared."""
        return len(self.words) < FEWEST

    @cached_property
    def tokens_hash(self) -> int:
        """A hash of all tokens, valid within this process."""
        return hash(tuple(self.tokens))

    @cached_property
    def body(self) -> Body:
        """The text without what its channel adds."""
        return Body(self.document, self.tokens)

    @cached_property
    def is_end(self) -> bool:
        """Whether the text says that something is over."""
        lead = self.words[:_LEAD]
        if ENDS.isdisjoint(lead):
            return False
        return any(word in ENDS and before not in NOT for before, word in pairwise(["", *lead]))

    def mentions(self, word: str) -> bool:
        """Tell whether the text has a word, perhaps in another form or mistyped."""
        return self._has(word, is_same)

    def names(self, word: str) -> bool:
        """Tell whether the text has a name, perhaps in another form, or a number."""
        return self._has(word, is_same_name)

    def _has(self, word: str, is_one: Callable[[str, str], bool]) -> bool:
        if word in self._vocabulary or is_exact(word):
            return word in self._vocabulary
        begins = word[:2]
        return any(is_one(word, other) for other in self._vocabulary if other.startswith(begins))

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self.tokens)


@lru_cache(maxsize=_CACHED)
def features(text: str) -> Features:
    """Return the features of a text, cached: posts of a template are compared again and again."""
    return Features(text)


def shingles(words: Sequence[str]) -> Iterable[str]:
    """Return the runs of three words, some of them perhaps twice; of fewer words, all of them."""
    if len(words) < _SHINGLE:
        return [" ".join(words)]
    return map(" ".join, zip(words, words[1:], words[2:], strict=False))
