"""The plain form of a text, by which tellings of a post are compared."""

import pytest

from bot.text.plain import plain_hash, plain_text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\xa0b\u202fc\u2007d", "a b c d"),
        ("  a \t\n b\u200e\u200f \n\n", "a\n b"),
        ("\ufeffa\ufeffb", "ab"),
        ("a  b\n\n\nc", "a  b\n\n\nc"),
        ("⌚️ 🧑\u200d💻 e\u0301", "⌚️ 🧑\u200d💻 e\u0301"),
        ("שלום\u200f!", "שלום\u200f!"),
        (" \xa0\n", ""),
    ],
    ids=["line breaks", "spaces", "ends", "byte order", "within", "emoji", "direction within", "nothing"],
)
def test_the_plain_form_keeps_the_words(text: str, plain: str) -> None:
    assert plain_text(text) == plain
    assert plain_hash(text) == plain_hash(plain)
    assert plain_text(plain) == plain


def test_other_words_have_another_hash() -> None:
    assert plain_hash("a") != plain_hash("b")
    assert len(plain_hash("\ud800")) == 32
