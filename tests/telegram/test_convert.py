from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import types, utils
from telethon.extensions import BinaryReader
from telethon.tl import TLObject
from telethon.tl.alltlobjects import LAYER

from bot.models import Entity, Forward, Media, Post, RawFormat
from bot.models.outgoing import Peer, PeerKind
from bot.telegram.convert import from_entities, from_peer, named_in, to_entities, to_peer, to_post

DATE = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
CHANNEL = types.PeerChannel(1_500_000_001)


def read(message: TLObject, **kwargs: int) -> Post:
    post = to_post(message, **kwargs)
    assert post is not None
    return post


def document(*attributes: TLObject) -> types.Document:
    return types.Document(8, 1, b"", DATE, "text/plain", 3, 2, list(attributes))


def web_page(title: str) -> types.WebPage:
    return types.WebPage(9, "https://e.org", "e.org", 0, title=title)


def poll(question: str) -> types.MessageMediaPoll:
    content = types.Poll(10, types.TextWithEntities(question, []), [], 0)
    return types.MessageMediaPoll(content, types.PollResults())


def test_every_field_of_a_post_is_read() -> None:
    message = types.Message(
        7,
        CHANNEL,
        DATE,
        "Сбой 🛠",
        entities=[types.MessageEntityBold(0, 4)],
        grouped_id=77,
        post_author="Anna",
        views=10,
        forwards=3,
        edit_date=DATE,
        reply_to=types.MessageReplyHeader(reply_to_msg_id=5),
        fwd_from=types.MessageFwdHeader(DATE, from_id=types.PeerChannel(12), channel_post=34),
        restriction_reason=[types.RestrictionReason("all-ru", "law", "Withheld")],
    )
    assert to_post(message) == Post(
        channel_id=1_500_000_001,
        message_id=7,
        withheld=(("all-ru", "law", "Withheld"),),
        date=DATE,
        text="Сбой 🛠",
        entities=(Entity(kind="bold", offset=0, length=4),),
        grouped_id=77,
        author="Anna",
        views=10,
        forwards=3,
        edit_date=DATE,
        reply_to=5,
        root=5,
        forward=Forward(channel_id=12, message_id=34, name=None, date=DATE),
        raw=bytes(message),
        raw_format=RawFormat.TL,
        layer=LAYER,
    )


@pytest.mark.parametrize(
    "message",
    [types.MessageEmpty(7, CHANNEL), types.MessageService(7, CHANNEL, DATE, types.MessageActionChatEditTitle("New"))],
    ids=["empty", "service"],
)
def test_what_is_no_post_is_left_out(message: TLObject) -> None:
    assert to_post(message) is None


def test_the_evidence_can_be_read_again() -> None:
    message = types.Message(7, CHANNEL, DATE, "Text", media=types.MessageMediaWebPage(web_page("Title")))
    post = read(message)
    assert read(BinaryReader(post.raw).tgread_object()) == post


def test_the_channel_may_be_named_from_outside() -> None:
    assert read(types.Message(7, types.PeerUser(1), DATE, "Text"), channel_id=5).channel_id == 5


def test_a_hidden_origin_has_a_name() -> None:
    header = types.MessageFwdHeader(DATE, from_name="Somebody")
    post = read(types.Message(7, CHANNEL, DATE, "Text", fwd_from=header))
    assert post.forward == Forward(channel_id=None, message_id=None, name="Somebody", date=DATE)


@pytest.mark.parametrize(
    ("peer", "target"), [(None, (5, None)), (types.PeerChannel(1), (5, 1)), (types.PeerUser(1), (None, None))]
)
def test_a_reply_names_its_target(peer: TLObject | None, target: tuple[int | None, int | None]) -> None:
    header = types.MessageReplyHeader(reply_to_msg_id=5, reply_to_peer_id=peer)
    post = read(types.Message(7, CHANNEL, DATE, "Text", reply_to=header))
    assert (post.reply_to, post.reply_channel) == target


