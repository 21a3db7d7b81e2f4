"""Builds and wires every part of the service, here and nowhere else, and runs it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import structlog

from bot import bootstrap
from bot.charts.jobs import count_week
from bot.commands.dossier import Dossiers
from bot.commands.profile import introduce
from bot.commands.router import Router
from bot.commands.syndication import URL
from bot.commands.syndication_server import SyndicationServer
from bot.delivery.attachments import Attachments
from bot.delivery.composer import Composer
from bot.delivery.progress import ProgressMessages
from bot.delivery.recovery import Recovery, resume
from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.errors import FatalError, ReaderLostError
from bot.evidence.head_loop import HeadLoop
from bot.matching.topics import TopicFile, read_folder
from bot.models import Clock
from bot.models.counts import Selection, WeekCounts
from bot.models.notices import UpdatesMissed
from bot.monitoring.daily_report import DailyReports
from bot.monitoring.heartbeat import Heartbeat, put_start, put_stop
from bot.monitoring.outage import OutageMonitor
from bot.monitoring.silence import SilenceMonitor
from bot.monitoring.weekly_report import WeeklyReports
from bot.pipeline.ingest import Ingest
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import TURN, Beat, Health, Loop, first_of, guarded
from bot.search.pool import SearchPool
from bot.settings import Settings
from bot.sources.assignment import Assignments
from bot.sources.page_service import PageService
from bot.sources.pictures import Pictures
from bot.sources.pruner import GIGABYTE, Pruner
from bot.sources.reader import ReaderAccount
from bot.sources.sites.fetcher import SiteFetcher
from bot.sources.sites.reader import Sites
from bot.sources.sweep import OUTSIDE, polls_a_round
from bot.store import chats, handled, meta, readers
from bot.store.blobs import Blobs
from bot.store.database import Database
from bot.store.integrity import check_log, find_damage
from bot.store.meta import Pace
from bot.store.notices import notify_owners
from bot.telegram import connections, sessions
from bot.telegram.client import PATIENT, Client, Timings, bot_client
from bot.telegram.clock import TelegramClock
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.rpc import has_connection
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

T = TypeVar("T")
Loops = dict[str, Loop]  # by name
ANSWER_WITHIN = 3.0  # s that what was asked before the end has for its answer
ASK_TIME_EVERY = 60.0  # s
CHECK_WITHIN = 2.0  # s for a look at the database, which reads some 150 MB; `doctor` reads all of it
WITHOUT_READER = "public channels are read through their web pages, some minutes late"
WITH_READER = (
    "`channelwatch login` adds private channels, posts within seconds, long formatted posts, deletions at once"
)
COUNT_WITHIN = 15.0  # s for the counts of a weekly report
MAKING_PATIENCE = 300.0  # s that whoever wants a file waits for those before
STOP_WITHIN = 8.0  # s; docker kills after 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts that stay open while the service runs."""

    settings: Settings
    database: Database
    searches: SearchPool
    makers: SearchPool  # of files, which take longer: nobody's search waits for them
    bot: Client
    readers: Sequence[ReaderAccount]  # the reader account and its standby
    pages: PageService
    sites: Sites
    ingest: Ingest
    clock: TelegramClock
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Facts that are known once the service runs."""

    bot_username: str
    invitation: str | None  # the pairing link, where nobody is paired yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The loops that run once everything is connected, and the parts that have to be stopped."""

    loops: Loops
    workers: Sequence[Worker]
    router: Router
    ready: Ready


