"""The full-text index: what a query needs is never more than what it finds."""

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matching.engine.compiled import necessary, verify
from bot.matching.words.tokens import analyse
from tests.matching.kit import compiled, posts, queries

_TABLE = """
CREATE VIRTUAL TABLE texts USING fts5(
    tokens, content='', detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars ''''"
)
"""


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(_TABLE)
    yield connection
    connection.close()


def _rows(index: sqlite3.Connection, texts: list[str], expression: str) -> set[int]:
    index.execute("BEGIN")
    for row, text in enumerate(texts):
        index.execute("INSERT INTO texts (rowid, tokens) VALUES (?, ?)", (row, analyse(text).indexed))
    rows = {row for (row,) in index.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (expression,))}
    index.execute("ROLLBACK")
    return rows


@given(query=queries, texts=st.lists(posts, max_size=5))
def test_every_find_is_among_the_candidates(index: sqlite3.Connection, query: str, texts: list[str]) -> None:
    expression = necessary(compiled(query))
    if expression is not None:
        finds = {row for row, text in enumerate(texts) if verify(compiled(query), analyse(text)) is not None}
        assert finds <= _rows(index, texts, expression)


@pytest.mark.parametrize(
    ("query", "candidate", "other"),
    [
        ("сбой", "о сбоях", "сборка"),
        ("импортозам*", "импортозаместили", "импорт"),
        ('"сбой в работе"', "в работе сбой", "сбой банка"),
        ("сбой ~3 банк", "сбой у всех, кроме одного из наших банков", "сбой"),
        ("сбой -учения", "учения: сбой", "учения"),
        ("сбой re:/x/", "сбой", "x"),
        ("зв'язок|м'яч", "зв’язку", "зв язок"),
        ("#сбой_втб", "#Сбой_ВТБ", "сбой втб"),
        ("@rkn_tg", "@rkn_tg", "rkn tg"),
        ("a, b", "b", "c"),
    ],
)
def test_candidates_are_few(index: sqlite3.Connection, query: str, candidate: str, other: str) -> None:
    expression = necessary(compiled(query))
    assert expression is not None
    assert _rows(index, [candidate, other], expression) == {0}


@pytest.mark.parametrize("query", ["re:/сбой/", "сбой, re:/сбой/", "大阪"])
def test_where_nothing_is_required_every_text_has_to_be_read(query: str) -> None:
    assert necessary(compiled(query)) is None
