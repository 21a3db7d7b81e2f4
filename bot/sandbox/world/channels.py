"""Channels and supergroups with the verbs of tests: post, edit, delete, join, ban and more."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Unpack

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.discussion import copy_in, copy_of
from bot.sandbox.world.feed import GENERAL_TOPIC, Feed
from bot.sandbox.world.log import LoggedChange, UpdateKind
from bot.sandbox.world.messages import Fields, Message, MessageDraft, Revision
from bot.sandbox.world.peers import Account
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.roster import MemberRole
from bot.sandbox.world.view import Cast, bundle

_MAX_JOINED = 500  # channels per account


class Channel(Feed):
    """A broadcast channel or supergroup; with `push=False` a verb changes it without an update."""

    def post(
        self,
        text: str = "",
        *,
        media: TLObject | None = None,
        author: Account | None = None,
        push: bool = True,
        **fields: Unpack[Fields],
    ) -> Message:
        """Publish a message, as the channel or as an author; the text may be longer than a client could send."""
        change = self.publish(author, MessageDraft(text=text, media=media, **fields), push=push)
        return self.kept.messages[change.ids[0]]

    def album(
        self,
        media: Sequence[TLObject],
        text: str = "",
        *,
        author: Account | None = None,
        push: bool = True,
        **fields: Unpack[Fields],
    ) -> list[Message]:
        """Publish photos or documents as one album with the text under the first; returns its messages."""
        first = replace(MessageDraft(text=text, **fields), grouped=self.hub.random.getrandbits(62))
        drafts = [replace(first, media=media[0])]
        drafts += [replace(first, media=item, text="", entities=(), message_id=None) for item in media[1:]]
        changes = [self.publish(author, draft, push=push) for draft in drafts]
        return [self.kept.messages[change.ids[0]] for change in changes]

    def publish(
        self, sender: Account | None, draft: MessageDraft, *, push: bool = True, origin: object = None
    ) -> LoggedChange:
        """Add a message; a post is copied into the group with the comments."""
        change = super().publish(sender, draft, push=push, origin=origin)
        if self.discussion is not None and draft.action is None:
            self.discussion.publish(None, copy_of(self, self.kept.messages[change.ids[0]]), push=push)
        return change

    def link(self, group: "Channel") -> None:
        """Have the posts from now on commented on in a supergroup."""
        self.discussion, group.discusses = group, self

    def comment(self, post_id: int, text: str, author: Account, **fields: Unpack[Fields]) -> Message:
        """Publish a comment on a post, or with `reply_to` an answer to another comment."""
        assert isinstance(self.discussion, Channel)  # noqa: S101 - it was linked
        fields.setdefault("reply_to", copy_in(self.discussion, post_id))
        return self.discussion.post(text, author=author, **fields)

    def show_story(self, caption: str = "", *, entities: Sequence[TLObject] = (), push: bool = True) -> int:
        """Publish a photo for a day, with a text on it; returns its number."""
        photo = tl.MessageMediaPhoto(photo=tl.PhotoEmpty(self.hub.random.getrandbits(62)))
        story = self.stories.add(caption, entities, photo, self.hub.now())
        self._push_story(story, push=push)
        return self.stories.last_id

    def edit_story(self, number: int, caption: str, *, push: bool = True) -> None:
        """Change the text of a story."""
        story = self.stories.told[number]
        story.caption, story.entities, story.edited = caption, None, True
        self._push_story(story, push=push)

    def delete_story(self, number: int, *, push: bool = True) -> None:
        """Delete a story before its time."""
        del self.stories.told[number]
        self._push_story(tl.StoryItemDeleted(number), push=push)

    def _push_story(self, story: TLObject, *, push: bool) -> None:
        if push:
            self._push(tl.UpdateStory(self.peer(), story))

    def edit(  # noqa: PLR0913 - an edit has this many sides
        self,
        message_id: int,
        text: str | None = None,
        *,
        entities: Sequence[TLObject] = (),
        media: TLObject | None = None,
        rich: tl.RichMessage | None = None,
        push: bool = True,
    ) -> Message:
        """Change a message's text, media or blocks."""
        message = self.kept.messages[message_id]
        revision = Revision(text=text, entities=entities, media=media, rich=rich, reply_markup=message.reply_markup)
        message.apply_revision(revision, self.hub.now())
        self.change(UpdateKind.EDIT, [message_id], push=push)
        return message

    def load(self, message_id: int, page: TLObject, *, push: bool = True) -> None:
        """Load the preview of a link: members get an update of the page, not of the message."""
        self.kept.messages[message_id].media = page
        self.change(UpdateKind.PAGE, [message_id], push=push)

    def delete(self, *message_ids: int, push: bool = True) -> None:
        """Delete messages."""
        self.erase(message_ids, push=push)

    def set_views(self, message_id: int, views: int) -> None:
        """Set a post's view counter; members get an update without a pts."""
        self.kept.messages[message_id].views = views
        self._push(tl.UpdateChannelMessageViews(self.id, message_id, views))

    def set_forwards(self, message_id: int, forwards: int) -> None:
        """Set a post's forward counter; members get an update without a pts."""
        self.kept.messages[message_id].forwards = forwards
        self._push(tl.UpdateChannelMessageForwards(self.id, message_id, forwards))

    def react(self, message_id: int, emoji: str, count: int = 1, *, push: bool = True) -> None:
        """Add reactions to a message: an edit of the same text, hidden unless the text was edited before."""
        message = self.kept.messages[message_id]
        message.reactions[emoji] = message.reactions.get(emoji, 0) + count
        message.edit_hide = message.edit_hide or message.edit_date is None
        message.edit_date = message.edit_date or self.hub.now()
        self.change(UpdateKind.EDIT, [message_id], push=push)

    def pin(self, message_id: int, *, push: bool = True) -> None:
        """Pin a message, with a service message."""
        self.kept.messages[message_id].pinned = True
        self.pinned.append(message_id)
        self.change(UpdateKind.PIN, [message_id], push=push)
        self.publish(None, MessageDraft(action=tl.MessageActionPinMessage(), reply_to=message_id), push=push)

    def unpin(self, message_id: int, *, push: bool = True) -> None:
        """Unpin a message."""
        self.kept.messages[message_id].pinned = False
        self.pinned.remove(message_id)
        self.change(UpdateKind.UNPIN, [message_id], push=push)

    def join(
        self,
        account: Account,
        role: MemberRole = MemberRole.MEMBER,
        *,
        origin: object = None,
        by: Account | None = None,
        may_post: bool = True,
    ) -> None:
        """Make an account a member, or change its role and rights; its session `origin` gets no update.

        `by` is the admin who does it.
        """
        before = self._shown(account)
        self.roster.put(account, role, self.hub.now(), promoter=by, may_post=may_post)
        account.joined.add(self.marked)
        if before is None:
            account.read[self.marked] = self.last_id
        if before is None and self.megagroup:
            self.publish(account, MessageDraft(action=tl.MessageActionChatAddUser([account.id])))
        self._emit(account, tl.UpdateChannel(self.id), origin)
        self._report(account, before, by=by, origin=origin)

    def _shown(self, account: Account) -> TLObject | None:
        """Return the participant that an account is; None outside."""
        return self.roster.participant(account, account) if account in self.roster else None

    def _report(self, bot: Account, before: TLObject | None, *, by: Account | None, origin: object = None) -> None:
        """Send a bot the update of its own place, with qts 0: Telegram counts these updates, this server does not."""
        if not bot.bot:
            return
        actor, after = (by or bot).id, self._shown(bot)
        update = tl.UpdateChannelParticipant(
            self.id, self.hub.now(), actor, bot.id, 0, prev_participant=before, new_participant=after
        )
        self._emit(bot, update, origin, actor)

    def promote(self, account: Account, *, by: Account | None = None, may_post: bool = True) -> None:
        """Make an account an admin, and so a member."""
        self.join(account, MemberRole.ADMIN, by=by, may_post=may_post)

    def request_to_join(self, account: Account, *, origin: object = None) -> None:
        """Join as a client does; raises Refused, also where an admin has to approve."""
        if account in self.roster:
            return
        if account.id in self.roster.banned:
            raise Refused("CHANNEL_PRIVATE")
        if len(account.joined) >= _MAX_JOINED:
            raise Refused("CHANNELS_TOO_MUCH")
        if self.needs_approval:
            self.roster.pending[account.id] = account
            raise Refused("INVITE_REQUEST_SENT")
        self.join(account, origin=origin)

    def leave(self, account: Account, *, origin: object = None, by: Account | None = None) -> None:
        """Remove a member; raises Refused for others."""
        before = self._shown(account)
        if before is None:
            raise Refused("USER_NOT_PARTICIPANT")
        del self.roster.members[account.id]
        account.joined.discard(self.marked)
        self._emit(account, tl.UpdateChannel(self.id), origin)
        self._report(account, before, by=by, origin=origin)

    def kick(self, account: Account, *, by: Account | None = None) -> None:
        """Remove a member, who may join again."""
        self.leave(account, by=by)
        if self.megagroup:
            self.publish(None, MessageDraft(action=tl.MessageActionChatDeleteUser(account.id)))

    def ban(self, account: Account) -> None:
        """Remove an account, which may neither join nor read any more."""
        self.roster.banned.add(account.id)
        if account in self.roster:
            self.leave(account)

    def restrict_members(self, *, read_only: bool = True) -> None:
        """Allow only admins to write in a supergroup, or all members again."""
        self.read_only = read_only
        rights = tl.ChatBannedRights(None, send_messages=read_only or None)
        self._push(tl.UpdateChatDefaultBannedRights(self.peer(), rights, len(self.roster.members)))

    def open_topic(self, title: str) -> int:
        """Open a topic and return its number; a supergroup that is no forum yet becomes one."""
        colour = 0x6FB9F0
        number = self.publish(None, MessageDraft(action=tl.MessageActionTopicCreate(title, colour))).ids[0]
        self.forum.topics[number] = title
        return number

    def rename_topic(self, number: int, title: str) -> None:
        """Give a topic another title."""
        self.forum.topics[number] = title
        self.publish(None, MessageDraft(action=tl.MessageActionTopicEdit(title=title), topic=number))

    def close_topic(self, number: int) -> None:
        """Allow only admins to write in a topic; 1 is the general one."""
        self.forum.closed.add(number)
        topic = None if number == GENERAL_TOPIC else number
        self.publish(None, MessageDraft(action=tl.MessageActionTopicEdit(closed=True), topic=topic))

    def delete_topic(self, number: int) -> None:
        """Delete a topic with its messages."""
        del self.forum.topics[number]
        self.forum.deleted.add(number)
        self.erase([message.id for message in self.kept.oldest_first() if number in (message.id, message.topic)])

    def rename(self, title: str | None = None, *, username: str | None = None) -> None:
        """Change the title, with a service message, or the username."""
        if username:
            self.hub.name(self, username)
            self.username = username
        if title:
            self.title = title
            self.publish(None, MessageDraft(action=tl.MessageActionChatEditTitle(title)))
        self._push(tl.UpdateChannel(self.id))

    def withhold(self, *reasons: tuple[str, str, str]) -> None:
        """Restrict the channel, by platform, reason and text; without any it is free again."""
        self.withheld = reasons
        self._push(tl.UpdateChannel(self.id))

    def make_private(self) -> str:
        """Remove the username and return the hash of the invite link."""
        self.hub.name(self, None)
        self.username = None
        self._push(tl.UpdateChannel(self.id))
        return self.invite

    def dissolve(self) -> None:
        """Delete the channel: without members, username and invite link."""
        members = [member.account for member in self.roster.members.values()]
        self.hub.name(self, None)
        self.username = None
        self.hub.invites.pop(self.invite, None)
        for account in members:
            self.leave(account)

    def _push(self, update: TLObject) -> None:
        for member in self.roster.members.values():
            self._emit(member.account, update, None)

    def _emit(self, account: Account, update: TLObject, origin: object, *named: int) -> None:
        cast = Cast(account)
        cast.add(self.marked, *named)
        self.hub.emit(account.id, partial(bundle, account, [update], cast), origin)
