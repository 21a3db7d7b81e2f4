"""A quick look lets every find pass, and little else."""

import pytest
from hypothesis import example, given

from bot.matching.engine.compiled import verify
from bot.matching.engine.token_filter import TokenFilter
from bot.matching.words.tokens import analyse
from tests.matching.kit import compiled, posts, queries


def passes(query: str, text: str, *, with_text: bool = True) -> bool:
    return TokenFilter(compiled(query)).passes(analyse(text).indexed, text if with_text else None)


@given(query=queries, text=posts)
@example(query="сбой ~2 сбой", text="сбой, сбой")
@example(query='"сбой сети"', text="#СбойСети")
@example(query="(сбой ~2 сеть) ~2 банк", text="сбой сети https://x.ru/a банка")
@example(query="сбой ~3 банк", text="сбой " * 300 + "банк")
def test_whatever_is_found_has_passed(query: str, text: str) -> None:
    if verify(compiled(query), analyse(text)) is not None:
        assert passes(query, text)
        assert passes(query, text, with_text=False)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('"сбой сети"', "сбой большой сети"),
        ('"сбой сети"~2', "сети и сбой"),
        ("сбой ~2 сеть", "сбой в большой новой сети"),
        ("сбой ~5 сбой", "сбой один"),
        ("(сбой|авария) ~1 сеть", "сбой у сети и авария"),
        ("сбой re:/b{2}/", "сбой abc"),
        ('"сбой сети", re:/b{2}/', "сеть и сбой abc"),
        ('"сбой сети"  -банк', "сеть и сбой"),
    ],
)
def test_words_apart_are_turned_away(query: str, text: str) -> None:
    assert not passes(query, text)
