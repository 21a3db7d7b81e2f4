"""Cases: posts saved by taps, in replies and by links, with notes and tags; what becomes of them and of the case."""

from datetime import timedelta

import pytest

from bot.commands.context import RenderingOrder
from bot.models import Media
from bot.models.people import Role
from bot.store import cases, media, posts
from bot.store.blobs import Blob
from bot.store.database import Transaction
from bot.store.media import FileInfo
from tests.commands.kit import BORIS, GROUP, Bot, button, labels, text
from tests.kit_archive import NEWS, NOON, OTHER, gone, post

LINK = "https://t.me/News1001/7"
CLARA = 503


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an owner and an editor, two channels, and a post in each."""
    await bot.pair()
    await bot.pair(BORIS, Role.EDITOR)
    await bot.archive.follow()
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.archive.live(post(7, "Сбой в банке"), post(8, "Сбой у всех", channel_id=OTHER))
    return bot


async def test_a_post_is_saved_by_taps_and_stays_with_all_that_becomes_of_it(newsroom: Bot) -> None:
    offered = await newsroom.taps(f"tocase:{NEWS}:7".encode())
    assert "You have none yet" in text(offered)
    asked = await newsroom.taps(button(offered.messages[0], "New case"))
    assert "What should the case be called?" in text(asked)
    saved = await newsroom.says("Банки")
    assert text(saved).splitlines() == [
        "Opened the case «Банки» and saved the post in it.",
        "I also keep its public page.",
    ]
    await newsroom.says("/save банки https://t.me/News1002/8", person=BORIS)
    assert "It is already in the case «Банки»" in text(await newsroom.says(f"/save {LINK} «Банки»"))
    newsroom.archive.now = NOON + timedelta(hours=1)
    await newsroom.archive.live(post(7, "Сбоя нет", edit_date=newsroom.archive.now), gone(8, channel_id=OTHER))
    screen = await newsroom.taps(button(saved.messages[0], "Open the case"))
    assert text(screen).splitlines() == [
        "📁 Банки · 2 posts",
        "Opened 10 Mar, 12:00 UTC by Person 501",
        "",
        "1. 10 Mar, 12:00 UTC · Вести · ✏️ 2",
        "Сбоя нет",
        "",
        "2. 10 Mar, 12:00 UTC · Хроника · 🗑 deletion told by Telegram",
        "Сбой у всех",
    ]
    for label, said in (("Note", "Для юриста"), ("Tags", "#банк, ЦБ РФ")):
        await newsroom.taps(button(screen.edit, label))
        noted = await newsroom.says(said)
    assert text(noted).splitlines()[1:3] == ["#банк #ЦБ_РФ", "Для юриста"]
    item = await newsroom.taps(button(screen.edit, "2"))
    ordered = await newsroom.taps(button(item.edit, "Picture"))
    assert ordered.order == RenderingOrder(channel_id=OTHER, message_id=8, language="en", time_zone="UTC")
    await newsroom.taps(button(item.edit, "Note"))
    assert "📝 важно" in text(await newsroom.says("важно"))
    left = await newsroom.taps(button(item.edit, "Take it out"))
    assert "· 1 post\n" in text(left)
    await newsroom.taps(button(left.edit, "Undo"))
    assert "📝 важно" in text(await newsroom.says("/cases банки"))
    assert "took https://t.me/News1002/8 out of the case «Банки»" in text(await newsroom.says("/log"))


async def test_a_case_is_renamed_and_deleted_and_that_is_undone(newsroom: Bot) -> None:
    saved = await newsroom.says(f"/save {LINK} Банки")
    await newsroom.says("/save https://t.me/News1002/8 Банки", person=BORIS)
    screen = await newsroom.taps(button(saved.messages[0], "Open the case"))
    await newsroom.taps(button(screen.edit, "Rename"))
    assert "📁 Сбои · 2 posts" in text(await newsroom.says("Сбои"))
    asked = await newsroom.taps(button(screen.edit, "Delete"))
    assert "Its posts stay in the archive.\nThat concerns 1 other chat." in text(asked)
    deleted = await newsroom.taps(button(asked.edit, "Delete"))
    assert "No cases yet" in text(await newsroom.says("/cases"))
    assert "There is no case «сбои»" in text(await newsroom.says("/cases сбои"))
    await newsroom.taps(button(deleted.edit, "Undo"))
    assert "📁 Сбои · 2 posts" in text(await newsroom.says("/cases сбои", person=BORIS))
    again = await newsroom.says("/save https://t.me/News1002/8 Новое")
    await newsroom.taps(button(again.messages[0], "Undo"))
    assert labels((await newsroom.says("/cases")).messages[0]) == ["📁 Сбои · 2"]


async def test_cases_and_their_posts_have_pages(newsroom: Bot) -> None:
    await newsroom.archive.live(*(post(20 + number, f"Пост {number}") for number in range(7)))

    async def job(tx: Transaction) -> None:
        for number in range(21):
            case_id = await cases.make(tx, f"Дело {number}", author_id=1, author="", now=NOON + timedelta(hours=number))
        for each in await posts.current(tx, NEWS, range(20, 27)):
            await cases.add(tx, case_id, each, chat_id=1, name="", now=NOON + timedelta(days=2))

    await newsroom.db.write(job)
    listed = (await newsroom.says("/cases")).messages[0]
    assert [len(labels(listed)), *labels(listed)[:1], *labels(listed)[-2:]] == [22, "📁 Дело 20 · 7", "1/2", "›"]
    turned = await newsroom.taps(button(listed, "›"))
    assert labels(turned.edit) == ["📁 Дело 0 · 0", "‹", "2/2"]
    case = await newsroom.taps(button(listed, "Дело 20"))
    assert ("Пост 5" in text(case), "Пост 6" in text(case)) == (True, False)
    rest = await newsroom.taps(button(case.edit, "›"))
    assert ("7. 10 Mar" in text(rest), "Пост 6" in text(rest), "Пост 5" in text(rest)) == (True, True, False)


async def test_who_sees_and_changes_a_case(newsroom: Bot) -> None:
    await newsroom.pair(CLARA, Role.READER)
    saved = await newsroom.says(f"/save {LINK} Банки", person=BORIS)
    seen = await newsroom.says("/cases банки", person=CLARA)
    assert labels(seen.messages[0]) == ["Dossier as a file", "All cases"]
    assert "Only owners and editors" in text(await newsroom.says(f"/save {LINK} банки", person=CLARA))
    await newsroom.says(f"/save {LINK} Мои", person=CLARA)
    offered = await newsroom.says(f"/save {LINK}", person=CLARA)
    assert labels(offered.messages[0]) == ["✅ Мои · 1", "New case"]
    screen = await newsroom.taps(button(saved.messages[0], "Open the case"), person=BORIS)
    kept = await newsroom.taps(button(screen.edit, "Keep it to this chat"), person=BORIS)
    assert "Nobody else can find the case" in text(kept)
    back = await newsroom.taps(button(kept.edit, "Open the case"), person=BORIS)
    assert "🔒 Банки" in text(back)
    assert "There is no case" in text(await newsroom.says("/cases банки", person=CLARA))
    assert text(await newsroom.taps(b"case:1:0", person=CLARA)) == "This case no longer exists."
    assert "🔒 Банки" in text(await newsroom.says("/cases банки"))
    assert "Банки" not in text(await newsroom.says("/cases", person=CLARA))
    only = await newsroom.says("/private @News1002", person=BORIS)
    await newsroom.taps(button(only.messages[0], "Only here"), person=BORIS)
    await newsroom.says("/save https://t.me/News1002/8 Общее", person=BORIS)
    empty = text(await newsroom.says("/cases общее", person=CLARA))
    assert "📁 Общее · 0 posts" in empty
    assert "There are no posts in it" in empty


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/save", "Reply with /save to an alert or a forwarded post"),
        (f"/save {LINK} {'а' * 65}", "The name of a case has 1 to 64 characters and does not begin with # or ="),
        ("/save https://t.me/nobody/7 Банки", "I do not follow the channel of this post."),
        ("/save =1001:99 Банки", "This post is not stored."),
        ("/cases #9:note x", "This case no longer exists."),
    ],
)
async def test_what_cannot_be_saved_is_one_line(newsroom: Bot, typed: str, said: str) -> None:
    assert said in text(await newsroom.says(typed))


async def test_no_file_that_a_case_shows_is_removed_of_any_version(newsroom: Bot) -> None:
    archive = newsroom.archive
    for number in (20, 21):
        await archive.live(post(number, "Сбой", media=Media(kind="photo", id=number)))
    await newsroom.says("/save https://t.me/News1001/20 Банки")
    for row in await archive.db.fetch_all("SELECT id, file_id FROM media"):
        blob, info = Blob(sha256=bytes([row["file_id"]]) * 32, size=9), FileInfo(mime="image/jpeg", name=None, size=9)
        await archive.db.write(
            lambda tx, row=row, blob=blob, info=info: media.keep(
                tx, row["id"], blob, info, reader_id=archive.reader_id, now=NOON
            )
        )
    await archive.live(post(20, "Нет", edit_date=NOON + timedelta(hours=1), media=Media(kind="photo", id=22)))
    pruned = await archive.db.write(lambda tx: media.prune(tx, size=99, after=0, shown_since=NOON + timedelta(days=40)))
    assert [blob.sha256[0] for blob in pruned.blobs] == [21]


async def test_files_that_an_edit_adds_to_a_post_in_a_case_are_wanted_and_to_no_other(newsroom: Bot) -> None:
    await newsroom.says(f"/save {LINK} Банки")
    edited_at = NOON + timedelta(hours=1)
    for number in (7, 9):
        await newsroom.archive.live(post(number, "Тихо"))
        await newsroom.archive.live(
            post(number, "Тихо, с фото", edit_date=edited_at, media=Media(kind="photo", id=number))
        )
    rows = await newsroom.archive.db.fetch_all("SELECT file_id FROM media")
    assert [row["file_id"] for row in rows] == [7]


@pytest.mark.parametrize("is_first", [True, False], ids=["restricted before", "restricted later"])
async def test_the_log_says_nothing_of_posts_and_notes_to_whom_the_channel_is_hidden(
    newsroom: Bot, *, is_first: bool
) -> None:
    async def keep() -> None:
        await newsroom.taps(button((await newsroom.says("/private @News1001")).messages[0], "Only here"))

    await newsroom.says("/save https://t.me/News1002/8 Банки")
    if is_first:
        await keep()
    saved = await newsroom.says(f"/save {LINK} Банки")
    await newsroom.taps(button(saved.messages[0], "Note"))
    await newsroom.says("Источник внутри")
    screen = await newsroom.says("/cases банки")
    item = await newsroom.taps(button(screen.messages[0], "1"))
    await newsroom.taps(button(item.edit, "Take it out"))
    if not is_first:
        await keep()
    log = text(await newsroom.says("/log", person=BORIS))
    assert (LINK in log, "Источник" in log, "opened the case «Банки»" in log) == (False, False, True)


async def test_in_a_group_a_reader_who_opens_a_screen_leaves_its_buttons_to_the_editors(newsroom: Bot) -> None:
    await newsroom.pair(CLARA, Role.READER)
    await newsroom.says("/start@our_bot", chat=GROUP)
    saved = await newsroom.says(f"/save@our_bot {LINK} Банки", chat=GROUP)
    opening = button(saved.messages[0], "Open the case")
    drawn = [await newsroom.taps(opening, chat=GROUP, person=person) for person in (BORIS, CLARA)]
    assert drawn[0].edit == drawn[1].edit
    assert "Only owners" in text(await newsroom.taps(button(drawn[1].edit, "Note"), chat=GROUP, person=CLARA))
    item = button(drawn[1].edit, "1")
    drawn = [await newsroom.taps(item, chat=GROUP, person=person) for person in (BORIS, CLARA)]
    assert drawn[0].edit == drawn[1].edit
    for screen in (f"channel:{NEWS}", "groups", "topics:0", "about:1"):
        drawn = [await newsroom.taps(screen.encode(), chat=GROUP, person=person) for person in (BORIS, CLARA)]
        assert drawn[0].edit == drawn[1].edit is not None, screen
