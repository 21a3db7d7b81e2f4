"""What Telegram answers to an alert, row by row, and what becomes of the alert, of its chat and of what follows.

The real worker and sender, with a real client, against the embedded server; each table names its rows.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from telethon.tl import types as tl

from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.runtime.clock import utc_now
from bot.sandbox import Channel, Message, User
from bot.store import addresses, chats, people
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.kit import DeliveringBot, at_work, worker_of
from tests.kit import State
from tests.kit_archive import Archive, post
from tests.kit_bot import UNLIMITED, SandboxedBot, private
from tests.kit_clock import Clock
from tests.waiting import until


@dataclass(kw_only=True)
class GroupBot(DeliveringBot):
    """A bot that writes to Alice and to a supergroup, and Ivan, who must not notice any of it."""

    editor: User  # the admin of the group
    group: Channel

    @property
    def person_chat(self) -> Chat:
        return self.chats[self.alice.id]

    @property
    def group_chat(self) -> Chat:
        return self.chats[self.group.id]

    @property
    def other_chat(self) -> Chat:
        return self.chats[self.ivan.id]

    async def notify(self, chat: Chat, *names: str, thread_id: int | None = None) -> None:
        """Put notices that speak of channels with these names into the outbox."""
        await kit.put(self.archive.db, [kit.notice(chat, name, thread_id=thread_id) for name in names], utc_now())

    async def post(self, chat: Chat, text: str) -> None:
        """Alert a chat to a post of a channel that it follows."""
        await self.subscribe(chat)
        await self.archive.live(post(5, text, date=self.archive.now))

    def heard(self, place: User | Channel) -> list[str]:
        """Return the names that the bot's messages in a place speak of, in order."""
        return [message.text.split("«")[1].split("»")[0] for message in self.said(place) if "«" in message.text]

    def said(self, place: User | Channel) -> list[Message]:
        found = place.kept.oldest_first() if isinstance(place, Channel) else self.received(place)
        return [message for message in found if message.sender_id == self.account.id and message.action is None]

    async def state(self, name: str) -> State:
        """Return how far a notice has come, whatever number it got."""
        return replace(await super().state(name), telegram_id=None)

    async def suspended(self, chat: Chat) -> str | None:
        current = await chats.get(self.archive.db, chat.id)
        assert current is not None
        return current.suspended

    async def settled(self, *states: str) -> None:
        """Wait until every alert is in one of these states."""
        db = self.archive.db

        async def reached() -> bool:
            return await kit.is_idle(db) and {message.state for message in await kit.states(db)} <= {*states}

        await until(reached)


@pytest.fixture
async def bot(bot: SandboxedBot, archive: Archive, tmp_path: Path) -> GroupBot:
    editor = bot.sandbox.world.add_user("Editor")
    group = bot.sandbox.world.add_channel("Desk", megagroup=True, members=[bot.account])
    group.promote(editor)
    made = GroupBot(**vars(bot), archive=archive, folder=tmp_path / "media", editor=editor, group=group)
    for account in (bot.alice, bot.ivan):
        await made.pair(private(account), account.first_name)
    await made.pair(Peer(kind=PeerKind.CHANNEL, id=group.id), "Desk")
    return made


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
async def test_what_cannot_heal_suspends_the_chat_with_its_reason(bot: GroupBot, error: str, code: int) -> None:
    bot.sandbox.faults.answer("SendMessage", error, code=code, chat_id=bot.group.id)
    await bot.notify(bot.group_chat, "first", "second")
    await bot.notify(bot.other_chat, "other")
    async with bot.at_work():
        await bot.settled("sent", "dead")
        assert await bot.state("first") == State(state="dead", reason=error, attempts=1)
        assert await bot.state("second") == State(state="dead", reason=error, attempts=0)
        assert await bot.suspended(bot.group_chat) == error
        assert bot.said(bot.group) == []
        assert bot.heard(bot.ivan) == ["other"]
        assert await bot.suspended(bot.other_chat) is None
        await bot.archive.db.write(lambda tx: chats.resume(tx, bot.group_chat.id))
        await bot.notify(bot.group_chat, "after")
        await bot.settled("sent", "dead")
    assert bot.heard(bot.group) == ["after"]


