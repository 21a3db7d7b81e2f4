"""What the embedded server writes and what we read share no code: each is the test of the other."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from telethon import types

from bot.sandbox import Channel, Message
from bot.sandbox.pages.block import Blocks, Rendering
from bot.sandbox.pages.frame import channel_page, contact, embed_error, embed_page, landing
from bot.sandbox.pages.selection import select
from bot.sandbox.pages.text import formatted
from bot.sandbox.world.messages import MessageDraft
from bot.sources.page_text import read_text
from bot.sources.pages.page import EmbedRefusal, LandingKind, read_embed, read_landing, read_page
from tests.kit_rich import rich
from tests.sandbox.worlds import RecordedWorld

ALPHABET = st.sampled_from("ab яЖ<>&\"'!$\n \u00a0👍❤️🧑‍💻🇺🇦")
FORMATS = {types.MessageEntityBold: "bold", types.MessageEntityItalic: "italic", types.MessageEntitySpoiler: "spoiler"}
VIDEO = types.DocumentAttributeVideo(5, 10, 10)


@settings(max_examples=50)
@given(st.text(ALPHABET, max_size=30))
def test_every_text_is_read_as_it_was_written(text: str) -> None:
    read = read_text(LexborHTMLParser(f"<div>{formatted(text, [])}</div>").css_first("div"))
    assert read.text == text


@settings(max_examples=50)
@given(st.sets(st.integers(0, 20), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_formats_are_read_where_they_were_written(edges: set[int], random: Random) -> None:
    entities = [random.choice(list(FORMATS))(start, end - start) for start, end in pairwise(sorted(edges))]
    body = formatted("x" * 20, entities)
    read = read_text(LexborHTMLParser(f"<div>{body}</div>").css_first("div"))
    assert [(e.kind, e.offset, e.length) for e in read.entities] == [
        (FORMATS[type(e)], e.offset, e.length) for e in entities
    ]


def render(channel: Channel, query: dict[str, str] | None = None) -> str:
    page = select(channel.kept.oldest_first(), query or {})
    blocks = Blocks(channel, rendering(channel))
    return channel_page(channel, page, [blocks.block(album) for album in page.albums])


def rendering(channel: Channel, *, is_embed: bool = False) -> Rendering:
    hub = channel.hub
    return Rendering(
        peers=hub.peers, at=hub.clock(), draw=lambda: "0" * 18, is_hidden=lambda _: False, is_embed=is_embed
    )


@pytest.fixture
def news() -> Channel:
    """Return a channel with a post of every kind that the world has."""
    world = RecordedWorld().world
    media = world.media
    channel = world.add_channel("News & Co 👍", username="News")
    channel.about = "All of it!"
    channel.publish(None, MessageDraft(action=types.MessageActionChannelCreate("News")))
    channel.post("First\n\nwith lines", signature="edited", views=1234)
    channel.edit(channel.post("Before").id, "After")
    channel.post(rich=rich("Long", "post"), shown=1)
    channel.post("Unknown", unknown=True)
    channel.album([media.photo(b"1"), media.document(b"2", attributes=[VIDEO])], "An album")
    channel.album([media.photo(b"1"), media.photo(b"2")], "Its forward", forward=channel.kept.messages[6])
    channel.post("", media=media.photo(b"3"))
    channel.post("A file", media=media.document(b"4", name="plan.pdf"), reply_to=2)
    channel.post("GIF", media=media.document(b"5", attributes=[VIDEO, types.DocumentAttributeAnimated()]))
    voice = types.DocumentAttributeAudio(3, voice=True)
    channel.post("", media=media.document(b"6", attributes=[voice]))
    channel.pin(2)
    channel.post("Emoji 👍", entities=[types.MessageEntityCustomEmoji(6, 2, 77)])
    channel.react(channel.last_id, "❤", 29_800)
    return channel


def test_a_page_of_every_kind_of_post_is_read_as_the_world_has_it(news: Channel) -> None:
    page = read_page(render(news))
    assert (page.channel_id, page.username, page.title, page.description) == (
        *(news.id, "News", "News & Co 👍", "All of it!"),
    )
    assert (page.older, page.rendered_at) == (None, news.hub.now())
    shown = {post.message_id: post for post in page.posts}
    items = [number for post in page.posts for number in post.album or (post.message_id,)]
    assert sorted(items) == list(news.kept.messages)
    for number, post in shown.items():
        message = news.kept.messages[number]
        assert post.date == message.date
        assert post.is_service == (message.action is not None)
        assert post.is_unreadable == (message.rich is not None or message.unknown)
        assert post.is_edited == (message.edit_date is not None and not message.edit_hide)
        assert post.author == message.signature
        assert post.reply_to == (message.reply_to if message.action is None else None)
        assert bool(post.forward) == bool(message.forward)
        if not post.is_service:
            assert post.text == ("" if post.is_unreadable else message.text)
            assert bool(post.media) == bool(message.media)
    last = shown[news.last_id]
    assert (last.reactions, last.entities[0].value, shown[2].views) == (29_800, "77", 1230)


def test_walking_back_by_the_links_meets_every_post_once(news: Channel) -> None:
    for number in range(50):
        news.post(f"More {number}")
    news.delete(30, 31, 32)
    met: list[int] = []
    query: dict[str, str] = {}
    while True:
        page = read_page(render(news, query))
        met = [number for post in page.posts for number in post.album or (post.message_id,)] + met
        if page.older is None:
            break
        query = {"before": str(page.older)}
    assert met == list(news.kept.messages)
    assert read_page(render(news, {"before": "1"})).older is None


def test_embeds_and_names_are_read_as_what_they_are(news: Channel) -> None:
    def embedded(message: Message) -> str:
        return embed_page(Blocks(news, rendering(news, is_embed=True)).block([message]))

    read = read_embed(embedded(news.kept.messages[3]))
    assert read.post is not None
    assert (read.channel_id, read.post.text, read.post.is_edited) == (news.id, "After", True)
    pinned = read_embed(embedded(news.kept.messages[14])).post
    assert pinned is not None
    assert pinned.is_service
    assert read_embed(embed_page(embed_error("Post not found"))).refusal is EmbedRefusal.NO_POST
    missing = embed_error("Channel with username @x not found")
    assert read_embed(embed_page(missing)).refusal is EmbedRefusal.NO_CHANNEL
    world = RecordedWorld().world
    names = [
        (landing("News", news, has_page=True), LandingKind.CHANNEL, True),
        (landing("News", news), LandingKind.CHANNEL, False),
        (landing("group", world.add_channel("G", megagroup=True)), LandingKind.GROUP, False),
        (landing("anna", world.add_user("Anna")), LandingKind.USER, False),
        (landing("a_bot", world.add_bot("1:x", "Bot", "a_bot")), LandingKind.BOT, False),
        (contact("anybody"), LandingKind.NOBODY, False),
    ]
    for html, kind, has_page in names:
        name = read_landing(html)
        assert (name.kind, name.has_page) == (kind, has_page)
