import pytest

from bot.commands.parsing import read_references


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("@MID_Russia", ["@mid_russia"]),
        ("mid_russia rkn_tg", ["@mid_russia", "@rkn_tg"]),
        ("@mid_russia, @rkn_tg;@mintsifry", ["@mid_russia", "@rkn_tg", "@mintsifry"]),
        ("https://t.me/mid_russia/123 https://t.me/+AbCdEfGhIjKl", ["@mid_russia", "+AbCdEfGhIjKl"]),
        ("1. Foreign Ministry – @mid_russia\n2) Министерство @mintsifry (связь)", ["@mid_russia", "@mintsifry"]),
        ("@rkn_tg\n@RKN_TG", ["@rkn_tg"]),
        ("-1001234567890", ["1234567890"]),
        ("t.me/mid_russia.", ["@mid_russia"]),
        ("Связь web.telegram.org/k/#@mintsifry, web.telegram.org/a/#-1001234567890", ["@mintsifry", "1234567890"]),
    ],
)
def test_a_pasted_list_is_read(text: str, references: list[str]) -> None:
    pasted = read_references(text)
    assert list(pasted.references) == references
    assert pasted.unclear == ()


def test_a_title_beside_a_name_is_not_taken_for_a_channel() -> None:
    assert read_references("Ministry of Foreign Affairs @mfa_russia").references == ("@mfa_russia",)


def test_what_is_no_channel_is_handed_back_as_it_was_typed() -> None:
    pasted = read_references("@rkn_tg https://example.org/news\nМинистерство")
    assert pasted.references == ("@rkn_tg",)
    assert pasted.unclear == ("https://example.org/news", "Министерство")


def test_links_behind_words_count() -> None:
    pasted = read_references("МИД России", ["https://t.me/MID_Russia", "https://example.org"])
    assert pasted.references == ("@mid_russia",)
    assert pasted.unclear == ()


def test_a_title_of_several_words_is_not_taken_for_names() -> None:
    pasted = read_references("MID Russia\nmintsifry")
    assert pasted.references == ("@mintsifry",)
    assert pasted.unclear == ("MID", "Russia")


def test_talk_names_only_what_is_written_as_a_name_or_a_link() -> None:
    assert read_references("hello everybody", explicit_only=True).references == ()
    assert read_references("hello @agency", explicit_only=True).references == ("@agency",)
