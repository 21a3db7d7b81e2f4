"""What Telegram answers to an alert, row by row, and what becomes of the alert, of its chat and of what follows.

The real worker and sender, with a real client, against the embedded server; each table names its rows.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from telethon import TelegramClient
from telethon.tl import types as tl

from bot.delivery.worker import Worker
from bot.models import Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.sandbox import Channel, Message, Sandbox, User
from bot.store import addresses, chats
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.kit import UNLIMITED, Halted, at_work, sender_of, worker_of
from tests.kit import State
from tests.store.kit import Newsroom, newsroom, post
from tests.waiting import until


@dataclass(kw_only=True)
class Desk:
    """A bot, a person, a supergroup and a basic group that it writes to, and somebody who must not notice any of it."""

    sandbox: Sandbox
    room: Newsroom
    client: TelegramClient
    bot: User
    anna: User
    other: User
    editor: User  # the admin of both groups
    group: Channel
    person_chat: Chat
    group_chat: Chat
    other_chat: Chat

    def at_work(self) -> AbstractAsyncContextManager[Worker]:
        sender = sender_of(self.client)
        return at_work(worker_of(self.room.db, sender, clock=utc_now))

    async def tell(self, chat: Chat, *names: str, thread_id: int | None = None) -> None:
        """Put notices that speak of channels with these names into the outbox."""
        await kit.put(self.room.db, [kit.notice(chat, name, thread_id=thread_id) for name in names], utc_now())

    async def post(self, chat: Chat, text: str) -> None:
        """Alert a chat to a post of a channel that it follows."""
        room = self.room
        room.now = utc_now()
        await room.follow(title="Agency")
        await room.track(chat, "outages", "сбой")
        await room.live(post(5, text, date=room.now))

    def heard(self, place: User | Channel) -> list[str]:
        """Return the names that the bot's messages in a place speak of, in order."""
        return [message.text.split("«")[1].split("»")[0] for message in self.said(place) if "«" in message.text]

    def said(self, place: User | Channel) -> list[Message]:
        found = place.kept.oldest_first() if isinstance(place, Channel) else place.inbox(self.bot)
        return [message for message in found if message.sender_id == self.bot.id and message.action is None]

    async def state(self, name: str) -> State:
        """Return how far a notice has come, whatever number it got."""
        return replace(await kit.state_of(self.room.db, name), telegram_id=None)

    async def suspended(self, chat: Chat) -> str | None:
        current = await chats.get(self.room.db, chat.id)
        assert current is not None
        return current.suspended

    async def settled(self, *states: str) -> None:
        """Wait until every alert is in one of these states."""

        async def reached() -> bool:
            return await kit.is_idle(self.room.db) and {m.state for m in await kit.states(self.room.db)} <= {*states}

        await until(reached)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Sandbox() as sandbox, newsroom(tmp_path) as room:
        world = sandbox.world
        anna, other, editor = (world.add_user(name) for name in ("Anna", "Boris", "Editor"))
        bot = world.add_bot("1:token", "Watch", "watch_bot", anna)
        other.starts(bot)
        group = world.add_channel("Desk", megagroup=True, members=[bot])
        group.promote(editor)

        async def pair(kind: PeerKind, number: int, title: str) -> Chat:
            peer = Peer(kind=kind, id=number)
            return await room.db.write(lambda tx: chats.pair(tx, peer, title=title, language="en", now=utc_now()))

        client = sandbox.client(bot)
        await client.connect()
        try:
            yield Desk(
                sandbox=sandbox,
                room=room,
                client=client,
                bot=bot,
                anna=anna,
                other=other,
                editor=editor,
                group=group,
                person_chat=await pair(PeerKind.USER, anna.id, "Anna"),
                group_chat=await pair(PeerKind.CHANNEL, group.id, "Desk"),
                other_chat=await pair(PeerKind.USER, other.id, "Boris"),
            )
        finally:
            sandbox.faults.clear()
            await client.disconnect()
        assert not sandbox.unknown
        assert not sandbox.crashes


