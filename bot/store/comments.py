"""Comments: the supergroups that they are in, and which messages there are copies of a channel's posts.

What answers a copy is under the post.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.models import Post
from bot.store import access, outbox
from bot.store.access import Restrictable
from bot.store.channels import Channel, ResolvedChannel
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, to_ms


async def follow(tx: Transaction, group: ResolvedChannel, channel: Channel, *, now: datetime) -> None:
    """Follow the supergroup with the comments on a channel's posts; it is not joined for that."""
    await tx.execute(
        """INSERT INTO channels (id, kind, title, username, followed_at, comments_of, may_join)
        VALUES (:id, :kind, :title, :username, :now, :channel, 0)
        ON CONFLICT DO UPDATE SET title = excluded.title, username = excluded.username, unfollowed_at = NULL,
            may_join = iif(followed_at IS NULL, 0, may_join), followed_at = coalesce(followed_at, excluded.followed_at),
            comments_of = excluded.comments_of""",
        {
            "id": group.id,
            "kind": group.kind,
            "title": group.title,
            "username": group.username,
            "now": to_ms(now) // 1000 * 1000,
            "channel": channel.id,
        },
    )
    await tx.execute(  # what was stored as posts of its own, while the supergroup was followed for itself
        """INSERT OR IGNORE INTO post_copies (channel_id, message_id, post_id)
        SELECT channel_id, message_id, forward ->> 'message_id' FROM posts
        WHERE channel_id = :group AND forward ->> 'channel_id' = :channel""",
        {"group": group.id, "channel": channel.id},
    )
    if channel.restricted:  # as restricted as the channel, unless it was asked for by name
        await access.restrict(
            tx, Restrictable.CHANNEL, channel.id, await access.chats_of(tx, Restrictable.CHANNEL, channel.id)
        )
    tx.announce(Subject.FOLLOWS)
    tx.announce(Subject.TOPICS)  # which may be limited to it


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
