"""What a start has to learn before anything is read or sent: whether a backup was put back, and what was sent lately.

Where a chat shows a message of ours that is younger than all that the database knows, an instance whose database is
lost wrote that message: see `bot.store.backup_recovery`. An alert that was on its way when the service was killed is no
matter of this module: its `random_id` keeps Telegram from taking it twice.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.delivery.message_lookup import is_ours, pages
from bot.errors import TelegramError
from bot.models import Clock
from bot.models.outgoing import Peer, PeerKind
from bot.store import backup_recovery, chats, meta, outbox
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction
from bot.telegram.convert import SentMessage
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

YOUNGER = timedelta(minutes=5)  # than the database: a sign of life is written each half minute; clocks differ a little
WITHIN = 60.0  # s after which the first alert waits for no further page
AT_ONCE = 8  # supergroups that are looked at
MOST, MOST_OF_CHANNEL = 500, 20  # pages of a hundred messages that are read
_LOOKED = "looked_up_to"  # the id up to which the account's messages were looked at


class Recovery:
    """Looks, once, for messages of an instance whose database is lost."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._monotonic = monotonic
        self._alive_at: datetime | None = None  # the database, before this process
        self._until = 0.0  # the moment at which to read no further
        self._over = asyncio.Event()

    async def before(self) -> None:
        """Read how far the database had come, before this process adds to it."""
        self._alive_at = await self._database.write(backup_recovery.alive_at)

    async def run(self, stop: asyncio.Event) -> None:
        """Look once, and not for much longer than a minute; not at all once `stop` is set."""
        if self._over.is_set():
            return
        looking, stopping = asyncio.create_task(self.look()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                looking.result()
        finally:
            self._over.set()
            for task in (looking, stopping):
                task.cancel()
            await asyncio.wait({looking, stopping})

    async def over(self) -> None:
        """Wait until `run` has looked: what is read of channels before that may have been told."""
        await self._over.wait()

    async def look(self) -> set[int]:
        """Return the chats, by row, that a lost instance may have told anything; write them down."""
        now, alive_at = self._clock().replace(microsecond=0), self._alive_at  # Telegram dates in whole seconds
        started_at = await self._database.write(lambda tx: backup_recovery.started_at(tx, now))
        affected: set[int] = set()
        newest = 0
        if alive_at is not None and started_at - alive_at > YOUNGER:
            affected, newest = await self._find_affected(alive_at + YOUNGER, before=started_at)
        if affected:
            log.warning(
                "this database is older than what the chats show: a backup was put back",
                alive_at=str(alive_at),
                chats=len(affected),
            )

        async def job(tx: Transaction) -> None:
            await backup_recovery.settle(tx, affected, alive_at=alive_at, until=started_at, now=self._clock())
            if newest:
                await meta.put(tx, _LOOKED, newest)

        await self._database.write(job)
        return affected

    async def _find_affected(self, since: datetime, *, before: datetime) -> tuple[set[int], int]:
        """Find the chats that show a message of ours from that time; with them return the account's newest such id."""
        self._until = self._monotonic() + WITHIN
        listed = [
            chat for chat in await chats.everyone(self._database) if chat.suspended is None and not chat.is_target
        ]
        of_account, newest = await self._read_account([c for c in listed if c.peer.kind is not PeerKind.CHANNEL])
        shown = {**of_account, **await self._read_channels([c for c in listed if c.peer.kind is PeerKind.CHANNEL])}
        return _affected(shown, since, before), newest

    async def _read_account(self, listed: Sequence[Chat]) -> tuple[dict[int, list[SentMessage] | None], int]:
        """Read the messages of ours in private chats and basic groups, by chat; None where some are left unread."""
        if not listed:
            return {}, 0
        looked = await meta.get(self._database, _LOOKED)
        known = await backup_recovery.newest_message_id_of_account(self._database)
        found, is_all = await self._read(max(known, int(looked or 0)), channel=None, most=MOST)
        by_peer: dict[tuple[PeerKind, int], list[SentMessage]] = {}
        for own in found:
            by_peer.setdefault((own.kind, own.peer_id), []).append(own)
        shown = {chat.id: by_peer.get((chat.peer.kind, chat.peer.id)) or ([] if is_all else None) for chat in listed}
        return shown, max((own.message_id for own in found), default=0)

    async def _read_channels(self, listed: Sequence[Chat]) -> dict[int, list[SentMessage] | None]:
        """Read the messages of ours in supergroups and channels, by chat; None where nobody knows if there are any."""
        shown: dict[int, list[SentMessage] | None] = {}
        waiting = iter(listed)

        async def read_on() -> None:
            for chat in waiting:  # of which each task takes its own
                above = await backup_recovery.newest_message_id(self._database, chat.id)
                found, _ = await self._read(above, channel=chat.peer, most=MOST_OF_CHANNEL, nothing_after=1)
                shown[chat.id] = found or None  # there is no end of what we are not shown there

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(read_on())
        return shown

    async def _read(self, above: int, *, channel: Peer | None, **limits: int) -> tuple[list[SentMessage], bool]:
        """Return what can be read, and whether that is all; a server that does not answer this is done without."""
        found: list[SentMessage] = []
        is_all = False
        if self._monotonic() > self._until:
            return found, is_all
        try:
            async for page in pages(self._sender, above, channel=channel, **limits):
                found += page.own
                is_all = not page.newest_id  # nothing is above an empty page
                if self._monotonic() > self._until:
                    break
        except TelegramError as error:
            log.info("earlier messages cannot be checked", reason=error.error)
            is_all = False
        return found, is_all


def _affected(shown: Mapping[int, Sequence[SentMessage] | None], since: datetime, before: datetime) -> set[int]:
    """Return the chats that a program like ours wrote to between two moments; those left unread count if any does."""
    affected = {
        chat_id
        for chat_id, found in shown.items()
        if any(since < own.date < before and is_ours(own) for own in found or ())
    }
    return affected and affected | {chat_id for chat_id, found in shown.items() if found is None}


async def resume(db: Reader, pacing: Pacing, *, now: datetime, monotonic: float) -> int:
    """Let pacing count what was sent so lately that it matters; return how many messages that were.

    Telegram counts what an account sent, and knows nothing of our processes. `monotonic` is the second it is now.
    """
    found = await outbox.sent_lately(db, since=now - timedelta(seconds=pacing.memory), now=now)
    for sending in found:
        pacing.spend(sending.peer, monotonic - (now - sending.at).total_seconds())
    return len(found)
