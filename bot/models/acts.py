"""What people do that concerns others: one type for each act, and how an act is undone. Pure.

To add an act, write its class here, name it in `Act`, and write its sentence in `bot.rendering.acts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.models.people import Role
from bot.models.topics import TopicState

UNDO_WITHIN = timedelta(minutes=10)
Row = Mapping[str, int | str | None]  # by columns


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """What an act did to a row; None: it was not there."""

    table: str
    before: Row | None
    after: Row | None


def inverse(changes: Sequence[RowChange]) -> tuple[RowChange, ...]:
    """Return the changes that undo others, the last one first: what refers to a row goes before it."""
    return tuple(replace(each, before=each.after, after=each.before) for each in reversed(changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsRequested:
    """Channels were asked for."""

    kind: Literal["follow"] = "follow"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsUnfollowed:
    """Channels are no longer followed."""

    kind: Literal["unfollow"] = "unfollow"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsSet:
    """Channels are followed in another way."""

    kind: Literal["how"] = "how"
    names: tuple[str, ...]
    options: str  # as they are typed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsGrouped:
    """Channels were put into a channel group, or taken out of it."""

    kind: Literal["grouped"] = "grouped"
    group: str
    names: tuple[str, ...]
    added: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGroupRenamed:
    """A channel group has another name."""

    kind: Literal["group_renamed"] = "group_renamed"
    before: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGroupDeleted:
    """A channel group is gone; its channels are still followed."""

    kind: Literal["group_deleted"] = "group_deleted"
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMade:
    """A topic was made."""

    kind: Literal["topic"] = "topic"
    topic: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChanged:
    """A topic looks for something else."""

    kind: Literal["topic_changed"] = "topic_changed"
    topic: str
    before: TopicState
    after: TopicState

    @property
    def difference(self) -> "TopicChanged":
        """The same without a query that stays as it is: a built-in one fills pages, and each chat has a notice."""
        if (self.before.query, self.before.limits) != (self.after.query, self.after.limits):
            return self
        before, after = (replace(state, query="", limits=()) for state in (self.before, self.after))
        return replace(self, before=before, after=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDeleted:
    """A topic is gone."""

    kind: Literal["topic_deleted"] = "topic_deleted"
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordExcluded:
    """A group excludes posts with a word from a topic, or no longer does."""

    kind: Literal["word"] = "word"
    topic: str
    word: str
    excluded: bool  # False: it was brought back


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSwitched:
    """A group gets alerts on a topic, or no longer does."""

    kind: Literal["switch"] = "switch"
    topic: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSet:
    """A group was set otherwise."""

    kind: Literal["setting"] = "setting"
    chat: str  # its title
    command: str  # as it was or could have been typed


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPaired:
    """The bot was brought into a group."""

    kind: Literal["group"] = "group"
    chat: str  # its title


class TargetChange(StrEnum):
    """What was done to a target."""

    ADDED = "added"
    PAUSED = "paused"
    RESUMED = "resumed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChanged:
    """A target was added, paused, switched on again, or removed."""

    kind: Literal["target"] = "target"
    target: str  # its name
    service: str
    change: TargetChange


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackSet:
    """A chat has another fallback, or none."""

    kind: Literal["fallback"] = "fallback"
    chat: str  # its title
    target: str | None  # its name


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChanged:
    """A topic or channel was restricted to some chats, or opened to all."""

    kind: Literal["access"] = "access"
    subject: Literal["topic", "channel", "case"]
    name: str
    chats: tuple[str, ...]  # titles; none: it is everybody's


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A case was opened."""

    kind: Literal["case"] = "case"
    case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSaved:
    """A post was saved in a case, or taken out of it."""

    kind: Literal["saved"] = "saved"
    case: str
    post: str  # its link
    names: tuple[str, ...]  # of its channel: whoever may not see that does not see this
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRenamed:
    """A case has another name."""

    kind: Literal["case_renamed"] = "case_renamed"
    before: str
    case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNoted:
    """A case, or a post in it, has another note; or a case has other tags."""

    kind: Literal["case_noted"] = "case_noted"
    case: str
    what: Literal["note", "tags"]
    text: str  # empty: none
    names: tuple[str, ...] = ()  # of the channel of the post


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDeleted:
    """A case is gone; its posts are still stored."""

    kind: Literal["case_deleted"] = "case_deleted"
    case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadAccepted:
    """A head of another instance counts by somebody's word, though it does not follow from the last one."""

    kind: Literal["head_accepted"] = "head_accepted"
    channel_id: int
    names: tuple[str, ...]  # of that channel
    sequence: int
    key: str  # its fingerprint
    sha256: str  # of the head's text, in hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A link was made."""

    kind: Literal["invite"] = "invite"
    role: Role
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationWithdrawn:
    """A link was withdrawn."""

    kind: Literal["withdraw"] = "withdraw"
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonJoined:
    """Somebody has come by a link, or was an owner by the settings."""

    kind: Literal["join"] = "join"
    role: Role
    inviter: str | None  # who made the link; None: it was made on the server


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRemoved:
    """Somebody was removed."""

    kind: Literal["remove"] = "remove"
    person: str
    role: Role  # that they had


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged:
    """Somebody was given another role."""

    kind: Literal["role"] = "role"
    person: str
    before: Role
    role: Role


Act = Annotated[
    ChannelsRequested
    | ChannelsUnfollowed
    | ChannelsSet
    | ChannelsGrouped
    | ChannelGroupRenamed
    | ChannelGroupDeleted
    | TopicMade
    | TopicChanged
    | TopicDeleted
    | WordExcluded
    | TopicSwitched
    | GroupSet
    | GroupPaired
    | TargetChanged
    | FallbackSet
    | AccessChanged
    | CaseOpened
    | PostSaved
    | CaseRenamed
    | CaseNoted
    | CaseDeleted
    | HeadAccepted
    | Invited
    | InvitationWithdrawn
    | PersonJoined
    | PersonRemoved
    | RoleChanged,
    Field(discriminator="kind"),
]
ACTS: TypeAdapter[Act] = TypeAdapter(Act)  # from JSON and to it
