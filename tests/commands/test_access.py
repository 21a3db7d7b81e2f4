import asyncio
from datetime import timedelta

import pytest

from bot.commands.context import Reply, read_command
from bot.commands.dispatch import STALE
from bot.commands.rights import Need, allows, higher
from bot.models.people import Role
from bot.store import chats, invitations, people
from tests.commands.kit import ANNA, BORIS, EVE, GROUP, Bot, button, text
from tests.kit_archive import Gate
from tests.waiting import WAIT_S


@pytest.mark.parametrize(
    ("role", "need", "private", "allowed"),
    [
        (Role.READER, Need.LOOK, False, True),
        (Role.READER, Need.CHAT, True, True),
        (Role.READER, Need.CHAT, False, False),
        (Role.READER, Need.INSTANCE, True, False),
        (Role.EDITOR, Need.CHAT, False, True),
        (Role.EDITOR, Need.INSTANCE, False, True),
        (Role.OWNER, Need.INSTANCE, True, True),
    ],
)
def test_a_role_is_enough_or_not(role: Role, need: Need, private: bool, allowed: bool) -> None:  # noqa: FBT001 - a table
    assert allows(role, need, private=private) is allowed


def test_a_link_never_takes_rights_away() -> None:
    assert higher(Role.EDITOR, Role.READER) is Role.EDITOR
    assert higher(None, Role.READER) is Role.READER


@pytest.mark.parametrize("words", ["/status", "hello", "/start", "/start wrong-token", "/follow @rkn_tg"])
async def test_a_stranger_is_told_once_and_learns_nothing(bot: Bot, words: str) -> None:
    first = await bot.says(words, person=EVE)
    assert text(first) == "This bot is private. Ask its owner for an invitation."
    assert await bot.says(words, person=EVE) == Reply()
    assert await bot.says("/help", person=EVE) == Reply()
    assert await bot.taps(b"mute:1001", person=EVE) == Reply(
        note="This bot is private. Ask its owner for an invitation.", fleeting=True
    )


async def test_a_stranger_in_a_group_hears_nothing(bot: Bot) -> None:
    assert await bot.says("/status@our_bot", person=EVE, chat=GROUP) == Reply()
    assert await bot.says("/start@our_bot", person=EVE, chat=GROUP) == Reply()


async def test_what_strangers_write_leaves_no_rows(bot: Bot) -> None:
    for _ in range(3):
        await bot.says("/start nonsense", person=EVE)
    rows = await bot.db.fetch_all("SELECT * FROM handled")
    assert rows == []


async def test_what_strangers_write_is_nothing_for_the_writer(bot: Bot) -> None:
    await bot.says("/status", person=EVE)
    gate = Gate()
    writing = asyncio.create_task(bot.db.write(gate))
    await gate.entered.wait()
    try:
        async with asyncio.timeout(WAIT_S):  # nobody else may write
            for words in ("/start guess", "/start", "/explain", "hello"):
                assert await bot.says(words, person=EVE) == Reply()
            assert await bot.taps(b"mute:1001", person=EVE) == Reply(
                note="This bot is private. Ask its owner for an invitation.", fleeting=True
            )
            assert await bot.says("/start@our_bot", person=EVE, chat=GROUP) == Reply()
    finally:
        gate.opened.set()
        await writing


async def test_a_pairing_link_admits_one_person_once(bot: Bot) -> None:
    token = (await bot.db.write(lambda tx: invitations.make(tx, role=Role.EDITOR, now=bot.archive.now))).token
    welcome = await bot.says(f"/start {token}", person=BORIS)
    assert "Channelwatch" in text(welcome)
    assert await people.role_of(bot.db, BORIS) is Role.EDITOR
    assert "private" in text(await bot.says(f"/start {token}", person=EVE))
    assert await people.role_of(bot.db, EVE) is None


async def test_a_pairing_link_expires(bot: Bot) -> None:
    token = (await bot.db.write(lambda tx: invitations.make(tx, role=Role.OWNER, now=bot.archive.now))).token
    bot.archive.now += timedelta(minutes=16)
    assert "private" in text(await bot.says(f"/start {token}", person=BORIS))
    assert await people.role_of(bot.db, BORIS) is None


