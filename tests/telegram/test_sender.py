import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from telethon import events, functions
from telethon.errors import RPCError
from telethon.network import MTProtoSender
from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.models import Entity
from bot.models.outgoing import GENERAL_THREAD, Button, Outgoing, Peer, PeerKind, Remote
from bot.telegram.convert import sent_id
from bot.telegram.rate_limit import SLACK, Pacing, Rates
from bot.telegram.sender import Sender
from tests.kit_bot import UNLIMITED, SandboxedBot, private, sender_of
from tests.waiting import WAIT_S

HELLO = Outgoing(text="Привет")


async def refusal(bot: SandboxedBot, peer: Peer, outgoing: Outgoing = HELLO, *, random_id: int = 1) -> TelegramError:
    with pytest.raises(TelegramError) as caught:
        await bot.sender.send(peer, outgoing, random_id=random_id)
    return caught.value


async def test_a_message_arrives_with_its_text_entities_and_buttons(bot: SandboxedBot) -> None:
    rows = ((Button(text="Открыть", url="https://example.org/1"), Button(text="Тише", data=b"mute:1")),)
    entities = (Entity(kind="bold", offset=3, length=4),)
    outgoing = Outgoing(text="🙂 Сбой", entities=entities, buttons=rows, silent=True)
    message_id = await bot.sender.send(private(bot.alice), outgoing, random_id=7)
    message = bot.alice.inbox(bot.account)[-1]
    assert message.text == "🙂 Сбой"
    assert message.silent
    assert [(type(e).__name__, e.offset, e.length) for e in message.entities] == [("MessageEntityBold", 3, 4)]
    assert isinstance(message.reply_markup, types.ReplyInlineMarkup)
    (row,) = message.reply_markup.rows
    assert [button.text for button in row.buttons] == ["Открыть", "Тише"]
    assert row.buttons[0].type.url == "https://example.org/1"
    assert row.buttons[1].type.data == b"mute:1"
    assert message_id == message.copies[bot.account.id].id


async def test_a_chart_stands_above_its_text_and_gives_way_where_no_photos_are_taken(bot: SandboxedBot) -> None:
    chart = Outgoing(text="Посты: 4 " * 300, png=b"\x89PNG one", buttons=((Button(text="30 дней", data=b"stats:1"),),))
    message_id = await bot.sender.send(private(bot.alice), chart, random_id=1)
    assert message_id is not None
    shown = bot.alice.inbox(bot.account)[-1]
    assert isinstance(shown.media, types.MessageMediaPhoto)
    assert len(shown.text) <= 1024
    assert shown.reply_markup is not None
    first = shown.media.photo.id
    await bot.sender.edit(private(bot.alice), message_id, replace(chart, png=b"\x89PNG two", text="Посты: 9"))
    shown = bot.alice.inbox(bot.account)[-1]
    assert (shown.text, shown.media.photo.id == first) == ("Посты: 9", False)
    bot.sandbox.faults.answer("SendMedia", "CHAT_SEND_PHOTOS_FORBIDDEN", code=403)
    await bot.sender.send(private(bot.alice), chart, random_id=2)
    assert bot.alice.inbox(bot.account)[-1].media is None
    assert len(bot.texts(bot.alice)[-1]) > 1024


async def test_a_peer_that_telethon_never_met_is_reached_by_its_stored_address(bot: SandboxedBot) -> None:
    group = bot.sandbox.world.add_group("Редакция", [bot.alice, bot.account])
    channel = bot.sandbox.world.add_channel("Лента", megagroup=True, members=[bot.alice, bot.account])
    await bot.sender.send(Peer(kind=PeerKind.GROUP, id=group.id), HELLO, random_id=1)
    message_id = await bot.sender.send(Peer(kind=PeerKind.CHANNEL, id=channel.id), HELLO, random_id=2)
    assert bot.texts(bot.alice, group)[-1] == "Привет"
    assert bot.alice.inbox(channel)[-1].id == message_id


async def test_an_answer_is_tied_to_what_it_answers(bot: SandboxedBot) -> None:
    question = bot.alice.sends(bot.account, "/ping")
    asked = question.copies[bot.account.id].id
    await bot.sender.send(private(bot.alice), HELLO, random_id=1, reply_to=asked)
    assert bot.alice.inbox(bot.account)[-1].reply_to == question.id


