"""Sites: their feeds as they come, from a server of our own, and a channel like any other in the chat."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from aiohttp import web

from bot.models import Observation
from bot.monitoring.channel_state import channel_states
from bot.pipeline.ingest import Ingest, Result
from bot.sources.sites.feed import LONGEST, linked_feed, read_feed
from bot.sources.sites.fetcher import PRIVATE, REFUSED, SiteError, SiteFetcher, Stamp
from bot.sources.sites.reader import LOST_AFTER, Sites
from bot.store import stats
from bot.text.markup import Text
from bot.text.references import any_reference
from tests.commands.kit import Bot, bot_of, button, text
from tests.kit import Message
from tests.kit_archive import NOON, Archive, InProcess

HOST = "https://mid.example"
BASE = f"{HOST}/feed.xml"
RSS = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>МИД &amp; Ко</title><link>/</link>{items}</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Сводка</title>{entries}</feed>"""


def rss(*items: str, encoding: str = "utf-8") -> bytes:
    whole = RSS.format(encoding=encoding, items="".join(f"<item>{item}</item>" for item in items))
    return whole.encode(encoding)


def item(number: int, words: str, date: datetime | None = None) -> str:
    dated = "" if date is None else f"<pubDate>{date:%a, %d %b %Y %H:%M:%S} +0000</pubDate>"
    return f"<title>{words}</title><link>/news/{number}</link><guid>n{number}</guid>{dated}"


