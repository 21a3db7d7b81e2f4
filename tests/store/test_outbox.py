"""What the worker reads: the first alerts of chats, however much waits behind them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.models.outgoing import Peer, PeerKind
from bot.store import chats, messages
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests import kit
from tests.kit_archive import NOON, Archive

SECOND = timedelta(seconds=1)


async def people(archive: Archive, count: int) -> list[Chat]:
    async def job(tx: Transaction) -> list[Chat]:
        peers = [Peer(kind=PeerKind.USER, id=number + 1) for number in range(count)]
        return [await chats.pair(tx, peer, title="Alice", language="en", now=NOON) for peer in peers]

    return await archive.db.write(job)


async def tell(archive: Archive, who: list[Chat], *subjects: str, later: timedelta = timedelta()) -> None:
    await kit.put(
        archive.db, [kit.notice(chat, subject) for subject in subjects for chat in who], NOON, due_at=NOON + later
    )


async def read(
    archive: Archive, *, limit: int = 10, each: int = 2, later: timedelta = timedelta(), **more: object
) -> list:
    reading = await messages.first_due(archive.db, NOON + later, limit=limit, each=each, **more)
    return [(alert.chat.id, alert.body["event"]) for alert in reading.messages]


async def test_of_each_chat_the_first_few_are_read_in_order(archive: Archive) -> None:
    alice, ivan = await people(archive, 2)
    await tell(archive, [alice], *(f"{number}" for number in range(50)))
    await tell(archive, [ivan], "x")
    assert await read(archive, limit=100) == [(alice.id, "0"), (alice.id, "1"), (ivan.id, "x")]


async def test_half_of_the_chats_wait_longest_and_half_have_the_latest(archive: Archive) -> None:
    who = await people(archive, 10)
    for second, chat in enumerate(who):
        await tell(archive, [chat], "a", later=second * SECOND)
    found = await read(archive, limit=4, later=20 * SECOND)
    assert [chat_id for chat_id, _ in found] == [who[0].id, who[1].id, who[8].id, who[9].id]


async def test_a_chat_whose_queue_fills_both_ends_is_passed_by_once_it_is_served(archive: Archive) -> None:
    alice, ivan = await people(archive, 2)
    await tell(archive, [alice], *(f"{number}" for number in range(500)))
    await tell(archive, [ivan], "x", later=SECOND)
    await tell(archive, [alice], *(f"late {number}" for number in range(500)), later=2 * SECOND)
    later = 3 * SECOND
    assert await read(archive, each=1, later=later) == [(alice.id, "0")]
    assert await read(archive, each=1, later=later, exclude_chats=[alice.id]) == [(ivan.id, "x")]


async def test_with_a_number_only_what_came_after_it_is_read(archive: Archive) -> None:
    alice, ivan = await people(archive, 2)
    await tell(archive, [alice, ivan], "a")
    reading = await messages.first_due(archive.db, NOON, limit=10, each=1)
    assert await read(archive, after=reading.last_id) == []
    await tell(archive, [ivan], "b")
    assert await read(archive, after=reading.last_id) == [(ivan.id, "a"), (ivan.id, "b")]
    assert await read(archive, after=reading.last_id, exclude_chats=[ivan.id]) == []


async def next_at(archive: Archive, *, exclude_chats: Iterable[int] = ()) -> datetime | None:
    return (await messages.first_due(archive.db, NOON, exclude_chats=exclude_chats, limit=10, each=1)).next_at


async def test_what_is_due_later_is_not_read_and_its_moment_is_known(archive: Archive) -> None:
    (alice,) = await people(archive, 1)
    assert await next_at(archive) is None
    await tell(archive, [alice], "digest", later=60 * SECOND)
    await tell(archive, [alice], "now")
    assert await read(archive) == [(alice.id, "now")]
    assert await next_at(archive) == NOON + 60 * SECOND
    assert await next_at(archive, exclude_chats=[alice.id]) == NOON + 60 * SECOND
    assert await read(archive, later=60 * SECOND) == [(alice.id, "digest"), (alice.id, "now")]


async def test_nothing_is_read_of_a_suspended_chat(archive: Archive) -> None:
    alice, ivan = await people(archive, 2)
    await archive.db.write(lambda tx: chats.suspend(tx, alice.id, "USER_IS_BLOCKED"))
    await tell(archive, [alice, ivan], "a")
    assert await read(archive, limit=2) == [(ivan.id, "a")]


async def test_what_stands_behind_a_refused_alert_waits_with_it_also_after_a_restart(archive: Archive) -> None:
    (alice,) = await people(archive, 1)
    await tell(archive, [alice], "a", "b")
    (first, _) = await archive.outbox()
    await kit.put_off(archive.db, first, at=NOON + 30 * SECOND, reason="INTERNAL", holds_chat=True)
    assert await read(archive, later=29 * SECOND) == []
    assert await read(archive, later=30 * SECOND) == [(alice.id, "a"), (alice.id, "b")]


async def test_what_stands_behind_an_alert_that_holds_nobody_up_goes_on(archive: Archive) -> None:
    (alice,) = await people(archive, 1)
    await tell(archive, [alice], "a", "b")
    (first, _) = await archive.outbox()
    await kit.put_off(archive.db, first, at=NOON + 30 * SECOND, reason="INTERNAL")
    assert await read(archive, later=29 * SECOND) == [(alice.id, "b")]
