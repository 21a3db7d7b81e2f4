"""A source of chance comes in, texts of posts go out: real ones where they are at hand, else our own of their shape."""

import json
import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from random import Random

from bot.matching.engine.compiled import compile_query
from bot.matching.engine.matcher import Matcher
from bot.matching.query.parser import parse
from bot.matching.similarity.features import features
from bot.matching.similarity.index import SimilarityIndex
from bot.matching.topics import builtin_topics
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import analyse
from bot.models import ComparedPost
from bot.pipeline.decisions.grouping import DUPLICATE_WITHIN
from tests.benchmarks.figures import SkippedError, real_texts
from tests.kit_clock import NOON

MARK = re.compile(r"Выпуск (\d+)\.")  # how the subscriber knows a relayed post
TOPIC = "outages"  # what pairing subscribes to
_WRITTEN = Path(__file__).parents[1] / "data" / "written.jsonl"
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\s*\n\s*")
# Of the real posts: the lengths in characters that 0, 5, 10 … 100 of 100 do not exceed, and how many are on a topic.
_LENGTHS = (20, 76, 97, 111, 122, 134, 147, 162, 177, 194, 213, 238, 268, 305, 350, 414, 491, 593, 735, 960, 1700)
_ON_TOPIC = 0.021
_LONGEST = 120  # characters of what a post says of an outage

_WHO = (
    "официальный представитель ведомства",
    "глава регионального комитета",
    "заместитель министра транспорта",
    "пресс-служба администрации города",
    "директор департамента образования",
    "руководитель рабочей группы",
    "участник переговоров в Вене",
    "губернатор Приморской области",
    "научный сотрудник краеведческого музея",
    "капитан ледокола",
    "председатель совета ветеранов",
    "главный агроном хозяйства",
    "ректор педагогического института",
    "автор документального фильма",
    "смотритель маяка на мысе",
    "тренер юношеской сборной",
)
_DID = (
    "подробно рассказал журналистам о",
    "на брифинге ответил на вопросы о",
    "провёл рабочую встречу, посвящённую",
    "представил доклад о",
    "в интервью местной газете напомнил о",
    "поблагодарил коллег за участие в",
    "подписал соглашение о",
    "с гордостью поведал гостям о",
    "попросил соседей не забывать о",
    "впервые за долгие годы упомянул о",
    "написал старшему брату длинное письмо о",
    "прочёл студентам лекцию о",
)
_WHAT = (
    "подготовке к осенней посевной и строительстве двух новых мостов",
    "культурном обмене между школами и музеями трёх соседних стран",
    "ходе консультаций по климатической повестке",
    "итогах конкурса молодых учёных и планах на следующий год",
    "ремонте набережной, который закончат раньше срока",
    "гуманитарной помощи жителям пострадавших от паводка районов",
    "расписании пригородных автобусов в летние месяцы",
    "международной выставке книг и редких рукописей",
    "раскопках древнего городища у слияния двух рек",
    "весеннем пролёте журавлей над заповедником",
    "новом сорте яблони, который не боится морозов",
    "старинных часах на ратуше, что бьют четверть часа",
    "пятнадцати килограммах писем с фронта, найденных на чердаке",
    "том, как варили варенье из шишек три поколения семьи",
    "маршруте первой экспедиции к истокам ручья",
    "хоре, где поют лесники, повара и одна почтальонша",
    "библиотеке на колёсах, объехавшей сорок деревень",
    "рыбалке на подлёдного окуня и лучших наживках сезона",
    "театре теней, чьи куклы вырезаны из бересты",
    "саде камней, разбитом на крыше бывшей фабрики",
)
_WHEN = (
    "Сегодня утром",
    "Вчера вечером",
    "На прошлой неделе",
    "В ходе поездки по области",
    "По окончании заседания",
    "Накануне годовщины Победы",
)
_PART = (
    "Видеозапись выступления доступна на нашем сайте.",
    "Полный текст заявления опубликуем позднее.",
    "Следите за обновлениями: t.me/s/primer.",
    "Погода ожидается ясная, ночью небольшой туман.",
    "Вход свободный, количество мест ограничено.",
    "Фотографии: архив пресс-службы.",
    "Продолжение в следующем номере газеты.",
    "Собираемся у фонтана ровно в полдень.",
    "Кто узнал себя на снимке, отзовитесь!",
    "Чай и пирожки за счёт устроителей.",
)


