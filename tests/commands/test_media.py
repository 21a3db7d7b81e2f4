import pytest

from bot.models import Media
from bot.models.files import FileReason
from bot.models.outgoing import Outgoing
from bot.models.people import Role
from bot.store import media
from bot.store.blobs import Blob
from bot.store.media import FileInfo
from tests.commands.kit import BORIS, GROUP, Bot, button, text
from tests.kit_archive import NOON, post

LINK = "https://t.me/News1001/7"
SHA256 = bytes(range(32))


async def wants(bot: Bot) -> bool:
    return (await bot.pair()).media


@pytest.mark.parametrize(("typed", "wanted"), [("on", True), ("OFF", False)])
async def test_a_chat_says_whether_it_wants_files(bot: Bot, typed: str, *, wanted: bool) -> None:
    await bot.pair()
    shown = await bot.says(f"/media {typed}")
    assert button(shown.messages[0], "●").data == f"media:{typed.lower()}".encode()
    assert await wants(bot) is wanted


async def test_at_first_none_come_and_buttons_change_that(bot: Bot) -> None:
    await bot.pair()
    (shown,) = (await bot.says("/media")).messages
    assert "●" in button(shown, "Off").text
    edited = (await bot.taps(button(shown, "On"))).edit
    assert isinstance(edited, Outgoing)
    assert "●" in button(edited, "On").text
    assert await wants(bot)


async def test_other_words_are_answered_with_what_to_write(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/media some")) == "Write /media on or /media off."


async def test_readers_do_not_settle_what_comes_into_a_group(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    assert "Only owners and editors" in text(await bot.says("/media@our_bot on", person=BORIS, chat=GROUP))


async def matched(bot: Bot) -> None:
    """Bring a post in which a topic was found, and its file."""
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(7, "Сбой в банке", media=Media(kind="document", id=5, title="../приказ.pdf")))


async def settle(bot: Bot, *, kept: bool) -> None:
    wanted = await media.next_download(bot.db, bot.archive.reader_id, NOON)
    assert wanted is not None
    about = FileInfo(mime="application/pdf", name="../приказ\n.pdf", size=1_500_000)
    stored, reader_id = Blob(sha256=SHA256, size=about.size), bot.archive.reader_id
    if kept:
        await bot.db.write(lambda tx: media.keep(tx, wanted.id, stored, about, reader_id=reader_id, now=NOON))
    else:
        await bot.db.write(lambda tx: media.give_up(tx, wanted.id, FileReason.TOO_LARGE, about, now=NOON))


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        (True, "File kept: ../приказ .pdf, 1.4 MB, SHA-256 000102030405"),
        (False, "File not kept: ../приказ .pdf; it is too large"),
    ],
)
async def test_a_post_is_shown_with_what_became_of_its_file(bot: Bot, line: str, *, kept: bool) -> None:
    await matched(bot)
    await settle(bot, kept=kept)
    assert line in text(await bot.says(f"/post {LINK}")).splitlines()


async def test_a_file_that_is_on_its_way_is_named_too(bot: Bot) -> None:
    await matched(bot)
    assert "File not kept yet: document" in text(await bot.says(f"/post {LINK}")).splitlines()


async def test_a_post_that_fits_nothing_has_no_such_line(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(7, "Тихий день", media=Media(kind="photo", id=5)))
    assert "File" not in text(await bot.says(f"/post {LINK}"))
