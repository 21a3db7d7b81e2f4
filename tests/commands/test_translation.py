import pytest

from bot.store import readers
from tests.commands.kit import Bot, button, text
from tests.kit_archive import NEWS, post
from tests.kit_clock import NOON

TRANSLATE = f"translation:{NEWS}:1".encode()


async def alerted(bot: Bot, words: str = "Сбой в банке") -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(1, words))


async def test_a_tap_is_answered_and_what_it_wants_enters_the_outbox_once(bot: Bot) -> None:
    await alerted(bot)
    for _ in range(2):
        assert (await bot.taps(TRANSLATE)).note == "The translation comes as a reply to the alert."
    assert (await bot.archive.labels()).count("translation") == 1


async def test_what_cannot_be_translated_is_one_clear_line(bot: Bot) -> None:
    await alerted(bot)
    await bot.db.write(lambda tx: readers.lose(tx, bot.archive.reader_id, "USER_DEACTIVATED", now=NOON))
    line = "Telegram translates only for a reader account. Log one in on the server: channelwatch login"
    assert (await bot.taps(TRANSLATE)).note == line
    assert line in text(await bot.says("/translate en"))
    assert (await bot.taps(TRANSLATE.replace(b":1", b":9"))).note == "I no longer know this post."


@pytest.mark.parametrize(
    ("typed", "into", "label"),
    [("uk", "uk", "Ukrainian"), ("немецкий", "de", "German"), ("on", "en", "English"), ("off", None, "Off")],
)
async def test_a_chat_says_into_which_language(bot: Bot, typed: str, into: str | None, label: str) -> None:
    await bot.pair()
    (shown,) = (await bot.says(f"/translate {typed}")).messages
    assert (await bot.pair()).translate_into == into
    assert into == "de" or button(shown, label).text.startswith("●")
    assert "I do not know the language «xyzzy»." in text(await bot.says("/translate xyzzy"))
