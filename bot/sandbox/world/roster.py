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
    promoter: Account | None = None  # of an admin, where it is not the creator
    may_post: bool = True  # of an admin of a broadcast channel


class Roster:
    """Members, requests to join and bans of one channel, by account id."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.pending: dict[int, Account] = {}
        self.banned: set[int] = set()

    def __contains__(self, account: Account) -> bool:
        return account.id in self.members

    def put(
        self,
        account: Account,
        role: MemberRole,
        since: datetime,
        *,
        promoter: Account | None = None,
        may_post: bool = True,
    ) -> None:
        """Make an account a member, or change its role and rights; ends a ban."""
        self.pending.pop(account.id, None)
        self.banned.discard(account.id)
        self.members[account.id] = Member(account, role, since, promoter, may_post)

    def role(self, account: Account) -> MemberRole | None:
        """Return the role of an account; None outside the channel."""
        member = self.members.get(account.id)
        return member.role if member else None

    def is_admin(self, account: Account) -> bool:
        """Tell whether an account is the creator or an admin."""
        return self.role(account) in (MemberRole.CREATOR, MemberRole.ADMIN)

    def may_post(self, account: Account) -> bool:
        """Tell whether an account may post in a broadcast channel."""
        return self.is_admin(account) and self.members[account.id].may_post

    def participant(self, account: Account, viewer: Account) -> TLObject:
        """Return the TL participant as another account sees it; raises Refused for an account outside."""
        member = self.members.get(account.id)
        if member is None:
            raise Refused("USER_NOT_PARTICIPANT")
        if member.role is MemberRole.CREATOR:
            return tl.ChannelParticipantCreator(account.id, rights())
        if member.role is MemberRole.ADMIN:
            creator = next((m.account for m in self.members.values() if m.role is MemberRole.CREATOR), account)
            allowed = rights(may_post=member.may_post)
            return tl.ChannelParticipantAdmin(account.id, (member.promoter or creator).id, member.since, allowed)
        if account is viewer:
            return tl.ChannelParticipantSelf(account.id, account.id, member.since)
        return tl.ChannelParticipant(account.id, member.since)


def rights(*, may_post: bool = True) -> TLObject:
    """Return the rights of an admin."""
    return tl.ChatAdminRights(**{**dict.fromkeys(_RIGHTS, True), "post_messages": may_post or None})
