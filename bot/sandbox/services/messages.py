"""messages.send…, forward, edit and delete: checks a client's messages, stores them, and answers with updates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles, refuse_unbuilt
from bot.sandbox.world import Refused, User, mail
from bot.sandbox.world.messages import Message, MessageDraft, Revision
from bot.sandbox.world.peers import Peer
from bot.sandbox.world.text import check_text
from bot.sandbox.world.view import updates_for

_MAX_DATA = 64  # bytes behind a button
_MAX_ALBUM = 10
_MAX_FORWARDED = 100


class ReplyFields(TypedDict):
    """The fields of a Draft that place it: the answered message, and the topic of a forum."""

    reply_to: int | None
    topic: int | None


class MessagesService(RpcService):
    """New messages, edits and deletions."""

    def draft(self, me: User, request: TLObject, media: TLObject | None = None) -> MessageDraft:
        """Return the draft of a sendMessage or sendMedia request; raises Refused."""
        refuse_unbuilt(request)
        text, entities = self.text(me, request.message, request.entities, caption=media is not None)
        if not text and media is None:
            raise Refused("MESSAGE_EMPTY")
        return MessageDraft(
            text=text,
            entities=entities,
            media=media,
            reply_markup=keyboard(me, request.reply_markup),
            **reply_fields(request.reply_to),
            silent=bool(request.silent),
        )

    def text(
        self, me: User, text: str, entities: Sequence[TLObject] | None, *, caption: bool
    ) -> tuple[str, list[TLObject]]:
        """Return a checked text and its entities, with InputUsers in mentions resolved; raises Refused."""
        return check_text(text, [self._entity(me, entity) for entity in entities or ()], caption=caption)

    def _entity(self, me: User, entity: TLObject) -> TLObject:
        if not isinstance(entity, tl.InputMessageEntityMentionName):
            return entity
        return tl.MessageEntityMentionName(entity.offset, entity.length, self.user(me, entity.user_id).id)

    def media(self, me: User, media: TLObject) -> TLObject:
        """Return the MessageMedia of an InputMedia; raises Refused."""
        files = self.world.media
        if isinstance(media, tl.InputMediaUploadedPhoto):
            return files.photo(files.assemble(me.id, media.file.id, media.file.parts))
        if isinstance(media, tl.InputMediaUploadedDocument):
            data = files.assemble(me.id, media.file.id, media.file.parts)
            return files.document(data, mime_type=media.mime_type, attributes=media.attributes)
        if isinstance(media, tl.InputMediaPhoto | tl.InputMediaDocument):
            return files.find(media.id.id, media.id.access_hash, media.id.file_reference).media
        raise NotImplementedError(type(media).__name__)

    @handles(functions.messages.SendMessageRequest)
    def send_message(self, request: functions.messages.SendMessageRequest, caller: Caller) -> TLObject:
        """Send a text."""
        me = self.me(caller)
        me.once(request.random_id)
        peer = self.peer(me, request.peer)
        return _send(me, peer, [self.draft(me, request)], [request.random_id], caller)

    @handles(functions.messages.SendMediaRequest)
    def send_media(self, request: functions.messages.SendMediaRequest, caller: Caller) -> TLObject:
        """Send a photo or a document."""
        me = self.me(caller)
        me.once(request.random_id)
        peer = self.peer(me, request.peer)
        draft = self.draft(me, request, self.media(me, request.media))
        return _send(me, peer, [draft], [request.random_id], caller)

    @handles(functions.messages.UploadMediaRequest)
    def upload_media(self, request: functions.messages.UploadMediaRequest, caller: Caller) -> TLObject:
        """Store a file, for an album to name."""
        me = self.me(caller)
        self.peer(me, request.peer)
        return self.media(me, request.media)

    @handles(functions.messages.SendMultiMediaRequest)
    def send_album(self, request: functions.messages.SendMultiMediaRequest, caller: Caller) -> TLObject:
        """Send an album."""
        me = self.me(caller)
        refuse_unbuilt(request)
        if not 0 < len(request.multi_media) <= _MAX_ALBUM:
            raise Refused("MULTI_MEDIA_TOO_LONG" if request.multi_media else "MEDIA_EMPTY")
        random_ids = [item.random_id for item in request.multi_media]
        me.once(*random_ids)
        peer = self.peer(me, request.peer)
        grouped = me.hub.random.getrandbits(62)
        common = MessageDraft(grouped=grouped, silent=bool(request.silent), **reply_fields(request.reply_to))
        drafts = []
        for number, item in enumerate(request.multi_media):
            text, entities = self.text(me, item.message, item.entities, caption=True)
            drafts.append(replace(common, text=text, entities=entities, media=self._item(me, item.media, number)))
        if len(drafts) > 1 and len({_album_kind(draft.media) for draft in drafts}) > 1:
            raise Refused("MEDIA_GROUPED_INVALID")
        return _send(me, peer, drafts, random_ids, caller)

    def _item(self, me: User, media: TLObject, number: int) -> TLObject:
        """Return the file of an album's item; the error of an expired reference names the item's number."""
        if isinstance(media, tl.InputMediaUploadedPhoto | tl.InputMediaUploadedDocument):
            raise Refused("MEDIA_INVALID")  # messages.uploadMedia comes first
        try:
            return self.media(me, media)
        except Refused as refused:
            if refused.message != "FILE_REFERENCE_EXPIRED":
                raise
            raise Refused(f"FILE_REFERENCE_{number}_EXPIRED") from refused

    @handles(functions.messages.ForwardMessagesRequest)
    def forward(self, request: functions.messages.ForwardMessagesRequest, caller: Caller) -> TLObject:
        """Forward messages from a chat that the caller may read."""
        me = self.me(caller)
        refuse_unbuilt(request)
        if not 0 < len(request.id) <= _MAX_FORWARDED or len(request.id) != len(request.random_id):
            raise Refused("MESSAGE_IDS_EMPTY" if not request.id else "RANDOM_ID_INVALID")
        me.once(*request.random_id)
        target = self.peer(me, request.to_peer)
        source = self.peer(me, request.from_peer).history(me).messages
        originals = [source.get(number) for number in request.id]
        known = [message for message in originals if message is not None and message.action is None]
        if len(known) != len(originals):
            raise Refused("MESSAGE_ID_INVALID")
        common = MessageDraft(silent=bool(request.silent), **reply_fields(request.reply_to))
        drafts = _forwards(me, known, common, named=not request.drop_author)
        result = _send(me, target, drafts, request.random_id, caller)
        for message in known:
            message.forwards += 1
        return result

    @handles(functions.messages.StartBotRequest)
    def start_bot(self, request: functions.messages.StartBotRequest, caller: Caller) -> TLObject:
        """Press Start in a private chat with a bot."""
        me = self.person(caller)
        me.once(request.random_id)
        bot = self.user(me, request.bot)
        if not bot.bot:
            raise Refused("BOT_INVALID")
        draft = MessageDraft(text=f"/start {request.start_param}".strip())
        return _send(me, self.peer(me, request.peer), [draft], [request.random_id], caller)

    @handles(functions.messages.EditMessageRequest)
    def edit_message(self, request: functions.messages.EditMessageRequest, caller: Caller) -> TLObject:
        """Edit a message."""
        me = self.me(caller)
        refuse_unbuilt(request)
        peer = self.peer(me, request.peer)
        peer.history(me)  # refused where he may not read
        message = peer.store(me).get(request.id)
        if message is None:
            raise Refused("MESSAGE_ID_INVALID")
        revision = self._revision(me, request, message)
        return updates_for(me, [peer.revise(me, request.id, revision, origin=caller.session)])

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
        """Delete messages from the caller's box, or from all boxes."""
        me = self.me(caller)
        change = mail.remove(me, request.id, everywhere=bool(request.revoke), origin=caller.session)
        return tl.messages.AffectedMessages(me.log.pts, change.count if change else 0)


