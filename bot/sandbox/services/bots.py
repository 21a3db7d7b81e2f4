"""bots.* and the callback queries of messages.*: command menus, and buttons with the bot's answers."""

import re

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.world import Refused, User
from bot.sandbox.world.text import check_text

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256
_MAX_ANSWER = 200  # characters
_MAX_RESULTS = 50
_MAX_INFO = {"name": 64, "about": 120, "description": 512}  # characters


class BotsService(RpcService):
    """Command menus and inline buttons."""

    @handles(functions.bots.SetBotCommandsRequest)
    def set_commands(self, request: functions.bots.SetBotCommandsRequest, caller: Caller) -> bool:
        """Set the menu of a scope and language."""
        bot = self.bot(caller)
        if len(request.commands) > _MAX_COMMANDS:
            raise Refused("BOT_COMMANDS_TOO_MUCH")
        for command in request.commands:
            _check(command)
        bot.commands[_place(request.scope, request.lang_code)] = request.commands
        return True

    @handles(functions.bots.GetBotCommandsRequest)
    def get_commands(self, request: functions.bots.GetBotCommandsRequest, caller: Caller) -> list[TLObject]:
        """Return the menu of a scope and language."""
        return self.bot(caller).commands.get(_place(request.scope, request.lang_code), [])

    @handles(functions.bots.ResetBotCommandsRequest)
    def reset_commands(self, request: functions.bots.ResetBotCommandsRequest, caller: Caller) -> bool:
        """Take the menu of a scope and language away."""
        self.bot(caller).commands.pop(_place(request.scope, request.lang_code), None)
        return True

    @handles(functions.bots.SetBotInfoRequest)
    def set_info(self, request: functions.bots.SetBotInfoRequest, caller: Caller) -> bool:
        """Set the texts with which a bot introduces itself in a language; those that are left out stay."""
        bot = self.bot(caller)
        if request.bot is not None:
            raise NotImplementedError("the texts of a bot that somebody owns")
        texts = {"name": request.name, "about": request.about, "description": request.description}
        given = {field: text for field, text in texts.items() if text is not None}
        for field, text in given.items():
            if len(text) > _MAX_INFO[field]:
                raise Refused(f"BOT_{field.upper()}_TOO_LONG")
        bot.info.setdefault(request.lang_code, {}).update(given)
        return True

    @handles(functions.bots.GetBotInfoRequest)
    def get_info(self, request: functions.bots.GetBotInfoRequest, caller: Caller) -> TLObject:
        """Return the texts that people of a language see: those of their language, or else those for all."""
        bot = self.bot(caller)
        shown = {"name": bot.first_name, "about": "", "description": ""} | bot.info.get("", {})
        return tl.bots.BotInfo(**shown | bot.info.get(request.lang_code, {}))

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

    @handles(functions.messages.GetInlineBotResultsRequest)
    async def search(self, request: functions.messages.GetInlineBotResultsRequest, caller: Caller) -> TLObject:
        """Type a bot's name and words in a chat, and wait for what it offers."""
        me = self.person(caller)
        return await me.searches(self.user(me, request.bot), request.query)

    @handles(functions.messages.SetInlineBotResultsRequest)
    def offer(self, request: functions.messages.SetInlineBotResultsRequest, caller: Caller) -> bool:
        """Offer texts to somebody who typed the bot's name and words."""
        bot = self.bot(caller)
        if len(request.results) > _MAX_RESULTS:
            raise Refused("RESULTS_TOO_MUCH")
        if len({result.id for result in request.results}) < len(request.results):
            raise Refused("RESULT_ID_DUPLICATE")
        results = [_offered(result) for result in request.results]
        answer = tl.messages.BotResults(request.query_id, results, request.cache_time, [])
        self.world.answer_query(bot, request.query_id, answer)
        return True


def _offered(result: TLObject) -> TLObject:
    """Return an offer as the person sees it; raises Refused."""
    said = result.send_message
    if not result.title:
        raise Refused("ARTICLE_TITLE_EMPTY")
    text, entities = check_text(said.message, said.entities or [], caption=False)
    shown = tl.BotInlineMessageText(text, said.no_webpage, entities=list(entities))
    return tl.BotInlineResult(result.id, result.type, shown, title=result.title, description=result.description)


def commands_of(bot: User, language: str) -> list[TLObject]:
    """Return the commands in the default scope for people of a language."""
    default = tl.BotCommandScopeDefault()
    return bot.commands.get(_place(default, language)) or bot.commands.get(_place(default, "")) or []


def _place(scope: TLObject, language: str) -> str:
    return f"{scope} {language}"


def _check(command: TLObject) -> None:
    if not _COMMAND.fullmatch(command.command):
        raise Refused("BOT_COMMAND_INVALID")
    if not 0 < len(command.description) <= _MAX_DESCRIPTION:
        raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
