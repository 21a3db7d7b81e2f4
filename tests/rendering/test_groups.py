from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import ObservedBy, StoredPost
from bot.models.alerts import GroupedAlert, GroupKind, GroupSummary, Loudness, StormState
from bot.models.outgoing import Button, Outgoing
from bot.parts import Part, PartKind, PartMatch
from bot.rendering.groups import PAGE, render_count, render_page, render_storm
from bot.text.markup import LIMIT, units
from tests.kit import alert_of
from tests.rendering.values import stored

NINE = datetime(2025, 3, 11, 9, tzinfo=UTC)
NIGHT = datetime(2025, 3, 11, 3, 12, tzinfo=UTC)
RANDOM_ID = -(2**63)


def locale(language: str = "en", zone: str = "Europe/London") -> Locale:
    return Locale(t=translator(language), time_zone=zone, now=NINE)


def post(number: int = 1, text: str = "Сбой", **changes: object) -> StoredPost:
    return stored(number, **{"text": text, "date": NIGHT, **changes})


def grouped(  # noqa: PLR0913 - what a line can say
    shown: StoredPost | None = None,
    *,
    topic: str = "outages",
    spans: tuple[tuple[int, int], ...] = ((0, 4),),
    parts: tuple[PartMatch, ...] = (),
    duplicates: int = 0,
    edited: bool = False,
    loudness: Loudness = Loudness.DIGEST,
) -> GroupedAlert:
    found = shown or post()
    return GroupedAlert(
        alert=alert_of(found, topics=(topic,), spans=spans, parts=parts, loudness=loudness, fits_since_edit=edited),
        post=found,
        duplicates=duplicates,
    )


def digest(*alerts: GroupedAlert, due_at: datetime = NINE, topic: str | None = None) -> GroupSummary:
    return GroupSummary(
        random_id=RANDOM_ID,
        kind=GroupKind.STORM if topic else GroupKind.DIGEST,
        opened_at=NIGHT,
        closes_at=due_at,
        topic=topic,
        channels=(),
        alerts=alerts,
    )


def labels(outgoing: Outgoing) -> list[str]:
    return [button.text for row in outgoing.buttons for button in row]


def lines(outgoing: Outgoing) -> list[str]:
    return [line for line in outgoing.text.split("\n") if line.startswith("•")]


def assert_fits(outgoing: Outgoing) -> None:
    length = units(outgoing.text)
    assert 0 < length <= LIMIT
    assert len(outgoing.entities) <= 100
    assert all(0 <= e.offset < e.offset + e.length <= length for e in outgoing.entities)
    assert all(len(button.data or b"") <= 64 for row in outgoing.buttons for button in row)


def test_a_page_that_nobody_can_turn_says_what_is_left() -> None:
    many = digest(*(grouped(post(number, f"Сбой {number}")) for number in range(PAGE + 3)))
    assert "and 3 more posts" in render_page(many, 0, locale(), is_alone=True).text
    assert "more posts" not in render_page(many, 0, locale()).text