@pytest.mark.parametrize("answers", [False, True], ids=["by itself", "as an answer"])
@pytest.mark.parametrize("general", [False, True], ids=["a thread", "the general one"])
async def test_a_message_for_a_thread_names_the_thread(bot: SandboxedBot, *, answers: bool, general: bool) -> None:
    forum = bot.sandbox.world.add_channel("Форум", megagroup=True, members=[bot.alice, bot.account])
    thread = GENERAL_THREAD if general else forum.open_topic("Сбои")
    peer = Peer(kind=PeerKind.CHANNEL, id=forum.id, thread_id=thread)
    first = await bot.sender.send(peer, HELLO, random_id=1)
    await bot.sender.send(peer, HELLO, random_id=2, reply_to=first if answers else None)
    named = bot.sandbox.calls[-1].request.reply_to
    asked = None if named is None else (named.reply_to_msg_id, named.top_msg_id)
    topic = None if general else thread
    assert asked == ((first, topic) if answers else None if general else (topic, None))
    assert bot.alice.inbox(forum)[-1].topic == topic


async def test_a_repeat_of_a_random_id_is_done_at_once_and_sent_once(bot: SandboxedBot) -> None:
    first = await bot.sender.send(private(bot.alice), HELLO, random_id=99)
    assert await bot.sender.send(private(bot.alice), HELLO, random_id=99) is None
    assert first is not None
    assert bot.texts(bot.alice) == ["Привет"]
    assert bot.calls("SendMessage") == 2


async def test_the_internals_of_telethon_that_we_use_are_there_and_do_no_more_than_we_think(bot: SandboxedBot) -> None:
    """If this fails after an update of Telethon, the sender has to be looked at anew."""
    assert type(bot.client._sender) is MTProtoSender  # noqa: SLF001 - this is what is pinned
    peer = types.InputPeerUser(bot.alice.id, 0)
    request = functions.messages.SendMessageRequest(peer, "Привет", random_id=5)
    bot.sandbox.faults.flood_wait("SendMessage", 30)
    for expected in ("FloodWaitError", None, "RandomIdDuplicateError"):
        future = bot.client._sender.send(request)  # noqa: SLF001
        assert isinstance(future, asyncio.Future)
        started = time.monotonic()
        try:
            await future
            error = None
        except RPCError as raised:
            error = type(raised).__name__
        assert error == expected  # a wait of 30 s was neither slept nor remembered, the duplicate not repeated
        assert time.monotonic() - started < 10
    assert bot.calls("SendMessage") == 3


async def test_a_flood_wait_in_one_chat_stops_that_chat_only(bot: SandboxedBot) -> None:
    bot.sandbox.faults.flood_wait("SendMessage", 30, chat_id=bot.alice.id, times=None)
    error = await refusal(bot, private(bot.alice))
    assert (error.error, error.verdict, error.retry_after) == ("FLOOD_WAIT_30", Verdict.RETRY, 30)
    assert 15 < bot.sender.queue.delay(private(bot.alice)) <= 30
    assert await asyncio.wait_for(bot.sender.send(private(bot.ivan), HELLO, random_id=2), 15)
    again = await refusal(bot, private(bot.alice))
    assert again.verdict is Verdict.RETRY
    assert 0 < again.retry_after <= 30
    assert bot.calls("SendMessage") == 2  # the second try did not leave the house


async def test_a_blocked_bot_is_told_so(bot: SandboxedBot) -> None:
    bot.alice.blocks(bot.account)
    assert (await refusal(bot, private(bot.alice))).verdict is Verdict.SUSPEND


async def test_an_unknown_error_arrives_as_telegram_wrote_it(bot: SandboxedBot) -> None:
    bot.sandbox.faults.answer("SendMessage", "TOPIC_CLOSED", code=400)
    error = await refusal(bot, private(bot.alice))
    assert (error.error, error.code, error.verdict) == ("TOPIC_CLOSED", 400, Verdict.CLOSED)


async def test_a_server_error_is_left_to_the_caller_to_retry(bot: SandboxedBot) -> None:
    bot.sandbox.faults.answer("SendMessage", "INTERNAL", code=500)
    assert (await refusal(bot, private(bot.alice))).verdict is Verdict.RETRY
    assert bot.calls("SendMessage") == 1


