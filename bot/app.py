"""Builds and wires the loops of the service over what is open, here and nowhere else, and runs them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import structlog

from bot import bootstrap
from bot.charts.jobs import count_week
from bot.commands.dossier import Dossiers
from bot.commands.profile import introduce
from bot.commands.router import Router
from bot.commands.syndication import URL
from bot.delivery.attachments import Attachments
from bot.delivery.composer import Composer
from bot.delivery.progress import ProgressMessages
from bot.delivery.recovery import Recovery, resume
from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.errors import FatalError, ReaderLostError
from bot.evidence.head_loop import HeadLoop
from bot.matching.topics import read_folder
from bot.models import Clock
from bot.models.counts import Selection, WeekCounts
from bot.models.notices import UpdatesMissed
from bot.monitoring.daily_report import DailyReports
from bot.monitoring.heartbeat import Heartbeat, put_start, put_stop
from bot.monitoring.outage import OutageMonitor
from bot.monitoring.silence import SilenceMonitor
from bot.monitoring.surges import SurgeMonitor
from bot.monitoring.weekly_report import WeeklyReports
from bot.resources import Resources, open_resources
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import Beat, Health, Loop, first_of, guarded, repeat
from bot.search.pool import SearchPool
from bot.settings import Settings
from bot.sources.page_service import PageService
from bot.sources.pictures import Pictures
from bot.sources.pruner import GIGABYTE, Pruner
from bot.sources.reader import ReaderAccount
from bot.sources.sites.reader import Sites
from bot.sources.sweep import OUTSIDE, polls_a_round
from bot.store import chats, handled, meta, readers
from bot.store.database import Database
from bot.store.meta import Pace
from bot.store.notices import notify_owners
from bot.telegram import connections, sessions
from bot.telegram.client import PATIENT, Client, Timings
from bot.telegram.clock import TelegramClock
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.rpc import has_connection
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

T = TypeVar("T")
Loops = dict[str, Loop]  # by name
ANSWER_WITHIN = 3.0  # s that what was asked before the end has for its answer
ASK_TIME_EVERY = 60.0  # s
WITHOUT_READER = "public channels are read through their web pages, some minutes late"
WITH_READER = (
    "`channelwatch login` adds private channels, posts within seconds, long formatted posts, deletions at once"
)
COUNT_WITHIN = 15.0  # s for the counts of a weekly report
STOP_WITHIN = 8.0  # s; docker kills after 10


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
        resources = await open_resources(
            stack, settings, own_topics, make_clock=make_clock, timings=timings, health=health or Health()
        )
        sender = _sender(resources)
        outages = _outages(resources, sender)
        async with _serving_targets(resources, outages):  # also where Telegram is out as we start
            service = await _unless(stop, _build(resources, sender, outages, stop))
        if service is not None:
            log.info("ready", bot=service.ready.bot_username)
            await put_start(resources.database)
            on_ready(service.ready)
            await _run_loops(service, resources.health, stop)
            await put_stop(resources.database, resources.clock())
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


def _sender(resources: Resources) -> Sender:
    settings = resources.settings
    rates = Rates(total=settings.send_rate_total, chat=settings.send_rate_chat, group=settings.send_rate_group / 60)
    return Sender(resources.bot, Pacing(rates), monotonic=monotonic)


def _outages(resources: Resources, sender: Sender) -> OutageMonitor:
    bot = resources.bot
    return OutageMonitor(
        resources.database,
        clock=resources.clock,
        patience=timedelta(seconds=resources.settings.fallback_after),
        round_takes=timedelta(seconds=resources.settings.sweep_interval),
        is_connected=lambda: bot.is_answered and has_connection(bot),
        taken=lambda: sender.taken,
    )


@asynccontextmanager
async def _serving_targets(resources: Resources, outages: OutageMonitor) -> AsyncIterator[None]:
    """Bring to targets what is due while the rest is not connected yet, which may last for ever."""
    worker = Worker(
        resources.database,
        TargetComposer(resources.database, clock=resources.clock),
        sender=None,
        clock=resources.clock,
    )
    loops = [
        asyncio.create_task(guarded("targets", worker.run, resources.health)),
        asyncio.create_task(guarded("outages", outages.run, resources.health)),
    ]
    try:
        yield
    finally:
        worker.stop()
        loops[1].cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _build(resources: Resources, sender: Sender, outages: OutageMonitor, stop: asyncio.Event) -> Service:
    settings, database, clock = resources.settings, resources.database, resources.clock
    bot, sources = resources.bot, resources.sources
    files = Attachments(database, sender, settings.media_path, clock=clock)
    composer = Composer(database, sender, files, clock=clock, searches=resources.searches)
    worker = Worker(database, composer, sender=sender, clock=clock)
    target_worker = Worker(database, TargetComposer(database, clock=clock), sender=None, clock=clock)
    recovery = Recovery(database, sender, clock=clock)
    await recovery.before()
    # Handlers are in place before the client connects: what is caught up is handed to them at once.
    dossiers = Dossiers(sender, resources.makers, settings.media_path, clock=clock)
    router = Router(bot, database, sender, searches=resources.searches, dossiers=dossiers, clock=clock)
    bot.is_settled = router.is_settled
    bot.missed.begin_before(await handled.latest_number(database))
    bot.on_skip = partial(_report_skip, resources)
    time_source = await _open_one(resources)
    username = await connections.connect_bot(bot, settings)
    await _set_clock(resources, time_source)
    await resume(database, sender.queue.pacing, now=clock(), monotonic=monotonic())
    await bootstrap.request_channels(database, settings, clock())
    await _put_pace(database, settings)
    invitation = await bootstrap.pairing_link(database, settings, username, now=clock())
    ready = Ready(bot_username=username, invitation=invitation)
    loops: Loops = {
        "delivery": partial(_deliver, recovery, worker, stop),
        "targets": target_worker.run,
        "outages": outages.run,
        "progress": ProgressMessages(database, sender, clock=clock).run,
        "commands": router.run,
        "searches": resources.searches.keep_ready,
        "menu": router.menus.register,  # once; a server that has no answer to it holds up nothing
        "profile": partial(_introduce, resources),  # likewise
        "pages": partial(_read, recovery, sources.pages),
        "sites": partial(_read, recovery, sources.sites),
        **{f"account {n}": partial(_read, recovery, reader) for n, reader in enumerate(sources.readers, start=1)},
        **_lasting(resources),
        **await _serving(resources),
    }
    return Service(loops=loops, workers=(worker, target_worker), router=router, ready=ready)


async def _put_pace(database: Database, settings: Settings) -> None:
    """Write down how often each thing is done, for whoever judges what is late."""
    pace = Pace(
        round=settings.sweep_interval,
        polls=polls_a_round(settings.sweep_interval),
        fast=OUTSIDE,
        sites=settings.site_interval,
        verifies=settings.verify_days > 0,
    )
    await database.write(lambda tx: meta.put_pace(tx, pace))


async def _count_week(searches: SearchPool, selection: Selection) -> WeekCounts:
    return await searches.run(count_week, selection, who="weekly report", within=COUNT_WITHIN)


async def _serving(resources: Resources) -> Loops:
    """Return the loop that serves topics and searches to readers of news, where that is wanted."""
    settings = resources.settings
    await resources.database.write(lambda tx: meta.put(tx, URL, ""))
    if not settings.http_port:
        return {}
    from bot.commands.syndication_server import SyndicationServer  # noqa: PLC0415 - a tenth of a second, for few

    server = SyndicationServer(
        resources.database,
        resources.searches,
        host=settings.http_host,
        port=settings.http_port,
        url=settings.http_url,
        clock=resources.clock,
    )
    return {"syndication": server.run}


def _lasting(resources: Resources) -> Loops:
    """Return the loops that need nothing but the open resources."""
    settings, database, clock = resources.settings, resources.database, resources.clock
    bot, sources = resources.bot, resources.sources
    media_path, most, url = settings.media_path, round(settings.media_max_total_gb * GIGABYTE), settings.heartbeat_url

    ledger_heads = HeadLoop.of(settings, database, clock=clock)

    def check_bot() -> str | None:
        return bot.fault and f"the bot: {bot.fault}"

    def check_readers() -> str | None:
        faults = [reader.fault for reader in sources.readers]
        without = None if None in faults else sources.pages.fault  # public channels are read through their web pages
        return without and f"{without} (the reader account: {faults[0]})"

    return {
        "heartbeat": Heartbeat(database, resources.health, url, checks=(check_bot, check_readers), clock=clock).run,
        "place": bot.keep_place,
        "clock": partial(_keep_time, resources),
        "bot": partial(connections.keep_connected, bot),
        "pictures": Pictures(database, sources.ingest, media_path, settings.ocr_languages, clock=clock).run,
        "pruner": Pruner(database, media_path, most=most, clock=clock).run,
        "silence": SilenceMonitor(database, clock=clock).run,
        "daily report": DailyReports(database, clock=clock).run,
        "surges": SurgeMonitor(database, clock=clock).run,
        "weekly report": WeeklyReports(database, partial(_count_week, resources.searches), clock=clock).run,
        "ledger heads": ledger_heads.run,
        "ledger stamps": ledger_heads.run_stamps,
    }


async def _open_one(resources: Resources) -> Client:
    """Connect the first reader, or the standby in its place; return a client that can tell the time.

    Without a reader public channels are read through their web pages. Where these are of another server, the bot goes
    on if somebody is paired already, and its notice says what to do.
    """
    first, standby = resources.sources.readers
    has_standby = (resources.settings.data_dir / sessions.STANDBY).exists()
    try:
        return await first.open()
    except ReaderLostError as error:
        log.warning("the reader account cannot be used", why=str(error.__cause__))
        settings, database = resources.settings, resources.database
        if not has_standby and not settings.has_pages and not await chats.everyone(database):
            raise error.__cause__ or error from None
        if settings.has_pages and not await readers.has_accounts(database):
            log.warning("no reader account is logged in", now=WITHOUT_READER, later=WITH_READER)
        else:
            await first.lose(error.reason)
    if has_standby:
        with suppress(ReaderLostError):
            return await standby.open()
    return resources.bot


async def _report_skip(resources: Resources) -> None:
    """Tell the owners that updates of the bot were missed."""
    now = resources.clock()
    notice = UpdatesMissed(event=f"{now:%Y-%m-%d %H:%M}")
    await resources.database.write(lambda tx: notify_owners(tx, notice, now=now))


async def _introduce(resources: Resources, beat: Beat) -> None:
    await introduce(resources.bot, resources.database, name=resources.settings.bot_name, beat=beat)


async def _keep_time(resources: Resources, beat: Beat) -> None:
    """Set the clock again and again: none is exact, and other processes go by the machine's as it is set now."""
    await repeat(partial(_set_clock, resources, resources.bot), beat, every=ASK_TIME_EVERY, after=ASK_TIME_EVERY)


async def _set_clock(resources: Resources, time_source: Client) -> None:
    await resources.clock.set_by(time_source)
    await resources.database.write(lambda tx: meta.put_clock_error(tx, resources.clock.error))


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
