"""Telethon's client comes in; one that forgets nothing goes out: neither over a lost connection nor over a kill."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from telethon import TelegramClient, errors, functions, types
from telethon._updates import MessageBox

from bot.runtime.supervisor import TURN, Beat, unheard

log = structlog.get_logger(__name__)

ANSWER_WITHIN = 30.0  # s …
MOST_PATIENCE = 8  # … times this, at the most
BREATHER = 1.0  # s after an agreement on a key that failed
SOON, KEEP_EVERY = 0.5, 10.0  # s between two moments at which a client's place among the updates is written down

_OF_UPDATES = (
    functions.updates.GetStateRequest,
    functions.updates.GetDifferenceRequest,
    functions.updates.GetChannelDifferenceRequest,
)


class Client(TelegramClient):
    """A client that tells when its connection is back: what was pushed meanwhile has to be asked for.

    Telethon counts an update as had once a handler was called, and writes that down each minute and at its end. With
    `is_settled` it waits until what was heard is also dealt with; what was not, a process that ended in between hears
    again.
    """

    _message_box: MessageBox
    answer_within = ANSWER_WITHIN  # s that Telegram may take to say what was missed …
    _patience = 1  # … times this
    on_reconnect: Callable[[], Awaitable[None]] | None = None
    renews_key = False  # where the server has forgotten it: whoever can sign in without a person may
    is_settled: Callable[[], bool] | None = None  # whether all that was heard is dealt with

    async def __call__(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Telethon has it
        """Ask Telegram something.

        Telethon's update loop waits for a difference for ever, and hears nothing meanwhile: after a lost answer it
        would be deaf as long as the connection holds. After a TimeoutError it asks again; where the line is so slow
        that no answer comes in time, it is given more each time.
        """
        asking = super().__call__(request, *args, **kwargs)
        return await (self._in_time(asking) if isinstance(request, _OF_UPDATES) else asking)

    async def _in_time(self, asking: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - as above
        asked = asyncio.ensure_future(asking)
        try:
            while not (await asyncio.wait({asked}, timeout=self.answer_within * self._patience))[0]:
                # Without a connection it goes on waiting: Telethon sends all that it was asked to once it has one,
                # also what nobody waits for any more.
                if self._sender._transport_connected():  # noqa: SLF001 - `is_connected` tells what is wanted
                    self._patience = min(self._patience * 2, MOST_PATIENCE)
                    raise TimeoutError
            self._patience = 1
            return asked.result()
        finally:
            asked.cancel()

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
            except errors.AuthKeyNotFound:
                await asyncio.gather(self.disconnected, return_exceptions=True)  # Telethon is still at it
                if not self.renews_key:
                    raise
                log.warning("Telegram has forgotten the key of a session; another is agreed on")
                self._sender.auth_key.key = self.session.auth_key = None
            else:
                return

    async def forget_login(self) -> None:
        """Connect anew as somebody who never signed in, where a login has ended.

        Telethon would ask for the updates since, and disconnect where it is told that nobody is signed in.
        """
        if self._message_box.is_empty():
            return
        await self.disconnect()
        self._message_box, self._catch_up = MessageBox(self._log["messagebox"]), False
        await self.connect()
        self._catch_up = True

    async def _on_login(self, user: types.User) -> types.User:
        # Telethon's own asks from where the updates go on. A server that does not say is served all the same: the
        # first update that comes tells it. Whoever is signed out is not.
        try:
            return await super()._on_login(user)
        except (errors.UnauthorizedError, errors.AuthKeyError):
            raise
        except (errors.RPCError, TimeoutError) as error:
            log.warning("Telegram does not say from where its updates go on", error=repr(error))
            return user

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

    async def keep_place(self, beat: Beat = unheard) -> None:
        """Write down again and again up to where updates are dealt with, for ever.

        Telethon does so each minute; a process that is killed before has to catch up with all of that.
        """
        pause = SOON
        while True:
            beat(pause + TURN)
            await asyncio.sleep(pause)
            if self._may_save():
                await self._save_states_and_entities()
                self.session.save()
            pause = KEEP_EVERY if self._may_save() else SOON
