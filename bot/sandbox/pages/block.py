"""One block of a page: a post, or an album, which is one block under its lowest id."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from telethon import utils
from telethon.tl import types as tl

from bot.sandbox.pages import media
from bot.sandbox.pages.text import HOST, escape, formatted, noun, plain, rounded
from bot.sandbox.world.channels import Channel
from bot.sandbox.world.messages import Message
from bot.sandbox.world.peers import Account, Peer

_OPEN = "Please open Telegram to view this post"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SPAN = '<span class="{}" dir="auto">{}</span>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One rendering of a page: no two are equal."""

    peers: Mapping[int, Peer]  # by marked id
    at: datetime
    draw: Callable[[], str]  # a new number in hex
    is_hidden: Callable[[Message], bool]  # a post whose content the page does not show
    is_embed: bool = False


class Blocks:
    """The blocks of one channel or supergroup on one page."""

    def __init__(self, chat: Channel, rendering: Rendering) -> None:
        self._chat = chat
        self._on = rendering
        self._home = f"{HOST}/{chat.username}"

    def block(self, album: Sequence[Message]) -> str:
        """Return the block of a post, or of an album's items by their ids."""
        first = album[0]
        link = f"{self._home}/{first.id}"
        compact, short = ("", "") if self._on.is_embed else (" compact", " short")
        is_service = " service_message" if first.action is not None and not self._on.is_embed else ""
        logo = '<a class="tgme_widget_message_bubble_logo" href="//core.telegram.org/widgets"></a>'
        anchor = f"""<div class="tgme_widget_message_link accent_color">\
<a href="{link}" class="link_anchor flex_ellipsis"><span class="ellipsis">{self._home.removeprefix("https://")}</span>/{first.id}</a></div>"""
        return f"""<div class="tgme_widget_message text_not_supported_wrap{media.kind_of(first.media)}{is_service} \
js-widget_message" data-post="{self._chat.username}/{first.id}"{self._identity(album)}>
  <div class="tgme_widget_message_user"><a href="{self._home}"><i class="tgme_widget_message_user_photo bgcolor2" \
data-content="{escape(self._chat.title[:1])}"><img src="https://cdn4.telesco.pe/file/{self._chat.id:x}.jpg"></i></a></div>
  <div class="tgme_widget_message_bubble">
    {logo if self._on.is_embed else ""}
        <i class="tgme_widget_message_bubble_tail"></i>
    <div class="tgme_widget_message_author accent_color">{self._author(first)}</div>

{self._forward(first)}{self._reply(first)}
{self._content(album, link)}
{_reactions(first)}<div class="tgme_widget_message_footer{compact} js-message_footer">
  {anchor if self._on.is_embed else ""}
  <div class="tgme_widget_message_info{short} js-message_info">
    {_counts(first)}<span class="tgme_widget_message_meta">{_signed(album)}{self._date(first.date, link)}</span>
  </div>
</div>
  </div>
  {_buttons(first)}
</div>"""

    def _identity(self, album: Sequence[Message]) -> str:
        """Return the attributes that say whose post it is; of a supergroup only an embed says so."""
        chat, first, pieces = self._chat, album[0], []
        if not chat.megagroup:
            number = f"{first.id}g" if len(album) > 1 else first.id
            view = {"c": -chat.id, "p": number, "t": int(self._on.at.timestamp()), "h": self._on.draw()}
            packed = base64.urlsafe_b64encode(json.dumps(view, separators=(",", ":")).encode())
            pieces.append(f' data-view="{packed.decode().rstrip("=")}"')
        if self._on.is_embed:
            peer = f"c{chat.id}_{chat.hub.access_hash(0, chat.marked)}"
            pieces.append(f' data-peer="{peer}" data-peer-hash="{self._on.draw()}" data-post-id="{first.id}"')
        return "".join(pieces)

    def _author(self, message: Message) -> str:
        owner = _named("owner", self._home, self._chat.title)
        if message.author is None:
            return owner
        author = self._on.peers[message.author]
        return f"{_named('author', _address(author), _title(author))}&nbsp;in&nbsp;{owner}"

    def _forward(self, message: Message) -> str:
        header = message.forward
        if header is None:
            return ""
        origin = None if header.from_id is None else self._on.peers[utils.get_peer_id(header.from_id)]
        href = None if origin is None else _address(origin)
        if href is not None and header.channel_post is not None:
            href += f"/{header.channel_post}"
        name = _named("forwarded_from", href, header.from_name or "" if origin is None else _title(origin))
        author = _SPAN.format("tgme_widget_message_forwarded_from_author", plain(header.post_author or ""))
        signed = f"&nbsp;({author})" if header.post_author else ""
        return (
            f'<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;{name}{signed}</div>\n'
        )

    def _reply(self, message: Message) -> str:
        answered = self._chat.kept.messages.get(message.reply_to or 0)
        if answered is None or message.action is not None:
            return ""
        author = self._chat if answered.author is None else self._on.peers[answered.author]
        name = _SPAN.format("tgme_widget_message_author_name", plain(_title(author)))
        kind, words = "text", plain(answered.text)
        if not answered.text:
            kind, words = "metatext", media.word_for(answered.media)
        return f"""<a class="tgme_widget_message_reply user-color-default" href="{self._home}/{answered.id}" ">
<div class="tgme_widget_message_author accent_color">
  {name}
</div>
<div class="tgme_widget_message_{kind} js-message_reply_text" dir="auto">{words}</div>
</a>"""

    def _content(self, album: Sequence[Message], link: str) -> str:
        first = album[0]
        if first.action is not None:
            words = self._service(first)
            return media.unsupported("Service message", link) if self._on.is_embed else words and _text(words)
        if any(each.rich is not None or each.unknown or self._on.is_hidden(each) for each in album):
            return media.unsupported(_OPEN, link)
        if not all(media.is_shown(each.media) for each in album):
            return media.unsupported(media.UNSUPPORTED, link)
        words = "".join(_text(formatted(each.text, each.entities)) for each in album if each.text)
        if len(album) > 1:
            return self._album(album, words, link)
        shown = media.single(first.media, link) + words
        if "<tg-emoji" in words:
            shown = _with_fallback(shown, link)
        return shown + media.link_preview(first.media)

    def _album(self, album: Sequence[Message], words: str, link: str) -> str:
        items = "".join(media.item(each.media, f"{self._home}/{each.id}") for each in album if each.media is not None)
        grouped = f"""<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap" data-margin-w="2" \
data-margin-h="2" style="width:453px;">
  <div class="tgme_widget_message_grouped js-message_grouped" style="padding-top:68.653%">
    <div class="tgme_widget_message_grouped_layer js-message_grouped_layer" style="width:453px;height:311px">
      {items}
    </div>
  </div>
</div>"""
        if album[0].forward is not None:  # seen without the box beside it, and with a caption inside a caption
            return grouped + (words and _text(words))
        inner = _with_fallback(grouped + words, f"{link}?single")
        return _with_fallback(f'<div class="tgme_widget_message_one_media js-message_media">{inner}</div>', link)

    def _service(self, message: Message) -> str:
        """Return the sentence of a service message; of many kinds the pages say nothing."""
        action = message.action
        if isinstance(action, tl.MessageActionChannelCreate):
            return "Channel created"
        if isinstance(action, tl.MessageActionChatEditPhoto):
            return "Channel photo updated"
        if isinstance(action, tl.MessageActionChatEditTitle):
            return (
                f"Channel name was changed to «{_SPAN.format('tgme_widget_service_strong_text', plain(action.title))}»"
            )
        pinned = self._chat.kept.messages.get(message.reply_to or 0)
        if not isinstance(action, tl.MessageActionPinMessage) or pinned is None:
            return ""
        words = _SPAN.format("tgme_widget_service_strong_text", plain(pinned.text))
        return f"{_named('author', self._home, self._chat.title)} pinned «{words}»"

    def _date(self, date: datetime, link: str) -> str:
        at = date.astimezone(UTC)
        name, shown = "time", f"{at:%H:%M}"
        if self._on.is_embed:
            year = "" if at.year == self._on.at.year else f", {at.year}"
            name, shown = "datetime", f"{_MONTHS[at.month - 1]} {at.day}{year} at {shown}"
        time = f'<time datetime="{at:%Y-%m-%dT%H:%M:%S}+00:00" class="{name}">{shown}</time>'
        return f'<a class="tgme_widget_message_date" href="{link}">{time}</a>'


