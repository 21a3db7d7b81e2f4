from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.excerpts import cut_excerpt
from bot.text.spans import merge_spans, subtract_spans

LONG = "Днём на узле связи в городе случился сбой, из-за которого не работали банки, и чинили его до вечера"
SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).filter(lambda span: span[0] < span[1]), max_size=9)


def marked(text: str, word: str, *, room: int = 60, one_sentence: bool = False) -> str:
    start = text.index(word)
    line, spans = cut_excerpt(text, [(start, start + len(word))], room=room, one_sentence=one_sentence)
    for first, last in reversed(spans):
        line = f"{line[:first]}[{line[first:last]}]{line[last:]}"
    return line


@pytest.mark.parametrize(
    ("text", "one_sentence", "shown"),
    [
        ("Был сбой.\nУже чинят.", False, "Был [сбой]. Уже чинят."),
        ("Был сбой.\nУже чинят.", True, "Был [сбой]."),
        ("Всем привет! Был сбой. Уже чинят.", True, "Был [сбой]."),
        ("Всем привет! Был сбой. Уже чинят.", False, "…Был [сбой]. Уже чинят."),
        (LONG, True, "…узле связи в городе случился [сбой], из-за которого не…"),
        (f"Утром. {LONG}", False, "…узле связи в городе случился [сбой], из-за которого не…"),
    ],
)
def test_an_excerpt_begins_with_the_sentence_of_the_match_or_near_it(
    *, text: str, one_sentence: bool, shown: str
) -> None:
    assert marked(text, "сбой", one_sentence=one_sentence) == shown


@given(st.text(st.sampled_from("аб \n😀"), max_size=900), st.data())
def test_an_excerpt_shows_the_first_span_whatever_the_text(words: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words)))
    end = data.draw(st.integers(start, min(len(words), start + 20)))
    spans = [(start, end)] if start < end else []
    shown, kept = cut_excerpt(words, spans, room=280)
    assert len(shown) <= 282
    assert "\n" not in shown
    if spans:
        a, b = kept[0]
        assert shown[a:b] == words[start:end].replace("\n", " ")[: b - a]
        assert a < b


@given(SPANS, st.integers(0, 3))
def test_merged_spans_lie_apart_and_cover_what_lay_near(spans: list[tuple[int, int]], apart: int) -> None:
    merged = merge_spans(spans, apart=apart)
    assert all(other[0] - one[1] > apart for one, other in pairwise(merged))
    assert all(any(first <= start and end <= last for first, last in merged) for start, end in spans)
    assert {start for start, _ in merged} <= {start for start, _ in spans}
    assert {end for _, end in merged} <= {end for _, end in spans}


@given(SPANS)
def test_a_span_without_holes_is_what_they_leave(holes: list[tuple[int, int]]) -> None:
    left = {place for start, end in subtract_spans((10, 40), sorted(holes)) for place in range(start, end)}
    assert left == set(range(10, 40)) - {place for start, end in holes for place in range(start, end)}
