"""Whether a post tells of another event than other posts do, which may be on the same topic.

Posts on one event share its names and things, in whatever words. Of real posts of one topic within eight hours, one in
six shares less than a quarter of its words with each of the others; of posts from other days three in four do.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from math import sqrt

from bot.matching.similarity.features import Features, features
from bot.matching.similarity.words import FILLERS, SPECIAL, is_same
from bot.parts import Spans
from bot.text.spans import Span

SHARE = 0.25  # of the words of one of two posts, from which on they tell of one event
_LEAD = 40  # of these words, in which a post tells its news
_FEWEST = 3  # words; who says less tells of nothing in particular
_SHORTEST = 3  # letters of a word that counts


def is_new_event(text: str, spans: Spans, others: Iterable[str]) -> bool:
    """Tell whether a text is about another event than each of the others; `spans` are its words on their topic."""
    topic, others = _topic(text, spans), tuple(others)
    if len(_content(text, topic)) < _FEWEST:  # a headline, all on its topic: its words count but for what others say
        topic = frozenset(word for word in topic if any(features(other).mentions(word) for other in others))
    is_said = len(_content(text, topic)) >= _FEWEST
    return is_said and not any(_share(text, other, topic) >= SHARE for other in others)


def common_words(text: str, other: str) -> float:
    """Return how many of their content words two texts share, from 0 to 1: the geometric mean of both shares.

    So a short text is like a long one that has all of it, but not by two words of five.
    """
    told, others = _content(text, frozenset()), _content(other, frozenset())
    if not told or not others:
        return 0.0
    one, two = features(text), features(other)
    return sqrt(sum(map(two.mentions, told)) / len(told) * sum(map(one.mentions, others)) / len(others))


@lru_cache(maxsize=4096)  # a post in a storm goes to many chats, which have seen the same
def _share(text: str, other: str, topic: frozenset[str]) -> float:
    """Return the share of common words among those of the text that has the greater one."""
    told, others = _content(text, topic), _content(other, topic)
    if not others:
        return 0.0
    one, two = features(text), features(other)
    return max(sum(map(two.mentions, told)) / len(told), sum(map(one.mentions, others)) / len(others))


@lru_cache(maxsize=64)
def _topic(text: str, spans: Spans) -> frozenset[str]:
    placed = _words(features(text))
    return frozenset(word for word, (first, last) in placed if any(s < last and first < end for s, end in spans))


@lru_cache(maxsize=256)
def _content(text: str, topic: frozenset[str]) -> tuple[str, ...]:
    """Return the words that say what has happened, each once."""
    words = dict.fromkeys(word for word, _ in islice(_words(features(text)), _LEAD))
    return tuple(word for word in words if not any(is_same(word, each) for each in topic))


def _words(text: Features) -> Iterator[tuple[str, Span]]:
    for word, place in zip(text.tokens, text.document.spans, strict=True):
        if word[0] != SPECIAL and not word[0].isdigit() and len(word) >= _SHORTEST and word not in FILLERS:
            yield word, place
