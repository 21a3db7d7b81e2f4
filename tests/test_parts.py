from hypothesis import given
from hypothesis import strategies as st

from bot.parts import Part, PartKind, dump_parts, load_parts, split_spans, whole_text

TEXTS = st.text("аб \n🌲", max_size=12)
PARTS = st.lists(
    st.builds(Part, kind=st.sampled_from(PartKind), text=st.text("вг \n🌲", min_size=1, max_size=12)), max_size=4
).map(tuple)


@given(TEXTS, PARTS, st.lists(st.tuples(st.integers(0, 70), st.integers(1, 9)), max_size=6))
def test_what_is_found_in_the_whole_is_told_apart_to_the_letter(
    text: str, parts: tuple[Part, ...], places: list[tuple[int, int]]
) -> None:
    together = whole_text(text, parts)
    spans, end = [], 0
    for start, length in sorted(places):
        if max(start, end) < len(together):
            spans.append((max(start, end), min(max(start, end) + length, len(together))))
            end = spans[-1][1]
    own, beside = split_spans(text, parts, spans)
    found = [text[a:b] for a, b in own] + [each.part.text[a:b] for each in beside for a, b in each.spans]
    expected = [together[a:b] for a, b in spans]
    assert all(0 <= a < b <= len(text) for a, b in own)
    assert len("".join(expected)) - 2 * len(parts) <= len("".join(found)) <= len("".join(expected))
    if all("\n" not in words for words in expected):
        assert found == expected


@given(PARTS)
def test_parts_are_read_as_they_were_written(parts: tuple[Part, ...]) -> None:
    assert load_parts(dump_parts(parts)) == parts


def test_places_in_the_text_stay_what_they_are() -> None:
    assert whole_text("Сбой", (Part(kind=PartKind.POLL, text="Где?"),)).startswith("Сбой\n\n")
    assert whole_text("Сбой", ()) == "Сбой"
