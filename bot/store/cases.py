"""Cases: posts under a name, with notes and tags; what becomes of a post is no matter to the cases that it is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.models import StoredPost
from bot.models.captures import CaptureCause
from bot.models.people import EVERYTHING, Viewer
from bot.parts import compact_json
from bot.store import captures, media
from bot.store.access import Restrictable, visible
from bot.store.database import Reader, Transaction
from bot.store.rows import read, read_all, to_ms
from bot.text.channel_names import spelt

LONGEST_NOTE, LONGEST_TAG = 1000, 32  # characters
MOST_TAGS = 10
MOST_POSTS = 2000  # in a case: a dossier of more is a book


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case, and how many posts of it somebody sees."""

    id: int
    name: str
    note: str
    tags: tuple[str, ...]
    author_id: int | None  # the person who opened it; None: somebody on the server
    author: str  # their name then
    restricted: bool
    created_at: datetime
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePost:
    """A post in a case, by its message of the lowest number."""

    channel_id: int
    message_id: int
    note: str
    chat_id: int  # where it was saved
    name: str  # of who saved it
    added_at: datetime


_CASES = f"""SELECT c.*, (SELECT count(*) FROM case_posts k WHERE k.case_id = c.id
        AND {visible(Restrictable.CHANNEL, "k.channel_id")}) AS posts
    FROM cases c WHERE {visible(Restrictable.CASE, "c.id")}"""  # noqa: S608 - our own words
_CASE_POSTS = f"""SELECT k.* FROM case_posts k
    JOIN posts p ON p.channel_id = k.channel_id AND p.message_id = k.message_id
    WHERE k.case_id = :case AND {visible(Restrictable.CHANNEL, "k.channel_id")}"""  # noqa: S608 - likewise


async def every(db: Reader, viewer: Viewer) -> list[Case]:
    """Return the cases that a viewer sees, those first in which a post was saved last."""
    sql = f"""{_CASES} ORDER BY max(c.created_at, coalesce(
        (SELECT max(added_at) FROM case_posts WHERE case_id = c.id), 0)) DESC, c.id DESC"""  # noqa: S608 - our own words
    return read_all(Case, await db.fetch_all(sql, {"viewer": viewer.chat_id}))


async def get(db: Reader, case_id: int, viewer: Viewer = EVERYTHING) -> Case | None:
    """Return a case by the id of its row; None where there is none that the viewer sees."""
    row = await db.fetch_one(f"{_CASES} AND c.id = :id", {"id": case_id, "viewer": viewer.chat_id})
    return None if row is None else read(Case, row)


async def find(db: Reader, name: str, viewer: Viewer = EVERYTHING) -> Case | None:
    """Return the case of a name that a viewer sees; case and quotes are ignored, and what is everybody's is first."""
    sql = f"{_CASES} AND c.folded = :folded ORDER BY c.restricted, c.id LIMIT 1"
    row = await db.fetch_one(sql, {"folded": spelt(name), "viewer": viewer.chat_id})
    return None if row is None else read(Case, row)


async def make(tx: Transaction, name: str, *, author_id: int | None, author: str, now: datetime) -> int:
    """Open a case, and return the id of its row."""
    return await tx.insert(
        """INSERT INTO cases (name, folded, author_id, author, created_at)
        VALUES (:name, :folded, :author_id, :author, :now)""",
        {"name": name, "folded": spelt(name), "author_id": author_id, "author": author, "now": to_ms(now)},
    )


async def rename(tx: Transaction, case_id: int, name: str) -> None:
    """Give a case another name."""
    values = {"id": case_id, "name": name, "folded": spelt(name)}
    await tx.execute("UPDATE cases SET name = :name, folded = :folded WHERE id = :id", values)


async def set_note(tx: Transaction, case_id: int, note: str) -> None:
    """Give a case another note, or none."""
    await tx.execute("UPDATE cases SET note = :note WHERE id = :id", {"id": case_id, "note": note})


async def set_tags(tx: Transaction, case_id: int, tags: Sequence[str]) -> None:
    """Give a case other tags, or none."""
    await tx.execute("UPDATE cases SET tags = :tags WHERE id = :id", {"id": case_id, "tags": compact_json(list(tags))})


