"""People and bots with the verbs of tests: write, press a button, block and more."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Unpack

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world import mail
from bot.sandbox.world.history import History
from bot.sandbox.world.log import LoggedChange
from bot.sandbox.world.messages import Fields, Message, MessageDraft, Revision
from bot.sandbox.world.peers import Account, CallbackQuery, Peer
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.text import check_text
from bot.sandbox.world.view import Cast, bundle, is_channel


class User(Account):
    """A person or a bot."""

    def history(self, viewer: Account) -> History:
        """Return the private chat of the viewer with this user."""
        return viewer.chat(self.marked)

    def store(self, viewer: Account) -> Mapping[int, Message]:
        """Return the viewer's box."""
        return viewer.box

    def accept(self, sender: Account, draft: MessageDraft, *, origin: object = None) -> LoggedChange:
        """Take a private message."""
        self._check_may_write(sender)
        self.writers.add(sender.id)
        participants = [mail.Participant(sender, self.marked)]
        if sender is not self:
            participants.append(mail.Participant(self, sender.marked))
        return mail.deliver(sender, participants, draft, origin=origin)

    def _check_may_write(self, sender: Account) -> None:
        if sender.bot and (self.bot or sender is self):
            raise Refused("USER_IS_BOT")
        if self.deleted:
            raise Refused("INPUT_USER_DEACTIVATED")
        if sender.id in self.blocked:
            raise Refused("USER_IS_BLOCKED")
        if self.id in sender.blocked:
            raise Refused("YOU_BLOCKED_USER")
        if sender.bot and self.id not in sender.writers:
            raise Refused("PEER_ID_INVALID")  # a bot may not write first

    def revise(self, editor: Account, message_id: int, revision: Revision, *, origin: object = None) -> LoggedChange:
        """Take an edit of a private message."""
        if editor.id in self.blocked:
            raise Refused("USER_IS_BLOCKED")
        return mail.revise(editor, message_id, revision, origin=origin)

    def sends(self, peer: Peer, text: str, *, media: TLObject | None = None, **fields: Unpack[Fields]) -> Message:
        """Write to a peer and return the sender's copy of the message; raises Refused as a server would."""
        draft = MessageDraft(text=text, media=media, **fields)
        body, entities = check_text(text, draft.entities, caption=draft.media is not None)
        change = peer.accept(self, replace(draft, text=body, entities=entities))
        return peer.store(self)[change.ids[0]]

    def starts(self, bot: Account, parameter: str = "") -> Message:
        """Press Start in the chat with a bot, which also unblocks it, as in Telegram."""
        self.unblocks(bot)
        return self.sends(bot, f"/start {parameter}".strip())

    def inbox(self, peer: Peer) -> list[Message]:
        """Return the messages that this user sees in a chat, oldest first."""
        return peer.history(self).oldest_first()

    def blocks(self, account: Account) -> None:
        """Block an account."""
        self.blocked.add(account.id)
        self._stopped(account, stopped=True)

    def unblocks(self, account: Account) -> None:
        """Unblock an account."""
        if account.id in self.blocked:
            self.blocked.discard(account.id)
            self._stopped(account, stopped=False)

    def _stopped(self, account: Account, *, stopped: bool) -> None:
        """Send a bot the update that this person stopped or restarted it; without a qts, which Telegram counts."""
        if account.bot:
            update = tl.UpdateBotStopped(self.id, self.hub.now(), stopped, 0)
            cast = Cast(account)
            cast.add(self.id)
            self.hub.emit(account.id, partial(bundle, account, [update], cast), None)

    def deletes_account(self) -> None:
        """Mark the account as deleted."""
        self.deleted = True

    def pins(self, peer: Peer) -> None:
        """Pin a dialog to the top of the list."""
        self.pinned.insert(0, peer.marked)

    def archives(self, peer: Peer) -> None:
        """Move a dialog to the archive, folder 1."""
        self.archived.add(peer.marked)

    async def presses(self, message: Message, button: str | bytes) -> TLObject:
        """Press an inline button, found by its text or its data, and return the bot's BotCallbackAnswer.

        Raises Refused BOT_RESPONSE_TIMEOUT where the bot does not answer in time.
        """
        return await self.queries(message, _data_of(message, button))

    async def queries(self, message: Message, data: bytes, *, times: int = 1) -> TLObject:
        """Send a button's data to the bot that wrote the message, and return its BotCallbackAnswer.

        `times` is how often the same query is delivered. Raises Refused.
        """
        bot = self.hub.peers.get(message.sender_id or 0)
        if not isinstance(bot, Account) or not bot.bot or _data_of(message, data) != data:
            raise Refused("DATA_INVALID")
        return await self._asks(bot, lambda query_id: self._query(bot, message, query_id, data), times=times)

    async def searches(self, bot: Account, words: str) -> TLObject:
        """Type a bot's name and words in any chat, and return the BotResults. Raises Refused."""
        if not bot.bot:
            raise Refused("BOT_INVALID")

        def update(query_id: int) -> TLObject:
            cast = Cast(bot)
            cast.add(self.id)
            return bundle(bot, [tl.UpdateBotInlineQuery(query_id, self.id, words, "")], cast)

        return await self._asks(bot, update)

    async def _asks(self, bot: Account, update: Callable[[int], TLObject], *, times: int = 1) -> TLObject:
        query_id = self.hub.random.getrandbits(62)
        answer: asyncio.Future[TLObject] = asyncio.get_running_loop().create_future()
        self.hub.queries[query_id] = CallbackQuery(bot.id, answer)
        for _ in range(times):
            self.hub.emit(bot.id, partial(update, query_id), None)
        try:
            return await asyncio.wait_for(answer, self.hub.query_timeout_s)
        except TimeoutError:
            raise Refused("BOT_RESPONSE_TIMEOUT") from None
        finally:
            del self.hub.queries[query_id]

    def _query(self, bot: Account, message: Message, query_id: int, data: bytes) -> TLObject:
        copy = message if is_channel(message.chat) else message.copies[bot.id]
        chat = self.hub.peers[copy.chat]
        instance = self.hub.access_hash(0, copy.chat)
        update = tl.UpdateBotCallbackQuery(query_id, self.id, chat.peer(), copy.id, instance, data=data)
        cast = Cast(bot)
        cast.add(self.id, copy.chat)
        return bundle(bot, [update], cast)


def _data_of(message: Message, wanted: str | bytes) -> bytes:
    """Return the data of the inline button with this text or data."""
    rows = message.reply_markup.rows if isinstance(message.reply_markup, tl.ReplyInlineMarkup) else []
    for button in (button for row in rows for button in row.buttons):
        if isinstance(button.type, tl.InlineButtonTypeCallback):
            data: bytes = button.type.data
            if wanted in (button.text, data) or (isinstance(wanted, str) and wanted.encode() == data):
                return data
    raise Refused("DATA_INVALID")