async def run(  # noqa: PLR0913 - what a caller may choose
    settings: Settings,
    stop: asyncio.Event,
    *,
    clock: Clock = utc_now,
    steady: Clock | None = None,
    timings: Timings = PATIENT,
    health: Health | None = None,
    on_ready: Callable[[Ready], None] = lambda _: None,
) -> None:
    """Run the service until `stop` is set.

    `steady` is a clock that goes on evenly, where `clock`, the machine's, may be set meanwhile. Raises
    SettingsError where something is missing, FatalError where something broke that cannot heal.
    """
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN")
    for reference in settings.channels:  # before anything is made or connected
        bootstrap.reference_of(reference)
    own_topics = read_folder(settings.topics_path)
    async with AsyncExitStack() as stack:
        make_clock = partial(TelegramClock, clock, steady=steady)
        parts = await _open(
            stack, settings, own_topics, make_clock=make_clock, timings=timings, health=health or Health()
        )
        sender = _sender(parts)
        outages = _outages(parts, sender)
        async with _serving_targets(parts, outages):  # also where Telegram is out as we start
            service = await _unless(stop, _build(parts, sender, outages, stop))
        if service is not None:
            log.info("ready", bot=service.ready.bot_username)
            await put_start(parts.database)
            on_ready(service.ready)
            await _run_loops(service, parts.health, stop)
            await put_stop(parts.database, parts.clock())
    log.info("stopped")


async def _open(  # noqa: PLR0913 - what a caller of `run` chooses
    stack: AsyncExitStack,
    settings: Settings,
    own_topics: Sequence[TopicFile],
    *,
    make_clock: Callable[..., TelegramClock],
    timings: Timings,
    health: Health,
) -> Parts:
    """Open the store, the bot and the readers; each is closed when the stack is left."""
    stack.enter_context(sessions.lock(settings.data_dir / sessions.BOT))  # before anything is written
    await asyncio.to_thread(_check_database, settings.database_path)
    database = await Database.open(settings.database_path, numbered=True)
    stack.push_async_callback(database.close)
    searches = SearchPool(settings.database_path)
    stack.push_async_callback(searches.close)
    makers = SearchPool(settings.database_path, processes=1, patience=MAKING_PATIENCE, is_kept=False)
    stack.push_async_callback(makers.close)
    clock = make_clock(error=await meta.clock_error(database))
    await database.write(lambda tx: bootstrap.take_over_topics(tx, own_topics, now=clock()))
    await bootstrap.take_over_owners(database, settings, clock())
    bot = bot_client(settings, timings=timings)
    # On Python 3.11 asyncio.run hangs where the program ends with a client still connected.
    stack.push_async_callback(bot.disconnect)
    await asyncio.to_thread(Blobs(settings.media_path).clean)  # nobody else uses it: the session is ours
    assignments = Assignments(database)
    ingest = Ingest(database, clock, alert_max_age=settings.alert_max_age)
    readers = [
        ReaderAccount(
            settings,
            session,
            database,
            ingest,
            assignments,
            searches=searches,
            clock=clock,
            health=health,
            timings=timings,
        )
        for session in (sessions.READER, sessions.STANDBY)
    ]
    for reader in readers:
        stack.push_async_callback(reader.close)
    pages = PageService(
        settings,
        database,
        ingest,
        assignments,
        readers,
        searches=searches,
        clock=clock,
        health=health,
        timings=timings,
    )
    fetcher = SiteFetcher.of(settings)
    stack.push_async_callback(fetcher.close)
    sites = Sites(database, ingest, fetcher, searches=searches, interval=settings.site_interval, clock=clock)
    return Parts(
        settings=settings,
        database=database,
        searches=searches,
        makers=makers,
        bot=bot,
        readers=readers,
        pages=pages,
        sites=sites,
        ingest=ingest,
        clock=clock,
        health=health,
    )


def _check_database(path: Path) -> None:
    """Read what can be read of the database in a moment. Raises FatalError where that is damaged."""
    check_log(path)
    damage = find_damage(path, within=CHECK_WITHIN) if path.exists() else None
    if damage is not None:
        raise FatalError(
            f"The database {path} is damaged ({damage}). Put a backup in its place: channelwatch restore BACKUP"
        )


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


def _sender(parts: Parts) -> Sender:
    settings = parts.settings
    rates = Rates(total=settings.send_rate_total, chat=settings.send_rate_chat, group=settings.send_rate_group / 60)
    return Sender(parts.bot, Pacing(rates), monotonic=monotonic)


def _outages(parts: Parts, sender: Sender) -> OutageMonitor:
    bot = parts.bot
    return OutageMonitor(
        parts.database,
        clock=parts.clock,
        patience=timedelta(seconds=parts.settings.fallback_after),
        round_takes=timedelta(seconds=parts.settings.sweep_interval),
        is_connected=lambda: bot.is_answered and has_connection(bot),
        taken=lambda: sender.taken,
    )


