from datetime import UTC, datetime

import pytest
from telethon import types
from telethon.tl import TLObject

from bot.telegram.parts import to_parts

DATE = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
CHANNEL = types.PeerChannel(1_500_000_001)


def said(text: str) -> types.TextWithEntities:
    return types.TextWithEntities(text, [])


def read(media: TLObject | None = None, **fields: TLObject) -> list[tuple[str, str]]:
    message = types.Message(7, CHANNEL, DATE, "Text", media=media, **fields)
    return [(part.kind, part.text) for part in to_parts(message)]


def document(*attributes: TLObject) -> types.MessageMediaDocument:
    return types.MessageMediaDocument(document=types.Document(8, 1, b"", DATE, "audio/mpeg", 3, 2, list(attributes)))


def poll(question: str, *answers: str) -> types.MessageMediaPoll:
    found = [types.PollAnswer(said(answer), bytes([number])) for number, answer in enumerate(answers)]
    return types.MessageMediaPoll(types.Poll(10, said(question), found, 0), types.PollResults())


GEO = types.GeoPointEmpty()


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (poll("Что не работает?", "Банк", " ", "Связь"), ["poll: Что не работает?", "poll: Банк", "poll: Связь"]),
        (
            types.MessageMediaToDo(types.TodoList(said("План"), [types.TodoItem(1, said("Чинить"))])),
            ["to_do: План", "to_do: Чинить"],
        ),
        (
            types.MessageMediaWebPage(
                types.WebPage(9, "https://e.org", "e.org", 0, site_name="Сайт", title="Сбой", description="В сети")
            ),
            ["preview: Сайт", "preview: Сбой", "preview: В сети"],
        ),
        (types.MessageMediaWebPage(types.WebPagePending(9, DATE)), []),
        (types.MessageMediaWebPage(types.WebPageEmpty(9)), []),
        (
            document(
                types.DocumentAttributeAudio(60, title="Гимн", performer="Хор"),
                types.DocumentAttributeFilename("hymn.mp3"),
            ),
            ["file: hymn.mp3", "audio: Хор — Гимн"],
        ),
        (document(types.DocumentAttributeAudio(60, voice=True)), []),
        (types.MessageMediaDocument(), []),
        (types.MessageMediaVenue(GEO, "Банк", "Ленина, 1", "", "", ""), ["place: Банк", "place: Ленина, 1"]),
        (types.MessageMediaContact("+7", "Анна", "Б.", "", 0), ["contact: Анна Б.", "contact: +7"]),
        (types.MessageMediaInvoice("Подписка", "На год", "RUB", 1, ""), ["invoice: Подписка", "invoice: На год"]),
        (types.MessageMediaGame(types.Game(1, 1, "g", "Змейка", "Игра", None)), ["game: Змейка", "game: Игра"]),
        (types.MessageMediaGiveaway([1], 1, DATE, prize_description="Часы"), ["giveaway: Часы"]),
        (
            types.MessageMediaStory(CHANNEL, 1, story=types.StoryItem(1, DATE, DATE, None, caption="Сбой")),
            ["story: Сбой"],
        ),
        (types.MessageMediaStory(CHANNEL, 1, story=types.StoryItemDeleted(1)), []),
        (types.MessageMediaPhoto(), []),
        (types.MessageMediaUnsupported(), []),
        (None, []),
    ],
)
def test_every_text_of_media_is_read(media: TLObject | None, expected: list[str]) -> None:
    assert [f"{kind}: {text}" for kind, text in read(media)] == expected


def test_quotes_notes_and_buttons_are_read_in_the_order_in_which_they_are_shown() -> None:
    link = types.KeyboardButton("Подробнее", types.InlineButtonTypeUrl("https://e.org"))
    assert read(
        poll("Кто?"),
        reply_to=types.MessageReplyHeader(reply_to_msg_id=5, quote_text="Сбой устранён"),
        reply_markup=types.ReplyInlineMarkup([types.KeyboardButtonRow([link, link])]),
        factcheck=types.FactCheck(1, text=said("Это не так")),
    ) == [("quote", "Сбой устранён"), ("poll", "Кто?"), ("note", "Это не так"), ("button", "Подробнее")]
