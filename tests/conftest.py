"""What all tests share: fixtures made by the kits beside this file."""

import gc
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from threading import Thread

import aiosqlite.core
import pytest
from hypothesis import settings

from bot.sandbox import Sandbox
from tests.kit_archive import Archive, open_archive
from tests.kit_bot import SandboxedBot, embedded_server, sandboxed_bot
from tests.kit_clock import Clock
from tests.kit_service import Service, running_service

# A busy machine is no failure; nothing here asserts how long it takes. The same examples everywhere, so that a change
# fails where it is made, and half as many as usual; `make test ARGS=--hypothesis-profile=explore` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, derandomize=False, max_examples=500)
settings.load_profile("steady")

os.environ["OPENTIMESTAMPS_URLS"] = "off"  # no test asks the public calendars
# Where a fixture fails before it closes its database, pytest ends with that error, and waits for no thread of SQLite.
aiosqlite.core.Thread = partial(Thread, daemon=True)


def pytest_collection_finish() -> None:
    """Look for cycles seldom, and never among the tests themselves: it took a quarter of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with embedded_server() as server:
        yield server.sandbox


@pytest.fixture
async def bot() -> AsyncIterator[SandboxedBot]:
    async with sandboxed_bot() as connected:
        yield connected


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running_service(tmp_path) as running:
        yield running


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    async with open_archive(tmp_path) as opened:
        yield opened