async def delete(tx: Transaction, case_id: int) -> None:
    """Forget a case; its posts stay stored."""
    for table in ("case_access", "case_posts"):
        await tx.execute(f"DELETE FROM {table} WHERE case_id = :id", {"id": case_id})  # noqa: S608 - our own names
    await tx.execute("DELETE FROM cases WHERE id = :id", {"id": case_id})


async def add(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction, case_id: int, post: StoredPost, *, chat_id: int, name: str, now: datetime
) -> None:
    """Put a post into a case, which has less than `MOST_POSTS`, and have its files downloaded and its page captured."""
    values = {"case": case_id, "channel": post.channel_id, "key": post.key, "chat": chat_id, "name": name}
    await tx.execute(
        """INSERT INTO case_posts (case_id, channel_id, message_id, chat_id, name, added_at)
        SELECT :case, :channel, min(message_id), :chat, :name, :now FROM posts
        WHERE channel_id = :channel AND post_key = :key""",
        {**values, "now": to_ms(now)},
    )
    sql = "SELECT version_id FROM posts WHERE channel_id = :channel AND post_key = :key ORDER BY message_id"
    rows = await tx.fetch_all(sql, {"channel": post.channel_id, "key": post.key})
    ids = [row["version_id"] for row in rows]
    await media.add(tx, ids, now=now)
    await captures.want(tx, ids[:1], CaptureCause.CASE, now=now)  # that of an album shows all of it


async def take_out(tx: Transaction, case_id: int, channel_id: int, message_id: int) -> None:
    """Take a post out of a case."""
    sql = "DELETE FROM case_posts WHERE case_id = :case AND channel_id = :channel AND message_id = :message"
    await tx.execute(sql, {"case": case_id, "channel": channel_id, "message": message_id})


async def annotate(tx: Transaction, case_id: int, channel_id: int, message_id: int, note: str) -> None:
    """Give a post of a case another note, or none."""
    await tx.execute(
        "UPDATE case_posts SET note = :note WHERE case_id = :case AND channel_id = :channel AND message_id = :message",
        {"case": case_id, "channel": channel_id, "message": message_id, "note": note},
    )


async def posts_of(db: Reader, case_id: int, viewer: Viewer = EVERYTHING) -> list[CasePost]:
    """Return the posts of a case that a viewer sees, in the order in which they were posted."""
    rows = await db.fetch_all(f"{_CASE_POSTS} ORDER BY p.date, p.id", {"case": case_id, "viewer": viewer.chat_id})
    return read_all(CasePost, rows)


async def post_of(db: Reader, case_id: int, channel_id: int, message_id: int, viewer: Viewer) -> CasePost | None:
    """Return a post of a case; None where the case has none such, or the viewer does not see it."""
    values = {"case": case_id, "channel": channel_id, "message": message_id, "viewer": viewer.chat_id}
    sql = f"{_CASE_POSTS} AND k.channel_id = :channel AND k.message_id = :message"
    row = await db.fetch_one(sql, values)
    return None if row is None else read(CasePost, row)


async def with_post(db: Reader, channel_id: int, post_key: str, viewer: Viewer) -> list[int]:
    """Return the ids of the cases that a post is in, of those that a viewer sees."""
    rows = await db.fetch_all(
        f"""SELECT k.case_id FROM posts p JOIN case_posts k
            ON k.channel_id = p.channel_id AND k.message_id = p.message_id
        WHERE p.channel_id = :channel AND p.post_key = :key AND {visible(Restrictable.CASE, "k.case_id")}""",  # noqa: S608 - our own words
        {"channel": channel_id, "key": post_key, "viewer": viewer.chat_id},
    )
    return [row["case_id"] for row in rows]


async def is_restricted(db: Reader, case: Case, channel_id: int) -> bool:
    """Tell whether some chats do not see a case, or a channel of which it has a post."""
    sql = "SELECT restricted FROM channels WHERE id = :id"
    return case.restricted or bool(await db.fetch_value(sql, {"id": channel_id}))


async def chats_of(db: Reader, case_id: int) -> list[int]:
    """Return the ids of the chats in which posts were saved in a case."""
    rows = await db.fetch_all("SELECT DISTINCT chat_id FROM case_posts WHERE case_id = :id", {"id": case_id})
    return [row["chat_id"] for row in rows]
