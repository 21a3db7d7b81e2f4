"""Reads the parts of a message: the texts beside its own, such as polls, previews, quotes and file names."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from telethon.tl import TLObject, types

from bot.parts import Part, PartKind

_Texts = Iterator[str | None]


def to_parts(message: types.Message) -> tuple[Part, ...]:
    """Return all parts of a message, in the order in which they are shown."""
    if message.media is None and message.reply_to is None and message.reply_markup is None and not message.factcheck:
        return ()
    return tuple(dict.fromkeys(_found(message)))  # two equal texts of a kind say no more than one


def _found(message: types.Message) -> Iterator[Part]:
    header = message.reply_to
    if isinstance(header, types.MessageReplyHeader):
        yield from _parts(PartKind.QUOTE, iter((header.quote_text,)))
    yield from _of_media(message.media)
    if message.factcheck is not None:
        yield from _parts(PartKind.NOTE, iter((_plain(message.factcheck.text),)))
    for row in getattr(message.reply_markup, "rows", ()):
        yield from _parts(PartKind.BUTTON, (button.text for button in row.buttons))


def _of_media(media: TLObject | None) -> Iterator[Part]:
    read = _MEDIA.get(type(media))
    if read is None:
        return
    kind, texts = read
    yield from _parts(kind, texts(media))
    if isinstance(media, types.MessageMediaDocument) and isinstance(media.document, types.Document):
        yield from _parts(PartKind.AUDIO, _audio(media.document))


def _parts(kind: PartKind, texts: _Texts) -> Iterator[Part]:
    for text in texts:
        stripped = (text or "").strip()
        if stripped:
            yield Part(kind=kind, text=stripped)


def _plain(text: TLObject | str | None) -> str | None:
    return text.text if isinstance(text, types.TextWithEntities) else text


def _page(media: types.MessageMediaWebPage) -> _Texts:
    page = media.webpage
    if isinstance(page, types.WebPage):  # else it is still being loaded, or there is none
        yield from (page.site_name, page.title, page.author, page.description)


def _poll(media: types.MessageMediaPoll) -> _Texts:
    yield _plain(media.poll.question)
    yield from (_plain(getattr(answer, "text", None)) for answer in media.poll.answers)
    yield media.results.solution


def _to_do(media: types.MessageMediaToDo) -> _Texts:
    yield _plain(media.todo.title)
    yield from (_plain(item.title) for item in media.todo.list)


def _file(media: types.MessageMediaDocument) -> _Texts:
    if isinstance(media.document, types.Document):
        attributes = media.document.attributes
        yield from (a.file_name for a in attributes if isinstance(a, types.DocumentAttributeFilename))


def _audio(document: types.Document) -> _Texts:
    for attribute in document.attributes:
        if isinstance(attribute, types.DocumentAttributeAudio):
            yield " — ".join(filter(None, (attribute.performer, attribute.title)))


def _contact(media: types.MessageMediaContact) -> _Texts:
    yield " ".join(filter(None, (media.first_name, media.last_name)))
    yield media.phone_number


def _story(media: types.MessageMediaStory) -> _Texts:
    yield getattr(media.story, "caption", None)  # a story may have expired


def _fields(*path: str) -> Callable[[TLObject], _Texts]:
    """Return a reader of some fields, given by their paths."""
    getters = [attrgetter(name) for name in path]
    return lambda media: (getter(media) for getter in getters)


_MEDIA: dict[type, tuple[PartKind, Callable[[Any], _Texts]]] = {
    types.MessageMediaWebPage: (PartKind.PREVIEW, _page),
    types.MessageMediaPoll: (PartKind.POLL, _poll),
    types.MessageMediaToDo: (PartKind.TO_DO, _to_do),
    types.MessageMediaDocument: (PartKind.FILE, _file),
    types.MessageMediaVenue: (PartKind.PLACE, _fields("title", "address")),
    types.MessageMediaContact: (PartKind.CONTACT, _contact),
    types.MessageMediaInvoice: (PartKind.INVOICE, _fields("title", "description")),
    types.MessageMediaGame: (PartKind.GAME, _fields("game.title", "game.description")),
    types.MessageMediaStory: (PartKind.STORY, _story),
    types.MessageMediaGiveaway: (PartKind.GIVEAWAY, _fields("prize_description")),
    types.MessageMediaGiveawayResults: (PartKind.GIVEAWAY, _fields("prize_description")),
}
