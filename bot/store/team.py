"""Changes of the team, each an act of the log: an owner or the server removes people and changes their roles."""

from datetime import datetime
from enum import StrEnum

from bot.models.acts import PersonRemoved, RoleChanged
from bot.models.outgoing import PeerKind
from bot.models.people import Role
from bot.store import chats, invitations, people
from bot.store.acts import Actor, Rows, recorded
from bot.store.database import Reader, Transaction
from bot.store.people import Person


class TeamRefusal(StrEnum):
    """Why somebody keeps their role."""

    LAST_OWNER = "last owner"  # nobody could let anybody in any more
    BY_SETTINGS = "by settings"  # OWNER_IDS would make them an owner again


async def refusal(db: Reader, person: Person, role: Role | None) -> TeamRefusal | None:
    """Return why a person cannot be given a role, None: be removed; None where they can."""
    if person.role is not Role.OWNER or role is Role.OWNER:
        return None
    if person.by_settings:
        return TeamRefusal.BY_SETTINGS
    return None if await people.count_other_owners(db, person.id) else TeamRefusal.LAST_OWNER


async def remove(tx: Transaction, person: Person, by: Actor, *, now: datetime) -> int:
    """Remove a person, with a notice to the other owners; return the number of the act."""
    chat = await chats.by_peer(tx, PeerKind.USER, person.id)
    rows = [Rows("people", "id", person.id), *([Rows("chats", "id", chat.id)] if chat is not None else [])]
    concerned = [owner.id for owner in await chats.of_owners(tx) if chat is None or owner.id != chat.id]
    act = PersonRemoved(person=person.called, role=person.role)
    async with recorded(tx, act, by, *rows, now=now, concerned=concerned) as recording:
        await people.remove(tx, person.id)
        if by.person_id == person.id:  # who leaves need not be told
            await people.show_role(tx, person.id, None)
    return recording.id


async def set_role(tx: Transaction, person: Person, role: Role, by: Actor, *, now: datetime) -> int:
    """Give a person another role, with a notice to them and to the other owners; return the number of the act.

    The links of who is no longer an owner end: one of them could bring ownership back.
    """
    own = await chats.by_peer(tx, PeerKind.USER, person.id)
    concerned = {owner.id for owner in await chats.of_owners(tx)} | ({own.id} if own is not None else set())
    act = RoleChanged(person=person.called, before=person.role, role=role)
    async with recorded(tx, act, by, Rows("people", "id", person.id), now=now, concerned=concerned) as recording:
        await people.set_role(tx, person.id, role)
        if role is not Role.OWNER:
            await invitations.withdraw_all(tx, person.id)
    return recording.id
