"""Regular expressions: Unicode classes and boundaries in linear time."""

import gc
import re
import time
import weakref

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.matching.engine.regex import program
from bot.matching.engine.regex_set import RegexSet
from tests.matching.kit import posts


def _found(source: str, text: str) -> list[str]:
    return [text[start:end] for start, end in program(source).spans(text)]


@pytest.mark.parametrize(
    ("source", "text", "pieces"),
    [
        ("сбо+й", "СбоООй", ["СбоООй"]),
        (r"\bсбой\b", "сбой, сбойка, 😀сбой", ["сбой", "сбой"]),
        (r"\bсбо\w+ \w+\b", "о сбоях связи.", ["сбоях связи"]),
        (r"по\b.*\bплану", "по-моему, плану", ["по-моему, плану"]),
        (r"\d+", "в 15:40 и ٣", ["15", "40", "٣"]),
        (r"\bв\s\w", "и в\u00a0доме", ["в\u00a0д"]),
        (r"[\w-]+\.рф", "наш-сайт.рф", ["наш-сайт.рф"]),
        (r"[^\w\s]+", "а!? б", ["!?"]),
        (r"\b[^\W\d]+\b", "abc 123 где", ["abc", "где"]),
        (r"[\s\S]б", "а\nб", ["\nб"]),
        (r"(?s)а.б", "а\nб", ["а\nб"]),
        (r"\bа.б", "а\nб, а-б", ["а-б"]),
        (r"\b.\b", "0😀сбой", ["0", "😀"]),
        (r"\bсбой$", "был сбой", ["сбой"]),
        (r"^\bбыл\b", "был сбой", ["был"]),
        (r"(?i:ДА)\b|нет\b", "да и нет", ["да", "нет"]),
        (r"(?P<a>ау)\b", "ау", ["ау"]),
        (r"\x{441}бой\b", "сбой", ["сбой"]),
        (r"\p{Lu}\b", "a Б", ["a", "Б"]),
        (r"[[:digit:]]{2,}\b", "7 и 77", ["77"]),
        (r"а\.б\b", "а.б ааб", ["а.б"]),
        (r"\S+\b", "  раз  ", ["раз"]),
        (r"\D\b", "1а", ["а"]),
        ("😀", "вот 😀", ["😀"]),
        ("б", "\ud800б", ["б"]),
    ],
)
def test_an_expression_finds(source: str, text: str, pieces: list[str]) -> None:
    assert _found(source, text) == pieces


@given(st.lists(st.sampled_from([r"\b", r"\w", r"\d", r"\s", "а", "б", " ", ".", "[аб]", "[^а]"]), max_size=6), posts)
def test_boundaries_and_classes_are_those_of_unicode(parts: list[str], text: str) -> None:
    # Python's own engine is the reference; a pattern that takes no character is refused, and has no place here
    assume(set(parts) - {r"\b"})
    source = "".join(part for part, before in zip(parts, ["", *parts], strict=False) if part != before or part != r"\b")
    text = re.sub(r"[^\w\n .,!😀-]", "", text)
    expected = [found.span() for found in re.finditer(source, text, re.IGNORECASE)]
    assert program(source).spans(text) == expected[:50]


@pytest.mark.parametrize("source", [r"(а+)+$", r"^(\w+\s?)*$", r"(x+x+)+y", r"(.*)*сбой$", r"(\bа+\b)+!"])
def test_no_expression_hangs(source: str) -> None:
    begun = time.process_time()
    program(source).spans("а" * 5000 + "x" * 5000)
    assert time.process_time() - begun < 1


@given(
    st.lists(st.sampled_from(["сбой", r"\bсбой", "б.н", r"\w+й\b", "x", "по", "[а-г]{2}", r"\bнет"]), unique=True),
    posts,
)
def test_a_set_says_what_each_expression_says(sources: list[str], text: str) -> None:
    programs = RegexSet()
    for source in sources:
        programs.add(source)
        programs.pack(at_least=3)
    alone = {source: program(source).spans(text) for source in sources}
    assert programs.spans(text) == {source: spans for source, spans in alone.items() if spans}


def test_a_removed_expression_is_silent() -> None:
    programs = RegexSet()
    for source in ("сбой", "сбой", r"\bсбой"):
        programs.add(source)
        programs.pack()
    programs.remove("сбой")
    assert programs.spans("сбой").keys() == {"сбой", r"\bсбой"}
    programs.remove("сбой")
    assert programs.spans("сбой").keys() == {r"\bсбой"}
    programs.add("сбой")
    assert programs.spans("сбой").keys() == {"сбой", r"\bсбой"}


def test_hundreds_of_expressions_fit_into_sets() -> None:
    programs = RegexSet()
    for number in range(250):
        programs.add(rf"\bслово{number}\b")
    programs.pack()
    assert set(programs.spans("вот слово7 и слово249")) == {r"\bслово7\b", r"\bслово249\b"}


def test_a_program_lives_as_long_as_somebody_holds_it() -> None:
    programs = RegexSet()
    programs.add("держится")
    kept = weakref.ref(program("держится"))
    for number in range(20):  # more than is kept for nobody
        program(rf"\w{{1,35}}{number}")
    first = weakref.ref(program(r"\w{1,35}0"))
    assert kept() is program("держится")
    programs.remove("держится")
    for number in range(20, 40):
        program(rf"\w{{1,35}}{number}")
    gc.collect()
    assert kept() is None
    assert first() is None


def test_a_set_that_is_mostly_forgotten_is_given_up() -> None:
    programs = RegexSet()
    for number in range(10):
        programs.add(f"слово{number}")
    programs.pack()
    for number in range(9):
        programs.remove(f"слово{number}")
    assert programs.spans("слово3 слово9").keys() == {"слово9"}
    programs.pack()
    assert programs.spans("слово3 слово9").keys() == {"слово9"}


@pytest.mark.parametrize(
    "source", ["сбой.{0,400}банк", "[а-я ]{1,501}ъ", "((аб){1,10}в){1,20}", r"\{1,1000\}", "[{1,1000}]", "аб+в*"]
)
def test_repetitions_that_a_post_can_bear_are_allowed(source: str) -> None:
    assert program(source).source == source
