"""What the worker reads: the first alerts of chats, however much waits behind them."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.models import Peer, PeerKind
from bot.store import chats, messages
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests import kit
from tests.store.kit import NOON, Newsroom, newsroom

SECOND = timedelta(seconds=1)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as opened:
        yield opened


async def people(room: Newsroom, count: int) -> list[Chat]:
    async def job(tx: Transaction) -> list[Chat]:
        peers = [Peer(kind=PeerKind.USER, id=number + 1) for number in range(count)]
        return [await chats.pair(tx, peer, title="Alice", language="en", now=NOON) for peer in peers]

    return await room.db.write(job)


async def tell(room: Newsroom, who: list[Chat], *subjects: str, later: timedelta = timedelta()) -> None:
    await kit.put(
        room.db, [kit.notice(chat, subject) for subject in subjects for chat in who], NOON, due_at=NOON + later
    )


async def read(
    room: Newsroom, *, limit: int = 10, each: int = 2, later: timedelta = timedelta(), **more: object
) -> list:
    reading = await messages.first_due(room.db, NOON + later, limit=limit, each=each, **more)
    return [(alert.chat.id, alert.body["event"]) for alert in reading.messages]


async def test_of_each_chat_the_first_few_are_read_in_order(room: Newsroom) -> None:
    alice, ivan = await people(room, 2)
    await tell(room, [alice], *(f"{number}" for number in range(50)))
    await tell(room, [ivan], "x")
    assert await read(room, limit=100) == [(alice.id, "0"), (alice.id, "1"), (ivan.id, "x")]


async def test_half_of_the_chats_wait_longest_and_half_have_the_latest(room: Newsroom) -> None:
    who = await people(room, 10)
    for second, chat in enumerate(who):
        await tell(room, [chat], "a", later=second * SECOND)
    found = await read(room, limit=4, later=20 * SECOND)
    assert [chat_id for chat_id, _ in found] == [who[0].id, who[1].id, who[8].id, who[9].id]


async def test_a_chat_whose_queue_fills_both_ends_is_passed_by_once_it_is_served(room: Newsroom) -> None:
    alice, ivan = await people(room, 2)
    await tell(room, [alice], *(f"{number}" for number in range(500)))
    await tell(room, [ivan], "x", later=SECOND)
    await tell(room, [alice], *(f"late {number}" for number in range(500)), later=2 * SECOND)
    later = 3 * SECOND
    assert await read(room, each=1, later=later) == [(alice.id, "0")]
    assert await read(room, each=1, later=later, exclude_chats=[alice.id]) == [(ivan.id, "x")]


async def test_with_a_number_only_what_came_after_it_is_read(room: Newsroom) -> None:
    alice, ivan = await people(room, 2)
    await tell(room, [alice, ivan], "a")
    reading = await messages.first_due(room.db, NOON, limit=10, each=1)
    assert await read(room, after=reading.last_id) == []
    await tell(room, [ivan], "b")
    assert await read(room, after=reading.last_id) == [(ivan.id, "a"), (ivan.id, "b")]
    assert await read(room, after=reading.last_id, exclude_chats=[ivan.id]) == []


async def next_at(room: Newsroom, *, exclude_chats: Iterable[int] = ()) -> datetime | None:
    return (await messages.first_due(room.db, NOON, exclude_chats=exclude_chats, limit=10, each=1)).next_at


async def test_what_is_due_later_is_not_read_and_its_moment_is_known(room: Newsroom) -> None:
    (alice,) = await people(room, 1)
    assert await next_at(room) is None
    await tell(room, [alice], "digest", later=60 * SECOND)
    await tell(room, [alice], "now")
    assert await read(room) == [(alice.id, "now")]
    assert await next_at(room) == NOON + 60 * SECOND
    assert await next_at(room, exclude_chats=[alice.id]) == NOON + 60 * SECOND
    assert await read(room, later=60 * SECOND) == [(alice.id, "digest"), (alice.id, "now")]


async def test_nothing_is_read_of_a_suspended_chat(room: Newsroom) -> None:
    alice, ivan = await people(room, 2)
    await room.db.write(lambda tx: chats.suspend(tx, alice.id, "USER_IS_BLOCKED"))
    await tell(room, [alice, ivan], "a")
    assert await read(room, limit=2) == [(ivan.id, "a")]


async def test_what_stands_behind_a_refused_alert_waits_with_it_also_after_a_restart(room: Newsroom) -> None:
    (alice,) = await people(room, 1)
    await tell(room, [alice], "a", "b")
    (first, _) = await room.outbox()
    await kit.put_off(room.db, first, at=NOON + 30 * SECOND, reason="INTERNAL", holds_chat=True)
    assert await read(room, later=29 * SECOND) == []
    assert await read(room, later=30 * SECOND) == [(alice.id, "a"), (alice.id, "b")]


async def test_what_stands_behind_an_alert_that_holds_nobody_up_goes_on(room: Newsroom) -> None:
    (alice,) = await people(room, 1)
    await tell(room, [alice], "a", "b")
    (first, _) = await room.outbox()
    await kit.put_off(room.db, first, at=NOON + 30 * SECOND, reason="INTERNAL")
    assert await read(room, later=29 * SECOND) == [(alice.id, "b")]
