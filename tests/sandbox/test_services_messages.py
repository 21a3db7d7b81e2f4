import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from telethon import Button, TelegramClient, errors, events
from telethon.tl import functions, types

from bot.sandbox import Refused
from tests.kit_bot import EmbeddedServer, embedded_server


async def signed_in_clients(server: EmbeddedServer) -> tuple[TelegramClient, TelegramClient]:
    """Return clients of a person and of a bot that the person has started."""
    world = server.sandbox.world
    anna = world.add_user("Anna", language="ru")
    bot = world.add_bot("1:a", "Watch", "watch_bot", anna)
    return await server.client(anna), await server.client(bot)


async def test_a_person_and_a_bot_exchange_messages() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna", language="ru"), world.add_bot("1:a", "Watch", "watch_bot")
        person, answers = await server.listener(anna)
        helper, questions = await server.listener(bot)
        await person.send_message("watch_bot", "/start key")
        event = await questions.next()
        assert (event.raw_text, event.sender_id, event.is_private) == ("/start key", anna.id, True)
        assert (await event.get_sender()).lang_code == "ru"
        await event.respond(
            "**Hello** 🔥", buttons=[Button.inline("Mute", b"m:1"), Button.url("Open", "https://e.org")]
        )
        answer = await answers.next()
        assert (answer.raw_text, answer.sender_id) == ("Hello 🔥", bot.id)
        assert [button.text for button in answer.message.buttons[0]] == ["Mute", "Open"]
        assert [message.text for message in anna.inbox(bot)] == ["/start key", "Hello 🔥"]
        anna.starts(bot, "again")
        assert await questions.text() == "/start again"
        await person(functions.messages.StartBotRequest(bot="watch_bot", peer="watch_bot", start_param="x"))
        assert await questions.text() == "/start x"
        assert await helper.get_me()


async def test_a_press_is_answered() -> None:
    async with embedded_server() as server:
        person, helper = await signed_in_clients(server)
        world = server.sandbox.world
        anna, bot = world.user(1_000_001), world.user(1_000_002)
        await helper.send_message(anna.id, "alert", buttons=[Button.inline("Mute", b"m:1")])

        async def answered(event: events.CallbackQuery.Event) -> None:
            await event.answer(f"done {event.data.decode()}", alert=True)

        helper.add_event_handler(answered, events.CallbackQuery())
        answer = await anna.presses(anna.inbox(bot)[-1], "Mute")
        assert (answer.message, answer.alert) == ("done m:1", True)
        (message,) = await person.get_messages("watch_bot", limit=1)
        assert (await message.click(text="Mute")).message == "done m:1"
        with pytest.raises(errors.DataInvalidError):
            await message.click(data=b"other")
        with pytest.raises(errors.QueryIdInvalidError):
            await helper(functions.messages.SetBotCallbackAnswerRequest(1, 0))


async def test_a_press_in_a_supergroup_is_answered() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:a", "Watch", "watch_bot")
        group = world.add_channel("Talk", megagroup=True, members=[anna, bot])
        helper, pressed = await server.listener(bot, events.CallbackQuery())
        await helper.send_message(types.PeerChannel(group.id), "alert", buttons=[Button.inline("Mute", b"m")])
        press = asyncio.ensure_future(anna.presses(anna.inbox(group)[-1], "Mute"))
        event = await pressed.next()
        assert (event.chat_id, event.sender_id) == (group.marked, anna.id)
        await event.answer("done")
        assert (await press).message == "done"


async def test_a_random_id_is_used_once() -> None:
    async with embedded_server() as server:
        _, helper = await signed_in_clients(server)
        peer = await helper.get_input_entity(1_000_001)
        request = functions.messages.SendMessageRequest(peer, "alert", random_id=77)
        await helper(request)
        with pytest.raises(errors.RandomIdDuplicateError):
            await helper._sender.send(request)  # noqa: SLF001 - past Telethon's own retries
        empty = functions.messages.SendMessageRequest(peer, " ", random_id=78)
        with pytest.raises(errors.MessageEmptyError):
            await helper(empty)
        empty.message = "a refused message does not use its random_id up"
        await helper(empty)


