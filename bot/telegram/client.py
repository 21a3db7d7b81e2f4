"""Telethon's client comes in; one that forgets nothing goes out: neither over a lost connection nor over a kill."""

import asyncio
from collections.abc import Awaitable, Callable

from telethon import TelegramClient

SOON, KEEP_EVERY = 0.5, 10.0  # s between two moments at which a client's place among the updates is written down


class Client(TelegramClient):
    """A client that tells when its connection is back: what was pushed meanwhile has to be asked for.

    Telethon counts an update as had once a handler was called, and writes that down each minute and at its end. With
    `is_settled` it waits until what was heard is also dealt with; what was not, a process that ended in between hears
    again.
    """

    on_reconnect: Callable[[], Awaitable[None]] | None = None
    is_settled: Callable[[], bool] | None = None  # whether all that was heard is dealt with

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
