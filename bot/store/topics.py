"""Topics: named queries with their compiled form; names are unique whatever their case."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot import __version__
from bot.store import meta
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import to_ms

_EXPANDED_BY = "builtin_topics_expanded_by"  # the version of the program that did


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named query."""

    id: int
    name: str  # as written
    query: str  # as written
    compiled: str  # JSON, forms expanded
    builtin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of the topics since some change."""

    number: int  # of the last change
    saved: list[Topic]  # those that were made or given another query
    gone: list[int]  # ids of those that were deleted


def _to_topic(row: sqlite3.Row) -> Topic:
    return Topic(
        id=row["id"], name=row["name"], query=row["query"], compiled=row["compiled"], builtin=bool(row["builtin"])
    )


async def all_topics(db: Reader) -> list[Topic]:
    """Return all topics, the built-in ones first."""
    return [_to_topic(row) for row in await db.fetch_all("SELECT * FROM topics ORDER BY builtin DESC, id")]


async def changed(db: Reader, since: int) -> Changed:
    """Return what was saved or deleted after the change of this number; after 0 it was everything."""
    rows = await db.fetch_all(
        """SELECT number, topic_id, topics.* FROM topic_changes LEFT JOIN topics ON topics.id = topic_id
        WHERE number > :since ORDER BY number""",
        {"since": since},
    )
    return Changed(
        number=rows[-1]["number"] if rows else since,
        saved=[_to_topic(row) for row in rows if row["id"] is not None],
        gone=[row["topic_id"] for row in rows if row["id"] is None],
    )


async def find(db: Reader, name: str) -> Topic | None:
    """Return the topic of this name, case ignored."""
    row = await db.fetch_one("SELECT * FROM topics WHERE folded = :folded", {"folded": _fold(name)})
    return _to_topic(row) if row else None


async def save(tx: Transaction, *, name: str, query: str, compiled: str, now: datetime) -> Topic:
    """Make a topic, or give the one of this name another query."""
    await tx.execute(
        """INSERT INTO topics (name, folded, query, compiled, created_at)
        VALUES (:name, :folded, :query, :compiled, :now)
        ON CONFLICT (folded) DO UPDATE SET name = excluded.name, query = excluded.query,
            compiled = excluded.compiled""",
        {"name": name.strip(), "folded": _fold(name), "query": query, "compiled": compiled, "now": to_ms(now)},
    )
    tx.announce(Subject.TOPICS)
    rows = await tx.fetch_all("SELECT * FROM topics WHERE folded = :folded", {"folded": _fold(name)})
    return _to_topic(rows[0])


async def users(db: Reader, topic_id: int) -> list[int]:
    """Return the ids of the chats that are subscribed to a topic."""
    sql = "SELECT chat_id FROM subscriptions WHERE topic_id = :id ORDER BY chat_id"
    return [row["chat_id"] for row in await db.fetch_all(sql, {"id": topic_id})]


async def delete(tx: Transaction, topic_id: int) -> bool:
    """Delete a topic with its subscriptions and mutes; False for a built-in one, which stays."""
    values = {"id": topic_id}
    if await tx.fetch_one("SELECT 1 FROM topics WHERE id = :id AND builtin", values):
        return False
    await tx.execute("DELETE FROM subscriptions WHERE topic_id = :id", values)
    await tx.execute("DELETE FROM mutes WHERE topic_id = :id", values)
    tx.announce(Subject.TOPICS)
    return await tx.execute("DELETE FROM topics WHERE id = :id", values) > 0


async def ensure_builtin(
    tx: Transaction, queries: Mapping[str, str], expand: Callable[[str], str], *, now: datetime
) -> None:
    """Bring the built-in topics, name → query, up to date; a topic that a person made under such a name stays theirs.

    `expand` turns a query into its compiled JSON. It loads dictionaries, so it is asked only where a query is new or
    another version of the program expanded it.
    """
    known = {topic.name: topic for topic in await all_topics(tx) if topic.builtin}
    same_program = await meta.get(tx, _EXPANDED_BY) == __version__
    for name, query in queries.items():
        if same_program and name in known and known[name].query == query:
            continue
        await tx.execute(
            """INSERT INTO topics (name, folded, query, compiled, builtin, created_at)
            VALUES (:name, :folded, :query, :compiled, 1, :now)
            ON CONFLICT (folded) DO UPDATE SET query = excluded.query, compiled = excluded.compiled WHERE builtin""",
            {"name": name, "folded": _fold(name), "query": query, "compiled": expand(query), "now": to_ms(now)},
        )
        tx.announce(Subject.TOPICS)
    await meta.put(tx, _EXPANDED_BY, __version__)


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
