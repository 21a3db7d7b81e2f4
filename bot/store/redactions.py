"""Redactions: what versions said is removed for good, wherever it is repeated; their rows, hashes and lines stay.

Words that were removed do not come back: `StoredMessage.is_redacted_in` keeps them out when they are seen again.
"""

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import FatalError
from bot.models.links import post_link
from bot.parts import Part, PartKind, compact_json, dump_parts, load_parts
from bot.runtime.disk import fatal_in
from bot.store import ledger, meta, outbox
from bot.store.database import Reader, Transaction
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import json_list, read, read_all, to_ms
from bot.store.version_rows import hash_of_words

PATIENCE = 1.0  # s for others that read a database which is to be written anew
_TRACES = "traces_of_redacted"  # in free pages of the database
_OF_VERSIONS = "IN (SELECT value FROM json_each(:ids))"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactableVersion:
    """A version whose words may be removed."""

    id: int
    channel_id: int
    message_id: int
    number: int
    text: str
    parts: str  # JSON
    seen_at: datetime
    hash: bytes
    raw_sha256: bytes
    is_redacted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionScope:
    """How much repeats what versions said."""

    additions: int
    translations: int
    files: int  # of them, …
    shared: int  # … those that another version shows, too: they stay
    captures: int
    pictures: int  # whose text a program has read
    alerts: int
    fixed: int  # of these, messages that nobody can edit: by e-mail and the like, or too old
    answers: int  # in chats that showed an edit or a translation: nobody takes them back


async def versions_of(
    db: Reader, channel_id: int, message_ids: Collection[int], number: int | None
) -> list[RedactableVersion]:
    """Return the versions of messages, or the one with a number."""
    rows = await db.fetch_all(
        """SELECT v.id, v.channel_id, v.message_id, v.number, v.text, v.parts, v.seen_at, v.hash, v.raw_sha256,
            r.number IS NOT NULL AS is_redacted
        FROM versions v LEFT JOIN redactions r
            ON r.channel_id = v.channel_id AND r.message_id = v.message_id AND r.number = v.number
        WHERE v.channel_id = :channel AND v.message_id IN (SELECT value FROM json_each(:messages))
            AND v.number = coalesce(:number, v.number) ORDER BY v.message_id, v.number""",
        {"channel": channel_id, "messages": json_list(message_ids), "number": number},
    )
    return read_all(RedactableVersion, rows)


async def has_traces(db: Reader) -> bool:
    """Return whether a redaction was cut off before the database was written anew."""
    return await meta.get(db, _TRACES) is not None


async def count(db: Reader) -> int:
    """Return how many versions were redacted: what was made of posts before the last of them is not to be shown."""
    return int(await db.fetch_value("SELECT count(*) FROM redactions"))


async def scope_of(db: Reader, found: Collection[RedactableVersion]) -> RedactionScope:
    """Count what repeats the words of versions."""
    (row,) = await db.fetch_all(
        f"""SELECT (SELECT count(*) FROM part_evidence WHERE version_id {_OF_VERSIONS}) AS additions,
            (SELECT count(*) FROM translations WHERE version_id {_OF_VERSIONS}) AS translations,
            (SELECT count(*) FROM media WHERE state = 'kept' AND version_id {_OF_VERSIONS}) AS files,
            (SELECT count(*) FROM media m WHERE state = 'kept' AND version_id {_OF_VERSIONS} AND EXISTS (
                SELECT 1 FROM media o WHERE o.state = 'kept' AND o.sha256 = m.sha256
                AND o.version_id NOT {_OF_VERSIONS})) AS shared,
            (SELECT count(*) FROM captures WHERE version_id IN ({_OF_POST})) AS captures,
            (SELECT count(*) FROM pictures WHERE text IS NOT NULL AND version_id {_OF_VERSIONS}) AS pictures,
            (SELECT count(*) FROM alerts a WHERE {_ALERTS}) AS alerts,
            (SELECT count(DISTINCT m.id) FROM alerts a JOIN messages m ON m.alert_id = a.id
                AND m.kind IN ('alert', 'fallback') OR m.kind = 'group' AND m.group_id = a.group_id
                WHERE {_ALERTS} AND m.sent_revision > 0
                AND (m.telegram_id IS NULL OR m.state IN ('frozen', 'dead'))) AS fixed,
            (SELECT count(*) FROM messages WHERE kind IN ('change', 'translation') AND telegram_id IS NOT NULL
                AND alert_id IN (SELECT id FROM alerts a WHERE {_ALERTS})) AS answers""",  # noqa: S608 - our own words
        _values(found),
    )
    return read(RedactionScope, row)


