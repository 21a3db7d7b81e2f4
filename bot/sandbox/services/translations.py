"""messages.translateText: answers with the text as it was, behind the code of the language: anybody sees whose it is.

Refusals such as TRANSLATE_REQ_QUOTA_EXCEEDED are faults: `faults.answer("TranslateText", …)`.
"""

import re

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.world import Refused
from bot.sandbox.world.messages import Message

_MOST = 20  # texts in one request
_LONGEST = 4096  # UTF-16 units of each
_LANGUAGE = re.compile("[a-z]{2}")


class TranslationsService(RpcService):
    """Translations, for persons only."""

    @handles(functions.messages.TranslateTextRequest)
    def translate(self, request: functions.messages.TranslateTextRequest, caller: Caller) -> TLObject:
        """Translate texts, or messages of a chat that the caller may read."""
        texts = [each.text for each in request.text or ()] + [each.text for each in self._named(request, caller)]
        if not 0 < len(texts) <= _MOST or not all(map(str.strip, texts)):
            raise Refused("INPUT_TEXT_EMPTY")
        if any(len(text.encode("utf-16-le")) > 2 * _LONGEST for text in texts):
            raise Refused("INPUT_TEXT_TOO_LONG")
        return tl.messages.TranslateResult([tl.TextWithEntities(f"[{request.to_lang}] {text}", []) for text in texts])

    @handles(functions.messages.TranslateRichMessageRequest)
    def translate_rich(self, request: functions.messages.TranslateRichMessageRequest, caller: Caller) -> TLObject:
        """Translate messages made of blocks, of a chat that the caller may read."""
        found = [message.rich for message in self._named(request, caller) if message.rich is not None]
        if not found:
            raise Refused("MSG_ID_INVALID")
        heading = tl.PageBlockParagraph(tl.TextPlain(f"[{request.to_lang}]"))
        blocks = [[heading, *rich.blocks] for rich in found]
        return tl.messages.TranslatedRichMessage(
            [tl.RichMessage(each, rich.photos, rich.documents) for each, rich in zip(blocks, found, strict=True)]
        )

    def _named(self, request: TLObject, caller: Caller) -> list[Message]:
        """Return the messages that a request names by number; raises Refused."""
        me = self.person(caller)
        if not _LANGUAGE.fullmatch(request.to_lang):
            raise Refused("TO_LANG_INVALID")
        if request.peer is None:
            return []
        found = self.peer(me, request.peer).history(me).messages
        return [found[number] for number in request.id or () if number in found]
