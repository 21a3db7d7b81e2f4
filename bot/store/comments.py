"""Comments: which messages of a supergroup are copies of a channel's posts: what answers them is under a post."""

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.models import Post
from bot.store import outbox
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list


async def put_copies(tx: Transaction, copies: Sequence[Post], *, now: datetime) -> None:
    """Write copies down; the alerts of comments that came before them are to name their post."""
    found = [[each.channel_id, each.message_id, each.copy_of[1]] for each in copies if each.copy_of is not None]
    if not found:
        return
    rows = await tx.fetch_all(
        """SELECT m.id FROM json_each(:found) f
        JOIN posts p ON p.channel_id = f.value ->> 0 AND p.root_id = f.value ->> 1
        JOIN alerts a ON a.channel_id = p.channel_id AND a.post_key = p.post_key
        JOIN messages m ON m.alert_id = a.id AND m.kind = 'alert'
        WHERE NOT EXISTS (
            SELECT 1 FROM post_copies k WHERE k.channel_id = p.channel_id AND k.message_id = p.root_id)""",
        {"found": json_list(found)},
    )
    sql = "INSERT INTO post_copies (channel_id, message_id, post_id)"
    await tx.insert_all(sql, [tuple(each) for each in found], "ON CONFLICT DO UPDATE SET post_id = excluded.post_id")
    await outbox.revise(tx, [row["id"] for row in rows], now=now)


async def put_others(tx: Transaction, channel_id: int, message_ids: Collection[int]) -> None:
    """Write down that messages of a supergroup are no copies, so that nobody asks for them again."""
    rows = [(channel_id, message_id, None) for message_id in message_ids]
    sql = "INSERT INTO post_copies (channel_id, message_id, post_id)"
    await tx.insert_all(sql, rows, "ON CONFLICT DO NOTHING")


async def unknown(db: Reader, channel_id: int, roots: Collection[int]) -> list[int]:
    """Return those of some messages of a supergroup of which nobody knows whether they are copies."""
    rows = await db.fetch_all(
        """SELECT r.value AS root FROM json_each(:roots) r
        WHERE NOT EXISTS (SELECT 1 FROM post_copies WHERE channel_id = :channel AND message_id = r.value)
        AND NOT EXISTS (SELECT 1 FROM posts WHERE channel_id = :channel AND message_id = r.value) ORDER BY 1""",
        {"channel": channel_id, "roots": json_list(roots)},
    )
    return [row["root"] for row in rows]
