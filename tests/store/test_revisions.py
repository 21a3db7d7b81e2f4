"""Which revision of a message is wanted, and which its chat sees: an edit of its post wants another one."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import messages, outbox
from bot.store.outbox import Delivery
from tests import kit
from tests.store.kit import NOON, Newsroom, newsroom, post

SECOND = timedelta(seconds=1)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as opened:
        await opened.follow()
        await opened.track(await opened.pair(), "сбои", "сбой")
        yield opened


async def edit(room: Newsroom, text: str) -> None:
    """Edit the first post, by formatting and punctuation only, so that no reply says so."""
    room.now += SECOND
    await room.live(post(1, text, edit_date=room.now))


async def test_edits_before_it_is_sent_are_sent_with_it(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"))
    await edit(room, "Сбой.")
    await edit(room, "Сбой!")
    (alert,) = await room.outbox()
    assert (alert.label, alert.post and alert.post.text, alert.due_at) == ("alert", "Сбой!", NOON)
    await room.send(alert, 7)
    assert await room.outbox() == []


async def test_an_edit_that_comes_while_it_is_on_its_way_is_made_after_it(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"))
    (alert,) = await room.outbox()
    await edit(room, "Сбой!")
    await room.send(alert, 7)
    (again,) = await room.outbox()
    assert (again.label, again.telegram_id, again.post and again.post.text) == ("edit", 7, "Сбой!")


async def test_an_edit_that_comes_while_another_is_made_is_made_after_it(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"))
    await room.send(*await room.outbox(), 7)
    await edit(room, "Сбой.")
    (first,) = await room.outbox()
    await edit(room, "Сбой!")
    await room.send(first)
    (second,) = await room.outbox()
    assert (second.label, second.post and second.post.text) == ("edit", "Сбой!")
    await room.send(second)
    assert await room.outbox() == []


async def test_a_message_that_telegram_had_before_a_crash_is_edited_to_what_is_wanted_by_now(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"))
    await edit(room, "Сбой!")
    (alert,) = await room.outbox()
    found = Delivery(revision=1, telegram_id=7, written_at=room.now)  # nobody knows which revision was sent
    await room.db.write(lambda tx: outbox.sent(tx, alert.id, found, now=room.now))
    assert await room.labels() == ["edit"]


async def test_another_edit_does_not_hasten_one_that_was_put_off(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"))
    await room.send(*await room.outbox(), 7)
    await edit(room, "Сбой.")
    (first,) = await room.outbox()
    later = room.now + 60 * SECOND
    await kit.put_off(room.db, first, at=later, reason="INTERNAL")
    await edit(room, "Сбой!")
    (second,) = await room.outbox()
    assert (second.due_at, second.attempts) == (later, 1)
    await room.send(second)
    await edit(room, "Сбой")
    (third,) = await room.outbox()
    assert (third.due_at, third.attempts) == (room.now, 0)


@pytest.mark.parametrize("number", [None, 7], ids=["its number is unknown", "Telegram refuses"])
async def test_what_nobody_can_edit_stays_as_it_is(room: Newsroom, number: int | None) -> None:
    await room.live(post(1, "Сбой"))
    await room.send(*await room.outbox(), number)
    if number is not None:
        await edit(room, "Сбой.")
        await kit.kill(room.db, *await room.outbox(), "MESSAGE_ID_INVALID")
        assert await kit.refused_edits(room.db) == ["MESSAGE_ID_INVALID"]
    await edit(room, "Сбой!")
    assert await room.outbox() == []


async def test_in_a_chat_what_was_wanted_first_comes_first_be_it_an_edit(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"), post(2, "Сбой в сети"))
    for message in await room.outbox():
        await room.send(message, message.id)
    room.now += SECOND
    await room.live(post(3, "Сбой в банке", date=room.now))
    await edit(room, "Сбой.")
    await edit(room, "Сбой!")
    room.now += SECOND
    await room.live(post(4, "Сбой в метро", date=room.now))
    found = await messages.first_due(room.db, room.now, limit=1, each=5)
    assert [message.post and message.post.message_id for message in found.messages] == [3, 1, 4]


async def test_a_chat_that_takes_messages_again_sees_later_edits(room: Newsroom) -> None:
    await room.live(post(1, "Сбой"))
    await room.send(*await room.outbox(), 7)
    await edit(room, "Сбой.")
    await room.db.write(lambda tx: outbox.end_all(tx, 1, "USER_IS_BLOCKED"))
    assert await room.outbox() == []
    await edit(room, "Сбой!")
    assert await room.labels() == ["edit"]