HOPELESS = [  # error, its code: the alert is dead, the chat suspended for this reason, and the next alert is not tried
    ("USER_IS_BLOCKED", 400),
    ("YOU_BLOCKED_USER", 400),
    ("USER_IS_BOT", 400),
    ("INPUT_USER_DEACTIVATED", 400),
    ("USER_DELETED", 403),
    ("PEER_ID_INVALID", 400),
    ("USER_ID_INVALID", 400),
    ("CHAT_ID_INVALID", 400),
    ("CHAT_FORBIDDEN", 403),
    ("CHAT_WRITE_FORBIDDEN", 403),
    ("CHAT_RESTRICTED", 400),
    ("CHAT_ADMIN_REQUIRED", 400),
    ("CHAT_GUEST_SEND_FORBIDDEN", 403),
    ("CHAT_SEND_PLAIN_FORBIDDEN", 403),
    ("USER_KICKED", 400),
    ("USER_NOT_PARTICIPANT", 403),
    ("USER_RESTRICTED", 403),
    ("USER_PRIVACY_RESTRICTED", 403),
    ("PRIVACY_PREMIUM_REQUIRED", 406),
    ("ALLOW_PAYMENT_REQUIRED_50", 403),
    ("CHANNEL_PRIVATE", 400),
    ("CHANNEL_INVALID", 400),
    ("CHANNEL_BANNED", 400),
    ("USER_BANNED_IN_CHANNEL", 400),
    ("TOPIC_CLOSED", 400),  # of the general thread: there is no other
    ("TOPIC_DELETED", 406),
    ("SOMETHING_NEW_FORBIDDEN", 403),
]
LOST = [  # the alert is dead, and the next one goes
    ("MESSAGE_EMPTY", 400),
    ("MESSAGE_ID_INVALID", 400),
    ("SOMETHING_NEW_INVALID", 400),
]
PLAINER = [  # it goes at once in another way
    ("MESSAGE_TOO_LONG", 400),
    ("ENTITIES_TOO_LONG", 400),
    ("ENTITY_BOUNDS_INVALID", 400),
    ("ENTITY_MENTION_USER_INVALID", 400),
    ("ENTITY_TEXTURL_INVALID", 400),
    ("BUTTON_URL_INVALID", 400),
    ("BUTTON_DATA_INVALID", 400),
    ("BUTTON_TYPE_INVALID", 400),
    ("REPLY_MARKUP_INVALID", 400),
    ("REPLY_MARKUP_TOO_LONG", 400),
]
HEALING = [  # it waits, the next one waits behind it, and both go
    ("FLOOD_WAIT_1", 420),
    ("FLOOD_PREMIUM_WAIT_1", 420),
    ("SLOWMODE_WAIT_1", 420),
    ("INTERNAL", 500),
    ("TIMEOUT", 503),
    ("Timeout", -503),
    ("RPC_CALL_FAIL", 400),
    ("MSG_WAIT_FAILED", 400),
    ("CONNECTION_NOT_INITED", 400),
    ("WORKER_BUSY_TOO_LONG_RETRY", 500),
]


@pytest.mark.parametrize(("error", "code"), HOPELESS, ids=[error for error, _ in HOPELESS])
async def test_what_cannot_heal_suspends_the_chat_with_its_reason(desk: Desk, error: str, code: int) -> None:
    desk.sandbox.faults.answer("SendMessage", error, code=code, chat_id=desk.group.id)
    await desk.tell(desk.group_chat, "first", "second")
    await desk.tell(desk.other_chat, "other")
    async with desk.at_work():
        await desk.settled("sent", "dead")
        assert await desk.state("first") == State(state="dead", reason=error, attempts=1)
        assert await desk.state("second") == State(state="dead", reason=error, attempts=0)
        assert await desk.suspended(desk.group_chat) == error
        assert desk.said(desk.group) == []
        assert desk.heard(desk.other) == ["other"]
        assert await desk.suspended(desk.other_chat) is None
        await desk.room.db.write(lambda tx: chats.resume(tx, desk.group_chat.id))
        await desk.tell(desk.group_chat, "after")
        await desk.settled("sent", "dead")
    assert desk.heard(desk.group) == ["after"]


