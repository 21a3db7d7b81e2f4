"""The menu of commands beside the field for a message: https://core.telegram.org/api/bots/commands."""

from collections.abc import Iterable
from enum import Enum

from telethon import TelegramClient, functions, types

from bot.models.outgoing import Peer
from bot.telegram.convert import from_peer
from bot.telegram.rpc import ask


class MenuScope(Enum):
    """Who sees a menu, where their chat has none of its own."""

    EVERYBODY = types.BotCommandScopeDefault
    GROUPS = types.BotCommandScopeChats
    GROUP_ADMINS = types.BotCommandScopeChatAdmins


async def write_menu(
    client: TelegramClient, entries: Iterable[tuple[str, str]], shown_to: MenuScope | Peer, language: str = ""
) -> None:
    """Show commands, each with its summary, on phones in a language, or in any other; without any the menu is deleted.

    Raises TelegramError.
    """
    scope = types.BotCommandScopePeer(from_peer(shown_to)) if isinstance(shown_to, Peer) else shown_to.value()
    commands = [types.BotCommand(name, summary) for name, summary in entries]
    reset = functions.bots.ResetBotCommandsRequest(scope, language)
    await ask(client(functions.bots.SetBotCommandsRequest(scope, language, commands) if commands else reset))
