"""Runs one reader account: all that reads through it, until Telegram ends its session, and after a new login again.

While it cannot read, everything else goes on: the bot answers, alerts are delivered, another reader takes over what it
can. The owners get a notice that says what to do.
"""

import asyncio
import math
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from bot.errors import FatalError, ReaderLostError, SettingsError
from bot.models import Clock
from bot.models.notices import ReaderLost
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import TURN, Beat, Health, Loop, first_of, guarded, no_beat
from bot.search.pool import Searches
from bot.settings import Settings
from bot.sources.account import Account
from bot.sources.assignment import Assignments
from bot.sources.downloads import MEGABYTE, Downloads
from bot.sources.enquiries import Enquiries
from bot.sources.follow_requests import FollowRequests
from bot.sources.live import Live
from bot.sources.past_pages import Backfiller, Verifier
from bot.sources.stories import Stories
from bot.sources.sweep import FastChannels, Sweep
from bot.sources.sync import ChannelSync
from bot.sources.translations import Translations
from bot.sources.unreadable import UnreadableMessages
from bot.store import readers
from bot.store.database import Database, Transaction
from bot.store.notices import notify_owners
from bot.telegram import connections, sessions
from bot.telegram.client import PATIENT, Client, Timings, reader_client, tap

log = structlog.get_logger(__name__)

WEIGH_EVERY = 45.0  # s between two looks whether Telegram holds the account up
FILES_AT_ONCE = 3  # that are downloaded, so that a large one holds up no small one
HELD_UP = timedelta(minutes=15)  # so long a wait is a reason to let another reader take over
CUT_OFF = timedelta(minutes=5)  # without Telegram is one to read the web pages of channels
TRY_AGAIN = 1800.0  # s, where nobody has logged the account in anew: it may be unfrozen


