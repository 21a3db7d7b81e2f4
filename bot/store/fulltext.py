"""The full-text index: normalised words of each version come in, candidates for a query go out, newest first.

It only narrows: the index knows neither order nor distance of words, so the compiled query verifies each candidate.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.store.database import Reader, Transaction
from bot.store.posts import COLUMNS, StoredPost, to_post
from bot.store.rows import first_id

# CROSS JOIN pins the order of the loops: the index yields rows by descending id, so LIMIT stops early.
_JOINED = """CROSS JOIN messages m
        ON m.channel_id = v.channel_id AND m.message_id = v.message_id AND m.version_id = v.id
    CROSS JOIN channels n ON n.id = m.channel_id"""


async def add(tx: Transaction, rows: Sequence[tuple[int, str]]) -> None:
    """Index versions: (version id, normalised words joined by spaces)."""
    await tx.insert_all("INSERT INTO fulltext (rowid, words)", rows)


async def candidates(  # noqa: PLR0913 - each narrows the question in its own way
    db: Reader,
    expression: str | None,
    *,
    limit: int,
    before: int | None = None,
    channel_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[StoredPost]:
    """Return messages whose current version may match, newest first.

    `expression` is what FTS5 reads; None means that nothing narrows the query and every message is a candidate.
    `before` is the `version_id` of the last one of the page before; dates count in whole seconds, `until` excluded.
    """
    source, ids = ("versions v", "v.id") if expression is None else ("fulltext f CROSS JOIN versions v", "f.rowid")
    narrowed = {
        "v.id = f.rowid AND fulltext MATCH": expression,
        f"{ids} <": before,
        f"{ids} < 0 +": None if until is None else first_id(until),
        f"{ids} >=": None if since is None else first_id(since),
        "v.channel_id =": channel_id,
    }
    # only what is asked for: FTS5 seeks by a bare comparison of its rowid, not by one inside OR
    asked = {condition: value for condition, value in narrowed.items() if value is not None}
    where = f"WHERE {' AND '.join(f'{condition} ?' for condition in asked)}" if asked else ""
    sql = f"SELECT {COLUMNS} FROM {source} {_JOINED} {where} ORDER BY {ids} DESC LIMIT ?"  # noqa: S608 - our own constants
    return [to_post(row) for row in await db.fetch_all(sql, (*asked.values(), limit))]
