"""A channel's row and the pace of the sources come in; how late its posts may be, and how it stands, goes out. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from bot.store.channels import Access, Channel
from bot.store.pace import Pace

LATE = 3  # times as long as it may take …
ALLOWANCE = timedelta(minutes=5)  # … and so much more, before something is called late


class State(StrEnum):
    """How a channel stands, as far as the sweep can tell."""

    COMPLETE = "complete"  # nothing was missing when it was last read, and it was read as it should be
    FIRST = "first"  # its recent past is being read
    LATE = "late"  # it was not read for too long
    PENDING = "pending"  # its admins have to let a reader in
    LOST = "lost"  # no reader can read it
    UNREAD = "unread"  # the reader account that sees to it is lost: nothing is read now


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How late posts may be, where many channels share what Telegram allows."""

    pace: Pace
    polled: Counter[int | None]  # channels that each reader reads from outside

    @classmethod
    def of(cls, followed: Iterable[Channel], pace: Pace) -> "Delays":
        """Count who shares what."""
        outside = Counter(channel.read_by for channel in followed if channel.access is Access.POLLED)
        return cls(pace=pace, polled=outside)

    def of_channel(self, channel: Channel) -> timedelta:
        """Return after how long a post of a channel is stored at the latest, even if Telegram does not push it."""
        if channel.access is not Access.POLLED:
            return timedelta(seconds=self.pace.round)
        if channel.fast:
            return timedelta(seconds=self.pace.fast)
        return self._round(self.polled[channel.read_by])

    def longest(self) -> timedelta:
        """Return how long it takes to go round all channels that are read from outside."""
        return self._round(max(self.polled.values(), default=0))

    def _round(self, polled: int) -> timedelta:
        return timedelta(seconds=self.pace.round * max(1, ceil(polled / self.pace.polls)))

    def is_verified(self, channel: Channel, now: datetime) -> bool:
        """Say whether a channel is complete, and its past was compared with Telegram's since it was followed."""
        if self.state_of(channel, now) is not State.COMPLETE:
            return False
        compared = channel.verified_at is not None and channel.verified_at >= (channel.followed_at or now)
        return compared or not self.pace.verifies

    def state_of(self, channel: Channel, now: datetime) -> State:
        """Say how a channel stands."""
        if channel.access is Access.LOST:
            return State.LOST
        if channel.reader_lost:
            return State.UNREAD
        if channel.access not in {Access.JOINED, Access.POLLED} or channel.followed_at is None:
            return State.PENDING
        is_read = channel.swept_at is not None and channel.swept_at >= channel.followed_at
        last = channel.swept_at if is_read and channel.swept_at else channel.followed_at
        if now - last > self.of_channel(channel) * LATE + ALLOWANCE:
            return State.LATE
        return State.COMPLETE if is_read else State.FIRST
