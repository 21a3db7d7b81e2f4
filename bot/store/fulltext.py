"""The full-text index of all versions, which finds candidates for a query.

The index knows neither order nor distance of words, so the compiled query verifies each candidate.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.models import StoredPost
from bot.parts import load_parts, whole_text
from bot.store.database import Reader, Transaction
from bot.store.rows import end_id, first_id, read_all


class CandidateVersion(NamedTuple):
    """A version that may match, current or not."""

    version_id: int
    words: str  # as they were indexed; the first stands for the channel
    text: str  # with its parts; empty unless it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The posts to search."""

    channel_ids: Sequence[int] | None = None  # bare; None: all channels …
    hidden: tuple[int, ...] = ()  # … but these, which are restricted to others
    since: datetime | None = None  # dates count in whole seconds
    until: datetime | None = None  # excluded
    history: bool = False  # also earlier versions of edited messages


async def add(tx: Transaction, rows: Sequence[tuple[int, int, str]]) -> None:
    """Index versions: (version id, channel id, normalised words joined by spaces)."""
    await tx.insert_all("INSERT INTO fulltext (rowid, words)", _rows(rows))


async def replace(tx: Transaction, rows: Sequence[tuple[int, int, str]]) -> None:
    """Index versions anew whose parts have changed: rows as for `add`."""
    values = [(words, version_id) for version_id, words in _rows(rows)]
    await tx.execute_many("UPDATE fulltext SET words = ? WHERE rowid = ?", values)


async def candidate_versions(  # noqa: PLR0913 - what is asked, where, and which page is wanted
    db: Reader,
    expression: str | None,
    scope: Scope,
    *,
    limit: int,
    with_text: bool,
    before: int | None = None,
) -> list[CandidateVersion]:
    """Return versions that may match, newest first; of an edited message also the earlier ones.

    `expression` is what FTS5 reads; None means that nothing narrows the query and every version is a candidate.
    `before` is the `version_id` of the last one of the page before.
    """
    asked = _within(expression, scope)
    if asked is None:
        source, ids = "versions v CROSS JOIN fulltext f ON f.rowid = v.id", "v.id"
    else:
        source, ids = "fulltext f CROSS JOIN versions v ON v.id = f.rowid" if with_text else "fulltext f", "f.rowid"
    text = "v.text, v.parts" if with_text else "'', '[]'"
    where, values = _narrowed(asked, ids, scope, before=before, channel="v.channel_id")
    sql = f"SELECT {ids}, f.words, {text} FROM {source} WHERE {where} ORDER BY {ids} DESC LIMIT ?"  # noqa: S608 - our own constants
    return [
        CandidateVersion(version_id, words, whole_text(text, load_parts(parts)) if with_text else "")
        for version_id, words, text, parts in await db.fetch_all(sql, (*values, limit))
    ]


async def candidate_posts(
    db: Reader,
    expression: str | None,
    scope: Scope,
    *,
    limit: int,
    before: int | None = None,
) -> list[StoredPost]:
    """Return messages whose current version may match, newest first; arguments like `candidate_versions`."""
    asked = _within(expression, scope)
    source, ids = "post_versions p", "p.version_id"
    if asked is not None:  # CROSS JOIN pins the order of the loops: the index yields descending ids, LIMIT stops early
        source, ids = "fulltext f CROSS JOIN post_versions p ON p.version_id = f.rowid", "f.rowid"
    where, values = _narrowed(asked, ids, scope, before=before, channel="p.channel_id")
    sql = f"SELECT p.* FROM {source} WHERE {where} AND p.is_current ORDER BY {ids} DESC LIMIT ?"  # noqa: S608 - our own constants
    return read_all(StoredPost, await db.fetch_all(sql, (*values, limit)))


def _rows(rows: Sequence[tuple[int, int, str]]) -> list[tuple[int, str]]:
    return [(version_id, f"{_channel_word(channel_id)} {words}") for version_id, channel_id, words in rows]


def _channel_word(channel_id: int) -> str:
    """Return the first word of each version of a channel; no word of a text begins with an apostrophe.

    A minus would end the word, so that ids below zero have a letter of their own.
    """
    return f"'{'c' if channel_id > 0 else 's'}'{abs(channel_id)}"


def _within(expression: str | None, scope: Scope) -> str | None:
    hidden = scope.hidden
    if scope.channel_ids is not None:
        channels = _any_of([channel_id for channel_id in scope.channel_ids if channel_id not in hidden] or [0])
        return channels if expression is None else f"{channels} AND ({expression})"
    return expression if expression is None or not hidden else f"({expression}) NOT {_any_of(hidden)}"


def _any_of(channel_ids: Collection[int]) -> str:
    words = " OR ".join(f'"{_channel_word(channel_id)}"' for channel_id in channel_ids)
    return f"({words})"


def _narrowed(
    asked: str | None, ids: str, scope: Scope, *, before: int | None, channel: str
) -> tuple[str, list[str | int]]:
    """Return only the conditions that are given: FTS5 seeks by a bare comparison of its rowid, not inside OR."""
    conditions = {
        "fulltext MATCH": asked,
        f"{ids} <": end_id(before, scope.until),
        f"{ids} >=": None if scope.since is None else first_id(scope.since),
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    where, values = " AND ".join(f"{condition} ?" for condition in given), list(given.values())
    if asked is None and scope.hidden:
        where += f" AND {channel} NOT IN ({', '.join('?' * len(scope.hidden))})"
        values += scope.hidden
    return where, values
