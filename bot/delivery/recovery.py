"""The start comes in: what Telegram shows of our messages is compared with the outbox before anything is sent.

A message that the outbox counts as due was on its way when we were killed: its number is written down, and nothing is
sent again. One that the outbox does not know at all was sent by an instance whose database is lost, because a backup
was put back: see `bot.store.backup_recovery`.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.delivery.composer import Courier
from bot.delivery.message_lookup import JUST_NOW, Finder, is_ours, is_same, key_of
from bot.errors import TelegramError
from bot.models import Clock, Peer, PeerKind
from bot.store import alerts, backup_recovery, chats, groups, meta, outbox, sightings
from bot.store.backup_recovery import Settled
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.store.outbox import Alert
from bot.store.sightings import Sighting
from bot.telegram.own import Own
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

WITHIN = 60.0  # s after which the first alert waits for no further page …
FRESH, SHORTLY = timedelta(hours=1), 5.0  # … s, where the database was alive so lately that Telegram knows what it sent
AT_ONCE = 8  # supergroups that are looked at
MOST, MOST_OF_CHANNEL = 500, 20  # pages of a hundred messages that are read
_LOOKED = "looked_up_to"  # the number up to which the account's messages were looked at


class Recovery:
    """Puts the outbox and what Telegram shows in accord, once."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        courier: Courier,
        *,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._finder = Finder(database, sender)
        self._courier = courier
        self._clock = clock
        self._alive_at: datetime | None = None  # the database, before this process
        self._over = asyncio.Event()
        self._monotonic = monotonic
        self._until = 0.0  # the moment at which to read no further
        self._unread: set[int] = set()  # chats in which not all was read

    async def before(self) -> None:
        """Read how far the database had come, before this process adds to it."""
        self._alive_at = await sightings.alive_at(self._database)

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

    async def look(self) -> Settled:
        """Look above the last known messages, and write down what is found."""
        began, alive_at = self._clock().replace(microsecond=0), self._alive_at  # Telegram dates in whole seconds
        is_fresh = alive_at is not None and began - alive_at < FRESH
        self._until = self._monotonic() + (SHORTLY if is_fresh else WITHIN)
        listed = [chat for chat in await chats.everyone(self._database) if chat.suspended is None]
        found = [*await self._of_account(listed), *await self._of_channels(listed)]
        settled, top = await self._settle(found, began)
        if settled.lost:
            log.warning(
                "this database is older than what the chats have been told: a backup was put back",
                alive_at=str(alive_at),
                messages=settled.lost,
                chats_not_read=len(self._unread),
            )
        log.info("looked at what was sent before", found=settled.found, lost=settled.lost, newest=top)
        return settled

    async def _of_account(self, listed: Iterable[Chat]) -> list[tuple[Chat, Own]]:
        by_peer: dict[tuple[PeerKind, int], Chat] = {}
        by_peer |= {(chat.peer.kind, chat.peer.id): chat for chat in listed if chat.peer.kind is not PeerKind.CHANNEL}
        if not by_peer:
            return []
        looked = await meta.get(self._database, _LOOKED)
        newest = await sightings.newest_id_of_account(self._database)
        above = max(0, newest - JUST_NOW, int(looked or 0) - JUST_NOW)
        found, is_all = await self._read(above, channel=None, most=MOST)
        if not is_all:
            self._unread |= {chat.id for chat in by_peer.values()}
        return [(by_peer[own.kind, own.peer_id], own) for own in found if (own.kind, own.peer_id) in by_peer]

    async def _of_channels(self, listed: Iterable[Chat]) -> list[tuple[Chat, Own]]:
        found: list[tuple[Chat, Own]] = []
        waiting = (chat for chat in listed if chat.peer.kind is PeerKind.CHANNEL)

        async def look_on() -> None:
            for chat in waiting:  # of which each takes its own
                above = await sightings.newest_id(self._database, chat.id)
                here, is_all = await self._read(above, channel=chat.peer, most=MOST_OF_CHANNEL, nothing_after=1)
                found.extend((chat, own) for own in here)
                if not is_all or not here:  # what we are not shown there is no end of
                    self._unread.add(chat.id)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(look_on())
        return found

    async def _read(self, above: int, *, channel: Peer | None, **limits: int) -> tuple[list[Own], bool]:
        """Return what can be read, and whether that is all; a server that does not answer this is done without."""
        found: list[Own] = []
        is_all = False
        if self._monotonic() > self._until:
            return found, is_all
        try:
            async for page in self._finder.pages(above, channel=channel, **limits):
                found += page.own
                is_all = not page.newest_id  # nothing is above an empty page
                if self._monotonic() > self._until:
                    break
        except TelegramError as error:
            log.info("what was sent before cannot be looked at", reason=error.error)
            is_all = False
        return found, is_all

    async def _settle(self, found: Sequence[tuple[Chat, Own]], began: datetime) -> tuple[Settled, int]:
        now = self._clock()
        signs = [sign for chat, own in found if (sign := _sign(chat, own, began)) is not None]
        others = await self._notices([(chat, own) for chat, own in found if key_of(own.buttons) is None], now=now)
        top = max((own.message_id for _, own in found if own.kind is not PeerKind.CHANNEL), default=0)

        async def job(tx: Transaction) -> Settled:
            for alert_id, number in others:
                await alerts.sent(tx, alert_id, number, now)
            settled = await backup_recovery.settle(tx, signs, alive_at=self._alive_at, now=now, unread=self._unread)
            if top:
                await meta.put(tx, _LOOKED, top)
            return replace(settled, found=settled.found + len(others))

        return await self._database.write(job), top

    async def _notices(self, found: Sequence[tuple[Chat, Own]], *, now: datetime) -> list[tuple[int, int]]:
        """Return the notices and replies, (row, number), that are among these messages."""
        by_chat: defaultdict[int, list[Own]] = defaultdict(list)
        taken = await sightings.known(self._database, [(chat.id, own.message_id) for chat, own in found])
        for chat, own in found:
            if (chat.id, own.message_id) not in taken:
                by_chat[chat.id].append(own)
        pairs = []
        for alert_id in await sightings.unaccounted(self._database, by_chat, now):
            alert = await outbox.get(self._database, alert_id)
            same = await self._same(alert, by_chat[alert.chat.id])
            if same is not None:
                by_chat[alert.chat.id].remove(same)
                pairs.append((alert_id, same.message_id))
        return pairs

    async def _same(self, alert: Alert, found: Iterable[Own]) -> Own | None:
        with suppress(KeyError):  # a notice of a kind that this version does not know
            outgoing = await self._courier.write(alert)
            # By its text alone one notice may be taken for another, which then would never be sent.
            is_known = outgoing.buttons or alert.payload.get("notice") == groups.DIGEST
            return next((own for own in found if is_known and is_same(own, outgoing)), None)
        return None


def _sign(chat: Chat, own: Own, began: datetime) -> Sighting | None:
    """Read what a message says of who sent it; None where it may be another program's, or of this process."""
    key = key_of(own.buttons)
    if key is None and (own.date >= began or not is_ours(own)):
        return None
    edited = own.edited if own.edited is not None and own.edited < began else None
    return Sighting(
        chat_id=chat.id,
        message_id=own.message_id,
        date=edited or own.date,
        post=key,
    )
