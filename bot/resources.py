"""Opens what stays open while the service runs: the database, the processes for searches, the bot, the sources.

Each is closed when the stack is left, in the opposite order.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bot import bootstrap
from bot.errors import FatalError
from bot.matching.topics import TopicFile
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import Health
from bot.search.pool import SearchPool
from bot.settings import Settings
from bot.sources.assignment import Assignments
from bot.sources.page_service import PageService
from bot.sources.reader import ReaderAccount
from bot.sources.sites.fetcher import SiteFetcher
from bot.sources.sites.reader import Sites
from bot.store import meta
from bot.store.blobs import Blobs
from bot.store.database import Database
from bot.store.integrity import check_log, find_damage
from bot.telegram import sessions
from bot.telegram.client import Client, Timings, bot_client
from bot.telegram.clock import TelegramClock

CHECK_WITHIN = 2.0  # s for a look at the database, which reads some 150 MB; `doctor` reads all of it
MAKING_PATIENCE = 300.0  # s that whoever wants a file waits for those before


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The ways in, and the pipeline that they hand to."""

    ingest: Ingest
    readers: Sequence[ReaderAccount]  # the reader account and its standby
    pages: PageService
    sites: Sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What stays open while the service runs."""

    settings: Settings
    database: Database
    searches: SearchPool
    makers: SearchPool  # of files, which take longer: nobody's search waits for them
    bot: Client
    sources: Sources
    clock: TelegramClock
    health: Health


async def open_resources(  # noqa: PLR0913 - what a caller of `app.run` chooses
    stack: AsyncExitStack,
    settings: Settings,
    own_topics: Sequence[TopicFile],
    *,
    make_clock: Callable[..., TelegramClock],
    timings: Timings,
    health: Health,
) -> Resources:
    """Open everything; nothing is connected yet. Raises FatalError where the database is in use or damaged."""
    stack.enter_context(sessions.lock(settings.data_dir / sessions.BOT))  # before anything is written
    database = await _open_database(stack, settings.database_path)
    searches, makers = _open_pools(stack, settings.database_path)
    clock = make_clock(error=await meta.clock_error(database))
    await database.write(lambda tx: bootstrap.take_over_topics(tx, own_topics, now=clock()))
    await bootstrap.take_over_owners(database, settings, clock())
    bot = bot_client(settings, timings=timings)
    # On Python 3.11 asyncio.run hangs where the program ends with a client still connected.
    stack.push_async_callback(bot.disconnect)
    await asyncio.to_thread(Blobs(settings.media_path).clean)  # nobody else uses it: the session is ours
    sources = _open_sources(stack, settings, database, searches, clock=clock, health=health, timings=timings)
    return Resources(
        settings=settings,
        database=database,
        searches=searches,
        makers=makers,
        bot=bot,
        sources=sources,
        clock=clock,
        health=health,
    )


async def _open_database(stack: AsyncExitStack, path: Path) -> Database:
    await asyncio.to_thread(_check_database, path)
    database = await Database.open(path, numbered=True)
    stack.push_async_callback(database.close)
    return database


def _check_database(path: Path) -> None:
    """Read what can be read of the database in a moment. Raises FatalError where that is damaged."""
    check_log(path)
    damage = find_damage(path, within=CHECK_WITHIN) if path.exists() else None
    if damage is not None:
        raise FatalError(
            f"The database {path} is damaged ({damage}). Put a backup in its place: channelwatch restore BACKUP"
        )


def _open_pools(stack: AsyncExitStack, path: Path) -> tuple[SearchPool, SearchPool]:
    """Open the processes that search, and the one that makes files."""
    searches = SearchPool(path)
    makers = SearchPool(path, processes=1, patience=MAKING_PATIENCE, is_kept=False)
    for pool in (searches, makers):
        stack.push_async_callback(pool.close)
    return searches, makers


def _open_sources(  # noqa: PLR0913 - what all of them share
    stack: AsyncExitStack,
    settings: Settings,
    database: Database,
    searches: SearchPool,
    *,
    clock: TelegramClock,
    health: Health,
    timings: Timings,
) -> Sources:
    ingest = Ingest(database, clock, alert_max_age=settings.alert_max_age)
    assignments = Assignments(database, clock)
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
    return Sources(ingest=ingest, readers=readers, pages=pages, sites=sites)
