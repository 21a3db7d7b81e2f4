"""The whole service without a reader account: public channels are followed and read through their web pages."""

from datetime import timedelta
from pathlib import Path

from bot.runtime.clock import utc_now
from tests.kit_clock import Clock
from tests.kit_service import running_service


async def test_a_service_without_an_account_serves_public_channels(tmp_path: Path) -> None:
    clock = Clock(utc_now())
    async with running_service(tmp_path, now=clock) as service:
        await service.stop()
        (service.settings.data_dir / "reader.session").unlink()
        (service.settings.data_dir / "bot.db").unlink()
        world, server = service.sandbox.world, await service.sandbox.serve_pages()
        world.add_channel("Canary", username="canary").post("tweet")
        news, more = (world.add_channel(name.title(), username=name) for name in ("news", "more"))
        for channel in (news, more):
            channel.post("Тихий день")
        pages = {"preview_url": server.url, "preview_pause": 0.0, "preview_canary": "canary"}
        service.settings = service.settings.model_copy(update=pages)
        await service.start()
        owner = await service.owner(follows=[news])
        await owner.message("No reader account can read now")
        clock.advance(timedelta(minutes=2))
        news.post("Сбой в работе банка: переводы не проходят")
        await service.follow(owner, more)  # which wakes who reads pages
        alert = await owner.alert("Сбой")
        assert "through the web page" in alert.message
        status = await owner.asks("/status")
        assert "🌐" in status.message
        await owner.says("/follow t.me/+AbCdEfGhIjKlMnOp")
        await owner.message("channelwatch login on the server")
