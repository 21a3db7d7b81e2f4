"""Messages as the world stores them, the drafts that they are made of, and the revisions that edit them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict

from telethon import utils
from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.text import with_found_entities


class Fields(TypedDict, total=False):
    """The fields of a Draft that a verb takes as keywords."""

    unknown: bool
    rich: tl.RichMessage | None
    shown: int | None
    entities: Sequence[TLObject]
    reply_markup: TLObject | None
    reply_to: int | None
    topic: int | None
    forward: "tl.MessageFwdHeader | Message | None"
    grouped: int | None
    silent: bool
    sent_as: int | None
    signature: str | None
    views: int
    date: datetime | None
    message_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message to be sent."""

    text: str = ""
    entities: Sequence[TLObject] = ()  # offsets and lengths in UTF-16 units
    media: TLObject | None = None  # a MessageMedia
    rich: tl.RichMessage | None = None  # the blocks of a long post, all of them
    shown: int | None = None  # of these blocks, so many stand in lists and updates; None: all
    unknown: bool = False  # clients get it in a constructor that they do not know
    reply_markup: TLObject | None = None
    reply_to: int | None = None  # the message's id as the sender sees it
    topic: int | None = None  # of a forum; None is the general one
    forward: "tl.MessageFwdHeader | Message | None" = None  # where it was forwarded from
    grouped: int | None = None  # shared by the items of an album
    silent: bool = False
    sent_as: int | None = None  # the marked id of the channel that a member of a supergroup speaks as
    signature: str | None = None  # of a post, or the rank of an anonymous admin
    views: int = 1  # of a broadcast post, to start with
    date: datetime | None = None  # None = now
    message_id: int | None = None  # None = the next one; for channels only
    action: TLObject | None = None  # a MessageAction: it is a service message then


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An edit; None leaves a field as it is, except that the keyboard is always replaced, as in Telegram."""

    text: str | None = None
    entities: Sequence[TLObject] = ()  # of the new text
    media: TLObject | None = None
    rich: tl.RichMessage | None = None
    reply_markup: TLObject | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Message:
    """A message in one channel, or one account's copy of a message in a private chat or a basic group."""

    id: int
    chat: int  # marked id of the chat, as the holder of the copy sees it
    date: datetime
    text: str
    entities: list[TLObject]
    sender_id: int | None = None  # None = the channel itself
    post: bool = False  # of a broadcast channel, whose readers do not see the author
    media: TLObject | None = None
    rich: tl.RichMessage | None = None  # the blocks of a long post
    shown: int | None = None  # of them, so many stand in lists and updates; None: all
    unknown: bool = False  # clients get it in a constructor that they do not know
    reply_markup: TLObject | None = None
    reply_to: int | None = None
    topic: int | None = None  # of a forum; None is the general one
    thread: int | None = None  # the message that was answered first, of those that lead to this one
    forward: tl.MessageFwdHeader | None = None
    grouped: int | None = None
    silent: bool = False
    sent_as: int | None = None  # the marked id of the channel that the sender speaks as
    signature: str | None = None
    action: TLObject | None = None
    views: int | None = None  # None: not counted
    forwards: int = 0
    edit_date: datetime | None = None
    edit_hide: bool = False  # the last edit touched reactions only, and no person has edited
    pinned: bool = False
    reactions: dict[str, int] = field(default_factory=dict)  # emoji → how many
    copies: dict[int, "Message"] = field(default_factory=dict)  # account id → its copy; empty in channels

    def apply_revision(self, revision: Revision, now: datetime) -> bool:
        """Apply an edit; False where it would change nothing."""
        text, entities = self.text, self.entities
        if revision.text is not None:
            text, entities = revision.text, with_found_entities(revision.text, revision.entities)
        media = self.media if revision.media is None else revision.media
        rich = self.rich if revision.rich is None else revision.rich
        before, after = (self.text, self.entities, self.media, self.rich), (text, entities, media, rich)
        is_seen = after != before  # new buttons alone are no edit
        if not is_seen and revision.reply_markup == self.reply_markup:
            return False
        was_seen = self.edit_date is not None and not self.edit_hide
        self.text, self.entities, self.media, self.rich = after
        self.reply_markup = revision.reply_markup
        self.edit_date, self.edit_hide = now, not (is_seen or was_seen)
        return True

    @property
    def author(self) -> int | None:
        """The marked id of the author whom readers see; None for a post of a channel."""
        return None if self.post else self.sent_as or self.sender_id

    def mentioned_ids(self) -> set[int]:
        """Return the marked ids of the peers that a client needs to show this message."""
        ids = {self.chat}
        if self.author is not None:
            ids.add(self.author)
        if self.forward is not None and self.forward.from_id is not None:
            ids.add(utils.get_peer_id(self.forward.from_id))
        ids.update(entity.user_id for entity in self.entities if isinstance(entity, tl.MessageEntityMentionName))
        if isinstance(self.action, tl.MessageActionChatAddUser):
            ids.update(self.action.users)
        if isinstance(self.action, tl.MessageActionChatDeleteUser):
            ids.add(self.action.user_id)
        return ids

    def forward_header(self) -> tl.MessageFwdHeader:
        """Return the header of this message in another chat; a forward of a forward names the first author."""
        if self.forward is not None:
            return self.forward
        origin = peer_of(self.chat if self.author is None else self.author)
        post = self.id if isinstance(origin, tl.PeerChannel) else None
        return tl.MessageFwdHeader(self.date, from_id=origin, channel_post=post)


def peer_of(marked: int) -> TLObject:
    """Return the Peer of a marked id."""
    number, kind = utils.resolve_id(marked)
    return kind(number)


def compose(draft: MessageDraft, *, number: int, chat: int, sender_id: int | None, now: datetime) -> Message:
    """Make a message from a draft."""
    return Message(
        id=number,
        chat=chat,
        date=(draft.date or now).replace(microsecond=0),
        text=draft.text,
        entities=with_found_entities(draft.text, draft.entities),
        sender_id=sender_id,
        media=draft.media,
        rich=draft.rich,
        shown=draft.shown,
        unknown=draft.unknown,
        reply_markup=draft.reply_markup,
        reply_to=draft.reply_to,
        topic=draft.topic,
        forward=draft.forward.forward_header() if isinstance(draft.forward, Message) else draft.forward,
        grouped=draft.grouped,
        silent=draft.silent,
        sent_as=draft.sent_as,
        signature=draft.signature,
        action=draft.action,
    )


def reply_in(draft: MessageDraft, store: Mapping[int, Message], holder_id: int) -> MessageDraft:
    """Return the draft with the id that another holder has for the answered message, None where he has no copy."""
    if draft.reply_to is None:
        return draft
    copy = store[draft.reply_to].copies.get(holder_id)
    return replace(draft, reply_to=copy.id if copy else None)
