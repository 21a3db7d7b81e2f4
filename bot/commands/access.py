"""Who may do what: a person's id comes in, their role goes out; a role and a need come in, yes or no goes out."""

from collections.abc import Iterable
from enum import StrEnum

from bot.store import chats
from bot.store.chats import Role
from bot.store.database import Database, Reader

_RANKS = (Role.READER, Role.EDITOR, Role.OWNER)


class Need(StrEnum):
    """What a command does, as far as rights are concerned."""

    LOOK = "look"  # changes nothing
    CHAT = "chat"  # changes what this chat receives and how
    INSTANCE = "instance"  # changes channels or topics, which belong to everybody


def allows(role: Role, need: Need, *, private: bool) -> bool:
    """Tell whether a role is enough; what a group receives is for owner and editors to say."""
    if need is Need.INSTANCE or (need is Need.CHAT and not private):
        return role is not Role.READER
    return True


def higher(one: Role | None, other: Role) -> Role:
    """Return the role that may do more, so that a link never takes rights away."""
    return max(one or other, other, key=_RANKS.index)


class Access:
    """Knows the people of this instance."""

    def __init__(self, database: Database, owner_ids: Iterable[int] = ()) -> None:
        self._database = database
        self._owner_ids = frozenset(owner_ids)  # owners by the settings, without a pairing link

    async def role_of(self, person_id: int, db: Reader | None = None) -> Role | None:
        """Return a person's role; None for a stranger. `db` is a transaction where there is one."""
        if person_id in self._owner_ids:
            return Role.OWNER
        return await chats.role_of(db or self._database, person_id)
