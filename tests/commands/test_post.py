from datetime import timedelta

import pytest

from bot.models import Media
from bot.models.outgoing import Outgoing
from bot.parts import Part, PartKind
from tests.commands.kit import Bot, button, text
from tests.kit_archive import NEWS, NOON, gone, post

LINK = "https://t.me/News1001/7"


@pytest.fixture
async def known(bot: Bot) -> Bot:
    """Bring a bot that follows a channel, whose post 7 was edited twice."""
    await bot.pair()
    await bot.archive.follow()
    for minutes, words in ((0, "Сбой в банке"), (5, "Сбой в банке и вузе"), (9, "Сбой в вузе")):
        bot.archive.now = NOON + timedelta(minutes=minutes)
        await bot.archive.live(post(7, words, edit_date=bot.archive.now if minutes else None))
    return bot


def styled(outgoing: Outgoing, kind: str) -> list[str]:
    raw = outgoing.text.encode("utf-16-le")
    found = [entity for entity in outgoing.entities if entity.kind == kind]
    return [raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in found]


async def test_a_post_is_shown_with_its_history_newest_first(known: Bot) -> None:
    (shown,) = (await known.says(f"/post {LINK}")).messages
    assert shown.text.splitlines() == [
        "Вести · 10 Mar, 12:00 UTC",
        "🔔 Alerted in this chat on 10 Mar, 12:00 UTC: Outages",
        "",
        "Сбой в вузе",
        "",
        "Edited 10 Mar, 12:09 UTC, seen 10 Mar, 12:09 UTC",
        "Сбой в вузе",
        "before: Сбой в банке и вузе",
        "",
        "Edited 10 Mar, 12:05 UTC, seen 10 Mar, 12:05 UTC",
        "Сбой в банке и вузе",
        "",
        "First seen 10 Mar, 12:00 UTC",
    ]
    assert "и вузе" in styled(shown, "bold")
    assert shown.entities[0].value == LINK
    assert "✅ Outages: Сбой" in text(await known.taps(button(shown, "Why")))


@pytest.mark.parametrize(
    "link",
    [
        "t.me/news1001/7",
        f"{LINK}?single",
        f"{LINK}?comment=5",
        "https://t.me/s/News1001/7",
        "https://t.me/c/1001/7",
        "https://t.me/c/1001/3/7",
        "tg://resolve?domain=news1001&post=7",
        "tg://privatepost?channel=1001&post=7",
    ],
)
async def test_any_link_to_the_post_will_do(known: Bot, link: str) -> None:
    assert "Сбой в вузе" in text(await known.says(f"/post {link}"))


async def test_a_post_that_never_changed_says_so(known: Bot) -> None:
    await known.archive.live(post(8, "Тихо"))
    assert text(await known.says("/post t.me/news1001/8")).endswith("It has not changed since.")


async def test_words_beside_the_text_have_a_history_too(known: Bot) -> None:
    for title in ("Банк: сбой", "Банк: опровержение"):
        await known.archive.sweep(post(8, "Смотрите", parts=(Part(kind=PartKind.PREVIEW, text=title),)))
    (shown,) = (await known.says("/post t.me/news1001/8")).messages
    now, before = "Link preview: Банк: опровержение", "before: Link preview: Банк: сбой"
    assert f"Changed outside the text, seen 10 Mar, 12:09 UTC\n{now}\n{before}\n" in shown.text


async def test_a_preview_that_an_edit_removes_is_shown_as_it_was(known: Bot) -> None:
    await known.archive.sweep(post(8, "Смотрите", parts=(Part(kind=PartKind.PREVIEW, text="Банк: сбой"),)))
    await known.archive.sweep(post(8, "Смотрите", edit_date=NOON + timedelta(minutes=9)))
    (shown,) = (await known.says("/post t.me/news1001/8")).messages
    assert "Changed outside the text, seen 10 Mar, 12:09 UTC\nbefore: Link preview: Банк: сбой\n" in shown.text


async def test_a_post_that_is_gone_stays_readable(known: Bot) -> None:
    known.archive.now = NOON + timedelta(hours=1)
    await known.archive.live(gone(7))
    told = text(await known.says(f"/post {LINK}"))
    assert "Deleted, Telegram told us 10 Mar, 13:00 UTC" in told
    assert "Сбой в вузе" in told


