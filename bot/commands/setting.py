"""A setting of a chat, of which one declaration makes a command, a screen with buttons, and the write.

/settings shows all of them, and each opens at a tap.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot.commands import registry
from bot.commands.context import Context, Reply, Request, change, message, show, writes
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.subscribing import log_setting
from bot.locales import N_, translator
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.store import chats, groups
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.text.buttons import button, choice, rows_of
from bot.text.markup import Text, bold, code

_settings: dict[str, "Setting"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of a chat. A choice is the chat as it is once the choice is made."""

    name: str  # of the command, and the verb of the buttons
    title: str  # on the screen of all settings
    place: int  # in the section of /help
    section: Section = Section.ALERTS
    summary: str
    usage: str = ""
    examples: tuple[tuple[str, str], ...]
    read: Callable[[str, Context], Chat]  # a choice that was typed, or that a button carries; raises CommandError
    describe: Callable[[Context], Text]  # how it is set
    remark: Callable[[Reader, Context, str], Awaitable[Text]] | None = None  # what else to say, of what was typed now
    choices: tuple[str, ...]  # the buttons, each as it could be typed
    argument: str = ""  # a pattern of what a button may carry; empty: the choices alone
    label: Callable[[Context], str]  # of how it is set, and so of the button for a choice
    width: int = 3  # buttons in a row
    is_free: bool = False  # more can be typed than there are buttons

    def __post_init__(self) -> None:
        handler = writes(self._answer)
        for typed, meaning in reversed(self.examples):
            registry.example(typed, meaning)(handler)
        declare = registry.command(
            self.name, self.section, self.place, Need.CHAT, self.summary, usage=self.usage, is_setting=True
        )
        declare(handler)
        registry.tap(self.name, Need.CHAT, self.argument or "|".join(map(re.escape, self.choices)))(handler)
        _settings[self.name] = self

    async def _answer(self, request: Request, context: Context, tx: Transaction) -> Reply:
        """Show the setting, or change it to the typed or tapped choice."""
        if not request.argument:
            return show(request, await self.screen(tx, context))
        saved, released, menu = await self.choose(tx, context, request.argument)
        screen = await self.screen(tx, saved, request.argument, released=released)
        return replace(show(request, screen), menu=menu)

    async def choose(self, tx: Transaction, context: Context, typed: str) -> tuple[Context, int, str | None]:
        """Change the setting to a choice; return what `save` does. Raises CommandError."""
        chosen = self.read(typed, context)
        if chosen != context.chat:
            await log_setting(tx, context, f"/{self.name} {typed}")
        return await save(tx, context, chosen)

    async def screen(self, db: Reader, context: Context, typed: str = "", *, released: int = 0) -> Outgoing:
        """Describe the setting, with a button for each usual choice, one to type another, and the way back."""
        t, text = context.t, self.describe(context)
        if self.remark is not None:
            text.lines(await self.remark(db, context, typed))
        if released:
            line = t.ngettext("{n} waiting post is sent now.", "{n} waiting posts are sent now.", released)
            text.line(line, n=released)
        now = self.label(context)
        labels = {each: self.label(replace(context, chat=self.read(each, context))) for each in self.choices}
        buttons = (choice(label, self.name, each, chosen=label == now) for each, label in labels.items())
        own = (button(t.gettext("Type another"), "type", self.name),) if self.is_free else ()
        return message(text, (*rows_of(buttons, self.width), (*own, _back(context))))

    def examples_in(self, context: Context) -> Text:
        """Show what can be typed."""
        text, t = Text(), context.t
        for typed, meaning in self.examples:
            shown = t.gettext(typed).removeprefix(f"/{self.name} ")
            text.line("{typed} – {meaning}", typed=code(shown), meaning=t.gettext(meaning))
        return text


def settings() -> Mapping[str, Setting]:
    """Return the settings by name, in the order in which /help shows their commands."""
    return {name: _settings[name] for name in registry.commands() if name in _settings}


@tap("settings", Need.CHAT, r"[a-z]{0,20}")
@command("settings", Section.CHAT, 3, Need.CHAT, N_("all settings of this chat, changed by taps"))
@example("/settings", N_("language, time zone, quiet hours and whatever else this chat can choose"))
async def show_settings(request: Request, context: Context) -> Reply:
    """Show all settings, or the one that a button names."""
    if request.tapped and request.argument:
        chosen = settings().get(request.argument)
        if chosen is None:
            raise registry.outdated(context)
        return show(request, await chosen.screen(context.database, context))
    return show(request, message(_overview(context), _all_buttons(context)))


@tap("type", Need.CHAT, r"[a-z]{1,20}")
@writes
async def type_own(request: Request, context: Context, tx: Transaction) -> Reply:
    """Wait for a choice that no button offers."""
    t, setting = context.t, settings().get(request.argument)
    if setting is None:
        raise registry.outdated(context)
    text = Text().add(bold(t.gettext(setting.title)), "\n")
    text.join(await ask(tx, request, context, setting.name, subject=t.gettext(setting.title)))
    text.add("\n\n").join(setting.examples_in(context))
    return change(text, ((button(t.gettext("Back"), "settings", setting.name),),))


def _overview(context: Context) -> Text:
    t, text = context.t, Text().add(bold(context.t.gettext("Settings of this chat")), "\n\n")
    for each in settings().values():
        text.line("{title}: {value}", title=t.gettext(each.title), value=bold(each.label(context)))
    line = t.gettext("How each topic arrives: /priority. What is muted: /mute. While Telegram is down: /fallback.")
    return text.line().line(line)


def _all_buttons(context: Context) -> ButtonRows:
    titles = ((each.name, context.t.gettext(each.title)) for each in settings().values())
    buttons = [button(title, "settings", name) for name, title in titles]
    if not context.chat.is_target:
        buttons.append(button(context.t.gettext("While Telegram is down"), "fallback"))
    return rows_of(buttons, 2)


def _back(context: Context) -> Button:
    return button(context.t.gettext("All settings"), "settings")


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
