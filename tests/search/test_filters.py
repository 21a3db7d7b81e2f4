from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.search.filters import FilterError, Filters, Named, Order, Typed, read

NOW = datetime(2026, 2, 10, 12, 30, tzinfo=UTC)  # 15:30 in Moscow


def day(month: int, number: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, number, hour, minute, tzinfo=UTC)


def filters(text: str, zone: str = "UTC") -> Filters:
    return read(text, now=NOW, zone=zone).filters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("since:7d", Filters(since=day(2, 3, 12, 30))),
        ("С: 12ч", Filters(since=day(2, 10, 0, 30))),
        ("since:2w until:today", Filters(since=day(1, 27, 12, 30), until=day(2, 11))),
        ("с:1м", Filters(since=day(1, 11, 12, 30))),
        ("since:2026-01-31", Filters(since=day(1, 31))),
        ("с:31.01.2026 до:31.01.2026", Filters(since=day(1, 31), until=day(2, 1))),
        ("до:вчера", Filters(until=day(2, 10))),
        ("until:9999-12-31", Filters(until=datetime(9999, 12, 30, tzinfo=UTC))),
        ("history:yes order:best", Filters(history=True, order=Order.BEST)),
        ("история:да порядок:лучшие", Filters(history=True, order=Order.BEST)),
        ("історія:так порядок:найкращі", Filters(history=True, order=Order.BEST)),
        ("з:12год", Filters(since=day(2, 10, 0, 30))),
        ("до:вчора", Filters(until=day(2, 10))),
        ("history:yes history:no", Filters()),
    ],
)
def test_filters_are_read_in_each_language(text: str, expected: Filters) -> None:
    assert read(text, now=NOW) == Typed(query="", filters=expected)


def test_days_are_those_of_the_time_zone() -> None:
    read_there = filters("since:2026-01-31 until:2026-01-31", "Europe/Moscow")
    assert (read_there.since, read_there.until) == (day(1, 30, 21), day(1, 31, 21))
    assert filters("since:today", "Asia/Tokyo").since == day(2, 9, 15)


def test_several_channels_are_kept_with_their_places() -> None:
    found = filters('сбой in:@one,@two (в:"МИД России")')
    expected = [("@one", 6), ("@two", 6), ("МИД России", 20)]
    assert found.channels == tuple(Named(text=text, position=position) for text, position in expected)


@pytest.mark.parametrize("text", ["in:@a, @b", "in: @a , @b", "в:@a,@b", "in:@a, in:@b", "in:@a;в:@b"])
def test_a_list_of_channels_may_have_the_spaces_that_phones_add(text: str) -> None:
    found = read(text, now=NOW)
    assert ([named.text for named in found.filters.channels], found.query) == (["@a", "@b"], "")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('in:"РИА «Новости»"', "РИА «Новости»"),
        ("in:«РИА «Новости»»", "РИА «Новости»"),
        ('в: «МИА "Россия"»', 'МИА "Россия"'),
        ("in:“Сеть”", "Сеть"),
        ('in:„Сеть"', "Сеть"),
    ],
)
def test_a_title_may_hold_quotes(text: str, title: str) -> None:
    found = read("сбой " + text.replace(": ", ":"), now=NOW)
    assert ([named.text for named in found.filters.channels], found.query.strip()) == ([title], "сбой")


@pytest.mark.parametrize(
    ("text", "value", "position"),
    [
        ("-in:@x", "-in:@x", 1),
        ("сбой —в:@x", "—в:@x", 6),
        ("сбой -since:7d", "-since:7d", 6),
        ("сбой|in:@x", "|in:@x", 5),
        ("+history:yes", "+history:yes", 1),
    ],
)
def test_a_filter_is_neither_excluded_nor_an_alternative(text: str, value: str, position: int) -> None:
    with pytest.raises(FilterError) as raised:
        read(text, now=NOW)
    assert (raised.value.code, raised.value.value, raised.value.position) == ("misplaced_filter", value, position)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("сбой in:@one банк", "сбой         банк"),
        ("(сбой since:7d)|банк", "(сбой         )|банк"),
        ("сбой in:@one, банк", "сбой        , банк"),
        ("сбой in: @one", "сбой         "),
        ("до: понедельника", "до: понедельника"),
        ("12:30 итог:победа", "12:30 итог:победа"),
        ("plugin:@one", "plugin:@one"),
        ('"ждём в:@one" re:/ since:7d/', '"ждём в:@one" re:/ since:7d/'),
        ("в:", "в:"),
        (",", ","),
        ("что-в:@one", "что-в:@one"),
        ("re: / since:7d/", "re: / since:7d/"),
    ],
)
def test_all_else_stays_in_the_query_at_its_place(text: str, query: str) -> None:
    assert read(text, now=NOW).query == query


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("сбой since:soon", "bad_date", 6),
        ("until:2026-02-30", "bad_date", 1),
        ("since:9999y", "bad_date", 1),
        ("since:0001-01-01", "bad_date", 1),
        ("history:maybe", "bad_answer", 1),
        ("сбой порядок:любой", "bad_order", 6),
        ("since:2026-02-01 until:2026-01-31", "empty_span", 18),
        ("since:2d until:3d", "empty_span", 10),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str, code: str, position: int) -> None:
    with pytest.raises(FilterError) as raised:
        read(text, now=NOW, zone="Europe/Moscow")
    assert (raised.value.code, raised.value.position) == (code, position)
    assert raised.value.value in str(raised.value)


PIECES = ["in:", "в:", "since:", "до: ", "history:", "@one", "7d", "31.01.2026", "да", '"', "«", "re:/", "/", "(", " "]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=10).map("".join))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        query, position = read(text, now=NOW).query, 1
    except FilterError as error:
        query, position = "", error.position
    assert 1 <= position <= max(1, len(text))
    assert len(query) in {0, len(text)}
    assert all(kept in (" ", was) for kept, was in zip(query, text, strict=False))