class TestFeed:
    def test_html_is_text_with_its_formatting_and_whole_links(self) -> None:
        html = "<p>Сайт <b>лежит</b>.</p><ul><li>Банк</li><li><a href='/more'>Ещё</a></li></ul><script>x()</script>"
        found = read_feed(rss(f"<title>Сбой 🌲</title><description><![CDATA[{html}]]></description>"), BASE)
        assert found is not None
        assert found.title == "МИД & Ко"
        (entry,) = found.entries
        assert entry.text == "Сбой 🌲\n\nСайт лежит.\n\nБанк\nЕщё"
        formatted = Text().formatted(entry.text, entry.entities).build()[1]
        assert [(each.kind, each.offset, each.length, each.value) for each in formatted] == [
            ("bold", 0, 7, None),
            ("bold", 14, 5, None),
            ("text_url", 27, 3, "https://mid.example/more"),
        ]

    @pytest.mark.parametrize(
        ("body", "entries"),
        [
            pytest.param(rss(item(1, "Сбой"), encoding="windows-1251"), [("/n1", "Сбой", "/news/1")]),
            pytest.param(rss("<title>Без имени</title><link>/a</link>"), [("/a", "Без имени", "/a")]),
            pytest.param(rss(item(1, "А"), item(1, "А")), [("/n1", "А", "/news/1")]),
            pytest.param(
                rss("<title>А</title><guid>/</guid><link>/a</link>", "<title>Б</title><guid>/</guid><link>/b</link>"),
                [("/\n/a", "А", "/a"), ("/\n/b", "Б", "/b")],
            ),
            pytest.param(
                rss("<title>Одно</title><link>/1</link><description>Одно</description>", "<guid>пусто</guid>"),
                [("/1", "Одно", "/1")],
            ),
            pytest.param(rss("<title>А</title><guid>1</guid><link>/ё 1</link>"), [("/1", "А", "/%D1%91%201")]),
            pytest.param(rss(item(1, "Цел"))[:-20] + b"<item><title>&nbsp;&bad", [("/n1", "Цел", "/news/1")]),
            pytest.param(
                rss("<title>Только слова</title>"),
                [(sha256("Только слова".encode()).hexdigest(), "Только слова", None)],
            ),
        ],
        ids=[
            "windows-1251",
            "no guid",
            "twice",
            "one guid for all",
            "only a title",
            "broken",
            "odd link",
            "no name at all",
        ],
    )
    def test_what_sites_write(self, body: bytes, entries: list[tuple[str, str, str | None]]) -> None:
        found = read_feed(body, BASE)
        assert found is not None
        listed = [(each.guid, each.text, each.link) for each in found.entries]
        assert [tuple(field and field.replace(HOST, "") for field in each) for each in listed] == entries

    def test_an_entry_has_the_longest_of_its_texts_and_the_date_of_its_zone(self) -> None:
        entry = """<entry><id>urn:1</id><title type="html">Сбой &amp;amp; ко</title><author><name>А. Б.</name></author>
            <link href="https://other.example/1"/><summary>Коротко</summary>
            <content type="html">&lt;div&gt;Всё, что есть&lt;/div&gt;</content>
            <published>2026-11-27T12:00:00+03:00</published><updated>2026-11-27T13:00:00+03:00</updated></entry>"""
        found = read_feed(ATOM.format(entries=entry).encode(), BASE)
        assert found is not None
        (only,) = found.entries
        assert (only.text, only.link, only.author) == ("Сбой & ко\n\nВсё, что есть", "https://other.example/1", "А. Б.")
        assert only.published == datetime(2026, 11, 27, 9, tzinfo=UTC)
        assert b"urn:1" in only.raw

    def test_a_page_names_its_feed(self) -> None:
        page = b"<link rel='stylesheet' href=a><link rel='Alternate' type='application/rss+xml' href='/rss?a=1'>"
        assert read_feed(page, BASE) is None
        assert linked_feed(page, BASE) == "https://mid.example/rss?a=1"
        assert linked_feed(b"{}", BASE) is None

    def test_a_book_is_cut(self) -> None:
        found = read_feed(rss(f"<title>{'а' * 2 * LONGEST}</title>"), BASE)
        assert found is not None
        assert [len(each.text) for each in found.entries] == [LONGEST]

    def test_names_are_cut(self) -> None:
        long = "а" * 9000
        found = read_feed(
            rss(f"<title>А</title><author>{long}</author><guid>{long}</guid>").replace(b"&amp;", long.encode()), BASE
        )
        assert found is not None
        (entry,) = found.entries
        assert (len(found.title), len(entry.author or ""), len(entry.guid)) == (128, 128, 64)

    def test_half_a_pair_of_utf_16_is_replaced(self) -> None:
        found = read_feed(rss("<title>Сбой &#xD83D; &#56832;</title><guid>a&#XDE00;</guid>"), BASE)
        assert found is not None
        (entry,) = found.entries
        assert (entry.text, entry.guid) == ("Сбой \ufffd \ufffd", "https://mid.example/a\ufffd")


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("HTTPS://Mid.RU:443", "https://mid.ru/"),
        ("https://мид.рф/rss?a=1#x", "https://мид.рф/rss?a=1"),
        ("https://t.me/s/name", "@name"),
        ("https://name:secret@mid.ru/", None),
        ("ftp://mid.ru/", None),
        ("mid.ru/rss", None),
        ("https://[::1]/", None),
        ("-7", "-7"),
        ("-1001234567890", "1234567890"),
    ],
)
def test_an_address_has_one_form(typed: str, reference: str | None) -> None:
    assert any_reference(typed) == reference


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/", PRIVATE),
        ("http://localhost/", PRIVATE),
        ("http://10.0.0.1/", PRIVATE),
        ("http://169.254.169.254/latest/meta-data", PRIVATE),
        ("http://[::ffff:127.0.0.1]/", PRIVATE),
        ("http://[64:ff9b::7f00:1]/", PRIVATE),
        ("http://１２７.0.0.1:1/", PRIVATE),
        ("http://①②⑦.⓪.⓪.①:1/", PRIVATE),
        ("http://printer.local/", PRIVATE),
        ("file:///etc/passwd", REFUSED),
    ],
)
async def test_what_is_not_of_the_public_internet_is_not_asked(url: str, reason: str) -> None:
    fetcher = SiteFetcher()
    with pytest.raises(SiteError) as refused:
        await fetcher.fetch(url, Stamp())
    assert refused.value.reason == reason
    await fetcher.close()


