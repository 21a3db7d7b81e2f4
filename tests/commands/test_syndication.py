"""Topics for readers of news over HTTP: by an address that a chat is told, and nobody else."""

import asyncio

import aiohttp
import feedparser

from bot.commands.syndication import URL
from bot.commands.syndication_server import SyndicationServer
from bot.store import meta
from tests.commands.kit import BORIS, Bot, button, labels, text
from tests.kit_archive import InProcess, post
from tests.waiting import until


async def test_a_topic_is_fetched_at_the_address_of_a_chat_and_at_no_other(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS)
    await bot.archive.follow()
    await bot.tracks("Топливо: бензин")
    await bot.archive.live(post(1, "Бензин <есть>"), post(2, "Тихо"))
    screen = await bot.taps(b"about:4", person=BORIS)
    assert "RSS" not in labels(screen.edit)
    server = SyndicationServer(
        bot.db, InProcess(bot.db), host="127.0.0.1", port=0, url="", clock=lambda: bot.archive.now
    )
    serving = asyncio.create_task(server.run())
    while await meta.get(bot.db, URL) is None:  # noqa: ASYNC110 - a row
        await asyncio.sleep(0)
    try:
        screen = await bot.taps(b"about:4", person=BORIS)
        told = text(await bot.taps(button(screen.edit, "RSS"), person=BORIS)).split()
        addresses = [word for word in told if word.startswith("http://127.0.0.1:")]
        assert [address.rpartition(".")[2] for address in addresses] == ["rss", "atom", "jsonfeed"]
        async with aiohttp.ClientSession() as client:

            async def fetch(address: str) -> tuple[int, bytes]:
                async with client.get(address) as answer:
                    return answer.status, await answer.read()

            status, content = await fetch(addresses[1])
            read = feedparser.parse(content)
            assert (status, read.feed.title, [each.summary for each in read.entries]) == (
                200,
                "Топливо",
                ["Бензин <есть>"],
            )
            base, _, name = addresses[0].rpartition("/")
            for wrong in (f"{base}/{name.replace('4-', '1-')}", f"{base[:-1]}x/{name}", f"{base}/", addresses[0][:-3]):
                assert (await fetch(wrong))[0] == 404
            renewed = text(await bot.taps(b"rss_new:4", person=BORIS)).split()
            assert (await fetch(addresses[1]))[0] == 404
            addresses = [word for word in renewed if word.startswith("http://127.0.0.1:")]
            assert (await fetch(addresses[1]))[0] == 200
            only = await bot.says("/private Топливо")
            assert "Only for: Person 501" in text(only)
            assert (await fetch(addresses[1]))[0] == 404
    finally:
        serving.cancel()
        await until(serving.done)
