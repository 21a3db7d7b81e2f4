import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import registry
from bot.commands.context import ForwardOrigin, Reply
from bot.models.outgoing import Button, Outgoing
from bot.models.people import Role
from bot.store import follows
from tests.commands.kit import BORIS, GROUP, Bot, bot_of, button, text
from tests.kit_archive import open_archive

_MOST = 64  # bytes of a button's data


async def test_a_wrong_command_is_answered_with_what_was_meant(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/folow @rkn_tg")) == "There is no command /folow. Did you mean /follow?"
    assert text(await bot.says("/xyz")) == "There is no command /xyz. /help shows all."


async def test_a_group_is_not_bothered_with_commands_that_may_be_for_other_bots(bot: Bot) -> None:
    await bot.says("/start@our_bot", chat=GROUP)
    assert await bot.says("/play", chat=GROUP) == Reply()
    assert "Did you mean /status" in text(await bot.says("/statu@our_bot", chat=GROUP))


async def test_a_command_that_comes_twice_has_one_effect_and_the_same_answer(bot: Bot) -> None:
    await bot.pair()
    first = await bot.says("/follow @rkn_tg", key="m-777")
    again = await bot.says("/follow @rkn_tg", key="m-777")
    assert "I am checking these" in text(first)
    assert again == first
    assert len(await follows.all_follows(bot.db)) == 1


async def test_a_repeat_does_not_undo_what_was_said_since(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.says("/track utilities", key="m-777")
    await bot.says("/untrack utilities")
    await bot.says("/track utilities", key="m-777")
    assert "utilities" not in await bot.topics_of(chat)


async def test_a_command_of_long_ago_is_not_carried_out(bot: Bot) -> None:
    await bot.pair()
    late = timedelta(minutes=10)
    reply = await bot.says("/follow @rkn_tg", sent_at=bot.archive.now - late - timedelta(milliseconds=1))
    assert text(reply) == ("I was away. Please send /follow again, and anything else you wrote in the meantime.")
    assert text(await bot.says("/status", sent_at=bot.archive.now - 2 * late)) == ""
    assert await follows.all_follows(bot.db) == []
    bot.archive.now += timedelta(hours=1)
    reply = await bot.says("сбой", sent_at=bot.archive.now - 2 * late)
    assert text(reply) == "I was away. Please send it again, and anything else you wrote in the meantime."
    await bot.says("/follow @rkn_tg", sent_at=bot.archive.now - late)
    assert len(await follows.all_follows(bot.db)) == 1


async def test_a_handled_command_that_comes_again_much_later_is_not_called_late(bot: Bot) -> None:
    await bot.pair()
    sent_at = bot.archive.now
    first = await bot.says("/status", key="m-777", sent_at=sent_at)
    bot.archive.now += timedelta(minutes=30)
    assert await bot.says("/status", key="m-777", sent_at=sent_at) == first


async def test_plain_words_are_answered_in_private_only(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/start@our_bot", chat=GROUP)
    assert "/help" in text(await bot.says(""))
    assert await bot.says("hello", chat=GROUP) == Reply()


async def test_a_forwarded_post_is_offered_to_be_followed(bot: Bot) -> None:
    await bot.pair()
    origin = ForwardOrigin(channel_id=1777, title="РКН", username="rkn_tg")
    offer = await bot.says("Новости", origin=origin)
    assert text(offer) == "This is from РКН, which I do not follow.\nIt matches no topic of this chat."
    told = await bot.taps(button(offer.messages[0], "Follow @rkn_tg"))
    assert "@rkn_tg" in text(told)
    assert [follow.reference for follow in await follows.all_follows(bot.db)] == ["@rkn_tg"]


async def test_a_forward_from_a_private_channel_is_followed_by_its_id(bot: Bot) -> None:
    await bot.pair()
    offer = await bot.says("Новости", origin=ForwardOrigin(channel_id=1777, title="Закрытый клуб"))
    await bot.taps(button(offer.messages[0], "Follow Закрытый клуб"))
    assert [follow.reference for follow in await follows.all_follows(bot.db)] == ["1777"]


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"mute:x", b"topic:1:maybe:setup", b"more:", b"seen:--1", b"drop:1;2", b"list:99999"]
)
async def test_a_forged_button_does_nothing(bot: Bot, data: bytes) -> None:
    await bot.pair()
    assert text(await bot.taps(data)) == "This button no longer works."


@given(st.data())
@settings(max_examples=3, deadline=None)
def test_whatever_a_changed_client_sends_is_answered(data: st.DataObject) -> None:
    verbs = registry.taps()
    tap = st.sampled_from(sorted(verbs)).flatmap(
        lambda verb: st.from_regex(verbs[verb].argument, fullmatch=True, alphabet=st.characters(codec="ascii")).map(
            lambda argument: f"{verb}:{argument}".encode()
        )
    )
    taps = data.draw(st.lists(tap.filter(lambda made: len(made) <= _MOST), min_size=60, max_size=60))
    taps += [f"{verb}:{'9' * 19}".encode() for verb in verbs]
    taps += [f"{verb}:{first}:{'9' * 19}".encode() for verb in verbs for first in ("1", "2025-03-10T12", "x")]

    async def send_all() -> None:
        with TemporaryDirectory() as folder:
            async with open_archive(Path(folder)) as archive:
                bot = await bot_of(archive)
                await bot.pair()
                for each in taps:
                    await bot.taps(each)

    asyncio.run(send_all())


def test_every_tap_names_what_may_follow_its_verb() -> None:
    assert all(tap.argument.fullmatch("\n") is None for tap in registry.taps().values())


def test_a_reply_is_read_back_as_it_was_written() -> None:
    message = Outgoing(
        text="Привет 😀", buttons=((Button(text="a", data=b"mute:1"), Button(text="b", url="https://t.me")),)
    )
    reply = Reply(messages=(message,), edit=replace(message, silent=True), note="так", memory="сбой")
    assert Reply.from_json(reply.to_json()) == reply


@pytest.mark.parametrize(
    ("pasted", "reference"),
    [("https://t.me/agency/1?single", "@agency"), ("вот: t.me/+AbCdEfGhIjKl", "+AbCdEfGhIjKl")],
)
async def test_a_pasted_link_is_offered_to_be_followed_at_a_tap(bot: Bot, pasted: str, reference: str) -> None:
    await bot.pair()
    offer = await bot.says(pasted)
    await bot.taps(button(offer.messages[0], "Follow"))
    assert [follow.reference for follow in await follows.all_follows(bot.db)] == [reference]


async def test_several_pasted_names_are_followed_at_one_tap_by_those_who_may(bot: Bot) -> None:
    await bot.pair()
    offer = await bot.says("@agency\n@rkn_tg")
    assert text(offer) == "You named 2 channels: @agency, @rkn_tg"
    assert "… @agency, @rkn_tg" in text(await bot.taps(button(offer.messages[0], "Follow 2 channels")))
    await bot.pair(BORIS, Role.READER)
    assert "Only owners and editors" in text(await bot.says("@agency\n@rkn_tg", person=BORIS))


async def test_the_same_command_at_the_same_time_has_one_effect(bot: Bot) -> None:
    await bot.pair()
    first, second = await asyncio.gather(*(bot.says("/track utilities", key="m-777") for _ in range(2)))
    assert first == second
    assert "now" in text(first)


async def test_a_refusal_within_the_write_is_the_answer_however_often_it_comes(bot: Bot) -> None:
    await bot.pair()
    refused = await bot.says("/untrack Топливо", key="m-777")
    assert "There is no topic Топливо" in text(refused)
    await bot.tracks("Топливо: бензин")
    assert await bot.says("/untrack Топливо", key="m-777") == refused
    assert "There is no topic" not in text(await bot.says("/untrack Топливо"))
