"""The public pages have the structure of Telegram's, with its traps; what goes wrong with them does so on demand."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientConnectionError, ClientSession
from selectolax.lexbor import LexborHTMLParser, LexborNode
from telethon import types

from bot.sandbox import Channel, Sandbox
from bot.sandbox.pages.server import PageServer
from bot.sandbox.pages.text import formatted, rounded
from tests.kit_rich import rich


class Browser:
    """Asks a world's pages, and follows no redirection."""

    def __init__(self, sandbox: Sandbox, pages: PageServer, http: ClientSession) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.pages = pages
        self.http = http

    async def get(self, path: str, *, host: int = 0) -> tuple[int, str]:
        async with self.http.get(self.pages.hosts[host].url + path, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "") if answer.status == 302 else await answer.text()

    async def page(self, path: str) -> LexborHTMLParser:
        status, body = await self.get(path)
        assert status == 200
        return LexborHTMLParser(body)

    async def ids(self, path: str) -> list[int]:
        posts = (await self.page(path)).css(".tgme_widget_message_wrap > .tgme_widget_message")
        return [int((post.attributes["data-post"] or "").rpartition("/")[2]) for post in posts]


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    async with Sandbox() as sandbox, ClientSession() as http:
        yield Browser(sandbox, await sandbox.serve_pages(), http)


def channel(browser: Browser, *, posts: int = 0) -> Channel:
    made = browser.world.add_channel("Ministry & Co", username="Ministry")
    for number in range(posts):
        made.post(f"Post {number + 1}")
    return made


def view(post: LexborNode) -> dict[str, object]:
    packed = post.attributes["data-view"] or ""
    assert not packed.endswith("=")
    return json.loads(base64.urlsafe_b64decode(packed + "=="))


async def test_pages_hold_twenty_posts_and_their_cursors_are_those_of_telegram() -> None:
    async with browsing() as browser:
        made = channel(browser, posts=40)
        photo = browser.world.media.photo(b"1")
        made.album([photo, photo, photo], "Three")  # 41 to 43
        made.delete(30)
        newest = [*range(23, 30), *range(31, 42)]  # an album counts with all its ids
        for traps in ("", "?before=0", "?before=-5", "?before=abc", "?before="):
            assert await browser.ids(f"/s/ministry{traps}") == newest
        assert await browser.ids("/s/Ministry?before=23") == [*range(3, 23)]
        assert await browser.ids("/s/Ministry?after=10") == [*range(11, 30), 31]
        assert await browser.ids("/s/Ministry/20") == [*range(10, 30), 31]
        assert await browser.ids("/s/Ministry?before=43") == [*range(22, 30), *range(31, 42)]  # never cut in two
        head, last = await browser.page("/s/ministry"), await browser.page("/s/ministry?before=1")
        assert head.css_first("link[rel=prev]").attributes["href"] == "/s/Ministry?before=23"
        assert head.css_first(".tme_messages_more").attributes["data-before"] == "23"
        assert head.css_first("link[rel=next]") is None
        assert head.css_first("link[rel=canonical]").attributes["href"] == "/s/Ministry?before=44"
        assert last.css_first("link[rel=prev]").attributes["href"] == "/s/Ministry?before="
        assert last.css_first(".tgme_channel_info_header_title").text() == "Ministry & Co"
        album = head.css(".tgme_widget_message")[-1]
        assert (view(album)["c"], view(album)["p"]) == (-made.id, "41g")
        links = [link.attributes["href"] for link in album.css("a.grouped_media_wrap")]
        assert links == [f"https://t.me/Ministry/{number}?single" for number in (41, 42, 43)]
        assert (await browser.get("/s/ministry"))[1] != (await browser.get("/s/ministry"))[1]


async def test_posts_say_what_the_pages_say_and_hide_what_they_hide() -> None:
    async with browsing() as browser:
        made = channel(browser)
        question = types.TextWithEntities("Which?", [])
        answers = [types.PollAnswer(types.TextWithEntities(text, []), text.encode()) for text in ("One", "Two")]
        poll = types.MessageMediaPoll(types.Poll(1, question, answers, 0), types.PollResults(total_voters=0))
        made.post("First", signature="edited")
        made.post(rich=rich("Long"), shown=None)
        made.post("Answer", media=poll, reply_to=1)
        made.edit(made.post("Before").id, "After")
        made.pin(1)
        made.post("Seen", forward=made.kept.messages[1], views=12_512_345)
        made.react(6, "👍", 1234)
        posts = (await browser.page("/s/ministry")).css(".tgme_widget_message")
        meta = [post.css_first(".tgme_widget_message_meta") for post in posts]
        assert [" ".join(each.text(deep=False).split()) for each in meta] == [",", "", "", "edited", "", ""]
        assert (
            meta[0].css_first("time").attributes["datetime"] == f"{made.kept.messages[1].date:%Y-%m-%dT%H:%M:%S}+00:00"
        )
        bubble = posts[1].css_first(".tgme_widget_message_bubble > .message_media_not_supported_wrap")
        assert bubble.css_first(".message_media_not_supported_label").text() == "Please open Telegram to view this post"
        assert posts[1].css_first(".js-message_text") is None
        assert posts[2].css_first(".tgme_widget_message_reply").attributes["href"] == "https://t.me/Ministry/1"
        assert [each.text() for each in posts[2].css(".tgme_widget_message_poll_option_text")] == ["One", "Two"]
        assert "service_message" in (posts[4].attributes["class"] or "")
        assert posts[4].css_first(".js-message_text").text() == "Ministry & Co pinned «First»"
        assert posts[5].css_first(".tgme_widget_message_forwarded_from_name").attributes["href"].endswith("/Ministry/1")
        assert posts[5].css_first(".tgme_widget_message_views").text() == "12.5M"
        assert posts[5].css_first(".tgme_reaction").text() == "👍1.23K"
        embed = (await browser.page("/ministry/4?embed=1")).css_first(".tgme_widget_message")
        assert embed.attributes["data-post-id"] == "4"
        assert embed.css_first(".js-message_text").text() == "After"
        assert "Service message" in (await browser.get("/ministry/5?embed=1"))[1]


