"""The daily receipt: «on», «off» or a time of day comes in; from then on a chat is told that all is well."""

import re

from bot.commands.context import Context
from bot.commands.talk import Reply, Request, say
from bot.markup import Text, code
from bot.store import receipts
from bot.store.database import Transaction

USUAL = 9 * 60  # minute of the day
_TIME = re.compile(r"(?:at |в )?(\d{1,2})(?:[:.](\d{2}))?")
_ON, _OFF = {"on", "вкл", "да"}, {"off", "выкл", "нет"}


async def receipt(request: Request, context: Context) -> Reply:
    """Switch the receipt of this chat on or off, or set its time; without a word, say how it is set."""
    typed = request.argument.casefold().strip(" .!")
    if not typed:
        return say(_told(await receipts.minute_of(context.database, context.chat.id), context))
    minute = USUAL if typed in _ON else read_time(typed)
    if minute is None and typed not in _OFF:
        line = context.t.gettext("«{value}» is no time of day. Write on, off or for example 08:30.")
        return say(line.format(value=request.argument[:40]))

    async def effect(tx: Transaction) -> Reply:
        if minute is None:
            await receipts.stop(tx, context.chat.id)
        else:
            await receipts.ask(tx, context.chat.id, minute=minute, now=context.now)
        return say(_told(minute, context))

    return await context.once(request, effect)


def read_time(typed: str) -> int | None:
    """Read a time of day such as `9`, `08:30` or `в 9.15` as a minute of the day; None for anything else."""
    found = _TIME.fullmatch(typed)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a day's and an hour's


def _told(minute: int | None, context: Context) -> Text:
    t = context.t
    if minute is None:
        line = t.gettext("No daily receipt here. To be told each day that nothing is missing, write: {command}")
        return Text().say(line, command=code("/receipt 09:00"))
    line = t.gettext("Each day at {time} ({zone}) I tell this chat, without a sound, whether anything is missing.")
    text = Text().line(line, time=f"{minute // 60:02}:{minute % 60:02}", zone=context.chat.time_zone)
    return text.say(t.gettext("To end it, write: {command}"), command=code("/receipt off"))
