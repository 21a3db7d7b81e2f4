from datetime import timedelta

from bot.runtime.clock import utc_now
from bot.store import translations
from tests.delivery.kit import DeliveringBot
from tests.kit_archive import NEWS, post


async def test_a_translation_is_a_silent_reply_that_first_says_that_it_is_on_its_way(bot: DeliveringBot) -> None:
    chat = bot.chats[bot.alice.id]
    await bot.subscribe(chat)
    await bot.archive.live(post(1, "Сбой\nв банке", date=utc_now()))

    async def ask() -> None:
        alerted = await translations.find_alerted(bot.archive.db, chat.id, NEWS, 1, "en")
        assert alerted is not None
        past = utc_now() - timedelta(minutes=1)
        await bot.archive.db.write(lambda tx: translations.request(tx, chat, alerted, "en", now=past))

    async with bot.at_work():
        await bot.until_received(bot.alice)
        await ask()
        alert, reply = await bot.until_received(bot.alice, 2)
        assert "as soon as Telegram answers" in reply.text
        until = utc_now() + timedelta(minutes=1)
        wanted = await bot.archive.db.write(lambda tx: translations.claim(tx, 1, until=until, now=utc_now()))
        assert wanted is not None
        await bot.archive.db.write(lambda tx: translations.done(tx, wanted, "An outage at a bank", now=utc_now()))
        await bot.until_idle()
    assert bot.received(bot.alice)[1].text == "Telegram's translation: English · Вести\n\nAn outage at a bank"
    assert (reply.silent, reply.reply_to) == (True, alert.id)