def test_reactions_are_counted_together() -> None:
    found = [types.ReactionCount(types.ReactionEmoji(emoji), count) for emoji, count in (("👍", 7), ("🌲", 2))]
    assert read(types.Message(7, CHANNEL, DATE, "Text", reactions=types.MessageReactions(found))).reactions == 9
    assert read(types.Message(7, CHANNEL, DATE, "Text")).reactions is None


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (None, None),
        (types.MessageMediaEmpty(), None),
        (types.MessageMediaPhoto(photo=types.PhotoEmpty(6)), Media(kind="photo", id=6)),
        (types.MessageMediaPhoto(), Media(kind="photo")),
        (
            types.MessageMediaDocument(document=document(types.DocumentAttributeFilename("a.txt"))),
            Media(kind="document", id=8, title="a.txt"),
        ),
        (types.MessageMediaDocument(document=document()), Media(kind="document", id=8)),
        (types.MessageMediaWebPage(web_page("Title")), Media(kind="web_page", id=9, title="Title")),
        (types.MessageMediaWebPage(types.WebPagePending(9, DATE)), Media(kind="web_page", id=9)),
        (poll("Why?"), Media(kind="poll", id=10, title="Why?")),
        (
            types.MessageMediaVenue(types.GeoPointEmpty(), "Bank", "Street 1", "", "", ""),
            Media(kind="venue", title="Bank"),
        ),
        (types.MessageMediaUnsupported(), Media(kind="unsupported")),
    ],
)
def test_media_is_kept_as_metadata(media: TLObject | None, expected: Media | None) -> None:
    assert read(types.Message(7, CHANNEL, DATE, "", media=media)).media == expected


def test_a_preview_that_loads_later_is_no_edit() -> None:
    pending = types.Message(
        7, CHANNEL, DATE, "https://e.org", media=types.MessageMediaWebPage(types.WebPagePending(9, DATE))
    )
    loaded = types.Message(7, CHANNEL, DATE, "https://e.org", media=types.MessageMediaWebPage(web_page("Title")))
    assert read(pending).content_hash() == read(loaded).content_hash()


VALUES = {"text_url": st.just("https://e.org"), "pre": st.just("python"), "custom_emoji": st.just("123")}
SENDABLE = [
    st.builds(
        Entity,
        kind=st.just(kind),
        offset=st.integers(0, 4096),
        length=st.integers(1, 4096),
        value=VALUES.get(kind, st.none()),
    )
    for kind in ("bold", "italic", "underline", "strike", "spoiler", "code", "blockquote", *VALUES)
]


@given(st.lists(st.one_of(SENDABLE)))
def test_formatting_survives_the_way_there_and_back(entities: list[Entity]) -> None:
    assert to_entities(from_entities(entities)) == tuple(entities)


def test_what_telegram_finds_by_itself_is_not_sent() -> None:
    found = [types.MessageEntityHashtag(0, 4), types.MessageEntityMentionName(5, 4, 42), types.MessageEntityUrl(10, 9)]
    entities = to_entities(found)
    assert [(entity.kind, entity.value) for entity in entities] == [
        ("hashtag", None),
        ("mention_name", "42"),
        ("url", None),
    ]
    assert from_entities(entities) == []


@pytest.mark.parametrize(
    ("peer", "ours", "address"),
    [
        (types.PeerUser(5), Peer(kind=PeerKind.USER, id=5, access_hash=9), types.InputPeerUser(5, 9)),
        (types.PeerChat(5), Peer(kind=PeerKind.GROUP, id=5), types.InputPeerChat(5)),
        (types.PeerChannel(5), Peer(kind=PeerKind.CHANNEL, id=5, access_hash=9), types.InputPeerChannel(5, 9)),
    ],
)
def test_peers_are_addressed_by_their_kind(peer: TLObject, ours: Peer, address: TLObject) -> None:
    assert to_peer(peer, access_hash=9) == ours
    assert from_peer(ours) == address


@pytest.mark.parametrize(
    "entity",
    [
        types.User(7),
        types.UserEmpty(7),
        types.Chat(7, "G", types.ChatPhotoEmpty(), 2, DATE, 1),
        types.ChatEmpty(7),
        types.ChatForbidden(7, "G"),
        types.Channel(2**40, "N", types.ChatPhotoEmpty(), DATE),
        types.ChannelForbidden(7, 1, "N"),
    ],
    ids=lambda entity: type(entity).__name__,
)
def test_who_is_named_is_found_by_the_id_that_telethon_marks(entity: TLObject) -> None:
    answer = types.messages.Chats([entity])
    assert named_in(answer) == {utils.get_peer_id(entity): entity}
