"""Settings come in, a running service goes out: every part is built and wired here, and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import structlog

from bot.commands.access import Access
from bot.commands.router import Router
from bot.delivery.worker import Worker
from bot.errors import FatalError, SettingsError
from bot.ingest import Ingest
from bot.matching.forms import Inflector
from bot.matching.matcher import Compiled, compile_query
from bot.matching.query import parse
from bot.matching.topics import Topic, builtin_topics, check_examples, read_folder
from bot.models import Clock
from bot.settings import Settings
from bot.sources.live import Live
from bot.sources.subscriptions import Subscriptions
from bot.sources.sweep import Sweep
from bot.store import channels, chats, heartbeats, meta, readers, topics
from bot.store.chats import Role
from bot.store.database import Database, Transaction
from bot.telegram import clients
from bot.telegram.clients import Client
from bot.telegram.pacing import Pacing, Rates
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

T = TypeVar("T")
HEARTBEAT_INTERVAL = 30.0  # s
BACK_OFF = 5.0  # s, after a loop failed
CLOCK_ERROR = timedelta(seconds=2)  # of this machine: what is more is put right …
MOST_CLOCK_ERROR = timedelta(minutes=10)  # … up to here, else `channelwatch invite` and the service would disagree
STOP_WITHIN = 8.0  # s; docker kills after 10


def utc_now() -> datetime:
    """Tell the present time."""
    return datetime.now(UTC)


class TelegramClock:
    """Tells Telegram's time, by which posts and commands are dated; a machine's own may be off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._error = timedelta()

    def __call__(self) -> datetime:
        """Tell the time."""
        return self._clock() + self._error

    async def set_by(self, client: Client) -> None:
        """Ask Telegram what time it is."""
        error = await clients.clock_error(client, self._clock)
        if abs(error) <= CLOCK_ERROR:
            return
        log.warning("the clock of this machine is wrong; set it by NTP", seconds=-error.total_seconds())
        if abs(error) <= MOST_CLOCK_ERROR:
            self._error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is known once the service runs."""

    bot_username: str
    invitation: str | None  # the pairing link, where nobody is paired yet


async def run(
    settings: Settings,
    stop: asyncio.Event,
    *,
    clock: Clock = utc_now,
    on_ready: Callable[[Ready], None] = lambda _: None,
) -> None:
    """Run the service until `stop` is set.

    Raises SettingsError where something is missing, FatalError where something broke that cannot heal.
    """
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN")
    own_topics = read_folder(settings.data_dir / "topics")
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database_path)
        stack.push_async_callback(database.close)
        await database.write(lambda tx: _take_over(tx, own_topics, now=clock()))
        reader = _client(stack, settings, clients.reader_client, "reader")
        bot = _client(stack, settings, clients.bot_client, "bot")
        service = await _unless(stop, _build(database, reader, bot, settings=settings, clock=clock))
        if service is not None:
            loops, worker, ready = service
            log.info("ready", bot=ready.bot_username)
            on_ready(ready)
            await _run_loops(loops, worker, stop)
    log.info("stopped")


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Do some work, or give it up and return None once `stop` is set: connecting alone may last for ever."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    waited: set[asyncio.Task[Any]] = {working, stopping}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in waited:
            task.cancel()
        await asyncio.wait(waited)


def _client(stack: AsyncExitStack, settings: Settings, make: Callable[[Settings], Client], name: str) -> Client:
    stack.enter_context(clients.lock(settings.data_dir / f"{name}.session"))
    client = make(settings)
    # On Python 3.11 asyncio.run hangs where the program ends with a client still connected.
    stack.push_async_callback(client.disconnect)
    return client


async def _take_over(tx: Transaction, own: Iterable[Topic], *, now: datetime) -> None:
    """Bring the built-in topics up to date; one of the people's own files takes the place of ours of that name."""
    inflector = Inflector()
    filed = {topic.name.casefold(): topic for topic in (*builtin_topics(), *own)}
    taken = await topics.take_over(
        tx,
        [topics.Filed(name=topic.name, query=topic.query, default=topic.default) for topic in filed.values()],
        lambda query: compile_query(parse(query), inflector).to_json(),
        now=now,
    )
    for name in taken:
        log.warning("a topic that was made in the chat has this name; the file is not used", topic=name)
    for topic in own:
        stored = await topics.find(tx, topic.name)
        if stored is not None and stored.builtin:
            check_examples(topic, Compiled.from_json(stored.compiled))


