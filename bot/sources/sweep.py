"""Compares all followed channels with the archive, round by round and some faster, and stores what no push brought.

Telegram pushes what it likes: to a large channel's reader often late or not at all, and Telethon drops the edits and
deletions of the gaps that it fills. Without the sweep posts would be missed.
"""

import asyncio
import random
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONG_AGO, LONGEST_VISIT, Account
from bot.sources.assignment import Assignments
from bot.sources.channel_events import NOT_MEMBER, cause, describe, lose, regain
from bot.sources.resolver import Dialog, channel_dialogs
from bot.sources.sync import ChannelSync, SyncResult
from bot.store import marks
from bot.store.channels import BANNED, Access, Channel
from bot.store.database import Subject, Transaction

log = structlog.get_logger(__name__)

JITTER = 0.1  # of the interval: a clockwork looks like a robot
SLOWEST = 8  # times the interval, after Telegram asked for waits
POLLS_A_SECOND = 0.5  # public channels read from outside, on average …
FEWEST_POLLS = 10  # … and in a round at least
TRY_LOST = timedelta(hours=1)  # a channel that was lost may open again
BLIND = 30  # channels asked one by one where Telegram does not give the list
NO_ACCESS = {Verdict.UNAUTHORISED, Verdict.SUSPEND}
LEAST, MOST = 1, 60  # s between two questions about a fast channel, whatever the server says
OUTSIDE = 20  # s between two, where the history has to be read
LOOK_AGAIN = 30.0  # s, where nothing was announced and no fast channel is due


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """The outcome of a round."""

    found: SyncResult  # what nobody had pushed
    quiet: int  # channels where nothing had changed
    read: int  # channels that were read
    failed: tuple[str, ...]  # Telegram's error for each channel that waits for the next round, or is lost


class Sweep:
    """Makes the archive complete; `interval` is the seconds between two rounds."""

    def __init__(self, account: Account, sync: ChannelSync, assignments: Assignments, *, interval: float) -> None:
        self._account = account
        self._sync = sync
        self._assignments = assignments
        self._interval = interval
        self._slowness = 1.0  # by which the interval is stretched
        self._wanted = asyncio.Event()
        self._lost_tried: dict[int, datetime] = {}  # channel id → when it was last tried

    async def run(self, beat: Beat = no_beat) -> None:
        """Go round at once, then every interval and whenever asked to, for ever. Raises ReaderLostError."""
        while True:
            self._wanted.clear()
            await self.sweep_once(beat)
            jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret depends on it
            pause = self._interval * self._slowness * jitter
            beat(pause + LONGEST_VISIT)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    async def request_sweep(self) -> None:
        """Begin a round now rather than at the end of the interval."""
        self._wanted.set()

    async def sweep_once(self, beat: Beat = no_beat) -> SweepResult:
        """Sync every channel that can be reached, the longest unread first; one that fails stops no other."""
        beat(LONGEST_VISIT)
        dialogs = await self._dialogs()
        found, quiet, failed = SyncResult(), [], []
        followed = await self._account.channels()
        visited = self._to_visit(followed, dialogs)
        for channel in visited:
            beat(LONGEST_VISIT)
            dialog = dialogs.get(channel.id) if dialogs is not None else None
            if dialog is not None and _is_quiet(channel, dialog):
                quiet.append(channel)
                await self._describe(channel, dialog)  # a new name is no change that the list shows otherwise
                continue
            try:
                found += await self._visit(channel, dialog, listed=dialogs is not None, beat=beat)
            except TelegramError as error:
                failed.append(error.error)
                if error.verdict in NO_ACCESS:
                    self._lost_tried[channel.id] = self._account.now()
                    await self._lose(channel, error.error)
        await self._touch(quiet)
        await self._miss(followed, dialogs)
        result = SweepResult(
            found=found, quiet=len(quiet), read=len(visited) - len(quiet) - len(failed), failed=tuple(failed)
        )
        if found != SyncResult():
            log.info("found what was not pushed", **asdict(found))
        if failed:
            log.warning("some channels could not be read", errors=sorted(set(failed))[:5], channels=len(failed))
        flooded = dialogs is None or any("_WAIT_" in error for error in failed)
        self._slowness = min(SLOWEST, self._slowness * 2) if flooded else max(1.0, self._slowness / 2)
        return result

    async def _dialogs(self) -> dict[int, Dialog] | None:
        try:
            return await channel_dialogs(self._account)
        except TelegramError as error:
            log.warning("Telegram does not return the list of channels now", error=error.error)
            return None

    def _to_visit(self, followed: list[Channel], dialogs: dict[int, Dialog] | None) -> list[Channel]:
        """Choose the channels of a round: all in the list of dialogs, and of the others those that may answer."""
        followed = sorted(followed, key=lambda channel: channel.swept_at or LONG_AGO)
        if dialogs is None:
            listed = [channel for channel in followed if channel.access is Access.JOINED][:BLIND]
            outside = [channel for channel in followed if channel.access is Access.POLLED]
        else:
            listed = [channel for channel in followed if channel.id in dialogs]
            outside = [channel for channel in followed if channel.id not in dialogs and self._may_answer(channel)]
        return listed + outside[: polls_a_round(self._interval)]

    def _may_answer(self, channel: Channel) -> bool:
        if channel.access is Access.LOST:
            return self._lost_tried.get(channel.id, LONG_AGO) + TRY_LOST <= self._account.now()
        return channel.is_readable

    async def _visit(self, channel: Channel, dialog: Dialog | None, *, listed: bool, beat: Beat) -> SyncResult:
        """Sync one channel, and write down how it is reached where that changed. Raises TelegramError."""
        if dialog is not None and isinstance(dialog.chat, types.ChannelForbidden):
            error = "CHANNEL_PRIVATE" if dialog.chat.until_date is None else BANNED
            raise TelegramError(error, code=400, verdict=Verdict.UNAUTHORISED)
        now = _as_it_is_reached(channel, dialog, listed=listed)
        if dialog is not None:
            await self._describe(channel, dialog)
        found = await self._sync.complete(now, dialog, beat)
        self._lost_tried.pop(channel.id, None)
        if (now.access, now.access_hash) != (channel.access, channel.access_hash):
            assert now.access is not None  # noqa: S101 - whatever was read has an access
            await self._account.grant(channel, now.access, access_hash=now.access_hash)
        if channel.access is Access.LOST:
            await regain(self._account, channel)
        return found

    async def _describe(self, channel: Channel, dialog: Dialog) -> None:
        if isinstance(dialog.chat, types.Channel):
            await describe(self._account, channel, dialog.chat)

    async def _miss(self, followed: list[Channel], dialogs: dict[int, Dialog] | None) -> None:
        """Lose private channels of another reader account: this one has never met them, and has no way in."""
        for channel in followed:
            is_unmet = channel.access is None and channel.username is None and channel.comments_of is None
            if is_unmet and dialogs is not None and channel.id not in dialogs:
                await self._lose(channel, NOT_MEMBER)

    async def _lose(self, channel: Channel, reason: str) -> None:
        """Write down that this reader cannot read a channel; a notice follows only where no other reader may."""
        if await self._assignments.hand_over(channel, self._account.reader_id):
            await self._account.grant(channel, Access.LOST, reason=reason)
        else:
            await lose(self._account, channel, await cause(self._account, channel, reason))

    async def _touch(self, quiet: list[Channel]) -> None:
        """Write down, in one transaction, that these channels were found complete."""
        now = self._account.now()

        async def job(tx: Transaction) -> None:
            for channel in quiet:
                seen = {"confirmed_id": channel.confirmed_id, "seen_pts": channel.seen_pts}
                await marks.set_mark(tx, channel.id, **seen, now=now, read_from=channel.seen_pts)

        if quiet:
            await self._account.database.write(job)