def reply_fields(reply_to: TLObject | None) -> ReplyFields:
    """Return the answered message and the topic of an InputReplyTo."""
    if reply_to is None:
        return ReplyFields(reply_to=None, topic=None)
    if not isinstance(reply_to, tl.InputReplyToMessage):
        raise NotImplementedError(type(reply_to).__name__)
    refuse_unbuilt(reply_to, built={"top_msg_id"})
    return ReplyFields(reply_to=reply_to.reply_to_msg_id, topic=reply_to.top_msg_id)


def keyboard(me: User, markup: TLObject | None) -> TLObject | None:
    """Return the keyboard of a bot's message, None for a person's; raises Refused for bad buttons."""
    if markup is None or not me.bot:
        return None
    if isinstance(markup, tl.ReplyInlineMarkup):
        for button in (button for row in markup.rows for button in row.buttons):
            _check_button(button)
    return markup


def _check_button(button: TLObject) -> None:
    if not button.text:
        raise Refused("BUTTON_TEXT_INVALID")
    if isinstance(button.type, tl.InlineButtonTypeCallback) and not 0 < len(button.type.data) <= _MAX_DATA:
        raise Refused("BUTTON_DATA_INVALID")
    if isinstance(button.type, tl.InlineButtonTypeUrl) and "." not in button.type.url and ":" not in button.type.url:
        raise Refused("BUTTON_URL_INVALID")


def _send(me: User, peer: Peer, drafts: Sequence[MessageDraft], random_ids: Sequence[int], caller: Caller) -> TLObject:
    """Send drafts and return the sender's updates; only sent messages use up their random_ids."""
    changes = []
    for draft, random_id in zip(drafts, random_ids, strict=True):
        changes.append(peer.accept(me, draft, origin=caller.session))
        me.random_ids.add(random_id)
    pairs = zip(changes, random_ids, strict=True)
    return updates_for(me, changes, [tl.UpdateMessageID(change.ids[0], random_id) for change, random_id in pairs])


def _album_kind(media: TLObject | None) -> str:
    """Return the kind of a file; files of different kinds share no album."""
    if not isinstance(media, tl.MessageMediaDocument):
        return "visual"
    kinds = {tl.DocumentAttributeVideo: "visual", tl.DocumentAttributeAudio: "audio"}
    return next((kinds[type(each)] for each in media.document.attributes if type(each) in kinds), "document")


def _forwards(me: User, originals: Sequence[Message], common: MessageDraft, *, named: bool) -> list[MessageDraft]:
    """Return the drafts of forwards: `common` with each content; albums stay together under a new number."""
    albums = {message.grouped: me.hub.random.getrandbits(62) for message in originals if message.grouped}
    return [
        replace(
            common,
            text=message.text,
            entities=message.entities,
            media=message.media,
            rich=message.rich,
            shown=message.shown,
            forward=message if named else None,
            grouped=albums.get(message.grouped or 0),
        )
        for message in originals
    ]
