"""A channel or supergroup as clients use it: its messages, its log of changes, and updates for its members."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.history import History
from bot.sandbox.world.log import Log, LoggedChange, UpdateKind
from bot.sandbox.world.messages import Message, MessageDraft, Revision, compose
from bot.sandbox.world.peers import Account, Hub, Peer
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.roster import MemberRole, Roster, rights
from bot.sandbox.world.stories import Stories
from bot.sandbox.world.view import updates_for

GENERAL_TOPIC = 1  # the topic that every forum has; its messages name none


class Forum:
    """The topics of a supergroup, by the id of the service message that opened each."""

    def __init__(self) -> None:
        self.topics: dict[int, str] = {GENERAL_TOPIC: "General"}  # titles
        self.closed: set[int] = set()  # only those who may manage topics write there
        self.deleted: set[int] = set()

    @property
    def open(self) -> bool:
        """Whether the supergroup is a forum, which it is once a topic was opened."""
        return len(self.topics) + len(self.deleted) > 1

    def place(self, draft: MessageDraft, kept: Mapping[int, Message], *, manages: bool) -> MessageDraft:
        """Return a draft with its topic; an answer to the topic's first message is no reply.

        Raises Refused for a topic that is deleted, or closed to the sender.
        """
        topic, reply_to = draft.topic, draft.reply_to
        if reply_to in self.topics or reply_to in self.deleted:
            topic, reply_to = reply_to, None
        elif reply_to is not None and reply_to in kept:
            topic = kept[reply_to].topic
        if topic in self.deleted:
            raise Refused("TOPIC_DELETED")
        if (topic or GENERAL_TOPIC) not in self.topics:
            raise Refused("REPLY_MESSAGE_ID_INVALID")
        if (topic or GENERAL_TOPIC) in self.closed and not manages:
            raise Refused("TOPIC_CLOSED")
        return replace(draft, topic=None if topic == GENERAL_TOPIC else topic, reply_to=reply_to)


class Feed(Peer):
    """A broadcast channel, or with `megagroup` a supergroup; public if it has a username, else joined by invite."""

    def __init__(self, hub: Hub, number: int, title: str, *, megagroup: bool) -> None:
        self.hub = hub
        self.id = number
        self.marked = -1_000_000_000_000 - number
        self.title = title
        self.megagroup = megagroup
        self.about = ""
        self.invite = ""
        self.needs_approval = False  # of those who want to join
        self.forum = Forum()  # its topics, where it has any
        self.withheld: tuple[tuple[str, str, str], ...] = ()  # where and why: platform, reason, text
        self.read_only = False  # members of the supergroup may not write
        self.slow_mode_s = 0  # between two messages of a member
        self.spoke: dict[int, datetime] = {}  # when each account wrote last
        self.roster = Roster()
        self.log = Log()
        self.kept = History()
        self.stories = Stories()
        self.discussion: Feed | None = None  # the supergroup with the comments on its posts
        self.discusses: Feed | None = None  # the channel on whose posts it has the comments
        self.similar: list[Feed] = []  # that Telegram suggests to its readers
        self.pinned: list[int] = []  # messages, the latest last
        self.date = self.changed = hub.now()
        self.too_long_after: int | None = None  # changes; a difference that spans more is refused as too long
        self.last_id = 0

    def tl_for(self, viewer: Account) -> TLObject:
        """Return the Channel, or ChannelForbidden for an account that may not read it."""
        access_hash = self.hub.access_hash(viewer.id, self.marked)
        megagroup = self.megagroup or None
        broadcast = not self.megagroup or None
        if not self.open_to(viewer):
            return tl.ChannelForbidden(self.id, access_hash, self.title, broadcast=broadcast, megagroup=megagroup)
        role = self.roster.role(viewer)
        return tl.Channel(
            self.id,
            self.title,
            tl.ChatPhotoEmpty(),
            self.date,
            access_hash=access_hash,
            username=self.username,
            broadcast=broadcast,
            megagroup=megagroup,
            forum=self.forum.open or None,
            has_link=bool(self.discussion or self.discusses) or None,
            stories_max_id=self.stories.summary(self.hub.clock()) if self.stories.told else None,
            restricted=bool(self.withheld) or None,
            restriction_reason=[tl.RestrictionReason(*each) for each in self.withheld] or None,
            left=(role is None) or None,
            creator=(role is MemberRole.CREATOR) or None,
            admin_rights=rights() if role in (MemberRole.CREATOR, MemberRole.ADMIN) else None,
        )

    def open_to(self, viewer: Account) -> bool:
        """Tell whether an account may read: members, and all but the banned where it is public.

        The comments on posts that an account may read are open to it, too.
        """
        is_open = self.username is not None or (self.discusses is not None and self.discusses.open_to(viewer))
        return viewer in self.roster or (is_open and viewer.id not in self.roster.banned)

    def history(self, viewer: Account) -> History:
        """Return the messages; raises Refused."""
        if not self.open_to(viewer):
            raise Refused("CHANNEL_PRIVATE")
        return self.kept

    def store(self, viewer: Account) -> Mapping[int, Message]:  # noqa: ARG002 - the same for every viewer here
        """Return the messages by number."""
        return self.kept.messages

    def reaches(self, account: Account, change: LoggedChange) -> bool:
        """Tell whether a member gets a change; bots that are no admins get few messages of a supergroup."""
        if not account.bot or self.roster.is_admin(account):
            return True
        message = self.kept.messages.get(change.ids[0])
        return message is None or account.gets(message, self.kept.messages.get(message.reply_to or 0))

    def accept(self, sender: Account, draft: MessageDraft, *, origin: object = None) -> LoggedChange:
        """Take a message from a client."""
        self._check_may_write(sender)
        if self.forum.open:
            draft = self.forum.place(draft, self.kept.messages, manages=self.roster.is_admin(sender))
        if draft.reply_to is not None and draft.reply_to not in self.kept.messages:
            raise Refused("REPLY_MESSAGE_ID_INVALID")
        self.spoke[sender.id] = self.hub.clock()
        return self.publish(sender, replace(draft, message_id=None), origin=origin)

    def _check_may_write(self, sender: Account) -> None:
        if sender.id in self.roster.banned:
            raise Refused("USER_BANNED_IN_CHANNEL" if self.username else "CHANNEL_PRIVATE")
        if sender not in self.roster:
            closed = self.username is None or sender.bot
            raise Refused("CHANNEL_PRIVATE") if closed else Refused("CHAT_WRITE_FORBIDDEN", 403)
        if not self.megagroup and not self.roster.may_post(sender):
            raise Refused("CHAT_ADMIN_REQUIRED")
        if self.roster.is_admin(sender):
            return
        if self.read_only:
            raise Refused("CHAT_WRITE_FORBIDDEN", 403)
        spoke = self.spoke.get(sender.id)
        if self.slow_mode_s and spoke is not None:
            left = spoke + timedelta(seconds=self.slow_mode_s) - self.hub.clock()
            if left > timedelta(0):
                raise Refused(f"SLOWMODE_WAIT_{math.ceil(left.total_seconds())}", 420)

    def revise(self, editor: Account, message_id: int, revision: Revision, *, origin: object = None) -> LoggedChange:
        """Take an edit from a client: by the author in a supergroup, by an admin in a channel."""
        message = self.history(editor).messages.get(message_id)
        if message is None or message.action is not None:
            raise Refused("MESSAGE_ID_INVALID")
        if self.megagroup and message.sender_id != editor.id:
            raise Refused("MESSAGE_AUTHOR_REQUIRED", 403)
        if not self.megagroup and not self.roster.is_admin(editor):
            raise Refused("CHAT_ADMIN_REQUIRED")
        if not message.apply_revision(revision, self.hub.now()):
            raise Refused("MESSAGE_NOT_MODIFIED")
        return self.change(UpdateKind.EDIT, [message_id], actor=editor, origin=origin)

    def remove(self, actor: Account, ids: Iterable[int], *, origin: object = None) -> LoggedChange | None:
        """Take deletions from a client; None where none of the messages is there."""
        doomed = [number for number in ids if number in self.history(actor).messages]
        own = all(self.kept.messages[number].sender_id == actor.id for number in doomed)
        if not (self.roster.is_admin(actor) or (self.megagroup and own)):
            raise Refused("MESSAGE_DELETE_FORBIDDEN", 403)
        return self.erase(doomed, actor=actor, origin=origin) if doomed else None

    def publish(
        self, sender: Account | None, draft: MessageDraft, *, push: bool = True, origin: object = None
    ) -> LoggedChange:
        """Add a message; `sender` is None for one of the channel itself."""
        number = draft.message_id or self.last_id + 1
        self.last_id = max(self.last_id, number)
        sender_id = sender.id if sender else None
        message = compose(draft, number=number, chat=self.marked, sender_id=sender_id, now=self.hub.now())
        message.post = not self.megagroup
        message.thread = self._thread(message)
        if message.post and draft.action is None:
            message.views = draft.views
        self.kept.add(message)
        if sender is not None:
            sender.read[self.marked] = number
        return self.change(UpdateKind.NEW, [number], actor=sender, push=push, origin=origin)

    def _thread(self, message: Message) -> int | None:
        """Return the message that begins the thread in which another one is answered; a post has none."""
        answered = self.kept.messages.get(message.reply_to or 0)
        if answered is None or message.post or message.topic is not None:
            return None
        return answered.thread or answered.id

    def erase(
        self, ids: Iterable[int], *, actor: Account | None = None, push: bool = True, origin: object = None
    ) -> LoggedChange:
        """Delete messages, all of which must exist."""
        gone = tuple(ids)
        for number in gone:
            self.kept.remove(number)
        return self.change(UpdateKind.DELETE, gone, actor=actor, push=push, origin=origin)

    def change(
        self,
        kind: UpdateKind,
        ids: Iterable[int],
        *,
        actor: Account | None = None,
        push: bool = True,
        origin: object = None,
    ) -> LoggedChange:
        """Log a change and send it to the members; the actor's session `origin` gets no update."""
        change = self.log.add(kind, self.marked, ids)
        self.changed = self.hub.now()
        if push:
            for account in [member.account for member in self.roster.members.values()]:
                if self.reaches(account, change):
                    skip = origin if account is actor else None
                    self.hub.emit(account.id, partial(updates_for, account, [change]), skip)
        return change