class Texts:
    """Posts, each with its number; those of an outage say the same as none before."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a repeatable text is wanted
        self._numbers = count(1)
        self._pool = pool(seed)
        self._memory = SimilarityIndex(within=DUPLICATE_WITHIN)

    def next(self) -> tuple[int, str]:
        """Return the number of a post, and its text; as many are on a topic as of real posts."""
        number = next(self._numbers)
        return number, f"Выпуск {number}. {self._random.choice(self._pool)}"

    def outage(self) -> tuple[int, str]:
        """Return the number of a post that tells of an outage, and its text."""
        number = next(self._numbers)
        while True:
            text = f"Выпуск {number}. {self._mixed()}"
            if _is_outage(text) and self._is_new(number, text):
                return number, text

    def _mixed(self) -> str:
        """Put what a post says of an outage between sentences of others, to the length of another."""
        chance = self._random
        sentences = [chance.choice(_cores())]
        # enough of other posts that it is seldom like one with the same sentence; reposts are few
        length = max(5 * len(sentences[0]), len(chance.choice(self._pool)))
        while sum(map(len, sentences)) < length:
            filler = chance.choice(_SENTENCE.split(chance.choice(self._pool)))
            sentences.insert(chance.choice((0, len(sentences))), filler)
        return " ".join(sentences)

    def _is_new(self, number: int, text: str) -> bool:
        """Tell whether a post would not join the alert of one before; of ends it depends on when they are posted."""
        if features(text).is_end:
            return False
        post = ComparedPost(channel_id=number, post_key="m1", text=text, date=NOON, origin=(number, 1))
        self._memory.add(post)
        return not self._memory.similar(post)


@cache
def pool(seed: int) -> Sequence[str]:
    """Return the real posts, or as many of our own, of the same lengths."""
    try:
        return real_texts()
    except SkippedError:
        chance = Random(seed)  # noqa: S311 - a repeatable text is wanted
        return [_own(chance) for _ in range(13_000)]


def _own(chance: Random) -> str:
    """Write a post: a sentence by somebody who imitated channels, and others to its length."""
    on_topic, others = _written()
    at = chance.randrange(len(_LENGTHS) - 1)
    length = chance.randint(*_LENGTHS[at : at + 2])
    sentences = [chance.choice(on_topic if chance.random() < _ON_TOPIC else others)]
    while sum(map(len, sentences)) < length - 80:  # half of a sentence
        sentences.append(f"{chance.choice(_WHEN)} {chance.choice(_WHO)} {chance.choice(_DID)} {chance.choice(_WHAT)}.")
        if chance.random() < 0.5:
            sentences.append(chance.choice(_PART) + "\n")
    return " ".join(sentences)


@cache
def _written() -> tuple[list[str], list[str]]:
    """Return texts on a topic, and others."""
    rows = [json.loads(line) for line in _WRITTEN.read_text("utf-8").splitlines()]
    return [row["text"] for row in rows if row["topics"]], [row["text"] for row in rows if not row["topics"]]


@cache
def _cores() -> Sequence[str]:
    """Return what posts say of outages: the sentences in which the topic is found."""
    return [core for text in (*pool(1), *_written()[0]) if 0 < len(core := _core(text)) <= _LONGEST]


def _core(text: str) -> str:
    spans = _matcher().match(analyse(text)).get(TOPIC)
    if not spans:
        return ""
    first, last = spans[0][0], spans[-1][1]
    cuts = [0, *(cut.end() for cut in _SENTENCE.finditer(text)), len(text)]
    start = max(cut for cut in cuts if cut <= first)
    return text[start : min(cut for cut in cuts if cut >= last)].strip()


@cache
def _matcher() -> Matcher:
    query = next(topic.query for topic in builtin_topics() if topic.name == TOPIC)
    return Matcher({TOPIC: compile_query(parse(query), Inflector())})


def _is_outage(text: str) -> bool:
    return TOPIC in _matcher().match(analyse(text))
