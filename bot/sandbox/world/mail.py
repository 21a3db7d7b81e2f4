"""Messages in private chats and basic groups: a copy in each participant's box, and updates for all of them."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from bot.sandbox.world.log import LoggedChange, UpdateKind
from bot.sandbox.world.messages import Message, MessageDraft, Revision, compose, reply_in
from bot.sandbox.world.peers import Account
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.view import updates_for


class Participant(NamedTuple):
    """A participant, and the id of the chat in his box."""

    account: Account
    chat: int  # marked id


def deliver(
    sender: Account, participants: Sequence[Participant], draft: MessageDraft, *, origin: object = None
) -> LoggedChange:
    """Put a copy of a message into every box, send the updates, and return the sender's change; raises Refused."""
    if draft.reply_to is not None and draft.reply_to not in sender.box:
        raise Refused("REPLY_MESSAGE_ID_INVALID")
    copies: dict[int, Message] = {}
    changes = []
    for account, chat in participants:
        own = reply_in(draft, sender.box, account.id)
        message = compose(own, number=account.next_id(), chat=chat, sender_id=sender.id, now=account.hub.now())
        message.copies = copies
        copies[account.id] = message
        changes.append((account, account.put(message)))
    return _announce(sender, changes, origin)


def revise(editor: Account, message_id: int, revision: Revision, *, origin: object = None) -> LoggedChange:
    """Edit all copies of a message that the editor wrote, and return his change; raises Refused."""
    original = editor.box.get(message_id)
    if original is None or original.action is not None:
        raise Refused("MESSAGE_ID_INVALID")
    if original.sender_id != editor.id:
        raise Refused("MESSAGE_AUTHOR_REQUIRED", 403)
    changes = []
    for account, message in _holders(editor, original):
        if not message.apply_revision(revision, account.hub.now()):
            raise Refused("MESSAGE_NOT_MODIFIED")
        changes.append((account, account.log.add(UpdateKind.EDIT, message.chat, [message.id])))
    return _announce(editor, changes, origin)


def remove(actor: Account, ids: Iterable[int], *, everywhere: bool, origin: object = None) -> LoggedChange | None:
    """Delete messages from the actor's box, or from every box; None where he has none of them."""
    doomed: dict[Account, list[int]] = {}
    for message in [actor.box[number] for number in ids if number in actor.box]:
        for account, copy in _holders(actor, message):
            if everywhere or account is actor:
                doomed.setdefault(account, []).append(copy.id)
                del message.copies[account.id]
    if not doomed:
        return None
    return _announce(actor, [(account, account.drop(gone)) for account, gone in doomed.items()], origin)


def _holders(account: Account, message: Message) -> list[tuple[Account, Message]]:
    found = []
    for number, copy in message.copies.items():
        holder = account.hub.peers[number]
        if isinstance(holder, Account):
            found.append((holder, copy))
    return found


def _announce(actor: Account, changes: Iterable[tuple[Account, LoggedChange]], origin: object) -> LoggedChange:
    """Send each account the update of its box, and return the actor's change."""
    own: LoggedChange | None = None
    for account, change in changes:
        own = change if account is actor else own
        skip = origin if account is actor else None
        account.hub.emit(account.id, partial(updates_for, account, [change]), skip)
    if own is None:
        raise Refused("MESSAGE_ID_INVALID")
    return own
