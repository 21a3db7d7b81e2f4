"""The people who may command the bot, and strangers who were turned away."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.models.outgoing import PeerKind
from bot.models.people import Role
from bot.store import chats, invitations
from bot.store.chats import REMOVED, Chat
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, read, read_all, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may command the bot."""

    id: int  # Telegram's
    role: Role
    by_settings: bool  # OWNER_IDS names them: nobody takes that away in a chat
    name: str  # as Telegram showed it last; empty where they never wrote
    username: str | None
    added_at: datetime
    invited_by: int | None  # the person who made their link; None: it was made on the server
    seen_at: datetime | None  # when they last wrote or tapped

    @property
    def called(self) -> str:
        """The name by which others know them."""
        return self.name or (f"@{self.username}" if self.username else f"id {self.id}")


async def role_of(db: Reader, person_id: int) -> Role | None:
    """Return the role of a person; None for a stranger."""
    role = await db.fetch_value("SELECT role FROM people WHERE id = :id", {"id": person_id})
    return None if role is None else Role(role)


async def get(db: Reader, person_id: int) -> Person | None:
    """Return a person; None for a stranger."""
    row = await db.fetch_one("SELECT * FROM people WHERE id = :id", {"id": person_id})
    return None if row is None else read(Person, row)


async def everybody(db: Reader) -> list[Person]:
    """Return all people: owners first, then editors, then readers, each in the order in which they came."""
    rank = "CASE role WHEN 'owner' THEN 0 WHEN 'editor' THEN 1 ELSE 2 END"
    return read_all(Person, await db.fetch_all(f"SELECT * FROM people ORDER BY {rank}, added_at, id"))  # noqa: S608 - our own


async def admit(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction, person_id: int, role: Role, now: datetime, *, invited_by: int | None = None, name: str = ""
) -> None:
    """Give a person a role; an owner stays owner."""
    await tx.execute(
        """INSERT INTO people (id, given, name, added_at, invited_by) VALUES (:id, :role, :name, :now, :by)
        ON CONFLICT DO UPDATE SET given = excluded.given WHERE given IS NULL OR given != 'owner'""",
        {"id": person_id, "role": role, "name": name, "now": to_ms(now), "by": invited_by},
    )


async def set_role(tx: Transaction, person_id: int, role: Role) -> None:
    """Give a person another role."""
    await tx.execute("UPDATE people SET given = :role WHERE id = :id", {"id": person_id, "role": role})


async def see(tx: Transaction, person_id: int, *, name: str, username: str | None, now: datetime) -> None:
    """Note that a person wrote or tapped, and how Telegram shows them."""
    await tx.execute(
        """UPDATE people SET seen_at = :now, name = iif(:name = '', name, :name),
            username = iif(:name = '', username, :username) WHERE id = :id""",
        {"id": person_id, "name": name, "username": username, "now": to_ms(now)},
    )


async def remove(tx: Transaction, person_id: int) -> bool:
    """Remove a person with the links that they made, and suspend their private chat; False for a stranger."""
    values = {"id": person_id}
    if not await tx.execute("DELETE FROM people WHERE id = :id", values):
        return False
    await invitations.withdraw_all(tx, person_id)
    await tx.execute("DELETE FROM strangers WHERE id = :id", values)  # they are told once that the bot is private
    chat = await chats.by_peer(tx, PeerKind.USER, person_id)
    if chat is not None and chat.suspended != REMOVED:
        await chats.suspend(tx, chat.id, REMOVED)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleNews:
    """A private chat whose menu shows the commands of another role than its person has."""

    chat: Chat
    role: Role | None  # None: they were removed
    shown: Role | None  # None: nothing was shown yet


async def role_news(db: Reader) -> list[RoleNews]:
    """Return the private chats whose person has another role than was shown, also by a change on the server."""
    rows = await db.fetch_all(
        f"""SELECT {chats.COLUMNS}, p.role, c.role_shown AS shown
        FROM chats c LEFT JOIN people p ON p.id = c.telegram_id
        WHERE c.kind = 'user' AND c.role_shown IS NOT p.role ORDER BY c.id"""  # noqa: S608 - our own constant
    )
    return read_all(RoleNews, rows)


async def show_role(tx: Transaction, person_id: int, role: Role | None) -> None:
    """Note which role the private chat of a person was shown."""
    sql = "UPDATE chats SET role_shown = :role WHERE kind = 'user' AND telegram_id = :id"
    await tx.execute(sql, {"id": person_id, "role": role})


async def count_other_owners(db: Reader, person_id: int) -> int:
    """Count the owners beside a person who can be reached: a number in the settings may be nobody's."""
    chat = "SELECT 1 FROM chats WHERE kind = 'user' AND telegram_id = p.id AND suspended IS NULL"
    sql = f"SELECT count(*) FROM people p WHERE role = 'owner' AND id != :id AND EXISTS ({chat})"  # noqa: S608 - our own
    return int(await db.fetch_value(sql, {"id": person_id}))


async def take_over(tx: Transaction, owner_ids: Collection[int], *, now: datetime) -> list[Person]:
    """Bring the owners that the settings name up to date; return those who were only named there, and are removed."""
    values = {"ids": json_list(owner_ids), "now": to_ms(now)}
    named = "id IN (SELECT value FROM json_each(:ids))"
    gone_sql = f"SELECT * FROM people WHERE by_settings AND given IS NULL AND NOT {named}"  # noqa: S608 - our own
    gone = read_all(Person, await tx.fetch_all(gone_sql, values))
    for person in gone:
        await remove(tx, person.id)
    await tx.execute(f"UPDATE people SET by_settings = {named} WHERE by_settings != ({named})", values)  # noqa: S608 - likewise
    await tx.execute(
        """INSERT INTO people (id, by_settings, added_at) SELECT value, 1, :now FROM json_each(:ids) WHERE true
        ON CONFLICT DO NOTHING""",
        values,
    )
    return gone


async def is_turned_away(db: Reader, person_id: int) -> bool:
    """Tell whether a stranger was answered before."""
    return await db.fetch_one("SELECT 1 FROM strangers WHERE id = :id", {"id": person_id}) is not None


async def turn_away(tx: Transaction, person_id: int, now: datetime) -> bool:
    """Note that a stranger wrote; return whether it was the first time, which is answered once."""
    sql = "INSERT OR IGNORE INTO strangers (id, refused_at) VALUES (:id, :now)"
    return await tx.execute(sql, {"id": person_id, "now": to_ms(now)}) > 0
