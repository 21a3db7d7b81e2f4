"""messages.getBotCallbackAnswer and setBotCallbackAnswer: a press comes in, and the bot's answer to it goes out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Refused

_MAX_ANSWER = 200  # characters


class CallbacksService(Service):
    """Inline buttons."""

    @handles(functions.messages.GetBotCallbackAnswerRequest)
    async def press(self, request: functions.messages.GetBotCallbackAnswerRequest, caller: Caller) -> TLObject:
        """Press a button and wait for the bot."""
        me = self.person(caller)
        if request.game or request.password is not None:
            raise NotImplementedError("buttons of games and with passwords")
        message = self.peer(me, request.peer).history(me).messages.get(request.msg_id)
        if message is None:
            raise Refused("MESSAGE_ID_INVALID")
        return await me.queries(message, request.data or b"")

    @handles(functions.messages.SetBotCallbackAnswerRequest)
    def answer(self, request: functions.messages.SetBotCallbackAnswerRequest, caller: Caller) -> bool:
        """Answer a press."""
        bot = self.bot(caller)
        if len(request.message or "") > _MAX_ANSWER:
            raise Refused("MESSAGE_TOO_LONG")
        answer = tl.messages.BotCallbackAnswer(
            request.cache_time,
            alert=request.alert,
            has_url=bool(request.url) or None,
            message=request.message,
            url=request.url,
        )
        self.world.answer_query(bot, request.query_id, answer)
        return True
