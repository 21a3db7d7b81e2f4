"""Loops that hang, each in an await that never returns: the heartbeat stops."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.commands.dossier import Dossiers
from bot.commands.router import Router
from bot.runtime.supervisor import TURN, Beat, Health, Loop, guarded
from bot.sandbox import Sandbox
from bot.store.database import Database
from bot.telegram import connections
from bot.telegram.client import Client, Timings, bot_client
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender
from tests.kit_archive import InProcess
from tests.kit_bot import TOKEN, embedded_server, settings_of
from tests.kit_service import running_service
from tests.watchdog import NOW, WAIT_S, watched_heartbeat


@asynccontextmanager
async def watched(name: str, loop: Loop, health: Health) -> AsyncIterator[None]:
    """Run a loop as the service does."""
    running = asyncio.create_task(guarded(name, loop, health))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def signed_in(folder: Path) -> AsyncIterator[tuple[Sandbox, Client]]:
    """Connect a bot to the embedded server."""
    async with embedded_server() as server:
        sandbox = server.sandbox
        sandbox.session_for(sandbox.world.add_bot(TOKEN, "Watch", "watch_bot"), folder / "bot.session")
        settings = settings_of(sandbox, folder, telegram_bot_token=TOKEN)
        client = bot_client(settings)
        try:
            await connections.connect_bot(client, settings)
            yield sandbox, client
        finally:
            sandbox.faults.clear()
            await client.disconnect()


async def test_commands_that_wait_for_an_answer_that_never_comes_are_noticed(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, dog, clock), signed_in(tmp_path) as (sandbox, client):
        database = await Database.open(tmp_path / "bot.db")
        sender = Sender(client, Pacing(), monotonic=clock.monotonic)
        searches = InProcess(database)
        dossiers = Dossiers(sender, searches, tmp_path, clock=lambda: NOW)
        router = Router(client, database, sender, searches=searches, dossiers=dossiers, clock=lambda: NOW)
        hold = sandbox.faults.hold("GetUsers")
        async with watched("commands", router.run, health):
            await hold.reached()
            assert await heart.look()
            clock.seconds = TURN + 1
            assert not await heart.look()
            assert health.wrong() == ["commands hangs"]
            assert len(dog.asked) == 1
        await database.close()


async def test_a_client_that_never_gets_connected_again_is_noticed(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, dog, clock), signed_in(tmp_path) as (sandbox, client):
        hold = sandbox.faults.hold("GetUsers")
        client.timings = Timings(poll_every=20 * TURN)
        async with watched("bot", lambda beat: connections.keep_connected(client, beat), health):
            await asyncio.sleep(0)
            clock.seconds = 10 * TURN
            assert await heart.look()  # it waits for the next ping, or the end of the connection
            await client.disconnect()
            await hold.reached()
            clock.seconds += TURN + 1
            assert not await heart.look()
            assert health.wrong() == ["bot hangs"]
            assert len(dog.asked) == 1


async def test_a_loop_that_never_says_that_it_goes_round_counts_as_hung(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, _, clock):
        never = asyncio.Event()

        async def loop(_: Beat) -> None:
            await never.wait()

        async with watched("receipts", loop, health):
            await asyncio.sleep(0)
            clock.seconds = TURN + 1
            assert not await heart.look()
            assert health.wrong() == ["receipts hangs"]


class Listening(Health):
    """Remembers which loops were begun, and what each said of itself since."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: set[str] = set()
        self.heard: dict[str, float] = {}  # the last word of each
        self.news = asyncio.Event()

    def beat(self, loop: str, within: float) -> None:
        super().beat(loop, within)
        if loop in self.begun:
            self.heard[loop] = within
            self.news.set()
        self.begun.add(loop)

    def forget(self, loop: str) -> None:
        super().forget(loop)
        self.begun.discard(loop)
        self.news.set()

    async def until_all(self, *names: str) -> None:
        async with asyncio.timeout(WAIT_S):
            while not self.begun.issuperset(names) or not self.heard.keys() >= self.begun:
                self.news.clear()
                await self.news.wait()


async def test_every_loop_of_the_service_says_how_long_it_may_take(tmp_path: Path) -> None:
    health = Listening()
    async with running_service(tmp_path, health=health) as service:
        await service.owner()
        await health.until_all("delivery", "commands", "heartbeat", "account 2", "reader 1 live", "reader 1 assignment")
        endless = {loop for loop, within in health.heard.items() if within == math.inf}
        assert endless == {"account 1", "reader 1 live", "reader 1 link_previews"}
        assert health.wrong() == []
