from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.asides import Aside, AsideKind, Beside
from bot.delivery.passage import Passage
from bot.delivery.rendering import Audience, PostAlert, render_post
from bot.locales import translator
from bot.models import Button, Entity, Forward, Outgoing

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
MOSCOW = Audience(translator=translator("ru"), time_zone="Europe/Moscow", now=NOW)
LONDON = Audience(translator=translator("en"), time_zone="Europe/London", now=NOW)
TEXT = "Сбой в работе портала. Специалисты уже чинят."
POST = PostAlert(
    channel_id=1234567890,
    title="Минсвязь Заречья",
    username="zarechye_svyaz",
    message_id=77,
    date=datetime(2021, 10, 4, 15, 39, tzinfo=UTC),
    text=TEXT,
    topics=("outages",),
    spans=((0, 4),),
)


def shown(outgoing: Outgoing, entity: Entity) -> str:
    units = outgoing.text.encode("utf-16-le")
    return units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


def styled(outgoing: Outgoing, kind: str) -> list[str]:
    return [shown(outgoing, entity) for entity in outgoing.entities if entity.kind == kind]


def test_a_short_post_is_shown_whole_between_its_source_and_its_date() -> None:
    outgoing = render_post(POST, MOSCOW)
    assert outgoing.text == f"Минсвязь Заречья · Сбои\n{TEXT}\n\n4 окт., 18:39"
    assert styled(outgoing, "bold") == ["Минсвязь Заречья", "Сбой"]


def test_the_same_alert_in_english_and_another_time_zone() -> None:
    assert render_post(POST, LONDON).text == f"Минсвязь Заречья · Outages\n{TEXT}\n\n4 Oct, 16:39"


def test_utc_is_named_where_no_time_zone_was_chosen() -> None:
    assert render_post(POST, replace(LONDON, time_zone="UTC")).text.endswith("4 Oct, 15:39 UTC")


def test_the_buttons_open_the_post_and_mute_its_channel() -> None:
    link = Button(text="Открыть", url="https://t.me/zarechye_svyaz/77")
    mute = Button(text="Не присылать сюда", data=b"mute:1234567890")
    assert render_post(POST, MOSCOW).buttons == ((link, mute),)


def test_the_button_of_a_private_channel_leads_its_members_there() -> None:
    (button, _), *_ = render_post(replace(POST, username=None), MOSCOW).buttons
    assert button.url == "https://t.me/c/1234567890/77"


def test_a_match_far_down_comes_first_and_the_post_follows() -> None:
    beginning = "Коллегия обсудила планы на год. " * 12
    text = f"{beginning}Вечером случился сбой 🙂 на узле связи! Связь вернут к утру."
    start = text.index("сбой")
    outgoing = render_post(replace(POST, text=text, spans=((start, start + 4),)), MOSCOW)
    lines = outgoing.text.split("\n")
    assert lines[1:4] == ["Вечером случился сбой 🙂 на узле связи!", "…", text]
    assert styled(outgoing, "bold") == ["Минсвязь Заречья", "сбой", "сбой"]


def test_of_an_endless_sentence_the_words_around_the_match_come_first() -> None:
    text = "слово " * 100 + "сбой" + " слово" * 100
    outgoing = render_post(replace(POST, text=text, spans=((600, 604),)), MOSCOW)
    line = outgoing.text.split("\n")[1]
    assert line.startswith("слово слово")
    assert line.endswith("слово слово")
    assert 200 < len(line) < 340


def test_a_long_post_is_cut_at_a_word_and_keeps_date_and_link() -> None:
    text = "Сбой. " + "многословие " * 700
    outgoing = render_post(replace(POST, text=text), MOSCOW)
    assert len(outgoing.text) <= 4096
    assert len(outgoing.text) > 4096 - 20
    assert outgoing.text.endswith("многословие…\n\n4 окт., 18:39")


def test_formatting_and_links_of_the_post_stay_where_they_lie() -> None:
    text = "🙂 Читайте здесь и сейчас: сбой."
    entities = (
        Entity(kind="italic", offset=3, length=7),
        Entity(kind="text_url", offset=11, length=5, value="https://example.org/"),
        Entity(kind="mention_name", offset=19, length=6, value="5"),
        Entity(kind="custom_emoji", offset=0, length=2, value="5"),
    )
    outgoing = render_post(replace(POST, text=text, entities=entities, spans=((27, 31),)), MOSCOW)
    assert styled(outgoing, "italic") == ["Читайте"]
    assert styled(outgoing, "text_url") == ["здесь"]
    assert {entity.kind for entity in outgoing.entities} == {"bold", "italic", "text_url"}


