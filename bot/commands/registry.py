"""The commands and buttons of the bot, each declared at the function that answers it by `@command` or `@tap`.

The dispatcher, Telegram's menu, /help and docs/commands.md are made from the declarations. A new module of this
package is found by itself.
"""

import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib import import_module

from bot.commands.context import CommandError, Context, Handler, Reply, Request, say
from bot.commands.rights import Need, allows
from bot.locales import N_, Translator, translator
from bot.models.people import Role
from bot.text.markup import Text, bold, code


class Section(StrEnum):
    """The parts of /help in their order, each by its heading."""

    TOPICS = N_("Topics")
    POSTS = N_("Posts")
    CHANNELS = N_("Channels")
    ALERTS = N_("How alerts arrive")
    CHAT = N_("This chat")
    TEAM = N_("Team")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command; the texts are keys for the translator."""

    name: str  # without slash
    section: Section
    place: int  # in the section, from 1
    need: Need
    summary: str  # /help and Telegram's menu show it
    usage: str = ""  # what may follow the name
    examples: tuple[tuple[str, str], ...] = ()  # something to type, and what it does
    reads_replied: bool = False  # wants the text of the message that it answers
    is_setting: bool = False  # /settings has a button for it, so that Telegram's menu can be shorter
    handler: Handler | None  # None for /start, which the dispatcher answers: there is no chat yet

    def typed(self, t: Translator) -> str:
        """Write the command and its usage."""
        return f"/{self.name} {t.gettext(self.usage)}" if self.usage else f"/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """The answer to a kind of button."""

    handler: Handler
    need: Need
    argument: re.Pattern[str]  # what may follow the verb: a changed client can send anything


_LEAST_BEGUN = 3  # letters that words must begin with alike
_CLOSE, _VERY_CLOSE = 0.6, 0.75  # how much alike a command and what was typed are, of 1
_MOST_MEANT = 5  # commands that a word may mean
_commands: dict[str, Command] = {}
_taps: dict[str, Tap] = {}
_examples: dict[Handler, list[tuple[str, str]]] = {}  # of the handler whose decorators are being read


def declare(command: Command) -> None:
    """Add a command."""
    assert command.name not in _commands, command.name  # noqa: S101 - two handlers for one word
    _commands[command.name] = command


def command(  # noqa: PLR0913 - the fields of a Command
    name: str,
    section: Section,
    place: int,
    need: Need,
    summary: str,
    *,
    usage: str = "",
    reads_replied: bool = False,
    is_setting: bool = False,
) -> Callable[[Handler], Handler]:
    """Let a function answer a command; its `@example`s stand below, in their order."""

    def register(handler: Handler) -> Handler:
        declare(
            Command(
                name=name,
                section=section,
                place=place,
                need=need,
                summary=summary,
                usage=usage,
                examples=tuple(reversed(_examples.pop(handler, []))),
                reads_replied=reads_replied,
                is_setting=is_setting,
                handler=handler,
            )
        )
        return handler

    return register


def example(typed: str, meaning: str) -> Callable[[Handler], Handler]:
    """Add an example, as typed and in words, to the command of a function; both are keys for the translator."""

    def register(handler: Handler) -> Handler:
        _examples.setdefault(handler, []).append((typed, meaning))
        return handler

    return register


def tap(verb: str, need: Need, argument: str = "") -> Callable[[Handler], Handler]:
    """Let a function answer taps on buttons whose data begin with a verb; `argument` is a pattern for what follows."""

    def register(handler: Handler) -> Handler:
        assert verb not in _taps, verb  # noqa: S101 - two handlers for one word
        _taps[verb] = Tap(handler=handler, need=need, argument=re.compile(argument))
        return handler

    return register


@cache
def commands() -> Mapping[str, Command]:
    """Return all commands by name, in the order in which people see them."""
    _import_handlers()
    sections = list(Section)
    ordered = sorted(_commands.values(), key=lambda each: (sections.index(each.section), each.place))
    return {each.name: each for each in ordered}


@cache
def taps() -> Mapping[str, Tap]:
    """Return all kinds of buttons by their verb."""
    _import_handlers()
    return _taps


def _import_handlers() -> None:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        import_module(module.name)


def _described(word: str, t: Translator) -> list[Command]:
    """Return the commands whose descriptions have a word in some form, in a language."""
    if len(word) < _LEAST_BEGUN:
        return []
    ending = max(1, len(word) // 2 - 1) if len(word) > _LEAST_BEGUN else 0  # letters that forms of it differ in
    begun = word.casefold()[: max(_LEAST_BEGUN, len(word) - ending)]
    found = []
    for each in commands().values():
        said = [each.name, *map(t.gettext, (each.summary, *(text for example in each.examples for text in example)))]
        if any(one.startswith(begun) for text in said for one in re.findall(r"\w+", text.casefold())):
            found.append(each)
    return found


def suggestion(typed: str, *, cutoff: float = _CLOSE) -> str | None:
    """Return the command that was probably meant; None where nothing is close."""
    return next(iter(get_close_matches(typed, commands(), n=1, cutoff=cutoff)), None)


def unknown_command(typed: str, t: Translator, *, cutoff: float = _CLOSE) -> str:
    """Say that there is no such command, and which one was probably meant."""
    meant = suggestion(typed, cutoff=cutoff)
    if meant is None:
        line = t.gettext("There is no command /{command}. /help shows all.")
    else:
        line = t.gettext("There is no command /{command}. Did you mean /{meant}?")
    return line.format(command=typed, meant=meant)


def unknown(typed: str, context: Context) -> Text:
    """Say that there is no such command, and what was probably meant: by its name, or by a word that describes it."""
    t = context.t
    found = [each for each in _described(typed, t) if context.may(each.need)]
    text = Text().line(unknown_command(typed, t, cutoff=_VERY_CLOSE if found else _CLOSE))
    for each in found[:_MOST_MEANT]:
        text.line("{usage} – {summary}", usage=each.typed(t), summary=t.gettext(each.summary))
    return text


def outdated(context: Context) -> CommandError:
    """Say that a button is of an earlier version, or of a thing that is gone."""
    return CommandError(context.own.gettext("This button no longer works."))


def menu(t: Translator, role: Role | None = Role.OWNER, *, private: bool = True) -> list[tuple[str, str]]:
    """Return name and summary of the commands that somebody with this role may send, for Telegram's menu."""
    allowed = (each for each in commands().values() if not each.is_setting and allows(role, each.need, private=private))
    return [(each.name, t.gettext(each.summary)) for each in allowed]


