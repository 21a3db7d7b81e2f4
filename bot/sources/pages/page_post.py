"""Reads one post of a public page: who, when, what it says and what is attached. Pure."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from selectolax.lexbor import LexborNode

from bot.errors import ChannelwatchError
from bot.models import Entity, Forward, Media
from bot.parts import Part
from bot.sources.page_text import PageText, has_class, plain_words, read_text, split_link
from bot.sources.pages.page_media import read_media, read_parts

_MESSAGE_ID = re.compile(r"(\d{1,10})(g?)")  # `g` follows that of an album
_MOST_CHANNELS = 10**12  # bare ids are below, by Telegram's documentation of ids
_COUNT = re.compile(r"(\d[\d.,\s]*)([KMB]?)")
_SCALE = {"K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_NOT_OURS = (  # what other posts and pages say inside a post
    "tgme_widget_message_reply",
    "tgme_widget_message_link_preview",
)
_KNOWN = frozenset(  # what stands in a bubble with words in it, after the prefix
    {
        "author",
        "contact_wrap",
        "document_wrap",
        "footer",
        "forwarded_from",
        "game",
        "grouped_wrap",
        "info",
        "inline_keyboard",
        "invoice",
        "link_preview",
        "location_wrap",
        "photo_wrap",
        "poll",
        "reactions",
        "reply",
        "roundvideo_player",
        "sticker_wrap",
        "text",
        "venue_wrap",
        "via_bot",
        "video_player",
        "voice_player",
    }
)
_FALLBACKS = frozenset({"media_not_supported_cont", "message_media_not_supported_wrap"})
_SERVICE_LABEL = "Service message"  # all that an embedded page says of one


class PageNotUnderstoodError(ChannelwatchError):
    """A public page is not built as we know them: its posts are unknown, which is not the same as none."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"A page of Telegram could not be understood: {reason}. Look for a newer channelwatch.")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """What a message's `data-view` says: base64url of JSON."""

    channel_id: int  # bare
    message_id: int
    is_album: bool
    rendered_at: datetime | None  # by the server's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePost:
    """A post as a public page shows it; an album is one, by its lowest id.

    Pages show no ids of media, of albums' groups and of people, no time of an edit and no number of forwards; views and
    reactions are rounded to three digits.
    """

    message_id: int
    album: tuple[int, ...]  # all ids of an album, ascending; empty: it is none
    date: datetime
    text: str  # empty where there is none, or where it is unreadable here
    entities: tuple[Entity, ...]
    media: Media | None  # of an album that of its first message
    album_media: tuple[Media | None, ...]  # of each id in `album`
    parts: tuple[Part, ...]  # what people see apart from the text
    forward: Forward | None  # its channel by name only
    reply_to: int | None  # the message that is answered, where it is of the same channel
    author: str | None  # the signature; in groups the sender's name
    views: int | None
    reactions: int | None  # of all kinds together
    is_edited: bool
    is_service: bool  # a join, a pin, a new title: no post to Telegram's API
    is_unreadable: bool  # it says something that this page does not show, as long posts do: never an empty post
    html: str  # of its element, as the parser writes it: the evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPost:
    """A post together with what its element says of its channel."""

    post: PagePost
    username: str  # as the page spells it
    view: PageView | None
    is_strange: bool  # it has no text, and words in something that we do not know


def read_post(message: LexborNode) -> FoundPost:
    """Read a `.tgme_widget_message`. Raises PageNotUnderstoodError."""
    username, message_id = _address(message)
    view = _view(message)
    if view is not None and view.message_id != message_id:
        raise PageNotUnderstoodError(f"post {message_id} says that it is {view.message_id}")
    bubble = message.css_first(".tgme_widget_message_bubble") or message
    text = _text(bubble)
    is_strange = not text.text.strip() and _has_strangers(bubble)
    album = _album(bubble, username, message_id, is_album=view is not None and view.is_album)
    media = {number: read_media(message, number if album else None) for number in album or (message_id,)}
    parts = read_parts(message)
    label = _unsupported(bubble)
    is_service = has_class(message, "service_message") or label == _SERVICE_LABEL
    says_nothing = not (text.text.strip() or any(media.values()) or parts)
    post = PagePost(
        message_id=message_id,
        album=album,
        date=_date(message, message_id),
        text=text.text if text.text.strip() else "",
        entities=text.entities if text.text.strip() else (),
        media=next(iter(media.values())),
        album_media=tuple(media[number] for number in album),
        parts=parts,
        forward=_forward(bubble),
        reply_to=_reply(bubble, username),
        author=_author(message),
        views=_count(plain_words(message.css_first(".tgme_widget_message_views"))),
        reactions=_reactions(message),
        is_edited=_is_edited(message),
        is_service=is_service,
        is_unreadable=not (is_service or text.text.strip()) and (says_nothing or is_strange or label is not None),
        html=message.html or "",
    )
    return FoundPost(post=post, username=username, view=view, is_strange=is_strange and not is_service)


def _address(message: LexborNode) -> tuple[str, int]:
    """Return the channel's name and the message's id; pages before 2019 name both in the link of the date only."""
    link = message.attributes.get("data-post")
    if link is None:
        date = message.css_first("a.tgme_widget_message_date")
        link = None if date is None else date.attributes.get("href")
    name, message_id = split_link(link)
    if not name or not message_id:
        raise PageNotUnderstoodError("a post has no id")
    return name, message_id


