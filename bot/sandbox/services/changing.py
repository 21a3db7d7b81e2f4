"""messages.editMessage and deleteMessages: changes of what was said come in; updates and pts go out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import handles, refuse_unbuilt
from bot.sandbox.services.content import ContentService, keyboard
from bot.sandbox.world import Refused, User, mail
from bot.sandbox.world.messages import Message, Revision
from bot.sandbox.world.view import told


class ChangingService(ContentService):
    """Edits and deletions."""

    @handles(functions.messages.EditMessageRequest)
    def edit_message(self, request: functions.messages.EditMessageRequest, caller: Caller) -> TLObject:
        """Edit a message that the asker may edit."""
        me = self.me(caller)
        refuse_unbuilt(request)
        peer = self.peer(me, request.peer)
        peer.history(me)  # refused where he may not read
        message = peer.store(me).get(request.id)
        if message is None:
            raise Refused("MESSAGE_ID_INVALID")
        revision = self._revision(me, request, message)
        return told(me, [peer.revise(me, request.id, revision, origin=caller.session)])

    def _revision(self, me: User, request: TLObject, message: Message) -> Revision:
        media = None if request.media is None else self.media(me, request.media)
        markup = keyboard(me, request.reply_markup)
        if request.message is None:
            return Revision(media=media, reply_markup=markup)
        caption = (media or message.media) is not None
        text, entities = self.text(me, request.message, request.entities, caption=caption)
        if not text and not caption:
            raise Refused("MESSAGE_EMPTY")
        return Revision(text=text, entities=entities, media=media, reply_markup=markup)

    @handles(functions.messages.DeleteMessagesRequest)
    def delete_messages(self, request: functions.messages.DeleteMessagesRequest, caller: Caller) -> TLObject:
        """Delete messages from the asker's box, or for everybody."""
        me = self.me(caller)
        change = mail.remove(me, request.id, everywhere=bool(request.revoke), origin=caller.session)
        return tl.messages.AffectedMessages(me.log.pts, change.count if change else 0)
