"""Many queries at once: the matcher says what each query says alone, whatever was added and removed."""

from collections.abc import Iterable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matching.engine.compiled import Compiled, compile_query, verify
from bot.matching.engine.matcher import Matcher
from bot.matching.query.parser import parse
from bot.matching.words.tokens import Document, analyse
from tests.matching.kit import INFLECTOR, compiled, posts, queries

several = st.lists(queries, max_size=6, unique=True)
POST: Final = "Сбой у банка: не работают карты, #сбой_втб"


def _alone(sources: Iterable[str], document: Document) -> list[tuple[str, object]]:
    found = ((source, verify(compiled(source), document)) for source in sorted(sources))
    return [(source, spans) for source, spans in found if spans is not None]


def _found(matcher: Matcher, document: Document) -> list[tuple[str, object]]:
    return list(matcher.match(document).items())


@given(several, posts)
def test_all_at_once_is_each_alone(sources: list[str], text: str) -> None:
    document = analyse(text)
    assert _found(Matcher({source: compiled(source) for source in sources}), document) == _alone(sources, document)


@given(several, several, several, posts)
def test_adding_and_removing_leaves_what_is_left(
    first: list[str], added: list[str], gone: list[str], text: str
) -> None:
    matcher = Matcher({source: compiled(source) for source in first})
    for source in added:
        matcher.add(source, compiled(source))
    for source in gone:
        matcher.remove(source)
    document = analyse(text)
    assert _found(matcher, document) == _alone({*first, *added} - {*gone}, document)


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | queries), max_size=20), posts)
def test_after_any_changes_it_answers_like_a_fresh_one(changes: list[tuple[int, str | None]], text: str) -> None:
    matcher, kept = Matcher({}), dict[str, Compiled]()
    document = analyse(text)
    for number, source in changes:
        name = str(number)
        if source is None:
            matcher.remove(name)
            kept.pop(name, None)
        else:
            kept[name] = compiled(source)
            matcher.add(name, kept[name])
        assert _found(matcher, document) == _found(Matcher(kept), document)


def test_a_query_of_the_same_name_takes_the_place_of_the_first() -> None:
    matcher = Matcher({"topic": compiled("банк")})
    matcher.add("topic", compiled("карта"))
    ((start, end),) = matcher.match(analyse(POST))["topic"]
    assert POST[start:end] == "карты"


@pytest.mark.parametrize(
    "source",
    [
        "сбой",
        "карт*",
        "сбой|карт*",
        "сбой|карт* ~9 банк",
        "=Сбой",
        "банк -учения",
        "re:/сбо./ -учения",
        "вода, #сбой_втб",
    ],
)
def test_a_forgotten_query_leaves_nothing_behind(source: str) -> None:
    document = analyse(POST)
    matcher = Matcher({"other": compiled("вода|карта")})
    assert matcher.match(document).keys() == {"other"}
    matcher.add("topic", compiled(source))
    assert matcher.match(document).keys() == {"other", "topic"}
    matcher.remove("topic")
    assert matcher.match(document).keys() == {"other"}


def test_a_word_that_one_query_looks_for_in_vain_is_not_there_for_the_others() -> None:
    others = {str(number): compiled("приложение учения") for number in range(20)}
    matcher = Matcher({"near": compiled("сбой -(учения ~3 тревога)"), **others})
    assert matcher.match(analyse("Сбой: приложение недоступно")).keys() == {"near"}


def test_what_was_found_may_be_read_after_its_query_is_gone() -> None:
    matcher = Matcher({"word": compiled("сбой"), "phrase": compiled('"не работать"')})
    found = matcher.match(analyse(POST))
    matcher.remove("word")
    matcher.remove("phrase")
    assert {name: [POST[start:end] for start, end in spans] for name, spans in found.items()} == {
        "word": ["Сбой", "сбой"],
        "phrase": ["не работают"],
    }


def test_expressions_that_are_added_one_by_one_are_found_in_sets_and_out_of_them() -> None:
    matcher = Matcher({})
    for number in range(25):
        matcher.add(str(number), compiled(rf"re:/слово{number}\b/"))
        assert matcher.match(analyse("слово0 слово24")).keys() == ({"0", "24"} if number == 24 else {"0"})


@given(queries, posts)
def test_a_query_kept_as_json_finds_the_same(source: str, text: str) -> None:
    restored = Compiled.from_json(compiled(source).to_json())
    assert restored == compiled(source)
    assert verify(restored, analyse(text)) == verify(compiled(source), analyse(text))


def test_kept_forms_are_used_as_they_are() -> None:
    kept = compile_query(parse("сбой"), INFLECTOR).to_json().replace("сбоями", "неполадками")
    assert verify(Compiled.from_json(kept), analyse("с неполадками")) == ((2, 13),)


def test_a_query_whose_alternatives_share_a_word_can_be_taken_out_again() -> None:
    query = compile_query(parse('("нагрузочный узел"|"нагрузочный центр") сеть'), INFLECTOR)
    matcher = Matcher({"load": query})
    document = analyse("Сеть: нагрузочный центр")
    assert "load" in matcher.match(document)
    matcher.remove("load")
    assert "load" not in matcher.match(document)
    matcher.add("load", query)
    assert "load" in matcher.match(document)
