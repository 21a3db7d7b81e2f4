from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Entity, Forward
from bot.models.links import CommentedPost
from bot.models.outgoing import Button, Outgoing
from bot.parts import Part, PartKind, PartMatch
from bot.text.formatted import FormattedText
from tests.rendering.values import shown_alert, stored

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
MOSCOW = Locale(t=translator("ru"), time_zone="Europe/Moscow", now=NOW)
LONDON = Locale(t=translator("en"), time_zone="Europe/London", now=NOW)
TEXT = "Сбой в работе портала. Специалисты уже чинят."
POST = shown_alert(
    stored(
        77,
        channel_id=1234567890,
        channel_title="Минсвязь Заречья",
        channel_username="zarechye_svyaz",
        date=datetime(2021, 10, 4, 15, 39, tzinfo=UTC),
        text=TEXT,
    ),
    spans=((0, 4),),
)


def shown(outgoing: Outgoing, entity: Entity) -> str:
    units = outgoing.text.encode("utf-16-le")
    return units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


def styled(outgoing: Outgoing, kind: str) -> list[str]:
    return [shown(outgoing, entity) for entity in outgoing.entities if entity.kind == kind]


def test_a_short_post_is_shown_whole_between_topic_and_channel_and_its_time() -> None:
    outgoing = POST.render(MOSCOW)
    assert outgoing.text == f"Сбои · Минсвязь Заречья\n{TEXT}\n\n18:39"
    assert styled(outgoing, "bold") == ["Сбои", "Сбой"]


def test_the_channel_in_the_first_line_leads_to_the_post() -> None:
    outgoing = POST.render(MOSCOW)
    assert styled(outgoing, "text_url") == ["Минсвязь Заречья"]
    assert outgoing.entities[1].value == "https://t.me/zarechye_svyaz/77"


@pytest.mark.parametrize(
    ("changes", "head", "url"),
    [
        ({"message_id": -5}, "история «Минсвязь Заречья»", "https://t.me/zarechye_svyaz/s/5"),
        ({"message_id": -5, "channel_username": None}, "история «Минсвязь Заречья»", "https://t.me/c/1234567890/1"),
        ({"commented": (9, "Вести", "vesti", 3)}, "комментарий к «Вести»", "https://t.me/vesti/3?comment=77"),
        ({"commented": (9, "Вести", None, 3)}, "комментарий к «Вести»", "https://t.me/c/9/3?comment=77"),
        ({"commented": (9, "Вести", "vesti", None)}, "в комментариях к «Вести»", "https://t.me/zarechye_svyaz/77"),
    ],
)
def test_a_story_and_a_comment_are_called_so(changes: dict[str, Any], head: str, url: str) -> None:
    names = ("channel_id", "title", "username", "message_id")
    commented = dict(zip(names, changes.pop("commented", ()), strict=False))
    post = POST.but(**changes, commented=CommentedPost(**commented) if commented else None)
    outgoing = post.but(author="Анна").render(MOSCOW)
    assert outgoing.text.splitlines()[0] == f"Сбои · {head}"
    assert outgoing.text.endswith("18:39 · автор: Анна")
    assert outgoing.entities[1].value == outgoing.buttons[0][0].url == url


def test_the_same_alert_in_english_and_another_time_zone() -> None:
    assert POST.render(LONDON).text == f"Outages · Минсвязь Заречья\n{TEXT}\n\n16:39"


def test_utc_is_named_where_no_time_zone_was_chosen() -> None:
    assert POST.render(replace(LONDON, time_zone="UTC")).text.endswith("\n15:39 UTC")


def test_the_day_is_named_where_it_is_another_one() -> None:
    assert POST.render(replace(LONDON, now=NOW + timedelta(days=1))).text.endswith("\n4 Oct, 16:39 · 1 day ago")


def test_the_buttons_open_the_post_quote_it_and_keep_its_like_away() -> None:
    link = Button(text="Открыть", url="https://t.me/zarechye_svyaz/77")
    quote = Button(text="Цитата", data=b"quote:1234567890:77")
    save = Button(text="Сохранить", data=b"tocase:1234567890:77")
    snooze = Button(text="Заглушить…", data=b"snooze:1234567890:77")
    wrong = Button(text="Не по теме", data=b"wrong:1234567890:77")
    first = Button(text="Кто написал первым", data=b"first:1234567890:77")
    others = Button(text="Кто ещё пишет?", data=b"others:1234567890:77")
    assert POST.render(MOSCOW).buttons == ((link, quote, save), (snooze, wrong), (first, others))


def test_the_button_of_a_private_channel_leads_its_members_there() -> None:
    (button, *_), *_ = POST.but(channel_username=None).render(MOSCOW).buttons
    assert button.url == "https://t.me/c/1234567890/77"


