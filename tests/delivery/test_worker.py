"""The worker with a real store and a real client, against the embedded server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from telethon import TelegramClient, events

from bot.delivery.worker import EACH, GRACE, ROOM, Worker
from bot.errors import FatalError
from bot.models import Outgoing, Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.sandbox import Sandbox, User
from bot.sandbox.world import mail
from bot.store import chats, outbox
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.kit import UNLIMITED, WAIT_S, at_work, sender_of, worker_of
from tests.kit import State
from tests.store.kit import Newsroom, gone, newsroom, post
from tests.waiting import until


@dataclass(kw_only=True)
class Office:
    """A bot with two readers, and the outbox that it empties."""

    sandbox: Sandbox
    room: Newsroom
    client: TelegramClient
    bot: User
    alice: User
    ivan: User
    chats: dict[int, Chat] = field(default_factory=dict)

    def worker(self, rates: Rates = UNLIMITED) -> Worker:
        return worker_of(self.room.db, sender_of(self.client, rates), clock=utc_now)

    def at_work(self, rates: Rates = UNLIMITED) -> AbstractAsyncContextManager[Worker]:
        return at_work(self.worker(rates))

    async def pair(self, account: User) -> Chat:
        peer = Peer(kind=PeerKind.USER, id=account.id)
        chat = await self.room.db.write(
            lambda tx: chats.pair(tx, peer, title=account.first_name, language="en", now=utc_now())
        )
        self.chats[account.id] = chat
        return chat

    async def tell(self, account: User, *names: str, due_in: float = 0) -> None:
        """Enqueue notices that speak of channels with these names."""
        now, chat = utc_now(), self.chats[account.id]

        notices = [kit.notice(chat, name) for name in names]
        await kit.put(self.room.db, notices, now, due_at=now + timedelta(seconds=due_in))

    def heard(self, account: User) -> list[str]:
        """Return the names that an account was told of, in the order in which they came."""
        inbox = [message.text for message in account.inbox(self.bot) if message.sender_id == self.bot.id]
        return [text.split("«")[1].split("»")[0] for text in inbox]

    async def state(self, name: str) -> State:
        return await kit.state_of(self.room.db, name)

    async def in_state(self, state: str, *names: str) -> None:
        async def reached() -> bool:
            return [(await self.state(name)).state for name in names] == [state] * len(names)

        await until(reached)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Sandbox() as sandbox, newsroom(tmp_path) as room:
        alice, ivan = sandbox.world.add_user("Alice"), sandbox.world.add_user("Ivan")
        bot = sandbox.world.add_bot("1:token", "Watch", "watch_bot", alice)
        ivan.starts(bot)
        client = sandbox.client(bot)
        await client.connect()
        try:
            built = Office(sandbox=sandbox, room=room, client=client, bot=bot, alice=alice, ivan=ivan)
            for account in (alice, ivan):
                await built.pair(account)
            yield built
        finally:
            await client.disconnect()
        assert not sandbox.unknown
        assert not sandbox.crashes


async def test_a_post_that_matches_arrives_as_an_alert(office: Office) -> None:
    room, chat = office.room, office.chats[office.alice.id]
    room.now = utc_now()
    await room.follow(title="Вести")
    await room.track(chat, "outages", "сбой")
    async with office.at_work():
        await room.live(post(5, "Утром случился сбой", date=room.now))
        await until(lambda: _has(office.alice.inbox(office.bot)[-1].text.startswith("Outages · Вести")))
    message = office.alice.inbox(office.bot)[-1]
    assert message.text.startswith("Outages · Вести\nУтром случился сбой\n\n")
    assert await kit.states(room.db) == [State(state="sent", telegram_id=message.copies[office.bot.id].id)]


async def test_of_a_long_post_the_passage_arrives_with_who_signed_it_and_when_it_was_seen(office: Office) -> None:
    room, chat = office.room, office.chats[office.alice.id]
    room.now = utc_now().replace(microsecond=0)
    await room.follow(title="Вести")
    await room.track(chat, "outages", "сбой")
    text = f"{'Утром открылась коллегия. ' * 50}\nДнём случился сбой 🙂.\n{'Потом говорили. ' * 50}"
    async with office.at_work():
        await room.live(post(5, text, author="Дежурный", date=room.now - timedelta(seconds=3)))
        await until(lambda: _has("сбой" in office.alice.inbox(office.bot)[-1].text))
    message = office.alice.inbox(office.bot)[-1].text
    assert message.startswith("Outages · Вести\n… Днём случился сбой 🙂. …\n\n")
    assert message.endswith(" UTC · by Дежурный · seen after 3 s")


async def _has(truth: object) -> bool:
    return bool(truth)


async def test_alerts_that_waited_for_the_start_arrive_in_their_order(office: Office) -> None:
    names = [f"Канал {number}" for number in range(5)]
    await office.tell(office.alice, *names)
    async with office.at_work():
        await office.in_state("sent", *names)
    assert office.heard(office.alice) == names


async def test_an_alert_with_a_date_arrives_when_it_is_due(office: Office) -> None:
    async with office.at_work():
        await office.tell(office.alice, "later", due_in=0.3)
        await office.tell(office.alice, "now")
        await office.in_state("sent", "later")
    assert office.heard(office.alice) == ["now", "later"]


async def test_what_comes_for_a_chat_while_it_is_served_follows_at_once(office: Office) -> None:
    hold = office.sandbox.faults.hold("SendMessage")
    async with office.at_work():
        await office.tell(office.alice, "first")
        await hold.reached()
        await office.tell(office.alice, "second")
        await office.tell(office.ivan, "other")  # makes the worker look while Alice is being served
        await until(lambda: _has(hold.held == 2))
        hold.release()
        await office.in_state("sent", "first", "second", "other")
    assert office.heard(office.alice) == ["first", "second"]


async def test_a_server_error_is_retried_and_keeps_the_order(office: Office) -> None:
    office.sandbox.faults.answer("SendMessage", "INTERNAL", code=500)
    await office.tell(office.alice, "first", "second")
    async with office.at_work():
        await office.in_state("sent", "first", "second")
    assert office.heard(office.alice) == ["first", "second"]
    assert (await office.state("first")).attempts == 1


async def test_a_flood_wait_in_one_chat_delays_no_other(office: Office) -> None:
    arrived: asyncio.Queue[None] = asyncio.Queue()

    async def note(_event: events.NewMessage.Event) -> None:
        arrived.put_nowait(None)

    ivan = office.sandbox.client(office.ivan)
    ivan.add_event_handler(note, events.NewMessage(incoming=True))
    await ivan.connect()
    try:
        await ivan.get_me()
        office.sandbox.faults.flood_wait("SendMessage", 3600, chat_id=office.alice.id, times=None)
        async with office.at_work():
            await office.tell(office.alice, "stuck", "behind it")
            await until(lambda: _has(office.sandbox.calls[-1].name == "SendMessage"))
            for number in range(5):
                await office.tell(office.ivan, f"other {number}")
                await asyncio.wait_for(arrived.get(), WAIT_S)  # which is no hour
    finally:
        await ivan.disconnect()
    assert await office.state("stuck") == State(state="due", reason="FLOOD_WAIT_3600", attempts=1)
    assert (await office.state("behind it")).attempts == 0
    assert not office.heard(office.alice)


async def test_a_flood_wait_is_waited_out(office: Office) -> None:
    office.sandbox.faults.flood_wait("SendMessage", 1, chat_id=office.alice.id)
    await office.tell(office.alice, "first", "second")
    started = time.monotonic()
    async with office.at_work():
        await office.in_state("sent", "first", "second")
    assert time.monotonic() - started >= 1
    assert office.heard(office.alice) == ["first", "second"]


async def test_a_chat_that_blocked_the_bot_is_suspended_and_others_are_served(office: Office) -> None:
    office.alice.blocks(office.bot)
    await office.tell(office.alice, "first", "second")
    await office.tell(office.ivan, "other")
    async with office.at_work():
        await office.in_state("dead", "first", "second")
        await office.in_state("sent", "other")
    chat = await chats.get(office.room.db, office.chats[office.alice.id].id)
    assert chat is not None
    assert chat.suspended == "USER_IS_BLOCKED"
    assert sum(call.name == "SendMessage" for call in office.sandbox.calls) == 2


async def test_an_alert_that_can_never_be_sent_is_dropped_with_its_reason(office: Office) -> None:
    office.sandbox.faults.answer("SendMessage", "ENTITY_BOUNDS_INVALID")
    await office.tell(office.alice, "bad", "good")
    async with office.at_work():
        await office.in_state("sent", "good")
    assert await office.state("bad") == State(state="dead", reason="ENTITY_BOUNDS_INVALID", attempts=1)
    assert office.heard(office.alice) == ["good"]


async def test_an_alert_that_nobody_can_write_is_put_off_and_blocks_no_other(office: Office) -> None:
    await kit.put(office.room.db, [kit.riddle(office.chats[office.alice.id], "riddle")], utc_now())
    await office.tell(office.alice, "plain")
    async with office.at_work():
        await office.in_state("sent", "plain")
    assert await office.state("riddle") == State(state="due", reason="ValidationError", attempts=1)


async def test_a_bot_that_is_no_more_stops_the_worker(office: Office) -> None:
    office.sandbox.faults.answer("SendMessage", "SESSION_REVOKED")
    await office.tell(office.alice, "first")
    with pytest.raises(FatalError, match=r"SESSION_REVOKED.*TELEGRAM_BOT_TOKEN"):
        await asyncio.wait_for(office.worker().run(), WAIT_S)
    assert (await office.state("first")).state == "due"


async def test_an_alert_that_was_sent_before_a_crash_is_not_sent_twice(office: Office) -> None:
    await office.tell(office.alice, "first")
    (alert,) = await kit.claimed(office.room.db, utc_now())
    killed = worker_of(office.room.db, Sender(office.client, Pacing(), monotonic=time.monotonic), clock=utc_now)
    hold = office.sandbox.faults.hold("SendMessage")
    delivering = asyncio.create_task(killed.deliver(alert))
    await hold.reached()  # Telegram has it, and we never hear of it
    delivering.cancel()
    hold.release()
    async with office.at_work():
        await office.in_state("sent", "first")
    assert office.heard(office.alice) == ["first"]
    assert (await office.state("first")).telegram_id == office.alice.inbox(office.bot)[-1].copies[office.bot.id].id


async def test_a_stop_waits_for_what_is_on_its_way_and_begins_nothing(office: Office) -> None:
    hold = office.sandbox.faults.hold("SendMessage")
    await office.tell(office.alice, "first", "second")
    worker = office.worker()
    running = asyncio.create_task(worker.run())
    await hold.reached()
    worker.stop()
    hold.release()
    await asyncio.wait_for(running, WAIT_S)
    assert (await office.state("first")).state == "sent"
    assert (await office.state("second")).state == "due"
    assert office.heard(office.alice) == ["first"]


async def test_a_stop_does_not_wait_for_a_chat_whose_turn_is_far_off(office: Office) -> None:
    office.sandbox.faults.flood_wait("SendMessage", 3600, times=None)
    await office.tell(office.alice, "first")
    worker = office.worker()
    running = asyncio.create_task(worker.run())
    await until(lambda: _has(office.sandbox.calls and office.sandbox.calls[-1].name == "SendMessage"))
    worker.stop()
    await asyncio.wait_for(running, GRACE - 1)


async def test_a_long_queue_of_one_chat_starves_no_other(office: Office) -> None:
    await office.tell(office.alice, *(f"{number}" for number in range(120)))
    await office.tell(office.ivan, "other")
    async with office.at_work(Rates()):
        await office.in_state("sent", "other")
        assert len(office.heard(office.alice)) <= 3


async def crowd(office: Office, count: int) -> list[Chat]:
    """Pair many people who have all started the bot."""

    async def job(tx: Transaction) -> list[Chat]:
        peers = [Peer(kind=PeerKind.USER, id=account.id) for account in accounts]
        return [await chats.pair(tx, peer, title="Reader", language="en", now=utc_now()) for peer in peers]

    accounts = [office.sandbox.world.add_user(f"Reader {number}") for number in range(count)]
    for account in accounts:
        account.starts(office.bot)
    return await office.room.db.write(job)


async def fan_out(office: Office, readers: list[Chat], *names: str) -> None:
    await kit.put(office.room.db, [kit.notice(chat, name) for chat in readers for name in names], utc_now())


def sends(office: Office) -> int:
    return sum(call.name == "SendMessage" for call in office.sandbox.calls)


@pytest.mark.parametrize("rates", [Rates(), UNLIMITED], ids=["paced", "unpaced"])
async def test_news_overtakes_a_fan_out_of_five_thousand(office: Office, rates: Rates) -> None:
    await fan_out(office, await crowd(office, 5000), "fan-out")
    async with office.at_work(rates):
        await until(lambda: _has(sends(office) >= 20))
        for turn in range(3):
            before = sends(office)
            await office.tell(office.alice, f"news {turn}")
            await office.in_state("sent", f"news {turn}")
            if rates.total == Rates().total:
                assert sends(office) - before <= 30  # what a second lets go; it was 5,000
    assert office.heard(office.alice) == [f"news {turn}" for turn in range(3)]


async def test_an_answer_overtakes_a_fan_out(office: Office) -> None:
    await fan_out(office, await crowd(office, 300), "fan-out")
    sender = Sender(office.client, Pacing(), monotonic=time.monotonic)
    worker = worker_of(office.room.db, sender, clock=utc_now)
    running = asyncio.create_task(worker.run())
    await until(lambda: _has(sends(office) >= 20))
    before = sends(office)
    peer = Peer(kind=PeerKind.USER, id=office.ivan.id)
    for number in range(2):
        await sender.send(peer, Outgoing(text="Pong"), random_id=number + 1)
    assert sends(office) - before <= 20  # at most what left before the next turn came, for each
    worker.stop()
    await asyncio.wait_for(running, GRACE - 1)


async def test_more_chats_than_are_served_at_once_all_get_what_is_theirs_in_order(office: Office) -> None:
    readers = await crowd(office, 2 * ROOM + 50)
    await fan_out(office, readers, *(f"{number}" for number in range(EACH + 2)))
    async with office.at_work() as worker:
        await sent(office)
        assert worker._reads < len(readers)  # noqa: SLF001 - reading must not grow with what waits
    for chat in readers:
        numbers = await kit.telegram_ids(office.room.db, chat.id)
        assert len(numbers) == EACH + 2
        assert numbers == sorted(numbers)


async def test_a_hundred_flooded_chats_hold_up_nobody(office: Office) -> None:
    readers = await crowd(office, ROOM + 100)
    for chat in readers[:ROOM]:
        office.sandbox.faults.flood_wait("SendMessage", 3600, chat_id=chat.peer.id, times=None)
    await fan_out(office, readers, "a", "b")
    async with office.at_work(UNLIMITED):

        async def others_are_done() -> bool:
            due = [each for each in await kit.states(office.room.db) if each.state == "due"]
            return len(due) == 2 * ROOM and sum(each.attempts for each in due) == ROOM

        await until(others_are_done)
    assert sends(office) == ROOM + 200  # one try each, and the alerts behind it stayed at home


async def test_what_another_process_makes_due_is_taken_up(office: Office, tmp_path: Path) -> None:
    office.sandbox.faults.answer("SendMessage", "ENTITY_BOUNDS_INVALID")
    await office.tell(office.alice, "bad")
    async with office.at_work() as worker:
        await office.in_state("dead", "bad")
        (alert,) = await outbox.dead_letters(office.room.db)
        other = await Database.open(tmp_path / "data" / "bot.db")
        try:
            assert await other.write(lambda tx: outbox.try_again(tx, [alert.id], utc_now())) == 1
        finally:
            await other.close()
        worker._wake.set()  # noqa: SLF001 - half a minute later
        await office.in_state("sent", "bad")
    assert office.heard(office.alice) == ["bad"]


async def test_an_alert_costs_one_look_at_the_outbox(office: Office) -> None:
    looks: list[float] = []  # a beat at the start, and one after each look
    worker = office.worker()

    async def idle() -> int:
        """Wait until the worker has nothing to do, so that no look at what came before is counted later."""
        await until(lambda: not worker._serving and not worker._wake.is_set() and len(looks) == worker._reads + 1)  # noqa: SLF001 - the hot path must stay this lean
        return len(looks)

    async with at_work(worker, looks.append):
        await office.tell(office.alice, "first")
        await office.in_state("sent", "first")
        before = await idle()
        await office.tell(office.alice, "second")
        await office.in_state("sent", "second")
        assert await idle() - before == 1


async def test_a_stop_does_not_wait_for_a_chat_that_has_had_its_burst(office: Office) -> None:
    await office.tell(office.alice, "1", "2", "3", "4")
    worker = office.worker(Rates(chat=0.01))
    running = asyncio.create_task(worker.run())
    await office.in_state("sent", "1", "2", "3")
    worker.stop()
    await asyncio.wait_for(running, GRACE - 1)
    assert (await office.state("4")).state == "due"


async def followed(office: Office) -> Chat:
    """Let Alice subscribe to outages, and be told of one by the bot."""
    room, chat = office.room, office.chats[office.alice.id]
    room.now = utc_now()
    await room.follow(title="Вести")
    await room.track(chat, "outages", "сбой")
    async with office.at_work():
        await room.live(post(5, "Утром случился сбой", date=room.now))
        await sent(office)
    return chat


async def sent(office: Office) -> None:
    """Wait until nothing is due."""

    async def nothing_due() -> bool:
        return not await kit.claimed(office.room.db, utc_now())

    await until(nothing_due)


def texts(office: Office) -> list[str]:
    return [message.text for message in office.alice.inbox(office.bot) if message.sender_id == office.bot.id]


async def test_a_change_edits_the_alert_and_answers_it(office: Office) -> None:
    await followed(office)
    async with office.at_work():
        await office.room.live(post(5, "Днём случился сбой", date=office.room.now, edit_date=office.room.now))
        await sent(office)
    alert, reply = (m for m in office.alice.inbox(office.bot) if m.sender_id == office.bot.id)
    assert "Днём случился сбой" in alert.text
    assert "Утром Днём случился сбой" in reply.text
    assert reply.reply_to == alert.id


async def test_an_edit_that_was_made_before_a_crash_is_made_again_without_harm(office: Office) -> None:
    await followed(office)
    await office.room.live(post(5, "Днём случился сбой", date=office.room.now, edit_date=office.room.now))
    edit, change = await kit.claimed(office.room.db, utc_now())
    worker = office.worker()
    for message in (edit, change):
        assert await worker.deliver(message)
        await kit.send_once_more(office.room.db, message)
        assert await worker.deliver(message)
    assert [call.name for call in office.sandbox.calls].count("EditMessage") == 2
    assert len(texts(office)) == 2


async def test_of_many_edits_of_an_alert_only_the_last_is_made(office: Office) -> None:
    await followed(office)
    for number in range(5):
        edited = office.room.now + timedelta(seconds=number)
        await office.room.live(post(5, f"Утром случился сбой{'!' * number}.", date=office.room.now, edit_date=edited))
    async with office.at_work():
        await sent(office)
    assert [call.name for call in office.sandbox.calls].count("EditMessage") == 1
    assert "сбой!!!!." in texts(office)[0]


async def test_a_change_of_an_alert_that_nobody_can_find_goes_out_as_a_new_message(office: Office) -> None:
    await followed(office)
    await kit.lose_numbers(office.room.db)
    async with office.at_work():
        await office.room.live(gone(5))
        await sent(office)
    assert "EditMessage" not in [call.name for call in office.sandbox.calls]
    assert texts(office)[1].startswith("Вести · No longer visible")


async def test_a_change_of_an_alert_that_its_reader_has_deleted_goes_out_as_a_new_message(office: Office) -> None:
    await followed(office)
    (alert,) = (m for m in office.alice.inbox(office.bot) if m.sender_id == office.bot.id)
    mail.remove(office.alice, [alert.id], everywhere=True)
    async with office.at_work():
        await office.room.live(gone(5))
        await sent(office)
    (text,) = texts(office)
    assert text.startswith("Вести · No longer visible")
    assert await kit.refused_edits(office.room.db) == ["MESSAGE_ID_INVALID"]
    assert [reply.state for reply in await kit.states(office.room.db, "reply")] == ["sent"]
    assert (await outbox.statistics(office.room.db, office.room.now - timedelta(days=1))).dead == 0


async def test_what_changes_before_the_alert_is_sent_is_in_the_alert(office: Office) -> None:
    room, chat = office.room, office.chats[office.alice.id]
    room.now = utc_now()
    await room.follow(title="Вести")
    await room.track(chat, "outages", "сбой")
    await room.live(post(5, "Утром случился сбой", date=room.now))
    await room.live(post(5, "Утром случился сбой!", date=room.now, edit_date=room.now))
    async with office.at_work():
        await sent(office)
    (text,) = texts(office)
    assert "Утром случился сбой!" in text