# A page shows all of an album, and is asked for some time after the version is seen.
_OF_POST = """SELECT w.id FROM versions v
    CROSS JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
    CROSS JOIN posts o ON o.channel_id = p.channel_id AND o.post_key = p.post_key
    CROSS JOIN versions w ON w.channel_id = o.channel_id AND w.message_id = o.message_id
    WHERE v.id IN (SELECT value FROM json_each(:ids))"""
# By their posts, of which there is an index.
_ALERTS = f"""a.id IN (SELECT o.id FROM versions v
    CROSS JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
    CROSS JOIN alerts o ON o.channel_id = p.channel_id AND o.post_key = p.post_key
    WHERE v.id {_OF_VERSIONS} AND (o.version_id {_OF_VERSIONS} OR o.shown_version_id {_OF_VERSIONS}))"""  # noqa: S608 - our own words
# In this order: a trigger writes the bytes anew where the text is another, and deletes the translations.
_REMOVALS = """
    UPDATE part_evidence SET raw_rest = x'', text_at = NULL WHERE version_id OF_VERSIONS;
    UPDATE versions SET raw_rest = x'', text_at = NULL WHERE id OF_VERSIONS;
    UPDATE versions SET text = '', entities = '[]', parts = :note, media = NULL WHERE id OF_VERSIONS;
    DELETE FROM fulltext WHERE rowid OF_VERSIONS;
    UPDATE media SET state = 'left', reason = 'redacted', name = NULL WHERE version_id OF_VERSIONS;
    UPDATE pictures SET state = 'left', reason = 'redacted', text = NULL WHERE version_id OF_VERSIONS;
    UPDATE captures SET state = 'left', outcome = 'redacted', detail = NULL, headers = NULL
        WHERE version_id IN (OF_POST);
    DELETE FROM uploads WHERE sha256 IN (SELECT sha256 FROM media WHERE version_id OF_VERSIONS);
    DELETE FROM page_looks WHERE (channel_id, message_id) IN (OF_MESSAGES);
    UPDATE long_posts SET due_at = NULL, state = iif(state = 'wanted', 'left', state)
        WHERE (channel_id, message_id) IN (OF_MESSAGES);
    UPDATE alerts AS a SET spans = '[]', parts = iif(shown_version_id OF_VERSIONS, :shown, '[]') WHERE OF_ALERTS;
    -- Answers that wait and have nothing to show any more
    UPDATE messages SET state = 'dead', reason = 'redacted' WHERE state = 'due' AND sent_revision = 0
        AND kind IN ('files', 'translation') AND alert_id IN (SELECT id FROM alerts a WHERE OF_ALERTS);
    -- What was said in chats, posts among it, in case of a crash
    UPDATE handled SET answer = '{}' WHERE answer != '';
    -- Of a message of which no version is left: whose words they were
    UPDATE posts SET author = NULL, forward = NULL WHERE (channel_id, message_id) IN (OF_MESSAGES)
        AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.channel_id = posts.channel_id
            AND v.message_id = posts.message_id AND NOT EXISTS (SELECT 1 FROM redactions r
                WHERE r.channel_id = v.channel_id AND r.message_id = v.message_id AND r.number = v.number))
"""
for _word, _sql in {
    "OF_ALERTS": _ALERTS,
    "OF_MESSAGES": f"SELECT channel_id, message_id FROM versions WHERE id {_OF_VERSIONS}",  # noqa: S608 - our own words
    "OF_POST": _OF_POST,
    "OF_VERSIONS": _OF_VERSIONS,
}.items():
    _REMOVALS = _REMOVALS.replace(_word, _sql)
_ADD = "INSERT INTO redactions (channel_id, message_id, number, at, reason, words)"


async def redact(tx: Transaction, found: Collection[RedactableVersion], reason: str, *, now: datetime) -> None:
    """Remove what versions said, wherever it is repeated, and write down in the ledger that it was, and why."""
    found = [each for each in found if not each.is_redacted]
    await tx.insert_all(
        _ADD,
        [(*_key(each), to_ms(now), reason, hash_of_words(each.text, load_parts(each.parts))) for each in found],
    )
    note = Part(kind=PartKind.REDACTION, text=f"{now:%Y-%m-%d}: {reason}")
    shown = compact_json([[[note.kind, note.text], []]])
    values = {**_values(found), "note": dump_parts([note]), "shown": shown}
    for removal in _REMOVALS.split(";"):
        await tx.execute(removal, values)
    await meta.put(tx, _TRACES, 1)
    for channel_id, message_id in {_key(each)[:2] for each in found}:
        await _forget_findings(tx, channel_id, message_id)
    rows = await tx.fetch_all(
        f"""SELECT m.id FROM alerts a JOIN messages m ON m.kind = 'alert' AND m.alert_id = a.id
            OR m.kind = 'group' AND m.group_id = a.group_id WHERE {_ALERTS}""",  # noqa: S608 - our own words
        values,
    )
    await outbox.revise(tx, [row["id"] for row in rows], now=now)
    await ledger.add(
        tx,
        [
            LedgerEntry(LineKind.REDACTION, to_ms(now), None, *_key(each), each.raw_sha256, each.hash, detail=reason)
            for each in found
        ],
    )