def test_a_match_far_down_comes_first_and_the_post_follows() -> None:
    beginning = "Коллегия обсудила планы на год. " * 12
    text = f"{beginning}Вечером случился сбой 🙂 на узле связи! Связь вернут к утру."
    start = text.index("сбой")
    outgoing = POST.but(text=text, spans=((start, start + 4),)).render(MOSCOW)
    lines = outgoing.text.split("\n")
    assert lines[1:4] == ["Вечером случился сбой 🙂 на узле связи!", "…", text]
    assert styled(outgoing, "bold") == ["Сбои", "сбой", "сбой"]


def test_of_an_endless_sentence_the_words_around_the_match_come_first() -> None:
    text = "слово " * 80 + "сбой" + " слово" * 80
    outgoing = POST.but(text=text, spans=((480, 484),)).render(MOSCOW)
    line = outgoing.text.split("\n")[1]
    assert line.startswith("слово слово")
    assert line.endswith("слово слово")
    assert 200 < len(line) < 340


def test_formatting_and_links_of_the_post_stay_where_they_lie() -> None:
    text = "🙂 Читайте здесь и сейчас: сбой."
    entities = (
        Entity(kind="italic", offset=3, length=7),
        Entity(kind="text_url", offset=11, length=5, value="https://example.org/"),
        Entity(kind="mention_name", offset=19, length=6, value="5"),
        Entity(kind="custom_emoji", offset=0, length=2, value="5"),
    )
    outgoing = POST.but(text=text, entities=entities, spans=((27, 31),)).render(MOSCOW)
    assert styled(outgoing, "italic") == ["Читайте"]
    assert styled(outgoing, "text_url") == ["Минсвязь Заречья", "здесь"]
    assert {entity.kind for entity in outgoing.entities} == {"bold", "italic", "text_url"}


def test_foreign_text_is_no_markup() -> None:
    text = "<b>Сбой</b> **всюду** [ссылка](https://example.org) {channel} %s"
    outgoing = POST.but(channel_title="<i>{name}</i>", text=text, spans=((3, 7),)).render(MOSCOW)
    assert outgoing.text.startswith(f"Сбои · <i>{{name}}</i>\n{text}\n")
    assert styled(outgoing, "bold") == ["Сбои", "Сбой"]
    assert len(outgoing.entities) == 3


@pytest.mark.parametrize(("locale", "age"), [(MOSCOW, "\n16:45 · 2 часа назад"), (LONDON, "\n14:45 · 2 hours ago")])
def test_a_late_post_shows_its_age(locale: Locale, age: str) -> None:
    assert POST.but(date=NOW - timedelta(hours=2)).render(locale).text.endswith(age)


def test_ten_minutes_are_not_late_yet() -> None:
    assert POST.but(date=NOW - timedelta(minutes=10)).render(MOSCOW).text.endswith("\n18:35")


def test_another_year_is_named() -> None:
    text = POST.but(date=datetime(2019, 3, 1, tzinfo=UTC)).render(MOSCOW).text.replace("\u202f", " ")
    assert text.endswith("1 мар. 2019, 03:00 · 3 года назад")


def test_an_edited_post_says_when_it_was_edited() -> None:
    edited = POST.but(is_edited=True, edit_date=NOW)
    assert edited.render(MOSCOW).text.endswith("\n18:39 · изменено: 18:45")
    assert edited.but(edit_date=None).render(MOSCOW).text.endswith("\n18:39 · изменено")


def test_an_edit_that_was_not_why_is_not_spoken_of() -> None:
    assert "изменено" not in POST.but(edit_date=NOW).render(MOSCOW).text


def test_a_forward_names_and_links_its_origin() -> None:
    forward = Forward(channel_id=55, message_id=6, name="Ведомство", date=NOW)
    outgoing = POST.but(forward=forward).render(MOSCOW)
    assert outgoing.text.endswith("\nПереслано из: Ведомство")
    assert styled(outgoing, "text_url")[1:] == ["Ведомство"]
    assert outgoing.entities[-1].value == "https://t.me/c/55/6"


def test_a_forward_from_somebody_who_hides_is_named_without_a_link() -> None:
    forward = Forward(channel_id=None, message_id=None, name="Сосед", date=NOW)
    outgoing = POST.but(forward=forward).render(MOSCOW)
    assert outgoing.text.endswith("\nПереслано из: Сосед")
    assert len(styled(outgoing, "text_url")) == 1


def test_the_first_line_stays_short_whatever_the_names() -> None:
    topics = ("outages", "о" * 64, "sovereignty", "мой", "чужой")
    line = POST.but(channel_title="Щ\n" * 128, topics=topics).render(MOSCOW).text.split("\n")[0]
    assert line.startswith(f"Сбои, {'о' * 29}…, Цифровой суверенитет +2 · Щ Щ Щ")
    assert line.endswith(" Щ…")
    assert len(line) < 140


def test_an_entity_that_begins_inside_a_character_takes_all_of_it() -> None:
    broken = Entity(kind="bold", offset=2, length=2)
    passage = FormattedText.read("a🙂🙂", [broken], kinds=frozenset({"bold"}))
    assert passage.entities() == [Entity(kind="bold", offset=1, length=4)]