@pytest.mark.parametrize(("error", "code"), LOST, ids=[error for error, _ in LOST])
async def test_what_can_never_be_sent_ends_that_alert_only(bot: GroupBot, error: str, code: int) -> None:
    bot.sandbox.faults.answer("SendMessage", error, code=code, chat_id=bot.group.id)
    await bot.notify(bot.group_chat, "first", "second")
    async with bot.at_work():
        await bot.settled("sent", "dead")
    assert await bot.state("first") == State(state="dead", reason=error, attempts=1)
    assert bot.heard(bot.group) == ["second"]
    assert await bot.suspended(bot.group_chat) is None


@pytest.mark.parametrize(("error", "code"), PLAINER, ids=[error for error, _ in PLAINER])
async def test_what_is_refused_as_it_is_written_goes_plainer(bot: GroupBot, error: str, code: int) -> None:
    bot.sandbox.faults.answer("SendMessage", error, code=code, chat_id=bot.alice.id)
    await bot.post(bot.person_chat, "Утром случился сбой. " + "Инженеры работают. " * 60)
    async with bot.at_work():
        await bot.settled("sent")
    (message,) = bot.said(bot.alice)
    assert "случился сбой" in message.text
    link = "https://t.me/News1001/5"
    buttons = message.reply_markup.rows[0].buttons if message.reply_markup else []
    assert link in message.text or any(getattr(button.type, "url", "") == link for button in buttons)
    assert [alert.state for alert in await kit.states(bot.archive.db, "alert")] == ["sent"]
    if error.startswith("ENTITY_"):
        assert not [entity for entity in message.entities if not isinstance(entity, tl.MessageEntityUrl)]
    if error.startswith(("BUTTON_", "REPLY_MARKUP_")):
        assert message.reply_markup is None


@pytest.mark.parametrize(("error", "code"), HEALING, ids=[error for error, _ in HEALING])
async def test_what_can_heal_is_waited_out_in_order_and_delays_no_other_chat(
    bot: GroupBot, error: str, code: int
) -> None:
    bot.sandbox.faults.answer("SendMessage", error, code=code, chat_id=bot.group.id)
    clock = Clock(utc_now() + timedelta(minutes=1), time.monotonic())
    sender = Sender(bot.client, Pacing(UNLIMITED), monotonic=clock.monotonic)
    async with at_work(worker_of(bot.archive.db, sender, clock=clock)):
        await bot.notify(bot.group_chat, "first", "second")
        await until(lambda: _is_put_off(bot))
        await bot.notify(bot.other_chat, "other")
        await until(lambda: _is_told(bot))
        assert bot.heard(bot.group) == []
        clock.advance(1)
        await bot.settled("sent")
    assert bot.heard(bot.group) == ["first", "second"]
    assert await bot.state("first") == State(state="sent", reason=None, attempts=1)
    assert await bot.state("second") == State(state="sent", reason=None, attempts=0)
    assert await bot.suspended(bot.group_chat) is None


async def _is_put_off(bot: GroupBot) -> bool:
    return (await bot.state("first")).attempts == 1


async def _is_told(bot: GroupBot) -> bool:
    return bot.heard(bot.ivan) == ["other"]


def _is_blocked(bot: GroupBot) -> None:
    bot.alice.blocks(bot.account)


def _is_deactivated(bot: GroupBot) -> None:
    bot.alice.deletes_account()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(_is_blocked, "USER_IS_BLOCKED"), (_is_deactivated, "INPUT_USER_DEACTIVATED")],
    ids=["blocked", "deactivated"],
)
async def test_a_person_who_is_gone(bot: GroupBot, trouble: Callable[[GroupBot], None], reason: str) -> None:
    trouble(bot)
    await bot.notify(bot.person_chat, "first", "second")
    await bot.notify(bot.other_chat, "other")
    async with bot.at_work():
        await bot.settled("sent", "dead")
    assert await bot.suspended(bot.person_chat) == reason
    assert [(await bot.state(name)).reason for name in ("first", "second")] == [reason, reason]
    assert bot.heard(bot.ivan) == ["other"]


