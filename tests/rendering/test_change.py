from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Button
from bot.parts import Part, PartKind
from bot.rendering.alert import Elsewhere, PostAlert, render_post
from bot.rendering.change import PostChange, render_change, render_confirmation
from tests.rendering.test_alert import POST, styled

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
MOSCOW = Locale(t=translator("ru"), time_zone="Europe/Moscow", now=NOW)
LONDON = Locale(t=translator("en"), time_zone="Europe/London", now=NOW)
EDIT = PostChange(
    channel_id=7,
    title="Минсвязь",
    username="zarechye_svyaz",
    message_id=77,
    date=datetime(2021, 10, 4, 15, 30, tzinfo=UTC),
    text="Портал работает.",
    before="Портал не работает.",
    edited_at=datetime(2021, 10, 4, 15, 40, tzinfo=UTC),
)
LOSS = replace(EDIT, before=None, gone_at=datetime(2021, 10, 4, 7, 31, tzinfo=UTC))


def test_an_edit_is_told_by_what_went_and_what_came_with_the_link_first() -> None:
    outgoing = render_change(EDIT, MOSCOW)
    assert outgoing.text == "Минсвязь · изменено: 18:40\nПортал не работает."
    assert styled(outgoing, "strike") == ["не"]
    assert styled(outgoing, "text_url") == ["Минсвязь"]
    assert outgoing.entities[0].value == "https://t.me/zarechye_svyaz/77"
    assert outgoing.buttons == ((Button(text="История", data=b"post:7:77"),),)


def test_topics_that_it_fits_only_now_are_named() -> None:
    assert "\nNow also: Outages, Вода\n" in render_change(replace(EDIT, joined=("outages", "Вода")), LONDON).text


def test_a_post_that_is_gone_is_shown_as_it_was_last_seen() -> None:
    gone = "Минсвязь · No longer visible to our reader since 08:31\n"
    assert render_change(LOSS, LONDON).text == f"{gone}Портал работает."
    poll = (Part(kind=PartKind.POLL, text="Есть связь?"),)
    assert render_change(replace(LOSS, text="", parts=poll), LONDON).text == f"{gone}Poll: Есть связь?"


def test_words_beside_the_text_are_compared_too_where_they_change() -> None:
    old, new = (Part(kind=PartKind.PREVIEW, text=text) for text in ("Сбой в банке", "Опровержение"))
    change = replace(EDIT, before=EDIT.text, parts_before=(old,), parts=(new,))
    outgoing = render_change(change, LONDON)
    assert outgoing.text.endswith("\nПортал работает.\nLink preview: Сбой в банке Опровержение")
    assert (styled(outgoing, "strike"), styled(outgoing, "bold")) == (["Сбой в банке"], ["Опровержение"])
    assert "Link preview" not in render_change(replace(EDIT, parts=(new,)), LONDON).text


def test_words_beside_the_text_that_were_removed_are_struck_through() -> None:
    page = Part(kind=PartKind.PREVIEW, text="Сбой в банке")
    outgoing = render_change(replace(EDIT, before=EDIT.text, parts_before=(page,)), LONDON)
    assert styled(outgoing, "strike") == ["Link preview: Сбой в банке"]


def test_what_has_no_text_says_so() -> None:
    assert render_change(replace(LOSS, text=""), LONDON).text.endswith("\n(no text)")
    lines = render_post(replace(POST, text="", spans=(), edited=True), LONDON).text.splitlines()
    assert lines[1:3] == ["(no text)", ""]


def test_an_album_of_which_items_are_left_is_gone_in_part() -> None:
    line = "1 of 3 items is no longer visible to our reader, since 08:31"
    assert line in render_change(replace(LOSS, part=(1, 3)), LONDON).text
    assert line in render_post(replace(POST, gone_at=LOSS.gone_at, part=(1, 3)), LONDON).text


def test_an_alert_for_a_post_that_fits_only_since_its_edit_says_so_in_its_head() -> None:
    head = render_post(replace(POST, topics=("outages",), edited=True, turned=True), LONDON).text.splitlines()[0]
    assert head.startswith("edited, now matches: Outages · ")


def test_the_day_is_named_where_it_is_not_today() -> None:
    later = replace(LONDON, now=datetime(2021, 10, 6, tzinfo=UTC))
    assert "since 4 Oct, 08:31\n" in render_change(LOSS, later).text
    assert "edited 4 Oct, 16:40\n" in render_change(EDIT, later).text


def test_a_confirmation_names_the_second_channel_and_when_it_said_so() -> None:
    outgoing = render_confirmation(EDIT, LONDON)
    assert outgoing.text == "Confirmed by @zarechye_svyaz, 16:30"
    assert [entity.value for entity in outgoing.entities] == ["https://t.me/zarechye_svyaz/77"]
    later = replace(MOSCOW, now=NOW + timedelta(days=1))
    assert render_confirmation(replace(EDIT, username=None), later).text == "Подтверждает Минсвязь, 4 окт., 18:30"


def test_however_long_the_text_the_link_stays() -> None:
    for change in (replace(EDIT, text="слово 🙂 " * 2000), replace(LOSS, text="слово 🙂 " * 2000)):
        outgoing = render_change(change, MOSCOW)
        assert len(outgoing.text.encode("utf-16-le")) // 2 <= 4096
        assert outgoing.entities[0].value == "https://t.me/zarechye_svyaz/77"


def test_foreign_text_is_no_markup() -> None:
    outgoing = render_change(replace(EDIT, title="<b>{x}</b>", text="**a** {y}", before=""), LONDON)
    assert outgoing.text == "<b>{x}</b> · edited 16:40\n**a** {y}"


def test_an_alert_says_that_its_post_is_no_longer_visible_and_who_else_posted_it() -> None:
    repeats = tuple(Elsewhere(name=f"Город {n}", link=f"https://t.me/city/{n}", date=POST.date) for n in range(6))
    alert: PostAlert = replace(POST, gone_at=LOSS.gone_at, repeats=repeats)
    outgoing = render_post(alert, LONDON)
    lines = outgoing.text.split("\n")
    assert lines[1] == "No longer visible to our reader since 08:31"
    assert lines[-1] == "Also in Город 0 16:39, Город 1 16:39, Город 2 16:39, Город 3 16:39 +2"
    assert [e.value for e in outgoing.entities if e.kind == "text_url"][1:] == [each.link for each in repeats[:4]]
    assert outgoing.buttons == render_post(POST, LONDON).buttons
