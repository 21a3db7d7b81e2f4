"""Basic groups, where each message is a copy in the box of every member."""

from collections.abc import Iterable, Mapping

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world import mail
from bot.sandbox.world.history import History
from bot.sandbox.world.log import LoggedChange
from bot.sandbox.world.messages import Message, MessageDraft, Revision, compose
from bot.sandbox.world.peers import Account, Hub, Peer
from bot.sandbox.world.refused import Refused


class BasicGroup(Peer):
    """A basic group; its first member is the creator."""

    def __init__(self, hub: Hub, number: int, title: str, members: Iterable[Account]) -> None:
        self.hub = hub
        self.id = number
        self.marked = -number
        self.title = title
        self.members: dict[int, Account] = {account.id: account for account in members}
        self.creator = next(iter(self.members.values()), None)
        self.date = hub.now()
        self.version = 1  # of the list of members
        self.invite = ""
        self.upgraded_to: Peer | None = None  # a supergroup

    def tl_for(self, viewer: Account) -> TLObject:
        """Return the Chat, or ChatForbidden for an account outside."""
        if viewer.id not in self.members:
            return tl.ChatForbidden(self.id, self.title)
        count = len(self.members)
        creator = viewer is self.creator or None
        shown = tl.Chat(self.id, self.title, tl.ChatPhotoEmpty(), count, self.date, self.version, creator=creator)
        if (new := self.upgraded_to) is not None:
            shown.deactivated = True
            shown.migrated_to = tl.InputChannel(new.id, self.hub.access_hash(viewer.id, new.marked))
        return shown

    def history(self, viewer: Account) -> History:
        """Return the group's messages in the viewer's box."""
        if viewer.id not in self.members and self.marked not in viewer.chats:
            raise Refused("PEER_ID_INVALID")
        return viewer.chat(self.marked)

    def store(self, viewer: Account) -> Mapping[int, Message]:
        """Return the viewer's box."""
        return viewer.box

    def accept(self, sender: Account, draft: MessageDraft, *, origin: object = None) -> LoggedChange:
        """Take a message of a member."""
        self._check_alive()
        if sender.id not in self.members:
            known = self.marked in sender.chats
            raise Refused("CHAT_WRITE_FORBIDDEN", 403) if known else Refused("PEER_ID_INVALID")
        return self._deliver(sender, draft, origin)

    def revise(self, editor: Account, message_id: int, revision: Revision, *, origin: object = None) -> LoggedChange:
        """Take an edit by the author."""
        self._check_alive()
        if editor.id not in self.members:
            raise Refused("CHAT_WRITE_FORBIDDEN", 403)
        return mail.revise(editor, message_id, revision, origin=origin)

    def _check_alive(self) -> None:
        """Refuse messages to a group that was upgraded, as Telegram does."""
        if self.upgraded_to is not None:
            raise Refused("PEER_ID_INVALID")

    def add(self, account: Account) -> None:
        """Add a member, with a service message."""
        self.members[account.id] = account
        self._changed(account, tl.MessageActionChatAddUser([account.id]))

    def remove(self, account: Account) -> None:
        """Remove a member, who still gets the service message about it."""
        if account is self.creator:
            raise ValueError("the creator stays")
        self._changed(account, tl.MessageActionChatDeleteUser(account.id))
        del self.members[account.id]

    def mark_upgraded(self, supergroup: Peer) -> None:
        """Point to the supergroup that replaces this group, with a service message."""
        self.upgraded_to = supergroup
        if self.creator is not None:
            self._changed(self.creator, tl.MessageActionChatMigrateTo(supergroup.id))

    def _changed(self, account: Account, action: TLObject) -> None:
        self.version += 1
        self._deliver(self.creator or account, MessageDraft(action=action), None)

    def _deliver(self, sender: Account, draft: MessageDraft, origin: object) -> LoggedChange:
        participants = [mail.Participant(account, self.marked) for account in self._readers(sender, draft)]
        return mail.deliver(sender, participants, draft, origin=origin)

    def _readers(self, sender: Account, draft: MessageDraft) -> list[Account]:
        """Return the accounts that get a message: all members but bots whose privacy mode hides it."""
        message = compose(draft, number=0, chat=self.marked, sender_id=sender.id, now=self.hub.now())
        replied = sender.box.get(draft.reply_to or 0)
        return [account for account in self.members.values() if account.gets(message, replied)]
