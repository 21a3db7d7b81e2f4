"""Forums, slow mode, rights and upgrades, as a real client of a bot meets them."""

import asyncio
from collections.abc import Callable

import pytest
from telethon import TelegramClient, errors, events, functions, types
from telethon.tl import TLRequest

from bot.sandbox import Channel, User
from tests.kit_bot import WAIT_S, EmbeddedServer, embedded_server


async def desk(server: EmbeddedServer) -> tuple[TelegramClient, Channel, User]:
    """Bring a supergroup with its creator and a bot, whose client is returned."""
    world = server.sandbox.world
    anna, bot = world.add_user("Anna"), world.add_bot("1:token", "Watch", "watch_bot")
    channel = world.add_channel("Desk", megagroup=True, members=[bot])
    channel.promote(anna)
    return await server.client(bot), channel, anna


def sending(channel: Channel, words: str, reply_to: int | None = None, top: int | None = None) -> TLRequest:
    peer = types.InputPeerChannel(channel.id, 0)
    reply = None if reply_to is None else types.InputReplyToMessage(reply_to, top_msg_id=top)
    return functions.messages.SendMessageRequest(peer, words, reply_to=reply)


async def test_a_message_of_a_topic_names_the_topic_and_what_it_answers() -> None:
    async with embedded_server() as server:
        client, channel, anna = await desk(server)
        topic = channel.open_topic("Outages")
        await client(sending(channel, "first", topic))
        first = channel.kept.top
        assert first is not None
        await client(sending(channel, "second", first.id, topic))
        await client(sending(channel, "general"))
        reader = await server.client(anna)
        general, second, first_seen = await reader.get_messages(types.PeerChannel(channel.id), limit=3)
        assert (first_seen.reply_to.forum_topic, first_seen.reply_to.reply_to_msg_id) == (True, topic)
        assert first_seen.reply_to.reply_to_top_id is None
        assert (second.reply_to.reply_to_msg_id, second.reply_to.reply_to_top_id) == (first.id, topic)
        assert general.reply_to is None
        assert (await reader.get_entity(types.PeerChannel(channel.id))).forum


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (lambda channel, topic: channel.close_topic(topic), "TOPIC_CLOSED"),
        (lambda channel, topic: channel.delete_topic(topic), "The topic was deleted"),  # Telethon's words
    ],
    ids=["closed", "deleted"],
)
async def test_a_topic_that_is_closed_or_gone_takes_no_message_of_a_member(
    trouble: Callable[[Channel, int], None], said: str
) -> None:
    async with embedded_server() as server:
        client, channel, anna = await desk(server)
        topic = channel.open_topic("Outages")
        trouble(channel, topic)
        with pytest.raises(errors.RPCError, match=said):
            await client(sending(channel, "too late", topic))
        await client(sending(channel, "general"))
        channel.close_topic(1)
        with pytest.raises(errors.RPCError, match="TOPIC_CLOSED"):
            await client(sending(channel, "too late"))
        anna.sends(channel, "an admin still may")


async def test_slow_mode_and_rights_hold_for_members_and_not_for_admins() -> None:
    async with embedded_server() as server:
        client, channel, anna = await desk(server)
        channel.slow_mode_s = 60
        await client(sending(channel, "first"))
        client.flood_sleep_threshold = 0
        with pytest.raises(errors.SlowModeWaitError) as slow:
            await client(sending(channel, "second"))
        assert 50 < slow.value.seconds <= 60
        channel.slow_mode_s = 0
        channel.restrict_members()
        with pytest.raises(errors.ChatWriteForbiddenError):
            await client(sending(channel, "third"))
        anna.sends(channel, "an admin still may")


async def test_a_bot_hears_that_it_was_stopped_brought_in_and_given_rights() -> None:
    async with embedded_server() as server:
        client, channel, anna = await desk(server)
        updates: asyncio.Queue[object] = asyncio.Queue()
        kinds = (types.UpdateBotStopped, types.UpdateChannelParticipant, types.UpdateChatDefaultBannedRights)
        client.add_event_handler(updates.put, events.Raw(kinds))
        bot = server.sandbox.world.user((await client.get_me()).id)
        anna.blocks(bot)
        anna.starts(bot)
        channel.promote(bot)
        channel.restrict_members(read_only=False)
        received = [await asyncio.wait_for(updates.get(), WAIT_S) for _ in range(4)]
        assert [getattr(update, "stopped", None) for update in received] == [True, False, None, None]
        assert isinstance(received[2].new_participant, types.ChannelParticipantAdmin)  # type: ignore[attr-defined]
        assert not received[3].default_banned_rights.send_messages  # type: ignore[attr-defined]


async def test_a_group_that_was_upgraded_takes_nothing_more_and_says_where_it_went() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:token", "Watch", "watch_bot")
        group = world.add_group("Desk", [anna, bot])
        client, received = await server.listener(
            bot, events.Raw((types.UpdateNewMessage, types.UpdateNewChannelMessage))
        )
        supergroup = world.upgrade(group)
        moved, came = await received.next(), await received.next()
        assert moved.message.action == types.MessageActionChatMigrateTo(supergroup.id)
        assert came.message.action == types.MessageActionChannelMigrateFrom("Desk", group.id)
        with pytest.raises(errors.PeerIdInvalidError):
            await client(functions.messages.SendMessageRequest(types.InputPeerChat(group.id), "too late"))
        await client(sending(supergroup, "here"))


async def test_a_deleted_account_takes_no_message() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:token", "Watch", "watch_bot")
        anna.starts(bot)
        client = await server.client(bot)
        anna.deletes_account()
        with pytest.raises(errors.InputUserDeactivatedError):
            await client(functions.messages.SendMessageRequest(types.InputPeerUser(anna.id, 0), "too late"))
