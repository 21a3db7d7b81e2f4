"""Public pages over HTTP: what an answer means, how long to wait, and when a channel is thought to be gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.runtime.proxies import read_proxy
from bot.runtime.web import NO_MTPROXY, PageFailureError, Transport, check_proxy, retry_after
from bot.sandbox import Channel, Sandbox
from bot.sandbox.pages.server import PageServer
from bot.settings import Settings
from bot.sources.page_text import split_link
from bot.sources.pages.answers import AnswerKind, PageAnswer
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.pacing import FIRST_WAIT, LONGEST_WAIT, Hosts, Pacer, next_wait
from bot.sources.pages.page import EmbedRefusal, LandingKind
from bot.store.database import Database
from bot.store.meta import PageBackoff

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MTPROXY = f"https://t.me/proxy?server=proxy.example&port=443&secret={'ab' * 16}"


class Moment:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Web:
    """The embedded server's pages of two channels and a canary, and ours to ask for them."""

    sandbox: Sandbox
    server: PageServer
    pages: Pages
    clock: Moment
    news: Channel

    def add(self, name: str) -> Channel:
        made = self.sandbox.world.add_channel(name.title(), username=name)
        made.post("Hello")
        return made

    async def known(self) -> PageAnswer:
        return await self.pages.head("news", channel_id=self.news.id)

    def paths(self) -> list[str]:
        return [visit.path for visit in self.server.visits]


def settings_of(server: PageServer) -> Settings:
    first, second = (host.url for host in server.hosts)
    return Settings(pages_url=first, pages_fallback_urls=(second,), pages_pause=0, pages_canary="canary")


@asynccontextmanager
async def web(database: Database | None = None) -> AsyncIterator[Web]:
    async with Sandbox() as sandbox:
        server, clock = await sandbox.serve_pages(), Moment()
        pages = Pages.open(settings_of(server), database, clock)
        news = sandbox.world.add_channel("The News", username="News")
        for text in ("one", "two", "three"):
            news.post(text)
        sandbox.world.add_channel("Canary", username="canary").post("tweet")
        try:
            yield Web(sandbox, server, pages, clock, news)
        finally:
            await pages.close()


async def test_posts_are_read_by_name_and_place() -> None:
    async with web() as at:
        head = await at.pages.head("news")
        assert (head.kind, head.status) == (AnswerKind.POSTS, 200)
        assert head.page is not None
        assert (head.page.channel_id, head.page.title) == (at.news.id, "The News")
        ids = [post.message_id for post in head.page.posts]
        last = ids[-1]
        assert head.page.posts[-1].text == "three"
        for ask, expected in (
            (at.pages.before, ids[:-1]),
            (at.pages.after, []),
        ):
            found = await ask("news", last, channel_id=at.news.id)
            assert found.page is not None
            assert [post.message_id for post in found.page.posts] == expected
            with pytest.raises(ValueError, match="no message's id"):
                await ask("news", 0)
        embed = await at.pages.embed("news", last)
        assert embed.embed is not None
        assert embed.embed.post is not None
        assert (embed.embed.post.text, embed.embed.channel_id) == ("three", at.news.id)
        missing = await at.pages.embed("news", 999)
        assert missing.embed is not None
        assert missing.embed.refusal is EmbedRefusal.NO_POST
        evidence = head.evidence(head.page.posts[-1]).decode()
        assert evidence.startswith(f"url: {at.server.url}/s/news\nstatus: 200\nt: ")
        assert f'data-post="News/{last}"' in evidence


async def rename(at: Web) -> None:
    at.server.faults.alias("oldnews", at.news)


async def take_over(at: Web) -> None:
    at.sandbox.world.take_name(at.news, "Others").post("ours now")


async def close(at: Web) -> None:
    at.server.faults.switch_off(at.news)


@pytest.mark.parametrize(
    ("change", "name", "kind", "landing"),
    [
        (rename, "oldnews", AnswerKind.POSTS, None),
        (take_over, "news", AnswerKind.TAKEN_OVER, None),
        (close, "news", AnswerKind.NO_PAGE, LandingKind.CHANNEL),
        (None, "nobody99", AnswerKind.NO_PAGE, LandingKind.NOBODY),
        (None, "ann", AnswerKind.NO_PAGE, LandingKind.USER),
        (None, "+joinlink", AnswerKind.NO_PAGE, LandingKind.NOBODY),
    ],
    ids=["another name", "taken over", "closed", "free", "person", "impossible"],
)
async def test_a_name_that_is_no_channel_says_what_it_is(
    change: Callable[[Web], Awaitable[None]] | None, name: str, kind: AnswerKind, landing: LandingKind | None
) -> None:
    async with web() as at:
        at.sandbox.world.add_user("Ann", username="ann")
        if change is not None:
            await change(at)
        answer = await at.pages.head(name, channel_id=at.news.id)
        assert answer.kind is kind
        assert (answer.landing and answer.landing.kind) == landing
        assert answer.is_read == (kind is AnswerKind.POSTS)


