"""Links that pair people: each for a role, for one person or several, for a while; many live side by side."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models.people import Role
from bot.store.database import Reader, Transaction
from bot.store.rows import read, read_all, to_ms

LIFE = timedelta(minutes=15)  # of a link for which nothing else was chosen
MOST_USES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that still lets somebody in."""

    id: int
    role: Role  # that it gives
    uses: int  # people whom it lets in in all …
    used: int  # … and who have come
    made_by: int | None  # a person; None: made on the server
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """A link that has just been made."""

    id: int
    token: str  # only its hash is stored


async def make(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction, *, role: Role, now: datetime, made_by: int | None = None, uses: int = 1, life: timedelta = LIFE
) -> NewInvitation:
    """Make a link; those that were made before stay good."""
    token = secrets.token_urlsafe(24)
    number = await tx.insert(
        """INSERT INTO invitations (token_sha256, role, uses, made_by, made_at, expires_at)
        VALUES (:hash, :role, :uses, :by, :now, :end)""",
        {
            "hash": _hash(token),
            "role": role,
            "uses": uses,
            "by": made_by,
            "now": to_ms(now),
            "end": to_ms(now + life),
        },
    )
    return NewInvitation(id=number, token=token)


async def find(db: Reader, token: str, now: datetime) -> Invitation | None:
    """Return the link of a token; None where it is unknown, used up, withdrawn or expired."""
    sql = "SELECT * FROM invitations WHERE token_sha256 = :hash AND expires_at > :now"
    row = await db.fetch_one(sql, {"hash": _hash(token), "now": to_ms(now)})
    return None if row is None else read(Invitation, row)


async def use(tx: Transaction, invitation: Invitation) -> None:
    """Count one more person who came by a link; the last one uses it up."""
    await tx.execute("UPDATE invitations SET used = used + 1 WHERE id = :id", {"id": invitation.id})
    await tx.execute("DELETE FROM invitations WHERE id = :id AND used >= uses", {"id": invitation.id})


async def live(db: Reader, now: datetime) -> list[Invitation]:
    """Return the links that still let somebody in, oldest first."""
    sql = "SELECT * FROM invitations WHERE expires_at > :now ORDER BY id"
    return read_all(Invitation, await db.fetch_all(sql, {"now": to_ms(now)}))


async def withdraw(tx: Transaction, invitation_id: int) -> Invitation | None:
    """Withdraw a link and return it; None where it lets nobody in any more."""
    row = await tx.fetch_one("SELECT * FROM invitations WHERE id = :id", {"id": invitation_id})
    await tx.execute("DELETE FROM invitations WHERE id = :id", {"id": invitation_id})
    return None if row is None else read(Invitation, row)


async def withdraw_all(tx: Transaction, person_id: int) -> None:
    """Withdraw the links that a person made."""
    await tx.execute("DELETE FROM invitations WHERE made_by = :id", {"id": person_id})


async def forget_expired(tx: Transaction, *, now: datetime) -> None:
    """Delete the links whose time is over."""
    await tx.execute("DELETE FROM invitations WHERE expires_at <= :now", {"now": to_ms(now)})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
