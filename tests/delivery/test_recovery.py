"""A restart in the midst of a burst, in a time that the tests tell: what counts is what Telegram saw in all."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.delivery.recovery import resume
from bot.models import Media, Peer, PeerKind
from bot.store import chats, handled, outbox
from bot.store.database import Transaction
from bot.telegram.rate_limit import Pacing
from tests import kit
from tests.store.kit import NOON, Newsroom, newsroom, post, steps
from tests.telegram.traffic import breaches, most_within

GROUP = Peer(kind=PeerKind.CHANNEL, id=9001)
ALICE = Peer(kind=PeerKind.USER, id=501)


class Office:
    """Sends at the earliest moment that is allowed, writes it down, and is restarted; monotonic time begins at noon."""

    def __init__(self, room: Newsroom) -> None:
        self.room = room
        self.pacing = Pacing()
        self.now = 0.0
        self.gone: list[tuple[float, Peer]] = []

    async def sends(self, peer: Peer, *, answer: bool = False) -> None:
        at = self.pacing.total_ready_at(self.pacing.chat_ready_at(peer, self.now))
        self.pacing.spend(peer, at)
        self.now, number = at, len(self.gone)
        self.gone.append((at, peer))
        moment, db = NOON + timedelta(seconds=at), self.room.db
        chat = await db.write(lambda tx: chats.pair(tx, peer, title="", language="en", now=NOON))
        if not answer:
            await kit.put(db, [kit.notice(chat, str(number))], moment)
            (message,) = await kit.messages(db, moment)
            await kit.sent(db, message, number + 1, moment)
            return

        async def job(tx: Transaction) -> None:
            key = f"{peer.kind}-{peer.id}-{number}"
            await handled.record(tx, key, "", now=moment)
            await handled.mark_delivered(tx, key, now=moment)

        await db.write(job)

    async def restarts(self) -> int:
        self.pacing = Pacing()
        now = NOON + timedelta(seconds=self.now)
        return await resume(self.room.db, self.pacing, now=now, monotonic=self.now)


async def test_a_group_gets_twenty_messages_a_minute_over_restarts_too(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        office = Office(room)
        for number in range(70):
            await office.sends(GROUP, answer=number % 5 == 4)
            if number % 7 == 6:
                await office.restarts()
        moments = [moment for moment, _ in office.gone]
        assert most_within(moments, 60) == 20
        assert moments[-1] < 60 * 4
        assert not breaches(office.gone)


async def test_what_was_sent_long_ago_counts_no_more(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        office = Office(room)
        for _ in range(5):
            await office.sends(ALICE)
        await office.sends(GROUP)
        office.now += 30
        assert await office.restarts() == 6
        assert office.pacing.chat_ready_at(ALICE, office.now) == office.now
        office.now += 40
        assert await office.restarts() == 0
        assert len(office.pacing) == 0


async def test_alerts_that_joined_another_or_wait_count_nothing(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.track(await room.pair(), "сбои", "сбой")
        for number in (1, 2):
            await room.live(post(number, "Сбой"))
        assert await resume(room.db, Pacing(), now=NOON + timedelta(seconds=1), monotonic=1.0) == 0


async def test_each_file_of_an_album_counts(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        chat = await room.pair()
        await room.db.write(lambda tx: chats.save(tx, replace(chat, media=True)))
        await room.track(chat, "outages", "сбой")
        await room.follow()
        await room.live(*(post(n, "Сбой", grouped_id=7, media=Media(kind="photo", id=n)) for n in (5, 6, 7)))
        await kit.send_all(room.db, NOON, NOON)
        await kit.send_files(room.db, room.reader_id, NOON)
        assert await resume(room.db, Pacing(), now=NOON + timedelta(seconds=1), monotonic=1.0) == 1 + 3


async def test_answers_to_taps_tell_no_chat(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        for number in (5, -5):  # Telegram's numbers have either sign

            async def job(tx: Transaction, key: str = f"tap-{number}") -> None:
                await handled.record(tx, key, "", now=NOON)
                await handled.mark_delivered(tx, key, now=NOON)

            await room.db.write(job)
        assert await resume(room.db, Pacing(), now=NOON + timedelta(seconds=1), monotonic=1.0) == 0


async def test_a_start_looks_at_each_answer_once_however_many_chats_there_are(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:

        async def job(tx: Transaction) -> None:
            for number in range(1000):
                peer = Peer(kind=PeerKind.USER, id=1000 + number)
                await chats.pair(tx, peer, title="", language="en", now=NOON)
                await handled.record(tx, f"user-{peer.id}-1", "", now=NOON)
                await handled.mark_delivered(tx, f"user-{peer.id}-1", now=NOON)

        await room.db.write(job)

    async def look(tx: Transaction) -> None:
        assert len(await outbox.sent_lately(tx, since=NOON, now=NOON)) == 1000

    assert steps(tmp_path / "data" / "bot.db", look) < 50_000