async def test_a_forward_may_be_silent() -> None:
    async with embedded_server() as server:
        person, _ = await signed_in_clients(server)
        anna, bot = server.sandbox.world.user(1_000_001), server.sandbox.world.user(1_000_002)
        sent = anna.sends(bot, "news")
        await person.forward_messages("me", sent.id, "watch_bot", silent=True)
        (kept,) = anna.inbox(anna)
        assert (kept.text, kept.silent) == ("news", True)


@pytest.mark.parametrize(
    ("random_ids", "kind"),
    [([5, 5], errors.RandomIdDuplicateError), ([5, 0], errors.RandomIdEmptyError)],
    ids=["twice in one request", "none"],
)
async def test_random_ids_differ_within_a_request(random_ids: list[int], kind: type[Exception]) -> None:
    async with embedded_server() as server:
        person, _ = await signed_in_clients(server)
        anna, bot = server.sandbox.world.user(1_000_001), server.sandbox.world.user(1_000_002)
        peer = await person.get_input_entity("watch_bot")
        sent = [anna.sends(bot, text).id for text in ("one", "two")]
        with pytest.raises(kind):
            await person._sender.send(  # noqa: SLF001 - past Telethon's own retries
                functions.messages.ForwardMessagesRequest(peer, sent, types.InputPeerSelf(), random_id=random_ids)
            )
        assert anna.inbox(anna) == []


async def test_a_lost_reply_is_asked_for_again_and_refused_as_a_repeat() -> None:
    async with embedded_server() as server:
        _, helper = await signed_in_clients(server)
        world = server.sandbox.world
        anna, bot = world.user(1_000_001), world.user(1_000_002)
        server.sandbox.faults.lose_reply("SendMessage")
        request = functions.messages.SendMessageRequest(await helper.get_input_entity(anna.id), "once", random_id=5)
        with pytest.raises(errors.RandomIdDuplicateError):
            await helper._sender.send(request)  # noqa: SLF001 - past Telethon's own retries
        assert [message.text for message in anna.inbox(bot)] == ["/start", "once"]


async def test_the_sender_s_other_sessions_get_the_message() -> None:
    async with embedded_server() as server:
        person, _ = await signed_in_clients(server)
        anna = server.sandbox.world.user(1_000_001)
        _, other = await server.listener(anna, events.NewMessage(outgoing=True))
        sent = await person.send_message("watch_bot", "/help")
        event = await other.next()
        assert (event.id, event.raw_text, event.out) == (sent.id, "/help", True)


async def test_a_bot_cannot_write_to_a_person_who_blocked_it() -> None:
    async with embedded_server() as server:
        person, helper = await signed_in_clients(server)
        await person(functions.contacts.BlockRequest("watch_bot"))
        full = await person(functions.users.GetFullUserRequest("watch_bot"))
        assert full.full_user.blocked
        with pytest.raises(errors.UserIsBlockedError):
            await helper.send_message(1_000_001, "alert")
        await person(functions.contacts.UnblockRequest("watch_bot"))
        await helper.send_message(1_000_001, "alert")
        stranger = server.sandbox.world.add_user("Boris")
        with pytest.raises(errors.PeerIdInvalidError):
            await helper(functions.messages.SendMessageRequest(types.InputPeerUser(stranger.id, 0), "hello"))


