"""Queries about the rare words of posts, without end, all different, the same in each run."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

from bot.matching.words.tokens import Document

# The mix of a newsroom's topics, in percent.
SHARES = {"word": 35, "either": 15, "phrase": 12, "near": 15, "both": 7, "without": 6, "prefix": 5, "exact": 5}
RARE = 30  # posts of 13,629: a word in more of them is nobody's topic
SHORTEST = 4  # letters of a topical word


class RareQueries:
    """Makes queries from the rare words of some posts and their neighbours."""

    def __init__(self, documents: Sequence[Document], seed: int = 1) -> None:
        self._dice = Random(seed)  # noqa: S311 - a repeatable choice is wanted
        posts = [document.tokens for document in documents]
        frequency = Counter(word for words in posts for word in set(words))
        self._words = [word for word, count in frequency.items() if count <= RARE and _is_topical(word)]
        self._places: dict[str, list[tuple[list[str], int]]] = {word: [] for word in self._words}
        for words in posts:
            for place, word in enumerate(words):
                if word in self._places:
                    self._places[word].append((words, place))
        self._kinds: dict[str, Callable[[], str]] = {
            "word": self._word,
            "either": lambda: "|".join(self._word() for _ in range(self._dice.randint(2, 3))),
            "phrase": lambda: '"{} {}"'.format(*self._pair(1)),
            "near": lambda: "{} ~5 {}".format(*self._pair(self._dice.randint(2, 4))),
            "both": lambda: "{} {}".format(*self._pair(self._dice.randint(2, 20))),
            "without": lambda: "{} -{}".format(*self._pair(self._dice.randint(2, 20))),
            "prefix": lambda: self._word()[:-1] + "*",
            "exact": lambda: "=" + self._word(),
        }

    def words(self) -> Iterator[str]:
        """Yield queries of one word, without end."""
        return self._distinct(self._word)

    def regexes(self) -> Iterator[str]:
        """Yield queries of one regular expression, without end."""
        return self._distinct(lambda: rf"re:/\b{self._word()[:-1]}\w/")

    def mixed(self) -> Iterator[str]:
        """Yield queries of the kinds that have shares, without end."""

        def ask() -> str:
            (kind,) = self._dice.choices(list(SHARES), list(SHARES.values()))
            return self._kinds[kind]()

        return self._distinct(ask)

    def _distinct(self, ask: Callable[[], str]) -> Iterator[str]:
        seen: set[str] = set()
        while True:
            query = ask()
            if query not in seen:
                seen.add(query)
                yield query

    def _word(self) -> str:
        return self._dice.choice(self._words)

    def _pair(self, distance: int) -> tuple[str, str]:
        """Return a rare word and the one that stands so many words behind it in a post, if that is topical."""
        while True:
            word = self._word()
            words, place = self._dice.choice(self._places[word])
            for other in words[place + distance : place + distance + 1]:
                if _is_topical(other):
                    return word, other


def _is_topical(word: str) -> bool:
    return len(word) >= SHORTEST and word.isalpha()
