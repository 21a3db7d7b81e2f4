"""A start: whether a backup was put back, and what was sent lately, in a time that the tests tell.

Of a restart in the midst of a burst, what counts is what Telegram saw in all.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery.recovery import YOUNGER, Recovery, resume
from bot.models import Media
from bot.models.outgoing import Button, Outgoing, Peer, PeerKind
from bot.store import chats, handled, meta, outbox
from bot.store.database import Transaction
from bot.telegram.rate_limit import Pacing
from tests import kit
from tests.kit_archive import NOON, Archive, open_archive, post, steps
from tests.kit_bot import private, sandboxed_bot
from tests.kit_clock import Clock
from tests.telegram.traffic import breaches, most_within

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
GROUP = Peer(kind=PeerKind.CHANNEL, id=9001)
ALICE = Peer(kind=PeerKind.USER, id=501)


@pytest.mark.parametrize(
    ("after", "is_affected"),
    [(YOUNGER, False), (YOUNGER + SECOND, True), (HOUR - SECOND, True), (HOUR, False)],
    ids=["as young as the backup may be", "younger than the backup", "just before the start", "since the start"],
)
async def test_a_message_from_between_the_backup_and_the_start_shows_that_a_backup_was_put_back(
    archive: Archive, clock: Clock, after: timedelta, *, is_affected: bool
) -> None:
    async with sandboxed_bot(clock) as bot:
        chat = await archive.pair(bot.alice.id)
        await archive.db.write(lambda tx: meta.beat(tx, "run", NOON))
        recovery = Recovery(archive.db, bot.sender, clock=lambda: NOON + HOUR)
        await recovery.before()
        clock.advance(after)
        alert = Outgoing(text="An outage", buttons=((Button(text="Quote", data=b"quote:1001:1"),),))
        await bot.sender.send(private(bot.alice), alert, random_id=1)
        assert await recovery.look() == ({chat.id} if is_affected else set())


class PacedSends:
    """Sends at the earliest moment that is allowed, writes it down, and is restarted; monotonic time begins at noon."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.pacing = Pacing()
        self.now = 0.0
        self.gone: list[tuple[float, Peer]] = []

    async def sends(self, peer: Peer, *, answer: bool = False) -> None:
        at = self.pacing.total_ready_at(self.pacing.chat_ready_at(peer, self.now))
        self.pacing.spend(peer, at)
        self.now, number = at, len(self.gone)
        self.gone.append((at, peer))
        moment, db = NOON + timedelta(seconds=at), self.archive.db
        chat = await db.write(lambda tx: chats.pair(tx, peer, title="", language="en", now=NOON))
        if not answer:
            await kit.put(db, [kit.notice(chat, str(number))], moment)
            (message,) = await kit.messages(db, moment)
            await kit.sent(db, message, number + 1, moment)
            return

        async def job(tx: Transaction) -> None:
            key = f"{peer.kind}-{peer.id}-{number}"
            await handled.record(tx, key, "", peer=peer, now=moment)
            await handled.mark_delivered(tx, key, now=moment)

        await db.write(job)

    async def restarts(self) -> int:
        self.pacing = Pacing()
        now = NOON + timedelta(seconds=self.now)
        return await resume(self.archive.db, self.pacing, now=now, monotonic=self.now)


async def test_a_group_gets_twenty_messages_a_minute_over_restarts_too(archive: Archive) -> None:
    paced = PacedSends(archive)
    for number in range(70):
        await paced.sends(GROUP, answer=number % 5 == 4)
        if number % 7 == 6:
            await paced.restarts()
    moments = [moment for moment, _ in paced.gone]
    assert most_within(moments, 60) == 20
    assert moments[-1] < 60 * 4
    assert not breaches(paced.gone)


async def test_what_was_sent_long_ago_counts_no_more(archive: Archive) -> None:
    paced = PacedSends(archive)
    for _ in range(5):
        await paced.sends(ALICE)
    await paced.sends(GROUP)
    paced.now += 30
    assert await paced.restarts() == 6
    assert paced.pacing.chat_ready_at(ALICE, paced.now) == paced.now
    paced.now += 40
    assert await paced.restarts() == 0
    assert len(paced.pacing) == 0


async def test_alerts_that_joined_another_or_wait_count_nothing(archive: Archive) -> None:
    await archive.follow()
    await archive.track(await archive.pair(), "сбои", "сбой")
    for number in (1, 2):
        await archive.live(post(number, "Сбой"))
    assert await resume(archive.db, Pacing(), now=NOON + timedelta(seconds=1), monotonic=1.0) == 0


async def test_each_file_of_an_album_counts(archive: Archive) -> None:
    chat = await archive.pair()
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, media=True)))
    await archive.track(chat, "outages", "сбой")
    await archive.follow()
    await archive.live(*(post(n, "Сбой", grouped_id=7, media=Media(kind="photo", id=n)) for n in (5, 6, 7)))
    await kit.send_all(archive.db, NOON, NOON)
    await kit.send_files(archive.db, archive.reader_id, NOON)
    assert await resume(archive.db, Pacing(), now=NOON + timedelta(seconds=1), monotonic=1.0) == 1 + 3


async def test_answers_to_taps_count_nothing(archive: Archive) -> None:
    for number in (5, -5):  # Telegram's numbers have either sign

        async def job(tx: Transaction, key: str = f"tap-{number}") -> None:
            await handled.record(tx, key, "", now=NOON)
            await handled.mark_delivered(tx, key, now=NOON)

        await archive.db.write(job)
    assert await resume(archive.db, Pacing(), now=NOON + timedelta(seconds=1), monotonic=1.0) == 0


async def test_a_start_looks_at_each_answer_once_however_many_chats_there_are(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:

        async def job(tx: Transaction) -> None:
            for number in range(1000):
                peer = Peer(kind=PeerKind.USER, id=1000 + number)
                await chats.pair(tx, peer, title="", language="en", now=NOON)
                await handled.record(tx, f"user-{peer.id}-1", "", peer=peer, now=NOON)
                await handled.mark_delivered(tx, f"user-{peer.id}-1", now=NOON)

        await archive.db.write(job)

    async def look(tx: Transaction) -> None:
        assert len(await outbox.sent_lately(tx, since=NOON, now=NOON)) == 1000

    assert steps(tmp_path / "data" / "bot.db", look) < 50_000