async def test_edits_are_checked_and_idempotent() -> None:
    async with embedded_server() as server:
        person, helper = await signed_in_clients(server)
        anna, bot = server.sandbox.world.user(1_000_001), server.sandbox.world.user(1_000_002)
        _, edited = await server.listener(anna, events.MessageEdited())
        sent = await helper.send_message(anna.id, "alert", buttons=[Button.inline("Mute", b"m")])
        await helper.edit_message(anna.id, sent.id, "alert, again", buttons=[Button.inline("Unmute", b"u")])
        event = await edited.next()
        assert (event.raw_text, event.message.buttons[0][0].text) == ("alert, again", "Unmute")
        with pytest.raises(errors.MessageNotModifiedError):
            await helper.edit_message(anna.id, sent.id, "alert, again", buttons=[Button.inline("Unmute", b"u")])
        with pytest.raises(errors.MessageIdInvalidError):
            await helper.edit_message(anna.id, 999, "nothing")
        with pytest.raises(errors.MessageAuthorRequiredError):
            await person.edit_message("watch_bot", anna.inbox(bot)[-1].id, "mine now")
        await helper.delete_messages(anna.id, [sent.id])
        assert [message.text for message in anna.inbox(bot)] == ["/start"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("🔥" * 2048 + "a", errors.MessageTooLongError), (" \n ", errors.MessageEmptyError)],
    ids=["4097 units", "nothing"],
)
async def test_a_text_that_telegram_refuses_is_refused(text: str, kind: type[Exception]) -> None:
    async with embedded_server() as server:
        _, helper = await signed_in_clients(server)
        with pytest.raises(kind):
            await helper(functions.messages.SendMessageRequest(await helper.get_input_entity(1_000_001), text))


async def test_entities_out_of_bounds_and_long_button_data_are_refused() -> None:
    async with embedded_server() as server:
        _, helper = await signed_in_clients(server)
        peer = await helper.get_input_entity(1_000_001)
        bold = [types.MessageEntityBold(1, 1)]
        with pytest.raises(errors.EntityBoundsInvalidError):
            await helper(functions.messages.SendMessageRequest(peer, "🔥🔥", entities=bold))
        button = types.KeyboardInlineButton("x", types.InlineButtonTypeCallback(bytes(65)))
        keyboard = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])
        with pytest.raises(errors.ButtonDataInvalidError):
            await helper(functions.messages.SendMessageRequest(peer, "x", reply_markup=keyboard))


async def test_history_is_paged_both_ways_and_searched() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        channel = world.add_channel("News", username="news_now")
        start = datetime(2021, 10, 4, 12, tzinfo=UTC)
        for number in range(250):
            channel.post(f"post {number}", date=start + timedelta(minutes=number))
        client = await server.client(world.add_user("Anna"))
        down = [message.id async for message in client.iter_messages("news_now", wait_time=0)]
        assert down == list(range(250, 0, -1))
        up = [message.id async for message in client.iter_messages("news_now", reverse=True, min_id=20, wait_time=0)]
        assert up == list(range(21, 251))
        older = await client.get_messages("news_now", limit=2, offset_date=start + timedelta(minutes=100))
        assert [message.raw_text for message in older] == ["post 99", "post 98"]
        assert older.total == 250
        found = await client.get_messages("news_now", limit=5, search="POST 12")
        assert ([message.id for message in found], found.total) == ([130, 129, 128, 127, 126], 11)
        assert await client.get_messages("news_now", ids=[3, 999, 1]) is not None
        some = await client.get_messages("news_now", ids=[3, 999, 1])
        assert [message and message.id for message in some] == [3, None, 1]