def _is_kicked(bot: GroupBot) -> None:
    bot.group.kick(bot.account)


def _is_banned(bot: GroupBot) -> None:
    bot.group.ban(bot.account)


def _has_no_rights(bot: GroupBot) -> None:
    bot.group.restrict_members()


def _is_closed(bot: GroupBot) -> None:
    bot.group.open_topic("Outages")
    bot.group.close_topic(1)


@pytest.mark.parametrize(
    ("trouble", "reason", "words"),
    [
        (_is_kicked, "CHANNEL_PRIVATE", "I am no longer a member there."),
        (_is_banned, "CHANNEL_PRIVATE", "I am no longer a member there."),
        (_has_no_rights, "CHAT_WRITE_FORBIDDEN", "I am not allowed to write there"),
        (_is_closed, "TOPIC_CLOSED", "Its threads are closed, including the general one."),
    ],
    ids=["kicked", "banned", "no rights", "general thread closed"],
)
async def test_a_group_that_takes_nothing_is_suspended_and_the_owner_told_once(
    bot: GroupBot, trouble: Callable[[GroupBot], None], reason: str, words: str
) -> None:
    await bot.archive.db.write(lambda tx: people.admit(tx, bot.ivan.id, Role.OWNER, utc_now()))
    trouble(bot)
    await bot.notify(bot.group_chat, "first", "second")
    async with bot.at_work():
        await bot.settled("sent", "dead")
    assert await bot.suspended(bot.group_chat) == reason
    (message,) = bot.said(bot.ivan)
    assert message.text.startswith("I can no longer write to «Desk»")
    assert words in message.text


async def test_slow_mode_of_a_group_holds_up_that_group_only(bot: GroupBot) -> None:
    bot.group.slow_mode_s = 1
    async with bot.at_work():
        await bot.notify(bot.group_chat, "first", "second")
        await bot.notify(bot.other_chat, "other")
        await bot.settled("sent")
    assert bot.heard(bot.group) == ["first", "second"]
    assert await bot.state("second") == State(state="sent", reason=None, attempts=1)


async def test_a_cut_connection_and_a_lost_reply_bring_an_alert_once(bot: GroupBot) -> None:
    bot.sandbox.faults.lose_reply("SendMessage", times=2)
    await bot.notify(bot.person_chat, "first", "second")
    async with bot.at_work():
        await bot.settled("sent")
    assert bot.heard(bot.alice) == ["first", "second"]


@pytest.mark.parametrize("error", ["MESSAGE_ID_INVALID", "MESSAGE_EDIT_TIME_EXPIRED", "MESSAGE_AUTHOR_REQUIRED"])
async def test_an_edit_that_is_refused_ends_alone(bot: GroupBot, error: str) -> None:
    await bot.post(bot.person_chat, "Утром случился сбой")
    async with bot.at_work():
        await bot.settled("sent")
        bot.sandbox.faults.answer("EditMessage", error)
        await bot.archive.live(post(5, "Днём случился сбой", date=bot.archive.now, edit_date=utc_now()))
        await bot.settled("sent", "frozen")
        await bot.notify(bot.person_chat, "after")
        await bot.settled("sent", "frozen")
    assert await kit.refused_edits(bot.archive.db) == [error]
    assert "before: Утром случился сбой" in bot.said(bot.alice)[1].text  # the change is told nevertheless
    assert bot.heard(bot.alice) == ["after"]
    assert await bot.suspended(bot.person_chat) is None


