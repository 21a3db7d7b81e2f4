"""Whether a post tells of another event than other posts do, which may be on the same topic.

Posts on one event share its names and things, in whatever words. Of real posts of one topic within eight hours, one in
six shares less than a quarter of its words with each of the others; of posts from other days three in four do.
"""

from collections.abc import Iterable, Iterator, Sequence

from bot.matching.similarity.features import Features, features
from bot.matching.similarity.words import FILLERS, SPECIAL, is_same
from bot.text.spans import Span

SHARE = 0.25  # of the words of one of two posts, from which on they tell of one event
_LEAD = 40  # words, in which a post tells its news
_FEWEST = 3  # words; who says less tells of nothing in particular
_SHORTEST = 3  # letters of a word that counts


def is_new_event(text: str, spans: Sequence[Span], others: Iterable[str]) -> bool:
    """Tell whether a text is about another event than each of the others; `spans` are its words on their topic."""
    own = features(text)
    topic = {word for word, place in _words(own) if any(start < place[1] and place[0] < end for start, end in spans)}
    told = _content(own, topic)
    return len(told) >= _FEWEST and all(_share(own, told, features(other), topic) < SHARE for other in others)


def _share(one: Features, told: Sequence[str], other: Features, topic: Iterable[str]) -> float:
    """Return the share of common words among those of the text that has the greater one."""
    others = _content(other, topic)
    if not others:
        return 0.0
    return max(sum(map(other.mentions, told)) / len(told), sum(map(one.mentions, others)) / len(others))


def _content(text: Features, topic: Iterable[str]) -> list[str]:
    """Return the words that say what has happened, each once."""
    words = dict.fromkeys(word for word, _ in _words(text) if not any(is_same(word, each) for each in topic))
    return list(words)[:_LEAD]


def _words(text: Features) -> Iterator[tuple[str, Span]]:
    for word, place in zip(text.tokens, text.document.spans, strict=True):
        if word[0] != SPECIAL and not word[0].isdigit() and len(word) >= _SHORTEST and word not in FILLERS:
            yield word, place
