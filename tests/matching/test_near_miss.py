import sqlite3

import pytest
from hypothesis import given, settings

from bot.matching.engine.compiled import necessary
from bot.matching.explain.explain import explain
from bot.matching.explain.near_miss import failures, holders, is_near_miss, relaxed
from bot.matching.words.tokens import analyse
from tests.matching.kit import compiled, posts, queries, slug


@pytest.mark.parametrize(
    ("query", "text", "failed", "counts"),
    [
        ("сбой банк", "сбой у оператора", ["банк"], True),
        ("сбой банк", "погода", ["сбой", "банк"], False),
        ("сбой", "погода", ["сбой"], False),
        ("сбой, авария", "погода", ["сбой|авария"], False),
        ("сбой ~3 банк|касса", "сбой у оператора", ["банк|касса"], True),
        ("сбой ~1 банк", "сбой во вчерашнем банке", ["сбой ~1 банк"], True),
        ("сбой ~1 банк -учения", "сбой во вчерашнем банке, учения", ["сбой ~1 банк", "учения"], False),
        ("сбой -учения", "учения: сбой", ["учения"], True),
        ("сбой -(учения|тест)", "учения: сбой", ["учения|тест"], True),
        ('"не работает" сайт', "не ходите на сайт", ['"не работает"'], True),
        ('"не работает"', "не ходите на сайт", ['"не работает"'], False),
        ('"не работает"', "работает, не бойтесь", ['"не работает"'], True),
        ("авария вода город, сбой банк", "сбой в городе", ["банк"], True),
        ("пожар, сбой банк", "сбой в городе", ["банк"], True),
        ("сбой банк", "сбой банка", [], False),
    ],
    ids=slug,
)
def test_what_would_have_to_change_is_that_of_the_nearest_alternative(
    query: str, text: str, failed: list[str], *, counts: bool
) -> None:
    root = explain(compiled(query), analyse(text)).root
    assert [part.query for part in failures(root)] == failed
    assert is_near_miss(root) == counts


@pytest.mark.parametrize(
    ("query", "text", "held"),
    [
        ("сбой банк -учения", "сбой банка", ["сбой", "банк"]),
        ("сбой, банк, авария", "сбой банка", ["сбой", "банк"]),
        ("сбой ~3 банк|касса", "сбой в кассе", ["сбой ~3 (банк|касса)"]),
        ("сбой ~3 банк|касса", "сбой", ["сбой"]),
        ("сбой банк авария, погода день", "день сбоя банка", ["сбой", "банк"]),
        ("сбой -банк", "сбой банка", ["сбой"]),
        ("сбой -банк", "банк", []),
        ("сбой -(банк касса)", "банк касса", []),
        ("сбой, банк", "погода", []),
    ],
    ids=slug,
)
def test_what_holds_is_told_by_its_parts(query: str, text: str, held: list[str]) -> None:
    root = explain(compiled(query), analyse(text)).root
    assert [part.query for part in holders(root)] == held


@pytest.mark.parametrize("query", ["сбой", '"не работает"', "сбой, авария", "сбой|авария", "re:/сбо+й/"], ids=slug)
def test_what_every_post_misses_by_one_is_not_looked_for(query: str) -> None:
    assert relaxed(compiled(query).plan) is None


def test_for_a_very_long_query_no_expression_is_made() -> None:
    assert relaxed(compiled("сбой банк " * 5).plan) is not None
    assert relaxed(compiled("сбой банк " * 400).plan) is None


@settings(max_examples=300, deadline=None)
@given(queries, posts)
def test_a_near_miss_is_found_by_the_relaxed_query_or_by_the_query_itself(source: str, text: str) -> None:
    query, document = compiled(source), analyse(text)
    root = explain(query, document).root
    if root.held or not is_near_miss(root) or "re:" in source:
        return
    index = sqlite3.connect(":memory:")
    index.execute(
        """CREATE VIRTUAL TABLE t USING fts5(words, detail = none, columnsize = 0,
        tokenize = "unicode61 remove_diacritics 0 tokenchars ''''")"""
    )
    index.execute("INSERT INTO t VALUES (?)", (document.indexed,))
    # what is excluded, or too far apart, has all the words of the query
    expressions = [relaxed(query.plan), necessary(query)]
    found = [index.execute("SELECT 1 FROM t WHERE t MATCH ?", (e,)).fetchall() for e in expressions if e]
    index.close()
    assert any(found) or necessary(query) is None