async def test_a_revoked_session_is_fatal(bot: SandboxedBot) -> None:
    bot.sandbox.faults.answer("SendMessage", "SESSION_REVOKED")
    assert (await refusal(bot, private(bot.alice))).verdict is Verdict.FATAL


async def test_where_no_answer_comes_the_message_may_be_sent_again(bot: SandboxedBot) -> None:
    impatient = Sender(bot.client, Pacing(UNLIMITED), monotonic=time.monotonic, answer_within=0.2)
    hold = bot.sandbox.faults.hold("SendMessage")
    with pytest.raises(TelegramError) as caught:
        await impatient.send(private(bot.alice), HELLO, random_id=3)
    assert (caught.value.error, caught.value.verdict) == ("CONNECTION_LOST", Verdict.RETRY)
    hold.release()
    assert await bot.sender.send(private(bot.alice), HELLO, random_id=3) is None
    assert bot.texts(bot.alice) == ["Привет"]


async def test_a_lost_reply_does_not_double_the_message(bot: SandboxedBot) -> None:
    bot.sandbox.faults.lose_reply("SendMessage")
    async with asyncio.timeout(WAIT_S):
        await bot.sender.send(private(bot.alice), HELLO, random_id=4)
    assert bot.texts(bot.alice) == ["Привет"]


async def test_a_client_that_disconnects_meanwhile_ends_the_wait(bot: SandboxedBot) -> None:
    hold = bot.sandbox.faults.hold("SendMessage")
    waiting = asyncio.create_task(refusal(bot, private(bot.alice)))
    await hold.reached()
    await bot.client.disconnect()
    assert (await waiting).error == "CONNECTION_LOST"
    assert (await refusal(bot, private(bot.alice))).error == "CONNECTION_LOST"


async def test_an_edit_replaces_text_and_buttons_and_a_repeat_of_it_is_done(bot: SandboxedBot) -> None:
    peer = private(bot.alice)
    message_id = await bot.sender.send(peer, HELLO, random_id=1)
    assert message_id is not None
    changed = Outgoing(text="Пока", buttons=((Button(text="Да", data=b"yes"),),))
    for _ in range(2):
        await bot.sender.edit(peer, message_id, changed)
    message = bot.alice.inbox(bot.account)[-1]
    assert message.text == "Пока"
    assert message.reply_markup is not None
    with pytest.raises(TelegramError) as caught:
        await bot.sender.edit(peer, message_id + 1000, changed)
    assert caught.value.verdict is Verdict.DROP


@pytest.mark.parametrize("media", [None, b"a picture"], ids=["text", "with media"])
async def test_new_buttons_leave_text_formatting_and_media_as_they_are(bot: SandboxedBot, media: bytes | None) -> None:
    peer = private(bot.alice)
    if media is None:
        message_id = await bot.sender.send(peer, HELLO, random_id=1)
    else:
        entity = await bot.client.get_input_entity(bot.alice.id)
        message_id = (await bot.client.send_file(entity, media, caption="**Привет**", parse_mode="md")).id
    assert message_id is not None
    before = replace(bot.alice.inbox(bot.account)[-1])
    for _ in range(2):  # the second time it says so already
        await bot.sender.edit_buttons(peer, message_id, ((Button(text="Назад", data=b"back"),),))
    message = bot.alice.inbox(bot.account)[-1]
    assert (message.text, message.entities, message.media) == (before.text, before.entities, before.media)
    assert (message.media is None) == (media is None)
    assert [button.text for row in message.reply_markup.rows for button in row.buttons] == ["Назад"]
    assert message.edit_hide


async def test_a_tap_is_answered(bot: SandboxedBot) -> None:
    queries: asyncio.Queue[types.UpdateBotCallbackQuery] = asyncio.Queue()
    bot.client.add_event_handler(queries.put, events.Raw(types.UpdateBotCallbackQuery))
    await bot.client.get_me()  # from here on updates are pushed
    outgoing = replace(HELLO, buttons=((Button(text="Да", data=b"yes"),),))
    await bot.sender.send(private(bot.alice), outgoing, random_id=1)
    press = asyncio.create_task(bot.alice.presses(bot.alice.inbox(bot.account)[-1], "Да"))
    async with asyncio.timeout(WAIT_S):
        query = await queries.get()
        await bot.sender.answer_callback(query.query_id, "Готово")
        answer = await press
    assert (answer.message, bool(answer.alert)) == ("Готово", False)
    with pytest.raises(TelegramError) as caught:
        await bot.sender.answer_callback(query.query_id)
    assert caught.value.error == "QUERY_ID_INVALID"


