"""bots.*: the command menus of a bot come in, per scope and language, and go out again."""

import re

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Refused, User

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256


class BotsService(Service):
    """Command menus."""

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


def commands_of(bot: User, language: str) -> list[TLObject]:
    """Return the commands that people of a language see in general."""
    default = tl.BotCommandScopeDefault()
    return bot.commands.get(_place(default, language)) or bot.commands.get(_place(default, "")) or []


def _place(scope: TLObject, language: str) -> str:
    return f"{scope} {language}"


def _check(command: TLObject) -> None:
    if not _COMMAND.fullmatch(command.command):
        raise Refused("BOT_COMMAND_INVALID")
    if not 0 < len(command.description) <= _MAX_DESCRIPTION:
        raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
