"""/language: a language comes in, and from then on the bot speaks it here, whatever Telegram's is.

In private it is the person's: what only they see in a group is said in it too. A group has one of its own.
"""

from dataclasses import replace

from bot.commands.context import Context, Reply, Request, message, say, show
from bot.commands.keyboards import LANGUAGE_NAMES, language_row
from bot.locales import LANGUAGES, translator
from bot.models import Outgoing
from bot.store import chats
from bot.store.database import Transaction
from bot.text.markup import Text, bold

_ALSO = {"английский": "en", "по-английски": "en", "russian": "ru", "по-русски": "ru", "рус": "ru", "англ": "en"}


async def language(request: Request, context: Context) -> Reply:
    """Show in which language the bot speaks here, or set it to what was written."""
    if not request.argument:
        return Reply(messages=(_screen(request, context),))
    chosen = _read(request.argument)
    if chosen is None:
        return say(context.t.gettext("I speak English and Russian: /language en or /language ru."))
    return await _choose(request, context, chosen)


async def tapped(request: Request, context: Context) -> Reply:
    """Set it to what a button says."""
    chosen = _read(request.argument)
    return await _choose(request, context, chosen) if chosen else Reply()


async def _choose(request: Request, context: Context, chosen: str) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await chats.set_language(tx, context.chat.id, chosen)
        chat = replace(context.chat, language=chosen)
        screen = _screen(request, replace(context, chat=chat, t=translator(chosen)))
        shown = show(request, screen)
        return replace(shown, menu=chosen)

    return await context.once(request, effect)


def _read(typed: str) -> str | None:
    """Return the language of this code or name."""
    wanted = typed.strip(" .!").casefold()
    names = {name.casefold(): code for code, name in LANGUAGE_NAMES.items()} | _ALSO
    return wanted if wanted in LANGUAGES else names.get(wanted)


def _screen(request: Request, context: Context) -> Outgoing:
    t, now = context.t, context.chat.language
    if request.private:
        line = t.gettext("I speak {language} with you, and in groups in the notes that only you see.")
    else:
        line = t.gettext("I speak {language} in this group.")
    text = Text().say(line, language=bold(LANGUAGE_NAMES[now]))
    return message(text, language_row("language", chosen=now))