def _view(message: LexborNode) -> PageView | None:
    """Read `data-view`; None where there is none, or where it names no channel. Raises PageNotUnderstoodError."""
    written = message.attributes.get("data-view") or ""
    try:
        said = json.loads(urlsafe_b64decode(written + "=" * (-len(written) % 4)))
        channel, number, rendered = said.get("c"), str(said.get("p")), said.get("t")
    except (ValueError, AttributeError):
        return None
    found = _MESSAGE_ID.fullmatch(number)
    if type(channel) is not int or found is None:
        return None
    if not 0 < abs(channel) < _MOST_CHANNELS:
        raise PageNotUnderstoodError(f"{channel} is no channel's id")
    return PageView(
        channel_id=abs(channel),
        message_id=int(found[1]),
        is_album=bool(found[2]),
        rendered_at=datetime.fromtimestamp(rendered, UTC) if type(rendered) is int and 0 < rendered < 1 << 32 else None,
    )


def _date(message: LexborNode, message_id: int) -> datetime:
    """Read the date; a video's length is a `time` as well."""
    shown = message.css_first(".tgme_widget_message_date time")
    try:
        date = datetime.fromisoformat((shown.attributes.get("datetime") or "") if shown else "")
    except ValueError:
        date = None
    if date is None or date.tzinfo is None:
        raise PageNotUnderstoodError(f"post {message_id} has no date")
    return date.astimezone(UTC)


def _text(bubble: LexborNode) -> PageText:
    """Read the post's own text: the innermost, for captions of albums stand in two; several stand one below another."""
    found = [
        node
        for node in bubble.css(".tgme_widget_message_text")
        if _is_innermost(node)
        if not _is_inside(node, _NOT_OURS) and not has_class(node, "js-message_reply_text")
    ]
    texts = [text for text in map(read_text, found) if text.text]
    return texts[0] if len(texts) == 1 else PageText.joined(texts)


def _is_innermost(node: LexborNode) -> bool:
    return all(inner.mem_id == node.mem_id for inner in node.css(".tgme_widget_message_text"))


def _is_inside(node: LexborNode, names: tuple[str, ...]) -> bool:
    above = node.parent
    while above is not None:
        if any(has_class(above, name) for name in names):
            return True
        above = above.parent
    return False


def _album(bubble: LexborNode, username: str, own: int, *, is_album: bool) -> tuple[int, ...]:
    """Return the ids of an album, which stand in the links of its items only."""
    ids = {own}
    for link in bubble.css('a[href$="?single"]'):
        name, message_id = split_link(link.attributes.get("href"))
        if name.lower() == username.lower() and message_id and not _is_inside(link, ("tgme_widget_message_text",)):
            ids.add(message_id)
    return tuple(sorted(ids)) if is_album or len(ids) > 1 else ()


def _unsupported(bubble: LexborNode) -> str | None:
    """Return the label that stands in the place of a post's content; None where there is content.

    The same label stands beside content, as a fallback for old browsers, and inside players: those mean nothing.
    """
    for child in bubble.iter():
        if has_class(child, "message_media_not_supported_wrap") and not has_class(child, "media_not_supported_cont"):
            return plain_words(child.css_first(".message_media_not_supported_label"))
    return None


def _has_strangers(content: LexborNode) -> bool:
    """Return whether something with words in a bubble has no class that we know."""
    return any(_is_strange(child) for child in content.iter())


def _is_strange(node: LexborNode) -> bool:
    names = set((node.attributes.get("class") or "").split())
    if names & {"media_supported_cont", "js-message_media"}:
        return _has_strangers(node)
    is_known = names & _FALLBACKS or {name.removeprefix("tgme_widget_message_") for name in names} & _KNOWN
    return not is_known and bool(plain_words(node))


def _forward(bubble: LexborNode) -> Forward | None:
    header = bubble.css_first(".tgme_widget_message_forwarded_from")
    if header is None:
        return None
    origin = header.css_first(".tgme_widget_message_forwarded_from_name")
    link = None if origin is None else origin.attributes.get("href")
    return Forward(channel_id=None, message_id=split_link(link)[1], name=plain_words(origin) or None, date=None)


def _reply(bubble: LexborNode, username: str) -> int | None:
    reply = bubble.css_first("a.tgme_widget_message_reply")
    name, message_id = split_link(None if reply is None else reply.attributes.get("href"))
    return message_id if name.lower() == username.lower() else None


def _author(message: LexborNode) -> str | None:
    signature = message.css_first(".tgme_widget_message_from_author")
    if signature is None:
        sender = message.css_first(".tgme_widget_message_author > .tgme_widget_message_author_name")
        signature = None if sender is None or _is_inside(sender, _NOT_OURS) else sender
    return plain_words(signature) or None


def _is_edited(message: LexborNode) -> bool:
    """Return whether «edited» stands before the date; a signature may be that word too, in an element of its own."""
    meta = message.css_first(".tgme_widget_message_meta")
    bare = "" if meta is None else "".join(child.text_content or "" for child in _texts(meta))
    return "edited" in re.split(r"\W+", bare)


def _texts(node: LexborNode) -> Iterator[LexborNode]:
    return (child for child in node.iter(include_text=True) if child.is_text_node)


def _reactions(message: LexborNode) -> int | None:
    """Add up the reactions; None where no block of them is shown."""
    if message.css_first(".tgme_widget_message_reactions") is None:
        return None
    shown = ("".join(child.text_content or "" for child in _texts(node)) for node in message.css(".tgme_reaction"))
    return sum(filter(None, map(_count, shown)))


def _count(shown: str) -> int | None:
    """Read a number as pages round it: 12.5M, 1,5K; without a letter all of its digits count."""
    found = _COUNT.fullmatch(shown.strip())
    if found is None:
        return None
    if not found[2]:
        return int(re.sub(r"\D", "", found[1]) or 0)
    try:
        return round(float(re.sub(r"\s", "", found[1]).replace(",", ".")) * _SCALE[found[2]])
    except ValueError:
        return None
