"""Explanations: they agree with what matches, and say which part failed and why."""

from collections.abc import Iterator

import pytest
from hypothesis import given

from bot.matching.engine.compiled import verify
from bot.matching.explain.explain import Clause, ClauseKind, Explanation, Reason, explain
from bot.matching.words.tokens import analyse
from tests.matching.kit import compiled, posts, queries, slug


def _explained(query: str, text: str) -> Explanation:
    return explain(compiled(query), analyse(text))


def _all(part: Clause) -> Iterator[Clause]:
    yield part
    for inside in part.clauses:
        yield from _all(inside)


def _pieces(part: Clause, text: str) -> list[str]:
    return [text[start:end] for start, end in part.spans]


@given(queries, posts)
def test_it_agrees_with_what_matches(source: str, text: str) -> None:
    explanation = _explained(source, text)
    spans = verify(compiled(source), analyse(text))
    assert explanation.matched == (spans is not None)
    assert explanation.spans == (spans or ())
    assert (explanation.missing == 0) == explanation.matched
    for part in _all(explanation.root):
        assert part.held == (part.reason is None) == (part.missing == 0)
        assert all(0 <= start < end <= len(text) for start, end in part.spans)


@given(queries, posts)
def test_each_part_agrees_with_itself_as_a_query(source: str, text: str) -> None:
    for part in _explained(source, text).root.clauses:
        if part.excluded and "sentence:" in source:
            continue  # it counts in the same sentences only
        alone = verify(compiled(f"({part.query})"), analyse(text))
        assert part.held == ((alone is None) if part.excluded else (alone is not None))


@pytest.mark.parametrize(
    ("query", "text", "reason", "missing"),
    [
        ("сбой", "всё работает", Reason.ABSENT, 1),
        ("=ПО", "едем по городу", Reason.ABSENT, 1),
        ("сбой банк", "сбой у оператора", Reason.ABSENT, 1),
        ("сбой банк карта", "у оператора", Reason.ABSENT, 3),
        ("сбой банк, свет", "сбой", Reason.ABSENT, 1),
        ("сбой -учения", "учения: сбой условный", Reason.EXCLUDED, 1),
        ("сбой -учения -тест", "учения: сбой и тест", Reason.EXCLUDED, 2),
        ("сбой -учения", "учения", Reason.ABSENT, 2),
        ('"сбой в работе"', "в работе сбой", Reason.APART, 1),
        ('"сбой в работе"', "работа", Reason.ABSENT, 2),
        ("сбой ~2 банк", "сбой.\n\nБанк", Reason.APART, 1),
        ("сбой ~2 банк", "банк", Reason.ABSENT, 1),
        ("сбой ~2 банк|карта", "вода", Reason.ABSENT, 2),
        ("сбой ~2 банк ~1 карта", "карта, сбой, у, них, банк", Reason.APART, 1),
        ("re:/сбо+й/ банк", "банк", Reason.ABSENT, 1),
    ],
    ids=slug,
)
def test_a_failure_says_why_and_how_much_is_missing(query: str, text: str, reason: Reason, missing: int) -> None:
    explanation = _explained(query, text)
    assert (explanation.root.reason, explanation.missing) == (reason, missing)


def test_every_part_is_told_as_the_bot_writes_it() -> None:
    root = _explained('сбой|перебой ~5 (интернет, связь) -учения "не работает"', "").root
    parts = [(part.query, part.kind, part.excluded) for part in _all(root)]
    assert parts == [
        ('(сбой|перебой) ~5 (интернет|связь) "не работает" -учения', ClauseKind.ALL, False),
        ("(сбой|перебой) ~5 (интернет|связь)", ClauseKind.NEAR, False),
        ("сбой|перебой", ClauseKind.ANY, False),
        ("сбой", ClauseKind.WORD, False),
        ("перебой", ClauseKind.WORD, False),
        ("интернет|связь", ClauseKind.ANY, False),
        ("интернет", ClauseKind.WORD, False),
        ("связь", ClauseKind.WORD, False),
        ('"не работает"', ClauseKind.PHRASE, False),
        ('"не"', ClauseKind.WORD, False),
        ('"работает"', ClauseKind.WORD, False),
        ("учения", ClauseKind.WORD, True),
    ]


def test_words_that_stand_too_far_apart_are_shown() -> None:
    text = "Интернет у нас вчера вечером отключили"
    explanation = _explained("отключить ~2 интернет", text)
    assert explanation.spans == ()
    assert _pieces(explanation.root, text) == ["Интернет", "отключили"]
    assert [_pieces(part, text) for part in explanation.root.clauses] == [["отключили"], ["Интернет"]]


def test_an_exclusion_shows_what_it_found() -> None:
    text = "Сбой был частью учений"
    explanation = _explained("сбой -учения", text)
    found, excluded = explanation.root.clauses
    assert (found.held, _pieces(found, text)) == (True, ["Сбой"])
    assert (excluded.held, excluded.reason, _pieces(excluded, text)) == (False, Reason.EXCLUDED, ["учений"])


def test_what_matches_shows_each_part() -> None:
    text = "О сбое в банке"
    explanation = _explained("сбой банк -учения", text)
    assert explanation.matched
    assert [_pieces(part, text) for part in explanation.root.clauses] == [["сбое"], ["банке"], []]
