"""The daily receipt: «on», «off» or a time of day comes in; from then on a chat is told that all is well."""

from bot.commands.context import Context, Reply, Request, say
from bot.commands.parsing import read_time, show_time
from bot.commands.settings import read_switch
from bot.store import receipts
from bot.store.database import Transaction
from bot.text.markup import Text, code

USUAL = 9 * 60  # minute of the day


async def receipt(request: Request, context: Context) -> Reply:
    """Switch the receipt of this chat on or off, or set its time; without a word, say how it is set."""
    typed = request.argument.casefold().strip(" .!")
    if not typed:
        return say(_told(await receipts.minute_of(context.database, context.chat.id), context))
    switch = read_switch(typed)
    minute = USUAL if switch else read_time(typed)
    if minute is None and switch is None:
        line = context.t.gettext("«{value}» is no time of day. Write on, off or for example 08:30.")
        return say(line.format(value=request.argument[:40]))

    async def effect(tx: Transaction) -> Reply:
        if minute is None:
            await receipts.stop(tx, context.chat.id)
        else:
            await receipts.ask(tx, context.chat.id, minute=minute, now=context.now)
        return say(_told(minute, context))

    return await context.once(request, effect)


def _told(minute: int | None, context: Context) -> Text:
    t = context.t
    if minute is None:
        line = t.gettext("No daily receipt here. To be told each day that nothing is missing, write: {command}")
        return Text().say(line, command=code("/receipt 09:00"))
    line = t.gettext("Each day at {time} ({zone}) I tell this chat, without a sound, whether anything is missing.")
    text = Text().line(line, time=show_time(minute), zone=context.chat.time_zone)
    return text.say(t.gettext("To end it, write: {command}"), command=code("/receipt off"))
