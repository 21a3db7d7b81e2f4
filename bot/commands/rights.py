"""The one rule of rights, which commands, menus, taps and searches obey. Pure.

| | reader | editor | owner |
| --- | --- | --- | --- |
| look | yes | yes | yes |
| change what the chat receives | in private | yes | yes |
| change channels and topics, which belong to everybody; see the log | | yes | yes |
| change a topic or case that they have made | in private | yes | yes |
| see to the team | | | in private |
| set what a channel of the team's own receives | | in private | in private |
| see what is restricted to other chats | | | in private |

A stranger may do nothing, and neither may an anonymous administrator, whom Telegram does not name.
"""

from enum import StrEnum

from bot.locales import N_
from bot.models.people import EVERYTHING, Role, Viewer

RANKS = (Role.READER, Role.EDITOR, Role.OWNER)


class Need(StrEnum):
    """The rights that a command needs."""

    LOOK = "look"  # changes nothing
    CHAT = "chat"  # changes what this chat receives and how
    INSTANCE = "instance"  # changes channels or topics, which belong to everybody
    BROADCAST = "broadcast"  # changes what a channel of the team's own receives
    TEAM = "team"  # changes who may do what


REFUSALS = {  # by the need, for those who have less; keys for the translator
    Need.LOOK: N_("This bot is private."),
    Need.CHAT: N_("Only owners and editors can do that here."),
    Need.INSTANCE: N_("Only owners and editors can do that here."),
    Need.BROADCAST: N_("Only owners and editors can do that, in a private chat with me."),
    Need.TEAM: N_("Only owners can do that, in a private chat with me."),
}
POWERS = {  # what each role may do, in a sentence to whoever has it; likewise
    Role.OWNER: N_("You are an owner: you can do everything, including inviting and removing people with /team."),
    Role.EDITOR: N_("You are an editor: you can follow channels, create topics and add me to groups."),
    Role.READER: N_("You are a reader: you can search, choose your topics and mute what you do not need."),
}


def allows(role: Role | None, need: Need, *, private: bool) -> bool:
    """Tell whether a role is enough, in a private chat or a group; None: a stranger's."""
    match need:
        case _ if role is None:
            return False
        case Need.LOOK:
            return True
        case Need.CHAT:
            return private or role is not Role.READER
        case Need.INSTANCE:
            return role is not Role.READER
        case Need.BROADCAST:
            return private and role is not Role.READER
        case Need.TEAM:
            return private and role is Role.OWNER


def may_change_made(role: Role | None, *, is_author: bool, private: bool) -> bool:
    """Tell whether somebody may change or delete a topic or case: editors, owners, and in private its author."""
    own = Need.CHAT if is_author else Need.INSTANCE
    return allows(role, Need.INSTANCE, private=private) or allows(role, own, private=private)


def viewer(role: Role, *, chat_id: int, private: bool) -> Viewer:
    """Return whoever looks in a chat: what a group is shown, all its members read."""
    return EVERYTHING if private and role is Role.OWNER else Viewer(chat_id=chat_id)


def higher(one: Role | None, other: Role) -> Role:
    """Return the role that may do more, so that a link never takes rights away."""
    return max(one or other, other, key=RANKS.index)


USES = N_("Write words and I will search for them. Forward a post or paste its link and I will look it up. /help")