async def _ask_for_channels(database: Database, settings: Settings, now: datetime) -> None:
    """Ask for the channels of the settings, at the very first start."""

    async def job(tx: Transaction) -> None:
        if await meta.get(tx, "first_started_at") is None:
            await meta.put(tx, "first_started_at", now.isoformat())
            for reference in settings.channels:
                await channels.ask(tx, _normalised(reference), chat_id=None, now=now)

    await database.write(job)


def _normalised(reference: str) -> str:
    normalised = channels.normalise_reference(reference)
    if normalised is None:
        raise SettingsError(f"CHANNELS: «{reference}» is no channel; write @name, t.me/name or t.me/+invite")
    return normalised


async def _build(
    database: Database, reader: Client, bot: Client, *, settings: Settings, clock: Clock
) -> tuple[dict[str, Callable[[], Awaitable[None]]], Worker, Ready]:
    machine_clock, clock = clock, TelegramClock(clock)
    ingest = Ingest(database, clock, alert_max_age=settings.alert_max_age)
    rates = Rates(total=settings.send_rate_total, chat=settings.send_rate_chat, group=settings.send_rate_group / 60)
    sender = Sender(bot, Pacing(rates), monotonic=monotonic)
    worker = Worker(database, sender, clock=clock)
    # Handlers are in place before the clients connect: what is caught up is handed to them at once.
    live = Live(reader, ingest, clock)
    router = Router(bot, database, sender, Access(database, settings.owner_ids), clock)
    account_id = await clients.connect_reader(reader)
    username = await clients.connect_bot(bot, settings)
    await clock.set_by(reader)
    await _ask_for_channels(database, settings, clock())
    reader_id = await database.write(lambda tx: readers.register(tx, account_id, clock()))
    live.reader_id = reader_id
    sweep = Sweep(reader, database, ingest, reader_id=reader_id, clock=clock, interval=settings.sweep_interval)
    reader.on_reconnect = sweep.request_sweep
    subscriptions = Subscriptions(
        reader, database, ingest, reader_id=reader_id, clock=clock, join_interval=settings.join_interval
    )
    loops: dict[str, Callable[[], Awaitable[None]]] = {
        "live": live.run,
        "sweep": sweep.run,
        "subscriptions": subscriptions.run,
        "delivery": worker.run,
        "commands": router.run,
        "menu": router.register_menu,  # once; a server that has no answer to it holds up nothing
        "reader": lambda: clients.keep_connected(reader),
        "bot": lambda: clients.keep_connected(bot, ask_every=clients.ASK_EVERY),
        "heartbeat": lambda: _beat(database, machine_clock),
    }
    return (
        loops,
        worker,
        Ready(bot_username=username, invitation=await _invitation(database, settings, username, now=clock())),
    )


async def _invitation(database: Database, settings: Settings, username: str, *, now: datetime) -> str | None:
    """Make a pairing link where nobody is paired and the settings name no owner."""

    async def job(tx: Transaction) -> str | None:
        await meta.put(tx, "bot_username", username)
        if settings.owner_ids or await chats.everyone(tx):
            return None
        return await chats.invite(tx, role=Role.OWNER, now=now)

    token = await database.write(job)
    return token and f"https://t.me/{username}?start={token}"


async def _beat(database: Database, clock: Clock) -> None:
    while True:
        now = clock()
        await database.write(lambda tx, now=now: heartbeats.beat(tx, "run", now))  # type: ignore[misc]
        await asyncio.sleep(HEARTBEAT_INTERVAL)


async def _run_loops(loops: dict[str, Callable[[], Awaitable[None]]], worker: Worker, stop: asyncio.Event) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(_guarded(name, loop), name=name) for name, loop in loops.items()}
            await stop.wait()
            worker.stop()
            await asyncio.wait({tasks["delivery"]}, timeout=STOP_WITHIN)
            for task in tasks.values():
                task.cancel()
    except* FatalError as group_error:
        raise group_error.exceptions[0] from None


async def _guarded(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Keep a loop going whatever it meets, except what cannot heal."""
    while True:
        try:
            await loop()
        except FatalError:
            raise
        except Exception:
            log.exception("a loop failed and goes on", loop=name, pause=BACK_OFF)
        else:
            return
        await asyncio.sleep(BACK_OFF)
