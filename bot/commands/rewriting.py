"""Queries that may mean something else: the readings of an ambiguous one, and a small «or» as a sign, on buttons."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from bot.commands.context import CommandError, Context, Effect, Reply, Request, remembered, say
from bot.commands.registry import commands, outdated, tap
from bot.commands.rights import REFUSALS, Need
from bot.models.outgoing import ButtonRows
from bot.text.buttons import button
from bot.text.markup import Text, one_line

_COMMANDS = ("search", "test", "track")  # their argument is, or ends with, a query
_LONGEST_LABEL = 60  # UTF-16 units
# A small «or» between words, and what holds no operators.
_SMALL_OR = re.compile(r'"[^"]*"|«[^»]*»|“[^”]*”|re:/(?:\\.|[^/\\])*/|(?<=\s)(?P<word>или|або|or)(?=\s+\S)')


class AmbiguityError(CommandError):
    """A query with two meanings; the answer offers both."""

    def __init__(self, text: Text, typed: str, span: tuple[int, int], readings: Sequence[str]) -> None:
        super().__init__(text)
        self._typed = typed
        self._span = span  # of `typed`, in Python characters
        self._readings = readings  # to stand there

    def reply(self, request: Request) -> Reply:
        """Answer with a button for each reading, which sends the command again."""
        before, found, after = request.argument.rpartition(self._typed)
        if request.command not in _COMMANDS or not found or request.reply_to is not None:
            return super().reply(request)
        start, end = self._span
        written = [self._typed[:start] + reading + self._typed[end:] for reading in self._readings]
        rows = tuple(
            (button(one_line(reading, _LONGEST_LABEL), "again", request.command, request.key, number),)
            for number, reading in enumerate(self._readings)
        )
        return replace(say(self.text, rows), memory=json.dumps([before + query + after for query in written]))


def or_rows(request: Request, query: str) -> ButtonRows:
    """Offer to read a small «or» of a query as the sign, where there is one; the answer remembers the argument."""
    if request.command not in _COMMANDS:
        return ()
    word = next((found["word"] for found in _SMALL_OR.finditer(query) if found["word"]), None)
    return () if word is None else ((button(f"{word} → |", "again", request.command, request.key),),)


@tap("again", Need.LOOK, rf"({'|'.join(_COMMANDS)}):[\w-]{{1,40}}(:[01])?")
async def again(request: Request, context: Context) -> Reply | Effect:
    """Send a command again with a reading, which the button numbers, or else with «or» as a sign."""
    name, key, *number = request.argument.split(":")
    memory, command = await remembered(context.database, context, key), commands()[name]
    if command.handler is None:
        raise outdated(context)
    if not context.may(command.need):
        raise CommandError(context.own.gettext(REFUSALS[command.need]))
    argument = json.loads(memory)[int(number[0])] if number else _with_sign(name, memory)
    sent = replace(request, command=name, argument=argument, query_id=None)
    try:
        return await command.handler(sent, context)
    except CommandError as error:
        return error.reply(sent)


def _with_sign(command: str, argument: str) -> str:
    """Write `|` for each small «or» of a query; one in the name of the topic of a /track stays."""
    colon = argument.find(": ") + 1 if command == "track" else 0
    return argument[:colon] + _SMALL_OR.sub(lambda found: "|" if found["word"] else found[0], argument[colon:])
