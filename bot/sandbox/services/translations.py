"""messages.translateText: answers with the text as it was, behind the code of the language: anybody sees whose it is.

Refusals such as TRANSLATE_REQ_QUOTA_EXCEEDED are faults: `faults.answer("TranslateText", …)`.
"""

import re

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.world import Refused

_MOST = 20  # texts in one request
_LONGEST = 4096  # UTF-16 units of each
_LANGUAGE = re.compile("[a-z]{2}")


class TranslationsService(RpcService):
    """Translations, for persons only."""

    @handles(functions.messages.TranslateTextRequest)
    def translate(self, request: functions.messages.TranslateTextRequest, caller: Caller) -> TLObject:
        """Translate texts, or messages of a chat that the caller may read."""
        me = self.person(caller)
        if not _LANGUAGE.fullmatch(request.to_lang):
            raise Refused("TO_LANG_INVALID")
        texts = [each.text for each in request.text or ()]
        if request.peer is not None:
            found = self.peer(me, request.peer).history(me).messages
            texts = [found[number].text for number in request.id or () if number in found]
        if not 0 < len(texts) <= _MOST or not all(map(str.strip, texts)):
            raise Refused("INPUT_TEXT_EMPTY")
        if any(len(text.encode("utf-16-le")) > 2 * _LONGEST for text in texts):
            raise Refused("INPUT_TEXT_TOO_LONG")
        return tl.messages.TranslateResult([tl.TextWithEntities(f"[{request.to_lang}] {text}", []) for text in texts])
