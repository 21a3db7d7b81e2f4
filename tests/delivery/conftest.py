from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import attachments
from tests.delivery.kit import DeliveringBot
from tests.kit_archive import Archive
from tests.kit_bot import SandboxedBot, private


@pytest.fixture
async def bot(bot: SandboxedBot, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeliveringBot:
    """Follow a channel and pair both people; the files of an album are waited for a tenth of the time."""
    monkeypatch.setattr(attachments, "ALBUM_WITHIN", timedelta(seconds=0.1))
    await archive.follow()
    delivering = DeliveringBot(**vars(bot), archive=archive, folder=tmp_path / "media")
    for account in (bot.alice, bot.ivan):
        await delivering.pair(private(account), account.first_name)
    return delivering