async def test_a_channel_is_gone_only_while_the_canary_is_well_and_not_three_in_a_row() -> None:
    async with web() as at:
        faults, known = at.server.faults, at.news.id
        faults.switch_off(at.news)
        faults.shell("canary", times=1)
        doubted = await at.known()
        assert (doubted.kind, doubted.landing) == (AnswerKind.THROTTLED, None)
        assert doubted.retry_at == NOW + FIRST_WAIT
        at.clock.now += FIRST_WAIT
        assert (await at.known()).kind is AnswerKind.NO_PAGE
        assert (await at.pages.head("other99", channel_id=7)).kind is AnswerKind.NO_PAGE
        third = await at.pages.head("third99", channel_id=8)
        assert (third.kind, third.retry_at) == (AnswerKind.THROTTLED, at.clock.now + LONGEST_WAIT)
        at.clock.now += LONGEST_WAIT
        at.server.visits.clear()
        assert (await at.pages.head("canary")).kind is AnswerKind.POSTS
        faults.switch_on(at.news)
        assert (await at.pages.head("news", channel_id=known)).is_read
        assert at.paths() == ["/s/canary", "/s/canary", "/s/news"]


@pytest.mark.parametrize(
    ("fault", "kind", "waits"),
    [
        (lambda at: at.server.faults.throttle(seconds=90), AnswerKind.THROTTLED, timedelta(seconds=90)),
        (lambda at: at.server.faults.throttle(seconds=None), AnswerKind.THROTTLED, FIRST_WAIT),
        (lambda at: at.server.faults.shell(), AnswerKind.THROTTLED, FIRST_WAIT),
        (lambda at: at.server.faults.challenge(), AnswerKind.UNREACHABLE, FIRST_WAIT),
        (lambda at: at.server.faults.redesign(times=1), AnswerKind.NOT_UNDERSTOOD, None),
        (lambda at: at.server.faults.redesign(classes="tgme_channel_", times=1), AnswerKind.NOT_UNDERSTOOD, None),
        (lambda at: at.server.faults.redesign(classes="tgme_widget_", times=1), AnswerKind.NOT_UNDERSTOOD, None),
        (lambda at: at.server.faults.fail(), AnswerKind.UNREACHABLE, timedelta()),
        (lambda at: at.server.faults.fail(status=403), AnswerKind.UNREACHABLE, FIRST_WAIT),
    ],
    ids=["429", "429 without a time", "shell", "challenge", "all new", "new frame", "new posts", "502", "403"],
)
async def test_a_fault_is_told_and_never_taken_for_no_posts(
    tmp_path: Path, fault: Callable[[Web], None], kind: AnswerKind, waits: timedelta | None
) -> None:
    database = await Database.open(tmp_path / "bot.db")
    try:
        async with web(database) as at:
            fault(at)
            answer = await at.known()
            assert (answer.kind, answer.page) == (kind, None)
            assert answer.reason
            assert answer.retry_at == (None if waits is None else NOW + waits)
            if waits:  # nobody asks meanwhile, after a restart neither
                restarted = Pages.open(settings_of(at.server), database, at.clock)
                asked = len(at.server.visits)
                assert (await restarted.landing("news")).retry_at == NOW + waits
                assert len(at.server.visits) == asked
                at.clock.now += waits
                await restarted.close()
            assert (await at.known()).kind is AnswerKind.POSTS
    finally:
        await database.close()


async def test_all_who_wait_for_their_turn_wait_on_after_a_sign_of_throttling() -> None:
    async with web() as at:
        at.server.faults.throttle(times=None)
        answers = await asyncio.gather(*(at.known() for _ in range(5)))
        assert {answer.kind for answer in answers} == {AnswerKind.THROTTLED}
        assert len(at.server.visits) == 1


async def test_the_second_host_is_asked_after_two_failures_and_all_wait_once_both_are_out() -> None:
    async with web() as at:
        await at.server.hosts[0].down()
        assert [(await at.known()).kind for _ in range(3)] == [
            AnswerKind.UNREACHABLE,
            AnswerKind.UNREACHABLE,
            AnswerKind.POSTS,
        ]
        await at.server.hosts[1].down()
        answers = [await at.known() for _ in range(4)]
        assert [answer.retry_at for answer in answers] == [NOW, NOW, NOW, NOW + FIRST_WAIT]
        assert "TCP" in answers[-1].reason
        assert (await at.known()).retry_at == NOW + FIRST_WAIT
        at.clock.now += FIRST_WAIT
        for host in at.server.hosts:
            await host.up()
        assert (await at.known()).kind is AnswerKind.POSTS


async def test_a_cut_connection_is_a_failure_and_one_that_waits_for_ever_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.web.TOTAL", 0.2)
    async with web() as at:
        at.server.faults.reset(times=2)
        assert "cut" in (await at.known()).reason
        hold = at.server.faults.stall(times=1)
        assert "in time" in (await at.known()).reason
        hold.release()


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("90", timedelta(seconds=90)),
        ("Fri, 27 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Fri, 27 Nov 2026 11:00:00 GMT", timedelta()),
        ("soon", None),
        ("", None),
    ],
)
def test_the_server_says_how_long(written: str, wait: timedelta | None) -> None:
    assert retry_after(written, NOW) == wait


