"""The whole service without a reader account: public channels are followed and read through their web pages."""

from datetime import timedelta
from pathlib import Path

from bot.runtime.clock import utc_now
from tests.kit_clock import Clock
from tests.kit_service import running_service


async def test_a_service_without_an_account_serves_public_channels(tmp_path: Path) -> None:
    clock = Clock(utc_now())
    async with running_service(tmp_path, now=clock, account=False) as service:
        news, more = (service.sandbox.world.add_channel(name, username=f"the{name}") for name in ("News", "More"))
        for channel in (news, more):
            channel.post("Тихий день")
        owner = await service.owner(follows=[news])
        assert "To read private channels as well" in (await owner.message("so I read 1 public channel")).message
        clock.advance(timedelta(minutes=2))
        news.post("Сбой в работе банка: переводы не проходят")
        await service.follow(owner, more)  # which wakes who reads pages
        assert "through the web page" in (await owner.alert("Сбой")).message
        assert "🌐" in (await owner.asks("/status")).message
        await owner.says("/follow t.me/+AbCdEfGhIjKlMnOp")
        await owner.message("channelwatch login on the server")