def polls_a_round(interval: float) -> int:
    """Return how many channels are read from outside in a round; the interval is in seconds."""
    return max(FEWEST_POLLS, int(interval * POLLS_A_SECOND))


def _is_quiet(channel: Channel, dialog: Dialog) -> bool:
    """Tell whether the list of dialogs already shows that nothing is to be read."""
    if isinstance(dialog.chat, types.ChannelForbidden) or not channel.is_swept:
        return False
    is_same = channel.access is Access.JOINED and channel.access_hash == dialog.chat.access_hash
    return is_same and dialog.top_message <= channel.confirmed_id and dialog.pts == channel.seen_pts


def _as_it_is_reached(channel: Channel, dialog: Dialog | None, *, listed: bool) -> Channel:
    if dialog is not None:
        return replace(channel, access=Access.JOINED, access_hash=dialog.chat.access_hash)
    # Not in the list (`listed`: there is one) means outside; a public channel can be read from there.
    is_outside = listed or channel.access is Access.LOST
    return replace(channel, access=Access.POLLED) if is_outside else channel


class FastChannels:
    """Asks for the changes of the few channels that people want fast, as often as Telegram bears it.

    Telegram does not push large channels promptly, except to apps that have them on the screen: such an app asks for
    the channel's difference again after the `timeout` that came with the last one
    (https://core.telegram.org/api/updates#subscribing-to-updates-of-channels-supergroups).
    """

    def __init__(self, account: Account, sync: ChannelSync) -> None:
        self._account = account
        self._sync = sync
        self._next: dict[int, datetime] = {}  # channel id → when to ask again

    async def run(self, beat: Beat = no_beat) -> None:
        """Ask and wait, for ever. Raises ReaderLostError."""
        changes = self._account.database.changes
        while True:
            revision = changes.revision(Subject.FOLLOWS)
            pause = await self.ask_due(beat)
            beat(pause + LONGEST_VISIT)
            await changes.wait(Subject.FOLLOWS, revision, pause)

    async def ask_due(self, beat: Beat = no_beat) -> float:
        """Sync each channel whose time has come; return the seconds until the next one's."""
        followed = await self._account.channels()
        fast = [channel for channel in followed if channel.fast and channel.is_readable]
        self._next = {channel.id: self._next.get(channel.id, self._account.now()) for channel in fast}
        for channel in fast:
            beat(LONGEST_VISIT)
            if self._next[channel.id] <= self._account.now() and channel.is_swept:
                await self._ask(channel, beat)
        upcoming = min(self._next.values(), default=None)
        return LOOK_AGAIN if upcoming is None else max(0.1, (upcoming - self._account.now()).total_seconds())

    async def _ask(self, channel: Channel, beat: Beat) -> None:
        pause: float = OUTSIDE
        try:
            await self._sync.complete(channel, None, beat)
        except TelegramError as error:
            log.info("a fast channel could not be asked", channel=channel.id, error=error.error)
            pause = max(error.retry_after, MOST)
        else:
            if channel.access is Access.JOINED:
                pause = min(MOST, max(LEAST, self._sync.timeouts.get(channel.id, MOST)))
        self._next[channel.id] = self._account.now() + timedelta(seconds=pause)
