import asyncio

import pytest
from telethon import errors, events, utils
from telethon.tl import TLObject, functions, types

from tests.kit_bot import embedded_server
from tests.waiting import WAIT_S


async def test_posts_edits_and_deletions_reach_a_member() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("News", username="news_now", members=[anna])
        client, news = await server.listener(anna)
        post = channel.post("🔥 dark since noon", entities=[types.MessageEntityBold(3, 4)])
        event = await news.next()
        assert (event.raw_text, event.chat_id, event.id) == ("🔥 dark since noon", channel.marked, post.id)
        assert event.message.get_entities_text()[0][1] == "dark"
        edits, deletions = [], []
        _, edited = await server.listener(anna, events.MessageEdited())
        _, deleted = await server.listener(anna, events.MessageDeleted())
        channel.edit(post.id, "light again")
        edits.append(await edited.text())
        channel.delete(post.id)
        deletions.append((await deleted.next()).deleted_ids)
        assert (edits, deletions) == (["light again"], [[post.id]])
        assert await client.get_messages("news_now", limit=5) == []


async def test_an_admin_with_an_ordinary_client_publishes_edits_and_deletes() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, ada = world.add_user("Anna"), world.add_user("Ada")
        channel = world.add_channel("News", username="news_now", members=[anna])
        channel.promote(ada)
        reader, news = await server.listener(anna)
        _, own = await server.listener(ada, events.NewMessage())
        publisher = await server.client(ada)
        sent = await publisher.send_message("news_now", "**All** is dark")
        event = await news.next()
        assert (event.raw_text, event.message.post, event.message.out) == ("All is dark", True, False)
        assert (sent.id, sent.out, await own.text()) == (event.id, True, "All is dark")
        await publisher.edit_message("news_now", sent.id, "All is light")
        assert (await reader.get_messages("news_now", ids=sent.id)).raw_text == "All is light"
        await publisher.delete_messages("news_now", [sent.id])
        assert await reader.get_messages("news_now", ids=sent.id) is None
        with pytest.raises(errors.ChatAdminRequiredError):
            await reader.send_message("news_now", "me too")
        assert channel.log.pts == 4


async def test_a_bot_that_is_admin_may_publish() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:a", "Watch", "watch_bot")
        channel = world.add_channel("Alerts", members=[anna])
        channel.promote(bot)
        _, news = await server.listener(anna)
        publisher = await server.client(bot)
        await publisher.send_message(types.PeerChannel(channel.id), "by a bot, who says 0 for the hash")
        assert await news.text() == "by a bot, who says 0 for the hash"


async def test_a_bot_is_told_who_made_it_an_admin_and_what_it_may() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:a", "Watch", "watch_bot")
        channel = world.add_channel("Alerts")
        client = await server.client(bot)
        told: asyncio.Queue[types.UpdateChannelParticipant] = asyncio.Queue()
        client.add_event_handler(told.put, events.Raw(types.UpdateChannelParticipant))
        channel.promote(bot, by=anna, may_post=False)
        first = await asyncio.wait_for(told.get(), WAIT_S)
        assert (first.actor_id, first.prev_participant) == (anna.id, None)
        assert not first.new_participant.admin_rights.post_messages
        with pytest.raises(errors.ChatAdminRequiredError):
            await client.send_message(types.PeerChannel(channel.id), "not yet")
        channel.kick(bot, by=anna)
        last = await asyncio.wait_for(told.get(), WAIT_S)
        assert isinstance(last.prev_participant, types.ChannelParticipantAdmin)
        assert last.new_participant is None


async def test_a_public_channel_is_resolved_read_joined_and_left() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("News", username="news_now")
        channel.post("before")
        client, news = await server.listener(anna)
        entity = await client.get_entity("t.me/News_Now")
        assert (entity.title, entity.left, entity.broadcast) == ("News", True, True)
        assert [message.text for message in await client.get_messages(entity, limit=5)] == ["before"]
        channel.post("unheard")
        result = await client(functions.channels.JoinChannelRequest(entity))
        assert isinstance(result, types.messages.ChatInviteJoinResultOk)
        assert [chat.left for chat in result.updates.chats] == [False]
        channel.post("heard")
        assert await news.text() == "heard"
        await client(functions.channels.LeaveChannelRequest(entity))
        assert anna not in channel.roster
        with pytest.raises(errors.UserNotParticipantError):
            await client(functions.channels.LeaveChannelRequest(entity))


