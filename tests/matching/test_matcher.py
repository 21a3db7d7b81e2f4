"""Many queries at once: the matcher says what each query says alone, whatever was added and removed."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from bot.matching.matcher import Compiled, Match, Matcher, compile_query, verify
from bot.matching.query import parse
from bot.matching.text import Document, analyse
from tests.matching.kit import INFLECTOR, compiled, posts, queries

several = st.lists(queries, max_size=6, unique=True)
POST: Final = "Сбой у банка: не работают карты, #сбой_втб"


def _alone(sources: list[str], document: Document) -> tuple[Match, ...]:
    found = ((source, verify(compiled(source), document)) for source in sorted(sources))
    return tuple(Match(topic=source, spans=spans) for source, spans in found if spans is not None)


@given(several, posts)
def test_all_at_once_is_each_alone(sources: list[str], text: str) -> None:
    document = analyse(text)
    assert Matcher({source: compiled(source) for source in sources}).match(document) == _alone(sources, document)


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
    assert matcher.match(document) == _alone(list({*first, *added} - {*gone}), document)


def test_a_query_of_the_same_name_takes_the_place_of_the_first() -> None:
    matcher = Matcher({"topic": compiled("банк")})
    matcher.add("topic", compiled("карта"))
    (match,) = matcher.match(analyse(POST))
    assert [POST[start:end] for start, end in match.spans] == ["карты"]


def test_a_forgotten_query_leaves_nothing_behind() -> None:
    document = analyse(POST)
    matcher = Matcher({})
    for source in ("сбой", "сбой|карт* ~9 банк", "=Сбой", "re:/сбо./ -учения"):
        matcher.add(source, compiled(source))
        assert matcher.match(document)
        matcher.remove(source)
        assert matcher.match(document) == ()


def test_queries_that_ask_for_the_same_word_share_their_spans() -> None:
    matches = Matcher({"a": compiled("сбой"), "b": compiled("сбой"), "c": compiled("сбой банк")}).match(analyse(POST))
    assert [match.topic for match in matches] == ["a", "b", "c"]
    assert matches[0].spans is matches[1].spans


@given(queries, posts)
def test_a_query_kept_as_json_finds_the_same(source: str, text: str) -> None:
    restored = Compiled.from_json(compiled(source).to_json())
    assert restored == compiled(source)
    assert verify(restored, analyse(text)) == verify(compiled(source), analyse(text))


def test_kept_forms_are_used_as_they_are() -> None:
    kept = compile_query(parse("сбой"), INFLECTOR).to_json().replace("сбоями", "неполадками")
    assert verify(Compiled.from_json(kept), analyse("с неполадками")) == ((2, 13),)