class TestPages:
    def test_name_topic_words_channel_time_and_duplicates(self) -> None:
        shown = render_page(digest(grouped(duplicates=2), grouped(post(2, "Сбой сети"), topic="связь")), 0, locale())
        assert shown.text == (
            "Digest · 2 posts\n\nOutages\n• Сбой · Вести, 03:12 ×3\n\nсвязь\n• Сбой сети · Вести, 03:12"
        )
        assert [e.value for e in shown.entities if e.kind == "text_url"] == ["https://t.me/c/7/1", "https://t.me/c/7/2"]
        assert [e.length for e in shown.entities if e.kind == "bold"] == [6, 7, 4, 5, 4]
        assert shown.buttons == ()

    @pytest.mark.parametrize(
        ("due_at", "title"),
        [
            (NINE, "Утренняя сводка"),
            (NINE + timedelta(hours=5), "Сводка за тихие часы"),
            (NINE - timedelta(hours=7), "Сводка за тихие часы"),
        ],
    )
    def test_after_quiet_hours_say_so(self, due_at: datetime, title: str) -> None:
        shown = render_page(digest(grouped(loudness=Loudness.LOUD), due_at=due_at), 0, locale("ru"))
        assert shown.text.startswith(f"{title} · 1 пост\n")

    def test_begin_with_what_was_said_most_often(self) -> None:
        quiet_channel = [grouped(post(number, f"Тихо {number}", channel_id=8), spans=()) for number in (1, 2)]
        loud = grouped(post(3, "Громко", channel_id=9), spans=(), duplicates=1)
        beside_it = grouped(post(4, "Рядом", channel_id=9), spans=())
        other = grouped(post(5, "Важно"), topic="связь", spans=(), duplicates=4)
        shown = lines(render_page(digest(*quiet_channel, beside_it, loud, other), 0, locale()))
        assert [line.split()[1] for line in shown] == ["Важно", "Громко", "Рядом", "Тихо", "Тихо"]

    def test_say_what_became_of_a_post(self) -> None:
        gone = [
            grouped(replace(post(), gone_at=NIGHT, gone_by=how), edited=True)
            for how in (ObservedBy.LIVE, ObservedBy.SWEEP)
        ]
        shown = lines(render_page(digest(grouped(edited=True), *gone), 0, locale("ru")))
        became = [line.partition("03:12 · ")[2] for line in shown]
        assert became == ["изменено", "Telegram сообщил об удалении", "нет при повторном чтении"]

    def test_name_the_day_where_it_is_another_one(self) -> None:
        shown = render_page(digest(grouped(post(date=NIGHT - timedelta(days=3)))), 0, locale())
        assert "Вести, 8 Mar, 03:12" in shown.text

    def test_show_the_sentence_that_matched(self) -> None:
        text = "Доброе утро! Погода ясная.\n\nВ области  сбой связи, чинят. Подробности позже."
        at = text.index("сбой")
        shown = render_page(digest(grouped(post(1, text), spans=((at, at + 4),))), 0, locale())
        assert lines(shown) == ["• В области  сбой связи, чинят. · Вести, 03:12"]

    def test_show_the_words_around_the_match_of_a_long_sentence(self) -> None:
        text = "слово " * 40 + "сбой " + "слово " * 40
        at = text.index("сбой")
        (line,) = lines(render_page(digest(grouped(post(1, text), spans=((at, at + 4),))), 0, locale()))
        assert line.startswith("• …слово")
        assert "сбой" in line
        assert line.endswith("слово… · Вести, 03:12")
        assert units(line) < 160

    def test_show_what_stands_beside_a_text_where_the_match_is_there(self) -> None:
        found = PartMatch(part=Part(kind=PartKind.POLL, text="Был ли сбой?"), spans=((7, 11),))
        shown = render_page(digest(grouped(post(1, "Опрос дня"), spans=(), parts=(found,))), 0, locale())
        assert lines(shown) == ["• Poll: Был ли сбой? · Вести, 03:12"]

    def test_of_a_post_without_a_text_say_that(self) -> None:
        assert lines(render_page(digest(grouped(post(1, " "), spans=())), 0, locale()))[0].startswith("• (no text) ·")

    def test_turn_at_a_tap(self) -> None:
        posts = [grouped(post(number, f"Сбой {number}")) for number in range(1, 3 * PAGE)]
        pages = [render_page(digest(*posts), number, locale()) for number in range(3)]
        assert [labels(page) for page in pages] == [["1/3", "›"], ["‹", "2/3", "›"], ["‹", "3/3"]]
        assert pages[1].buttons[0][0].data == f"sum:{RANDOM_ID}:0".encode()
        assert [len(lines(page)) for page in pages] == [PAGE, PAGE, PAGE - 1]
        assert all("Outages" in page.text for page in pages)
        assert render_page(digest(*posts), 99, locale()) == pages[2]

    def test_of_a_storm_name_the_topic_once(self) -> None:
        shown = render_page(digest(grouped(), grouped(post(2, "Сбой сети")), topic="outages"), 0, locale())
        assert shown.text == "Outages · 2 posts\n• Сбой · Вести, 03:12\n• Сбой сети · Вести, 03:12"

    @given(
        st.lists(
            st.tuples(
                st.text(max_size=400),
                st.text(max_size=200),
                st.lists(st.tuples(st.integers(0, 500), st.integers(1, 90)), max_size=9),
                st.sampled_from(["outages", "a" * 64, "😀" * 40]),
            ),
            min_size=1,
            max_size=3 * PAGE,
        ),
        st.integers(0, 9999),
    )
    def test_fit_whatever_the_posts_say(
        self, said: list[tuple[str, str, list[tuple[int, int]], str]], number: int
    ) -> None:
        posts = [
            grouped(
                post(each, text, channel_title=title),
                spans=tuple((start, start + length) for start, length in sorted(spans)[:1]),
                topic=topic,
                duplicates=each % 3,
                edited=True,
            )
            for each, (text, title, spans, topic) in enumerate(said, start=1)
        ]
        assert_fits(render_page(digest(*posts), number, locale("ru", "Asia/Kathmandu")))


