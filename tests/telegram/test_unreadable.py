"""A bot to which somebody sends what its version of Telethon does not know: everything else arrives, at once."""

import asyncio

import pytest
from telethon import functions
from telethon.tl.types import InputMessageID

from bot.errors import FatalError, UnreadableError
from bot.sandbox import Unknown
from bot.telegram.errors import to_error, to_startup_error
from bot.telegram.rpc import ask
from tests.kit_bot import sender_of
from tests.telegram.test_reconnecting import SignedIn, bot
from tests.waiting import WAIT_S

__all__ = ["bot"]


@pytest.mark.parametrize("what", [{"media": Unknown()}, {"unknown": True}], ids=["media", "message"])
async def test_a_push_that_cannot_be_read_costs_itself_only(bot: SignedIn, what: dict[str, object]) -> None:
    for number in range(3):  # each comes in one packet, with the answer to a request
        bot.anna.sends(bot.account, f"before {number}")
        bot.anna.sends(bot.account, "unknown", **what)
        bot.anna.sends(bot.account, f"after {number}")
        assert (await asyncio.wait_for(bot.client.get_me(), WAIT_S)).id == bot.account.id
        assert [await bot.news.text(), await bot.news.text()] == [f"before {number}", f"after {number}"]
    assert not bot.client.disconnected.done()


@pytest.mark.parametrize("what", [{"media": Unknown()}, {"unknown": True}], ids=["media", "message"])
async def test_a_difference_that_cannot_be_read_costs_what_is_unknown_in_it_only(
    bot: SignedIn, what: dict[str, object]
) -> None:
    bot.sandbox.server.cut(bot.account.id)
    expected = []
    for number in range(20):
        if number in {0, 7, 8, 19}:
            bot.anna.sends(bot.account, "unknown", **what)
        else:
            expected.append(bot.anna.sends(bot.account, f"known {number}").text)
    assert [await bot.news.text() for _ in expected] == expected
    bot.anna.sends(bot.account, "last")
    assert await bot.news.text() == "last"
    assert not bot.client.disconnected.done()


async def test_a_bot_that_asks_for_messages_by_their_numbers_gets_all_others(bot: SignedIn) -> None:
    bot.sandbox.faults.drop_pushes()
    sent = [bot.anna.sends(bot.account, text, unknown=text == "unknown") for text in ("two", "unknown", "three")]
    bot.client.missed.last_message = sent[0].copies[bot.account.id].id - 1
    bot.client.missed.fail(None, to_error(TimeoutError()))
    await bot.client.missed.read()
    assert [await bot.news.text(), await bot.news.text()] == ["two", "three"]


async def test_messages_are_looked_for_around_what_cannot_be_read(bot: SignedIn) -> None:
    sender = sender_of(bot.client)
    await bot.client.send_message(bot.anna.id, "ours")
    last = bot.anna.sends(bot.account, "unknown", unknown=True).copies[bot.account.id].id
    page = await sender.read(range(1, 101))
    assert ([each.text for each in page.own], page.newest_id) == (["ours"], last)


async def test_the_answer_to_a_question_says_that_it_cannot_be_read(bot: SignedIn) -> None:
    number = bot.anna.sends(bot.account, "unknown", media=Unknown()).copies[bot.account.id].id
    with pytest.raises(UnreadableError) as raised:
        await ask(bot.client(functions.messages.GetMessagesRequest([InputMessageID(number)])))
    assert raised.value.constructor == Unknown.CONSTRUCTOR_ID
    assert isinstance(to_startup_error(to_error(BufferError("short"))), FatalError)
