"""Whom topics, channels and cases belong to: everybody, or some chats if restricted; a person by the private chat."""

from collections.abc import Collection
from enum import StrEnum

from bot.models.people import Viewer
from bot.models.topics import EVERY_POST
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list


class Restrictable(StrEnum):
    """What can be restricted; also the first word of its tables' and columns' names."""

    TOPIC = "topic"
    CHANNEL = "channel"
    CASE = "case"


def visible(kind: Restrictable, ids: str, viewer: str = ":viewer") -> str:
    """Return a condition of SQL: what `ids` names is seen by the chat `viewer`, both expressions; NULL sees everything.

    A feed is seen by those who see its channel. To be built with words of ours only. A column in `ids` has the alias of
    its table: alone it would be the inner one.
    """
    own = f"""({viewer} IS NULL OR NOT coalesce((SELECT restricted FROM {kind}s WHERE id = {ids}), 0)
        OR EXISTS (SELECT 1 FROM {kind}_access x WHERE x.{kind}_id = {ids} AND x.chat_id = {viewer}))"""  # noqa: S608 - our own
    if kind is not Restrictable.TOPIC:
        return own
    return f"""({own} AND NOT EXISTS (SELECT 1 FROM topics f JOIN channels c ON c.id = f.limits ->> 0
        WHERE f.id = {ids} AND f.query = '{EVERY_POST}' AND NOT {visible(Restrictable.CHANNEL, "c.id", viewer)}))"""  # noqa: S608 - likewise


async def sees(db: Reader, kind: Restrictable, subject_id: int, viewer: Viewer) -> bool:
    """Tell whether a topic or channel exists for a viewer."""
    sql = f"SELECT {visible(kind, ':id')}"
    return bool(await db.fetch_value(sql, {"id": subject_id, "viewer": viewer.chat_id}))


async def hidden(db: Reader, kind: Restrictable, viewer: Viewer) -> tuple[int, ...]:
    """Return the ids of what a viewer does not see."""
    sql = f"SELECT s.id FROM {kind}s s WHERE s.restricted AND NOT {visible(kind, 's.id')} ORDER BY s.id"  # noqa: S608 - our own names
    return tuple(row["id"] for row in await db.fetch_all(sql, {"viewer": viewer.chat_id}))


async def chats_of(db: Reader, kind: Restrictable, subject_id: int) -> list[int]:
    """Return the ids of the chats that a restricted topic or channel belongs to."""
    sql = f"SELECT chat_id FROM {kind}_access WHERE {kind}_id = :id ORDER BY chat_id"  # noqa: S608 - our own names
    return [row["chat_id"] for row in await db.fetch_all(sql, {"id": subject_id})]


async def restrict(tx: Transaction, kind: Restrictable, subject_id: int, chat_ids: Collection[int]) -> None:
    """Let a topic or channel belong to these chats and to no others, whose subscriptions to the topic end.

    What is true of a channel is true of the comments on its posts.
    """
    await open_to_all(tx, kind, subject_id)
    for group_id in await _comments(tx, kind, subject_id):
        await restrict(tx, kind, group_id, chat_ids)
    values = {"id": subject_id, "chats": json_list(chat_ids)}
    await tx.execute(f"UPDATE {kind}s SET restricted = 1 WHERE id = :id", values)  # noqa: S608 - our own names
    await tx.execute(
        f"""INSERT INTO {kind}_access ({kind}_id, chat_id)
        SELECT :id, id FROM chats WHERE id IN (SELECT value FROM json_each(:chats))""",  # noqa: S608 - likewise
        values,
    )
    if kind is Restrictable.TOPIC:
        others = "topic_id = :id AND chat_id NOT IN (SELECT value FROM json_each(:chats))"
        await tx.execute(f"DELETE FROM subscriptions WHERE {others}", values)  # noqa: S608 - our own words
    tx.announce(Subject.TOPICS)


async def open_to_all(tx: Transaction, kind: Restrictable, subject_id: int) -> None:
    """Let a topic or channel belong to everybody."""
    for group_id in await _comments(tx, kind, subject_id):
        await open_to_all(tx, kind, group_id)
    values = {"id": subject_id}
    await tx.execute(f"DELETE FROM {kind}_access WHERE {kind}_id = :id", values)  # noqa: S608 - our own names
    await tx.execute(f"UPDATE {kind}s SET restricted = 0 WHERE id = :id", values)  # noqa: S608 - likewise


async def share(tx: Transaction, kind: Restrictable, subject_id: int, chat_id: int) -> None:
    """Let a restricted topic or channel belong to one more chat; one that is everybody's stays so."""
    for group_id in await _comments(tx, kind, subject_id):
        await share(tx, kind, group_id, chat_id)
    await tx.execute(
        f"""INSERT OR IGNORE INTO {kind}_access ({kind}_id, chat_id)
        SELECT id, :chat FROM {kind}s WHERE id = :id AND restricted""",  # noqa: S608 - our own names
        {"id": subject_id, "chat": chat_id},
    )


async def _comments(db: Reader, kind: Restrictable, subject_id: int) -> list[int]:
    """Return the supergroups that are followed for the comments on a channel's posts, and for nothing else."""
    if kind is not Restrictable.CHANNEL:
        return []
    rows = await db.fetch_all(
        """SELECT id FROM channels c WHERE comments_of = :id AND followed_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM follows f WHERE f.channel_id = c.id)""",
        {"id": subject_id},
    )
    return [row["id"] for row in rows]