class TestStorms:
    def storm(self, *, is_over: bool = False, channels: tuple[tuple[str, int], ...] = (("Вести", 4),)) -> StormState:
        return StormState(
            random_id=RANDOM_ID,
            topic="outages",
            is_over=is_over,
            channels=channels,
            since=NIGHT,
            until=NIGHT + timedelta(minutes=9),
            latest=(grouped(post(3, "Сбой сети")), grouped(post(2, "Сбой банка"), spans=())),
        )

    def test_that_go_on_show_how_many_and_the_latest(self) -> None:
        shown = render_storm(self.storm(), locale())
        assert shown.text == (
            "🌩 Outages\n4 more posts since 03:12, 1 channel\n\n• Сбой сети · Вести, 03:12\n• Сбой банка · Вести, 03:12"
        )
        assert labels(shown) == ["Show all (4)"]
        assert shown.buttons[0][0].data == f"sum:{RANDOM_ID}:0:new".encode()

    def test_name_the_new_events_in_them(self) -> None:
        storm = replace(self.storm(), news=(grouped(post(9, "Сбой в аэропорту")),))
        assert render_storm(storm, locale("ru")).text == (
            "🌩 Сбои\nЕщё 4 поста с 03:12, 1 канал\nНовые события среди них:\n• Сбой в аэропорту · Вести, "
            "03:12\n\n• Сбой сети · Вести, 03:12\n• Сбой банка · Вести, 03:12"
        )
        over = render_storm(replace(storm, is_over=True), locale("ru"))
        assert over.text.endswith("Больше всего: Вести 4\nНовые события среди них:\n• Сбой в аэропорту · Вести, 03:12")
        assert_fits(over)

    def test_that_are_over_are_summed_up(self) -> None:
        channels = (("Вести", 12), ("Другие", 5), ("А", 2), ("Б", 1))
        shown = render_storm(self.storm(is_over=True, channels=channels), locale("ru"))
        assert shown.text == "🌩 Сбои\nЕщё 20 постов, 03:12 – 03:21.\nБольше всего: Вести 12, Другие 5, А 2 +1"
        assert_fits(shown)


def counted(
    *channels: tuple[str, int], kind: GroupKind = GroupKind.LATE, alerts: tuple[GroupedAlert, ...] = ()
) -> GroupSummary:
    return replace(digest(*alerts), kind=kind, channels=channels)


class TestCounts:
    @pytest.mark.parametrize(
        ("channels", "sentence"),
        [
            ([("Минсвязь", 1)], "1 post of «Минсвязь» reached me too late for an alert. It is stored."),
            ([("Минсвязь", 22)], "22 posts of «Минсвязь» reached me too late for an alert. They are stored."),
            (
                [("Вести", 5), ("Минсвязь", 2)],
                "7 posts reached me too late for an alert. They are stored.\nВести · 5\nМинсвязь · 2",
            ),
        ],
    )
    def test_say_what_came_too_late(self, channels: list[tuple[str, int]], sentence: str) -> None:
        assert render_count(counted(*channels), locale()).text == sentence

    def test_say_what_a_lost_instance_may_have_told(self) -> None:
        shown = render_count(counted(("Вести", 2), kind=GroupKind.RESTORED), locale())
        line = "I was restored from a backup of 11 Mar, 03:12. These 2 posts may already have been reported here."
        assert shown.text == f"{line}\nВести · 2"

    def test_name_some_of_many_channels_and_lead_to_their_posts(self) -> None:
        outgoing = render_count(counted(*((f"Канал {n}", n) for n in range(40, 0, -1))), locale())
        first, most, *_, last = outgoing.text.splitlines()
        assert (first[:9], most, last) == ("820 posts", "Канал 40 · 40", "and 28 more channels")
        assert outgoing.buttons == ((Button(text="Show them", data=f"sum:{RANDOM_ID}:0:new".encode()),),)

    def test_braces_in_a_foreign_name_are_only_braces(self) -> None:
        assert "«{n} {count}»" in render_count(counted(("{n} {count}", 3)), locale("ru")).text

    def test_their_pages_begin_with_the_same_sentence(self) -> None:
        shown = render_page(counted(("Вести", 1), alerts=(grouped(post(date=NIGHT - timedelta(days=3))),)), 0, locale())
        assert shown.text == (
            "1 post of «Вести» reached me too late for an alert. It is stored.\n\nOutages\n• Сбой · Вести, 8 Mar, 03:12"
        )
