import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.references import comment_number, normalise_reference, post_number


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("@MID_Russia", "@mid_russia"),
        ("MID_Russia", "@mid_russia"),
        (" @rkn_tg, ", "@rkn_tg"),
        ("t.me/rkn_tg", "@rkn_tg"),
        ("T.me/rkn_tg", "@rkn_tg"),
        ("https://t.me/rkn_tg/123?single", "@rkn_tg"),
        ("http://www.t.me/s/rkn_tg?before=9", "@rkn_tg"),
        ("https://telegram.me/rkn_tg/", "@rkn_tg"),
        ("https://rkn_tg.t.me", "@rkn_tg"),
        ("tg://resolve?domain=RKN_tg&post=5", "@rkn_tg"),
        ("t.me/+AbC-d_12345xyz", "+AbC-d_12345xyz"),
        ("https://t.me/joinchat/AbC-d_12345xyz", "+AbC-d_12345xyz"),
        ("+AbC-d_12345xyz", "+AbC-d_12345xyz"),
        ("tg://join?invite=AbC-d_12345xyz", "+AbC-d_12345xyz"),
        ("https://t.me/c/1234567/89", "1234567"),
        ("tg://privatepost?channel=1234567&post=8", "1234567"),
        ("t.me/addlist/AbC-d_12345xyz", "addlist/AbC-d_12345xyz"),
        ("tg://addlist?slug=AbC-d_12345xyz", "addlist/AbC-d_12345xyz"),
        ("addlist/AbC-d_12345xyz", "addlist/AbC-d_12345xyz"),
        ("t.me/addlist/", None),
        ("t.me/boost/rkn_tg", "@rkn_tg"),
        ("https://t.me/boost?c=1234567", "1234567"),
        ("t.me/rkn_tg?boost", "@rkn_tg"),
        ("tg://boost?domain=rkn_tg", "@rkn_tg"),
        ("https://web.telegram.org/k/#@rkn_tg", "@rkn_tg"),
        ("web.telegram.org/a/#-1001234567890", "1234567890"),
        ("https://web.telegram.org/a/#-1001234567890_42", "1234567890"),
        ("https://web.telegram.org/k/#-1234567890", "1234567890"),
        ("https://web.telegram.org/k/#-1001234567", "1001234567"),
        ("https://web.telegram.org/a/#1234567890", None),
        ("https://web.telegram.org/a/", None),
        ("t.me/boost", None),
        ("-1001234567", "1234567"),
        ("1234567", "1234567"),
        ("Просто слова", None),
        ("two words", None),
        ("https://example.org/rkn_tg", None),
        ("https://t.me/", None),
        ("t.me/c/", None),
        ("@abc", None),
        ("@1abcdef", None),
        ("-5", None),
        ("", None),
        ("https://[", None),
        ("tg://settings", None),
    ],
)
def test_what_people_paste_names_a_channel(typed: str, expected: str | None) -> None:
    assert normalise_reference(typed) == expected


@given(st.text() | st.text("t.me/+@-c0123456789abSs:/?=").map(lambda tail: f"https://t.me/{tail}"))
def test_a_reference_is_its_own_normal_form(typed: str) -> None:
    reference = normalise_reference(typed)
    assert reference is None or normalise_reference(reference) == reference


@pytest.mark.parametrize(
    ("link", "post", "comment"),
    [
        ("https://t.me/rkn_tg/123", 123, None),
        ("https://t.me/rkn_tg/123?comment=456", 123, 456),
        ("t.me/c/1234567/89?comment=5", 89, 5),
        ("https://t.me/rkn_tg/s/7", -7, None),
        ("https://t.me/s/rkn_tg/7", 7, None),
        ("https://t.me/rkn_tg", None, None),
    ],
)
def test_a_link_names_a_post_a_comment_or_a_story(link: str, post: int | None, comment: int | None) -> None:
    assert (post_number(link), comment_number(link)) == (post, comment)