@pytest.mark.parametrize(("error", "code"), LOST, ids=[error for error, _ in LOST])
async def test_what_can_never_be_sent_ends_that_alert_only(desk: Desk, error: str, code: int) -> None:
    desk.sandbox.faults.answer("SendMessage", error, code=code, chat_id=desk.group.id)
    await desk.tell(desk.group_chat, "first", "second")
    async with desk.at_work():
        await desk.settled("sent", "dead")
    assert await desk.state("first") == State(state="dead", reason=error, attempts=1)
    assert desk.heard(desk.group) == ["second"]
    assert await desk.suspended(desk.group_chat) is None


@pytest.mark.parametrize(("error", "code"), PLAINER, ids=[error for error, _ in PLAINER])
async def test_what_is_refused_as_it_is_written_goes_plainer(desk: Desk, error: str, code: int) -> None:
    desk.sandbox.faults.answer("SendMessage", error, code=code, chat_id=desk.anna.id)
    await desk.post(desk.person_chat, "Утром случился сбой. " + "Инженеры работают. " * 60)
    async with desk.at_work():
        await desk.settled("sent")
    (message,) = desk.said(desk.anna)
    assert "случился сбой" in message.text
    link = "https://t.me/News1001/5"
    buttons = message.reply_markup.rows[0].buttons if message.reply_markup else []
    assert link in message.text or any(getattr(button.type, "url", "") == link for button in buttons)
    assert [alert.state for alert in await kit.states(desk.room.db, "alert")] == ["sent"]
    if error.startswith("ENTITY_"):
        assert not [entity for entity in message.entities if not isinstance(entity, tl.MessageEntityUrl)]
    if error.startswith(("BUTTON_", "REPLY_MARKUP_")):
        assert message.reply_markup is None


@pytest.mark.parametrize(("error", "code"), HEALING, ids=[error for error, _ in HEALING])
async def test_what_can_heal_is_waited_out_in_order_and_delays_no_other_chat(desk: Desk, error: str, code: int) -> None:
    desk.sandbox.faults.answer("SendMessage", error, code=code, chat_id=desk.group.id)
    clock = Halted()
    sender = Sender(desk.client, Pacing(UNLIMITED), monotonic=clock.monotonic)
    async with at_work(worker_of(desk.room.db, sender, clock=clock.now)):
        await desk.tell(desk.group_chat, "first", "second")
        await until(lambda: _is_put_off(desk))
        await desk.tell(desk.other_chat, "other")
        await until(lambda: _is_told(desk))
        assert desk.heard(desk.group) == []
        clock.moves(seconds=1)
        await desk.settled("sent")
    assert desk.heard(desk.group) == ["first", "second"]
    assert await desk.state("first") == State(state="sent", reason=None, attempts=1)
    assert await desk.state("second") == State(state="sent", reason=None, attempts=0)
    assert await desk.suspended(desk.group_chat) is None


async def _is_put_off(desk: Desk) -> bool:
    return (await desk.state("first")).attempts == 1


async def _is_told(desk: Desk) -> bool:
    return desk.heard(desk.other) == ["other"]


def _is_blocked(desk: Desk) -> None:
    desk.anna.blocks(desk.bot)


def _is_deactivated(desk: Desk) -> None:
    desk.anna.deletes_account()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(_is_blocked, "USER_IS_BLOCKED"), (_is_deactivated, "INPUT_USER_DEACTIVATED")],
    ids=["blocked", "deactivated"],
)
async def test_a_person_who_is_gone(desk: Desk, trouble: Callable[[Desk], None], reason: str) -> None:
    trouble(desk)
    await desk.tell(desk.person_chat, "first", "second")
    await desk.tell(desk.other_chat, "other")
    async with desk.at_work():
        await desk.settled("sent", "dead")
    assert await desk.suspended(desk.person_chat) == reason
    assert [(await desk.state(name)).reason for name in ("first", "second")] == [reason, reason]
    assert desk.heard(desk.other) == ["other"]


