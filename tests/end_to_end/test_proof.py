"""The service tells what it reads, how late, and that nothing is missing."""

import asyncio
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.commands.syndication import URL
from bot.monitoring import daily_report as sending
from bot.store import chats, heads, marks, meta
from bot.store.chats import ReportTime
from bot.store.database import Database
from bot.store.meta import Pace
from tests.kit_service import running_service
from tests.waiting import until


async def test_the_list_of_channels_shows_the_delay_and_a_receipt_comes_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the app makes this part, and nobody needs a setting for how long it waits after a start.
    monkeypatch.setattr(sending, "SETTLE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with running_service(tmp_path, sweep_interval=0.5, http_port=port) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        assert "Agency: joined, seconds" in (await owner.asks("/channels")).message
        assert "Every day at 09:00" in (await owner.asks("/receipt on")).message
        async with service.archive() as db:
            assert await meta.get_pace(db) == Pace(round=0.5, polls=10, fast=20)
            assert {task.get_name() for task in asyncio.all_tasks()} >= {"surges", "weekly report", "ledger stamps"}
            await until(lambda: heads.last(db))  # the ledger is signed at once …
            await until(lambda: meta.get(db, URL))  # … and readers of news are served
        await service.stop()
        database = await Database.open(service.settings.database_path)
        (chat,) = await chats.everyone(database)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        owed = replace(chat, report=ReportTime(minute=0, since=yesterday))
        await database.write(lambda tx: chats.save(tx, owed))
        await database.write(lambda tx: marks.set_verified(tx, channel.id, below=None, now=datetime.now(UTC)))
        await database.close()
        await service.start()
        await owner.until(lambda: any("1 of 1 channel verified, 0 alerts, 0 gaps." in m.message for m in owner.heard))
