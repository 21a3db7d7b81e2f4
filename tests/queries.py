"""Queries of every kind about the words of texts, as people would type them, the same in each run."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 4  # letters of a word that is asked for alone
_SIGNED = re.compile(r"(?<![\w#@&/])[#@][^\W_]\w+")
# Shares as in a newsroom's topics, in percent; a kind that is named apart has none.
SHARES = {"word": 35, "either": 15, "phrase": 12, "near": 15, "both": 7, "without": 6, "prefix": 5, "exact": 5}


class Asker:
    """Makes queries from the words of some texts; those in more than `most` of the texts are not asked for alone."""

    def __init__(self, texts: Sequence[str], *, seed: int = 1, most: int | None = None) -> None:
        self._dice = Random(seed)  # noqa: S311 - a repeatable choice is wanted
        self._texts = [words for text in texts if len(words := _WORD.findall(text)) > 3]
        count = Counter(word for words in self._texts for word in set(words))
        most = most or len(texts)
        rare = ([w for w in words if len(w) >= _SHORTEST and count[w] <= most] for words in self._texts)
        self._rare = [words for words in rare if len(words) > 2]
        self._signed = sorted({name.lower() for text in texts for name in _SIGNED.findall(text)})
        self.kinds: dict[str, Callable[[], str]] = {
            "word": self._word,
            "either": lambda: "|".join(self._word() for _ in range(self._dice.randint(2, 6))),
            "phrase": self._phrase,
            "near": self._near,
            "both": lambda: " ".join(self._words_of_one(2)),
            "without": lambda: "{} -{}".format(*self._words_of_one(2)),
            "prefix": lambda: self._word()[:5] + "*",
            "exact": lambda: "=" + self._word(),
            "signed": lambda: self._dice.choice(self._signed),
            "regex": self._regex,
            "nested": lambda: "({}|{}) ~6 ({}|{}) -{}".format(*self._words_of_one(3), *self._words_of_one(2)),
            "lines": lambda: f"{self._phrase()}\n{self._near()}\n{self._word()}",
        }

    def mixed(self, count: int) -> list[str]:
        """Return so many queries of the kinds that have shares."""
        kinds = self._dice.choices(list(SHARES), weights=list(SHARES.values()), k=count)
        return [self.kinds[kind]() for kind in kinds]

    def _words(self) -> list[str]:
        return self._dice.choice(self._texts)

    def _word(self) -> str:
        return self._dice.choice(self._dice.choice(self._rare))

    def _words_of_one(self, count: int) -> list[str]:
        """Return words of one text in its order, so that a query of them finds something."""
        words = self._dice.choice(self._rare)
        return [words[place] for place in sorted(self._dice.sample(range(len(words)), count))]

    def _phrase(self) -> str:
        words = self._words()
        start = self._dice.randrange(len(words) - 1)
        gap = self._dice.choice(("", "", "~2"))
        return f'"{" ".join(words[start : start + self._dice.randint(2, 3)])}"{gap}'

    def _near(self) -> str:
        words = self._words()
        start = self._dice.randrange(len(words) - 2)
        return f"{words[start]} ~{self._dice.randint(2, 8)} {words[start + 2]}"

    def _regex(self) -> str:
        word = self._word()
        return self._dice.choice((rf"re:/\b{word}/", f"re:/{word[:3]}.{word[4:]}/", rf"re:/{word}\W+\d+/"))
