from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.alerts import Duplicate
from bot.models.outgoing import Button
from bot.parts import Part, PartKind
from tests.rendering.test_alert import POST, styled
from tests.rendering.values import ShownChange, stored

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
MOSCOW = Locale(t=translator("ru"), time_zone="Europe/Moscow", now=NOW)
LONDON = Locale(t=translator("en"), time_zone="Europe/London", now=NOW)
EDIT = ShownChange(
    post=stored(
        77,
        channel_title="Минсвязь",
        channel_username="zarechye_svyaz",
        date=datetime(2021, 10, 4, 15, 30, tzinfo=UTC),
        edit_date=datetime(2021, 10, 4, 15, 40, tzinfo=UTC),
        text="Портал работает.",
    )
).but(text_before="Портал не работает.")
LOSS = EDIT.but(gone_at=datetime(2021, 10, 4, 7, 31, tzinfo=UTC))


def test_an_edit_reads_well_without_formatting_with_the_link_first() -> None:
    outgoing = EDIT.render(MOSCOW)
    assert outgoing.text == "Минсвязь · изменено: 18:40\nПортал работает.\nбыло: Портал не работает."
    assert styled(outgoing, "strike") == []
    assert styled(outgoing, "text_url") == ["Минсвязь"]
    assert outgoing.entities[0].value == "https://t.me/zarechye_svyaz/77"
    assert outgoing.buttons == ((Button(text="История", data=b"post:7:77"),),)


def test_topics_that_it_fits_only_now_are_named() -> None:
    assert "\nNow also: Outages, Вода\n" in EDIT.but(joined=("outages", "Вода")).render(LONDON).text


def test_a_post_that_is_gone_is_shown_as_it_was_last_seen() -> None:
    gone = "Минсвязь · Missing when read again at 08:31\n"
    assert LOSS.render(LONDON).text == f"{gone}Портал работает."
    poll = (Part(kind=PartKind.POLL, text="Есть связь?"),)
    assert LOSS.but(text="", parts=poll).render(LONDON).text == f"{gone}Poll: Есть связь?"


def test_words_beside_the_text_are_compared_too_where_they_change() -> None:
    old, new = (Part(kind=PartKind.PREVIEW, text=text) for text in ("Сбой в банке", "Опровержение"))
    change = EDIT.but(text_before=EDIT.post.text, parts_before=(old,), parts=(new,))
    outgoing = change.render(LONDON)
    assert outgoing.text.endswith("\nLink preview: Опровержение\nbefore: Link preview: Сбой в банке")
    assert styled(outgoing, "bold") == ["Опровержение"]
    assert "Link preview" not in EDIT.but(parts=(new,)).render(LONDON).text


def test_numbers_and_names_that_changed_come_first() -> None:
    filler = "Подробности сообщим позже, когда закончится проверка на месте. " * 4
    before = f"Утром авария. {filler}Пострадали 2 человека, свет отключён в Твери."
    after = f"Вечером авария. {filler}Пострадали 20 человек, свет отключён в Твери и Ржеве."
    assert EDIT.but(text_before=before, text=after).render(MOSCOW).text.splitlines()[1:] == [
        "Пострадали 20 человек, свет отключён в Твери и Ржеве.",
        "было: Пострадали 2 человека, свет отключён в Твери.",
        "Вечером авария.",
        "было: Утром авария.",
    ]


def test_words_beside_the_text_that_were_removed_are_shown_as_they_were() -> None:
    page = Part(kind=PartKind.PREVIEW, text="Сбой в банке")
    outgoing = EDIT.but(text_before=EDIT.post.text, parts_before=(page,)).render(LONDON)
    assert outgoing.text.endswith("\nbefore: Link preview: Сбой в банке")


def test_what_has_no_text_says_so() -> None:
    assert LOSS.but(text="").render(LONDON).text.endswith("\n(no text)")
    lines = POST.but(text="", spans=(), is_edited=True).render(LONDON).text.splitlines()
    assert lines[1:3] == ["(no text)", ""]


def test_an_album_of_which_items_are_left_is_gone_in_part() -> None:
    line = "Of 4 items: deletion told by Telegram – 1, missing when read again – 2; noticed at 08:31"
    assert line in LOSS.but(gone_items=(1, 2, 4)).render(LONDON).text
    line = "Of 3 items: missing when read again – 1; noticed at 08:31"
    assert line in POST.but(gone_at=LOSS.change.gone_at, gone_items=(0, 1, 3)).render(LONDON).text


def test_an_alert_for_a_post_that_fits_only_since_its_edit_says_so_in_its_head() -> None:
    head = POST.but(topics=("outages",), is_edited=True, fits_since_edit=True).render(LONDON).text.splitlines()[0]
    assert head.startswith("edited, now matches: Outages · ")


def test_the_day_is_named_where_it_is_not_today() -> None:
    later = replace(LONDON, now=datetime(2021, 10, 6, tzinfo=UTC))
    assert "again 4 Oct, 08:31\n" in LOSS.render(later).text
    assert "edited 4 Oct, 16:40\n" in EDIT.render(later).text


def test_a_confirmation_names_the_second_channel_and_when_it_said_so() -> None:
    outgoing = EDIT.confirm(LONDON)
    assert outgoing.text == "Confirmed by @zarechye_svyaz, 16:30"
    assert [entity.value for entity in outgoing.entities] == ["https://t.me/zarechye_svyaz/77"]
    later = replace(MOSCOW, now=NOW + timedelta(days=1))
    assert EDIT.but(channel_username=None).confirm(later).text == "Подтверждает Минсвязь, 4 окт., 18:30"


def test_however_long_the_text_the_link_stays() -> None:
    for change in (EDIT.but(text="слово 🙂 " * 2000), LOSS.but(text="слово 🙂 " * 2000)):
        outgoing = change.render(MOSCOW)
        assert len(outgoing.text.encode("utf-16-le")) // 2 <= 4096
        assert outgoing.entities[0].value == "https://t.me/zarechye_svyaz/77"


def test_foreign_text_is_no_markup() -> None:
    outgoing = EDIT.but(channel_title="<b>{x}</b>", text="**a** {y}", text_before="").render(LONDON)
    assert outgoing.text == "<b>{x}</b> · edited 16:40\n**a** {y}"


def test_an_alert_says_that_its_post_is_no_longer_visible_and_who_else_posted_it() -> None:
    duplicates = tuple(
        Duplicate(channel_id=n, title=f"Город {n}", username=None, message_id=n, own_link=None, date=POST.post.date)
        for n in range(1, 7)
    )
    outgoing = POST.but(gone_at=LOSS.change.gone_at, duplicates=duplicates).render(LONDON)
    lines = outgoing.text.split("\n")
    assert lines[1] == "Missing when read again at 08:31"
    assert lines[-1] == "Also in Город 1 16:39, Город 2 16:39, Город 3 16:39, Город 4 16:39 +2"
    assert [e.value for e in outgoing.entities if e.kind == "text_url"][1:] == [
        f"https://t.me/c/{n}/{n}" for n in range(1, 5)
    ]
    assert outgoing.buttons == POST.render(LONDON).buttons
