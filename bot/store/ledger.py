"""The ledger: what was seen, line by line in the order in which it was written down, chained by hashes.

A line is written in the transaction of the row that it names, and never changed. Its hash is the SHA-256 of the hash
before it and of its own text, both in hexadecimal: whoever keeps one hash can tell whether any line before it was
changed, added, moved or taken away. A line names bytes by their SHA-256, so that it can stay where these cannot.
"""

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot.models import TOLD, Observation, Post
from bot.parts import compact_json
from bot.store.rows import json_list, maybe_ms, read_all, to_ms
from bot.store.transaction import Reader, StaleTipError, Tip, Transaction

_COUNTED = 500_000  # lines: a day of the busiest channels has fewer
NO_HASH = bytes(32)  # stands before the first line


class LineKind(StrEnum):
    """What a line of the ledger says."""

    VERSION = "version"  # a post said this
    ADDITION = "addition"  # more came to a version: a link's preview, the rest of a long post
    FILE = "file"  # a photo or document of a version is on our disk: the SHA-256 of the file
    WITHHELD = "withheld"  # the network withholds a message in some places, or no longer: [platform, reason, text] each
    REDACTION = "redaction"  # what a version said was removed here for good: why; no other line is touched
    CAPTURE = "capture"  # the public page of a message, as it was at one moment: the SHA-256 of its HTML
    DELETION = "deletion"  # Telegram told us that a message was deleted
    MISSING = "missing"  # a message was not there when its channel was read again; nobody told us why
    SEEN_AGAIN = "seen_again"  # a message that was gone is there
    GAP = "gap"  # something is known to be missing of a channel
    GAP_FILLED = "gap_filled"
    ACCOUNT_LOST = "account_lost"  # a reader cannot read any more
    ACCOUNT_BACK = "account_back"
    COUNTERSIGNED = "countersigned"  # a head of another instance, read in its channel, follows from its last one
    HEAD_ACCEPTED = "head_accepted"  # one that does not follow counts all the same: a person said so, nothing proves it
    HEAD_WITHDRAWN = "head_withdrawn"  # a person took that back
    KEY = "key"  # a key signs the heads from now on: the SHA-256 of its public half
    BACKUP_RESTORED = "backup_restored"  # lines that came after the backup are not here


class LedgerEntry(NamedTuple):
    """What a line is to say; times in ms."""

    kind: LineKind
    seen_at: int  # our time
    date: int | None = None  # Telegram's time, of the post or its edit; None: it tells none
    channel_id: int | None = None
    message_id: int | None = None
    number: int | None = None  # of the version
    sha256: bytes | None = None  # of the message as its network gave it; of one that is gone, as it gave it last
    content: bytes | None = None  # as of `Post.content_hash`, of what it said
    source: str | None = None
    reader_id: int | None = None
    detail: str | None = None  # why, or of what


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A line as it was written down."""

    sequence: int
    entry: LedgerEntry
    text: str  # canonical JSON
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAccount:
    """The line of a reader that cannot read any more."""

    sequence: int
    reader_id: int
    reason: str  # Telegram's error string
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTurn:
    """The line of a message that vanished, as Telegram told or as it was missing, or was seen again."""

    kind: LineKind
    at: datetime  # our time


def write_line(sequence: int, entry: LedgerEntry) -> str:
    """Write a line as canonical JSON: names sorted, no spaces, whole numbers, hashes in hexadecimal."""
    kind, seen_at, date, channel, message, number, sha256, content, source, reader, detail = entry
    return (
        f'{{"channel":{_number(channel)},"content":{_hex(content)},"date":{_number(date)},"detail":{_text(detail)},'
        f'"kind":"{kind}","message":{_number(message)},"number":{_number(number)},"reader":{_number(reader)},'
        f'"seen_at":{seen_at},"sequence":{sequence},"sha256":{_hex(sha256)},"source":{_text(source)}}}'
    )


def chain(previous: bytes, text: str) -> bytes:
    """Return the hash of the line that follows the line with this hash."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256(f"{previous.hex()}{digest}".encode()).digest()


def _number(value: int | None) -> int | str:
    return "null" if value is None else value


