"""What all tests share: fixtures made by the kits beside this file."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from bot.sandbox import Sandbox
from tests.kit_bot import SandboxedBot, embedded_server, sandboxed_bot
from tests.kit_clock import Clock

# A busy machine is no failure; nothing here asserts how long it takes.
settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")


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
