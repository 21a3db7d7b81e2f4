"""Table: what completeness costs: requests an hour for many channels, and how long an outage takes to make up."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from rich.table import Table

from bot.pipeline.ingest import Ingest
from bot.sandbox import Channel, Sandbox
from bot.settings import load_settings
from bot.sources import past_pages
from bot.sources.account import Account
from bot.sources.assignment import Assignments
from bot.sources.live import Live
from bot.sources.sweep import Sweep
from bot.sources.sync import ChannelSync
from bot.store import follows, readers
from bot.store.channels import Access, ResolvedChannel
from bot.store.database import Database, Transaction
from bot.telegram import connections, sessions
from bot.telegram.client import PATIENT, Client, reader_client

HOUR = 3600  # s
ROUNDS = 10  # of the sweep that are counted
UNPACED = 1e6  # requests a second
POSTS = 20  # of a channel in a busy hour, and in the outage


def table(folder: Path, *, full: bool) -> Table:
    """Measure with 500 channels, or with 100."""
    return asyncio.run(_measure(folder, count=500 if full else 100))


async def _measure(folder: Path, *, count: int) -> Table:
    async with Sandbox() as sandbox:
        me = sandbox.world.add_user("Reader", phone="+10000000001")
        world = [sandbox.world.add_channel(f"News {n}", username=f"news{n}", members=[me]) for n in range(count)]
        sandbox.session_for(me, folder / sessions.READER)
        settings = load_settings(
            telegram_api_id=1,
            telegram_api_hash="0" * 32,
            telegram_server=sandbox.address,
            data_dir=folder,
            _env_file=None,
        )
        database = await Database.open(settings.database_path)
        client = reader_client(settings)
        ingest = Ingest(database, _now)
        live = Live(client, ingest, _now)
        try:
            account_id = await connections.connect_reader(client)
            live.reader_id = await database.write(lambda tx: readers.register(tx, account_id, _now()))
            place = _Place(
                sandbox=sandbox,
                world=world,
                database=database,
                ingest=ingest,
                live=live,
                client=client,
                assignments=Assignments(database, _now),
                random=Random(1),  # noqa: S311 - chance for a measurement, and repeatable
            )
            await place.follow()
            return await place.table(settings.request_rate)
        finally:
            await client.disconnect()
            await database.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A reader of many channels, and what it writes into."""

    sandbox: Sandbox
    world: list[Channel]
    database: Database
    ingest: Ingest
    live: Live
    client: Client
    assignments: Assignments
    random: Random

    async def follow(self) -> None:
        """Have every channel followed and joined, and read for the first time."""

        async def job(tx: Transaction) -> None:
            for channel in self.world:
                reference = f"@{channel.username}".lower()
                await follows.request(tx, reference, chat_id=None, now=_now())
            for follow in await follows.all_follows(tx):
                channel = self.world[int(follow.reference.removeprefix("@news"))]
                found = ResolvedChannel(id=channel.id, kind="broadcast", title=channel.title, username=channel.username)
                await follows.settle(
                    tx,
                    follow.id,
                    channel=found,
                    reader_id=self.live.reader_id,
                    access_hash=0,
                    access=Access.JOINED,
                    now=_now(),
                )

        for channel in self.world:
            channel.post("The first")
        await self.database.write(job)
        await self.assignments.enter(self.live.reader_id)
        for _ in range(2):
            await self.sweep(UNPACED).sweep_once()

    def sweep(self, rate: float) -> Sweep:
        """Return a sweep that may ask so many times a second."""
        account = Account(self.client, self.database, reader_id=self.live.reader_id, clock=_now, rate=rate)
        sync = ChannelSync(account, self.ingest)
        return Sweep(account, sync, self.assignments, interval=60)

    async def table(self, rate: float) -> Table:
        """Count and time."""
        count = len(self.world)
        result = Table(title=f"what completeness costs: {count} channels, joined; a sweep a minute")
        for heading in ("", "requests an hour", "of them sweeps"):
            result.add_column(heading, justify="right" if heading else "left")
        beside = HOUR / past_pages.VERIFY_EVERY + HOUR / PATIENT.ping_every
        for name, posts in (("at rest", 0), (f"busy: {POSTS * count:,} posts in the hour", POSTS * count)):
            swept = await self._requests(posts) * HOUR / 60
            result.add_row(name, f"{swept + beside:,.0f}", f"{swept:,.0f}")
        seconds = await self._make_up(rate)
        result.add_row(f"an outage with {POSTS * count:,} posts missed: all stored after", f"{seconds:.0f} s", "")
        return result

    async def _requests(self, posts: int) -> float:
        """Count the requests of a sweep's round while so many posts come in an hour, and are pushed."""
        sweep, before = self.sweep(UNPACED), len(self.sandbox.calls)
        running = asyncio.create_task(self.live.run())
        for _ in range(ROUNDS):
            for _ in range(posts // 60):
                self.random.choice(self.world).post("One more")
            await sweep.sweep_once()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return (len(self.sandbox.calls) - before) / ROUNDS

    async def _make_up(self, rate: float) -> float:
        """Let an hour's posts come in unseen, and time the round of the sweep that stores them, at the real pace."""
        for channel in self.world:
            for number in range(POSTS):
                channel.post(f"Missed {number}", push=False)
        began = time.monotonic()
        result = await self.sweep(rate).sweep_once()
        assert result.found.new == POSTS * len(self.world)
        return time.monotonic() - began


def _now() -> datetime:
    return datetime.now(UTC)
