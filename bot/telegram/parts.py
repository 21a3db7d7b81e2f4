"""Reads the parts of a message: the texts beside its own, such as polls, previews, quotes and file names."""

from collections.abc import Iterable, Iterator

from telethon.tl import TLObject, types

from bot.parts import Part, PartKind


def to_parts(message: types.Message) -> tuple[Part, ...]:
    """Return all parts of a message, in the order in which they are shown."""
    if message.media is None and message.reply_to is None and message.reply_markup is None and not message.factcheck:
        return ()
    return tuple(dict.fromkeys(_found(message)))  # two equal texts of a kind say no more than one


def _found(message: types.Message) -> Iterator[Part]:
    header = message.reply_to
    if isinstance(header, types.MessageReplyHeader):
        yield from _parts(PartKind.QUOTE, (header.quote_text,))
    yield from _of_media(message.media)
    if message.factcheck is not None:
        yield from _parts(PartKind.NOTE, (_plain(message.factcheck.text),))
    for row in getattr(message.reply_markup, "rows", ()):
        yield from _parts(PartKind.BUTTON, (button.text for button in row.buttons))


def _parts(kind: PartKind, texts: Iterable[str | None]) -> Iterator[Part]:
    for text in texts:
        stripped = (text or "").strip()
        if stripped:
            yield Part(kind=kind, text=stripped)


def _plain(text: TLObject | str | None) -> str | None:
    return text.text if isinstance(text, types.TextWithEntities) else text


def _of_media(media: TLObject | None) -> Iterator[Part]:  # noqa: C901 - one case for each kind of media
    texts: Iterable[str | None]
    match media:
        case types.MessageMediaDocument():
            attributes = getattr(media.document, "attributes", ())  # an empty document has none
            names = (a.file_name for a in attributes if isinstance(a, types.DocumentAttributeFilename))
            kind, texts = PartKind.FILE, names
        case types.MessageMediaWebPage():
            fields = ("site_name", "title", "author", "description")  # a page that is still loading has none
            kind, texts = PartKind.PREVIEW, [getattr(media.webpage, field, None) for field in fields]
        case types.MessageMediaPoll(poll=poll):
            answers = (_plain(getattr(answer, "text", None)) for answer in poll.answers)
            kind, texts = PartKind.POLL, (_plain(poll.question), *answers, media.results.solution)
        case types.MessageMediaToDo(todo=todo):
            kind, texts = PartKind.TO_DO, (_plain(todo.title), *(_plain(item.title) for item in todo.list))
        case types.MessageMediaVenue():
            kind, texts = PartKind.PLACE, (media.title, media.address)
        case types.MessageMediaContact():
            name = " ".join(filter(None, (media.first_name, media.last_name)))
            kind, texts = PartKind.CONTACT, (name, media.phone_number)
        case types.MessageMediaInvoice():
            kind, texts = PartKind.INVOICE, (media.title, media.description)
        case types.MessageMediaGame(game=game):
            kind, texts = PartKind.GAME, (game.title, game.description)
        case types.MessageMediaStory():
            kind, texts = PartKind.STORY, (getattr(media.story, "caption", None),)  # a story may have expired
        case types.MessageMediaGiveaway() | types.MessageMediaGiveawayResults():
            kind, texts = PartKind.GIVEAWAY, (media.prize_description,)
        case _:
            return
    yield from _parts(kind, texts)
    if isinstance(media, types.MessageMediaDocument):
        performances = (a for a in attributes if isinstance(a, types.DocumentAttributeAudio))
        yield from _parts(PartKind.AUDIO, (" — ".join(filter(None, (a.performer, a.title))) for a in performances))