class TestThreads:
    async def test_an_alert_goes_into_its_thread_and_a_change_of_its_post_too(self, bot: GroupBot) -> None:
        topic = await self.bound(bot)
        await bot.post(bot.group_chat, "Утром случился сбой")
        await bot.archive.db.write(lambda tx: _bind(tx, bot.group_chat, topic))
        await bot.archive.live(post(6, "Вечером случился сбой", date=bot.archive.now))
        async with bot.at_work():
            await bot.settled("sent")
            await bot.archive.live(post(6, "Ночью случился сбой", date=bot.archive.now, edit_date=utc_now()))
            await bot.settled("sent")
        general, alert, reply = bot.said(bot.group)
        assert (general.topic, alert.topic, reply.topic) == (None, topic, topic)
        assert "Ночью" in alert.text
        assert reply.reply_to == alert.id

    @staticmethod
    async def bound(bot: GroupBot) -> int:
        return bot.group.open_topic("Outages")

    @pytest.mark.parametrize("gone", [Channel.close_topic, Channel.delete_topic], ids=["closed", "deleted"])
    async def test_a_thread_that_takes_nothing_more_gives_way_to_the_general_one(
        self, bot: GroupBot, gone: Callable[[Channel, int], None]
    ) -> None:
        topic = await self.bound(bot)
        await bot.post(bot.group_chat, "Пробный сбой")
        await bot.archive.db.write(lambda tx: _bind(tx, bot.group_chat, topic))
        await bot.archive.live(post(6, "Утром случился сбой", date=bot.archive.now))
        async with bot.at_work():
            await bot.settled("sent")
            gone(bot.group, topic)
            await bot.archive.live(post(7, "Вечером случился сбой", date=bot.archive.now))
            await bot.archive.live(post(6, "Днём случился сбой", date=bot.archive.now, edit_date=utc_now()))
            await bot.settled("sent", "frozen")
        texts = [message.text for message in bot.said(bot.group) if message.topic is None]
        assert len([text for text in texts if "Вечером" in text]) == 1
        assert texts.count("The thread for «Outages» is closed, so these alerts now come here.") == 1
        assert len([text for text in texts if "before: Утром" in text]) == 1
        assert await bot.suspended(bot.group_chat) is None
        assert await addresses.bindings(bot.archive.db, bot.group_chat.id) == []


async def _bind(tx: Transaction, chat: Chat, thread_id: int) -> None:
    row = await tx.fetch_one("SELECT id FROM topics WHERE name = 'outages'")
    assert row is not None
    assert await addresses.bind_topic(tx, chat.id, row["id"], thread_id)


async def test_a_group_that_became_a_supergroup_unnoticed_is_followed_by_the_next_alert(bot: GroupBot) -> None:
    world = bot.sandbox.world
    group = world.add_group("Old bot", [bot.editor, bot.account])
    peer = Peer(kind=PeerKind.GROUP, id=group.id)
    chat = await bot.archive.db.write(lambda tx: chats.pair(tx, peer, title="Old bot", language="en", now=utc_now()))
    async with bot.at_work():
        await bot.notify(chat, "before")
        await bot.settled("sent")
        supergroup = world.upgrade(group)
        await bot.notify(chat, "first", "second")
        await bot.notify(bot.other_chat, "other")
        await bot.settled("sent")
    assert bot.heard(supergroup) == ["first", "second"]
    assert await bot.state("first") == State(state="sent", reason=None, attempts=0)
    moved = await chats.get(bot.archive.db, chat.id)
    assert moved is not None
    assert (moved.key, moved.peer.kind, moved.peer.id) == (chat.key, PeerKind.CHANNEL, supergroup.id)
    assert moved.peer.access_hash == world.hub.access_hash(bot.account.id, supergroup.marked)
    assert bot.heard(bot.ivan) == ["other"]


async def test_a_lost_reply_just_before_an_upgrade_brings_nothing_twice(bot: GroupBot) -> None:
    """The alert reached the old group; in the new one, Telegram knows its random_id, and so do the members."""
    world = bot.sandbox.world
    group = world.add_group("Old bot", [bot.editor, bot.account])
    peer = Peer(kind=PeerKind.GROUP, id=group.id)
    chat = await bot.archive.db.write(lambda tx: chats.pair(tx, peer, title="Old bot", language="en", now=utc_now()))
    bot.sandbox.faults.lose_reply("SendMessage")
    await bot.notify(chat, "first")
    async with bot.at_work():
        await until(lambda: _has_arrived(bot, group.history(bot.editor).oldest_first()))
        supergroup = world.upgrade(group)
        await bot.settled("sent")
    assert bot.heard(supergroup) == []


async def _has_arrived(bot: GroupBot, messages: list[Message]) -> bool:
    return any(message.sender_id == bot.account.id for message in messages)