@asynccontextmanager
async def _serving_targets(parts: Parts, outages: OutageMonitor) -> AsyncIterator[None]:
    """Bring to targets what is due while the rest is not connected yet, which may last for ever."""
    worker = Worker(parts.database, TargetComposer(parts.database, clock=parts.clock), sender=None, clock=parts.clock)
    loops = [
        asyncio.create_task(guarded("targets", worker.run, parts.health)),
        asyncio.create_task(guarded("outages", outages.run, parts.health)),
    ]
    try:
        yield
    finally:
        worker.stop()
        loops[1].cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _build(parts: Parts, sender: Sender, outages: OutageMonitor, stop: asyncio.Event) -> Service:
    settings, database, bot, clock = parts.settings, parts.database, parts.bot, parts.clock
    files = Attachments(database, sender, settings.media_path, clock=clock)
    composer = Composer(database, sender, files, clock=clock, searches=parts.searches)
    worker = Worker(database, composer, sender=sender, clock=clock)
    target_worker = Worker(database, TargetComposer(database, clock=clock), sender=None, clock=clock)
    recovery = Recovery(database, sender, clock=clock)
    await recovery.before()
    # Handlers are in place before the client connects: what is caught up is handed to them at once.
    dossiers = Dossiers(sender, parts.makers, settings.media_path, clock=clock)
    router = Router(bot, database, sender, searches=parts.searches, dossiers=dossiers, clock=clock)
    bot.is_settled = router.is_settled
    bot.missed.begin_before(await handled.latest_number(database))
    bot.on_skip = partial(_report_skip, parts)
    time_source = await _open_one(parts)
    username = await connections.connect_bot(bot, settings)
    await _set_clock(parts, time_source)
    await resume(database, sender.queue.pacing, now=clock(), monotonic=monotonic())
    await bootstrap.request_channels(database, settings, clock())
    every = Pace(
        round=settings.sweep_interval,
        polls=polls_a_round(settings.sweep_interval),
        fast=OUTSIDE,
        sites=settings.site_interval,
        verifies=settings.verify_days > 0,
    )
    await database.write(lambda tx: meta.put_pace(tx, every))
    invitation = await bootstrap.pairing_link(database, settings, username, now=clock())
    ready = Ready(bot_username=username, invitation=invitation)
    loops: Loops = {
        "delivery": partial(_deliver, recovery, worker, stop),
        "targets": target_worker.run,
        "outages": outages.run,
        "progress": ProgressMessages(database, sender, clock=clock).run,
        "commands": router.run,
        "searches": parts.searches.keep_ready,
        "menu": router.register_menu,  # once; a server that has no answer to it holds up nothing
        "profile": partial(_introduce, parts),  # likewise
        "pages": partial(_read, recovery, parts.pages),
        "sites": partial(_read, recovery, parts.sites),
        **{f"account {n}": partial(_read, recovery, reader) for n, reader in enumerate(parts.readers, start=1)},
        **_lasting(parts),
        **await _serving(parts),
    }
    return Service(loops=loops, workers=(worker, target_worker), router=router, ready=ready)


async def _count_week(searches: SearchPool, selection: Selection) -> WeekCounts:
    return await searches.run(count_week, selection, who="weekly report", within=COUNT_WITHIN)


async def _serving(parts: Parts) -> Loops:
    """Return the loop that serves topics to readers of news, where that is wanted."""
    settings = parts.settings
    await parts.database.write(lambda tx: meta.put(tx, URL, ""))
    if not settings.http_port:
        return {}
    server = SyndicationServer(
        parts.database,
        parts.searches,
        host=settings.http_host,
        port=settings.http_port,
        url=settings.http_url,
        clock=parts.clock,
    )
    return {"syndication": server.run}