class ReaderAccount:
    """One reader account, with its session and its loops."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        settings: Settings,
        session: str,
        database: Database,
        ingest: Ingest,
        assignments: Assignments,
        *,
        searches: Searches,
        clock: Clock,
        health: Health | None = None,
        timings: Timings = PATIENT,
    ) -> None:
        self._timings = timings
        self._health = health or Health()
        self._settings = settings
        self._session = session
        self._path = settings.data_dir / session
        self._database = database
        self._ingest = ingest
        self._assignments = assignments
        self._searches = searches
        self._clock = clock
        self._stack = AsyncExitStack()
        self._is_open = False
        self._reader_id = 0
        self._sweep: Sweep | None = None

    @property
    def fault(self) -> str | None:
        """Why the account cannot read; None where it has a session and a connection, and gets updates."""
        return self.client.fault if self._is_open else "it is not logged in"

    async def open(self) -> Client:
        """Take the session and connect; updates that are pushed from now on are kept.

        Raises ReaderLostError where the account cannot be used, FatalError where another process uses the session.
        """
        await self._stack.enter_async_context(sessions.lock_within(self._path, self._timings.session_within))
        try:
            self.client = reader_client(self._settings, self._session, timings=self._timings)
            # On Python 3.11 asyncio.run hangs where the program ends with a client still connected.
            self._stack.push_async_callback(self.client.disconnect)
            # Handlers are in place before the client connects: what is caught up is handed to them at once.
            self._live = Live(self.client, self._ingest, self._clock)
            account_id = await connections.connect_reader(self.client)
        except (SettingsError, FatalError) as error:
            await self.close()
            raise ReaderLostError("AUTH_KEY_UNREGISTERED") from error
        except BaseException:
            await self.close()
            raise
        self._reader_id = await self._database.write(
            lambda tx: readers.register(tx, account_id, self._clock(), self._session)
        )
        self._live.reader_id = self._reader_id
        self._stack.push_async_callback(self._live.store_waiting)
        self._is_open = True
        return self.client

    async def close(self) -> None:
        """Disconnect and give the session back, so that `channelwatch login` can use it."""
        self._is_open = False
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def request_sweep(self) -> None:
        """Begin a round of the sweep now, if the account reads."""
        if self._sweep is not None and self._is_open:
            await self._sweep.request_sweep()

    async def run(self, beat: Beat = no_beat) -> None:
        """Read for ever; an account that is lost is waited for until somebody has logged it in again."""
        seen = 0
        while True:
            if not self._is_open:
                await self._logged_in_since(seen, beat)
            beat(math.inf)  # what it reads with goes round for itself
            try:
                await self._read()
            except* ReaderLostError as lost:
                await self.lose(first_of(lost).reason)
            beat(TURN)
            await self._assignments.leave(self._reader_id)
            await self.close()
            seen = _stamp(self._path)

    async def _read(self) -> None:
        settings, assignments = self._settings, self._assignments
        account = Account(
            self.client, self._database, reader_id=self._reader_id, clock=self._clock, rate=settings.request_rate
        )
        sync = ChannelSync(account, self._ingest)
        tap(self.client, sync.link_previews.put)
        self._live.long_posts = sync.long_posts
        sweep = self._sweep = Sweep(account, sync, assignments, interval=settings.sweep_interval)
        follow_requests = FollowRequests(
            account, sync, assignments, searches=self._searches, join_interval=settings.join_interval
        )
        most = settings.media_max_mb * MEGABYTE
        downloads = Downloads(account, settings.media_path, most=most)
        self.client.on_reconnect = sweep.request_sweep
        await assignments.enter(self._reader_id)
        loops: dict[str, Loop] = {
            "live": self._live.run,
            "link_previews": sync.link_previews.run,
            "long posts": sync.long_posts.run,
            "sweep": sweep.run,
            "verifier": Verifier(account, sync, days=settings.verify_days).run,
            "fast channels": FastChannels(account, sync).run,
            "backfill": Backfiller(account, sync).run,
            "unreadable": UnreadableMessages(account, sync).run,
            "follow requests": follow_requests.run,
            "enquiries": Enquiries(account, sync, assignments).run,
            "translations": Translations(account).run,
            "stories": Stories(account, self._ingest).run,
            "requests": account.run,
            "connection": partial(self._stay_connected, account),
            "assignment": partial(self._make_way, account),
            **{f"downloads {number}": downloads.run for number in range(FILES_AT_ONCE)},
        }
        async with asyncio.TaskGroup() as group:
            for name, loop in loops.items():
                group.create_task(guarded(self._named(name), loop, self._health), name=self._named(name))

    def _named(self, loop: str) -> str:
        return f"reader {self._reader_id} {loop}"

    async def _stay_connected(self, account: Account, beat: Beat) -> None:
        try:
            await connections.keep_connected(self.client, beat, ask_client=account.ask)
        except (FatalError, SettingsError) as error:
            log.warning("the reader account could not sign in again", why=str(error))
            raise ReaderLostError("AUTH_KEY_UNREGISTERED") from error

    async def _make_way(self, account: Account, beat: Beat) -> None:
        """Leave the channels to another reader, or to their web pages, while this one cannot read for long."""
        well_at = self._clock()
        while True:
            beat(WEIGH_EVERY + TURN)
            await asyncio.sleep(WEIGH_EVERY)
            well_at = self._clock() if self.fault is None else well_at
            if account.held_up() <= HELD_UP and self._clock() - well_at < CUT_OFF:
                await self._assignments.enter(self._reader_id)
            elif self._assignments.has_others(self._reader_id):
                await self._assignments.leave(self._reader_id)
            else:
                self._assignments.hold_up(self._reader_id)

    async def lose(self, reason: str) -> None:
        """Write down why the account cannot read, with a notice to the owners once a day at most."""
        log.error("a reader account is lost", session=self._session, reason=reason)
        now = self._clock()
        event = f"{self._session}:{reason}:{now:%Y-%m-%d}"
        notice = ReaderLost(event=event, is_standby=self._session == sessions.STANDBY, reason=reason)

        async def job(tx: Transaction) -> None:
            reader_id = await readers.of_session(tx, self._session)
            if reader_id is not None:
                await readers.lose(tx, reader_id, reason, now=now)
            await notify_owners(tx, notice, now=now)

        await self._database.write(job)

    async def _logged_in_since(self, seen: int, beat: Beat) -> None:
        """Wait until `channelwatch login` has written to the session, and connect with it."""
        waited = 0.0
        while not self._is_open:
            beat(self._timings.login_every + TURN)
            if _stamp(self._path) == seen and (waited < TRY_AGAIN or not seen):
                await asyncio.sleep(self._timings.login_every)
                waited += self._timings.login_every
                continue
            waited = 0.0
            try:
                await self.open()
            except (
                sessions.InUseError,
                ReaderLostError,
            ) as error:  # somebody is logging in this moment, or has given it up
                log.info(
                    "the reader account is not logged in yet", session=self._session, why=str(error.__cause__ or error)
                )
                seen = _stamp(self._path)


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
