import pytest

from tests.commands.kit import Bot, bot_of
from tests.kit_archive import Archive


@pytest.fixture
async def bot(archive: Archive) -> Bot:
    return await bot_of(archive)
