"""What a storm has left behind comes in; wherever its tables, ledger, heads, captures and bundle disagree goes out.

Lines are written and hashed anew here, by what the README of a bundle says, not by the code that wrote them.
"""

import asyncio
import hashlib
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.store.blobs import Blobs
from tests.end_to_end.test_process import shell

NAMED = {  # rows of tables, each of which has one line of a kind that names it, and the columns of that line
    "version": ("SELECT channel_id, message_id, number, raw_sha256 FROM versions", "number, sha256"),
    "addition": (
        """SELECT v.channel_id, v.message_id, v.number, e.raw_sha256
        FROM part_evidence e JOIN versions v ON v.id = e.version_id""",
        "number, sha256",
    ),
    "file": (
        """SELECT v.channel_id, v.message_id, v.number, m.sha256
        FROM media m JOIN versions v ON v.id = m.version_id WHERE m.sha256 IS NOT NULL""",
        "number, sha256",
    ),
    "capture": (
        """SELECT v.channel_id, v.message_id, k.at, k.sha256
        FROM captures k JOIN versions v ON v.id = k.version_id WHERE k.sha256 IS NOT NULL""",
        "seen_at, sha256",
    ),
    "redaction": ("SELECT channel_id, message_id, number, reason FROM redactions", "number, detail"),
}
BEGINS = {"deletion": True, "missing": True, "seen_again": False, "gap": True, "gap_filled": False}
TURNS = """SELECT sequence, kind, CASE WHEN kind NOT LIKE 'gap%' THEN 'gone'
        WHEN message_id IS NOT NULL THEN 'unreadable'
        WHEN detail LIKE 'posts %' THEN 'not on pages' ELSE 'unchecked' END AS what, channel_id, message_id
    FROM ledger WHERE kind IN ('deletion', 'missing', 'seen_again', 'gap', 'gap_filled') ORDER BY sequence"""
OPEN = (  # what such turns have left open
    "SELECT 'gone', channel_id, message_id FROM posts WHERE gone_at IS NOT NULL",
    "SELECT 'unreadable', channel_id, message_id FROM unreadable",
    "SELECT 'unchecked', id, NULL FROM channels WHERE unchecked_since IS NOT NULL",
    "SELECT 'not on pages', channel_id, NULL FROM page_readings WHERE gap_below IS NOT NULL",
)