async def test_a_reply_to_an_alert_or_to_what_was_said_of_its_change_asks_for_its_post(known: Bot) -> None:
    for number, alert in enumerate(await known.archive.outbox()):
        message_id = None if alert.is_edit else 900 + number
        await known.archive.send(alert, message_id, at=NOON)
        if message_id is not None:
            assert "First seen" in text(await known.says("/post", reply_to=message_id))
    assert "That is not a post. Reply to an alert or to a forwarded post" in text(await known.says("/post", reply_to=5))


async def test_the_button_under_a_change_shows_the_post_in_a_message_of_its_own(known: Bot) -> None:
    told = await known.taps(f"post:{NEWS}:7".encode())
    assert "First seen" in told.messages[0].text
    assert told.edit is None


async def test_a_long_history_comes_in_pages_each_with_the_link(known: Bot) -> None:
    for minutes in range(10, 40):
        words = " ".join(f"слово{minutes}-{n}" for n in range(200))
        await known.archive.live(post(7, words, edit_date=NOON + timedelta(minutes=minutes)))
    (page,) = (await known.says(f"/post {LINK}")).messages
    shown = [page]
    while any("›" in b.text for row in page.buttons for b in row):
        edited = (await known.taps(button(page, "›"))).edit
        assert edited is not None
        page = edited
        shown.append(page)
    assert len(shown) > 3
    for each in shown:
        assert len(each.text.encode("utf-16-le")) // 2 <= 4096
        assert len(each.entities) <= 100
        assert each.entities[0].value == LINK
    assert shown[-1].text.endswith("First seen 10 Mar, 12:00 UTC")
    assert (await known.taps(button(shown[-1], "‹"))).edit == shown[-2]


async def test_a_text_as_long_as_a_message_is_shown_whole(known: Bot) -> None:
    words = [f"слово{n} 🙂" for n in range(330)]
    await known.archive.live(post(9, " ".join(words)))
    (first,) = (await known.says("/post t.me/news1001/9")).messages
    second = (await known.taps(button(first, "›"))).edit
    assert second is not None
    said = f"{first.text} {second.text}".split()
    assert [word for word in said if word.startswith("слово")] == [word.split()[0] for word in words]


async def test_an_album_is_one_post_whichever_item_is_named(known: Bot) -> None:
    photo = Media(kind="photo", id=1)
    await known.archive.live(*(post(n, "Сбой" if n == 20 else "", grouped_id=5, media=photo) for n in (20, 21, 22)))
    await known.archive.live(post(21, "", grouped_id=5, media=Media(kind="photo", id=2), edit_date=NOON), gone(22))
    told = text(await known.says("/post t.me/news1001/22"))
    assert told.splitlines()[0].startswith("Вести")
    assert "Сбой" in told
    assert "1 of 3 items · Deleted, Telegram told us" in told
    assert "Only the formatting or the media changed." in told


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (
            "/post",
            "Reply with /post to an alert or a forwarded post, or add the link of a post: /post https://t.me/name/123",
        ),
        ("/post @news1001", "That is not a link to a post. A link looks like this: https://t.me/name/123"),
        ("/post t.me/c/1001", "That is not a link to a post. A link looks like this: https://t.me/name/123"),
        ("/post t.me/c/9009/5", "I do not follow the channel of this post."),
        (
            "/post t.me/other/5",
            (
                "I do not follow the channel of this post. An imported channel cannot be found by name; its posts "
                "have links such as https://t.me/c/1234567890/123, which /search shows."
            ),
        ),
        ("/post t.me/news1001/5", "This post is not stored."),
    ],
)
async def test_what_cannot_be_shown_is_answered_with_one_line(known: Bot, typed: str, answer: str) -> None:
    assert text(await known.says(typed)) == answer


@pytest.mark.parametrize(("author", "said"), [("Иван Петров", " · by Иван Петров"), ("Вести", "")])
async def test_who_wrote_a_post_is_named(bot: Bot, author: str, said: str) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(7, "Сбой", author=author))
    (shown,) = (await bot.says(f"/post {LINK}")).messages
    assert shown.text.splitlines()[0] == f"Вести · 10 Mar, 12:00 UTC{said}"
