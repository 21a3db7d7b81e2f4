"""How each followed channel is read, how late its posts may be, and whether anything of it is missing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from bot.models import Network
from bot.store import meta, stats
from bot.store.channels import Access, Channel
from bot.store.database import Reader
from bot.store.meta import Pace
from bot.store.page_readings import CEILING, PageReading, longest_pause
from bot.store.stats import ChannelStats

LATE = 3  # times as long as it may take …
ALLOWANCE = timedelta(minutes=5)  # … and so much more, before something is called late


class ChannelStatus(StrEnum):
    """How the reading of a channel goes."""

    COMPLETE = "complete"  # it was read as often as it should be
    FIRST = "first"  # its recent past is being read
    LATE = "late"  # it was not read for too long
    UNCHECKED = "unchecked"  # edits and deletions may be missing, since the server fails at its changes
    PENDING = "pending"  # its admins have to let a reader in
    LOST = "lost"  # no reader can read it
    UNREAD = "unread"  # no reader account reads it, and no web page does: nothing is read now
    PAGE = "page"  # no reader account reads it, and its web page is read instead


_GAPS = {ChannelStatus.LATE, ChannelStatus.UNCHECKED, ChannelStatus.LOST, ChannelStatus.UNREAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """How a followed channel stands."""

    channel: Channel
    stats: ChannelStats
    status: ChannelStatus
    delay: timedelta  # after which a post is stored at the latest, even if Telegram does not push it
    is_verified: bool  # nothing is missing, and its past was compared with Telegram's since it was followed

    @property
    def has_gap(self) -> bool:
        """Say whether something is missing, or may be."""
        return self.stats.has_hole or self.stats.unreadable > 0 or self.status in _GAPS

    @property
    def checked_at(self) -> datetime | None:
        """Up to when nothing is missing of it; None where it cannot be read, or was not since it was followed."""
        channel, swept_at = self.channel, self.channel.swept_at
        if (
            self.stats.page is not None
            or not channel.is_readable
            or channel.reader_lost
            or not channel.is_swept
            or swept_at is None
        ):
            return None
        unchecked_since = channel.unchecked_since if self.status is ChannelStatus.UNCHECKED else None
        return min(swept_at, unchecked_since or swept_at)


async def channel_states(db: Reader, now: datetime, *, since: datetime | None = None) -> list[ChannelState]:
    """Return the states of the followed channels, by title; posts are counted from `since` on."""
    return assess(await stats.channel_stats(db, since or now), await meta.get_pace(db), now)


def assess(found: Sequence[ChannelStats], limits: Pace, now: datetime) -> list[ChannelState]:
    """Work out the states of channels; the channels that one reader polls share the questions that Telegram allows."""
    telegram = [each.channel for each in found if each.channel.network is Network.TELEGRAM]
    outside = Counter(channel.read_by for channel in telegram if channel.access is Access.POLLED)
    pages = sum(each.page is not None for each in found)
    states = []
    for each in found:
        channel = each.channel
        delay = _delay(channel, limits, outside[channel.read_by])
        status = _status(channel, delay, now, verifies=limits.verifies)
        if each.page is not None:
            delay = longest_pause(1 if channel.fast else pages)
            status = _page_status(channel, each.page, now)
        is_complete = status is ChannelStatus.COMPLETE and not each.has_hole and not each.unreadable
        states.append(
            ChannelState(
                channel=channel,
                stats=each,
                status=status,
                delay=delay,
                is_verified=is_complete and (channel.is_compared or not _is_compared(channel, limits)),
            )
        )
    return states


def _is_compared(channel: Channel, limits: Pace) -> bool:
    """Tell whether the past of a channel is compared: what a site lists is all that can be had of it."""
    return limits.verifies and channel.network is Network.TELEGRAM


def _page_status(channel: Channel, page: PageReading, now: datetime) -> ChannelStatus:
    """Return how the reading of a channel's web page goes."""
    if not page.is_lost(now) and now - (page.read_at or page.since) <= CEILING * LATE:
        return ChannelStatus.PAGE
    return ChannelStatus.LOST if channel.access is Access.LOST else ChannelStatus.UNREAD


def _delay(channel: Channel, limits: Pace, polled: int) -> timedelta:
    if channel.network is Network.SITE:
        return timedelta(seconds=limits.sites)
    if channel.access is not Access.POLLED:
        return timedelta(seconds=limits.round)
    if channel.fast:
        return timedelta(seconds=limits.fast)
    return timedelta(seconds=limits.round * max(1, ceil(polled / limits.polls)))


def _status(channel: Channel, delay: timedelta, now: datetime, *, verifies: bool) -> ChannelStatus:
    if channel.access is Access.LOST:
        return ChannelStatus.LOST
    if channel.reader_lost:
        return ChannelStatus.UNREAD
    if not channel.is_readable or channel.followed_at is None:
        return ChannelStatus.PENDING
    if now - max(channel.followed_at, channel.swept_at or channel.followed_at) > delay * LATE + ALLOWANCE:
        return ChannelStatus.LATE
    if not channel.is_swept:
        return ChannelStatus.FIRST
    # Where nothing is ever verified, nobody waits for the verifier.
    is_unchecked = channel.unchecked_since is not None and (verifies or channel.doubted_at is None)
    return ChannelStatus.UNCHECKED if is_unchecked else ChannelStatus.COMPLETE