def test_foreign_text_is_no_markup() -> None:
    text = "<b>Сбой</b> **всюду** [ссылка](https://example.org) {channel} %s"
    outgoing = render_post(replace(POST, title="<i>{name}</i>", text=text, spans=((3, 7),)), MOSCOW)
    assert outgoing.text.startswith(f"<i>{{name}}</i> · Сбои\n{text}\n")
    assert styled(outgoing, "bold") == ["<i>{name}</i>", "Сбой"]
    assert len(outgoing.entities) == 2


@pytest.mark.parametrize(
    ("audience", "age"), [(MOSCOW, "4 окт., 16:45 · 2 часа назад"), (LONDON, "4 Oct, 14:45 · 2 hours ago")]
)
def test_a_late_post_shows_its_age(audience: Audience, age: str) -> None:
    assert render_post(replace(POST, date=NOW - timedelta(hours=2)), audience).text.endswith(age)


def test_ten_minutes_are_not_late_yet() -> None:
    assert render_post(replace(POST, date=NOW - timedelta(minutes=10)), MOSCOW).text.endswith("\n4 окт., 18:35")


def test_another_year_is_named() -> None:
    text = render_post(replace(POST, date=datetime(2019, 3, 1, tzinfo=UTC)), MOSCOW).text.replace("\u202f", " ")
    assert text.endswith("1 мар. 2019, 03:00 · 3 года назад")


def test_an_edited_post_says_when_it_was_edited() -> None:
    edited = replace(POST, edited=True, edit_date=NOW)
    assert render_post(edited, MOSCOW).text.endswith("4 окт., 18:39 · изменено: 18:45")
    assert render_post(replace(edited, edit_date=None), MOSCOW).text.endswith("4 окт., 18:39 · изменено")


def test_an_edit_that_was_not_why_is_not_spoken_of() -> None:
    assert "изменено" not in render_post(replace(POST, edit_date=NOW), MOSCOW).text


def test_a_forward_names_and_links_its_origin() -> None:
    forward = Forward(channel_id=55, message_id=6, name="Ведомство", date=NOW)
    outgoing = render_post(replace(POST, forward=forward), MOSCOW)
    assert outgoing.text.endswith("\nПереслано из: Ведомство")
    assert styled(outgoing, "text_url") == ["Ведомство"]
    assert outgoing.entities[-1].value == "https://t.me/c/55/6"


def test_a_forward_from_somebody_who_hides_is_named_without_a_link() -> None:
    forward = Forward(channel_id=None, message_id=None, name="Сосед", date=NOW)
    outgoing = render_post(replace(POST, forward=forward), MOSCOW)
    assert outgoing.text.endswith("\nПереслано из: Сосед")
    assert not styled(outgoing, "text_url")


def test_the_first_line_stays_short_whatever_the_names() -> None:
    topics = ("outages", "о" * 64, "sovereignty", "мой", "чужой")
    line = render_post(replace(POST, title="Щ\n" * 128, topics=topics), MOSCOW).text.split("\n")[0]
    assert line.startswith("Щ Щ Щ")
    assert line.endswith(f" · Сбои, {'о' * 29}…, Цифровой суверенитет +2")
    assert len(line) < 140


TEXTS = st.text(st.sampled_from("аб 🙂\U0010ffff\n.!é\u200b"), max_size=40) | st.text(max_size=200)
LONG_TEXTS = st.builds(lambda text, times: text * times, TEXTS, st.integers(1, 400))
NUMBERS = st.integers(-5, 5000)
KINDS = st.sampled_from(["bold", "italic", "text_url", "pre", "custom_emoji", "blockquote", "unheard_of"])
ENTITIES = st.lists(
    st.builds(Entity, kind=KINDS, offset=NUMBERS, length=NUMBERS, value=st.none() | st.just("https://example.org")),
    max_size=130,
).map(tuple)
FORWARDS = st.none() | st.builds(
    Forward,
    channel_id=st.none() | st.just(1),
    message_id=st.none() | st.just(2),
    name=st.none() | TEXTS,
    date=st.just(NOW),
)
ALERTS = st.builds(
    PostAlert,
    channel_id=st.integers(1, 2**40),
    title=TEXTS,
    username=st.none() | st.just("channel"),
    message_id=st.integers(1, 2**31),
    date=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    edit_date=st.none() | st.just(NOW),
    text=LONG_TEXTS,
    entities=ENTITIES,
    forward=FORWARDS,
    topics=st.lists(TEXTS, max_size=6).map(tuple),
    spans=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5).map(sorted).map(tuple),
    edited=st.booleans(),
)