@pytest.mark.parametrize(
    ("name", "kind"), [("nobody_here", errors.UsernameNotOccupiedError), ("1x", errors.UsernameInvalidError)]
)
async def test_a_username_of_nobody_is_refused(name: str, kind: type[Exception]) -> None:
    async with embedded_server() as server:
        client = await server.client(server.sandbox.world.add_user("Anna"))
        with pytest.raises(kind):
            await client(functions.contacts.ResolveUsernameRequest(name))


async def test_a_private_channel_is_joined_by_its_link() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("Quiet", invite="AbCdEf123")
        client, news = await server.listener(anna)
        seen = await client(functions.messages.CheckChatInviteRequest("AbCdEf123"))
        assert (seen.title, seen.broadcast, seen.participants_count) == ("Quiet", True, 0)
        joined = await client(functions.messages.ImportChatInviteRequest("AbCdEf123"))
        assert joined.updates.chats[0].id == channel.id
        channel.post("whisper")
        assert await news.text() == "whisper"
        assert (await client.get_entity("t.me/+AbCdEf123")).id == channel.id
        with pytest.raises(errors.UserAlreadyParticipantError):
            await client(functions.messages.ImportChatInviteRequest("AbCdEf123"))
        with pytest.raises(errors.InviteHashExpiredError):
            await client(functions.messages.CheckChatInviteRequest("other"))


async def test_a_channel_with_approval_makes_one_wait() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        client = await server.client(world.add_user("Anna"))
        world.add_channel("Quiet", invite="AbCdEf123").needs_approval = True
        with pytest.raises(errors.InviteRequestSentError):
            await client(functions.messages.ImportChatInviteRequest("AbCdEf123"))


async def test_a_kicked_reader_of_a_private_channel_is_shut_out() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("Quiet", members=[anna])
        client, _ = await server.listener(anna)
        channel.kick(anna)
        with pytest.raises(errors.ChannelPrivateError):
            await client.get_messages(channel.marked, limit=1)
        (shown,) = (await client(functions.channels.GetChannelsRequest([channel.marked]))).chats
        assert isinstance(shown, types.ChannelForbidden)


async def test_an_access_hash_of_somebody_else_is_refused() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, boris = world.add_user("Anna"), world.add_user("Boris")
        channel = world.add_channel("News", username="news_now", members=[anna, boris])
        client = await server.client(anna)
        foreign = types.InputChannel(channel.id, world.hub.access_hash(boris.id, channel.marked))
        with pytest.raises(errors.ChannelInvalidError):
            await client(functions.channels.GetFullChannelRequest(foreign))


async def test_all_about_a_channel() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, ada = world.add_user("Anna"), world.add_user("Ada", username="ada_adm")
        channel = world.add_channel("News", username="news_now", members=[anna])
        channel.promote(ada)
        post = channel.post("text")
        channel.pin(post.id)
        client, admin = await server.client(anna), await server.client(ada)
        full = (await client(functions.channels.GetFullChannelRequest("news_now"))).full_chat
        assert (full.pts, full.participants_count, full.pinned_msg_id, full.exported_invite) == (4, 2, post.id, None)
        full = (await admin(functions.channels.GetFullChannelRequest("news_now"))).full_chat
        assert full.exported_invite.link == f"https://t.me/+{channel.invite}"
        assert [user.id for user in await admin.get_participants("news_now", search="ad")] == [ada.id]
        with pytest.raises(errors.ChatAdminRequiredError):
            await client.get_participants("news_now")
        one = await client(functions.channels.GetParticipantRequest("news_now", "me"))
        assert isinstance(one.participant, types.ChannelParticipantSelf)
        assert (await admin.get_permissions("news_now", "me")).is_admin


async def test_an_album_with_files_goes_up_and_comes_down() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, ada = world.add_user("Anna"), world.add_user("Ada")
        channel = world.add_channel("News", username="news_now", members=[anna])
        channel.promote(ada)
        client, news = await server.listener(anna)
        publisher = await server.client(ada)
        files = [bytes([number]) * 700_000 for number in (1, 2)]
        await publisher.send_file("news_now", files, caption="two files")
        first, second = await news.next(), await news.next()
        assert first.message.grouped_id == second.message.grouped_id is not None
        assert [first.raw_text, second.raw_text] == ["two files", ""]
        assert [await client.download_media(event.message, bytes) for event in (first, second)] == files
        channel.post("look", media=world.media.photo(b"a jpeg"))
        event = await news.next()
        assert (await client.download_media(event.message, bytes), event.photo is not None) == (b"a jpeg", True)