async def test_messages_wait_for_their_turn(bot: SandboxedBot) -> None:
    rates = Rates(total=100, chat=20, group=10)
    paced = sender_of(bot.client, rates)
    assert paced.queue.delay(private(bot.alice)) == 0
    started = time.monotonic()
    for number in range(7):
        await paced.send(private(bot.alice), HELLO, random_id=number + 1)
    assert time.monotonic() - started >= 0.3  # three at once, three after 150 ms, one after 300 ms
    assert bot.texts(bot.alice) == ["Привет"] * 7


async def test_each_message_of_an_album_counts(bot: SandboxedBot) -> None:
    sender, alice = sender_of(bot.client, Rates()), private(bot.alice)
    bot.sandbox.faults.answer("SendMultiMedia", "MEDIA_INVALID")  # which counts too
    files = [(Remote(kind="photo", id=number, access_hash=1, reference=b""), number) for number in range(1, 8)]
    with pytest.raises(TelegramError, match="MEDIA_INVALID"):
        await sender.send_files(alice, HELLO, files)
    assert 5 < sender.queue.delay(alice) <= 6 * SLACK  # seven messages, of which three are a burst


async def test_those_who_wait_for_a_chat_are_refused_with_the_one_that_is_flooded(bot: SandboxedBot) -> None:
    paced = Sender(bot.client, Pacing(Rates(total=1000, chat=0.01, group=1)), monotonic=time.monotonic)
    for number in range(3):
        await paced.send(private(bot.alice), HELLO, random_id=number + 1)
    await paced.send(private(bot.ivan), HELLO, random_id=10)
    waiting = asyncio.create_task(paced.send(private(bot.alice), HELLO, random_id=11))
    bot.sandbox.faults.flood_wait("SendMessage", 30, chat_id=bot.ivan.id)
    others = [asyncio.create_task(paced.send(private(bot.ivan), HELLO, random_id=20 + n)) for n in range(3)]
    found = await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), WAIT_S)
    flooded = [error for error in found if isinstance(error, TelegramError)]
    assert {(error.error, error.verdict) for error in flooded} == {("FLOOD_WAIT_30", Verdict.RETRY)}
    assert len(flooded) >= 2  # the one that Telegram refused, and the one whose turn had not come
    assert not waiting.done()
    waiting.cancel()


async def test_a_small_place_goes_first_and_an_answer_before_it(bot: SandboxedBot) -> None:
    paced = Sender(bot.client, Pacing(Rates(total=1000, chat=20, group=1)), monotonic=time.monotonic)
    for number in range(3):
        await paced.send(private(bot.alice), HELLO, random_id=number + 1)
    later = [
        asyncio.create_task(paced.send(private(bot.alice), Outgoing(text=text), random_id=number, **place))
        for number, (text, place) in enumerate([("b", {"place": 2}), ("a", {"place": 1}), ("answer", {})], start=10)
    ]
    await asyncio.wait_for(asyncio.gather(*later), WAIT_S)
    assert bot.texts(bot.alice)[3:] == ["answer", "a", "b"]


async def test_at_the_end_alerts_wait_no_longer_and_answers_do(bot: SandboxedBot) -> None:
    paced = Sender(bot.client, Pacing(Rates(total=1000, chat=5, group=1)), monotonic=time.monotonic)
    for number in range(3):
        await paced.send(private(bot.alice), HELLO, random_id=number + 1)
    alert = asyncio.create_task(paced.send(private(bot.alice), HELLO, random_id=10, place=1))
    answer = asyncio.create_task(paced.send(private(bot.alice), Outgoing(text="answer"), random_id=11))
    await asyncio.sleep(0)  # both wait now
    paced.queue.dismiss()
    await asyncio.wait_for(answer, WAIT_S)
    assert alert.cancelled()
    assert bot.texts(bot.alice)[3:] == ["answer"]


async def test_our_own_end_is_no_lost_connection(bot: SandboxedBot) -> None:
    hold = bot.sandbox.faults.hold("SendMessage")
    waiting = asyncio.create_task(bot.sender.send(private(bot.alice), HELLO, random_id=1))
    await hold.reached()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hold.release()