def _hex(value: bytes | None) -> str:
    return "null" if value is None else f'"{value.hex()}"'


def _text(value: str | None) -> str:
    return "null" if value is None else compact_json(value)


_PUT = """INSERT INTO ledger (sequence, hash, kind, seen_at, date, channel_id, message_id, number, sha256, content,
        source, reader_id, detail)"""


async def add(tx: Transaction, entries: Sequence[LedgerEntry]) -> None:
    """Add lines. Raises StaleTipError where another process has added some: the transaction is run again."""
    if not entries:
        return
    sequence, previous = tx.tip if tx.tip is not None else await tip(tx)
    rows = []
    for entry in entries:
        sequence += 1
        previous = chain(previous, write_line(sequence, entry))
        rows.append((sequence, previous, *entry))
    try:
        await tx.insert_all(_PUT, rows)
    except sqlite3.IntegrityError as error:
        if tx.tip is None:
            raise
        raise StaleTipError from error
    tx.tip = Tip(sequence, previous)


async def tip(db: Reader) -> Tip:
    """Return the sequence and the hash of the last line; where there is none, those before the first one."""
    row = await db.fetch_one("SELECT sequence, hash FROM ledger ORDER BY sequence DESC LIMIT 1")
    return Tip(0, NO_HASH) if row is None else Tip(row["sequence"], row["hash"])


async def hash_of(db: Reader, sequence: int) -> bytes:
    """Return the hash of a line; before the first one `NO_HASH`."""
    return await db.fetch_value("SELECT hash FROM ledger WHERE sequence = :at", {"at": sequence}) or NO_HASH


async def lines(db: Reader, *, after: int, most: int) -> list[LedgerLine]:
    """Return the lines that follow a sequence, in their order."""
    rows = await db.fetch_all(
        """SELECT sequence, hash, kind, seen_at, date, channel_id, message_id, number, sha256, content, source,
            reader_id, detail
        FROM ledger WHERE sequence > :after ORDER BY sequence LIMIT :most""",
        {"after": after, "most": most},
    )
    entries = [(row[0], row[1], LedgerEntry(LineKind(row[2]), *row[3:])) for row in rows]
    return [LedgerLine(sequence=n, entry=entry, text=write_line(n, entry), hash=hash_) for n, hash_, entry in entries]


async def lost_accounts(db: Reader, *, after: int) -> list[LostAccount]:
    """Return the readers that were lost after a line."""
    rows = await db.fetch_all(
        """SELECT sequence, reader_id, detail AS reason, seen_at AS at FROM ledger
        WHERE kind = 'account_lost' AND sequence > :after ORDER BY sequence""",
        {"after": after},
    )
    return read_all(LostAccount, rows)


async def turns_of(db: Reader, channel_id: int, message_ids: Collection[int]) -> list[LedgerTurn]:
    """Return when messages of a channel vanished and were seen again, in the order of the ledger."""
    rows = await db.fetch_all(
        """SELECT kind, seen_at AS at FROM ledger INDEXED BY ledger_turns
        WHERE channel_id = :channel AND message_id IN (SELECT value FROM json_each(:messages))
            AND kind IN ('deletion', 'missing', 'seen_again') ORDER BY sequence""",
        {"channel": channel_id, "messages": json_list(message_ids)},
    )
    return read_all(LedgerTurn, rows)


async def counts(db: Reader, *, since: datetime, until: datetime) -> dict[int, dict[str, int]]:
    """Count the lines of a span of our time by channel and kind, among the last of the ledger."""
    rows = await db.fetch_all(
        """SELECT channel_id, kind, count(*) AS lines FROM ledger
        WHERE sequence > (SELECT max(sequence) FROM ledger) - :most AND seen_at >= :since AND seen_at <= :until
            AND channel_id IS NOT NULL GROUP BY channel_id, kind""",
        {"since": to_ms(since), "until": to_ms(until), "most": _COUNTED},
    )
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["channel_id"], {})[row["kind"]] = row["lines"]
    return found