async def test_names_show_what_they_are_and_only_channels_have_a_preview() -> None:
    async with browsing() as browser:
        world, pages = browser.world, browser.pages
        made = channel(browser, posts=1)
        world.add_channel("Group", username="groupie", megagroup=True).post("In a group", author=world.add_user("Anna"))
        world.add_user("Boris", username="boris")
        world.add_bot("1:x", "Robot", "robot_bot")
        titles = {"ministry": "View", "groupie": "View", "boris": "Contact", "robot_bot": "Launch", "nobody": "Contact"}
        for name, verb in titles.items():
            landing = await browser.page(f"/{name}")
            assert landing.css_first("title").text() == f"Telegram: {verb} @{name}"
            assert bool(landing.css(".tgme_page_context_link")) is (name == "ministry")
            assert bool(landing.css(".tgme_page_title")) is (name != "nobody")
            if name != "ministry":
                assert await browser.get(f"/s/{name}") == (302, f"{pages.url}/{name}")
        described = (await browser.page("/ministry/1")).css_first("meta[property='og:description']")
        assert described.attributes["content"] == "Post 1"
        assert "Anna</span>&nbsp;in&nbsp;" in (await browser.get("/groupie/1?embed=1"))[1]
        for path, error in (
            ("/groupie/9", "Post not found"),
            ("/c/1/2", "username @c not found"),
            ("/nobody/1", "@nobody"),
        ):
            page = await browser.page(f"{path}?embed=1")
            assert error in page.css_first(".err_message .tgme_widget_message_error").text()
        pages.faults.switch_off(made)
        assert (await browser.get("/s/ministry"))[0] == 302
        assert not (await browser.page("/ministry")).css(".tgme_page_context_link")
        pages.faults.switch_on(made)
        pages.faults.alias("second", made)
        other = world.take_name(made, "Other")
        other.post("Other")
        assert view((await browser.page("/s/ministry")).css_first(".tgme_widget_message"))["c"] == -other.id


async def test_what_goes_wrong_does_so_on_demand() -> None:
    async with browsing() as browser:
        made, faults = channel(browser, posts=2), browser.pages.faults
        first = await browser.get("/s/ministry")
        faults.stale("ministry")
        assert await browser.get("/s/ministry") == first
        faults.throttle()
        faults.fail()
        assert [(await browser.get("/s/ministry"))[0] for _ in range(3)] == [429, 502, 200]
        faults.shell()
        faults.challenge()
        assert "Contact @ministry" in (await browser.get("/s/ministry"))[1]
        assert len((await browser.get("/s/ministry"))[1]) < 100
        faults.reset(times=2)
        with pytest.raises(ClientConnectionError):
            await browser.get("/s/ministry")
        faults.redesign(classes="js-message_text")
        page = await browser.page("/s/ministry")
        assert page.css(".tgme_widget_message")
        assert not page.css(".js-message_text")
        faults.clear()
        faults.hide(made.kept.messages[1])
        faults.unlist(made.kept.messages[2])
        assert await browser.ids("/s/ministry") == [1]
        assert not (await browser.page("/s/ministry")).css(".js-message_text")
        faults.lag(60)
        assert await browser.ids("/s/ministry") == []
        await browser.pages.hosts[0].down()
        with pytest.raises(ClientConnectionError):
            await browser.get("/s/ministry")
        assert (await browser.get("/s/ministry", host=1))[0] == 200
        await browser.pages.hosts[0].up()
        hold = faults.stall(times=1)
        waiting = asyncio.create_task(browser.get("/s/ministry"))
        await hold.reached()
        hold.release()
        assert (await waiting)[0] == 200
        assert faults.struck["throttle"] == 1
        assert browser.pages.visits[-1].status == 200


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("a <b> $5!\n", [], "a &lt;b&gt; &#036;5&#33;<br/>"),
        ("abc", [types.MessageEntityBold(0, 2), types.MessageEntityItalic(1, 2)], "<b>a<i>b</i></b><i>c</i>"),
        ("x", [types.MessageEntityBlockquote(0, 1, collapsed=True)], "<blockquote expandable>x</blockquote>"),
        ("#тег", [types.MessageEntityHashtag(0, 4)], '<a href="?q=%23%D1%82%D0%B5%D0%B3">#тег</a>'),
    ],
)
def test_texts_are_formatted_as_on_the_pages(text: str, entities: list[types.TypeMessageEntity], html: str) -> None:
    assert formatted(text, entities) == html


def test_hidden_links_are_escaped_twice_and_emoji_are_pictures() -> None:
    link = formatted("👍 here", [types.MessageEntityTextUrl(3, 4, "https://x.org/?a=1&b=2")])
    assert 'href="https://x.org/?a=1&amp;amp;b=2" target="_blank" rel="noopener" onclick="return confirm(' in link
    assert link.startswith(
        '<i class="emoji" style="background-image:url(\'//telegram.org/img/emoji/40/F09F918D.png\')">'
    )


@pytest.mark.parametrize(("number", "shown"), [(467, "467"), (1000, "1K"), (1299, "1.29K"), (12_512_345, "12.5M")])
def test_figures_have_three_digits(number: int, shown: str) -> None:
    assert rounded(number) == shown
