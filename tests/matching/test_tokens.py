"""Texts as tokens: laws on folding, places and offsets."""

import pytest
from hypothesis import example, given

from bot.matching.words.tokens import WALL, analyse, site_token
from tests.matching.kit import posts


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("СБОЙ", id="capitals"),
        pytest.param("🔥сбой🔥", id="emoji glued on"),
        pytest.param("«сбой»", id="quotes"),
        pytest.param("был\u00a0сбой", id="no-break space"),
        pytest.param("Вечер.Сбой", id="no space after a dot"),
        pytest.param("cбoй", id="Latin look-alikes"),
        pytest.param("CБOЙ", id="Latin capitals that look alike"),
        pytest.param("cбoи\u0306", id="more Latin look-alikes than letters of its own"),
        pytest.param("сб0й", id="a digit for a letter"),
        pytest.param("с\u00adб\u00adой", id="soft hyphens"),
        pytest.param("сб\u200bой", id="zero-width space"),
        pytest.param("сб\u200dой", id="zero-width joiner"),
        pytest.param("сб\u2060ой", id="word joiner"),
        pytest.param("\ufeffсб\ufeffой", id="byte order marks"),
        pytest.param("сбо\u0301й", id="stress mark"),
        pytest.param("сбои\u0306", id="decomposed й"),
        pytest.param("сбо\u0301и\u200b\u0306", id="all of these at once"),
        pytest.param("#сбой", id="tag"),
        pytest.param("#сбой_ВТБ", id="snake_case tag"),
        pytest.param("#МассовыйСбой", id="CamelCase tag"),
        pytest.param("#ВТБСбой", id="tag with an acronym"),
        pytest.param("авиа-сбой", id="after a hyphen"),
        pytest.param("крупный_сбой", id="after an underscore"),
    ],
)
def test_a_word_is_the_same_however_it_is_written(written: str) -> None:
    assert "сбой" in analyse(written).tokens


@pytest.mark.parametrize(
    ("written", "token"),
    [
        pytest.param("лёг", "лег", id="ё"),
        pytest.param("м’яч", "м'яч", id="typographic apostrophe"),
        pytest.param("зв\u02bcязок", "зв'язок", id="modifier apostrophe"),
        pytest.param("ｏｕｔａｇｅ", "outage", id="fullwidth letters"),
        pytest.param("𝐨𝐮𝐭𝐚𝐠𝐞", "outage", id="mathematical letters"),
        pytest.param("Metа", "meta", id="Cyrillic look-alike in a Latin word"),
        pytest.param("Гocycлyги", "госуслуги", id="mostly Latin look-alikes, but letters that are Cyrillic only"),
        pytest.param("BTБ", "втб", id="one letter that is Cyrillic only"),
        pytest.param("AЭC", "аэс", id="a Cyrillic letter between Latin ones"),
        pytest.param("cetь", "сеть", id="a soft sign after Latin letters"),
        pytest.param("РауРаl", "paypal", id="one letter that is Latin only"),
        pytest.param("м\u00b4яч", "м'яч", id="acute accent as an apostrophe"),
        pytest.param("don\u2032t", "don't", id="prime as an apostrophe"),
        pytest.param("вiдключення", "відключення", id="Latin i in a Ukrainian word"),
        pytest.param("İnternet", "internet", id="capital that becomes two characters"),
        pytest.param("don't", "don't", id="apostrophe inside"),
    ],
)
def test_letters_are_folded(written: str, token: str) -> None:
    assert analyse(written).tokens == [token]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("https://kod.ru/сбой-shutdown", id="link"),
        pytest.param("kod.ru/mobile-сбой", id="link without a scheme"),
        pytest.param("www.сбой.рф", id="www"),
        pytest.param("сбой.рф", id="site"),
        pytest.param("(сбой.ru)", id="Cyrillic site in Latin"),
        pytest.param("на сбой.рф/путь, ещё", id="Cyrillic site with a path"),
        pytest.param("пример.рф/сбой", id="path of a Cyrillic site"),
        pytest.param("x.com?q=сбой", id="what a site is asked"),
        pytest.param("x.com:80/сбой", id="path behind a port"),
        pytest.param("https://x.ru и сбой-карта.ru.", id="site at the end of a sentence"),
        pytest.param("@сбой_канал", id="mention"),
        pytest.param("пишите на сбой@mail.ru", id="address"),
        pytest.param("сборка", id="another word of the same beginning"),
        pytest.param("сбойка", id="a longer word"),
        pytest.param("с б о й", id="spaced out"),
    ],
)
def test_what_is_no_such_word_is_no_such_token(written: str) -> None:
    assert "сбой" not in analyse(written).tokens