async def test_a_link_is_not_taken_in_a_group_where_others_could_have_read_it(bot: Bot) -> None:
    token = (await bot.db.write(lambda tx: invitations.make(tx, role=Role.OWNER, now=bot.archive.now))).token
    assert await bot.says(f"/start@our_bot {token}", person=EVE, chat=GROUP) == Reply()
    assert await people.role_of(bot.db, EVE) is None


async def test_an_owner_by_the_settings_needs_no_link(bot: Bot) -> None:
    assert "Send /start first" in text(await bot.says("/status"))
    assert "Channelwatch" in text(await bot.says("/start"))
    assert "No channels are followed yet" in text(await bot.says("/status"))


async def test_a_reader_may_look_and_mute_but_not_change_what_is_everybodys(bot: Bot) -> None:
    await bot.archive.follow()
    await bot.pair(BORIS, Role.READER)
    assert "I follow 1 channel" in text(await bot.says("/status", person=BORIS))
    assert "Muted" in text(await bot.says("/mute @news1001", person=BORIS))
    refusal = "Only owners and editors can do that here."
    for words in ("/follow @rkn_tg", "/unfollow @news1001"):
        assert text(await bot.says(words, person=BORIS)) == refusal
    assert "can create topics" in text(await bot.says("/track Банки: банк", person=BORIS))
    assert text(await bot.taps(b"follow:@rkn_tg", person=BORIS)) == refusal


async def test_a_group_is_paired_by_an_owner_and_ruled_by_owner_and_editors(bot: Bot) -> None:
    await bot.pair(BORIS, Role.READER)
    assert "Only an owner or an editor" in text(await bot.says("/start@our_bot", person=BORIS, chat=GROUP))
    assert "Send /start first" in text(await bot.says("/status@our_bot", person=ANNA, chat=GROUP))
    welcome = await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    assert "Channelwatch" in text(welcome)
    switch = button(welcome.messages[0], "Outages")
    assert "Only owners" in text(await bot.taps(switch, person=BORIS, chat=GROUP))
    await bot.taps(switch, person=ANNA, chat=GROUP)
    assert await bot.topics_of(await bot.chat(GROUP)) == ["outages"]


async def test_a_suspended_chat_is_written_to_again_once_it_writes(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
    await bot.says("/help")
    assert (await bot.chat(chat.peer)).suspended is None
    (notice,) = await bot.archive.outbox()
    assert (notice.notice.kind, notice.notice.alerts) == ("missed", 0)


async def test_a_suspended_chat_is_written_to_again_by_a_refused_command_not_by_a_stale_one(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
    await bot.says("/unfollow", sent_at=bot.archive.now - STALE - timedelta(milliseconds=1))
    assert (await bot.chat(chat.peer)).suspended == "USER_IS_BLOCKED"
    await bot.says("/unfollow")
    assert (await bot.chat(chat.peer)).suspended is None


async def test_a_suspended_chat_that_is_started_anew_is_told_what_it_has_missed(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
    await bot.says("/start")
    assert (await bot.chat(chat.peer)).suspended is None
    assert [alert.notice.kind for alert in await bot.archive.outbox()] == ["missed"]


@pytest.mark.parametrize(
    ("typed", "command", "argument", "named"),
    [
        ("/status", "status", "", False),
        ("/STATUS@Our_Bot", "status", "", True),
        ("/follow\n@a\n@b", "follow", "@a\n@b", False),
        ("  /track A: b  ", "track", "A: b", False),
        ("hello /status", "", "hello /status", False),
        ("/", "", "/", False),
        ("/сбой", "сбой", "", False),
        ("/search: сбой", "search", "сбой", False),
        ("/help.", "help", "", False),
    ],
)
def test_a_message_is_taken_apart(typed: str, command: str, argument: str, *, named: bool) -> None:
    said = read_command(typed, "our_bot")
    assert said is not None
    assert (said.command, said.argument, said.named) == (command, argument, named)


def test_a_command_for_another_bot_is_none_of_ours() -> None:
    assert read_command("/status@other_bot", "our_bot") is None


def test_in_private_a_name_right_behind_the_command_is_its_argument() -> None:
    said = read_command("/follow@MID_Russia @rkn_tg", "our_bot", alone=True)
    assert said is not None
    assert (said.command, said.argument) == ("follow", "@MID_Russia @rkn_tg")
