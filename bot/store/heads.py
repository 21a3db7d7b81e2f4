"""Heads: the end of the ledger at a moment, signed by the instance's key, stamped by authorities of time."""

import base64
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.store import ledger
from bot.store.database import Reader, Transaction
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import json_list, maybe_ms, read, read_all, to_ms
from bot.store.transaction import Tip

MARK = "head of a ledger of channelwatch"
_ED25519 = bytes.fromhex("302a300506032b6570032100")  # what stands before the 32 bytes of a public key (RFC 8410)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The public half of a key that signs heads."""

    id: int
    public: bytes  # Ed25519
    since: datetime
    handover: bytes | None  # the signature of the key before it over this one; None: there was none, or it was lost
    acceptance: bytes | None  # the signature of this key over the one before it


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """The end of the ledger at a moment, as it was signed."""

    id: int
    sequence: int
    hash: bytes
    text: str  # canonical JSON: what is signed and stamped
    signed_at: datetime
    key_id: int
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStamp:
    """The answer of an authority that a head was there, or why there is none yet."""

    head_id: int
    authority: str  # its URL
    reply: bytes | None  # a TimeStampResp of RFC 3161, in DER
    stamped_at: datetime | None  # its time
    tried_at: datetime
    reason: str | None  # why there is none


def fingerprint(public: bytes) -> str:
    """Return the SHA-256 of a public key, in hexadecimal."""
    return hashlib.sha256(public).hexdigest()


def pem(public: bytes) -> str:
    """Return a public key as PEM, which OpenSSL reads."""
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(_ED25519 + public).decode()}\n-----END PUBLIC KEY-----\n"


def write_head(tip: Tip, public: bytes, signed_at: datetime) -> str:
    """Write a head, that a key is to sign, as canonical JSON."""
    head = {
        "hash": tip.hash.hex(),
        "key": fingerprint(public),
        "sequence": tip.sequence,
        "signed_at": to_ms(signed_at),
        "what": MARK,
    }
    return json.dumps(head, separators=(",", ":"), sort_keys=True)


async def keys(db: Reader) -> list[SigningKey]:
    """Return all keys, the present one last."""
    return read_all(SigningKey, await db.fetch_all("SELECT * FROM signing_keys ORDER BY id"))


async def add_key(
    tx: Transaction, public: bytes, *, handover: bytes | None, acceptance: bytes | None, now: datetime
) -> None:
    """Add the key that signs from now on, and a line of the ledger that names it."""
    await tx.execute(
        """INSERT INTO signing_keys (public, since, handover, acceptance)
        VALUES (:public, :now, :handover, :acceptance)""",
        {"public": public, "now": to_ms(now), "handover": handover, "acceptance": acceptance},
    )
    await ledger.add(tx, [LedgerEntry(LineKind.KEY, to_ms(now), sha256=bytes.fromhex(fingerprint(public)))])


async def add(  # noqa: PLR0913 - a head has this many sides
    tx: Transaction, tip: Tip, text: str, *, signature: bytes, key_id: int, now: datetime
) -> LedgerHead:
    """Add a signed head."""
    await tx.execute(
        """INSERT INTO ledger_heads (sequence, hash, text, signed_at, key_id, signature)
        VALUES (:sequence, :hash, :text, :now, :key, :signature)""",
        {
            "sequence": tip.sequence,
            "hash": tip.hash,
            "text": text,
            "now": to_ms(now),
            "key": key_id,
            "signature": signature,
        },
    )
    found = await last(tx)
    assert found is not None  # noqa: S101 - it was added
    return found


async def last(db: Reader) -> LedgerHead | None:
    """Return the newest head."""
    row = await db.fetch_one("SELECT * FROM ledger_heads ORDER BY id DESC LIMIT 1")
    return None if row is None else read(LedgerHead, row)


async def since(db: Reader, sequence: int) -> list[LedgerHead]:
    """Return the heads from a line of the ledger on, the oldest first."""
    return read_all(
        LedgerHead, await db.fetch_all("SELECT * FROM ledger_heads WHERE sequence >= :s ORDER BY id", {"s": sequence})
    )


async def put_stamp(tx: Transaction, stamp: HeadStamp) -> None:
    """Write down the answer of an authority, or why there is none; an answer stays."""
    await tx.execute(
        """INSERT INTO stamps (head_id, authority, reply, stamped_at, tried_at, reason)
        VALUES (:head, :authority, :reply, :stamped, :tried, :reason)
        ON CONFLICT DO UPDATE SET reply = excluded.reply, stamped_at = excluded.stamped_at,
            tried_at = excluded.tried_at, reason = excluded.reason WHERE reply IS NULL""",
        {
            "head": stamp.head_id,
            "authority": stamp.authority,
            "reply": stamp.reply,
            "stamped": maybe_ms(stamp.stamped_at),
            "tried": to_ms(stamp.tried_at),
            "reason": stamp.reason,
        },
    )


async def stamps(db: Reader, head_ids: Collection[int]) -> list[HeadStamp]:
    """Return what authorities answered of these heads."""
    sql = """SELECT * FROM stamps WHERE head_id IN (SELECT value FROM json_each(:ids))
        ORDER BY head_id, authority"""
    return read_all(HeadStamp, await db.fetch_all(sql, {"ids": json_list(head_ids)}))


async def last_stamps(db: Reader) -> dict[str, HeadStamp]:
    """Return the last try at each authority."""
    rows = await db.fetch_all(
        "SELECT * FROM stamps s WHERE head_id = (SELECT max(head_id) FROM stamps WHERE authority = s.authority)"
    )
    return {stamp.authority: stamp for stamp in read_all(HeadStamp, rows)}


async def last_stamped(db: Reader, authority: str) -> datetime | None:
    """Return when an authority last stamped a head, by its own clock."""
    rows = await db.fetch_all(
        "SELECT * FROM stamps WHERE authority = :a AND reply IS NOT NULL ORDER BY head_id DESC LIMIT 1",
        {"a": authority},
    )
    return read(HeadStamp, rows[0]).stamped_at if rows else None
