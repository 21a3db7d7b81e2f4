"""Hints: the pairs of verbs, names and readings that people forget, and silence about everything else."""

import pytest
from hypothesis import given

from bot.matching.explain.hints import MOST_HINTS, HintKind, hints
from bot.matching.query.parser import parse
from bot.matching.words.aspects import partner
from tests.matching.kit import INFLECTOR, queries

_PAIRS = """
отключить отключать
подключить подключать
заблокировать блокировать
взломать взламывать
восстановить восстанавливать
замедлить замедлять
ограничить ограничивать
прекратить прекращать
запретить запрещать
приостановить приостанавливать
обесточить обесточивать
упасть падать
лечь ложиться
рухнуть рушиться
зависнуть зависать
сломать ломать
сломаться ломаться
отвалиться отваливаться
пропасть пропадать
заглушить глушить
оштрафовать штрафовать
починить чинить
вернуть возвращать
ввести вводить
перейти переходить
отозвать отзывать
внедрить внедрять
заместить замещать
импортозаместить импортозамещать
протестировать тестировать
оборваться обрываться
відключити відключати
вимкнути вимикати
заблокувати блокувати
обмежити обмежувати
відновити відновлювати
пошкодити пошкоджувати
"""


@pytest.mark.parametrize(("perfective", "imperfective"), [line.split() for line in _PAIRS.strip().splitlines()])
def test_verbs_lead_to_their_partners(perfective: str, imperfective: str) -> None:
    assert partner(perfective, INFLECTOR.known) == imperfective
    assert partner(imperfective, INFLECTOR.known) == perfective


@pytest.mark.parametrize(
    "verb",
    [
        "работать",
        "сбоить",
        "лежать",
        "жить",
        "быть",
        "мочь",
        "хотеть",
        "атаковать",
        "использовать",
        "эвакуировать",
        "стать",
        "пойти",
        "глючить",
        "лагать",
        "чебурнеть",
        "отсутствовать",
        "сообщить-ка",
        "працювати",
        "2022",
        "outage",
    ],
)
def test_verbs_without_a_partner_have_none(verb: str) -> None:
    assert partner(verb, INFLECTOR.known) is None


@pytest.mark.parametrize(
    ("query", "kind", "word", "also"),
    [
        ("отключить интернет", HintKind.ASPECT, "отключить", ("отключать",)),
        ("отключен", HintKind.ASPECT, "отключен", ("отключать",)),
        ("сеть ~5 (упала, лежит)", HintKind.ASPECT, "упала", ("падать",)),
        ("отключать", HintKind.ACTION, "отключать", ("отключение",)),
        ("отключение воды", HintKind.ACTION, "отключение", ("отключить", "отключать")),
        ("блокировка", HintKind.ACTION, "блокировка", ("заблокировать", "блокировать")),
        ("телеграм", HintKind.ALPHABETS, "телеграм", ("telegram",)),
        ("MTC", HintKind.ALPHABETS, "mtc", ("мтс",)),
        ("МАХ", HintKind.EXACT, "мах", ("=МАХ|=MAX",)),
        ("MAX", HintKind.EXACT, "max", ("=МАХ|=MAX",)),
        ("ПО импортозамещение", HintKind.EXACT, "по", ("=ПО",)),
        ("банки", HintKind.READINGS, "банки", ()),
        ("сбой или авария", HintKind.OPERATOR, "или", ("|",)),
        ("Сбой Или Авария", HintKind.OPERATOR, "или", ("|",)),
        ("СБОЙ ИЛИ АВАРИЯ", HintKind.OPERATOR, "или", ("|",)),
        ("VPN OR ВПН", HintKind.OPERATOR, "or", ("|",)),
        ("re:/сбой/ ИЛИ БАНК", HintKind.OPERATOR, "или", ("|",)),
        ("outage and bank, down", HintKind.OPERATOR, "and", ("&",)),
    ],
)
def test_a_query_is_told_what_else_it_may_mean(query: str, kind: HintKind, word: str, also: tuple[str, ...]) -> None:
    assert [(hint.word, hint.also) for hint in hints(parse(query), INFLECTOR) if hint.kind is kind] == [(word, also)]


@pytest.mark.parametrize(
    "query",
    [
        "суд",
        "чебурнет",
        "интернет связь сайт госуслуги",
        "мобильный",
        "приложение",
        "население",
        "outage",
        "=МАХ|=MAX",
        "отключ*",
        "сайт ИЛИ суд",
        "=ПО ИЛИ =ИТ",
        "или",
        "«и или»",
        "отключить|отключать|отключение",
        "сбой|сбоить -отключить",
        '"отключить свет"',
        "#телеграм @telegram",
        "re:/отключить/",
    ],
)
def test_what_is_clear_is_no_matter_for_hints(query: str) -> None:
    assert hints(parse(query), INFLECTOR) == ()


def test_a_word_of_several_readings_shows_them() -> None:
    (hint,) = hints(parse("банки"), INFLECTOR)
    assert hint.finds == ("банк", "банка")


@given(queries)
def test_hints_are_few_and_can_be_typed(source: str) -> None:
    found = hints(parse(source), INFLECTOR)
    assert len(found) <= MOST_HINTS
    for hint in found:
        assert hint.finds
        assert all(parse(f"сбой {each} банк") for each in hint.also)
