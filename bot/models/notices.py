"""Notices: what the bot says about itself, one type for each; the outbox keeps them as JSON.

To add a notice, write its class here, name it in `Notice`, and write its renderer in `bot.rendering.notices`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Annotated, ClassVar, Literal

from pydantic import Field, TypeAdapter

from bot.models import Withholdings
from bot.models.acts import Act
from bot.models.counts import WeekCounts
from bot.models.enquiries import EnquiryKind, Findings


class Sound(Enum):
    """When a notice comes with a sound."""

    NEVER = auto()
    AWAKE = auto()  # unless the chat has quiet hours
    ALWAYS = auto()  # somebody has just asked, and waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    sound: ClassVar[Sound] = Sound.AWAKE
    for_everybody: ClassVar[bool] = False  # it may be posted in a channel; all others go to the owners instead

    kind: str  # its name in the outbox; it begins the subject, by which a chat gets a notice only once
    event: str  # unique among the notices of its kind

    @property
    def subject(self) -> str:
        """The identity of the notice within a chat."""
        return f"{self.kind}:{self.event}"


class FollowAccess(StrEnum):
    """How a channel is read that is followed from now on."""

    JOINED = "joined"
    POLLED = "polled"  # from outside until the reader has joined
    OUTSIDE = "outside"  # for good …
    OUTSIDE_FAST = "outside_fast"  # … and often
    SITE = "site"
    PAGE = "page"  # through its web page, as there is no reader account


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed(_Notice):
    """A channel is followed from now on."""

    sound = Sound.ALWAYS
    kind: Literal["followed"] = "followed"
    channel: str  # its title
    channel_id: int
    access: FollowAccess
    posts: int  # the newest ones, which were looked at
    alerts: int | None  # that these posts would have brought; None: there was no time to count them
    past_days: int = 0  # days before that are read from now on, in the background


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequested(_Notice):
    """The admins of a private channel have to let the reader in; its id is not known before they do."""

    sound = Sound.ALWAYS
    kind: Literal["pending"] = "pending"
    channel: str  # its title


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowRefused(_Notice):
    """Something cannot be followed."""

    sound = Sound.ALWAYS
    kind: Literal["refused"] = "refused"
    reference: str  # what was asked for, or the title in «» where it is known
    reason: str  # Telegram's error string, or a word of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRead(_Notice):
    """The channels of a shared folder are looked at."""

    sound = Sound.ALWAYS
    kind: Literal["folder"] = "folder"
    folder: str  # its title
    channels: int  # that the reader can read
    private: tuple[str, ...]  # titles of the others: each needs an invite link


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowAllOffered(_Notice):
    """All channels that the reader account is in can be followed at a tap."""

    sound = Sound.ALWAYS
    kind: Literal["all"] = "all"
    channels: int
    unfollowed: int  # of these
    options: str  # of following, as they are typed in English


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsFound(_Notice):
    """The answer to an enquiry: channels that the team may not know."""

    sound = Sound.ALWAYS
    kind: Literal["channels_found"] = "channels_found"
    enquiry: int  # its number
    about: EnquiryKind
    asked: str  # the title of the channel that was asked about, or the words that were looked for
    findings: Findings
    followed: tuple[int, ...]  # ids of those of the channels that are followed already
    may_follow: bool  # who asked may follow channels


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsFollowed(_Notice):
    """The comments on the posts of a channel are followed from now on, or cannot be."""

    sound = Sound.ALWAYS
    kind: Literal["comments"] = "comments"
    channel: str  # its title
    group: str | None  # the title of the supergroup that they are in, where it is known
    reason: str | None = None  # why not: Telegram's error string, or a word of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLost(_Notice):
    """A channel cannot be read any more."""

    kind: Literal["lost"] = "lost"
    channel: str  # its title
    reason: str  # Telegram's error string, or a word of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRegained(_Notice):
    """A channel that was lost can be read again."""

    sound = Sound.NEVER
    kind: Literal["found"] = "found"
    channel: str  # its title
    on_page: bool = False  # through its web page


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRenamed(_Notice):
    """A channel has another title or public name."""

    sound = Sound.NEVER
    kind: Literal["renamed"] = "renamed"
    old_title: str
    old_username: str | None
    title: str
    username: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelWithheld(_Notice):
    """The network withholds a channel in some places."""

    kind: Literal["withheld"] = "withheld"
    channel: str  # its title
    found: Withholdings


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSilent(_Notice):
    """A channel has posted nothing for much longer than it is used to."""

    sound = Sound.NEVER
    kind: Literal["silent"] = "silent"
    channel: str  # its title
    since: datetime  # its last post
    expected: int  # posts that would have followed as a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLost(_Notice):
    """A reader account cannot read channels any more."""

    kind: Literal["reader_lost"] = "reader_lost"
    is_standby: bool
    reason: str  # Telegram's error string


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPosted(_Notice):
    """The head of the ledger, as it is signed, for whoever keeps it."""

    sound = Sound.NEVER
    for_everybody = True
    kind: Literal["head"] = "head"
    sequence: int
    text: str  # canonical JSON, which is signed
    signature: str  # in Base64
    key: str  # the public key, likewise
    handovers: tuple[str, ...] = ()  # how it followed earlier ones, the last first: each of these, and what it signed


class HeadFault(StrEnum):
    """Why the head of another ledger does not follow from its last one."""

    SIGNATURE = "signature"  # it is wrong
    KEY = "key"  # it is another
    BACK = "back"  # it has fewer lines
    HASH = "hash"  # the same line has another


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRefused(_Notice):
    """The head of the ledger of another instance, read in its channel, does not follow from the last one."""

    kind: Literal["head_refused"] = "head_refused"
    channel: str  # its title
    channel_id: int
    fault: HeadFault


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesBegun(_Notice):
    """No reader account can read channels, so that they are read through their web pages; for the owners."""

    kind: Literal["pages"] = "pages"
    channels: int  # that are read so
    unread: tuple[str, ...]  # titles of those that have no page: nobody reads them
    has_account: bool  # a reader account was logged in once


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesEnded(_Notice):
    """A reader account reads all channels again; for the owners."""

    sound = Sound.NEVER
    kind: Literal["pages_over"] = "pages_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFailed(_Notice):
    """The web page of a channel cannot be read, and no reader account can read it; for the owners."""

    kind: Literal["page_failed"] = "page_failed"
    channel: str  # its title
    reason: str  # a word of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsMissed(_Notice):
    """The web page of a channel shows what a reader account has missed; for the owners."""

    kind: Literal["posts_missed"] = "posts_missed"
    channel: str  # its title
    channel_id: int
    username: str | None
    missed: int  # posts
    edited: int  # posts that say something else by now
    ids: tuple[int, ...]  # of the first of these messages


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatesMissed(_Notice):
    """Telegram did not hand out what was written to the bot; the bot goes on from the present."""

    kind: Literal["updates_missed"] = "updates_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsUnreadable(_Notice):
    """Posts are missing, since Telegram is newer than this program; for the owners."""

    kind: Literal["unreadable"] = "unreadable"
    posts: int
    channels: tuple[str, ...]  # titles
    on_page: bool = False  # or since only web pages are read, which do not show them


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReport(_Notice):
    """Whether anything was missing since the last report."""

    sound = Sound.NEVER
    for_everybody = True
    kind: Literal["receipt"] = "receipt"
    since: datetime
    channels: int
    alerts: int
    verified: int  # channels that are complete and compared
    gaps: int  # channels of which something is missing, or may be
    gap_names: tuple[str, ...]  # of these channels, the first ones
    unverified_names: tuple[str, ...]  # of the channels that are neither, the first ones
    pages: int = 0  # channels that are read through their web pages, of which nothing else is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport(_Notice):
    """What there was in the seven days that ended before the day of the report."""

    sound = Sound.NEVER
    for_everybody = True
    kind: Literal["weekly"] = "weekly"
    since: datetime
    until: datetime
    counts: WeekCounts
    gaps: int  # channels of which something is missing now, or may be
    gap_names: tuple[str, ...]  # of these, the first ones


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSurge(_Notice):
    """A topic has unusually many posts for this hour of the week; once a day for each."""

    for_everybody = True
    kind: Literal["surge"] = "surge"
    topic: str
    posts: int  # in the last hour
    channels: int  # in which they are
    usual: float  # posts in an hour like this one
    titles: tuple[str, ...]  # of some of the channels, and …
    links: tuple[str, ...]  # … the address of a post of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong(_Notice):
    """The answer to /ping."""

    sound = Sound.ALWAYS
    for_everybody = True
    kind: Literal["ping"] = "ping"
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAlert(_Notice):
    """A test of whether alerts reach the chat."""

    sound = Sound.ALWAYS
    for_everybody = True
    kind: Literal["test"] = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadClosed(_Notice):
    """A forum thread takes no more alerts."""

    kind: Literal["thread"] = "thread"
    topics: tuple[str, ...]  # names of those that were bound to it; none: it was the one for all alerts of the chat


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSuspended(_Notice):
    """A group takes no messages of the bot any more; for the owners."""

    kind: Literal["suspended"] = "suspended"
    chat: str  # its title
    reason: str  # Telegram's error string
    is_broadcast: bool = False  # it is a channel of the team's own
    is_target: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFailing(_Notice):
    """A target has taken nothing for a while; for the owners."""

    kind: Literal["target_failing"] = "target_failing"
    target: str  # its name
    since: datetime
    reason: str  # a status of HTTP, or a word of ours


class Outage(StrEnum):
    """What Telegram does not let us do."""

    SENDING = "sending"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramOut(_Notice):
    """Telegram is out; for the owners, by way of their fallback."""

    kind: Literal["telegram_out"] = "telegram_out"
    outage: Outage
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramBack(_Notice):
    """Telegram is back; for the owners."""

    kind: Literal["telegram_back"] = "telegram_back"
    outage: Outage
    since: datetime
    until: datetime
    alerts: int  # that went to fallbacks


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastOffered(_Notice):
    """The bot became an admin of a channel; for who made it one."""

    sound = Sound.ALWAYS
    kind: Literal["offered"] = "offered"
    chat: str  # its title
    chat_id: int  # of its row
    may_post: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastResumed(_Notice):
    """The bot may post in a channel again; for the owners."""

    kind: Literal["broadcast_resumed"] = "broadcast_resumed"
    chat: str  # its title


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionIgnored(_Notice):
    """Somebody who may not do so made the bot an admin of a channel; for the owners, once a channel."""

    kind: Literal["promotion"] = "promotion"
    chat: str  # its title
    name: str  # of who did it; empty where Telegram does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsMissed(_Notice):
    """The chat takes messages again, after it had refused them for a while."""

    kind: Literal["missed"] = "missed"
    alerts: int  # that could not be delivered meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted(_Notice):
    """Somebody did what concerns the chat, or undid it."""

    kind: Literal["act"] = "act"
    name: str  # of who did it; empty: somebody on the server
    act: Act
    undone: bool = False
    is_concerned: bool = True  # the chat itself, and not only …
    broadcasts: tuple[
        tuple[int, str], ...
    ] = ()  # … these channels of the team's own, by id and title: it is an owner's


Notice = Annotated[
    Followed
    | JoinRequested
    | FollowRefused
    | FolderRead
    | FollowAllOffered
    | ChannelsFound
    | CommentsFollowed
    | ChannelLost
    | ChannelRegained
    | ChannelRenamed
    | ChannelWithheld
    | ChannelSilent
    | ReaderLost
    | HeadPosted
    | HeadRefused
    | PagesBegun
    | PagesEnded
    | PageFailed
    | PostsMissed
    | UpdatesMissed
    | PostsUnreadable
    | DailyReport
    | WeeklyReport
    | TopicSurge
    | Pong
    | SampleAlert
    | ThreadClosed
    | ChatSuspended
    | TargetFailing
    | TelegramOut
    | TelegramBack
    | BroadcastOffered
    | BroadcastResumed
    | PromotionIgnored
    | AlertsMissed
    | Acted,
    Field(discriminator="kind"),
]
NOTICES: TypeAdapter[Notice] = TypeAdapter(Notice)  # from JSON and to it