async def test_a_name_that_leads_into_the_own_network_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object) -> list[dict[str, object]]:
        return [{"hostname": "evil.example", "host": "127.0.0.1", "port": 80, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.DefaultResolver.resolve", resolve)
    fetcher = SiteFetcher()
    with pytest.raises(SiteError, match=PRIVATE):
        await fetcher.fetch("http://evil.example/", Stamp())
    await fetcher.close()


def what(message: Message) -> str:
    """Say in a line what a message is about."""
    if message.post is not None:
        return f"{message.label} {message.change or ''}: {message.post.text} ({message.post.link})"
    return f"{message.notice.kind} {getattr(message.notice, 'reason', '') or message.notice.channel}"


@asynccontextmanager
async def website(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Serve a site on loopback, at the address that is given."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Desk:
    """A chat, the bot, and a site that it can follow."""

    bot: Bot
    sites: Sites
    at: str
    body: bytes = b""
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        if request.path == "/":
            return web.Response(text='<link rel="alternate" type="application/atom+xml" href="old.xml">')
        if request.path == "/old.xml":
            raise web.HTTPMovedPermanently("/feed.xml")
        stamp = f'"{hash(self.body)}"'
        if self.status == 200 and request.headers.get("If-None-Match") == stamp:
            return web.Response(status=304)
        return web.Response(body=self.body, status=self.status, headers={"ETag": stamp})

    async def act(self, *, later: timedelta = timedelta(minutes=6)) -> list[str]:
        """Let time pass and the sites be read; return what is to be sent or edited since."""
        archive = self.bot.archive
        await archive.send_all()
        archive.now += later
        while await self.sites.act():
            pass
        return [what(each) for each in await archive.outbox()]


@asynccontextmanager
async def desk_of(archive: Archive) -> AsyncIterator[Desk]:
    bot = await bot_of(archive)
    fetcher = SiteFetcher(takes_private=True)
    sites = Sites(
        archive.db, archive.ingest, fetcher, searches=InProcess(archive.db), interval=300, clock=lambda: archive.now
    )
    desk = Desk(bot=bot, sites=sites, at="")
    async with website(desk.answer) as desk.at:
        yield desk
        await fetcher.close()


@pytest.fixture
async def desk(archive: Archive) -> AsyncIterator[Desk]:
    async with desk_of(archive) as made:
        yield made


async def test_a_site_is_a_channel(desk: Desk) -> None:
    bot, archive = desk.bot, desk.bot.archive
    await bot.pair()
    old, hour = item(1, "Сбой был вчера", NOON - timedelta(days=1)), timedelta(hours=1)
    desk.body = rss(old, item(2, "Сбой, неведомо когда"), item(3, "Сбой завтра", NOON + timedelta(days=1)))
    assert "checking" in text(await bot.says(f"/follow {desk.at}/ fast group:Сайты"))
    assert await desk.act(later=timedelta()) == ["followed МИД & Ко"]  # what stands there is past
    channel = await archive.channel(-1)
    assert (channel.network, channel.address, channel.fast) == ("site", f"{desk.at}/old.xml", False)

    new = item(4, "Сбой в банке", archive.now + hour)
    desk.body = rss(new, old)  # others are gone from the list, and that is no deletion
    link = f"{desk.at}/news/4"
    assert await desk.act(later=hour) == [f"alert : Сбой в банке ({link})"]
    desk.body = rss(item(4, "Сбой в трёх банках", archive.now + 3 * hour), old)
    assert await desk.act(later=3 * hour) == [
        f"edit : Сбой в трёх банках ({link})",
        f"reply edited: Сбой в трёх банках ({link})",
    ]
    assert await desk.act() == []  # 304
    assert desk.asked[-1]["If-None-Match"] == f'"{hash(desk.body)}"'
    (state,) = await channel_states(archive.db, archive.now)
    assert (state.is_verified, state.has_gap, state.checked_at) == (True, False, archive.now)
    assert [each.channel_id for each in await stats.active_channels(archive.db)] == [-1]  # whose silence is noticed

    assert "Сбой в трёх банках" in text(await bot.says(f"/post {link}"))
    assert "Сбой в трёх банках" in text(await bot.says(link))
    assert "outages" in text(await bot.says(f"/explain {link}")).lower()
    for words in ("in:Сайты", f"in:{desk.at}/old.xml", "in:МИД", "in:-1"):
        assert "трёх" in text(await bot.says(f"/search банках {words}")), words
    assert "only private applies" in text(await bot.says(f"/follow {desk.at}/old.xml fast ocr"))
    assert "changed the options" not in text(await bot.says("/log"))
    listed = await bot.says("/channels")
    assert "a site, up to 5 min late" in text(listed)
    screen = (await bot.taps(button(listed.messages[0], "МИД"))).edit
    assert "Nothing is missing" in text(await bot.taps(button(listed.messages[0], "МИД")))
    for label in ("Newest posts", "Mute 8 h", "Groups", "Send every post", "Keep it to this chat"):
        assert text(await bot.taps(button(screen, label))), label
    assert "Outages in" in text(await bot.says(f"/mute outages {desk.at}/"))  # by the address that was typed, …
    assert "no longer follow МИД" in text(await bot.says("/unfollow 127.0.0.1"))  # … or by the host
    desk.body = rss(item(5, "Сбой снова", archive.now))
    assert await desk.act() == []


async def test_a_site_that_fails_for_long_is_told_once_and_so_is_its_return(desk: Desk) -> None:
    bot = desk.bot
    await bot.pair()
    await bot.says(f"/follow {desk.at}/none.xml")
    assert await desk.act(later=timedelta()) == ["refused site_no_feed"]
    desk.body = rss(item(1, "Тихий день", NOON))
    await bot.says(f"/follow {desk.at}/feed.xml")
    assert await desk.act(later=timedelta()) == ["followed МИД & Ко"]
    desk.status = 500
    told = [await desk.act(later=LOST_AFTER / 6) for _ in range(9)]
    assert [each for each in told if each] == [["lost site_refuses"]]
    assert "The site refuses" in text(await bot.says("/channels"))
    desk.status = 200
    assert await desk.act(later=timedelta(hours=1)) == ["found МИД & Ко"]
    assert "up to 5 min late" in text(await bot.says("/channels"))


async def test_a_counter_in_an_entry_is_an_edit_more_and_more_seldom(desk: Desk) -> None:
    await desk.bot.pair()
    desk.body = rss()
    await desk.bot.says(f"/follow {desk.at}/feed.xml")
    await desk.act(later=timedelta())
    seen = []
    for views in range(40):  # four hours
        desk.body = rss(item(1, f"Сбой, просмотров {views}", NOON + timedelta(minutes=1)))
        seen += [views] if await desk.act() else []
    assert seen == [0, 1, 2, 3, 5, 9, 16, 30]
    assert "If-None-Match" not in desk.asked[-1]


class Dying(Ingest):
    """An ingest in a program that is killed as soon as it has stored something."""

    async def store(self, observation: Observation) -> Result:
        await super().store(observation)
        raise SystemError


async def test_what_was_stored_before_a_kill_comes_once(desk: Desk) -> None:
    bot, archive = desk.bot, desk.bot.archive
    await bot.pair()
    desk.body = rss()
    await bot.says(f"/follow {desk.at}/feed.xml")
    await desk.act(later=timedelta())
    alive, dying = archive.ingest, Dying(archive.db, lambda: archive.now)
    for words in ("Сбой", "Сбой в банке"):  # new, and edited
        desk.body = rss(item(1, words), item(2, "Тихий день"))
        desk.sites._ingest = dying  # noqa: SLF001 - there is no other way to end in between
        with pytest.raises(SystemError):
            await desk.act()
        told = [what(each) for each in await archive.outbox()]
        desk.sites._ingest = alive  # noqa: SLF001 - likewise
        assert await desk.act() == []
        assert f": {words} ({desk.at}/news/1)" in told[0]
    rows = await archive.db.fetch_all("SELECT message_id, count(*) AS n FROM versions GROUP BY message_id")
    assert sorted(row["n"] for row in rows) == [1, 2]


async def test_what_is_dated_by_its_day_alone_is_news_on_the_day_of_following_too(desk: Desk) -> None:
    await desk.bot.pair()
    day = NOON - timedelta(hours=12)
    desk.body = rss(item(1, "Сбой утром", day))
    await desk.bot.says(f"/follow {desk.at}/feed.xml")
    await desk.act(later=timedelta())
    desk.body = rss(item(2, "Сбой днём", day), item(1, "Сбой утром", day), item(3, "Сбой вчера", day - timedelta(1)))
    assert await desk.act() == [f"alert : Сбой днём ({desk.at}/news/2)"]
