"""Which revision of a message is wanted, and which its chat sees: an edit of its post wants another one."""

import sqlite3
from datetime import timedelta

import pytest

from bot.store import chats, messages, outbox
from bot.store.outbox import Delivery
from tests import kit
from tests.kit_archive import NOON, Archive, post

SECOND = timedelta(seconds=1)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.track(await archive.pair(), "сбои", "сбой")
    return archive


async def edit(archive: Archive, text: str) -> None:
    """Edit the first post, by formatting and punctuation only, so that no reply says so."""
    archive.now += SECOND
    await archive.live(post(1, text, edit_date=archive.now))


async def test_edits_before_it_is_sent_are_sent_with_it(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    await edit(archive, "Сбой.")
    await edit(archive, "Сбой!")
    (alert,) = await archive.outbox()
    assert (alert.label, alert.post and alert.post.text, alert.due_at) == ("alert", "Сбой!", NOON)
    await archive.send(alert, 7)
    assert await archive.outbox() == []


async def test_an_edit_that_comes_while_it_is_on_its_way_is_made_after_it(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    (alert,) = await archive.outbox()
    await edit(archive, "Сбой!")
    await archive.send(alert, 7)
    (again,) = await archive.outbox()
    assert (again.label, again.telegram_id, again.post and again.post.text) == ("edit", 7, "Сбой!")


async def test_an_edit_that_comes_while_another_is_made_is_made_after_it(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    await archive.send(*await archive.outbox(), 7)
    await edit(archive, "Сбой.")
    (first,) = await archive.outbox()
    await edit(archive, "Сбой!")
    await archive.send(first)
    (second,) = await archive.outbox()
    assert (second.label, second.post and second.post.text) == ("edit", "Сбой!")
    await archive.send(second)
    assert await archive.outbox() == []


async def test_a_message_that_telegram_had_before_a_crash_is_edited_to_what_is_wanted_by_now(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    await edit(archive, "Сбой!")
    (alert,) = await archive.outbox()
    found = Delivery(revision=1, telegram_id=7, written_at=archive.now)  # nobody knows which revision was sent
    await archive.db.write(lambda tx: outbox.sent(tx, alert.id, found, now=archive.now))
    assert await archive.labels() == ["edit"]


async def test_another_edit_does_not_hasten_one_that_was_put_off(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    await archive.send(*await archive.outbox(), 7)
    await edit(archive, "Сбой.")
    (first,) = await archive.outbox()
    later = archive.now + 60 * SECOND
    await kit.put_off(archive.db, first, at=later, reason="INTERNAL")
    await edit(archive, "Сбой!")
    (second,) = await archive.outbox()
    assert (second.due_at, second.attempts) == (later, 1)
    await archive.send(second)
    await edit(archive, "Сбой")
    (third,) = await archive.outbox()
    assert (third.due_at, third.attempts) == (archive.now, 0)


@pytest.mark.parametrize("number", [None, 7], ids=["its number is unknown", "Telegram refuses"])
async def test_what_nobody_can_edit_stays_as_it_is(archive: Archive, number: int | None) -> None:
    await archive.live(post(1, "Сбой"))
    await archive.send(*await archive.outbox(), number)
    if number is not None:
        await edit(archive, "Сбой.")
        await kit.kill(archive.db, *await archive.outbox(), "MESSAGE_ID_INVALID")
        assert await kit.refused_edits(archive.db) == ["MESSAGE_ID_INVALID"]
    await edit(archive, "Сбой!")
    assert await archive.outbox() == []


async def test_in_a_chat_what_was_wanted_first_comes_first_be_it_an_edit(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"), post(2, "Сбой в сети"))
    for message in await archive.outbox():
        await archive.send(message, message.id)
    archive.now += SECOND
    await archive.live(post(3, "Сбой в банке", date=archive.now))
    await edit(archive, "Сбой.")
    await edit(archive, "Сбой!")
    archive.now += SECOND
    await archive.live(post(4, "Сбой в метро", date=archive.now))
    found = await messages.first_due(archive.db, archive.now, limit=1, each=5)
    assert [message.post and message.post.message_id for message in found.messages] == [3, 1, 4]


@pytest.mark.parametrize("paired", [False, True], ids=["resumed", "paired anew"])
async def test_a_chat_that_takes_messages_again_sees_the_edits_that_it_was_to_see(
    archive: Archive, *, paired: bool
) -> None:
    await archive.live(post(1, "Сбой"))
    await archive.send(*await archive.outbox(), 7)
    await edit(archive, "Сбой.")
    await archive.db.write(lambda tx: chats.suspend(tx, 1, "USER_IS_BLOCKED"))
    assert await archive.outbox() == []
    assert [each.state for each in await kit.states(archive.db)] == ["withdrawn"]
    if paired:
        await archive.pair()
    else:
        await archive.db.write(lambda tx: chats.resume(tx, 1))
    (again,) = await archive.outbox()
    assert (again.label, again.telegram_id, again.post and again.post.text) == ("edit", 7, "Сбой.")
    await archive.send(again)
    assert await archive.outbox() == []


async def test_a_chat_that_takes_messages_again_sees_later_edits(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    await archive.send(*await archive.outbox(), 7)
    await edit(archive, "Сбой.")
    await archive.db.write(lambda tx: outbox.end_all(tx, 1, "USER_IS_BLOCKED"))
    assert await archive.outbox() == []
    await edit(archive, "Сбой!")
    assert await archive.labels() == ["edit"]


async def test_a_revision_that_came_while_its_row_took_the_state_of_another_is_what_is_wanted(archive: Archive) -> None:
    await archive.live(post(1, "Сбой"))
    await edit(archive, "Сбой.")
    (alert,) = await archive.outbox()
    await archive.db.write(lambda tx: tx.execute("UPDATE messages SET wanted_revision = 1"))
    await archive.send(alert, 7)
    assert await archive.outbox() == []
    await edit(archive, "Сбой!")
    assert await archive.labels() == ["edit"]


@pytest.mark.parametrize(
    ("state", "wanted", "sent"),
    [("sent", 2, 1), ("sent", 1, 2), *((state, 1, 1) for state in ("due", "withdrawn", "frozen", "dead"))],
)
async def test_no_row_says_that_its_chat_sees_what_it_does_not_or_wants_what_it_sees(
    archive: Archive, state: str, wanted: int, sent: int
) -> None:
    await archive.live(post(1, "Сбой"))
    sql = "UPDATE messages SET state = :state, wanted_revision = :wanted, sent_revision = :sent"
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        await archive.db.write(lambda tx: tx.execute(sql, {"state": state, "wanted": wanted, "sent": sent}))