def _named(role: str, href: str | None, name: str) -> str:
    if href is None:
        return _SPAN.format(f"tgme_widget_message_{role}_name", plain(name))
    return f'<a class="tgme_widget_message_{role}_name" href="{href}"><span dir="auto">{plain(name)}</span></a>'


def _title(peer: Peer) -> str:
    return peer.first_name if isinstance(peer, Account) else str(getattr(peer, "title", ""))


def _address(peer: Peer) -> str | None:
    return f"{HOST}/{peer.username}" if peer.username else None


def _text(words: str) -> str:
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{words}</div>'


def _with_fallback(shown: str, link: str) -> str:
    """Put the box for old browsers beside what is shown: it stands there and means nothing."""
    box = media.unsupported(_OPEN, link)
    return f'<div class="media_supported_cont">{shown}</div><div class="media_not_supported_cont">{box}</div>'


def _reactions(message: Message) -> str:
    shown = "".join(
        f'<span class="tgme_reaction">{plain(emoji)}{rounded(count)}</span>'
        for emoji, count in message.reactions.items()
    )
    return shown and f'<div class="tgme_widget_message_reactions js-message_reactions">{shown}</div>'


def _counts(message: Message) -> str:
    counts = []
    if isinstance(message.media, tl.MessageMediaPoll):
        counts.append(("voter", message.media.results.total_voters or 0))
    if message.views is not None:
        counts.append(("view", message.views))
    return "".join(
        f'<span class="tgme_widget_message_{word}s">{rounded(count)}</span>'
        f'<span class="copyonly"> {noun(count, word)}</span>'
        for word, count in counts
    )


def _signed(album: Sequence[Message]) -> str:
    """Return the signature, and «edited» as a bare text: it has no class and no time."""
    signature = album[0].signature
    signed = _SPAN.format("tgme_widget_message_from_author", plain(signature)) + ",&nbsp;" if signature else ""
    is_edited = any(each.edit_date is not None and not each.edit_hide for each in album)
    return f"{signed}edited &nbsp;" if is_edited else signed


def _buttons(message: Message) -> str:
    markup = message.reply_markup
    rows = markup.rows if isinstance(markup, tl.ReplyInlineMarkup) else []
    shown = [
        f"""<a class="tgme_widget_message_inline_button url_button" href="{escape(button.type.url)}">\
{_SPAN.format("tgme_widget_message_inline_button_text", plain(button.text))}</a>"""
        for row in rows
        for button in row.buttons
        if isinstance(button.type, tl.InlineButtonTypeUrl)
    ]
    return f'<div class="tgme_widget_message_inline_row">{"".join(shown)}</div>' if shown else ""
