"""A database of very many short posts, made by SQL: the product would take minutes for a million.

All of it is as the product writes it, the hashes of the ledger too, so that bundles of it can be checked; but nobody
follows its channels, so that a service beside it has nothing to read there. `python -m tests.benchmarks.bulk FOLDER
POSTS` makes one by itself.
"""

import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from bot import __version__
from bot.matching.words.tokens import analyse
from bot.models import ObservedBy
from bot.runtime.clock import utc_now
from bot.store import ledger, migrations
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import COUNTER_BITS, to_ms
from tests.benchmarks.texts import pool

CHANNELS = 10
FIRST_CHANNEL = 5_000_000  # no channel of the embedded server
_DAYS = 365
_AT_ONCE = 10_000  # posts
_TEXTS = 5000  # different beginnings
_LENGTH = 80  # characters
_POSTS = """INSERT INTO posts (id, channel_id, message_id, version_id, date, seen_at, views)
    VALUES (:id, :channel, :message, :id, :date, :date, 100)"""
_VERSIONS = f"""INSERT INTO versions (id, channel_id, message_id, number, hash, text, entities, parts, date, seen_at,
    observed_by, program, raw_rest, raw_format, raw_sha256) VALUES (:id, :channel, :message, 1, :content, :text, '[]',
    '[]', :date, :date, 'import', '{__version__}', :raw, 'json', :sha256)"""  # noqa: S608 - our own
_LEDGER = """INSERT INTO ledger (sequence, hash, kind, seen_at, date, channel_id, message_id, number, sha256, content,
    source) VALUES (:sequence, :hash, 'version', :date, :date, :channel, :message, 1, :sha256, :content, 'import')"""
_FULLTEXT = "INSERT INTO fulltext (rowid, words) VALUES (:id, :words)"


def make(path: Path, posts: int, *, until: datetime) -> None:
    """Make a database of posts of the year up to a moment, spread over channels in turn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")
        for number, script in migrations.available().items():
            db.executescript(f"{script}\nPRAGMA user_version = {number}")
        db.executemany(
            "INSERT INTO channels (id, kind, title, username) VALUES (?, 'broadcast', ?, ?)",
            [(FIRST_CHANNEL + n, f"Архив {n}", f"archive_{n}") for n in range(CHANNELS)],
        )
        rows = _rows(posts, until)
        while part := list(islice(rows, _AT_ONCE)):
            db.execute("BEGIN")
            for sql in (_POSTS, _VERSIONS, _LEDGER, _FULLTEXT):
                db.executemany(sql, part)
            db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")


def _rows(posts: int, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield what the statements want of each post, the oldest first."""
    dice, previous = Random(1), ledger.NO_HASH  # noqa: S311 - a repeatable choice is wanted
    texts = [(text, analyse(text).indexed) for text in (each[:_LENGTH].strip() for each in pool(1)[:_TEXTS])]
    begin, span = to_ms(until - timedelta(days=_DAYS)), _DAYS * 86_400_000
    for number in range(posts):
        head, words = dice.choice(texts)
        text, date = f"{head} {number}", begin + span * number // posts
        channel, message = FIRST_CHANNEL + number % CHANNELS, number // CHANNELS + 1
        raw = f'{{"id":{message},"of":{channel}}}'.encode()
        row = {
            "id": (date // 1000 << COUNTER_BITS) + number % (1 << COUNTER_BITS),
            "channel": channel,
            "message": message,
            "date": date,
            "text": text,
            "content": hashlib.sha256(
                json.dumps([text, []], ensure_ascii=False, separators=(",", ":")).encode()
            ).digest(),
            "raw": raw,
            "sha256": hashlib.sha256(raw).digest(),
            "sequence": number + 1,
            "words": f"'c'{channel} {words} {number}",
        }
        entry = LedgerEntry(
            LineKind.VERSION, date, date, channel, message, 1, row["sha256"], row["content"], ObservedBy.IMPORT
        )
        row["hash"] = previous = ledger.chain(previous, ledger.write_line(number + 1, entry))
        yield row


if __name__ == "__main__":
    make(Path(sys.argv[1]) / "bot.db", int(sys.argv[2]), until=utc_now())