@pytest.mark.parametrize(
    "written", ["outage.com", "Outage.com", "outage-news.com", "x.com?outage=1", "x.com:80/outage", "my.outage.co.uk"]
)
def test_words_of_an_english_site_do_not_count(written: str) -> None:
    assert "outage" not in analyse(f"See {written}, now").tokens


@pytest.mark.parametrize(
    "written",
    ["сбой.Россия", "сбой.Ru", "сбой.net", "сбой.рф-канал", "сбой.русские", "1.сбой", "mail.ru.Сбой", "да.сбой/нет"],
)
def test_a_full_stop_without_its_space_makes_no_link(written: str) -> None:
    assert "сбой" in analyse(written).tokens


def test_a_word_is_read_the_same_whatever_stands_beside_it() -> None:
    assert analyse("і'c").tokens + analyse("сбoй").tokens == analyse("і'c сбoй").tokens


def test_a_brand_in_a_tag_is_also_one_word() -> None:
    assert {"whatsapp", "whats", "app"} <= set(analyse("#WhatsApp").tokens)


def test_tags_and_mentions_are_tokens_that_no_word_can_be() -> None:
    document = analyse("#сбой_ВТБ @rkn_tg")
    assert document.tokens == ["'t'сбой'втб", "сбой", "втб", "'m'rkn'tg"]
    assert document.indexed == "'t'сбой'втб сбой втб 'm'rkn'tg"


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        pytest.param("раз два", [0, 1], id="words"),
        pytest.param("импорт-замещение", [0, 1], id="a hyphen splits"),
        pytest.param("раз\nдва", [0, 1], id="a line break is no wall"),
        pytest.param("раз\n\nдва", [0, WALL + 1], id="a blank line is"),
        pytest.param("раз\n \u200b\nдва", [0, WALL + 1], id="so is one with invisible characters"),
        pytest.param("раз https://a.ru/b два", [0, 1, 2], id="a link is its site"),
        pytest.param("раз https://a.bc/d два", [0, 2], id="or takes a place"),
        pytest.param("раз @abcd два", [0, 1, 2], id="a mention is a word"),
        pytest.param("#раз_два три", [0, 0, 1, 2], id="a tag stands where its first word does"),
    ],
)
def test_positions_count_words(text: str, positions: list[int]) -> None:
    assert analyse(text).positions == positions


@pytest.mark.parametrize(
    ("written", "sites"),
    [
        ("habr.com", ["habr.com"]),
        ("https://habr.com/ru/news/1/", ["habr.com"]),
        ("https://www.News.habr.com?x=1", ["www.news.habr.com", "news.habr.com", "habr.com"]),
        ("habr.com/ru", ["habr.com"]),
        ("http://user:word@habr.com:80/ru", ["habr.com"]),
        ("пример.рф/путь", ["пример.рф"]),
        ("press@habr.com", []),
        ("first.last@habr.com", []),
        ("https://habr.company/ru", []),
        ("tg://resolve?domain=habr.com", []),
    ],
)
def test_a_link_is_its_site_and_all_that_the_site_belongs_to(written: str, sites: list[str]) -> None:
    document = analyse(f"раз {written} два")
    assert document.tokens == ["раз", *map(site_token, sites), "два"]
    assert document.positions == [0, *[1] * len(sites), 2]
    found = [document.text[start:end].casefold() for start, end in document.spans[1:-1]]
    assert found == sites


def test_spans_cover_the_marks_and_invisible_letters_of_their_word() -> None:
    text = "А с\u00adбо\u0301й!"
    assert [text[start:end] for start, end in analyse(text).spans] == ["А", "с\u00adбо\u0301й"]


@given(posts)
@example("ǰ̌ İ ß ½ﷺ")
def test_every_token_has_a_place_in_the_original_text(text: str) -> None:
    document = analyse(text)
    assert len(document.tokens) == len(document.spans) == len(document.positions)
    assert all(0 <= start < end <= len(text) for start, end in document.spans)
    assert document.positions == sorted(document.positions)
    assert all(analyse(text[start:end]).tokens for start, end in document.spans)


@given(posts)
def test_folding_a_token_again_changes_nothing(text: str) -> None:
    words = [token for token in analyse(text).tokens if not token.startswith("'")]
    assert all(analyse(word).tokens == [word] for word in words)
