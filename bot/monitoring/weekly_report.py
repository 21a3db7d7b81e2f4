"""The weekly report: on a day of its choice, a chat gets a silent notice of seven days, with a chart."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from bot.errors import ChannelwatchError
from bot.models import Clock
from bot.models.counts import Selection, WeekCounts
from bot.models.notices import WeeklyReport
from bot.models.people import Viewer
from bot.monitoring.channel_state import ChannelState, channel_states
from bot.monitoring.daily_report import LOOK_EVERY, NAMED, SETTLE, last_occurrence
from bot.runtime.supervisor import TURN, Beat, no_beat, repeat
from bot.store import access, chats
from bot.store.access import Restrictable
from bot.store.chats import Chat, WeeklyTime
from bot.store.database import Database, Transaction
from bot.store.notices import notify

log = structlog.get_logger(__name__)

Count = Callable[[Selection], Awaitable[WeekCounts]]  # in a process apart; raises ChannelwatchError where it cannot
DAYS = timedelta(days=7)


def last_weekly(weekly: WeeklyTime, zone: str, now: datetime) -> datetime:
    """Return the last moment, up to now, at which it was this minute of this weekday in a time zone."""
    at = last_occurrence(weekly.minute, zone, now)
    return at - timedelta(days=(at.weekday() - weekly.weekday) % 7)  # of the wall clock


class WeeklyReports:
    """Puts the weekly reports into the outbox when their time has come."""

    def __init__(self, database: Database, count: Count, *, clock: Clock) -> None:
        self._database = database
        self._count = count
        self._clock = clock

    async def run(self, beat: Beat = no_beat) -> None:
        """Look for chats whose time has come, for ever."""
        await repeat(partial(self.send_due, beat), beat, every=LOOK_EVERY, after=SETTLE)

    async def send_due(self, beat: Beat = no_beat) -> int:
        """Send a report to each chat whose time has come since its last one; return to how many.

        What cannot be counted now, since many are searching, is tried again at the next look.
        """
        now, sent = self._clock(), 0
        due = [
            chat
            for chat in await chats.everyone(self._database)
            if chat.weekly is not None
            and chat.suspended is None
            and chat.weekly.since < last_weekly(chat.weekly, chat.time_zone, now)
        ]
        states = await channel_states(self._database, now) if due else []
        for chat in due:
            beat(TURN)
            try:
                report = await self._report(chat, states, now)
            except ChannelwatchError as error:
                log.warning("a weekly report waits", chat=chat.id, reason=str(error))
                continue

            async def send(tx: Transaction, chat: Chat = chat, report: WeeklyReport = report) -> None:
                await notify(tx, chat, report, now=now)
                await chats.reported_weekly(tx, chat.id, now)

            await self._database.write(send)
            sent += 1
        return sent

    async def _report(self, chat: Chat, states: Sequence[ChannelState], now: datetime) -> WeeklyReport:
        viewer, zone = Viewer(chat_id=chat.id), ZoneInfo(chat.time_zone)
        today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        since, until = (today - DAYS).astimezone(UTC), today.astimezone(UTC)
        hidden = await access.hidden(self._database, Restrictable.CHANNEL, viewer)
        gaps = [state.channel for state in states if state.has_gap and state.channel.id not in hidden]
        selection = Selection(chats=(chat.id,), viewer=viewer, since=since, until=until, time_zone=chat.time_zone)
        return WeeklyReport(
            event=until.isoformat(),
            since=since,
            until=until,
            counts=await self._count(selection),
            gaps=len(gaps),
            gap_names=tuple(each.called for each in gaps[:NAMED]),
        )
