"""Topics: named queries with their compiled form; names are unique whatever their case."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import __version__
from bot.models.people import EVERYTHING, Viewer
from bot.models.topics import TopicState
from bot.parts import compact_json
from bot.store import meta
from bot.store.access import Restrictable, visible
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import read, read_all, to_ms

Expand = Callable[[str, Sequence[str]], str]  # a query, and the words it leaves out, become its compiled JSON
REFERRING = ("subscriptions", "exclusions", "mutes", "topic_access", "topic_versions")  # tables: gone with their topic
_EXPANDED_BY = "builtin_topics_expanded_by"  # the version of the program that did


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named query."""

    id: int
    name: str  # as written
    query: str  # as written, without its limits; `EVERY_POST` for a feed
    limits: tuple[str, ...]  # names of the channels and channel groups whose posts alone it is about; none: all
    excluded: tuple[str, ...]  # words that are left out in all chats, each a query of its own
    compiled: str  # JSON, forms expanded, without the words left out
    builtin: bool  # comes from a file: nobody changes it in the chat
    on_by_default: bool  # whether pairing subscribes the owner to it
    restricted: bool = False  # only some chats find it
    author: int | None = None  # the person who made it; None: a file, or nobody knows

    @property
    def state(self) -> TopicState:
        """What it looks for."""
        return TopicState(query=self.query, limits=self.limits, excluded=self.excluded)

    @property
    def source(self) -> str:
        """The query with its limits, as people type them."""
        return self.state.source

    @property
    def is_feed(self) -> bool:
        """Tell whether it finds every post of its channels."""
        return self.state.is_feed

    @property
    def is_confidential(self) -> bool:
        """Tell whether the log of other chats is to say nothing of it; a feed is seen by those only who have it."""
        return self.restricted or self.is_feed


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledTopic:
    """A topic as a file describes it."""

    name: str
    query: str
    on_by_default: bool  # whether pairing subscribes the owner to it
    limits: tuple[str, ...] = ()  # as of `Topic`


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicVersion:
    """What a topic looked for at one time."""

    number: int  # from 1
    query: str
    limits: tuple[str, ...]
    excluded: tuple[str, ...]
    at: datetime  # since when
    name: str  # of who made it so; empty: a file, or somebody on the server

    @property
    def state(self) -> TopicState:
        """What it looked for."""
        return TopicState(query=self.query, limits=self.limits, excluded=self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChanges:
    """The changes of topics since an earlier one."""

    number: int  # of the last change
    saved: list[Topic]  # those that were made or given another query
    gone: list[int]  # ids of those that were deleted


async def all_topics(db: Reader, viewer: Viewer = EVERYTHING) -> list[Topic]:
    """Return all topics that a viewer sees, the built-in ones first."""
    sql = f"SELECT * FROM topics t WHERE {visible(Restrictable.TOPIC, 't.id')} ORDER BY builtin DESC, id"  # noqa: S608 - our own
    return read_all(Topic, await db.fetch_all(sql, {"viewer": viewer.chat_id}))


async def changed(db: Reader, since: int) -> TopicChanges:
    """Return the topics saved or deleted after the change of this number; 0 returns all."""
    rows = await db.fetch_all(
        """SELECT number, topic_id, topics.* FROM topic_changes LEFT JOIN topics ON topics.id = topic_id
        WHERE number > :since ORDER BY number""",
        {"since": since},
    )
    return TopicChanges(
        number=rows[-1]["number"] if rows else since,
        saved=read_all(Topic, [row for row in rows if row["id"] is not None]),
        gone=[row["topic_id"] for row in rows if row["id"] is None],
    )


async def last_change(db: Reader) -> int:
    """Return the number of the last change of any topic."""
    return int(await db.fetch_value("SELECT coalesce(max(number), 0) FROM topic_changes"))


async def find(db: Reader, name: str) -> Topic | None:
    """Return the topic of this name, case ignored."""
    row = await db.fetch_one("SELECT * FROM topics WHERE folded = :folded", {"folded": _fold(name)})
    return read(Topic, row) if row else None


async def save(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    *,
    name: str,
    query: str,
    compiled: str,
    limits: Sequence[str] = (),
    excluded: Sequence[str] = (),
    author: int | None = None,
    by: str = "",
    now: datetime,
) -> Topic:
    """Make a topic, or change what the topic of this name looks for, which is no file's any more.

    `compiled` leaves the words out, too; `by` is the name of who does it, and `author` of a new topic is that person.
    """
    await tx.execute(
        """INSERT INTO topics (name, folded, query, limits, excluded, compiled, author)
        VALUES (:name, :folded, :query, :limits, :excluded, :compiled, :author)
        ON CONFLICT (folded) DO UPDATE SET name = excluded.name, query = excluded.query, limits = excluded.limits,
            excluded = excluded.excluded, compiled = excluded.compiled,
            file_gone = iif((query, limits) = (excluded.query, excluded.limits), file_gone, 0)""",
        {
            "name": name.strip(),
            "folded": _fold(name),
            "query": query,
            "limits": compact_json(list(limits)),
            "excluded": compact_json(list(excluded)),
            "compiled": compiled,
            "author": author,
        },
    )
    (row,) = await tx.fetch_all("SELECT * FROM topics WHERE folded = :folded", {"folded": _fold(name)})
    await _keep_version(tx, row["id"], by=by, now=now)
    tx.announce(Subject.TOPICS)
    return read(Topic, row)


async def _keep_version(tx: Transaction, topic_id: int, *, by: str, now: datetime) -> None:
    """Write down what a topic looks for from now on, if that is something else than before."""
    await tx.execute(
        """INSERT INTO topic_versions (topic_id, number, query, limits, excluded, at, name)
        SELECT t.id, coalesce(v.number, 0) + 1, t.query, t.limits, t.excluded, :now, :by
        FROM topics t LEFT JOIN topic_versions v ON v.topic_id = t.id
            AND v.number = (SELECT max(number) FROM topic_versions WHERE topic_id = t.id)
        WHERE t.id = :id AND (v.query, v.limits, v.excluded) IS NOT (t.query, t.limits, t.excluded)""",
        {"id": topic_id, "now": to_ms(now), "by": by},
    )


async def versions(db: Reader, topic_id: int) -> list[TopicVersion]:
    """Return what a topic looked for, the present version first."""
    sql = "SELECT * FROM topic_versions WHERE topic_id = :id ORDER BY number DESC"
    return read_all(TopicVersion, await db.fetch_all(sql, {"id": topic_id}))


async def rename(tx: Transaction, topic_id: int, name: str) -> None:
    """Call a topic by another name, which no other has."""
    sql = "UPDATE topics SET name = :name, folded = :folded WHERE id = :id"
    await tx.execute(sql, {"id": topic_id, "name": name, "folded": _fold(name)})
    tx.announce(Subject.TOPICS)


async def get(db: Reader, topic_id: int, viewer: Viewer = EVERYTHING) -> Topic | None:
    """Return a topic by the id of its row; None where there is none that the viewer sees."""
    sql = f"SELECT * FROM topics t WHERE id = :id AND {visible(Restrictable.TOPIC, 't.id')}"  # noqa: S608 - our own
    row = await db.fetch_one(sql, {"id": topic_id, "viewer": viewer.chat_id})
    return read(Topic, row) if row else None


async def subscribed_chats(db: Reader, topic_id: int) -> list[int]:
    """Return the ids of the chats that are subscribed to a topic."""
    sql = "SELECT chat_id FROM subscriptions WHERE topic_id = :id ORDER BY chat_id"
    return [row["chat_id"] for row in await db.fetch_all(sql, {"id": topic_id})]


async def delete(tx: Transaction, topic_id: int) -> bool:
    """Delete a topic with what refers to it; False for a built-in one, which stays."""
    values = {"id": topic_id}
    if await tx.fetch_one("SELECT 1 FROM topics WHERE id = :id AND builtin", values):
        return False
    for table in REFERRING:
        await tx.execute(f"DELETE FROM {table} WHERE topic_id = :id", values)  # noqa: S608 - our own names
    tx.announce(Subject.TOPICS)
    return await tx.execute("DELETE FROM topics WHERE id = :id", values) > 0


async def take_over(
    tx: Transaction, filed: Iterable[FiledTopic], expand: Expand, *, now: datetime, program: str = __version__
) -> list[str]:
    """Bring the built-in topics up to date with the files; return the names that people's own topics have taken.

    Those topics stay as they are. A topic whose file is gone becomes one that people can change and delete; until they
    do, a file of its name takes it over again. Excluded words stay. `expand` loads dictionaries, so it is called only
    where a query is new or another `program`, one of another version or with other dictionaries, expanded it.
    """
    known = {_fold(topic.name): topic for topic in await all_topics(tx)}
    ours = {row["folded"] for row in await tx.fetch_all("SELECT folded FROM topics WHERE builtin OR file_gone")}
    same_program = await meta.get(tx, _EXPANDED_BY) == program
    files = {_fold(topic.name): topic for topic in filed}
    for folded, topic in files.items():
        if folded in ours or folded not in known:
            await _bring_up(tx, topic, known.get(folded), expand, same_program=same_program, now=now)
    for folded in ours - files.keys():
        if known[folded].builtin:
            sql = "UPDATE topics SET builtin = 0, file_gone = 1 WHERE folded = :folded"
            await tx.execute(sql, {"folded": folded})
            tx.announce(Subject.TOPICS)
    await meta.put(tx, _EXPANDED_BY, program)
    return [topic.name for folded, topic in files.items() if folded in known.keys() - ours]


async def _bring_up(  # noqa: PLR0913 - what there was, what shall be, and how to get there
    tx: Transaction,
    topic: FiledTopic,
    before: Topic | None,
    expand: Expand,
    *,
    same_program: bool,
    now: datetime,
) -> None:
    expanded = before is not None and same_program and before.query == topic.query
    filed = (True, topic.name, topic.on_by_default, topic.limits)
    is_same = before and (before.builtin, before.name, before.on_by_default, before.limits) == filed
    if expanded and is_same:
        return
    excluded = before.excluded if before else ()
    await tx.execute(
        """INSERT INTO topics (name, folded, query, limits, compiled, builtin, on_by_default)
        VALUES (:name, :folded, :query, :limits, :compiled, 1, :on_by_default)
        ON CONFLICT (folded) DO UPDATE SET name = excluded.name, query = excluded.query, limits = excluded.limits,
            compiled = excluded.compiled, builtin = 1, file_gone = 0,
            on_by_default = excluded.on_by_default""",
        {
            "name": topic.name,
            "folded": _fold(topic.name),
            "query": topic.query,
            "limits": compact_json(list(topic.limits)),
            "compiled": before.compiled if expanded and before is not None else expand(topic.query, excluded),
            "on_by_default": topic.on_by_default,
        },
    )
    topic_id = await tx.fetch_value("SELECT id FROM topics WHERE folded = :folded", {"folded": _fold(topic.name)})
    await _keep_version(tx, topic_id, by="", now=now)
    tx.announce(Subject.TOPICS)


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
