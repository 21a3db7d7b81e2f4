"""The whole service without a reader account: public channels are followed and read through their web pages."""

from dataclasses import replace
from pathlib import Path

from aiohttp import web

from bot.models.captures import CaptureState
from bot.store import captures
from bot.telegram.client import PATIENT
from tests.kit_service import running_service
from tests.sources.test_sites import item, rss, website
from tests.waiting import until


async def test_a_service_without_an_account_serves_public_channels(tmp_path: Path) -> None:
    timings = replace(PATIENT, page_pause=0.1)
    async with running_service(tmp_path, timings=timings, account=False, site_private_addresses=True) as service:
        news = service.sandbox.world.add_channel("News", username="thenews")
        news.post("Тихий день")
        owner = await service.owner(follows=[news])
        assert "To read private channels as well" in (await owner.message("so I read its web page")).message
        post = news.post("Сбой в работе банка: переводы не проходят")
        assert "through the web page" in (await owner.alert("Сбой")).message
        assert "🌐" in (await owner.asks("/status")).message
        saved = await owner.asks(f"/save https://t.me/thenews/{post.id} Банки")
        assert "I also keep its public page." in saved.message

        async def is_captured() -> bool:
            async with service.archive() as db:
                found = await captures.of_messages(db, [(news.id, post.id)])
            return [each.state for each in found] == [CaptureState.KEPT]

        await until(is_captured)
        await owner.says("/follow t.me/+AbCdEfGhIjKlMnOp")
        await owner.message("channelwatch login on the server")
        async with website(_feed) as address:  # sites need no account either
            await owner.says(f"/follow {address}/feed.xml")
            await owner.message("I now follow the site «МИД & Ко»")


async def _feed(_: web.Request) -> web.Response:
    return web.Response(body=rss(item(1, "Тихий день")), content_type="text/xml")
