"""Reads Telegram's public web pages: a channel's posts, one embedded post, and what a name belongs to. Pure.

What is checked is how a page is built, never its words: a page that is built otherwise raises PageNotUnderstoodError,
for its posts are unknown, which is not the same as none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.sources.page_text import plain_words
from bot.sources.pages.page_post import FoundPost, PageNotUnderstoodError, PagePost, read_post

__all__ = [
    "ChannelPage",
    "EmbedPage",
    "EmbedRefusal",
    "LandingKind",
    "LandingPage",
    "PageNotUnderstoodError",
    "PagePost",
    "is_by_telegram",
    "read_embed",
    "read_landing",
    "read_page",
]

_PEER = re.compile(r"c(\d{1,12})_-?\d+")
_CURSOR = re.compile(r"[?&]before=(\d{1,10})\b")
_NUMBER = re.compile(r"\d[\d\s.,]*")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "source", "wbr"})  # these hold nothing
_DEEPEST = 2000  # real pages have some dozens
_ENDLESS = "its elements are nested without end"
_STRANGE_PAGE = 2  # posts that say something unknown on a page of which no other post is understood
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPage:
    """A stretch of a channel's posts, oldest first, as https://t.me/s/NAME shows it."""

    channel_id: int | None  # bare; None: the page shows no post that names it
    username: str  # the channel's own spelling, perhaps of another name than was asked for
    title: str | None
    description: str | None
    posts: tuple[PagePost, ...]
    older: int | None  # ask for posts before this id; None: there are none
    rendered_at: datetime | None  # by the server's clock: old where a cache answered


class EmbedRefusal(StrEnum):
    """Why an embedded page shows no post."""

    NO_POST = "no post"  # deleted, never there, or nothing that can be shown: the page does not say which
    NO_CHANNEL = "no channel"
    HIDDEN = "hidden"  # «couldn't be displayed on your device»
    COPYRIGHT = "copyright"
    LAW = "law"  # withheld where our request came from
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPage:
    """One post, as https://t.me/NAME/ID?embed=1 shows it, or why it is not shown."""

    channel_id: int | None  # bare; of a group too
    username: str | None
    post: PagePost | None
    rendered_at: datetime | None
    refusal: EmbedRefusal | None = None


class LandingKind(StrEnum):
    """What a name belongs to, as https://t.me/NAME says."""

    CHANNEL = "channel"
    GROUP = "group"
    BOT = "bot"
    USER = "user"
    NOBODY = "nobody"  # a free name; a server that throttles answers the same of any
    BANNED = "banned"
    INVITATION = "invitation"  # a private link


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPage:
    """What a name belongs to."""

    kind: LandingKind
    title: str | None
    description: str | None
    members: int | None  # exact: subscribers, members, or users a month of a bot
    has_page: bool  # whether the channel's posts can be read without an account


def read_page(html: str) -> ChannelPage:
    """Read a page of posts. Raises PageNotUnderstoodError."""
    return _guarded(_read_page, html)


def read_embed(html: str) -> EmbedPage:
    """Read an embedded post. Raises PageNotUnderstoodError."""
    return _guarded(_read_embed, html)


def read_landing(html: str) -> LandingPage:
    """Read what a name belongs to. Raises PageNotUnderstoodError."""
    return _guarded(_read_landing, html)


def is_by_telegram(html: str) -> bool:
    """Return whether a page looks like one of Telegram's at all; else somebody between us and Telegram wrote it."""
    return "tgme_" in html or '<meta property="og:site_name" content="Telegram">' in html


def _guarded(read: Callable[[LexborHTMLParser], T], html: str) -> T:
    if _depth(html) > _DEEPEST:
        raise PageNotUnderstoodError(_ENDLESS)
    try:
        return read(LexborHTMLParser(html))
    except RecursionError:
        raise PageNotUnderstoodError(_ENDLESS) from None


def _depth(html: str) -> int:
    """Return about how deep elements are nested: the parser takes minutes where that is without end."""
    depth = deepest = 0
    for tag in _TAG.finditer(html):
        if tag[1]:
            depth = max(0, depth - 1)
        elif tag[2].lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _read_page(tree: LexborHTMLParser) -> ChannelPage:
    main = tree.css_first("main[data-url]")
    history = tree.css_first("main .tgme_channel_history")
    if main is None or history is None:
        raise PageNotUnderstoodError("it has no history of a channel")
    found = [read_post(node) for node in history.css(".tgme_widget_message")]
    _check_posts(history, found)
    posts = tuple(sorted((each.post for each in found), key=lambda post: post.message_id))
    username = found[0].username if found else (main.attributes.get("data-url") or "").strip("/")
    return ChannelPage(
        channel_id=_common({each.view.channel_id for each in found if each.view}, "channels"),
        username=_common({username, *(each.username for each in found)}, "names") or "",
        title=plain_words(tree.css_first(".tgme_channel_info_header_title")) or _meta(tree, "og:title"),
        description=plain_words(tree.css_first(".tgme_channel_info_description")) or None,
        posts=posts,
        older=_older(tree, posts),
        rendered_at=max((each.view.rendered_at for each in found if each.view and each.view.rendered_at), default=None),
    )


