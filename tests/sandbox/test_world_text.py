import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types as tl

from bot.sandbox.world import Refused
from bot.sandbox.world.text import check_text, length, with_found_entities


def test_white_space_around_a_text_goes_and_its_entities_move() -> None:
    text, entities = check_text("  🔥 big news \n", [tl.MessageEntityBold(5, 8)], caption=False)
    assert text == "🔥 big news"
    assert [(entity.offset, entity.length) for entity in entities] == [(3, 8)]


def test_an_entity_of_nothing_but_outer_white_space_goes() -> None:
    assert check_text("  a", [tl.MessageEntityBold(0, 2)], caption=False) == ("a", [])


@pytest.mark.parametrize(
    ("offset", "size"),
    [(-1, 2), (0, -1), (2, 3), (1, 1), (0, 1)],
    ids=["before", "negative", "beyond", "starts inside 🔥", "ends inside 🔥"],
)
def test_an_entity_out_of_bounds_is_refused(offset: int, size: int) -> None:
    with pytest.raises(Refused, match="ENTITY_BOUNDS_INVALID"):
        check_text("🔥ab", [tl.MessageEntityBold(offset, size)], caption=False)


@pytest.mark.parametrize(
    ("units", "caption", "error"),
    [
        (4096, False, None),
        (4097, False, "MESSAGE_TOO_LONG"),
        (1024, True, None),
        (1025, True, "MEDIA_CAPTION_TOO_LONG"),
    ],
)
def test_length_is_counted_in_utf_16_units(units: int, *, caption: bool, error: str | None) -> None:
    text = "🔥" * (units // 2) + "a" * (units % 2)
    if error is None:
        assert check_text(text, [], caption=caption)[0] == text
    else:
        with pytest.raises(Refused, match=error):
            check_text(text, [], caption=caption)


def test_links_mentions_tags_and_commands_are_found() -> None:
    found = with_found_entities("🔥 /go@watch_bot @someone #тег https://e.org/a?b, 1/2", [])
    assert [(type(e), e.offset, e.length) for e in found] == [
        (tl.MessageEntityBotCommand, 3, 13),
        (tl.MessageEntityMention, 17, 8),
        (tl.MessageEntityHashtag, 26, 4),
        (tl.MessageEntityUrl, 31, 17),
    ]


def test_nothing_is_found_under_a_link_that_was_given() -> None:
    given = [tl.MessageEntityTextUrl(0, 8, "https://e.org")]
    assert with_found_entities("@someone", given) == given


@given(st.text(), st.integers(0, 20), st.integers(0, 20))
def test_a_checked_entity_lies_within_the_checked_text(text: str, offset: int, size: int) -> None:
    try:
        kept, entities = check_text(text, [tl.MessageEntityBold(offset, size)], caption=False)
    except Refused:
        return
    assert kept == kept.strip()
    assert all(0 <= e.offset < e.offset + e.length <= length(kept) for e in entities)
