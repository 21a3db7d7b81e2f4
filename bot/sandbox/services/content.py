"""What a client puts into a message comes in, as the fields of a send or edit request; checked drafts go out."""

from collections.abc import Sequence
from typing import TypedDict

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.services.base import Service, refuse_unbuilt
from bot.sandbox.world import Refused, User
from bot.sandbox.world.messages import Draft
from bot.sandbox.world.text import checked

_MAX_DATA = 64  # bytes behind a button


class Reply(TypedDict):
    """Fields of a Draft."""

    reply_to: int | None
    topic: int | None


class ContentService(Service):
    """The part of sending and editing that looks at what is sent."""

    def draft(self, me: User, request: TLObject, media: TLObject | None = None) -> Draft:
        """Return what a sendMessage or sendMedia request sends; raises Refused."""
        refuse_unbuilt(request)
        text, entities = self.text(me, request.message, request.entities, caption=media is not None)
        if not text and media is None:
            raise Refused("MESSAGE_EMPTY")
        return Draft(
            text=text,
            entities=entities,
            media=media,
            reply_markup=keyboard(me, request.reply_markup),
            **replied(request.reply_to),
            silent=bool(request.silent),
        )

    def text(
        self, me: User, text: str, entities: Sequence[TLObject] | None, *, caption: bool
    ) -> tuple[str, list[TLObject]]:
        """Return a checked text and its entities, with mentions of people by number made theirs."""
        return checked(text, [self._entity(me, entity) for entity in entities or ()], caption=caption)

    def _entity(self, me: User, entity: TLObject) -> TLObject:
        if not isinstance(entity, tl.InputMessageEntityMentionName):
            return entity
        return tl.MessageEntityMentionName(entity.offset, entity.length, self.user(me, entity.user_id).id)

    def media(self, me: User, media: TLObject) -> TLObject:
        """Return the MessageMedia of an InputMedia; raises Refused."""
        files = self.world.media
        if isinstance(media, tl.InputMediaUploadedPhoto):
            return files.photo(files.assembled(me.id, media.file.id, media.file.parts))
        if isinstance(media, tl.InputMediaUploadedDocument):
            data = files.assembled(me.id, media.file.id, media.file.parts)
            return files.document(data, mime_type=media.mime_type, attributes=media.attributes)
        if isinstance(media, tl.InputMediaPhoto | tl.InputMediaDocument):
            return files.find(media.id.id, media.id.access_hash, media.id.file_reference).media
        raise NotImplementedError(type(media).__name__)


def replied(reply_to: TLObject | None) -> Reply:
    """Return which message is answered, and in which topic of a forum."""
    if reply_to is None:
        return Reply(reply_to=None, topic=None)
    if not isinstance(reply_to, tl.InputReplyToMessage):
        raise NotImplementedError(type(reply_to).__name__)
    refuse_unbuilt(reply_to, built={"top_msg_id"})
    return Reply(reply_to=reply_to.reply_to_msg_id, topic=reply_to.top_msg_id)


def keyboard(me: User, markup: TLObject | None) -> TLObject | None:
    """Return the keyboard of a bot's message; persons have none. Raises Refused."""
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