def test_waits_double_up_to_ten_minutes_and_the_server_may_ask_for_more() -> None:
    backoff, waits = PageBackoff(), []
    for _ in range(6):
        backoff = next_wait(backoff, NOW, asked=None, is_long=False)
        waits.append(backoff.seconds)
    assert waits == [30, 60, 120, 240, 480, 600]
    for asked, until in ((timedelta(0), 30), (timedelta(minutes=20), 1200), (timedelta(days=9), 7200)):
        assert next_wait(PageBackoff(), NOW, asked=asked, is_long=False).until == NOW + timedelta(seconds=until)


def test_hosts_take_turns() -> None:
    hosts, places = Hosts(urls=("a", "b")), []
    for _ in range(4):
        hosts = hosts.failed()
        places.append((hosts.url, hosts.are_all_out))
    assert places == [("a", False), ("b", False), ("b", False), ("a", True)]
    assert not hosts.answered().are_all_out


async def test_one_request_starts_three_to_four_seconds_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    sleep_once = partial(asyncio.sleep, 0)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("bot.sources.pages.pacing.asyncio.sleep", sleep)
    pacer, under_way = Pacer(None, Moment(), pause=3), 0

    async def ask() -> None:
        nonlocal under_way
        async with pacer.turn():
            under_way += 1
            await sleep_once()
            assert under_way == 1
            under_way -= 1

    await asyncio.gather(*(ask() for _ in range(20)))
    assert slept[0] == 0
    assert all(2.5 < seconds <= 4 for seconds in slept[1:])
    assert len(set(slept)) == 20


async def test_a_request_says_who_asks_and_takes_no_more_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.web.LARGEST", 1000)
    seen: list[Mapping[str, str]] = []

    async def serve(request: BaseRequest) -> Response:
        seen.append(request.headers)
        answer = Response(text="x" * 100_000 if request.path == "/large" else "é", headers={"Set-Cookie": "stel_ln=ru"})
        answer.enable_compression()
        return answer

    async with RawTestServer(serve) as server:
        transport, url = Transport.open(None), str(server.make_url(""))
        assert (await transport.get(url)).html == "é"
        with pytest.raises(PageFailureError, match="larger"):
            await transport.get(f"{url}/large")
        await transport.close()
    assert [each.get("Accept-Language") for each in seen] == ["en", "en"]
    assert "channelwatch/" in seen[0]["User-Agent"]
    assert "gzip" in seen[0]["Accept-Encoding"]
    assert "Cookie" not in seen[1]


@asynccontextmanager
async def socks_proxy(*, status: int) -> AsyncIterator[str]:
    """Serve SOCKS5 (RFC 1928) with one answer to all requests; 0 lets through."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        host = await reader.readexactly(4 if kind == 1 else (await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2), "big")
        writer.write(bytes([5, status, 0, 1, 0, 0, 0, 0, 0, 0]))
        if status == 0:
            name = ".".join(map(str, host)) if kind == 1 else host.decode()
            theirs, ours = await asyncio.open_connection(name, port)
            await asyncio.gather(pump(reader, ours), pump(theirs, writer))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.mark.parametrize(
    ("status", "said"), [(0, ""), (2, "not allowed"), (None, "takes no connection")], ids=["open", "forbidden", "down"]
)
async def test_pages_come_through_the_proxy_for_telegram(status: int | None, said: str) -> None:
    async with web() as at, socks_proxy(status=status or 0) as proxy:
        url = "socks5://127.0.0.1:1" if status is None else proxy
        pages = Pages.open(settings_of(at.server).model_copy(update={"telegram_proxy": SecretStr(url)}), None)
        answer = await pages.head("news")
        await pages.close()
        assert answer.is_read == (status == 0)
        assert said in answer.reason


def test_an_mtproxy_carries_no_pages() -> None:
    check_proxy(read_proxy("socks5://127.0.0.1:9050"))
    with pytest.raises(SettingsError, match=NO_MTPROXY[:30]):
        check_proxy(read_proxy(MTPROXY))


async def test_headers_of_any_bytes_are_kept_and_an_address_that_is_none_is_foreign() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 X\r\nLocation: http://[::1\r\nX-A: \xff\r\nX-A: \xc3\xa9\r\nContent-Length: 0\r\n\r\n"
        )
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        pages = Pages(Transport.open(None), Pacer(None, Moment(), pause=0), (url,), canary="canary", clock=Moment())
        answer = await pages.embed("news", 1)
        await pages.close()
    assert answer.reply is not None
    assert answer.reply.headers["x-a"] == "\\xff, é"  # as a line of JSON, and of a WARC record, can have it
    assert answer.kind is AnswerKind.UNREACHABLE
    assert split_link("http://[::1/1?single") == ("", None)
