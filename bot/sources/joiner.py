"""Channels to be joined or left come in from the store; the reader goes in and out, at a pace that Telegram bears."""

from datetime import datetime, timedelta

import structlog
from telethon.tl import types
from telethon.tl.functions.channels import JoinChannelRequest, LeaveChannelRequest

from bot.errors import TelegramError, Verdict
from bot.models import Clock
from bot.sources import resolver
from bot.sources.account import Account, retry_pause
from bot.sources.channel_events import cause, lose
from bot.sources.resolver import NotFollowableError
from bot.store import assignments, channels
from bot.store.channels import Access, Channel
from bot.store.database import Database
from bot.telegram.rate_limit import Pause

log = structlog.get_logger(__name__)

JOINS_AT_ONCE = 5  # of a list of channels; then one each join interval on average
FULL = timedelta(days=1)  # an account may be in 500 channels, with Premium in 1,000


class Joiner:
    """Which channels the reader is in; `join_interval` is in seconds."""

    def __init__(self, account: Account, database: Database, *, clock: Clock, join_interval: float) -> None:
        self._account = account
        self._database = database
        self._reader_id = account.reader_id
        self._clock = clock
        self._window = JOINS_AT_ONCE * timedelta(seconds=join_interval)
        self._join_pause = Pause()
        self._leave_pause = Pause()
        self._full_pause = Pause()  # CHANNELS_TOO_MUCH

    async def may_join(self) -> bool:
        """Say whether the pace allows a join; it is counted in the store, so that restarts do not reset it."""
        now = self._clock()
        if not (self._join_pause.is_over(now) and self._full_pause.is_over(now)):
            return False
        recent = await channels.joins_since(self._database, self._reader_id, now - self._window)
        return not self._window or recent < JOINS_AT_ONCE

    async def leave_one(self) -> bool:
        """Leave a channel that nobody follows any more."""
        now = self._clock()
        unwanted = await channels.unwanted(self._database, self._reader_id)
        if not unwanted or not self._leave_pause.is_over(now):
            return False
        try:
            await self._account.ask(LeaveChannelRequest(_address(unwanted[0])))
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                self._leave_pause.extend(now + retry_pause(error))
                return False
        await self._grant(unwanted[0], Access.LOST, reason="left")
        self._full_pause.end()  # there is room again
        return True

    async def join_one(self) -> bool:
        """Join the channel that has been read from outside the longest, if the pace allows."""
        candidates = await assignments.assigned_channels(self._database, self._reader_id)
        polled = [channel for channel in candidates if channel.access is Access.POLLED and channel.reason is None]
        outside = [channel for channel in polled if channel.may_join]
        if not outside or not await self.may_join():
            return False
        channel = min(outside, key=lambda channel: channel.followed_at or self._clock())
        try:
            resolver.require_joined(await self._account.ask(JoinChannelRequest(_address(channel))))
        except NotFollowableError as refusal:
            await self._grant(channel, Access.POLLED, reason=refusal.reason)
        except TelegramError as error:
            await self._stay_outside(channel, error)
        else:
            await self._grant(channel, Access.JOINED, joined_at=self._clock())
        return True

    async def _stay_outside(self, channel: Channel, error: TelegramError) -> None:
        """Decide what a refused join means: a public channel is read from outside all the same."""
        now = self._clock()
        if error.error == "CHANNELS_TOO_MUCH":
            log.warning("the reader account is in as many channels as Telegram allows; the others are polled")
            self._full_pause.extend(now + FULL)
        elif error.verdict is Verdict.RETRY:
            self._join_pause.extend(now + retry_pause(error))
        elif error.verdict is Verdict.UNAUTHORISED:
            why = await cause(self._account, channel, error.error)
            await lose(self._database, channel, reader_id=self._reader_id, reason=why, now=now)
        elif error.error == "USER_ALREADY_PARTICIPANT":
            await self._grant(channel, Access.JOINED)
        else:
            await self._grant(channel, Access.POLLED, reason=error.error)

    async def _grant(
        self,
        channel: Channel,
        access: Access,
        *,
        reason: str | None = None,
        joined_at: datetime | None = None,
    ) -> None:
        now, reader_id = self._clock(), self._reader_id
        await self._database.write(
            lambda tx: channels.grant(tx, reader_id, channel.id, access, reason=reason, joined_at=joined_at, now=now)
        )


def _address(channel: Channel) -> types.InputChannel:
    return types.InputChannel(channel.id, channel.access_hash)
