"""The worker with a real store and a real client, against the embedded server."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from telethon import events

from bot.delivery.worker import EACH, GRACE, ROOM
from bot.errors import FatalError
from bot.models.outgoing import Outgoing, Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import no_beat
from bot.sandbox.world import mail
from bot.store import chats, outbox
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.kit import DeliveringBot, at_work, worker_of
from tests.kit import State
from tests.kit_archive import gone, post
from tests.kit_bot import UNLIMITED
from tests.waiting import WAIT_S, until


async def test_a_post_that_matches_arrives_as_an_alert(bot: DeliveringBot) -> None:
    archive, chat = bot.archive, bot.chats[bot.alice.id]
    await bot.subscribe(chat)
    async with bot.at_work():
        await archive.live(post(5, "Утром случился сбой", date=archive.now))
        await until(lambda: _has(bot.alice.inbox(bot.account)[-1].text.startswith("Outages · Вести")))
    message = bot.alice.inbox(bot.account)[-1]
    assert message.text.startswith("Outages · Вести\nУтром случился сбой\n\n")
    assert await kit.states(archive.db) == [State(state="sent", telegram_id=message.copies[bot.account.id].id)]


async def test_of_a_long_post_the_passage_arrives_with_who_signed_it_and_when_it_was_seen(bot: DeliveringBot) -> None:
    archive, chat = bot.archive, bot.chats[bot.alice.id]
    archive.now = utc_now().replace(microsecond=0)
    await archive.follow(title="Вести")
    await archive.track(chat, "outages", "сбой")
    text = f"{'Утром открылась коллегия. ' * 50}\nДнём случился сбой 🙂.\n{'Потом говорили. ' * 50}"
    async with bot.at_work():
        await archive.live(post(5, text, author="Дежурный", date=archive.now - timedelta(seconds=3)))
        await until(lambda: _has("сбой" in bot.alice.inbox(bot.account)[-1].text))
    message = bot.alice.inbox(bot.account)[-1].text
    assert message.startswith("Outages · Вести\n… Днём случился сбой 🙂. …\n\n")
    assert message.endswith(" UTC · by Дежурный · seen after 3 s")


async def _has(truth: object) -> bool:
    return bool(truth)


async def test_alerts_that_waited_for_the_start_arrive_in_their_order(bot: DeliveringBot) -> None:
    names = [f"Канал {number}" for number in range(5)]
    await bot.tell(bot.alice, *names)
    async with bot.at_work():
        await bot.in_state("sent", *names)
    assert bot.names(bot.alice) == names


async def test_an_alert_with_a_date_arrives_when_it_is_due(bot: DeliveringBot) -> None:
    async with bot.at_work():
        await bot.tell(bot.alice, "later", due_in=0.3)
        await bot.tell(bot.alice, "now")
        await bot.in_state("sent", "later")
    assert bot.names(bot.alice) == ["now", "later"]


async def test_what_comes_for_a_chat_while_it_is_served_follows_at_once(bot: DeliveringBot) -> None:
    hold = bot.sandbox.faults.hold("SendMessage")
    async with bot.at_work():
        await bot.tell(bot.alice, "first")
        await hold.reached()
        await bot.tell(bot.alice, "second")
        await bot.tell(bot.ivan, "other")  # makes the worker look while Alice is being served
        await until(lambda: _has(hold.held == 2))
        hold.release()
        await bot.in_state("sent", "first", "second", "other")
    assert bot.names(bot.alice) == ["first", "second"]


async def test_a_server_error_is_retried_and_keeps_the_order(bot: DeliveringBot) -> None:
    bot.sandbox.faults.answer("SendMessage", "INTERNAL", code=500)
    await bot.tell(bot.alice, "first", "second")
    async with bot.at_work():
        await bot.in_state("sent", "first", "second")
    assert bot.names(bot.alice) == ["first", "second"]
    assert (await bot.state("first")).attempts == 1


async def test_a_flood_wait_in_one_chat_delays_no_other(bot: DeliveringBot) -> None:
    arrived: asyncio.Queue[None] = asyncio.Queue()

    async def note(_event: events.NewMessage.Event) -> None:
        arrived.put_nowait(None)

    ivan = bot.sandbox.client(bot.ivan)
    ivan.add_event_handler(note, events.NewMessage(incoming=True))
    await ivan.connect()
    try:
        await ivan.get_me()
        bot.sandbox.faults.flood_wait("SendMessage", 3600, chat_id=bot.alice.id, times=None)
        async with bot.at_work():
            await bot.tell(bot.alice, "stuck", "behind it")
            await until(lambda: _has(bot.sandbox.calls[-1].name == "SendMessage"))
            for number in range(5):
                await bot.tell(bot.ivan, f"other {number}")
                await asyncio.wait_for(arrived.get(), WAIT_S)  # which is no hour
    finally:
        await ivan.disconnect()
    assert await bot.state("stuck") == State(state="due", reason="FLOOD_WAIT_3600", attempts=1)
    assert (await bot.state("behind it")).attempts == 0
    assert not bot.names(bot.alice)


async def test_a_flood_wait_is_waited_out(bot: DeliveringBot) -> None:
    bot.sandbox.faults.flood_wait("SendMessage", 1, chat_id=bot.alice.id)
    await bot.tell(bot.alice, "first", "second")
    started = time.monotonic()
    async with bot.at_work():
        await bot.in_state("sent", "first", "second")
    assert time.monotonic() - started >= 1
    assert bot.names(bot.alice) == ["first", "second"]


async def test_a_chat_that_blocked_the_bot_is_suspended_and_others_are_served(bot: DeliveringBot) -> None:
    bot.alice.blocks(bot.account)
    await bot.tell(bot.alice, "first", "second")
    await bot.tell(bot.ivan, "other")
    async with bot.at_work():
        await bot.in_state("dead", "first", "second")
        await bot.in_state("sent", "other")
    chat = await chats.get(bot.archive.db, bot.chats[bot.alice.id].id)
    assert chat is not None
    assert chat.suspended == "USER_IS_BLOCKED"
    assert sum(call.name == "SendMessage" for call in bot.sandbox.calls) == 2


async def test_an_alert_that_can_never_be_sent_is_dropped_with_its_reason(bot: DeliveringBot) -> None:
    bot.sandbox.faults.answer("SendMessage", "ENTITY_BOUNDS_INVALID")
    await bot.tell(bot.alice, "bad", "good")
    async with bot.at_work():
        await bot.in_state("sent", "good")
    assert await bot.state("bad") == State(state="dead", reason="ENTITY_BOUNDS_INVALID", attempts=1)
    assert bot.names(bot.alice) == ["good"]


async def test_an_alert_that_nobody_can_write_is_put_off_and_blocks_no_other(bot: DeliveringBot) -> None:
    await kit.put(bot.archive.db, [kit.riddle(bot.chats[bot.alice.id], "riddle")], utc_now())
    await bot.tell(bot.alice, "plain")
    async with bot.at_work():
        await bot.in_state("sent", "plain")
    assert await bot.state("riddle") == State(state="due", reason="ValidationError", attempts=1)


async def test_a_bot_that_is_no_more_stops_the_worker(bot: DeliveringBot) -> None:
    bot.sandbox.faults.answer("SendMessage", "SESSION_REVOKED")
    await bot.tell(bot.alice, "first")
    with pytest.raises(FatalError, match=r"SESSION_REVOKED.*TELEGRAM_BOT_TOKEN"):
        await asyncio.wait_for(bot.worker().run(), WAIT_S)
    assert (await bot.state("first")).state == "due"


async def test_an_alert_that_was_sent_before_a_crash_is_not_sent_twice(bot: DeliveringBot) -> None:
    await bot.tell(bot.alice, "first")
    (alert,) = await kit.claimed(bot.archive.db, utc_now())
    killed = worker_of(bot.archive.db, Sender(bot.client, Pacing(), monotonic=time.monotonic), clock=utc_now)
    hold = bot.sandbox.faults.hold("SendMessage")
    delivering = asyncio.create_task(killed.deliver(alert))
    await hold.reached()  # Telegram has it, and we never hear of it
    delivering.cancel()
    hold.release()
    async with bot.at_work():
        await bot.in_state("sent", "first")
    assert bot.names(bot.alice) == ["first"]
    assert (await bot.state("first")).telegram_id == bot.alice.inbox(bot.account)[-1].copies[bot.account.id].id


async def test_an_alert_that_was_sent_before_a_crash_is_found_below_one_that_passed_it(bot: DeliveringBot) -> None:
    await bot.tell(bot.alice, "first", "second")
    first, second = await kit.claimed(bot.archive.db, utc_now())
    worker, hold = bot.worker(), bot.sandbox.faults.hold("SendMessage")
    delivering = asyncio.create_task(worker.deliver(first))
    await hold.reached()
    delivering.cancel()
    hold.release()
    await worker.deliver(second)
    await worker.deliver(first)
    assert bot.names(bot.alice) == ["first", "second"]
    assert (await bot.state("first")).telegram_id == bot.alice.inbox(bot.account)[-2].copies[bot.account.id].id


async def test_a_stop_waits_for_what_is_on_its_way_and_begins_nothing(bot: DeliveringBot) -> None:
    hold = bot.sandbox.faults.hold("SendMessage")
    await bot.tell(bot.alice, "first", "second")
    worker = bot.worker()
    running = asyncio.create_task(worker.run())
    await hold.reached()
    worker.stop()
    hold.release()
    await asyncio.wait_for(running, WAIT_S)
    assert (await bot.state("first")).state == "sent"
    assert (await bot.state("second")).state == "due"
    assert bot.names(bot.alice) == ["first"]


async def test_a_stop_does_not_wait_for_a_chat_whose_turn_is_far_off(bot: DeliveringBot) -> None:
    bot.sandbox.faults.flood_wait("SendMessage", 3600, times=None)
    await bot.tell(bot.alice, "first")
    worker = bot.worker()
    running = asyncio.create_task(worker.run())
    await until(lambda: _has(bot.sandbox.calls and bot.sandbox.calls[-1].name == "SendMessage"))
    worker.stop()
    await asyncio.wait_for(running, GRACE - 1)


async def test_a_long_queue_of_one_chat_starves_no_other(bot: DeliveringBot) -> None:
    await bot.tell(bot.alice, *(f"{number}" for number in range(120)))
    await bot.tell(bot.ivan, "other")
    async with bot.at_work(Rates()):
        await bot.in_state("sent", "other")
        assert len(bot.names(bot.alice)) <= 3


async def crowd(bot: DeliveringBot, count: int) -> list[Chat]:
    """Pair many people who have all started the bot."""

    async def job(tx: Transaction) -> list[Chat]:
        peers = [Peer(kind=PeerKind.USER, id=account.id) for account in accounts]
        return [await chats.pair(tx, peer, title="Reader", language="en", now=utc_now()) for peer in peers]

    accounts = [bot.sandbox.world.add_user(f"Reader {number}") for number in range(count)]
    for account in accounts:
        account.starts(bot.account)
    return await bot.archive.db.write(job)


async def fan_out(bot: DeliveringBot, readers: list[Chat], *names: str) -> None:
    await kit.put(bot.archive.db, [kit.notice(chat, name) for chat in readers for name in names], utc_now())


@pytest.mark.parametrize("rates", [Rates(), UNLIMITED], ids=["paced", "unpaced"])
async def test_news_overtakes_a_fan_out_of_two_thousand(bot: DeliveringBot, rates: Rates) -> None:
    await fan_out(bot, await crowd(bot, 2000), "fan-out")
    async with bot.at_work(rates):
        await until(lambda: _has(bot.calls("SendMessage") >= 20))
        for turn in range(3):
            before = bot.calls("SendMessage")
            await bot.tell(bot.alice, f"news {turn}")
            await bot.in_state("sent", f"news {turn}")
            if rates.total == Rates().total:
                assert bot.calls("SendMessage") - before <= 30  # what a second lets go; it was all of them
    assert bot.names(bot.alice) == [f"news {turn}" for turn in range(3)]


async def test_an_answer_overtakes_a_fan_out(bot: DeliveringBot) -> None:
    await fan_out(bot, await crowd(bot, 300), "fan-out")
    sender = Sender(bot.client, Pacing(), monotonic=time.monotonic)
    worker = worker_of(bot.archive.db, sender, clock=utc_now)
    running = asyncio.create_task(worker.run())
    await until(lambda: _has(bot.calls("SendMessage") >= 20))
    before = bot.calls("SendMessage")
    peer = Peer(kind=PeerKind.USER, id=bot.ivan.id)
    for number in range(2):
        await sender.send(peer, Outgoing(text="Pong"), random_id=number + 1)
    assert bot.calls("SendMessage") - before <= 20  # at most what left before the next turn came, for each
    worker.stop()
    await asyncio.wait_for(running, GRACE - 1)


async def test_more_chats_than_are_served_at_once_all_get_what_is_theirs_in_order(bot: DeliveringBot) -> None:
    readers = await crowd(bot, 2 * ROOM + 50)
    await fan_out(bot, readers, *(f"{number}" for number in range(EACH + 2)))
    async with bot.at_work() as worker:
        await sent(bot)
        assert worker._reads < len(readers)  # noqa: SLF001 - reading must not grow with what waits
    for chat in readers:
        numbers = await kit.telegram_ids(bot.archive.db, chat.id)
        assert len(numbers) == EACH + 2
        assert numbers == sorted(numbers)


async def test_a_hundred_flooded_chats_hold_up_nobody(bot: DeliveringBot) -> None:
    readers = await crowd(bot, ROOM + 100)
    for chat in readers[:ROOM]:
        bot.sandbox.faults.flood_wait("SendMessage", 3600, chat_id=chat.peer.id, times=None)
    await fan_out(bot, readers, "a", "b")
    async with bot.at_work(UNLIMITED):

        async def others_are_done() -> bool:
            due = [each for each in await kit.states(bot.archive.db) if each.state == "due"]
            return len(due) == 2 * ROOM and sum(each.attempts for each in due) == ROOM

        await until(others_are_done)
    assert bot.calls("SendMessage") == ROOM + 200  # one try each, and the alerts behind it stayed at home


async def test_what_another_process_makes_due_is_taken_up(bot: DeliveringBot, tmp_path: Path) -> None:
    bot.sandbox.faults.answer("SendMessage", "ENTITY_BOUNDS_INVALID")
    await bot.tell(bot.alice, "bad")
    async with bot.at_work() as worker:
        await bot.in_state("dead", "bad")
        (alert,) = await outbox.dead_letters(bot.archive.db)
        other = await Database.open(tmp_path / "data" / "bot.db")
        try:
            assert await other.write(lambda tx: outbox.try_again(tx, [alert.id], utc_now())) == 1
        finally:
            await other.close()
        worker._wake.set()  # noqa: SLF001 - half a minute later
        await bot.in_state("sent", "bad")
    assert bot.names(bot.alice) == ["bad"]


async def test_an_alert_costs_one_look_at_the_outbox(bot: DeliveringBot) -> None:
    looks: list[float] = []  # a beat at the start, and one after each look
    worker = bot.worker()

    async def idle() -> int:
        """Wait until the worker has nothing to do, so that no look at what came before is counted later."""
        await until(lambda: not worker._serving and not worker._wake.is_set() and len(looks) == worker._reads + 1)  # noqa: SLF001 - the hot path must stay this lean
        return len(looks)

    async with at_work(worker, looks.append):
        await bot.tell(bot.alice, "first")
        await bot.in_state("sent", "first")
        before = await idle()
        await bot.tell(bot.alice, "second")
        await bot.in_state("sent", "second")
        assert await idle() - before == 1


async def test_the_outbox_is_looked_at_again_when_the_turn_of_a_resting_chat_comes(bot: DeliveringBot) -> None:
    await bot.tell(bot.alice, "1", "2", "3", "4")
    worker = bot.worker(Rates(chat=0.3))  # after a burst of three a chat waits for ten seconds
    await worker._look(no_beat)  # noqa: SLF001 - a look without the loop, which rests for what it returns
    await until(lambda: bool(worker._resting))  # noqa: SLF001 - likewise
    assert 0 < await worker._look(no_beat) < 12  # noqa: SLF001 - likewise
    assert bot.names(bot.alice) == ["1", "2", "3"]


async def test_a_stop_does_not_wait_for_a_chat_that_has_had_its_burst(bot: DeliveringBot) -> None:
    await bot.tell(bot.alice, "1", "2", "3", "4")
    worker = bot.worker(Rates(chat=0.01))
    running = asyncio.create_task(worker.run())
    await bot.in_state("sent", "1", "2", "3")
    worker.stop()
    await asyncio.wait_for(running, GRACE - 1)
    assert (await bot.state("4")).state == "due"


async def followed(bot: DeliveringBot) -> Chat:
    """Let Alice subscribe to outages, and be told of one by the bot."""
    archive, chat = bot.archive, bot.chats[bot.alice.id]
    await bot.subscribe(chat)
    async with bot.at_work():
        await archive.live(post(5, "Утром случился сбой", date=archive.now))
        await sent(bot)
    return chat


async def sent(bot: DeliveringBot) -> None:
    """Wait until nothing is due."""

    async def nothing_due() -> bool:
        return not await kit.claimed(bot.archive.db, utc_now())

    await until(nothing_due)


async def test_a_change_edits_the_alert_and_answers_it(bot: DeliveringBot) -> None:
    await followed(bot)
    async with bot.at_work():
        await bot.archive.live(post(5, "Днём случился сбой", date=bot.archive.now, edit_date=bot.archive.now))
        await sent(bot)
    alert, reply = (m for m in bot.alice.inbox(bot.account) if m.sender_id == bot.account.id)
    assert "Днём случился сбой" in alert.text
    assert reply.text.endswith("\nДнём случился сбой\nbefore: Утром случился сбой")
    assert reply.reply_to == alert.id


async def test_an_edit_that_was_made_before_a_crash_is_made_again_without_harm(bot: DeliveringBot) -> None:
    await followed(bot)
    await bot.archive.live(post(5, "Днём случился сбой", date=bot.archive.now, edit_date=bot.archive.now))
    edit, change = await kit.claimed(bot.archive.db, utc_now())
    worker = bot.worker()
    for message in (edit, change):
        assert await worker.deliver(message)
        await kit.send_once_more(bot.archive.db, message)
        assert await worker.deliver(message)
    assert [call.name for call in bot.sandbox.calls].count("EditMessage") == 2
    assert len(bot.texts(bot.alice)) == 2


async def test_an_edit_that_was_put_off_once_it_was_read_is_made_at_its_moment(bot: DeliveringBot) -> None:
    await followed(bot)
    archive = bot.archive
    await archive.live(post(5, "Утром случился сбой.", date=archive.now, edit_date=archive.now))
    (edit,) = await kit.claimed(archive.db, utc_now())
    (message,) = await kit.messages(archive.db, utc_now())
    await kit.put_off(archive.db, message, at=utc_now() + timedelta(minutes=5), reason="a storm goes on")
    (message,) = await archive.outbox()
    for at, edits in ((message.due_at - timedelta(milliseconds=1), 0), (message.due_at, 1)):
        assert await worker_of(archive.db, bot.sender, clock=lambda at=at: at).deliver(edit)
        assert bot.calls("EditMessage") == edits
    assert await archive.outbox() == []


async def test_an_edit_that_is_on_its_way_as_its_group_moves_brings_back_no_number(bot: DeliveringBot) -> None:
    await followed(bot)
    await bot.archive.live(post(5, "Утром случился сбой.", date=bot.archive.now, edit_date=bot.archive.now))
    hold = bot.sandbox.faults.hold("EditMessage")
    async with bot.at_work():
        await hold.reached()
        await kit.lose_numbers(bot.archive.db)
        hold.release()
        await sent(bot)
    assert [each.telegram_id for each in await kit.states(bot.archive.db)] == [None]


async def test_of_many_edits_of_an_alert_only_the_last_is_made(bot: DeliveringBot) -> None:
    await followed(bot)
    for number in range(5):
        edited = bot.archive.now + timedelta(seconds=number)
        await bot.archive.live(post(5, f"Утром случился сбой{'!' * number}.", date=bot.archive.now, edit_date=edited))
    async with bot.at_work():
        await sent(bot)
    assert [call.name for call in bot.sandbox.calls].count("EditMessage") == 1
    assert "сбой!!!!." in bot.texts(bot.alice)[0]


async def test_a_change_of_an_alert_that_nobody_can_find_goes_out_as_a_new_message(bot: DeliveringBot) -> None:
    await followed(bot)
    await kit.lose_numbers(bot.archive.db)
    async with bot.at_work():
        await bot.archive.live(gone(5))
        await sent(bot)
    assert "EditMessage" not in [call.name for call in bot.sandbox.calls]
    assert bot.texts(bot.alice)[1].startswith("Вести · Deleted, Telegram told us")


async def test_a_change_of_an_alert_that_its_reader_has_deleted_goes_out_as_a_new_message(bot: DeliveringBot) -> None:
    await followed(bot)
    (alert,) = (m for m in bot.alice.inbox(bot.account) if m.sender_id == bot.account.id)
    mail.remove(bot.alice, [alert.id], everywhere=True)
    async with bot.at_work():
        await bot.archive.live(gone(5))
        await sent(bot)
    (text,) = bot.texts(bot.alice)
    assert text.startswith("Вести · Deleted, Telegram told us")
    assert await kit.refused_edits(bot.archive.db) == ["MESSAGE_ID_INVALID"]
    assert [reply.state for reply in await kit.states(bot.archive.db, "reply")] == ["sent"]
    assert (await outbox.statistics(bot.archive.db, bot.archive.now - timedelta(days=1))).dead == 0


async def test_what_changes_before_the_alert_is_sent_is_in_the_alert(bot: DeliveringBot) -> None:
    archive, chat = bot.archive, bot.chats[bot.alice.id]
    await bot.subscribe(chat)
    await archive.live(post(5, "Утром случился сбой", date=archive.now))
    await archive.live(post(5, "Утром случился сбой!", date=archive.now, edit_date=archive.now))
    async with bot.at_work():
        await sent(bot)
    (text,) = bot.texts(bot.alice)
    assert "Утром случился сбой!" in text
