"""What was sent lately goes out, alerts and answers, by the chats that got it."""

from dataclasses import dataclass
from datetime import datetime

from bot.models import Peer, PeerKind
from bot.store.database import Reader
from bot.store.rows import from_ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message of ours, or an edit of one."""

    peer: Peer
    at: datetime  # when Telegram had taken it


# An answer names its chat in its key, kind-id-message: to look for it among thousands of chats would take minutes.
_LATELY = """SELECT c.kind, c.telegram_id, a.sent_at AS at FROM alerts a JOIN chats c ON c.id = a.chat_id
        LEFT JOIN attachments t ON t.reply_id = a.id -- an album is as many messages
        WHERE a.state = 'sent' AND a.sent_at BETWEEN :since AND :now
    UNION ALL SELECT substr(key, 1, instr(key, '-') - 1), CAST(substr(key, instr(key, '-') + 1) AS INTEGER), said_at
        FROM handled WHERE said_at BETWEEN :since AND :now AND key NOT LIKE 'tap-%'
    ORDER BY at"""


async def lately(db: Reader, *, since: datetime, now: datetime) -> list[Sending]:
    """Return what was sent since a moment, the oldest first; of answers only those to messages tell their chat."""
    rows = await db.fetch_all(_LATELY, {"since": to_ms(since), "now": to_ms(now)})
    return [
        Sending(peer=Peer(kind=PeerKind(row["kind"]), id=row["telegram_id"]), at=from_ms(row["at"])) for row in rows
    ]