def _is_kicked(desk: Desk) -> None:
    desk.group.kick(desk.bot)


def _is_banned(desk: Desk) -> None:
    desk.group.ban(desk.bot)


def _has_no_rights(desk: Desk) -> None:
    desk.group.restrict_members()


def _is_closed(desk: Desk) -> None:
    desk.group.open_topic("Outages")
    desk.group.close_topic(1)


@pytest.mark.parametrize(
    ("trouble", "reason", "words"),
    [
        (_is_kicked, "CHANNEL_PRIVATE", "I am no longer a member there."),
        (_is_banned, "CHANNEL_PRIVATE", "I am no longer a member there."),
        (_has_no_rights, "CHAT_WRITE_FORBIDDEN", "I am not allowed to write there"),
        (_is_closed, "TOPIC_CLOSED", "Its threads are closed, the general one too."),
    ],
    ids=["kicked", "banned", "no rights", "general thread closed"],
)
async def test_a_group_that_takes_nothing_is_suspended_and_the_owner_told_once(
    desk: Desk, trouble: Callable[[Desk], None], reason: str, words: str
) -> None:
    await desk.room.db.write(lambda tx: chats.admit(tx, desk.other.id, chats.Role.OWNER, utc_now()))
    trouble(desk)
    await desk.tell(desk.group_chat, "first", "second")
    async with desk.at_work():
        await desk.settled("sent", "dead")
    assert await desk.suspended(desk.group_chat) == reason
    (message,) = desk.said(desk.other)
    assert message.text.startswith("I can no longer write to «Desk»")
    assert words in message.text


async def test_slow_mode_of_a_group_holds_up_that_group_only(desk: Desk) -> None:
    desk.group.slow_mode_s = 1
    async with desk.at_work():
        await desk.tell(desk.group_chat, "first", "second")
        await desk.tell(desk.other_chat, "other")
        await desk.settled("sent")
    assert desk.heard(desk.group) == ["first", "second"]
    assert await desk.state("second") == State(state="sent", reason=None, attempts=1)


async def test_a_cut_connection_and_a_lost_reply_bring_an_alert_once(desk: Desk) -> None:
    desk.sandbox.faults.lose_reply("SendMessage", times=2)
    await desk.tell(desk.person_chat, "first", "second")
    async with desk.at_work():
        await desk.settled("sent")
    assert desk.heard(desk.anna) == ["first", "second"]


@pytest.mark.parametrize("error", ["MESSAGE_ID_INVALID", "MESSAGE_EDIT_TIME_EXPIRED", "MESSAGE_AUTHOR_REQUIRED"])
async def test_an_edit_that_is_refused_ends_alone(desk: Desk, error: str) -> None:
    await desk.post(desk.person_chat, "Утром случился сбой")
    async with desk.at_work():
        await desk.settled("sent")
        desk.sandbox.faults.answer("EditMessage", error)
        await desk.room.live(post(5, "Днём случился сбой", date=desk.room.now, edit_date=utc_now()))
        await desk.settled("sent", "frozen")
        await desk.tell(desk.person_chat, "after")
        await desk.settled("sent", "frozen")
    assert await kit.refused_edits(desk.room.db) == [error]
    assert "Утром Днём случился сбой" in desk.said(desk.anna)[1].text  # the change is told nevertheless
    assert desk.heard(desk.anna) == ["after"]
    assert await desk.suspended(desk.person_chat) is None