def _lasting(parts: Parts) -> Loops:
    """Return the loops that need nothing but the open parts."""
    database, bot, clock, url = parts.database, parts.bot, parts.clock, parts.settings.heartbeat_url
    media_path, most = parts.settings.media_path, round(parts.settings.media_max_total_gb * GIGABYTE)

    def check_bot() -> str | None:
        return bot.fault and f"the bot: {bot.fault}"

    def check_readers() -> str | None:
        faults = [reader.fault for reader in parts.readers]
        without = None if None in faults else parts.pages.fault  # public channels are read through their web pages
        return without and f"{without} (the reader account: {faults[0]})"

    return {
        "heartbeat": Heartbeat(database, parts.health, url, checks=(check_bot, check_readers), clock=clock).run,
        "place": bot.keep_place,
        "clock": partial(_keep_time, parts),
        "bot": partial(connections.keep_connected, bot),
        "pictures": Pictures(database, parts.ingest, media_path, parts.settings.ocr_languages, clock=clock).run,
        "pruner": Pruner(database, media_path, most=most, clock=clock).run,
        "silence": SilenceMonitor(database, clock=clock).run,
        "daily report": DailyReports(database, clock=clock).run,
        "weekly report": WeeklyReports(database, partial(_count_week, parts.searches), clock=clock).run,
        "ledger heads": HeadLoop.of(parts.settings, database, clock=clock).run,
    }


async def _open_one(parts: Parts) -> Client:
    """Connect the first reader, or the standby in its place; return a client that can tell the time.

    Without a reader public channels are read through their web pages. Where these are of another server, the bot goes
    on if somebody is paired already, and its notice says what to do.
    """
    first, standby = parts.readers
    has_standby = (parts.settings.data_dir / sessions.STANDBY).exists()
    try:
        return await first.open()
    except ReaderLostError as error:
        log.warning("the reader account cannot be used", why=str(error.__cause__))
        settings, database = parts.settings, parts.database
        if not has_standby and not settings.has_pages and not await chats.everyone(database):
            raise error.__cause__ or error from None
        if settings.has_pages and not await readers.has_accounts(database):
            log.warning("no reader account is logged in", now=WITHOUT_READER, later=WITH_READER)
        else:
            await first.lose(error.reason)
    if has_standby:
        with suppress(ReaderLostError):
            return await standby.open()
    return parts.bot


async def _report_skip(parts: Parts) -> None:
    """Tell the owners that updates of the bot were missed."""
    now = parts.clock()
    notice = UpdatesMissed(event=f"{now:%Y-%m-%d %H:%M}")
    await parts.database.write(lambda tx: notify_owners(tx, notice, now=now))


async def _introduce(parts: Parts, beat: Beat) -> None:
    await introduce(parts.bot, parts.database, name=parts.settings.bot_name, beat=beat)


async def _keep_time(parts: Parts, beat: Beat) -> None:
    """Set the clock again and again: none is exact, and other processes go by the machine's as it is set now."""
    while True:
        beat(ASK_TIME_EVERY + TURN)
        await asyncio.sleep(ASK_TIME_EVERY)
        await _set_clock(parts, parts.bot)


async def _set_clock(parts: Parts, time_source: Client) -> None:
    await parts.clock.set_by(time_source)
    await parts.database.write(lambda tx: meta.put_clock_error(tx, parts.clock.error))


async def _deliver(recovery: Recovery, worker: Worker, stop: asyncio.Event, beat: Beat) -> None:
    await recovery.run(stop)  # first: it learns what was sent before
    await worker.run(beat)


async def _read(recovery: Recovery, source: ReaderAccount | PageService | Sites, beat: Beat) -> None:
    await recovery.over()
    await source.run(beat)


async def _run_loops(service: Service, health: Health, stop: asyncio.Event) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(guarded(name, loop, health), name=name) for name, loop in service.loops.items()
            }
            await stop.wait()
            for worker in service.workers:
                worker.stop()
            answering = group.create_task(service.router.settle(within=ANSWER_WITHIN))
            await asyncio.wait({tasks["delivery"], tasks["targets"], answering}, timeout=STOP_WITHIN)
            for task in (*tasks.values(), answering):
                task.cancel()
    except* FatalError as group:
        raise first_of(group) from None
