"""Telethon's client comes in; one that forgets nothing goes out: neither over a lost connection nor over a kill."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from telethon import TelegramClient, errors

log = structlog.get_logger(__name__)

BREATHER = 1.0  # s after an agreement on a key that failed
SOON, KEEP_EVERY = 0.5, 10.0  # s between two moments at which a client's place among the updates is written down


class Client(TelegramClient):
    """A client that tells when its connection is back: what was pushed meanwhile has to be asked for.

    Telethon counts an update as had once a handler was called, and writes that down each minute and at its end. With
    `is_settled` it waits until what was heard is also dealt with; what was not, a process that ended in between hears
    again.
    """

    on_reconnect: Callable[[], Awaitable[None]] | None = None
    is_settled: Callable[[], bool] | None = None  # whether all that was heard is dealt with

    async def connect(self) -> None:
        """Connect, and begin anew as often as a connection breaks while a key is agreed on.

        Telethon repeats the agreement after an OSError only, and what asyncio raises at a closed connection is none.
        Now and then, once in some 50,000 times, Telethon causes this itself: it fails to factorise the server's number.
        """
        while True:
            try:
                await super().connect()
            except (EOFError, errors.InvalidBufferError) as error:
                log.warning("Telegram broke off while a key was agreed on; once more", error=str(error))
                await self._sender.disconnect()
                await asyncio.sleep(BREATHER)
            else:
                return

    async def _handle_auto_reconnect(self) -> None:
        # Telethon's own only makes itself known to the server; the part that would catch up is switched off.
        await super()._handle_auto_reconnect()
        if self.on_reconnect is not None:
            await self.on_reconnect()

    async def _save_states_and_entities(self) -> None:
        if self._may_save():
            await super()._save_states_and_entities()

    def _may_save(self) -> bool:
        return self.is_settled is None or (self.is_settled() and not self._event_handler_tasks)

    async def keep_place(self) -> None:
        """Write down again and again up to where updates are dealt with, for ever.

        Telethon does so each minute; a process that is killed before has to catch up with all of that.
        """
        pause = SOON
        while True:
            await asyncio.sleep(pause)
            if self._may_save():
                await self._save_states_and_entities()
                self.session.save()
            pause = KEEP_EVERY if self._may_save() else SOON
