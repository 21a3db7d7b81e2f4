"""Chats that receive alerts, the people who may command the bot, and the links that pair them."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.models import Peer, PeerKind
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import from_ms, to_ms

INVITATION_LIFE = timedelta(minutes=15)
# Of a row that carries a chat, whatever it was joined to.
COLUMNS = """
    c.id AS chat_id, c.key AS chat_key, c.kind AS chat_kind, c.telegram_id AS chat_telegram_id,
    c.access_hash AS chat_access_hash, c.thread_id AS chat_thread_id, c.title AS chat_title,
    c.language AS chat_language, c.time_zone AS chat_time_zone,
    c.edits AS chat_edits, c.suspended AS chat_suspended, c.paired_at AS chat_paired_at
"""
_CHATS = f"SELECT {COLUMNS} FROM chats c"  # noqa: S608 - our own constant


class Role(StrEnum):
    """What a person may do."""

    OWNER = "owner"  # everything
    EDITOR = "editor"  # follow channels and make topics
    READER = "reader"  # read, search, mute


class Edits(StrEnum):
    """Which changes of a post a reply tells of; its alert is edited in any case."""

    ALL = "all"  # also punctuation and typos, without a sound
    WORDS = "words"  # other words, and a post that is no longer visible
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Whoever receives alerts."""

    id: int
    key: bytes  # 16 random bytes: part of every alert's identity
    peer: Peer
    title: str
    language: str  # "en" or "ru"
    time_zone: str  # IANA name
    edits: Edits
    suspended: str | None  # why nothing is sent any more: Telegram's error string
    paired_at: datetime


def to_chat(row: sqlite3.Row) -> Chat:
    """Read a chat from a row with the `COLUMNS`."""
    peer = Peer(
        kind=PeerKind(row["chat_kind"]),
        id=row["chat_telegram_id"],
        access_hash=row["chat_access_hash"],
        thread_id=row["chat_thread_id"],
    )
    return Chat(
        id=row["chat_id"],
        key=row["chat_key"],
        peer=peer,
        title=row["chat_title"],
        language=row["chat_language"],
        time_zone=row["chat_time_zone"],
        edits=Edits(row["chat_edits"]),
        suspended=row["chat_suspended"],
        paired_at=from_ms(row["chat_paired_at"]),
    )


async def pair(tx: Transaction, peer: Peer, *, title: str, language: str, now: datetime) -> Chat:
    """Make a chat a receiver of alerts; one that was paired before keeps its key and settings and is resumed."""
    values = {"kind": peer.kind, "telegram_id": peer.id, "hash": peer.access_hash, "thread": peer.thread_id}
    await tx.execute(
        """INSERT INTO chats (key, kind, telegram_id, access_hash, thread_id, title, language, paired_at)
        VALUES (:key, :kind, :telegram_id, :hash, :thread, :title, :language, :now)
        ON CONFLICT (kind, telegram_id) DO UPDATE SET access_hash = excluded.access_hash,
            thread_id = excluded.thread_id, title = excluded.title, suspended = NULL""",
        {**values, "key": secrets.token_bytes(16), "title": title, "language": language, "now": to_ms(now)},
    )
    tx.announce(Subject.CHATS)
    rows = await tx.fetch_all(f"{_CHATS} WHERE kind = :kind AND telegram_id = :telegram_id", values)
    return to_chat(rows[0])


async def by_peer(db: Reader, kind: PeerKind, telegram_id: int) -> Chat | None:
    """Return the paired chat with this address."""
    row = await db.fetch_one(f"{_CHATS} WHERE kind = :kind AND telegram_id = :id", {"kind": kind, "id": telegram_id})
    return to_chat(row) if row else None


async def get(db: Reader, chat_id: int) -> Chat | None:
    """Return a chat by the id of its row."""
    row = await db.fetch_one(f"{_CHATS} WHERE id = :id", {"id": chat_id})
    return to_chat(row) if row else None


async def everyone(db: Reader) -> list[Chat]:
    """Return all paired chats, also suspended ones, in the order in which they came."""
    return [to_chat(row) for row in await db.fetch_all(f"{_CHATS} ORDER BY id")]