def version_entry(post: Post, observation: Observation, sha256: bytes, *, number: int, content: bytes) -> LedgerEntry:
    """Return the line of a version that is new."""
    return LedgerEntry(
        LineKind.VERSION,
        to_ms(observation.seen_at),
        to_ms(post.edit_date or post.date),
        post.channel_id,
        post.message_id,
        number,
        sha256,
        content,
        observation.observed_by,
        observation.reader_id,
    )


async def add_to_versions(
    tx: Transaction, observation: Observation, kind: LineKind, found: Sequence[tuple[int, Post]]
) -> None:
    """Add lines of one kind of what came to stored versions, by their ids: each with the post that brought it."""
    numbers = await _numbers(tx, [version_id for version_id, _ in found])
    entries = []
    for version_id, post in found:
        number, sha256, content = numbers[version_id][0], hashlib.sha256(post.raw).digest(), post.content_hash()
        entry = version_entry(post, observation, sha256, number=number, content=content)
        detail = compact_json(post.withheld) if kind is LineKind.WITHHELD else None
        entries.append(entry._replace(kind=kind, detail=detail))
    await add(tx, entries)


async def add_turns(
    tx: Transaction, observation: Observation, turned: Mapping[tuple[int, int], tuple[int, bool]]
) -> None:
    """Add lines of messages that vanished or are back: by channel and message the version, and whether it is gone."""
    gone = LineKind.DELETION if observation.observed_by in TOLD else LineKind.MISSING
    numbers = await _numbers(tx, [version_id for version_id, _ in turned.values()])
    entries = []
    for (channel_id, message_id), (version_id, is_gone) in sorted(turned.items()):
        number, sha256 = numbers[version_id]
        entries.append(
            LedgerEntry(
                gone if is_gone else LineKind.SEEN_AGAIN,
                to_ms(observation.seen_at),
                channel_id=channel_id,
                message_id=message_id,
                number=number,
                sha256=sha256,
                source=observation.observed_by,
                reader_id=observation.reader_id,
            )
        )
    await add(tx, entries)


async def _numbers(tx: Transaction, version_ids: Collection[int]) -> dict[int, tuple[int, bytes]]:
    sql = "SELECT id, number, raw_sha256 FROM versions WHERE id IN (SELECT value FROM json_each(:ids))"
    rows = await tx.fetch_all(sql, {"ids": json_list(version_ids)})
    return {row["id"]: (row["number"], row["raw_sha256"]) for row in rows}


async def add_gaps(  # noqa: PLR0913 - a gap has this many sides
    tx: Transaction,
    kind: LineKind,
    channel_id: int,
    message_ids: Iterable[int | None],
    *,
    detail: str,
    now: datetime,
) -> None:
    """Add a line for each message of a channel that is known to be missing, or was found; None: the channel itself."""
    await add(
        tx,
        [
            LedgerEntry(kind, to_ms(now), channel_id=channel_id, message_id=message_id, detail=detail)
            for message_id in message_ids
        ],
    )


async def add_file(tx: Transaction, media_id: int, *, now: datetime) -> None:
    """Add the line of a file of a version that is on the disk."""
    (row,) = await tx.fetch_all(
        """SELECT v.channel_id, v.message_id, v.number, m.sha256, m.reader_id FROM media m
        JOIN versions v ON v.id = m.version_id WHERE m.id = :id""",
        {"id": media_id},
    )
    channel_id, message_id, number, sha256, reader_id = row
    line = LedgerEntry(LineKind.FILE, to_ms(now), None, channel_id, message_id, number, sha256, reader_id=reader_id)
    await add(tx, [line])


async def add_account(tx: Transaction, kind: LineKind, reader_id: int, *, now: datetime, detail: str | None) -> None:
    """Add the line of a reader that cannot read any more, for a reason of Telegram's, or is back."""
    await add(tx, [LedgerEntry(kind, to_ms(now), reader_id=reader_id, detail=detail)])


async def add_restored(tx: Transaction, *, alive_at: datetime | None, now: datetime) -> None:
    """Add the line of a backup that was put back, whose last sign of life was at a moment."""
    detail = compact_json({"alive_at": maybe_ms(alive_at)})
    await add(tx, [LedgerEntry(LineKind.BACKUP_RESTORED, to_ms(now), detail=detail)])
