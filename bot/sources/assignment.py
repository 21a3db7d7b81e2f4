"""Decides which reader account reads which channel, and again when a reader comes or goes.

People follow channels, not readers.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.models import Clock, Network
from bot.store import readers
from bot.store.channels import Access, Channel
from bot.store.database import Database
from bot.store.readers import Assignment

MOST = 500  # channels of one reader: an account may be in as many


class Assignments:
    """The readers that read now, and the channels that each of them reads; `most` channels each at most."""

    def __init__(self, database: Database, clock: Clock, *, most: int = MOST) -> None:
        self._most = most
        self._database = database
        self._clock = clock
        self._reading: set[int] = set()
        self._held_up: set[int] = set()  # of these, with nobody to take over
        self.absent_since: datetime | None = clock()  # since when no reader account reads; None: one does

    def leads(self, reader_id: int) -> bool:
        """Tell whether this is the one reader that settles requests to follow."""
        return bool(self._reading) and reader_id == min(self._reading)

    def has_others(self, reader_id: int) -> bool:
        """Tell whether another reader could take over."""
        return bool(self._reading - {reader_id})

    @property
    def has_any(self) -> bool:
        """Whether any reader account is there, even one that is held up."""
        return bool(self._reading)

    @property
    def has_readers(self) -> bool:
        """Whether any reader account reads now."""
        return bool(self._reading - self._held_up)

    async def patience(self, grace: timedelta) -> timedelta:
        """Return how long what nobody reads is left to a reader account: not at all where none may come back."""
        return grace if await readers.any_reads(self._database) else timedelta()

    async def is_absent(self, grace: timedelta) -> bool:
        """Tell whether no reader account reads, and each that may come back has had so long for it."""
        since = self.absent_since
        return since is not None and self._clock() - since >= await self.patience(grace)

    def reads(self, channel: Channel) -> bool:
        """Tell whether a reader reads a channel now, or is about to; other networks need none."""
        if channel.read_by is None:
            return self.has_readers or channel.network is not Network.TELEGRAM
        return channel.read_by in self._reading - self._held_up and channel.access is not Access.LOST

    def hold_up(self, reader_id: int) -> None:
        """Note that a reader cannot read for now, and that no other takes over."""
        self._held_up.add(reader_id)
        self._note_absence()

    async def enter(self, reader_id: int) -> None:
        """Count a reader in, and assign channels to it."""
        self._held_up.discard(reader_id)
        self._reading.add(reader_id)
        self._note_absence()
        await self.assign_all()

    async def leave(self, reader_id: int) -> None:
        """Count a reader out, and assign its public channels to the others."""
        self._reading.discard(reader_id)
        self._held_up.discard(reader_id)
        self._note_absence()
        await self.assign_all()

    def _note_absence(self) -> None:
        self.absent_since = None if self.has_readers else self.absent_since or self._clock()

    async def assign_all(self) -> None:
        """Assign every channel that no present reader is assigned to.

        A channel that none of them can read stays with a reader that is only away; otherwise the first one gets
        it, and finds it lost.
        """
        if not self._reading:
            return
        every, replaced = await readers.all_assignments(self._database), await readers.replaced(self._database)
        loads = Counter(share.read_by for share in every)
        given: dict[int, int] = {}
        for share in every:
            able = [reader for reader in sorted(self._reading) if share.is_open_to(reader)]
            if self._stays(share, able, replaced):
                continue
            chosen = min(able or self._reading, key=lambda reader: (loads[reader] >= self._most, reader))
            given[share.channel_id] = chosen
            loads[chosen] += 1
        if given:
            await self._database.write(lambda tx: readers.assign(tx, given))

    def _stays(self, share: Assignment, able: Sequence[int], replaced: Collection[int]) -> bool:
        """Tell whether a channel stays with its reader, given the present readers that are able to read it."""
        if share.read_by in self._reading:
            return share.read_by in able or not able
        is_away = share.read_by is not None and share.read_by not in replaced
        return is_away and not able

    async def hand_over(self, channel: Channel, reader_id: int) -> bool:
        """Assign a channel that this reader lost to another; False where no other may reach it."""
        share = next((s for s in await readers.all_assignments(self._database) if s.channel_id == channel.id), None)
        others = self._reading - {reader_id}
        able = [reader for reader in sorted(others) if share is not None and share.is_open_to(reader)]
        if able:
            await self._database.write(lambda tx: readers.assign(tx, {channel.id: able[0]}))
        return bool(able)