class TestWhoSaidItAndWhen:
    def test_how_long_after_the_post_we_saw_it(self) -> None:
        seen = POST.but(seen_at=POST.post.date + timedelta(seconds=2.9))
        assert seen.render(LONDON).text.endswith("\n16:39 · seen after 2 s")
        assert seen.render(MOSCOW).text.endswith("\n18:39 · замечено через 2 с")
        assert seen.but(observed_by="page").render(MOSCOW).text.endswith("замечено через 2 с · через веб-страницу")

    def test_under_a_second_there_is_nothing_to_say_since_telegram_dates_in_seconds(self) -> None:
        for late in (-3, 0.9):
            seen = POST.but(seen_at=POST.post.date + timedelta(seconds=late))
            assert seen.render(LONDON).text.endswith("\n16:39")

    def test_of_an_edit_it_counts_from_the_edit(self) -> None:
        edited = POST.but(is_edited=True, edit_date=NOW, seen_at=NOW + timedelta(minutes=3))
        assert edited.render(LONDON).text.endswith("\n16:39 · edited 16:45 · seen after 3 min")
        assert edited.but(edit_date=None).render(LONDON).text.endswith("\n16:39 · edited")

    def test_what_was_seen_late_and_told_at_once_is_not_called_late_twice(self) -> None:
        late = POST.but(date=NOW - timedelta(hours=3), seen_at=NOW)
        assert late.render(LONDON).text.endswith("\n13:45 · seen after 3 h")

    def test_what_was_seen_at_once_and_told_late_shows_its_age(self) -> None:
        kept = POST.but(date=NOW - timedelta(hours=9), seen_at=NOW - timedelta(hours=9) + timedelta(seconds=4))
        assert kept.render(LONDON).text.endswith("\n07:45 · seen after 4 s · 9 hours ago")

    def test_the_signature_stands_beside_the_time(self) -> None:
        signed = POST.but(author="Дежурный\nредактор")
        assert signed.render(LONDON).text.endswith("\n16:39 · by Дежурный редактор")
        assert signed.render(MOSCOW).text.endswith("\n18:39 · автор: Дежурный редактор")

    def test_whoever_bears_the_name_of_the_channel_is_not_named_again(self) -> None:
        assert POST.but(author=POST.post.channel_title).render(LONDON).text.endswith("\n16:39")


class TestWhatMatchedBesideTheText:
    POLL = PartMatch(part=Part(kind=PartKind.POLL, text="Был ли сбой?"), spans=((7, 11),))
    LONG = Part(kind=PartKind.PREVIEW, text=f"Сначала о погоде. {'Дождь. ' * 90}Сбой.")
    PAGE = PartMatch(part=LONG, spans=((648, 652),))

    def test_comes_before_a_text_that_did_not_match(self) -> None:
        outgoing = POST.but(text="Голосуем!", spans=(), parts=(self.POLL, self.PAGE)).render(LONDON)
        assert outgoing.text.split("\n\n")[:2] == [
            f"Outages · {POST.post.channel_title}\nPoll: Был ли сбой?\nLink preview: Сбой.",
            "Голосуем!",
        ]
        assert styled(outgoing, "bold") == ["Outages", "сбой", "Сбой"]

    def test_comes_after_a_text_that_matched_too(self) -> None:
        outgoing = POST.but(parts=(self.POLL,)).render(LONDON)
        assert outgoing.text.split("\n\n")[1].startswith("Poll: Был ли сбой?")

    def test_stands_alone_where_there_is_no_text(self) -> None:
        outgoing = POST.but(text="", spans=(), parts=(self.POLL,)).render(MOSCOW)
        assert outgoing.text.split("\n\n")[0].endswith("\nОпрос: Был ли сбой?")
        assert "\n\n\n" not in outgoing.text

    def test_is_shown_without_a_match_in_place_of_a_text(self) -> None:
        poll = replace(self.POLL, spans=())
        outgoing = POST.but(text="", spans=(), parts=(poll,), is_edited=True).render(LONDON)
        assert outgoing.text.splitlines()[1:3] == ["Poll: Был ли сбой?", ""]
        assert styled(outgoing, "bold") == ["Outages"]

    def test_leaves_room_for_the_text_and_its_entities(self) -> None:
        many = tuple((number * 3, number * 3 + 2) for number in range(600))
        part = PartMatch(part=Part(kind=PartKind.NOTE, text="да " * 600), spans=many)
        outgoing = POST.but(text="да " * 2000, spans=many, parts=(part,) * 9).render(LONDON)
        assert outgoing.text.count("Fact check: ") == 3
        assert len(outgoing.entities) <= 100
        assert len(outgoing.text) <= 4096


def test_an_alert_says_that_the_rest_of_a_long_post_is_missing() -> None:
    part = replace(POST, post=replace(POST.post, is_part=True))
    assert part.render(MOSCOW).text.endswith("\n18:39\nЭто начало длинного поста: остальное пока не загрузилось")
