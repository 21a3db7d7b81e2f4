"""Two posts come in; whether they say the same goes out. Pure.

They do where they share more than a third of their runs of three words, which was chosen on labelled pairs
(`python -m tests.matching.likeness`), unless few words make it other news: «сбой в Саратове» filled anew is «сбой в
Тамбове», and «не работает» becomes «снова работает». Each of two texts may well name or add what the other does not
mention; what is put in the place of something else is another matter.
"""

from functools import cached_property, lru_cache
from itertools import pairwise

from bot.matching.text import analyse

SHARE = 0.35  # of the runs of both together that they have in common, at least
FEWEST = 5  # words; shorter posts are alike by chance
READ = 256  # texts are kept as they were read
_RUN = 3  # words
_STEM = 4  # letters by which a name is known in any of its forms
_SPECIAL = "'"  # begins the tokens of mentions, tags and sites: a channel's own, more often than not
# Words that count or name a day stand for numbers.
_COUNTS = frozenset(
    """один одна одно одного два две двух три трех четыре четырех пять пяти шесть шести семь семи восемь восьми девять
    девяти десять десяти понедельник понедельника вторник вторника среда среды среду четверг четверга пятница пятницы
    пятницу суббота субботы субботу воскресенье воскресенья завтра вчера сегодня два дві двох три трьох чотири п'ять
    one two three four five six seven eight nine ten monday tuesday wednesday thursday friday saturday sunday
    today tomorrow yesterday""".split()  # noqa: SIM905 - words are read as words
)
_CALLS = (
    "сроч",
    "молн",
    "важн",
    "глав",
    "вним",
    "терм",
    "обно",
    "brea",
    "urge",
    "just",
    "upd",
    "aler",
)  # how posts begin
# How words begin that tell of an end; one text has such a word and the other has none: the event, and its end.
_ENDS = tuple(
    """снова снят снял отмен устран восстанов возобнов заработа починил знову скасов віднов усун
    again restor lifted resolved fixed resum""".split()  # noqa: SIM905 - words are read as words
)
_NOT = frozenset({"не", "ні", "not"})
_LONG = 6  # letters: «недоступен» is «не доступен», and «небо» is no «бо»
_SAME = {"рф": "россия"}  # names and what is as often put for them


class Wording:
    """A text read to be compared."""

    def __init__(self, text: str) -> None:
        self.document = analyse(text)

    @cached_property
    def _words(self) -> list[str]:
        return [token for token in self.document.tokens if token[0] != _SPECIAL]

    @cached_property
    def runs(self) -> frozenset[str]:
        """Its runs of three words."""
        return _runs(self._words)

    @property
    def is_short(self) -> bool:
        """Whether it says too little to be compared."""
        return len(self._words) < FEWEST

    @cached_property
    def hashes(self) -> frozenset[int]:
        """Hashes of its runs, which hold for as long as the process runs."""
        return frozenset(map(hash, self.runs))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of its words."""
        return frozenset(map(_stem, self._words))

    @cached_property
    def _lines(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        """The runs of each line that names something, and the stems of what it names."""
        text = self.document.text
        words: dict[int, list[str]] = {}
        names: dict[int, set[str]] = {}
        line, read = 0, 0
        for token, (start, _) in zip(self.document.tokens, self.document.spans, strict=True):
            if token[0] == _SPECIAL:
                continue
            line += text.count("\n", read, start)
            read = max(read, start)  # a tag is followed by its words
            words.setdefault(line, []).append(token)
            if _is_name(token, text[start]):
                names.setdefault(line, set()).add(_stem(token))
        return [(_runs(words[line]), frozenset(found)) for line, found in names.items()]

    @cached_property
    def is_end(self) -> bool:
        """Whether it tells that something is over."""
        return any(word.startswith(_ENDS) for word in self._words)

    @cached_property
    def denied(self) -> frozenset[str]:
        """The words that a «not» stands before, or is a part of."""
        after = {word for before, word in pairwise(self._words) if before in _NOT}
        return frozenset(after.union(word[2:] for word in self._words if len(word) > _LONG and word.startswith("не")))

    @cached_property
    def affirmed(self) -> frozenset[str]:
        """The words that none stands before."""
        return frozenset(word for before, word in pairwise(["", *self._words]) if before not in _NOT)

    def names_beside(self, other: "Wording") -> bool:
        """Tell whether it names something that the other does not, in a line that is in part the other's too.

        What stands in lines of their own is how a channel signs, or what it adds.
        """
        if self.stems <= other.stems:
            return False
        return any(names - other.stems for runs, names in self._lines if not runs.isdisjoint(other.runs))


@lru_cache(maxsize=READ)
def read(text: str) -> Wording:
    """Read a text, unless it was read lately: those of a template are compared again and again."""
    return Wording(text)


def share(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how much of the runs of two texts is in both, from 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def is_other_news(one: Wording, other: Wording) -> bool:
    """Tell whether each names something that the other does not, or one denies or ends what the other tells."""
    if one.is_end != other.is_end:
        return True
    if (one.denied - other.denied) & other.affirmed or (other.denied - one.denied) & one.affirmed:
        return True
    return one.names_beside(other) and other.names_beside(one)


def say_the_same(one: Wording, other: Wording) -> bool:
    """Tell whether two posts say the same."""
    if one.is_short or other.is_short or share(one.runs, other.runs) < SHARE:
        return False
    return not is_other_news(one, other)


def _runs(words: list[str]) -> frozenset[str]:
    if len(words) < _RUN:
        return frozenset([" ".join(words)])
    return frozenset(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


def _is_name(token: str, first: str) -> bool:
    """Tell whether a word is a number or a name, by the letter that it was written with at first."""
    if token[0].isdigit() or token in _COUNTS:
        return True
    return first.isupper() and _stem(token) not in _CALLS


def _stem(word: str) -> str:
    return word if word[0].isdigit() else _SAME.get(word, word)[:_STEM]
