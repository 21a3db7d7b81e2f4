"""Alerts that could not be delivered: which there are, and which of them are to be tried again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.models import post_link
from bot.models.notices import AlertsMissed
from bot.store import chats
from bot.store.database import Reader, Subject, Transaction
from bot.store.notices import notify
from bot.store.rows import from_ms, json_list, to_ms

# An edit whose message is gone is nothing that a chat has missed, nor is the file of a post that it was told of.
_DEAD = "a.state = 'dead' AND a.kind NOT IN ('edit', 'files')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """An alert that ended before it was delivered."""

    id: int
    created_at: datetime
    chat: str  # its title
    about: str  # the link of a post, or the name of a notice
    reason: str  # Telegram's error string
    suspended: bool  # the chat takes nothing for now, whatever it is


async def listed(db: Reader) -> list[Dead]:
    """Return all dead alerts, oldest first."""
    rows = await db.fetch_all(
        f"""SELECT a.id, a.created_at, a.reason, a.kind, c.title, c.suspended, v.channel_id, v.message_id, n.username,
            coalesce(a.payload ->> 'kind', a.payload ->> 'notice') AS notice
        FROM alerts a INDEXED BY alerts_dead JOIN chats c ON c.id = a.chat_id
        LEFT JOIN versions v ON v.id = coalesce(a.payload ->> 'shown', a.payload ->> 'version_id')
        LEFT JOIN channels n ON n.id = v.channel_id
        WHERE {_DEAD} ORDER BY a.id"""  # noqa: S608 - our own constant
    )
    return [
        Dead(
            id=row["id"],
            created_at=from_ms(row["created_at"]),
            chat=row["title"],
            about=row["notice"] or post_link(row["channel_id"], row["username"], row["message_id"]),
            reason=row["reason"] or "",
            suspended=row["suspended"] is not None,
        )
        for row in rows
    ]


async def try_again(tx: Transaction, ids: Collection[int], now: datetime) -> int:
    """Make dead alerts due again, under the same `random_id`; return how many. Those of suspended chats stay dead."""
    count = await tx.execute(
        f"""UPDATE alerts AS a SET state = 'due', due_at = :now, attempts = 0, reason = NULL
        WHERE a.id IN (SELECT value FROM json_each(:ids)) AND {_DEAD}
            AND a.chat_id NOT IN (SELECT id FROM chats WHERE suspended IS NOT NULL)""",  # noqa: S608 - our own constant
        {"ids": json_list(ids), "now": to_ms(now)},
    )
    tx.announce(Subject.ALERTS)
    return count


async def missed(db: Reader, chat_id: int) -> int:
    """Count what a chat has missed since it was last told of that."""
    row = await db.fetch_one(
        f"""SELECT count(*) AS count FROM alerts a WHERE a.chat_id = :chat AND {_DEAD} AND a.id > coalesce(
            (SELECT max(id) FROM alerts WHERE chat_id = :chat AND kind = 'notice' AND subject LIKE 'missed:%'), 0)
        """,  # noqa: S608 - our own constant
        {"chat": chat_id},
    )
    return 0 if row is None else row["count"]


async def resume(tx: Transaction, chat_id: int, now: datetime) -> None:
    """Send to a suspended chat again, and tell it what it has missed: that stays dead, for it is old by now."""
    chat = await chats.get(tx, chat_id)
    if chat is None or chat.suspended is None:
        return
    await chats.resume(tx, chat_id)
    notice = AlertsMissed(event=str(to_ms(now)), alerts=await missed(tx, chat_id))
    await notify(tx, chat, notice, now=now)
