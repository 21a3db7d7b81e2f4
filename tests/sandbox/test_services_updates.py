import pytest
from telethon import TelegramClient, errors
from telethon.tl import functions, types

from bot.sandbox import Channel
from tests.kit_bot import EmbeddedServer, embedded_server


async def reader(server: EmbeddedServer) -> tuple[TelegramClient, Channel]:
    anna = server.sandbox.world.add_user("Anna")
    channel = server.sandbox.world.add_channel("News", username="news_now", members=[anna])
    return await server.client(anna), channel


async def difference(client: TelegramClient, pts: int, limit: int = 100) -> object:
    channel = await client.get_input_entity("news_now")
    request = functions.updates.GetChannelDifferenceRequest(channel, types.ChannelMessagesFilterEmpty(), pts, limit)
    return await client(request)


async def test_a_gap_is_recovered_by_the_client_itself() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("News", members=[anna])
        _, news = await server.listener(anna)
        channel.post("lost", push=False)
        channel.post("seen")
        assert [await news.text(), await news.text()] == ["lost", "seen"]


async def test_a_channel_difference_comes_in_slices() -> None:
    async with embedded_server() as server:
        client, channel = await reader(server)
        for number in range(7):
            channel.post(str(number), push=False)
        channel.delete(1, push=False)
        pts, texts, final = 1, [], False
        while not final:
            found = await difference(client, pts, limit=3)
            texts += [message.message for message in found.new_messages]
            pts, final = found.pts, found.final
        assert texts == ["1", "2", "3", "4", "5", "6"]
        assert pts == channel.log.pts
        assert isinstance(found.other_updates[0], types.UpdateDeleteChannelMessages)
        assert isinstance(await difference(client, pts), types.updates.ChannelDifferenceEmpty)


async def test_the_server_may_cut_slices_smaller() -> None:
    async with embedded_server() as server:
        client, channel = await reader(server)
        server.sandbox.world.hub.slice_limit = 2
        for number in range(3):
            channel.post(str(number), push=False)
        found = await difference(client, 1)
        assert (len(found.new_messages), bool(found.final), found.pts) == (2, False, 3)


async def test_a_difference_over_too_much_is_too_long() -> None:
    async with embedded_server() as server:
        client, channel = await reader(server)
        channel.too_long_after = 3
        for number in range(4):
            channel.post(str(number), push=False)
        found = await difference(client, 1)
        assert isinstance(found, types.updates.ChannelDifferenceTooLong)
        assert (found.dialog.pts, found.dialog.top_message) == (5, 4)
        assert [message.message for message in found.messages] == ["3", "2", "1", "0"]
        assert isinstance(await difference(client, 2), types.updates.ChannelDifference)


@pytest.mark.parametrize(
    ("pts", "kind"), [(0, errors.PersistentTimestampEmptyError), (99, errors.PersistentTimestampInvalidError)]
)
async def test_an_impossible_pts_is_refused(pts: int, kind: type[Exception]) -> None:
    async with embedded_server() as server:
        client, _ = await reader(server)
        with pytest.raises(kind):
            await difference(client, pts)


async def test_edits_and_deletions_come_in_a_difference() -> None:
    async with embedded_server() as server:
        client, channel = await reader(server)
        edited, gone = channel.post("old", push=False), channel.post("gone", push=False)
        pts = channel.log.pts
        channel.edit(edited.id, "new", push=False)
        channel.delete(gone.id, push=False)
        found = await difference(client, pts)
        assert found.new_messages == []
        edit, deletion = found.other_updates
        assert (edit.message.message, edit.pts, deletion.messages, deletion.pts) == ("new", 4, [gone.id], 5)


async def test_the_account_s_difference_has_its_messages_and_names_changed_channels() -> None:
    async with embedded_server() as server:
        client, channel = await reader(server)
        world = server.sandbox.world
        anna, boris = world.user(1_000_001), world.add_user("Boris")
        world.add_channel("Elsewhere", username="elsewhere").post("not for her")
        before = await client(functions.updates.GetStateRequest())
        channel.post("text")
        for number in range(3):
            boris.sends(anna, str(number))
        found = await client(functions.updates.GetDifferenceRequest(before.pts, before.date, 0))
        assert [message.message for message in found.new_messages] == ["0", "1", "2"]
        assert [(update.channel_id, update.pts) for update in found.other_updates] == [(channel.id, 2)]
        assert {user.id for user in found.users} == {boris.id}
        world.hub.slice_limit = 2
        found = await client(functions.updates.GetDifferenceRequest(before.pts, before.date, 0))
        assert isinstance(found, types.updates.DifferenceSlice)
        assert (len(found.new_messages), found.intermediate_state.pts) == (2, before.pts + 2)
        anna.too_long_after = 1
        found = await client(functions.updates.GetDifferenceRequest(before.pts, before.date, 0))
        assert isinstance(found, types.updates.DifferenceTooLong)
        world.difference_lists_channels = False
        now = await client(functions.updates.GetStateRequest())
        found = await client(functions.updates.GetDifferenceRequest(now.pts, before.date, 0))
        assert isinstance(found, types.updates.DifferenceEmpty)


async def test_dropped_pushes_are_found_in_the_dialogs() -> None:
    async with embedded_server() as server:
        client, channel = await reader(server)
        server.sandbox.faults.drop_pushes()
        channel.post("unseen")
        (dialog,) = await client.get_dialogs()
        assert (dialog.dialog.pts, dialog.dialog.top_message, dialog.message.raw_text) == (2, 1, "unseen")
        assert dialog.unread_count == 1
        await client.send_read_acknowledge("news_now")
        assert (await client.get_dialogs())[0].unread_count == 0


async def test_privacy_mode_holds_in_a_difference() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:a", "Watch", "watch_bot")
        group = world.add_channel("Talk", megagroup=True, members=[anna, bot])
        pts = group.log.pts
        for text in ("chatter", "/help", "more chatter"):
            anna.sends(group, text)
        client = await server.client(bot)
        found = await client(
            functions.updates.GetChannelDifferenceRequest(
                types.InputChannel(group.id, 0), types.ChannelMessagesFilterEmpty(), pts, 100
            )
        )
        assert [message.message for message in found.new_messages] == ["/help"]
        assert found.pts == group.log.pts