async def _forget_findings(tx: Transaction, channel_id: int, message_id: int) -> None:
    """Remove the line of a post from answers to enquiries, and from the notices that show these."""
    of_findings = ("enquiries", "answer", "$.channels"), ("messages", "body", "$.findings.channels")
    for table, column, path in of_findings:
        found = await tx.fetch_all(
            f"""SELECT t.id, c.fullkey FROM {table} t, json_each(t.{column}, '{path}') c
            WHERE c.value ->> 'id' = :channel AND c.value ->> 'message_id' = :message""",  # noqa: S608 - our own words
            {"channel": channel_id, "message": message_id},
        )
        for row in found:
            await tx.execute(
                f"UPDATE {table} SET {column} = json_set({column}, :place, '') WHERE id = :id",  # noqa: S608 - likewise
                {"place": f"{row['fullkey']}.line", "id": row["id"]},
            )


def check_room(path: Path) -> None:
    """Raise FatalError where the disk has no room to write a database anew."""
    if path.exists() and shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:
        raise FatalError(f"{path.parent} has too little room: twice the size of {path.name} is needed. Free some.")


def scrub(path: Path) -> None:
    """Write a database anew that nobody else has open, so that nothing deleted is left in it, or in its log.

    Takes some minutes for a large one, and twice its size on the disk. Raises FatalError.
    """
    os.environ.setdefault("SQLITE_TMPDIR", str(path.parent))
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.execute("INSERT INTO fulltext (fulltext) VALUES ('optimize')")  # else it only marks what is gone
            connection.execute("VACUUM")
            is_held = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not is_held:
                connection.execute("DELETE FROM meta WHERE key = ?", (_TRACES,))
    except sqlite3.OperationalError as error:
        line = f"{path} cannot be written anew: {error}. Traces are left in it until you run it again."
        raise fatal_in(error, place=path) or FatalError(line) from error
    if is_held:
        line = f"Another program reads {path}, such as an export or mcp: traces are left in it."
        raise FatalError(f"{line} End that, and run it again.")


def databases_before(path: Path) -> list[Path]:
    """Return the databases that restoring backups has put aside beside one, and what was cut off of copies."""
    every = (*path.parent.glob(f"{path.name}-[0-9]*"), *path.parent.glob(f".{path.name}-*"))
    return sorted(each for each in every if not each.name.endswith(("-wal", "-shm", "-journal")))


def undone_by(restored: Path, before: Path) -> list[tuple[str, str]]:
    """Return the links and reasons of redactions that a database of before has, and a restored one has not.

    One that is damaged tells nothing.
    """
    sql = """SELECT r.channel_id, c.username, r.message_id, r.number, r.reason, p.link FROM redactions r
        JOIN channels c ON c.id = r.channel_id
        JOIN posts p ON p.channel_id = r.channel_id AND p.message_id = r.message_id ORDER BY r.at"""
    beside = [each for suffix in ("-wal", "-shm") if not (each := before.with_name(before.name + suffix)).exists()]
    try:
        here, there = _rows(restored, "rw", sql), _rows(before, "ro", sql)
    except sqlite3.DatabaseError:
        return []
    finally:
        for each in beside:  # which one that only reads leaves behind
            each.unlink(missing_ok=True)
    done = {(channel_id, message_id, number) for channel_id, _, message_id, number, *_ in here}
    left = [row for row in there if (row[0], row[2], row[3]) not in done]
    return list(dict.fromkeys((post_link(row[0], row[1], row[2], row[5]), row[4]) for row in left))


def _rows(path: Path, mode: str, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def _key(version: RedactableVersion) -> tuple[int, int, int]:
    return version.channel_id, version.message_id, version.number


def _values(found: Collection[RedactableVersion]) -> dict[str, str]:
    return {"ids": json_list(each.id for each in found)}
