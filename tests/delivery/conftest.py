from pathlib import Path

import pytest

from tests.delivery.kit import DeliveringBot
from tests.kit_archive import Archive
from tests.kit_bot import SandboxedBot, private


@pytest.fixture
async def bot(bot: SandboxedBot, archive: Archive, tmp_path: Path) -> DeliveringBot:
    """Follow a channel and pair both people."""
    await archive.follow()
    delivering = DeliveringBot(**vars(bot), archive=archive, folder=tmp_path / "media")
    for account in (bot.alice, bot.ivan):
        await delivering.pair(private(account), account.first_name)
    return delivering
