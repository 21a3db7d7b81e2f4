from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.commands.kit import Bot, bot


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Bot]:
    async with bot(tmp_path) as made:
        yield made
