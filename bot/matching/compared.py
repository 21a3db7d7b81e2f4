"""A post comes in; the words by which it is compared with others go out. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from itertools import compress, pairwise, zip_longest
from typing import NamedTuple

from bot.matching.text import analyse

FEWEST = 5  # words; shorter posts are alike by chance
_RUN = 3  # words
_SPECIAL = "'"  # begins the tokens of mentions, tags and sites: a channel's own, more often than not
# Words that count or name a day stand for numbers.
_COUNTS = frozenset(
    """один одна одно одного два две двух три трех четыре четырех пять пяти шесть шести семь семи восемь восьми девять
    девяти десять десяти понедельник понедельника вторник вторника среда среды среду четверг четверга пятница пятницы
    пятницу суббота субботы субботу воскресенье воскресенья завтра вчера сегодня два дві двох три трьох чотири п'ять
    one two three four five six seven eight nine ten monday tuesday wednesday thursday friday saturday sunday
    today tomorrow yesterday""".split()  # noqa: SIM905 - words are read as words
)
# How posts begin.
CALLS = ("сроч", "молн", "важн", "глав", "вним", "терм", "обно", "brea", "urge", "just", "upd", "aler")
# How words begin of the lines by which channels sign.
_SIGNS = tuple(
    """подписат подписыв подписк подпиши підписат підписув підписк підпиші прислать пришлите надіслати предложи
    запропонува оставляйте бусты читать следить subscribe""".split()  # noqa: SIM905 - words are read as words
)
_SIGNATURE = 9  # words at most of such a line
_TAG, _MENTION = "'t", "'m"  # begin the tokens of tags, which their words follow, and of mentions
_LINE_ENDS = ("", "\n")  # a mention before one is how a channel signs
_NEW_SENTENCE = re.compile(r"[!?…\n]")
_ABBREVIATED = 3  # letters at most of a word whose full stop ends no sentence: «ул. Мира»
_NOT = frozenset({"не", "ні", "без", "not", "without"})
_LONG = 6  # letters: «недоступен» is «не доступен», and «небо» is no «бо»
_LEAD = 40  # words, in which a post tells its news; the end of something is told of further below by the way
_SAME = {"рф": "россия"}  # names and what is as often put for them
# How words tell of an end; one text has such a word and the other has none: the event, and its end. «Восстановить» and
# «устранение» tell of none yet.
_ENDED = re.compile(
    "снова|вновь|отбо[йя]|фейк.*|опров.*|знову|відбі[йю]"
    "|(?:снят|отменен|устранен|восстановлен|возобновлен|открыт|включен|подключен|разблокирован|ликвидирован|завершен"
    "|закончен|окончен|потушен|локализован|прекращен|налажен|починен|скасован|відновлен|усунен|увімкнен)[аоыіу]?"
    "|(?:снял|отменил|устранил|восстановил|возобновил|открыл|включил|подключил|разблокировал|ликвидировал|завершил"
    "|закончил|потушил|локализовал|прекратил|наладил|починил|заработал|вернул|нормализовал|відновил|скасувал|усунул"
    "|увімкнул)[аои]?(?:с[ья])?|(?:возобновля|открыва|снима|отменя|заверша)[ею]тся"
    "|again|back|restored|lifted|resolved|fixed|resum(?:es|ed)|reopen(?:s|ed)|ended"
)


class Body(NamedTuple):
    """The words of a post but for those of lines by which its channel signs; lists of one length."""

    words: list[str]
    is_name: list[bool]  # or a number
    lines: list[int]  # in which they stand
    is_listed: list[bool]  # a comma or a new line is before it


class Wording:
    """A text read to be compared."""

    def __init__(self, text: str) -> None:
        self.document = analyse(text)

    @cached_property
    def words(self) -> list[str]:
        """Its words but for mentions, tags and sites."""
        return [token for token in self.document.tokens if token[0] != _SPECIAL]

    @cached_property
    def runs(self) -> frozenset[str]:
        """Its runs of three words."""
        return runs(self.words)

    @property
    def is_short(self) -> bool:
        """Whether it says too little to be compared."""
        return len(self.words) < FEWEST

    @cached_property
    def hashes(self) -> frozenset[int]:
        """Hashes of its runs, which hold for as long as the process runs."""
        return frozenset(map(hash, self.runs))

    @cached_property
    def body(self) -> Body:
        """What it says; where every line is signed, all of it."""
        text, body, signed = self.document.text, Body([], [], [], []), set[int]()
        line, read = 0, 0
        for token, (start, end) in zip(self.document.tokens, self.document.spans, strict=True):
            between = text[read:start]
            begins = is_listed = False
            if between != " ":
                line += between.count("\n")
                begins = not body.words or _begins_sentence(body.words[-1], between)
                is_listed = "," in between or "\n" in between
            read = max(read, start)  # a tag is followed by its words
            if token[0] == _SPECIAL and _is_beside(token, text[end : end + 1]):
                continue
            is_sign, is_call, is_exact = _kind(token)
            if is_sign:
                signed.add(line)
            body.words.append(token)
            body.is_name.append(is_exact or (text[start].isupper() and not begins and not is_call))
            body.lines.append(line)
            body.is_listed.append(is_listed)
        return _unsigned(body, signed)

    @cached_property
    def is_end(self) -> bool:
        """Whether it tells that something is over."""
        lead = pairwise(["", *self.words[:_LEAD]])
        return any(_tells_end(word) and before not in _NOT for before, word in lead)

    @cached_property
    def denied(self) -> frozenset[str]:
        """The words that a «not» stands before, or is a part of."""
        after = {word for before, word in pairwise(self.words) if before in _NOT}
        return frozenset(after.union(word[2:] for word in self.words if len(word) > _LONG and word.startswith("не")))

    @cached_property
    def affirmed(self) -> frozenset[str]:
        """The words that none stands before."""
        return frozenset(word for before, word in pairwise(["", *self.words]) if before not in _NOT)

    def mentions(self, word: str) -> bool:
        """Tell whether it has a word, be it in another form."""
        return any(_same(word, other) for other in self._by_beginning.get(_beginning(word), ()))

    @cached_property
    def _by_beginning(self) -> dict[str, set[str]]:
        found = defaultdict[str, set[str]](set)
        for word in self.document.tokens:
            found[_beginning(word)].add(word)
        return found


def _unsigned(body: Body, signed: AbstractSet[int]) -> Body:
    """Leave out the lines by which a channel signs; what it says there at length is part of its news."""
    lengths = Counter(body.lines)
    left_out = {line for line in signed if lengths[line] <= _SIGNATURE}
    if not left_out or left_out == lengths.keys():
        return body
    kept = [line not in left_out for line in body.lines]
    return Body(
        words=list(compress(body.words, kept)),
        is_name=list(compress(body.is_name, kept)),
        lines=list(compress(body.lines, kept)),
        is_listed=list(compress(body.is_listed, kept)),
    )


def runs(words: Sequence[str]) -> frozenset[str]:
    """Return the runs of three words; of fewer, all of them."""
    if len(words) < _RUN:
        return frozenset([" ".join(words)])
    return frozenset(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


def _is_beside(special: str, after: str) -> bool:
    """Tell whether a tag, mention or site says nothing by itself."""
    return special.startswith(_TAG) or (special.startswith(_MENTION) and after in _LINE_ENDS)


@lru_cache(maxsize=1 << 16)
def _kind(word: str) -> tuple[bool, bool, bool]:
    """Tell whether a word is one by which a channel signs, one by which posts begin, or one without other forms."""
    return word.startswith(_SIGNS), word.startswith(CALLS), _is_exact(word)


def _begins_sentence(before: str, between: str) -> bool:
    return _NEW_SENTENCE.search(between) is not None or ("." in between and len(before) > _ABBREVIATED)


def _is_exact(token: str) -> bool:
    """Tell whether a word is a number, a mention or a site: one in another form is another one."""
    if token[0].isdigit() or token[0] == _SPECIAL or token in _COUNTS:
        return True
    return "дцат" in token or "тысяч" in token or "сотн" in token  # «одиннадцать», «тысячи»


@lru_cache(maxsize=1 << 16)
def _tells_end(word: str) -> bool:
    return _ENDED.fullmatch(word) is not None


def _beginning(word: str) -> str:
    return word[:2] if word not in _SAME else _SAME[word][:2]


@lru_cache(maxsize=4096)
def _same(word: str, other: str) -> bool:
    """Tell whether two words are forms of one, or of words of one root, by how much of them is equal."""
    word, other = _SAME.get(word, word), _SAME.get(other, other)
    if word == other or _is_exact(word) or _is_exact(other):
        return word == other
    common = next((n for n, (one, two) in enumerate(zip_longest(word, other)) if one != two), 0)
    rest = max(len(word), len(other)) - common
    return rest <= min(4, common - 1)
