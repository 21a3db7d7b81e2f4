"""Reads what is attached to a post of a public page, and its parts, as `bot.telegram` names them. Pure.

A page shows no ids of media: `Media.id` stays empty. The name of a file is shown, never the file itself.
"""

from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborNode

from bot.models import Media
from bot.parts import Part, PartKind
from bot.sources.page_text import has_class, plain_words, split_link

_KINDS = {  # by class, after the prefix: the kind of Telegram's media
    "photo_wrap": "photo",
    "video_player": "document",  # a GIF too, which plays by itself
    "roundvideo_player": "document",
    "voice_player": "document",
    "document_wrap": "document",
    "sticker_wrap": "document",
    "poll": "poll",
    "venue_wrap": "venue",
    "location_wrap": "geo",
    "contact_wrap": "contact",
    "game": "game",
    "invoice": "invoice",
}
_PARTS = (  # texts beside the post's own, in Telegram's order
    (PartKind.QUOTE, ("tgme_widget_message_reply_quote",)),
    (
        PartKind.PREVIEW,
        ("link_preview_site_name", "link_preview_title", "link_preview_author", "link_preview_description"),
    ),
    (PartKind.POLL, ("tgme_widget_message_poll_question", "tgme_widget_message_poll_option_text")),
    (PartKind.PLACE, ("tgme_widget_message_location_title", "tgme_widget_message_location_address")),
    (PartKind.CONTACT, ("tgme_widget_message_contact_name", "tgme_widget_message_contact_phone")),
    (PartKind.INVOICE, ("tgme_widget_message_invoice_title", "tgme_widget_message_invoice_description")),
    (PartKind.GAME, ("tgme_widget_message_game_title", "tgme_widget_message_game_description")),
)
_WRAPPERS = {f"tgme_widget_message_{name}": kind for name, kind in _KINDS.items()}
_ANY_MEDIA = ", ".join(f".{name}" for name in _WRAPPERS)
_FILE = ".tgme_widget_message_document_wrap"


def read_media(message: LexborNode, item: int | None = None) -> Media | None:
    """Return what a post shows; `item` chooses one message of an album, by its link."""
    for node in message.css(_ANY_MEDIA):
        if item is None or split_link(node.attributes.get("href"))[1] == item:
            return _media(node)
    page = None if item is not None else message.css_first(".tgme_widget_message_link_preview")
    return None if page is None else Media(kind="web_page", title=_words(page, ".link_preview_title"))


def read_parts(message: LexborNode) -> tuple[Part, ...]:
    """Return all parts of a post, in the order in which Telegram's own messages have them."""
    return tuple(dict.fromkeys(_found(message)))  # two equal texts of a kind say no more than one


def _media(node: LexborNode) -> Media:
    kind = next(kind for name, kind in _WRAPPERS.items() if has_class(node, name))
    title = None
    if kind == "poll":
        title = _words(node, ".tgme_widget_message_poll_question")
    elif kind == "venue":
        title = _words(node, ".tgme_widget_message_location_title")
    elif not _is_music(node):
        title = _words(node, ".tgme_widget_message_document_title")
    return Media(kind=kind, title=title)


def _found(message: LexborNode) -> Iterator[Part]:
    for kind, names in _PARTS:
        for name in names:
            yield from _parts(kind, (plain_words(node) for node in message.css(f".{name}")))
    files = [node for node in message.css(_FILE) if not _is_music(node)]
    yield from _parts(PartKind.FILE, (_words(node, ".tgme_widget_message_document_title") for node in files))
    for node in filter(_is_music, message.css(_FILE)):
        performer, title = (_words(node, f".tgme_widget_message_document_{name}") for name in ("extra", "title"))
        yield from _parts(PartKind.AUDIO, [" — ".join(filter(None, (performer, title)))])
    buttons = message.css(".tgme_widget_message_inline_button_text")
    yield from _parts(PartKind.BUTTON, map(plain_words, buttons))


def _parts(kind: PartKind, texts: Iterable[str | None]) -> Iterator[Part]:
    return (Part(kind=kind, text=text) for text in texts if text)


def _is_music(node: LexborNode) -> bool:
    return node.css_first(".tgme_widget_message_document_icon.audio") is not None


def _words(node: LexborNode, selector: str) -> str | None:
    return plain_words(node.css_first(selector)) or None
