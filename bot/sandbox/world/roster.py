"""The roster of a channel: its members and their roles, requests to join, and bans."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.peers import Account
from bot.sandbox.world.refused import Refused

_RIGHTS = (
    "change_info",
    "post_messages",
    "edit_messages",
    "delete_messages",
    "ban_users",
    "invite_users",
    "pin_messages",
)


class MemberRole(Enum):
    """The role of a member."""

    CREATOR = auto()
    ADMIN = auto()  # with all rights of an admin
    MEMBER = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a channel."""

    account: Account
    role: MemberRole
    since: datetime


class Roster:
    """Members, requests to join and bans of one channel, by account id."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.pending: dict[int, Account] = {}
        self.banned: set[int] = set()

    def __contains__(self, account: Account) -> bool:
        return account.id in self.members

    def put(self, account: Account, role: MemberRole, since: datetime) -> None:
        """Make an account a member, or change its role; ends a ban."""
        self.pending.pop(account.id, None)
        self.banned.discard(account.id)
        self.members[account.id] = Member(account, role, since)

    def role(self, account: Account) -> MemberRole | None:
        """Return the role of an account; None outside the channel."""
        member = self.members.get(account.id)
        return member.role if member else None

    def is_admin(self, account: Account) -> bool:
        """Tell whether an account is the creator or an admin."""
        return self.role(account) in (MemberRole.CREATOR, MemberRole.ADMIN)

    def participant(self, account: Account, viewer: Account) -> TLObject:
        """Return the TL participant as another account sees it; raises Refused for an account outside."""
        member = self.members.get(account.id)
        if member is None:
            raise Refused("USER_NOT_PARTICIPANT")
        if member.role is MemberRole.CREATOR:
            return tl.ChannelParticipantCreator(account.id, rights())
        if member.role is MemberRole.ADMIN:
            promoter = next((m.account.id for m in self.members.values() if m.role is MemberRole.CREATOR), account.id)
            return tl.ChannelParticipantAdmin(account.id, promoter, member.since, rights())
        if account is viewer:
            return tl.ChannelParticipantSelf(account.id, account.id, member.since)
        return tl.ChannelParticipant(account.id, member.since)


def rights() -> TLObject:
    """Return the rights of an admin."""
    return tl.ChatAdminRights(**dict.fromkeys(_RIGHTS, True))
