"""Telethon's client, made so that it never gives up and forgets nothing, neither over a lost connection nor a kill."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from telethon import TelegramClient, errors, functions
from telethon._updates import MessageBox
from telethon.crypto import rsa
from telethon.extensions.messagepacker import MessagePacker
from telethon.network import ConnectionTcpFull
from telethon.tl import TLObject, types

import bot
from bot.errors import SettingsError, TelegramError
from bot.runtime.proxies import proxy_of
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.settings import Settings
from bot.telegram import sessions
from bot.telegram.backoff import backed_off
from bot.telegram.clock import steady_telethon
from bot.telegram.convert import attach, named_in
from bot.telegram.errors import CONNECTION_LOST, UNREADABLE, to_error, to_startup_error
from bot.telegram.missed_updates import MissedUpdates
from bot.telegram.proxies import proxy_arguments
from bot.telegram.rpc import ask, has_connection
from bot.telegram.unreadable import PacketReader, step_over

log = structlog.get_logger(__name__)

MOST_PATIENCE = 8  # times `updates_within`, at the most
SOON, KEEP_EVERY = 0.5, 10.0  # s between two moments at which a client's place among the updates is written down

SLICE = 64  # changes

_DIFFERENCES = (functions.updates.GetDifferenceRequest, functions.updates.GetChannelDifferenceRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How patient the clients are, in seconds."""

    updates_within: float = 30.0  # that Telegram may take to say which updates were missed, at first
    slow_after: float = 15.0  # until a person is told that Telegram does not answer
    connect_within: float = 60.0  # the answer to what a new connection asks first may be lost
    connect_pause: float = 5.0  # between two connections that Telethon gave up …
    key_pause: float = 1.0  # … and after an agreement on a key that failed
    ping_every: float = 45.0  # a connection may look alive for minutes after it has died
    poll_every: float = 30.0  # the same for a bot, which also asks for updates that no push brought
    ping_within: float = 20.0
    session_within: float = 30.0  # that another process may hold a session, as `doctor` does
    login_every: float = 5.0  # between two looks whether somebody has logged a lost reader in
    away: float = 120.0  # that a reader may be away before channels are read through their web pages …
    page_pause: float = 60.0  # … and between two readings of one of these at least


PATIENT = Timings()


