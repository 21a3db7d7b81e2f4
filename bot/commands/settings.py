"""What a chat wants or not: on or off comes in, by a word or a tap, and holds from then on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.commands.context import Context, Reply, Request, message, say, show
from bot.commands.keyboards import choice
from bot.locales import N_
from bot.models import Outgoing
from bot.store import chats
from bot.store.chats import Chat
from bot.store.database import Transaction

_WORDS = {  # as people type them, whatever the language of the chat
    **dict.fromkeys(("on", "yes", "вкл", "включить", "да"), True),
    **dict.fromkeys(("off", "no", "stop", "выкл", "выключить", "отключить", "нет"), False),
}


def read_switch(typed: str) -> bool | None:
    """Read a word for on or off; None for anything else."""
    return _WORDS.get(typed.strip(" .!").casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A setting of a chat that is on or off."""

    verb: str  # of its command and its buttons
    question: str  # to be translated
    usage: str  # to be translated: what is answered to other words
    is_on: Callable[[Chat], bool]
    put: Callable[[Transaction, Chat, bool], Awaitable[Chat]]  # write it down; return the chat as it is then

    async def said(self, request: Request, context: Context) -> Reply:
        """Show how it is set, or set it to what was written."""
        if not request.argument:
            return Reply(messages=(self._screen(context),))
        wanted = read_switch(request.argument)
        if wanted is None:
            return say(context.t.gettext(self.usage))
        return await self._choose(request, context, wanted=wanted)

    async def tapped(self, request: Request, context: Context) -> Reply:
        """Set it to what a button says."""
        return await self._choose(request, context, wanted=request.argument == "on")

    async def _choose(self, request: Request, context: Context, *, wanted: bool) -> Reply:
        async def effect(tx: Transaction) -> Reply:
            chat = await self.put(tx, context.chat, wanted)
            screen = self._screen(replace(context, chat=chat))
            return show(request, screen)

        return await context.once(request, effect)

    def _screen(self, context: Context) -> Outgoing:
        t, now = context.t, self.is_on(context.chat)
        on = choice(t.gettext("On"), self.verb, "on", chosen=now)
        off = choice(t.gettext("Off"), self.verb, "off", chosen=not now)
        return message(t.gettext(self.question), ((on, off),))


async def _put_confirmations(tx: Transaction, chat: Chat, wanted: bool) -> Chat:  # noqa: FBT001 - a Switch's way
    await chats.set_confirmations(tx, chat.id, heard=wanted)
    return replace(chat, confirmations=wanted)


async def _put_media(tx: Transaction, chat: Chat, wanted: bool) -> Chat:  # noqa: FBT001 - a Switch's way
    await chats.set_media(tx, chat.id, wanted=wanted)
    return replace(chat, media=wanted)


CONFIRMATIONS = Switch(
    verb="confirmations",
    question=N_(
        "When other channels say what an alert says, I add them to it without a sound. Shall I also reply, with a "
        "sound, when the second channel does?"
    ),
    usage=N_("Write /confirmations on or /confirmations off."),
    is_on=lambda chat: chat.confirmations,
    put=_put_confirmations,
)
MEDIA = Switch(
    verb="media",
    question=N_("Shall the photos and documents of a post follow its alert, as a reply without a sound?"),
    usage=N_("Write /media on or /media off."),
    is_on=lambda chat: chat.media,
    put=_put_media,
)
