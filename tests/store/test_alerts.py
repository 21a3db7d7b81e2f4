from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.notices import SampleAlert
from bot.store import chats, messages, meta, outbox
from bot.store.chats import Chat
from bot.store.database import Subject
from bot.store.notices import notify
from tests import kit
from tests.kit_archive import NOON, Archive, post

SECRET = bytes(range(32))
KEY = bytes(16)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    return archive


async def tell(archive: Archive, chat: Chat, name: str) -> bool:
    return await archive.db.write(lambda tx: notify(tx, chat, SampleAlert(event=name), now=archive.now))


async def names(archive: Archive) -> list[str]:
    return [message.name for message in await kit.messages(archive.db, archive.now)]


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

    async def test_the_outbox_writes_it_down_with_a_secret_made_once(self, archive: Archive) -> None:
        chat = await archive.pair()
        await tell(archive, chat, "a")
        secret = await meta.get(archive.db, outbox.SECRET)
        await tell(archive, chat, "b")
        assert isinstance(secret, bytes)
        assert len(secret) == 32
        assert await meta.get(archive.db, outbox.SECRET) == secret
        for message in await archive.outbox():
            assert message.random_id == outbox.random_id(secret, chat.key, "notice", message.notice.subject)


class TestOutbox:
    async def test_what_is_in_it_is_not_put_in_again(self, archive: Archive) -> None:
        chat = await archive.pair()
        assert [await tell(archive, chat, "a"), await tell(archive, chat, "a")] == [True, False]
        (message,) = await archive.outbox()
        await archive.send(message, 77)
        assert await tell(archive, chat, "a") is False
        assert await names(archive) == []
        assert archive.db.changes.revision(Subject.ALERTS) == 1

    async def test_a_failure_puts_it_off_and_counts(self, archive: Archive) -> None:
        chat = await archive.pair()
        await tell(archive, chat, "a")
        (first,) = await archive.outbox()
        later = archive.now + timedelta(seconds=17)
        await kit.put_off(archive.db, first, at=later, reason="FLOOD_WAIT_17")
        assert await names(archive) == []
        assert await kit.messages(archive.db, later - timedelta(milliseconds=1)) == []
        (again,) = await kit.messages(archive.db, later)
        assert (again.attempts, again.random_id) == (1, first.random_id)

    async def test_a_dead_one_is_never_due_again(self, archive: Archive) -> None:
        await tell(archive, await archive.pair(), "a")
        (message,) = await archive.outbox()
        await kit.kill(archive.db, message, "MESSAGE_TOO_LONG")
        assert await names(archive) == []

    async def test_suspending_a_chat_ends_what_was_due_to_it(self, archive: Archive) -> None:
        chat, other = await archive.pair(501), await archive.pair(502)
        await tell(archive, chat, "a")
        await tell(archive, other, "b")
        await archive.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
        await tell(archive, chat, "while suspended")
        assert await names(archive) == ["b"]
        await archive.db.write(lambda tx: chats.resume(tx, chat.id))
        assert await names(archive) == ["b", "while suspended"]

    async def test_an_alert_carries_what_the_post_says_and_knows_what_it_said(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.live(post(1, "Сбой"))
        await archive.live(post(1, "Починили", edit_date=NOON))
        alert, *_ = await archive.outbox()
        assert alert.post is not None
        assert (alert.post.text, alert.post.number) == ("Починили", 2)
        await archive.send(alert, 77)
        alerted = await messages.post_of(archive.db, chat.id, 77)
        assert alerted is not None
        assert (alerted.text, alerted.number) == ("Сбой", 1)

    async def test_statistics_count_what_became_of_alerts(self, archive: Archive) -> None:
        chat = await archive.pair()
        await kit.put(archive.db, [kit.alert(chat, name) for name in "abcd"], archive.now)
        await tell(archive, chat, "notice")
        a, b, c, _, notice = await archive.outbox()
        await archive.send(notice, 2, at=NOON + timedelta(seconds=2))
        await archive.send(a, 1, at=NOON + timedelta(seconds=3))
        await archive.send(b, at=NOON + timedelta(seconds=1))
        await kit.kill(archive.db, c, "PEER_ID_INVALID")
        assert await outbox.statistics(archive.db, NOON) == outbox.OutboxCounts(due=1, sent=2, dead=1)
        assert (await outbox.statistics(archive.db, NOON + timedelta(seconds=2))).sent == 1


async def test_the_last_round_of_each_loop_is_known(archive: Archive) -> None:
    for loop, minute in (("sweep", 1), ("live", 2), ("sweep", 3)):
        at = NOON + timedelta(minutes=minute)
        await archive.db.write(lambda tx, loop=loop, at=at: meta.beat(tx, loop, at))
    assert await meta.last_beats(archive.db) == {
        "sweep": NOON + timedelta(minutes=3),
        "live": NOON + timedelta(minutes=2),
    }