def _check_posts(history: LexborNode, found: Sequence[FoundPost]) -> None:
    """Raise PageNotUnderstoodError where a page has something else than posts, or posts that say nothing we know."""
    if len(history.css("[data-post]")) > len(found):
        raise PageNotUnderstoodError("some of its posts are built in a new way")
    if not found and _says_something(history):
        raise PageNotUnderstoodError("its history holds something else than posts")
    strange = sum(each.is_strange for each in found)
    if strange >= _STRANGE_PAGE and strange > len(found) / 2:
        raise PageNotUnderstoodError("what its posts say is built in a new way")


def _says_something(history: LexborNode) -> bool:
    """Return whether anything stands in a history without posts but links to more, or the word that there are none."""
    if history.css_first(".tme_no_messages_found") is not None:
        return False
    return bool(plain_words(history)) or history.css_first(".tgme_widget_message_wrap") is not None


def _common(values: set[T], of: str) -> T | None:
    if len({str(value).lower() for value in values}) > 1:
        raise PageNotUnderstoodError(f"its posts are of several {of}")
    return next(iter(values), None)


def _older(tree: LexborHTMLParser, posts: Sequence[PagePost]) -> int | None:
    """Return the cursor of the page before: short pages leave it out, where the lowest id does as well.

    Never zero, which would ask for the newest page again, and never above the posts that are here.
    """
    if not posts:
        return None
    oldest = posts[0].message_id
    found = _cursor(tree)
    older = min(found or oldest, oldest)
    return older if older > 1 else None


def _cursor(tree: LexborHTMLParser) -> int | None:
    link = tree.css_first('link[rel="prev"]')
    found = None if link is None else _CURSOR.search(link.attributes.get("href") or "")
    more = tree.css_first(".tme_messages_more[data-before]")
    written = found[1] if found else "" if more is None else more.attributes.get("data-before") or ""
    return int(written) if written.isdecimal() and int(written) > 0 else None


def _meta(tree: LexborHTMLParser, name: str) -> str | None:
    found = tree.css_first(f'meta[property="{name}"], meta[name="{name}"]')
    return None if found is None else (found.attributes.get("content") or "").strip() or None


def _read_embed(tree: LexborHTMLParser) -> EmbedPage:
    refused = tree.css_first(".tgme_widget_message_error")
    if refused is not None:
        refusal = _refusal(plain_words(refused))
        return EmbedPage(channel_id=None, username=None, post=None, rendered_at=None, refusal=refusal)
    message = tree.css_first(".tgme_widget_message")
    if message is None:
        raise PageNotUnderstoodError("it shows neither a post nor why there is none")
    found = read_post(message)
    if found.is_strange:
        raise PageNotUnderstoodError("what its post says is built in a new way")
    peer = _PEER.fullmatch(message.attributes.get("data-peer") or "")
    return EmbedPage(
        channel_id=found.view.channel_id if found.view else int(peer[1]) if peer else None,
        username=found.username,
        post=found.post,
        rendered_at=found.view.rendered_at if found.view else None,
    )


def _refusal(words: str) -> EmbedRefusal:
    for part, refusal in (
        ("Post not found", EmbedRefusal.NO_POST),
        ("not found", EmbedRefusal.NO_CHANNEL),
        ("be displayed", EmbedRefusal.HIDDEN),
        ("copyright", EmbedRefusal.COPYRIGHT),
        ("law", EmbedRefusal.LAW),
    ):
        if part in words:
            return refusal
    return EmbedRefusal.OTHER


def _read_landing(tree: LexborHTMLParser) -> LandingPage:
    page = tree.css_first(".tgme_page")
    if page is None:
        raise PageNotUnderstoodError("it does not say what its name belongs to")
    extra = " ".join(plain_words(node) for node in page.css(".tgme_page_extra"))
    number = _NUMBER.search(re.sub(r"@\w+", "", extra))
    preview = page.css_first("a.tgme_page_context_link")
    return LandingPage(
        kind=_landing_kind(tree, page, extra, has_page=preview is not None),
        title=plain_words(page.css_first(".tgme_page_title span")) or None,
        description=plain_words(page.css_first(".tgme_page_description")) or None,
        members=int(re.sub(r"\D", "", number[0])) if number else None,
        has_page=preview is not None and (preview.attributes.get("href") or "").startswith("/s/"),
    )


def _landing_kind(tree: LexborHTMLParser, page: LexborNode, extra: str, *, has_page: bool) -> LandingKind:
    """Tell the kinds apart: by elements where they differ, else by the unit of the number of people."""
    words, heading = plain_words(page), plain_words(tree.css_first("title"))
    if has_page or "subscriber" in extra:
        return LandingKind.CHANNEL
    if "member" in extra or "online" in extra:
        return LandingKind.GROUP
    if "invited to" in words:
        return LandingKind.INVITATION
    if page.css_first(".tgme_page_title") is None:
        return LandingKind.BANNED if "view posts" in words else LandingKind.NOBODY
    if "monthly user" in extra or "Launch @" in heading:
        return LandingKind.BOT
    if "Contact @" in heading:
        return LandingKind.USER
    raise PageNotUnderstoodError("it does not say what its name belongs to")