async def test_albums_take_uploaded_files_of_one_kind_and_name_the_one_that_has_expired() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        ada = world.add_user("Ada")
        channel = world.add_channel("News", username="news_now")
        channel.promote(ada)
        publisher = await server.client(ada)
        files = [world.media.photo(b"a jpeg"), world.media.photo(b"another"), world.media.document(b"an order")]
        photo, other, order = (utils.get_input_media(file) for file in files)

        async def sends(*listed: TLObject) -> None:
            items = [types.InputSingleMedia(each, "") for each in listed]
            await publisher(functions.messages.SendMultiMediaRequest("news_now", items))

        for listed, error in (
            ((photo, order), errors.MediaGroupedInvalidError),
            ((photo, types.InputMediaUploadedPhoto(types.InputFile(1, 1, "x", ""))), errors.MediaInvalidError),
        ):
            with pytest.raises(error):
                await sends(*listed)
        other.id.file_reference = b"of yesterday"
        with pytest.raises(errors.RPCError, match="FILE_REFERENCE_1_EXPIRED"):
            await sends(photo, other)
        assert channel.kept.messages == {}


async def test_a_forward_names_the_post_it_came_from() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, ada = world.add_user("Anna"), world.add_user("Ada")
        source = world.add_channel("News", username="news_now")
        target = world.add_channel("Echo", username="echo_ch", members=[anna])
        target.promote(ada)
        post = source.post("text")
        _, news = await server.listener(anna)
        publisher = await server.client(ada)
        await publisher.forward_messages("echo_ch", post.id, "news_now")
        forward = (await news.next()).message.fwd_from
        assert (forward.from_id.channel_id, forward.channel_post) == (source.id, post.id)
        assert post.forwards == 1


async def test_reactions_edit_without_a_change_of_text() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("News", members=[anna])
        _, edited = await server.listener(anna, events.MessageEdited())
        _, raw = await server.listener(anna, events.Raw(types.UpdateChannelMessageViews))
        post = channel.post("text")
        channel.set_views(post.id, 12)
        assert (await raw.next()).views == 12
        channel.react(post.id, "👍")
        event = await edited.next()
        assert (event.raw_text, event.message.edit_hide, event.message.views) == ("text", True, 12)


async def test_supergroup_bots_get_commands_and_answer() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:a", "Watch", "watch_bot")
        group = world.add_channel("Talk", megagroup=True, members=[anna, bot])
        client, news = await server.listener(anna)
        bot_client, asked = await server.listener(bot)
        await client.send_message(group.marked, "chatter")
        await client.send_message(group.marked, "/status@watch_bot")
        event = await asked.next()
        assert (event.raw_text, event.sender_id, event.chat_id) == ("/status@watch_bot", anna.id, group.marked)
        await event.reply("all is well")
        answer = await news.next()
        assert (answer.raw_text, answer.sender_id, answer.reply_to_msg_id) == ("all is well", bot.id, event.id)
        assert utils.get_peer_id(await bot_client.get_entity(group.marked)) == group.marked
        assert asked.silent()


async def test_of_a_long_post_lists_and_updates_show_the_beginning_and_the_rest_is_asked_for() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("News", username="news_now", members=[anna])
        client, news = await server.listener(anna)
        photos = [world.media.photo(content).photo for content in (b"first", b"last")]
        caption = types.PageCaption(types.TextEmpty(), types.TextEmpty())
        blocks = [types.PageBlockPhoto(photo.id, caption) for photo in photos]
        post = channel.post(rich=types.RichMessage(blocks, photos, []), shown=1)
        pushed = (await news.next()).message
        (listed,) = await client.get_messages("news_now", limit=1)
        for message in (pushed, listed):
            assert (message.message, message.rich_message.part) == ("", True)
            assert [block.photo_id for block in message.rich_message.blocks] == [photos[0].id]
            assert [photo.id for photo in message.rich_message.photos] == [photos[0].id]
        asked = functions.messages.GetRichMessageRequest("news_now", post.id)
        (whole,) = (await client(asked)).messages
        assert (whole.rich_message.part, len(whole.rich_message.blocks)) == (False, 2)
        channel.edit(post.id, rich=types.RichMessage(blocks[:1], photos[:1], []))
        (edited,) = await client.get_messages("news_now", limit=1)
        assert (edited.rich_message.part, edited.edit_date is not None) == (False, True)
        channel.delete(post.id)
        with pytest.raises(errors.MessageIdInvalidError):
            await client(asked)