def markdown_table(language: str = "en") -> str:
    """Return the table of commands that docs/commands.md shows, in Markdown."""
    t = translator(language)
    typed, meaning = t.gettext("command"), t.gettext("what it does")
    rows = [f"| {typed} | {meaning} |", "|---|---|"]
    for section in Section:
        rows.append(f"| **{t.gettext(section)}** | |")
        for each in commands().values():
            if each.section is section:
                uses = each.examples or ((each.typed(t), each.summary),)
                cells = ([t.gettext(text).replace("|", "\\|") for text in use] for use in uses)
                rows += (f"| `{typed}` | {meaning} |" for typed, meaning in cells)
    return "\n".join(rows)


_QUERIES = (
    (N_("outage"), N_("the word in any form: outages too")),
    (N_("bank outage"), N_("both words, in one paragraph")),
    (N_("outage|failure"), N_("one of them is enough")),
    (N_("“payment system”"), N_("these words side by side")),
    (N_("outage -football"), N_("without a word")),
    (N_("internet ~5 sovereign"), N_("at most five words apart")),
    (N_("sentence:(outage bank)"), N_("in one sentence or two neighbours; head: at the beginning of a post")),
    (N_("block*"), N_("any word that begins like this")),
    (N_("=IT"), N_("exactly like this, capitals included")),
    (N_("(outage|failure) -(football|drill)"), N_("brackets keep together what belongs together")),
    (N_("#internet"), N_("this hashtag, or @name: this mention")),
    (N_("outage, shutdown"), N_("either, as on two lines: a list of queries")),
    (N_("re:/out(age|ages)/"), N_("a regular expression")),
)


@command("help", Section.CHAT, 10, Need.LOOK, N_("all commands, and how to write a query"), usage=N_("command"))
@example("/help", N_("all commands, and how to write a query"))
@example("/help mute", N_("how one command is used"))
async def help_(request: Request, context: Context) -> Reply:
    """List the commands and show how a query is written; with a command, show how that is used."""
    if request.argument:
        return say(_help_on(request.argument.split()[0].removeprefix("/").lower(), context))
    t, text, section = context.t, Text(), None
    for each in commands().values():
        if not context.may(each.need):
            continue
        if each.section is not section:
            section = each.section
            text.add("\n", bold(t.gettext(section)), "\n")
        text.line("{usage} – {summary}", usage=each.typed(t), summary=t.gettext(each.summary))
    text.line().add(bold(t.gettext("How to write a query")), "\n")
    for query, meaning in _QUERIES:
        text.line("{query} – {meaning}", query=code(t.gettext(query)), meaning=t.gettext(meaning))
    text.line().line(t.gettext("For more about a command, add its name: {example}"), example=code("/help mute"))
    if context.may(Need.INSTANCE):
        text.add(t.gettext("To follow a channel, you can also forward me one of its posts."))
    return say(text)


def _help_on(name: str, context: Context) -> Text:
    """Show how a command is used, by examples to copy. Raises CommandError where there is none of this name."""
    each, t = commands().get(name), context.t
    if each is None:
        raise CommandError(unknown(name, context))
    text = Text().line("{usage} – {summary}", usage=each.typed(t), summary=t.gettext(each.summary))
    for typed, meaning in each.examples:
        text.add("\n", code(t.gettext(typed)), "\n", t.gettext(meaning), "\n")
    return text