@given(ALERTS, st.sampled_from([MOSCOW, LONDON]))
def test_any_alert_is_one_that_telegram_takes(alert: PostAlert, audience: Audience) -> None:
    outgoing = render_post(alert, audience)
    units = outgoing.text.encode("utf-16-le")
    length = len(units) // 2
    assert 0 < length <= 4096
    assert outgoing.text == outgoing.text.strip()  # Telegram would trim it, and shift every entity
    assert len(outgoing.entities) <= 100
    for entity in outgoing.entities:
        assert entity.length > 0
        assert 0 <= entity.offset < entity.offset + entity.length <= length
        assert shown(outgoing, entity)  # half a character cannot be decoded
        assert entity.kind in {"bold", "italic", "text_url", "pre", "blockquote"}


@given(ALERTS)
def test_the_words_that_matched_are_bold_wherever_they_are_shown(alert: PostAlert) -> None:
    words = [alert.text[start:end] for start, end in alert.spans if 0 <= start < end <= len(alert.text)]
    short = replace(alert, entities=())
    outgoing = render_post(short, MOSCOW)
    if len(alert.text) < 1000 and alert.text.strip():
        bold = " ".join(styled(outgoing, "bold"))
        assert all(word.strip() in bold for word in words)


@given(LONG_TEXTS, ENTITIES, NUMBERS, NUMBERS)
def test_any_part_of_a_passage_has_its_styles_inside(
    text: str, entities: tuple[Entity, ...], start: int, end: int
) -> None:
    part = Passage.read(text, entities, kinds=frozenset({"bold"})).cut(max(0, start), max(0, end))
    assert part.text == text[max(0, start) : max(0, end)]
    assert all(0 <= style.start < style.end <= len(part.text) for style in part.styles)


def test_an_entity_that_begins_inside_a_character_takes_all_of_it() -> None:
    broken = Entity(kind="bold", offset=2, length=2)
    passage = Passage.read("a🙂🙂", [broken], kinds=frozenset({"bold"}))
    assert passage.entities() == [Entity(kind="bold", offset=1, length=4)]


class TestWhatMatchedBesideTheText:
    POLL = Beside(aside=Aside(kind=AsideKind.POLL, text="Был ли сбой?"), spans=((7, 11),))
    LONG = Aside(kind=AsideKind.PREVIEW, text=f"Сначала о погоде. {'Дождь. ' * 90}Сбой.")
    PAGE = Beside(aside=LONG, spans=((648, 652),))

    def test_comes_before_a_text_that_did_not_match(self) -> None:
        outgoing = render_post(replace(POST, text="Голосуем!", spans=(), beside=(self.POLL, self.PAGE)), LONDON)
        assert outgoing.text.split("\n\n")[:2] == [
            f"{POST.title} · Outages\nPoll: Был ли сбой?\nLink preview: Сбой.",
            "Голосуем!",
        ]
        assert styled(outgoing, "bold") == [POST.title, "сбой", "Сбой"]

    def test_comes_after_a_text_that_matched_too(self) -> None:
        outgoing = render_post(replace(POST, beside=(self.POLL,)), LONDON)
        assert outgoing.text.split("\n\n")[1].startswith("Poll: Был ли сбой?")

    def test_stands_alone_where_there_is_no_text(self) -> None:
        outgoing = render_post(replace(POST, text="", spans=(), beside=(self.POLL,)), MOSCOW)
        assert outgoing.text.split("\n\n")[0].endswith("\nОпрос: Был ли сбой?")
        assert "\n\n\n" not in outgoing.text

    def test_is_shown_without_a_match_in_place_of_a_text(self) -> None:
        poll = replace(self.POLL, spans=())
        outgoing = render_post(replace(POST, text="", spans=(), beside=(poll,), edited=True), LONDON)
        assert outgoing.text.splitlines()[1:3] == ["Poll: Был ли сбой?", ""]
        assert styled(outgoing, "bold") == [POST.title]

    def test_leaves_room_for_the_text_and_its_entities(self) -> None:
        many = tuple((number * 3, number * 3 + 2) for number in range(600))
        aside = Beside(aside=Aside(kind=AsideKind.NOTE, text="да " * 600), spans=many)
        outgoing = render_post(replace(POST, text="да " * 2000, spans=many, beside=(aside,) * 9), LONDON)
        assert outgoing.text.count("Fact check: ") == 3
        assert len(outgoing.entities) <= 100
        assert len(outgoing.text) <= 4096
