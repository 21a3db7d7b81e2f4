from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.notices import SampleAlert
from bot.store import chats, messages, meta, outbox
from bot.store.chats import Chat
from bot.store.database import Subject
from bot.store.notices import notify
from tests import kit

from .kit import NOON, Newsroom, newsroom, post

SECRET = bytes(range(32))
KEY = bytes(16)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as room:
        await room.follow()
        yield room


async def tell(room: Newsroom, chat: Chat, name: str) -> bool:
    return await room.db.write(lambda tx: notify(tx, chat, SampleAlert(event=name), now=room.now))


async def names(room: Newsroom) -> list[str]:
    return [message.name for message in await kit.messages(room.db, room.now)]


class TestIdentity:
    def test_it_stays_the_same_over_releases(self) -> None:
        assert outbox.random_id(SECRET, KEY, "post", "1/m2/ab") == 5897254451907453109

    @given(st.binary(min_size=16, max_size=16), st.sampled_from(["post", "notice"]), st.text(max_size=40))
    def test_it_is_a_signed_number_that_telegram_takes(self, key: bytes, kind: str, subject: str) -> None:
        number = outbox.random_id(SECRET, key, kind, subject.encode("utf-8", "replace").decode())
        assert number != 0
        assert -(2**63) <= number < 2**63

    def test_every_part_of_it_counts(self) -> None:
        identities = [
            (SECRET, KEY, "post", "12"),
            (SECRET[::-1], KEY, "post", "12"),
            (SECRET, KEY[1:] + b"1", "post", "12"),
            (SECRET, KEY, "notice", "12"),
            (SECRET, KEY, "post", "1"),
            (SECRET, KEY, "post1", "2"),
        ]
        assert len({outbox.random_id(*identity) for identity in identities}) == len(identities)

    async def test_the_outbox_writes_it_down_with_a_secret_made_once(self, room: Newsroom) -> None:
        chat = await room.pair()
        await tell(room, chat, "a")
        secret = await meta.get(room.db, outbox.SECRET)
        await tell(room, chat, "b")
        assert isinstance(secret, bytes)
        assert len(secret) == 32
        assert await meta.get(room.db, outbox.SECRET) == secret
        for message in await room.outbox():
            assert message.random_id == outbox.random_id(secret, chat.key, "notice", message.notice.subject)


class TestOutbox:
    async def test_what_is_in_it_is_not_put_in_again(self, room: Newsroom) -> None:
        chat = await room.pair()
        assert [await tell(room, chat, "a"), await tell(room, chat, "a")] == [True, False]
        (message,) = await room.outbox()
        await room.send(message, 77)
        assert await tell(room, chat, "a") is False
        assert await names(room) == []
        assert room.db.changes.revision(Subject.ALERTS) == 1

    async def test_a_failure_puts_it_off_and_counts(self, room: Newsroom) -> None:
        chat = await room.pair()
        await tell(room, chat, "a")
        (first,) = await room.outbox()
        later = room.now + timedelta(seconds=17)
        await kit.put_off(room.db, first, at=later, reason="FLOOD_WAIT_17")
        assert await names(room) == []
        assert await kit.messages(room.db, later - timedelta(milliseconds=1)) == []
        (again,) = await kit.messages(room.db, later)
        assert (again.attempts, again.random_id) == (1, first.random_id)

    async def test_a_dead_one_is_never_due_again(self, room: Newsroom) -> None:
        await tell(room, await room.pair(), "a")
        (message,) = await room.outbox()
        await kit.kill(room.db, message, "MESSAGE_TOO_LONG")
        assert await names(room) == []

    async def test_suspending_a_chat_ends_what_was_due_to_it(self, room: Newsroom) -> None:
        chat, other = await room.pair(501), await room.pair(502)
        await tell(room, chat, "a")
        await tell(room, other, "b")
        await room.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
        await tell(room, chat, "while suspended")
        assert await names(room) == ["b"]
        await room.db.write(lambda tx: chats.resume(tx, chat.id))
        assert await names(room) == ["b", "while suspended"]

    async def test_an_alert_carries_what_the_post_says_and_knows_what_it_said(self, room: Newsroom) -> None:
        chat = await room.pair()
        await room.track(chat, "сбои", "сбой")
        await room.live(post(1, "Сбой"))
        await room.live(post(1, "Починили", edit_date=NOON))
        alert, *_ = await room.outbox()
        assert alert.post is not None
        assert (alert.post.text, alert.post.number) == ("Починили", 2)
        await room.send(alert, 77)
        alerted = await messages.post_of(room.db, chat.id, 77)
        assert alerted is not None
        assert (alerted.text, alerted.number) == ("Сбой", 1)

    async def test_statistics_count_what_became_of_alerts(self, room: Newsroom) -> None:
        chat = await room.pair()
        await kit.put(room.db, [kit.alert(chat, name) for name in "abcd"], room.now)
        await tell(room, chat, "notice")
        a, b, c, _, notice = await room.outbox()
        await room.send(notice, 2, at=NOON + timedelta(seconds=2))
        await room.send(a, 1, at=NOON + timedelta(seconds=3))
        await room.send(b, at=NOON + timedelta(seconds=1))
        await kit.kill(room.db, c, "PEER_ID_INVALID")
        assert await outbox.statistics(room.db, NOON) == outbox.OutboxCounts(due=1, sent=2, dead=1)
        assert (await outbox.statistics(room.db, NOON + timedelta(seconds=2))).sent == 1


async def test_the_last_round_of_each_loop_is_known(room: Newsroom) -> None:
    for loop, minute in (("sweep", 1), ("live", 2), ("sweep", 3)):
        at = NOON + timedelta(minutes=minute)
        await room.db.write(lambda tx, loop=loop, at=at: meta.beat(tx, loop, at))
    assert await meta.last_beats(room.db) == {
        "sweep": NOON + timedelta(minutes=3),
        "live": NOON + timedelta(minutes=2),
    }