async def test_dialogs_are_paged_with_pins_and_archive() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        start = datetime(2021, 10, 4, tzinfo=UTC)
        channels = [world.add_channel(f"News {number}", members=[anna]) for number in range(230)]
        for number, channel in enumerate(channels):
            channel.post("text", date=start + timedelta(minutes=number // 3))
        silent = world.add_channel("Silent", members=[anna])
        anna.pins(channels[5])
        anna.archives(channels[7])
        world.add_bot("1:a", "Watch", "watch_bot", anna)
        client = await server.client(anna)
        dialogs = await client.get_dialogs()
        assert len(dialogs) == len({dialog.id for dialog in dialogs}) == dialogs.total == 232
        assert (dialogs[0].name, dialogs[0].pinned) == ("News 5", True)
        assert {silent.marked, channels[7].marked} <= {dialog.id for dialog in dialogs}
        assert [dialog.name for dialog in await client.get_dialogs(archived=True)] == ["News 7"]
        assert len(await client.get_dialogs(archived=False)) == 231
        pinned = await client(functions.messages.GetPinnedDialogsRequest(0))
        assert [dialog.peer.channel_id for dialog in pinned.dialogs] == [channels[5].id]
        peers = await client(functions.messages.GetPeerDialogsRequest([channels[9].marked]))
        assert [(dialog.pts, dialog.top_message) for dialog in peers.dialogs] == [(2, 1)]


async def test_a_basic_group_works_with_numbers_per_account() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, boris = world.add_user("Anna"), world.add_user("Boris")
        bot = world.add_bot("1:a", "Watch", "watch_bot", anna)
        group = world.add_group("We", [anna, boris, bot])
        person, said = await server.listener(boris)
        helper, asked = await server.listener(bot)
        anna.sends(group, "chatter")
        anna.sends(group, "/status")
        event = await asked.next()
        assert (event.raw_text, event.chat_id, event.sender_id) == ("/status", group.marked, anna.id)
        await event.reply("all is well")
        assert [await said.text() for _ in range(3)] == ["chatter", "/status", "all is well"]
        assert [user.id for user in await person.get_participants(group.marked)] == [anna.id, boris.id, bot.id]
        entity = await person.get_entity(types.PeerChat(group.id))
        assert (entity.title, entity.participants_count) == ("We", 3)
        group.remove(bot)
        with pytest.raises(errors.ChatWriteForbiddenError):
            await helper.send_message(types.PeerChat(group.id), "still here?")


async def test_the_command_menu_is_kept_per_scope_and_language() -> None:
    async with embedded_server() as server:
        person, helper = await signed_in_clients(server)
        default = types.BotCommandScopeDefault()
        for language, description in (("", "Help"), ("ru", "Помощь")):
            command = types.BotCommand("help", description)
            assert await helper(functions.bots.SetBotCommandsRequest(default, language, [command]))
        (command,) = await helper(functions.bots.GetBotCommandsRequest(default, "ru"))
        assert command.description == "Помощь"
        full = await person(functions.users.GetFullUserRequest("watch_bot"))
        assert full.full_user.bot_info.commands[0].description == "Помощь"
        assert await helper(functions.bots.ResetBotCommandsRequest(default, "ru"))
        assert await helper(functions.bots.GetBotCommandsRequest(default, "ru")) == []
        with pytest.raises(errors.BotCommandInvalidError):
            await helper(functions.bots.SetBotCommandsRequest(default, "", [types.BotCommand("Not a command", "x")]))


async def test_a_forward_to_a_bot_says_where_it_is_from() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, bot = world.add_user("Anna"), world.add_bot("1:a", "Watch", "watch_bot")
        post = world.add_channel("News", username="news_now").post("text")
        _, asked = await server.listener(bot)
        anna.sends(bot, post.text, forward=post)
        event = await asked.next()
        assert (event.message.fwd_from.channel_post, (await event.message.forward.get_chat()).title) == (1, "News")


async def test_users_are_shown_by_number_to_bots() -> None:
    async with embedded_server() as server:
        _, helper = await signed_in_clients(server)
        users = await helper(functions.users.GetUsersRequest([types.InputUser(1_000_001, 0), types.InputUser(5, 0)]))
        assert [(type(user), user.id) for user in users] == [(types.User, 1_000_001), (types.UserEmpty, 5)]


async def test_a_verb_that_a_server_would_refuse_is_refused() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        with pytest.raises(Refused, match="CHAT_ADMIN_REQUIRED"):
            anna.sends(world.add_channel("News", members=[anna]), "text")