def disagreements(data: Path) -> Iterator[str]:
    """Compare the ledger with the tables, both ways, and with its heads."""
    with closing(sqlite3.connect(f"file:{data / 'bot.db'}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        hashes = yield from _broken_links(db)
        yield from _wrong_heads(db, hashes)
        for kind, (rows, columns) in NAMED.items():
            yield from _differing_rows(db, kind, rows, columns)
        yield from _wrong_turns(db)
        yield from _wrong_accounts(db)
        yield from _wrong_captures(db, Blobs(data / "media"))


def _broken_links(db: sqlite3.Connection) -> Iterator[str]:
    """Follow the chain from its first line; return the hashes by sequence."""
    previous, hashes = "00" * 32, {0: "00" * 32}
    for expected, row in enumerate(db.execute("SELECT * FROM ledger ORDER BY sequence"), 1):
        said = {name.removesuffix("_id"): row[name] for name in row.keys() if name != "hash"}  # noqa: SIM118
        said = {name: value.hex() if isinstance(value, bytes) else value for name, value in said.items()}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        previous = hashlib.sha256((previous + digest).encode()).hexdigest()
        if (row["sequence"], row["hash"].hex()) != (expected, previous):
            yield f"ledger: line {row['sequence']} does not follow as line {expected}"
            return hashes
        hashes[expected] = previous
    return hashes


def _wrong_heads(db: sqlite3.Connection, hashes: dict[int, str]) -> Iterator[str]:
    keys = {row["id"]: row["public"] for row in db.execute("SELECT id, public FROM signing_keys")}
    named = {bytes(row["sha256"]) for row in db.execute("SELECT sha256 FROM ledger WHERE kind = 'key'")}
    if named != {hashlib.sha256(public).digest() for public in keys.values()}:
        yield "ledger: its lines of keys are not the keys"
    last, count = 0, 0
    for head in db.execute("SELECT * FROM ledger_heads ORDER BY id"):
        said, count = json.loads(head["text"]), count + 1
        if said["sequence"] < last or hashes.get(said["sequence"]) != said["hash"]:
            yield f"head {head['id']}: it does not follow"
        last = said["sequence"]
        try:
            Ed25519PublicKey.from_public_bytes(keys[head["key_id"]]).verify(head["signature"], head["text"].encode())
        except InvalidSignature:
            yield f"head {head['id']}: it is not signed by its key"
    if not count:
        yield "ledger: nobody has signed it"


def _differing_rows(db: sqlite3.Connection, kind: str, rows: str, columns: str) -> Iterator[str]:
    lines = Counter(
        map(tuple, db.execute(f"SELECT channel_id, message_id, {columns} FROM ledger WHERE kind = ?", (kind,)))  # noqa: S608
    )
    stored = Counter(map(tuple, db.execute(rows)))
    for names, what in ((stored - lines, "without a line"), (lines - stored, "a line without a row")):
        for name, count in names.items():
            yield f"ledger: {kind} {_shown(name)}: {what} ({count})"


def _shown(name: tuple[Any, ...]) -> str:
    return "/".join(each.hex()[:8] if isinstance(each, bytes) else str(each) for each in name)


def _wrong_turns(db: sqlite3.Connection) -> Iterator[str]:
    """Compare what begins and ends by turns, each turn with its line: losses of messages, and gaps."""
    stored: set[tuple[Any, ...]] = set()
    for rows in OPEN:
        stored |= set(map(tuple, db.execute(rows)))
    told: set[tuple[Any, ...]] = set()
    for line in db.execute(TURNS):
        name = line[2:]
        if (name in told) == BEGINS[line["kind"]]:
            yield f"ledger: line {line['sequence']}, {line['kind']} of {_shown(name)}, is no turn"
        (told.add if BEGINS[line["kind"]] else told.discard)(name)
    yield from (f"{_shown(name)}: without a line" for name in stored - told)
    yield from (f"{_shown(name)}: the ledger says so, and no row" for name in told - stored)


def _wrong_accounts(db: sqlite3.Connection) -> Iterator[str]:
    """Compare the readers with their lines: one that another account has replaced stays lost in the ledger."""
    readers = {row["id"]: row for row in db.execute("SELECT * FROM readers")}
    newer = "SELECT r.id FROM readers r JOIN readers n ON n.session = r.session AND n.id > r.id"
    replaced = {row["id"] for row in db.execute(newer)}
    last = {}
    for line in db.execute("SELECT * FROM ledger WHERE kind IN ('account_lost', 'account_back') ORDER BY sequence"):
        before = last.get(line["reader_id"])
        if line["kind"] == "account_lost" and before is not None and before["detail"] == line["detail"]:
            yield f"ledger: line {line['sequence']}: account {line['reader_id']} was lost already"
        last[line["reader_id"]] = line
    for number, reader in readers.items():
        said = None if number not in last else last[number]["detail"]
        if said != reader["lost"] and number not in replaced:
            yield f"account {number}: lost by {reader['lost']}, and the ledger says {said}"
    yield from (f"account {number}: no row" for number in last.keys() - readers.keys())


def _wrong_captures(db: sqlite3.Connection, blobs: Blobs) -> Iterator[str]:
    for row in db.execute("SELECT * FROM captures WHERE state != 'wanted' AND outcome IS NULL OR state = 'wanted'"):
        yield f"capture {row['id']}: nothing came of it, {row['detail']}"
    for row in db.execute(
        """SELECT version_id, count(*) FILTER (WHERE state = 'kept') AS kept,
            count(*) FILTER (WHERE cause = 'alert') AS alerts FROM captures
        WHERE cause != 'export' GROUP BY version_id HAVING kept > 1 OR alerts > 1"""
    ):
        yield f"version {row['version_id']}: captured {row['kept']} times, wanted {row['alerts']} times"
    for row in db.execute("SELECT DISTINCT sha256, size FROM captures WHERE state = 'kept'"):
        path = blobs.path(row["sha256"])
        page = path.read_bytes() if path.exists() else b""
        if (hashlib.sha256(page).digest(), len(page)) != (row["sha256"], row["size"]):
            yield f"captured page {row['sha256'].hex()}: it is not on the disk as it came"


async def wrong_bundle(folder: Path, env: dict[str, str], random: Random) -> list[str]:
    """Make a bundle of everything, have it checked by its own script, and once more after a bit was flipped."""
    place = folder / "bag"
    code, out, said = await shell("export", "--evidence", str(place), env=env)
    if code:
        return [f"no bundle: {out}{said}"]
    code, out = await _verified(place)
    if code or "GOOD" not in out:
        return [f"bundle: {out}"]
    files = sorted(path for path in (place / "data").rglob("*") if path.name != "verify.py" and path.stat().st_size)
    flipped = random.choice([path for path in files if path.is_file()])
    content = bytearray(flipped.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    flipped.write_bytes(content)
    code, out = await _verified(place)
    name = flipped.relative_to(place).as_posix()
    return [] if code and f"{name}: the file was changed" in out else [f"bundle: a bit of {name} was flipped: {out}"]


async def _verified(bundle: Path) -> tuple[int, str]:
    script = str(bundle / "data" / "verify.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", script, str(bundle)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()