class Client(TelegramClient):
    """A client that reports when its connection is back, since pushes of the meantime have to be asked for.

    Telethon counts an update as handled once a handler was called, and writes that down each minute and at its end.
    With `is_settled` it waits until the work is done, too; the next process is given the rest again.
    """

    _message_box: MessageBox
    _patience = 1  # times `updates_within`
    timings = PATIENT
    on_reconnect: Callable[[], Awaitable[None]] | None = None
    on_skip: Callable[[], Awaitable[None]] | None = None  # updates were missed, and go on from the present
    renews_key = False  # where the server has forgotten it: whoever can sign in without a person may
    polls_updates = False  # with each ping
    is_settled: Callable[[], bool] | None = None  # whether all updates that handlers were given are dealt with
    is_answered = True  # by Telegram, the last time that it was pinged
    _slice: int | None = None  # changes that a difference may bring, where larger ones could not be read
    _is_announced = True  # to the server, over the present connection or the next

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Telethon has it
        super().__init__(*args, **kwargs)
        state = PacketReader(self._sender.auth_key, loggers=self._log)
        self._sender._state = state  # noqa: SLF001 - not to be named
        self._sender._send_queue = _Packer(state, loggers=self._log)  # noqa: SLF001 - likewise
        self.missed = MissedUpdates(self)

    async def __call__(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Telethon has it
        """Ask Telegram something; for Telethon's update loop, step over what of a difference cannot be read."""
        if not isinstance(request, _DIFFERENCES) or asyncio.current_task() is not self._updates_handle:
            return await self._ask(request, *args, **kwargs)
        while True:
            if self._slice is not None:
                name = "limit" if isinstance(request, functions.updates.GetChannelDifferenceRequest) else "pts_limit"
                setattr(request, name, self._slice)
            try:
                answer = await self._ask(request, *args, **kwargs)
            except UNREADABLE as error:
                constructor = getattr(error, "invalid_constructor_id", 0)
                log.info("a difference cannot be read by this version", constructor=f"{constructor:#010x}")
                if self._slice == 1:
                    return step_over(request, seq=self._message_box.seq)
                self._slice = (self._slice or SLICE) // 2
            else:
                self._slice = None if self._slice is None or self._slice * 2 >= SLICE else self._slice * 2
                return answer

    async def _ask(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - likewise
        """Ask Telegram something; with questions about updates be patient, and note whether what was missed is told."""
        question = super().__call__(request, *args, **kwargs)
        if isinstance(request, functions.updates.GetStateRequest):
            return await self._patiently(question)
        if isinstance(request, functions.updates.GetChannelDifferenceRequest):
            return await self._fetch_missed(question, request.channel.channel_id)
        if isinstance(request, functions.updates.GetDifferenceRequest):
            return await self._fetch_missed(question, None)
        return await question

    async def _fetch_missed(self, question: Awaitable[Any], channel_id: int | None) -> Any:  # noqa: ANN401 - as above
        try:
            found = await self._patiently(question)
        except (errors.RPCError, TimeoutError, ValueError) as error:
            self.missed.fail(channel_id, to_error(error))
            raise
        self.missed.succeed(channel_id)
        return found

    async def _patiently(self, question: Awaitable[Any]) -> Any:  # noqa: ANN401 - as above
        """Wait for the answer to a question about updates. Raises TimeoutError.

        Telethon's update loop would wait for a difference for ever, and handles nothing meanwhile: after a lost answer
        it would stand still as long as the connection holds. After a TimeoutError it asks again; where the line is so
        slow that no answer comes in time, it is given more each time.
        """
        asked = asyncio.ensure_future(question)
        try:
            while not (await asyncio.wait({asked}, timeout=self.timings.updates_within * self._patience))[0]:
                if has_connection(self):  # else it is sent once there is one
                    self._patience = min(self._patience * 2, MOST_PATIENCE)
                    raise TimeoutError
            self._patience = 1
            return asked.result()
        finally:
            asked.cancel()

    @property
    def fault(self) -> str | None:
        """What is wrong with the connection or the updates; None where all is well."""
        if not (self.is_answered and has_connection(self)):
            return "Telegram does not answer it"
        return f"it gets no updates that it missed ({self.missed.error})" if self.missed.is_deaf else None

    async def connect(self) -> None:
        """Connect, and begin anew as often as a connection breaks while a key is agreed on.

        Telethon repeats the agreement after an OSError only, and what asyncio raises at a closed connection is none.
        Now and then, once in some 50,000 times, Telethon causes this itself: it fails to factorise the server's number.
        """
        self.missed.settled.set()
        while True:
            try:
                await super().connect()
            except (EOFError, errors.InvalidBufferError) as error:
                log.debug("Telegram broke off while a key was agreed on; once more", error=str(error))
                await self._sender.disconnect()
                await asyncio.sleep(self.timings.key_pause)
            except errors.AuthKeyNotFound:
                await asyncio.gather(self.disconnected, return_exceptions=True)  # Telethon is still at it
                if not self.renews_key:
                    raise
                log.warning("Telegram has forgotten the key of a session; a new one is negotiated")
                self._sender.auth_key.key = self.session.auth_key = None
            else:
                return

    async def catch_up(self) -> None:
        """Have the update loop ask for what was missed, unless it is about to: meanwhile it handles nothing else."""
        if self.missed.settled.is_set() and not self._message_box.is_empty():
            self.missed.settled.clear()
            await super().catch_up()

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
            log.warning("Telegram does not say where its updates continue", error=repr(error))
            return user

    async def _handle_auto_reconnect(self) -> None:
        # Telethon's own only makes itself known to the server; the part that would catch up is switched off. What it
        # asks is sent again over each new connection, until there is an answer: one question is enough.
        if not self._is_announced:
            return
        self._is_announced = False
        try:
            await super()._handle_auto_reconnect()
        finally:
            self._is_announced = True
        if self.on_reconnect is not None:
            await self.on_reconnect()

    async def _preprocess_updates(
        self, updates: Sequence[TLObject], users: Sequence[TLObject], chats: Sequence[TLObject]
    ) -> Sequence[TLObject]:
        # Telethon's own writes everybody whom an update names into the session, each time, which takes a sixth of the
        # event loop's time while many posts are pushed. Once is enough: an access hash stays.
        known = self._mb_entity_cache.hash_map
        self.session.save_entities = not all(each.id in known for each in (*users, *chats))
        try:
            found: Sequence[TLObject] = await super()._preprocess_updates(updates, users, chats)
        finally:
            self.session.save_entities = True
        return found

    async def _save_states_and_entities(self) -> None:
        if self._may_save():
            await super()._save_states_and_entities()

    def _may_save(self) -> bool:
        return self.is_settled is None or (self.is_settled() and not self._event_handler_tasks)

    async def save_place(self) -> None:
        """Write down up to where updates are dealt with; nothing where some are still being dealt with."""
        if self._may_save():
            await self._save_states_and_entities()
            self.session.save()

    async def keep_place(self, beat: Beat = no_beat) -> None:
        """Write down again and again up to where updates are dealt with, for ever.

        Telethon does so each minute; a process that is killed before has to catch up with all of that.
        """
        pause = SOON
        while True:
            beat(pause + TURN)
            await asyncio.sleep(pause)
            await self.save_place()
            pause = KEEP_EVERY if self._may_save() else SOON


class _Packer(MessagePacker):
    """Packs what waits to be sent, but for what nobody waits for any more: it would all burst out after an outage."""

    async def get(self) -> Any:  # noqa: ANN401 - as Telethon has it
        self._deque: deque[Any] = deque(state for state in self._deque if not state.future.cancelled())
        return await super().get()


def tap(client: TelegramClient, consume: Callable[[TLObject], None]) -> None:
    """Hand every update to `consume` the moment it is pushed, before Telethon puts updates in order.

    After a gap Telethon waits for half a second, then asks for the difference, and drops what was pushed meanwhile: an
    edit that was followed by another would be lost, though we had it in our hands. A test pins what this leans on.
    """
    queue = client._updates_queue  # noqa: SLF001 - Telethon has no public name for what is pushed
    put = queue.put_nowait

    def put_and_consume(container: TLObject) -> None:
        named = named_in(container)
        for update in getattr(container, "updates", None) or [getattr(container, "update", None)]:
            if update is not None:
                attach(update, named)
                consume(update)
        put(container)

    queue.put_nowait = put_and_consume


def reader_client(settings: Settings, session: str = sessions.READER, *, timings: Timings = PATIENT) -> Client:
    """Make a client that reads channels; it is not connected yet. Raises SettingsError, FatalError."""
    return _client(settings, settings.data_dir / session, timings)


def bot_client(settings: Settings, *, timings: Timings = PATIENT) -> Client:
    """Make the client that talks to chats; it is not connected yet. Raises SettingsError, FatalError."""
    client = _client(settings, settings.data_dir / sessions.BOT, timings)
    client.on_reconnect = client.catch_up
    client.polls_updates = True
    client.missed.attend()
    client.renews_key = True  # its token signs it in
    return client


@asynccontextmanager
async def anonymous(
    settings: Settings, *, key_of: Path | None = None, timings: Timings = PATIENT
) -> AsyncIterator[Client]:
    """Connect without a login, or with the key of a session, for a few questions; no session of ours is touched.

    Raises TimeoutError where Telegram does not answer, SettingsError, FatalError, ValueError where there is no key.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "anonymous.session"
        if key_of is not None:
            sessions.copy_key(key_of, path)
        client = _client(settings, path, timings)
        try:
            await ask(client.connect(), within=client.timings.slow_after)
            yield client
        except TelegramError as error:
            if error.error == CONNECTION_LOST:
                raise TimeoutError from None
            raise to_startup_error(error) from None
        finally:
            await client.disconnect()


def _client(settings: Settings, path: Path, timings: Timings) -> Client:
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH")
    assert settings.telegram_api_hash is not None  # noqa: S101 - required in the line above
    proxy = proxy_arguments(proxy_of(settings))
    kind = proxy.pop("connection", ConnectionTcpFull)
    if settings.telegram_server_key is not None:
        try:  # Telethon accepts the server that holds this key's private half
            rsa.add_key(settings.telegram_server_key.read_text(), old=False)
        except (OSError, ValueError) as error:
            name = f"TELEGRAM_SERVER_KEY: {settings.telegram_server_key}"
            raise SettingsError(f"{name} is no RSA public key in PEM (PKCS#1): {error}") from None
    session = sessions.opened(path, server=settings.telegram_server)
    steady_telethon()
    client = Client(
        session,
        settings.telegram_api_id,
        settings.telegram_api_hash.get_secret_value(),
        **proxy,
        connection=backed_off(kind, client=path.stem, has_proxy=bool(proxy)),
        use_ipv6=":" in (session.server_address or ""),  # else Telethon forgets the address and the login with it
        app_version=bot.__version__,
        device_model="channelwatch",
        catch_up=True,
        connection_retries=None,  # never gives up
        flood_sleep_threshold=0,  # a wait is ours to decide on: Telethon would hold up its update loop for it
        request_retries=1,  # what the server fails at, or refuses for now, is tried again in our own time
        raise_last_call_error=True,
        sequential_updates=True,  # events keep their order; our handlers only put them into a queue
    )
    client.timings = timings
    return client
