"""Topics and saved searches for readers of news over HTTP: by an address that a chat is told, and nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import feedparser
import pytest

from bot.commands import syndication_server
from bot.commands.syndication import URL
from bot.commands.syndication_answers import FRESH
from bot.commands.syndication_server import SyndicationServer
from bot.models.outgoing import Peer, PeerKind
from bot.search.pool import BusyError
from bot.store import access, meta, redactions
from bot.store.access import Restrictable
from tests.commands.kit import ANNA, BORIS, Bot, button, labels, text
from tests.kit_archive import NEWS, OTHER, InProcess, gone, post
from tests.waiting import WAIT_S, until

Fetch = Callable[..., Awaitable[aiohttp.ClientResponse]]


class Pool(InProcess):
    """Counts the searches, and can be too busy for them, or cut one short."""

    searches = 0
    is_busy = False
    most: int | None = None
    during: Callable[[], Awaitable[object]] | None = None  # what happens while it searches

    async def run(self, job: Any, *arguments: Any, who: object, within: float = 0, **options: Any) -> Any:  # noqa: ANN401 - of any job
        self.searches += 1
        if self.is_busy:
            raise BusyError("busy")
        content = await super().run(job, *arguments, who=who, within=within, **options | {"most": self.most})
        if self.during:
            during, self.during = self.during, None
            await during()
        return content


@asynccontextmanager
async def serving(bot: Bot) -> AsyncIterator[tuple[Pool, Fetch]]:
    """Serve, and yield what searches and what fetches an address."""
    pool = Pool(bot.db)
    server = SyndicationServer(bot.db, pool, host="127.0.0.1", port=0, url="", clock=lambda: bot.archive.now)
    task = asyncio.create_task(server.run())
    while await meta.get(bot.db, URL) is None:  # noqa: ASYNC110 - a row
        await asyncio.sleep(0)
    try:
        async with aiohttp.ClientSession() as client:

            async def fetch(address: str, method: str = "GET", **headers: str) -> aiohttp.ClientResponse:
                answer = await client.request(
                    method, address, headers={k.replace("_", "-"): v for k, v in headers.items()}
                )
                await answer.read()
                return answer

            yield pool, fetch
    finally:
        task.cancel()
        await until(task.done)


def addresses(said: str) -> list[str]:
    found = [word for word in said.split() if word.startswith("http://127.0.0.1:")]
    assert [address.rpartition(".")[2] for address in found] == ["rss", "atom", "jsonfeed"]
    return found


async def keep_to_anna(bot: Bot, channel_id: int) -> None:
    anna = await bot.chat(Peer(kind=PeerKind.USER, id=ANNA))
    await bot.db.write(lambda tx: access.restrict(tx, Restrictable.CHANNEL, channel_id, [anna.id]))


async def read(answer: aiohttp.ClientResponse) -> list[str]:
    """Return the texts of an Atom feed."""
    content = feedparser.parse(await answer.read())
    assert (answer.status, content.bozo) == (200, False)
    return [each.summary for each in content.entries]


async def test_a_topic_is_fetched_at_the_address_of_a_chat_and_at_no_other(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    await bot.pair()
    await bot.pair(BORIS)
    await bot.archive.follow()
    await bot.tracks("Топливо: бензин")
    await bot.archive.live(post(1, "Бензин <есть>"), post(2, "Тихо"))
    screen = await bot.taps(b"about:4", person=BORIS)
    assert "RSS" not in labels(screen.edit)
    async with serving(bot) as (pool, fetch):
        screen = await bot.taps(b"about:4", person=BORIS)
        rss, atom, _ = addresses(text(await bot.taps(button(screen.edit, "RSS"), person=BORIS)))
        answer = await fetch(atom)
        assert await read(answer) == ["Бензин <есть>"]
        assert answer.headers["Server"] == ""
        head = await fetch(atom, "HEAD")
        assert (head.status, head.headers["Content-Length"]) == (200, answer.headers["Content-Length"])
        for known in (
            {"If_None_Match": answer.headers["ETag"]},
            {"If_Modified_Since": answer.headers["Last-Modified"]},
        ):
            assert (await fetch(atom, **known)).status == 304
        assert (
            await fetch(atom, If_None_Match='"other"', If_Modified_Since=answer.headers["Last-Modified"])
        ).status == 200
        assert ((await fetch(atom, "POST")).status, pool.searches) == (405, 1)
        base, _, name = rss.rpartition("/")
        for wrong in (f"{base}/{name.replace('t4-', 't1-')}", f"{base[:-1]}x/{name}", f"{base}/", rss[:-3]):
            assert (await fetch(wrong)).status == 404
        renewed = text(await bot.taps(b"rss_new:t4", person=BORIS))
        assert (await fetch(atom)).status == 404
        _, atom, _ = addresses(renewed)
        assert (await fetch(atom)).status == 200
        assert "Only for: Person 501" in text(await bot.says("/private Топливо"))
        assert (await fetch(atom, If_None_Match=answer.headers["ETag"])).status == 404
    assert base.rpartition("/")[2] not in caplog.text


async def test_a_saved_search_is_fetched_and_made_once_for_all_who_ask(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS)
    await bot.archive.follow()
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.archive.live(post(1, "Сбой связи"), post(2, "Сбой света", channel_id=OTHER))
    async with serving(bot) as (pool, fetch):
        found = await bot.says("сбой since:7d", person=BORIS)
        assert "RSS" not in labels(found.messages[0])
        await bot.taps(button(found.messages[0], "Save this search"), person=BORIS)
        screen = (await bot.says("/searches", person=BORIS)).messages[0]
        run = await bot.taps(button(screen, "🔎"), person=BORIS)
        told = text(await bot.taps(button(run.messages[0], "RSS"), person=BORIS))
        assert "сбой since:7d for programs that read news" in told
        _, atom, feed = addresses(told)
        both = await asyncio.gather(fetch(atom), fetch(atom))
        assert [await read(each) for each in both] == [["Сбой света", "Сбой связи"]] * 2
        bot.archive.now += timedelta(minutes=1)  # `since:7d` begins at another moment
        tag = (await fetch(atom)).headers["ETag"]
        assert pool.searches == 1
        await bot.archive.live(post(1, "Починили", edit_date=bot.archive.now), gone(2, channel_id=OTHER))
        bot.archive.now += FRESH
        pool.is_busy = True
        busy = await fetch(atom)
        assert (busy.status, busy.headers["Retry-After"]) == (503, "60")
        pool.is_busy, pool.most = False, 1
        answer = await fetch(feed, If_None_Match=tag)
        content = json.loads(await answer.read())
        assert (answer.content_type, content["description"]) == (
            "application/feed+json",
            "Posts back to 2025-03-10. There may be older ones.",
        )
        pool.most = None
        assert await read(await fetch(atom)) == [
            "Deleted, Telegram told us 2025-03-10 12:01 UTC\n\nСбой света",
            "Edited since: what was found in it is gone.\n\nПочинили",
        ]

        pool.during = partial(keep_to_anna, bot, OTHER)  # while another answer is being made
        bot.archive.now += FRESH
        assert await read(await fetch(atom)) == ["Edited since: what was found in it is gone.\n\nПочинили"]
        await bot.taps(button(screen, "🗑"), person=BORIS)
        assert (await fetch(atom)).status == 404


async def test_words_end_at_once_that_are_redacted_or_whose_channel_may_not_be_seen_any_more(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS)
    await bot.archive.follow()
    await bot.archive.live(post(1, "Сбой"), post(2, "Сбой у Иванова"))
    async with serving(bot) as (_, fetch):
        found = await bot.says("сбой in:@News1001", person=BORIS)
        await bot.taps(button(found.messages[0], "Save this search"), person=BORIS)
        _, atom, _ = addresses(text(await bot.taps(b"rss:s1", person=BORIS)))
        assert await read(await fetch(atom)) == ["Сбой у Иванова", "Сбой"]
        versions = await redactions.versions_of(bot.db, NEWS, [2], None)
        await bot.db.write(lambda tx: redactions.redact(tx, versions, "court", now=bot.archive.now))
        assert await read(await fetch(atom)) == ["Сбой"]
        await keep_to_anna(bot, NEWS)
        assert (await fetch(atom)).status == 404


async def test_an_owner_is_offered_no_address_of_what_is_kept_to_other_chats(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS)
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.archive.live(post(1, "Сбой", channel_id=OTHER))
    await bot.db.write(lambda tx: meta.put(tx, URL, "http://127.0.0.1:1"))
    found = await bot.says("сбой in:@News1002")
    await bot.taps(button(found.messages[0], "Save this search"))
    await bot.tracks("Топливо: бензин", person=BORIS)
    assert "RSS" in labels((await bot.says("сбой in:@News1002")).messages[0])
    boris = await bot.chat(Peer(kind=PeerKind.USER, id=BORIS))
    await bot.db.write(lambda tx: access.restrict(tx, Restrictable.CHANNEL, OTHER, [boris.id]))
    await bot.db.write(lambda tx: access.restrict(tx, Restrictable.TOPIC, 4, [boris.id]))
    assert "RSS" not in labels((await bot.says("сбой in:@News1002")).messages[0])
    assert "RSS" not in labels((await bot.taps(b"about:4")).edit)
    for old in (b"rss:s1", b"rss:t4"):
        assert "It is kept to other chats" in text(await bot.taps(old))


async def test_strangers_cannot_hold_the_port(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"HEAD_WITHIN": 3600, "WITHIN": 3600, "MOST_CONNECTIONS": 2}
    for limit, value in limits.items():
        monkeypatch.setattr(syndication_server, limit, value)
    async with serving(bot):
        host, _, port = str(await meta.get(bot.db, URL)).removeprefix("http://").rpartition(":")

        async def say(words: bytes) -> bytes:
            """Return the answer until the other side ends the connection."""
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(words)
            try:
                return await asyncio.wait_for(reader.read(), WAIT_S)
            except ConnectionResetError:
                return b""
            finally:
                writer.close()

        unfinished = b"GET / HTTP/1.1\r\nHost: x\r\n"
        for limit in ("HEAD_WITHIN", "WITHIN"):
            with monkeypatch.context() as patch:
                patch.setattr(syndication_server, limit, 0.05)
                assert await say(unfinished) == b""
        for wrong in (b"\x16\x03\x01 nonsense\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"):
            answer = await say(wrong)
            assert b" 400 " in answer.splitlines()[0]
            assert b"aiohttp" not in answer.lower()
        held = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        assert await say(unfinished + b"\r\n") == b""
        for _, writer in held:
            writer.close()
