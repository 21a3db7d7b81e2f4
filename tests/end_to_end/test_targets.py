"""The whole service with a target: added in the chat, and the fallback while Telegram takes nothing."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot import app
from bot.monitoring import outage
from bot.store.database import Reader
from tests.kit_service import running_service
from tests.targets.receivers import receiver
from tests.waiting import until

DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."


async def test_while_telegram_takes_nothing_alerts_reach_the_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "EVERY", 0.05)
    monkeypatch.setattr(outage, "STEADY", timedelta(seconds=0.3))
    async with receiver() as target, running_service(tmp_path, fallback_after=0.2) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await owner.says(f"/targets add Duty webhook+{target.url}/tk-topsecret")
        await owner.message("Duty · webhook")
        said = [message.text for message in owner.account.inbox(service.bot)]
        assert not any("topsecret" in text for text in said)
        await owner.asks("/fallback Duty")
        service.sandbox.faults.answer("SendMessage", "WORKER_BUSY_TOO_LONG_RETRY", code=500, times=None)
        channel.post(DOWN)
        await until(lambda: any("массовый сбой" in each.json["text"] for each in target.taken))
        await until(lambda: any("Telegram has taken nothing" in each.json["text"] for each in target.taken))
        service.sandbox.faults.clear()
        summary = await owner.message("1 post was sent to the fallback instead")
        await summary.click(text="Show them")
        assert "массовый сбой" in (await owner.message("массовый сбой")).message
        channel.post("Энергетики: в сервисах облака сбой, сайты не работают.")
        await owner.alert("Энергетики")
    assert not any("массовый сбой" in message.message for message in owner.alerts)
    assert sum("массовый сбой" in each.json["text"] for each in target.taken) == 1


async def test_a_start_while_telegram_is_out_brings_what_waits_to_the_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service was stopped with an alert that Telegram had not taken, and finds nobody as it starts."""
    async with receiver() as target, running_service(tmp_path) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await owner.says(f"/targets add Duty webhook+{target.url}/")
        await owner.message("Duty · webhook")
        await owner.asks("/fallback Duty")
        service.sandbox.faults.answer("SendMessage", "WORKER_BUSY_TOO_LONG_RETRY", code=500, times=None)
        channel.post(DOWN)
        async with service.archive() as db:
            await until(lambda: is_tried(db))
        await service.stop()
        monkeypatch.setattr(outage, "EVERY", 0.05)
        away = service.settings.model_copy(update={"telegram_server": "127.0.0.1:1", "fallback_after": 0.2})
        stop = asyncio.Event()
        running = asyncio.create_task(app.run(away, stop))
        await until(lambda: any("массовый сбой" in each.json["text"] for each in target.taken))
        stop.set()
        await running


async def is_tried(db: Reader) -> bool:
    return bool(await db.fetch_all("SELECT 1 FROM messages WHERE kind = 'alert' AND attempts > 0"))
