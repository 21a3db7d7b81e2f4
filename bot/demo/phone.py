"""The subscriber's side of the chat: writes and taps through an ordinary Telethon client."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable

from telethon import TelegramClient, events
from telethon.errors import RPCError
from telethon.tl import functions as fn
from telethon.tl import types as tl

from bot.demo.screen import Screen, buttons
from bot.demo.witness import Witness


class Phone:
    """The subscriber's Telegram."""

    def __init__(self, client: TelegramClient, bot: str, *, witness: Witness, screen: Screen) -> None:
        self._client = client
        self._bot = bot
        self._witness = witness
        self._screen = screen
        self.typed = False  # a line was typed, so the alerts may differ from the story's
        client.add_event_handler(self._receive, events.NewMessage(incoming=True))
        client.add_event_handler(self._receive, events.MessageEdited(incoming=True))

    async def say(self, words: str, *, until: Callable[[], bool] | None = None) -> None:
        """Write to the bot, and wait until a condition holds: by default, that it has answered."""
        before = len(self._witness.answers)
        self._screen.show_request(words)
        await self._client.send_message(self._bot, words)
        if not await self._witness.until(until or (lambda: len(self._witness.answers) > before)):
            self._witness.faults.append(f"no answer to {words}")

    async def press(self, label: str) -> None:
        """Press the newest button with these words in its label, and wait for an answer."""
        answers = self._witness.answers
        found = ((message, key) for message in reversed(answers) for key in buttons(message) if label in key.text)
        before = len(answers)
        await self._press(*next(found))
        if not await self._witness.until(lambda: len(answers) > before):
            self._witness.faults.append(f"no answer to the button {label}")

    async def type(self) -> None:
        """Send each line typed at the terminal; a number presses the button of that number under the last message."""
        async for line in _lines():
            self.typed = True
            try:
                await self._enter(line)
            except RPCError as error:
                self._screen.narrate(f"Telegram refuses this: {error}")

    async def _enter(self, line: str) -> None:
        last = self._witness.last
        keys = buttons(last) if last else []
        if line.isdecimal() and 0 < int(line) <= len(keys):
            await self._press(last, keys[int(line) - 1])
        elif line:
            await self._client.send_message(self._bot, line)

    async def _press(self, message: tl.Message, button: tl.KeyboardInlineButton) -> None:
        if not isinstance(button.type, tl.InlineButtonTypeCallback):
            self._screen.narrate(f"In Telegram this opens {button.type.url}")
            return
        bot = await self._client.get_input_entity(self._bot)
        answer = await self._client(fn.messages.GetBotCallbackAnswerRequest(bot, message.id, data=button.type.data))
        if answer.message:
            self._screen.narrate(answer.message)

    async def _receive(self, event: events.NewMessage.Event) -> None:
        await self._witness.receive(event.message)


async def _lines() -> AsyncIterator[str]:
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (sys.stdin.isatty() or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):  # a file, or nothing: it never waits
        for line in sys.stdin.buffer:
            yield line.decode(errors="replace").strip()
        return
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while typed := await reader.readline():
        yield typed.decode(errors="replace").strip()
