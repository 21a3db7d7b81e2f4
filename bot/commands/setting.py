"""A setting of a chat, of which one declaration makes a command, a screen with buttons, and the write."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.commands import registry
from bot.commands.context import Context, Reply, Request, message, show, writes
from bot.commands.keyboards import choice, rows_of
from bot.commands.registry import Section
from bot.commands.rights import Need
from bot.commands.subscribing import log_setting
from bot.locales import Translator, translator
from bot.models import Outgoing
from bot.store import chats, groups
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.text.markup import Text, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of a chat. A choice is the chat as it is once the choice is made."""

    name: str  # of the command, and the verb of the buttons
    place: int  # in the section of /help
    section: Section = Section.ALERTS
    summary: str
    usage: str = ""
    examples: tuple[tuple[str, str], ...]
    read: Callable[[str, Context], Chat]  # a choice that was typed, or that a button carries; raises CommandError
    describe: Callable[[Context], Text]  # how it is set
    remark: Callable[[Reader, Context, str], Awaitable[Text]] | None = None  # what else to say, of what was typed now
    choices: tuple[str, ...]  # the buttons, each as it could be typed
    label: Callable[[Chat, Translator], str]  # of the button for a choice
    width: int = 3  # buttons in a row
    shows_examples: bool = False  # on its screen: there are more choices than buttons

    def __post_init__(self) -> None:
        handler = writes(self._answer)
        for typed, meaning in reversed(self.examples):
            registry.example(typed, meaning)(handler)
        registry.command(self.name, self.section, self.place, Need.CHAT, self.summary, usage=self.usage)(handler)
        registry.tap(self.name, Need.CHAT, "|".join(map(re.escape, self.choices)))(handler)

    async def _answer(self, request: Request, context: Context, tx: Transaction) -> Reply:
        """Show the setting, or change it to the typed or tapped choice."""
        if not request.argument:
            return Reply(messages=(await self._screen(tx, context),))
        chosen = self.read(request.argument, context)
        if chosen != context.chat:
            await log_setting(tx, context, f"/{self.name} {request.argument}")
        saved, released, menu = await save(tx, context, chosen)
        screen = await self._screen(tx, saved, request.argument, released=released)
        return replace(show(request, screen), menu=menu)

    async def _screen(self, db: Reader, context: Context, typed: str = "", *, released: int = 0) -> Outgoing:
        t, text = context.t, self.describe(context)
        if self.remark is not None:
            text.join(await self.remark(db, context, typed))
        if released:
            line = t.ngettext("{n} post that waited comes now.", "{n} posts that waited come now.", released)
            text.line(line, n=released)
        if self.shows_examples:
            examples = [code(t.gettext(typed)) for typed, _ in self.examples]
            text.add(t.gettext("You can also write:"), *(piece for each in examples for piece in (" ", each)))
        now = self.label(context.chat, t)
        labels = {each: self.label(self.read(each, context), t) for each in self.choices}
        buttons = (choice(label, self.name, each, chosen=label == now) for each, label in labels.items())
        return message(text, rows_of(buttons, self.width))


async def save(tx: Transaction, context: Context, chosen: Chat) -> tuple[Context, int, str | None]:
    """Save a choice; return the context in which it holds, and how many posts that waited come now.

    The last value is the language in which Telegram's menu is to be shown from now on; None where nobody chose one.
    """
    before = context.chat
    await chats.save(tx, chosen)
    t = context.t if chosen.broadcast else translator(chosen.language)  # of a channel somebody else sees the screen
    saved = replace(context, chat=chosen, t=t)
    released = await groups.reschedule(tx, chosen, now=context.now) if chosen.schedule != before.schedule else 0
    is_new = (chosen.language, chosen.language_chosen) != (before.language, before.language_chosen)
    return saved, released, chosen.language if is_new else None
