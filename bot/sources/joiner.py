"""Joins and leaves channels, at a pace that Telegram bears."""

from datetime import timedelta

import structlog
from telethon.tl import types
from telethon.tl.functions.channels import JoinChannelRequest, LeaveChannelRequest

from bot.errors import TelegramError, Verdict
from bot.sources import resolver
from bot.sources.account import LONG_AGO, Account, retry_pause
from bot.sources.channel_events import cause, lose
from bot.sources.resolver import NotFollowableError
from bot.store import channels
from bot.store.channels import Access, Channel

log = structlog.get_logger(__name__)

JOINS_AT_ONCE = 5  # of a list of channels; then one each join interval on average
FULL = timedelta(days=1)  # an account may be in 500 channels, with Premium in 1,000


class Joiner:
    """Keeps the reader in the channels that it shall be in; `join_interval` is seconds for a join on average."""

    def __init__(self, account: Account, *, join_interval: float) -> None:
        self._account = account
        self._window = JOINS_AT_ONCE * timedelta(seconds=join_interval)
        self._join_from = self._leave_from = LONG_AGO  # no join and no leave before
        self._room_from = LONG_AGO  # no join before, after CHANNELS_TOO_MUCH

    async def may_join(self) -> bool:
        """Tell whether the pace allows a join; joins are counted in the store, across restarts."""
        now = self._account.now()
        if now < max(self._join_from, self._room_from):
            return False
        recent = await channels.count_joins(self._account.database, self._account.reader_id, now - self._window)
        return not self._window or recent < JOINS_AT_ONCE

    async def leave_one(self) -> bool:
        """Leave a channel that nobody follows any more; False where there is none, or not yet."""
        now = self._account.now()
        unwanted = await channels.unwanted(self._account.database, self._account.reader_id, now)
        if not unwanted or now < self._leave_from:
            return False
        try:
            await self._account.ask(LeaveChannelRequest(_address(unwanted[0])))
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                self._leave_from = now + retry_pause(error)
                return False
        await self._account.grant(unwanted[0], Access.LOST, reason="left")
        self._room_from = LONG_AGO
        return True

    async def join_one(self) -> bool:
        """Join the channel that has been read from outside the longest; False where none may be joined now."""
        candidates = await self._account.channels()
        polled = [channel for channel in candidates if channel.access is Access.POLLED and channel.reason is None]
        outside = [channel for channel in polled if channel.may_join]
        if not outside or not await self.may_join():
            return False
        channel = min(outside, key=lambda channel: channel.followed_at or self._account.now())
        try:
            resolver.require_joined(await self._account.ask(JoinChannelRequest(_address(channel))))
        except NotFollowableError as refusal:
            await self._account.grant(channel, Access.POLLED, reason=refusal.reason)
        except TelegramError as error:
            await self._stay_outside(channel, error)
        else:
            await self._account.grant(channel, Access.JOINED)
        return True

    async def _stay_outside(self, channel: Channel, error: TelegramError) -> None:
        """Write down the consequence of a refused join: a public channel is read from outside all the same."""
        now = self._account.now()
        if error.error == "CHANNELS_TOO_MUCH":
            log.warning("the reader account is in as many channels as Telegram allows; the others are polled")
            self._room_from = now + FULL
        elif error.verdict is Verdict.RETRY:
            self._join_from = now + retry_pause(error)
        elif error.verdict is Verdict.UNAUTHORISED:
            await lose(self._account, channel, await cause(self._account, channel, error.error))
        elif error.error == "USER_ALREADY_PARTICIPANT":
            await self._account.grant(channel, Access.JOINED)
        else:
            await self._account.grant(channel, Access.POLLED, reason=error.error)


def _address(channel: Channel) -> types.InputChannel:
    return types.InputChannel(channel.id, channel.access_hash)