@pytest.mark.parametrize(
    "make",
    [
        lambda ids: types.Updates(updates=ids, users=[], chats=[], date=None, seq=0),
        lambda ids: types.UpdatesCombined(updates=ids, users=[], chats=[], date=None, seq_start=0, seq=0),
    ],
    ids=["Updates", "UpdatesCombined"],
)
def test_the_id_is_that_of_our_random_id(make: Callable[[list[types.UpdateMessageID]], types.TypeUpdates]) -> None:
    updates = make([types.UpdateMessageID(id=10, random_id=1), types.UpdateMessageID(id=11, random_id=2)])
    assert sent_id(updates, 2) == 11
    assert sent_id(updates, 3) is None


def test_the_id_of_a_short_answer_is_read_too() -> None:
    assert sent_id(types.UpdateShortSentMessage(id=12, pts=1, pts_count=1, date=None), 2) == 12


def test_the_id_is_found_where_the_server_does_not_pair_it_with_our_random_id() -> None:
    message = types.Message(id=13, peer_id=types.PeerUser(1), date=None, message="Hello")
    new = types.UpdateNewMessage(message, pts=1, pts_count=1)
    assert sent_id(types.Updates(updates=[new], users=[], chats=[], date=None, seq=0), 2) == 13
    assert sent_id(types.Updates(updates=[new, new], users=[], chats=[], date=None, seq=0), 2) is None


@pytest.mark.parametrize(
    "shape",
    [
        lambda a: types.UpdatesCombined(a.updates, a.users, a.chats, a.date, seq_start=0, seq=0),
        lambda a: types.Updates(a.updates[::-1], [], [], a.date, 0),
        lambda a: types.Updates(a.updates[1:], a.users, a.chats, a.date, 0),
        lambda a: types.Updates(a.updates[:1], [], [], a.date, 0),
        lambda a: types.UpdateShort(a.updates[0], a.date),
        lambda a: types.UpdateShort(a.updates[1], a.date),
        lambda a: types.UpdateShortSentMessage(
            a.updates[0].id, pts=a.updates[1].pts, pts_count=1, date=a.date, out=True
        ),
    ],
    ids=["combined", "turned round", "no pair", "nothing but the pair", "the pair", "the message", "short"],
)
async def test_the_id_is_found_however_a_server_answers(bot: SandboxedBot, shape: Callable[[Any], Any]) -> None:
    bot.sandbox.faults.reshape("SendMessage", shape)
    number = await bot.sender.send(private(bot.alice), HELLO, random_id=1)
    assert bot.alice.inbox(bot.account)[-1].copies[bot.account.id].id == number


async def test_what_we_wrote_is_read_by_its_numbers(bot: SandboxedBot) -> None:
    channel = bot.sandbox.world.add_channel("Лента", megagroup=True, members=[bot.alice, bot.account])
    here = Peer(kind=PeerKind.CHANNEL, id=channel.id)
    bot.alice.sends(bot.account, "Вопрос")
    rows = ((Button(text="Цитата", data=b"quote:1:2"),),)
    number = await bot.sender.send(private(bot.ivan), Outgoing(text="Ответ", buttons=rows), random_id=1)
    other = await bot.sender.send(here, HELLO, random_id=2)
    page = await bot.sender.read(range(1, 101))
    (own,) = page.own
    assert page.newest_id == number
    assert (own.kind, own.peer_id, own.message_id, own.text) == (PeerKind.USER, bot.ivan.id, number, "Ответ")
    assert [button.data for button in own.buttons] == [b"quote:1:2"]
    assert [each.message_id for each in (await bot.sender.read(range(1, 101), channel=here)).own] == [other]
    assert (await bot.sender.read(range(1001, 1101))).newest_id == 0


async def test_a_flood_wait_for_reading_is_kept_and_holds_up_no_message(bot: SandboxedBot) -> None:
    bot.sandbox.faults.flood_wait("GetMessages", 30)
    for _ in range(2):
        with pytest.raises(TelegramError, match="FLOOD_WAIT_30"):
            await bot.sender.read(range(1, 101))
    assert sum(call.name == "GetMessages" for call in bot.sandbox.calls) == 1
    assert await bot.sender.send(private(bot.alice), HELLO, random_id=1)