async def of_owners(db: Reader) -> list[Chat]:
    """Return the private chats of the owners."""
    owners = "SELECT id FROM people WHERE role = 'owner'"
    sql = f"{_CHATS} WHERE c.kind = 'user' AND c.telegram_id IN ({owners}) ORDER BY c.id"
    return [to_chat(row) for row in await db.fetch_all(sql)]


async def set_language(tx: Transaction, chat_id: int, language: str) -> None:
    """Set the language that the bot speaks in a chat."""
    await tx.execute("UPDATE chats SET language = :language WHERE id = :id", {"id": chat_id, "language": language})
    tx.announce(Subject.CHATS)


async def set_time_zone(tx: Transaction, chat_id: int, time_zone: str) -> None:
    """Set the IANA time zone in which a chat reads dates."""
    await tx.execute("UPDATE chats SET time_zone = :zone WHERE id = :id", {"id": chat_id, "zone": time_zone})
    tx.announce(Subject.CHATS)


async def set_edits(tx: Transaction, chat_id: int, edits: Edits) -> None:
    """Set which changes of posts a chat is told of."""
    await tx.execute("UPDATE chats SET edits = :edits WHERE id = :id", {"id": chat_id, "edits": edits})
    tx.announce(Subject.CHATS)


async def suspend(tx: Transaction, chat_id: int, reason: str) -> None:
    """Send nothing to a chat any more, and end what was to be sent, for a reason: Telegram's error string."""
    values = {"id": chat_id, "reason": reason}
    await tx.execute("UPDATE chats SET suspended = :reason WHERE id = :id", values)
    await tx.execute("UPDATE alerts SET state = 'dead', reason = :reason WHERE chat_id = :id AND state = 'due'", values)
    tx.announce(Subject.CHATS)


async def resume(tx: Transaction, chat_id: int) -> None:
    """Send to a chat again."""
    await tx.execute("UPDATE chats SET suspended = NULL WHERE id = :id", {"id": chat_id})
    tx.announce(Subject.CHATS)


async def role_of(db: Reader, user_id: int) -> Role | None:
    """Return what a person may do; None for a stranger."""
    row = await db.fetch_one("SELECT role FROM people WHERE id = :id", {"id": user_id})
    return Role(row["role"]) if row else None


async def admit(tx: Transaction, user_id: int, role: Role, now: datetime) -> None:
    """Give a person a role; an owner is never made less by this."""
    await tx.execute(
        """INSERT INTO people (id, role, added_at) VALUES (:id, :role, :now)
        ON CONFLICT DO UPDATE SET role = excluded.role WHERE role != 'owner'""",
        {"id": user_id, "role": role, "now": to_ms(now)},
    )


async def stranger_first_time(tx: Transaction, user_id: int, now: datetime) -> bool:
    """Remember a stranger; True the first time, when the bot tells them once that it is private."""
    sql = "INSERT OR IGNORE INTO strangers (id, told_at) VALUES (:id, :now)"
    return await tx.execute(sql, {"id": user_id, "now": to_ms(now)}) > 0


async def invite(tx: Transaction, *, role: Role, now: datetime) -> str:
    """Make a one-time pairing token, good for 15 minutes; it replaces all older ones. Only its hash is stored."""
    token = secrets.token_urlsafe(24)
    await tx.execute("DELETE FROM pairings")
    await tx.execute(
        "INSERT INTO pairings (token_sha256, role, expires_at) VALUES (:hash, :role, :expires_at)",
        {"hash": _hash(token), "role": role, "expires_at": to_ms(now + INVITATION_LIFE)},
    )
    return token


async def redeem(tx: Transaction, token: str, now: datetime) -> Role | None:
    """Use a pairing token up; return the role it gives, None where it is unknown, used or too old."""
    values = {"hash": _hash(token)}
    row = await tx.fetch_one("SELECT role, expires_at FROM pairings WHERE token_sha256 = :hash", values)
    await tx.execute("DELETE FROM pairings WHERE token_sha256 = :hash", values)
    return Role(row["role"]) if row and row["expires_at"] > to_ms(now) else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
