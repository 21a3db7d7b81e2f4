"""Chats that want it and the present come in; once a day each is told, without a sound, that nothing is missing."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.models import Clock
from bot.proof.standing import Delays, State
from bot.store import alerts, channels, pace, receipts
from bot.store.channels import Channel
from bot.store.database import Database, Reader, Transaction
from bot.store.receipts import Wish

LOOK_EVERY = 30.0  # s
SETTLE = 600.0  # s after a start: what was missed meanwhile is asked for first
GAPS = (State.LATE, State.LOST)  # something is missing, or may be
NAMED = 10  # channels with a gap that are named


def last_time(minute: int, zone: str, now: datetime) -> datetime:
    """Return when it was this minute of the day for the last time, in a time zone."""
    local = now.astimezone(ZoneInfo(zone))
    today = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return today if today <= local else today - timedelta(days=1)  # of the wall clock: summer time may begin meanwhile


class Receipts:
    """Writes the receipts."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """See whose time has come, for ever."""
        await asyncio.sleep(SETTLE)
        while True:
            await self.send_due()
            await asyncio.sleep(LOOK_EVERY)

    async def send_due(self) -> int:
        """Put a receipt into the outbox for each chat whose time has come since its last one; return how many."""
        now = self._clock()
        due = [
            wish
            for wish in await receipts.wishes(self._database)
            if wish.since < last_time(wish.minute, wish.chat.time_zone, now)
        ]
        for wish in due:
            payload = await _payload(self._database, wish, now)
            await self._database.write(lambda tx, wish=wish, payload=payload: _send(tx, wish, payload, now))  # type: ignore[misc]
        return len(due)


async def _payload(db: Reader, wish: Wish, now: datetime) -> dict[str, object]:
    followed = await channels.followed(db)
    delays = Delays.of(followed, await pace.get(db))
    states = {channel.id: delays.state_of(channel, now) for channel in followed}
    gaps = [channel for channel in followed if states[channel.id] in GAPS]
    return {
        "notice": "receipt",
        "since": wish.since.isoformat(),
        "channels": len(followed),
        "verified": Counter(states.values())[State.COMPLETE],
        "alerts": await receipts.alerts_of(db, wish),
        "gaps": len(gaps),
        "named": [_name(channel) for channel in gaps[:NAMED]],
    }


def _name(channel: Channel) -> str:
    return f"@{channel.username}" if channel.username else channel.title


async def _send(tx: Transaction, wish: Wish, payload: dict[str, object], now: datetime) -> None:
    subject = f"receipt:{wish.since.isoformat()}"
    await alerts.enqueue(
        tx, chat=wish.chat, kind=alerts.Kind.NOTICE, subject=subject, payload=payload, now=now, silent=True
    )
    await receipts.sent(tx, wish.chat.id, now)
