"""The daily report: once a day, each chat that wants one gets a silent notice of whether anything is missing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.models import Clock
from bot.models.notices import DailyReport
from bot.models.people import Viewer
from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.runtime.supervisor import Beat, no_beat, repeat
from bot.store import access, channels, chats, follows, outbox
from bot.store.access import Restrictable
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction
from bot.store.follows import FollowRequest, FollowState
from bot.store.notices import notify
from bot.text.references import show_reference

LOOK_EVERY = 30.0  # s
SETTLE = 600.0  # s after a start: what was missed meanwhile is asked for first
NAMED = 10  # channels of a kind that are named


def last_occurrence(minute: int, zone: str, now: datetime) -> datetime:
    """Return the last moment, up to now, at which it was this minute of the day in a time zone."""
    local = now.astimezone(ZoneInfo(zone))
    today = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return today if today <= local else today - timedelta(days=1)  # of the wall clock: summer time may begin meanwhile


class DailyReports:
    """Puts the daily reports into the outbox when their time has come."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, beat: Beat = no_beat) -> None:
        """Look for chats whose time has come, for ever."""
        await repeat(self.send_due, beat, every=LOOK_EVERY, after=SETTLE)

    async def send_due(self) -> int:
        """Send a report to each chat whose time has come since its last one; return to how many."""
        now = self._clock()
        due = [
            (chat, chat.report.since)
            for chat in await chats.everyone(self._database)
            if chat.report is not None
            and chat.suspended is None
            and chat.report.since < last_occurrence(chat.report.minute, chat.time_zone, now)
        ]
        states = await channel_states(self._database, now) if due else []
        for chat, since in due:
            hidden = await access.hidden(self._database, Restrictable.CHANNEL, Viewer(chat_id=chat.id))
            seen = [state for state in states if state.channel.id not in hidden]
            report = await _report(self._database, chat, since, seen)

            async def send(tx: Transaction, chat: Chat = chat, report: DailyReport = report) -> None:
                await notify(tx, chat, report, now=now)
                await chats.reported(tx, chat.id, now)

            await self._database.write(send)
        return len(due)


async def _report(db: Reader, chat: Chat, since: datetime, states: Sequence[ChannelState]) -> DailyReport:
    wishes = await follows.all_follows(db, Viewer(chat_id=chat.id))
    waiting = [follow for follow in wishes if follow.state is FollowState.WANTED]
    gaps = [state.channel for state in states if state.has_gap]
    pages = [state for state in states if state.status is ChannelStatus.PAGE and not state.has_gap]
    unverified = [s.channel for s in states if not s.has_gap and not s.is_verified and s not in pages]
    waiting_names = [await _wanted(db, follow) for follow in waiting[: max(0, NAMED - len(unverified))]]
    return DailyReport(
        event=since.isoformat(),
        since=since,
        channels=len(states) + len(waiting),
        alerts=await outbox.count_alerts(db, chat.id, since),
        verified=sum(state.is_verified for state in states),
        gaps=len(gaps),
        gap_names=tuple(each.called for each in gaps[:NAMED]),
        pages=len(pages),
        unverified_names=(*(each.called for each in unverified[:NAMED]), *waiting_names),
    )


async def _wanted(db: Reader, follow: FollowRequest) -> str:
    """Name the channel of a request to follow: by its title, where a number was asked for and the title is known."""
    known = await channels.by_ids(db, [follow.reference])
    return known[0].called if known else show_reference(follow.reference)
