"""Reads the parts of a message: the texts beside its own, such as polls, previews, quotes and file names."""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

from telethon.tl import TLObject, types

from bot.parts import Part, PartKind
from bot.telegram.rich import files


def to_parts(message: types.Message) -> tuple[Part, ...]:
    """Return all parts of a message, in the order in which they are shown."""
    bare = message.media is None and message.reply_to is None and message.reply_markup is None
    if bare and not message.factcheck and message.rich_message is None:
        return ()
    return tuple(dict.fromkeys(_found(message)))  # two equal texts of a kind say no more than one


def _found(message: types.Message) -> Iterator[Part]:
    if isinstance(message.reply_to, types.MessageReplyHeader):
        yield from _parts(PartKind.QUOTE, [message.reply_to.quote_text])
    if type(message.media) in _MEDIA:
        kind, texts = _MEDIA[type(message.media)]
        yield from _parts(kind, texts(message.media))
    documents = [getattr(message.media, "document", None)]
    if message.rich_message is not None:
        documents += files(message.rich_message)
        yield from _parts(
            PartKind.FILE, (a.file_name for d in documents for a in _traits(d, types.DocumentAttributeFilename))
        )
    for attribute in (a for d in documents for a in _traits(d, types.DocumentAttributeAudio)):
        yield from _parts(PartKind.AUDIO, [" — ".join(filter(None, (attribute.performer, attribute.title)))])
    if message.factcheck is not None:
        yield from _parts(PartKind.NOTE, [message.factcheck.text])
    for row in getattr(message.reply_markup, "rows", ()):
        yield from _parts(PartKind.BUTTON, (button.text for button in row.buttons))


def _parts(kind: PartKind, texts: Iterable[TLObject | str | None]) -> Iterator[Part]:
    for text in texts:
        stripped = ((text.text if isinstance(text, types.TextWithEntities) else text) or "").strip()
        if stripped:
            yield Part(kind=kind, text=stripped)


def _traits(document: TLObject | None, kind: type[TLObject]) -> list[TLObject]:
    """Return the attributes of one kind of a document; of anything else, an empty list."""
    return [attribute for attribute in getattr(document, "attributes", ()) if isinstance(attribute, kind)]


_MEDIA: dict[type, tuple[PartKind, Callable[[Any], Iterable[TLObject | str | None]]]] = {
    types.MessageMediaWebPage: (
        PartKind.PREVIEW,
        lambda media: [  # a page that is still loading has none of these
            getattr(media.webpage, field, None) for field in ("site_name", "title", "author", "description")
        ],
    ),
    types.MessageMediaPoll: (
        PartKind.POLL,
        lambda media: [
            media.poll.question,
            *(getattr(answer, "text", None) for answer in media.poll.answers),
            media.results.solution,
        ],
    ),
    types.MessageMediaToDo: (
        PartKind.TO_DO,
        lambda media: [media.todo.title, *(item.title for item in media.todo.list)],
    ),
    types.MessageMediaDocument: (
        PartKind.FILE,
        lambda media: [each.file_name for each in _traits(media.document, types.DocumentAttributeFilename)],
    ),
    types.MessageMediaVenue: (PartKind.PLACE, attrgetter("title", "address")),
    types.MessageMediaContact: (
        PartKind.CONTACT,
        lambda media: [" ".join(filter(None, (media.first_name, media.last_name))), media.phone_number],
    ),
    types.MessageMediaInvoice: (PartKind.INVOICE, attrgetter("title", "description")),
    types.MessageMediaGame: (PartKind.GAME, attrgetter("game.title", "game.description")),
    types.MessageMediaStory: (PartKind.STORY, lambda media: [getattr(media.story, "caption", None)]),  # may be gone
    types.MessageMediaGiveaway: (PartKind.GIVEAWAY, lambda media: [media.prize_description]),
    types.MessageMediaGiveawayResults: (PartKind.GIVEAWAY, lambda media: [media.prize_description]),
}
