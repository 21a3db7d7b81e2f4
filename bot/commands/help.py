"""/help: the commands from the registry, each with its examples, and how a query is written."""

from bot.commands.context import CommandError, Context, Need, Reply, Request, say
from bot.commands.registry import Section, command, commands, example, unknown_command
from bot.locales import N_, Translator
from bot.text.markup import Text, bold, code

_QUERIES = (
    (N_("outage"), N_("the word in any form: outages too")),
    (N_("bank outage"), N_("both words, anywhere in the post")),
    (N_("outage|failure"), N_("one of them is enough")),
    (N_("“payment system”"), N_("these words side by side")),
    (N_("outage -football"), N_("without a word")),
    (N_("internet ~5 sovereign"), N_("at most five words apart")),
    (N_("block*"), N_("any word that begins so")),
    (N_("=IT"), N_("exactly so, capitals included")),
    (N_("(outage|failure) -(football|drill)"), N_("brackets keep together what belongs together")),
    (N_("#internet"), N_("this tag, or @name: this mention")),
    (N_("outage, shutdown"), N_("either, as on two lines: a list of queries")),
    (N_("re:/out(age|ages)/"), N_("a regular expression")),
)


@command("help", Section.CHAT, 6, Need.LOOK, N_("all commands, and how to write a query"), usage=N_("command"))
@example("/help", N_("all commands, and how to write a query"))
@example("/help mute", N_("how one command is used"))
async def help_(request: Request, context: Context) -> Reply:
    """List the commands and show how a query is written; with a command, show how that is used."""
    if request.argument:
        return say(_help_on(request.argument.split()[0].removeprefix("/").lower(), context.t))
    t, text, section = context.t, Text(), None
    for each in commands().values():
        if each.section is not section:
            section = each.section
            text.add("\n", bold(t.gettext(section)), "\n")
        text.line("{usage} – {summary}", usage=each.typed(t), summary=t.gettext(each.summary))
    text.line().line("{title}", title=bold(t.gettext("How to write a query")))
    for query, meaning in _QUERIES:
        text.line("{query} – {meaning}", query=code(t.gettext(query)), meaning=t.gettext(meaning))
    text.line().line(t.gettext("For more about one command, add its name: {example}"), example=code("/help mute"))
    return say(text.add(t.gettext("To follow a channel you can also forward me one of its posts.")))


def _help_on(name: str, t: Translator) -> Text:
    """Show how a command is used, by examples to copy. Raises CommandError where there is none of this name."""
    each = commands().get(name)
    if each is None:
        raise CommandError(unknown_command(name, t))
    text = Text().line("{usage} – {summary}", usage=each.typed(t), summary=t.gettext(each.summary))
    for typed, meaning in each.examples:
        text.add("\n").line("{example}", example=code(t.gettext(typed))).add(t.gettext(meaning), "\n")
    return text
