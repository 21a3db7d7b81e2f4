from hypothesis import given
from hypothesis import strategies as st

from bot.parts import Aside, AsideKind, from_json, split, to_json, whole

TEXTS = st.text("аб \n🌲", max_size=12)
ASIDES = st.lists(
    st.builds(Aside, kind=st.sampled_from(AsideKind), text=st.text("вг \n🌲", min_size=1, max_size=12)), max_size=4
).map(tuple)


@given(TEXTS, ASIDES, st.lists(st.tuples(st.integers(0, 70), st.integers(1, 9)), max_size=6))
def test_what_is_found_in_the_whole_is_told_apart_to_the_letter(
    text: str, asides: tuple[Aside, ...], places: list[tuple[int, int]]
) -> None:
    together = whole(text, asides)
    spans, end = [], 0
    for start, length in sorted(places):
        if max(start, end) < len(together):
            spans.append((max(start, end), min(max(start, end) + length, len(together))))
            end = spans[-1][1]
    own, beside = split(text, asides, spans)
    found = [text[a:b] for a, b in own] + [each.aside.text[a:b] for each in beside for a, b in each.spans]
    expected = [together[a:b] for a, b in spans]
    assert all(0 <= a < b <= len(text) for a, b in own)
    assert len("".join(expected)) - 2 * len(asides) <= len("".join(found)) <= len("".join(expected))
    if all("\n" not in words for words in expected):
        assert found == expected


@given(ASIDES)
def test_asides_are_read_as_they_were_written(asides: tuple[Aside, ...]) -> None:
    assert from_json(to_json(asides)) == asides


def test_places_in_the_text_stay_what_they_are() -> None:
    assert whole("Сбой", (Aside(kind=AsideKind.POLL, text="Где?"),)).startswith("Сбой\n\n")
    assert whole("Сбой", ()) == "Сбой"