class TestThreads:
    async def test_an_alert_goes_into_its_thread_and_a_change_of_its_post_too(self, desk: Desk) -> None:
        topic = await self.bound(desk)
        await desk.post(desk.group_chat, "Утром случился сбой")
        await desk.room.db.write(lambda tx: _bind(tx, desk.group_chat, topic))
        await desk.room.live(post(6, "Вечером случился сбой", date=desk.room.now))
        async with desk.at_work():
            await desk.settled("sent")
            await desk.room.live(post(6, "Ночью случился сбой", date=desk.room.now, edit_date=utc_now()))
            await desk.settled("sent")
        general, alert, reply = desk.said(desk.group)
        assert (general.topic, alert.topic, reply.topic) == (None, topic, topic)
        assert "Ночью" in alert.text
        assert reply.reply_to == alert.id

    @staticmethod
    async def bound(desk: Desk) -> int:
        return desk.group.open_topic("Outages")

    @pytest.mark.parametrize("gone", [Channel.close_topic, Channel.delete_topic], ids=["closed", "deleted"])
    async def test_a_thread_that_takes_nothing_more_gives_way_to_the_general_one(
        self, desk: Desk, gone: Callable[[Channel, int], None]
    ) -> None:
        topic = await self.bound(desk)
        await desk.post(desk.group_chat, "Пробный сбой")
        await desk.room.db.write(lambda tx: _bind(tx, desk.group_chat, topic))
        await desk.room.live(post(6, "Утром случился сбой", date=desk.room.now))
        async with desk.at_work():
            await desk.settled("sent")
            gone(desk.group, topic)
            await desk.room.live(post(7, "Вечером случился сбой", date=desk.room.now))
            await desk.room.live(post(6, "Днём случился сбой", date=desk.room.now, edit_date=utc_now()))
            await desk.settled("sent", "frozen")
        texts = [message.text for message in desk.said(desk.group) if message.topic is None]
        assert len([text for text in texts if "Вечером" in text]) == 1
        assert texts.count("The thread for «Outages» is closed: these alerts come here now.") == 1
        assert len([text for text in texts if "Утром Днём" in text]) == 1
        assert await desk.suspended(desk.group_chat) is None
        assert await addresses.bindings(desk.room.db, desk.group_chat.id) == []


async def _bind(tx: Transaction, chat: Chat, thread_id: int) -> None:
    row = await tx.fetch_one("SELECT id FROM topics WHERE name = 'outages'")
    assert row is not None
    assert await addresses.bind_topic(tx, chat.id, row["id"], thread_id)


async def test_a_group_that_became_a_supergroup_unnoticed_is_followed_by_the_next_alert(desk: Desk) -> None:
    world = desk.sandbox.world
    group = world.add_group("Old desk", [desk.editor, desk.bot])
    peer = Peer(kind=PeerKind.GROUP, id=group.id)
    chat = await desk.room.db.write(lambda tx: chats.pair(tx, peer, title="Old desk", language="en", now=utc_now()))
    async with desk.at_work():
        await desk.tell(chat, "before")
        await desk.settled("sent")
        supergroup = world.upgrade(group)
        await desk.tell(chat, "first", "second")
        await desk.tell(desk.other_chat, "other")
        await desk.settled("sent")
    assert desk.heard(supergroup) == ["first", "second"]
    assert await desk.state("first") == State(state="sent", reason=None, attempts=0)
    moved = await chats.get(desk.room.db, chat.id)
    assert moved is not None
    assert (moved.key, moved.peer.kind, moved.peer.id) == (chat.key, PeerKind.CHANNEL, supergroup.id)
    assert moved.peer.access_hash == world.hub.access_hash(desk.bot.id, supergroup.marked)
    assert desk.heard(desk.other) == ["other"]


async def test_a_lost_reply_just_before_an_upgrade_brings_nothing_twice(desk: Desk) -> None:
    """The alert reached the old group; in the new one, Telegram knows its random_id, and so do the members."""
    world = desk.sandbox.world
    group = world.add_group("Old desk", [desk.editor, desk.bot])
    peer = Peer(kind=PeerKind.GROUP, id=group.id)
    chat = await desk.room.db.write(lambda tx: chats.pair(tx, peer, title="Old desk", language="en", now=utc_now()))
    desk.sandbox.faults.lose_reply("SendMessage")
    await desk.tell(chat, "first")
    async with desk.at_work():
        await until(lambda: _has_arrived(desk, group.history(desk.editor).oldest_first()))
        supergroup = world.upgrade(group)
        await desk.settled("sent")
    assert desk.heard(supergroup) == []


async def _has_arrived(desk: Desk, messages: list[Message]) -> bool:
    return any(message.sender_id == desk.bot.id for message in messages)
