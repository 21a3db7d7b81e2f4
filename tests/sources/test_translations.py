"""Translations of alerts: asked through the reader, once for all chats, and brought as replies; refusals are told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.outgoing import Peer, PeerKind
from bot.rendering.translation import render_translation
from bot.sandbox import Channel
from bot.sources.translations import EXHAUSTED, PIECE, Translations, pieces
from bot.store import chats, subscriptions, translations
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests import kit
from tests.kit_rich import rich

from .kit import ReaderKit


async def into(reader: ReaderKit, *languages: str | None) -> None:
    """Bring chats with these settings, all of which want alerts."""

    async def job(tx: Transaction) -> None:
        (topic,) = await tx.fetch_all("SELECT id FROM topics")
        for number, language in enumerate(languages):
            peer = Peer(kind=PeerKind.USER, id=100 + number)
            chat = await chats.pair(tx, peer, title=str(number), language="ru", now=reader.clock())
            await chats.save(tx, replace(chat, translate_into=language, storms=None))
            await subscriptions.subscribe(tx, chat.id, topic["id"], now=reader.clock())

    await reader.database.write(job)


async def replies(reader: ReaderKit) -> list[str]:
    """Let all that is due be sent, and return what the translations among it say, by chat."""
    said, now = [], reader.clock()
    for message in await kit.claimed(reader.database, now):
        if message.language is not None:
            assert message.post is not None
            found = await translations.get(reader.database, message.post.version_id, message.language)
            locale = Locale(t=translator("en"), time_zone="UTC", now=now)
            outgoing = render_translation(found, message.post, message.language, locale)
            said.append(f"{message.chat.title} {outgoing.text}")
    await kit.send_all(reader.database, now, now)
    return said


async def tap(reader: ReaderKit, channel: Channel, chat: Chat) -> None:
    async def job(tx: Transaction) -> None:
        alerted = await translations.find_alerted(tx, chat.id, channel.id, 1, "de")
        assert alerted is not None
        await translations.request(tx, chat, alerted, "de", now=reader.clock())

    await reader.database.write(job)


async def test_a_text_is_translated_once_for_all_chats_anew_when_edited_and_a_refusal_is_told(
    asking: ReaderKit,
) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await into(asking, "ru", "ru", "en", None)
    await asking.follow(channel)
    loop, faults = Translations(asking.account), asking.sandbox.faults
    channel.post("An outage of the bank is over")
    await asking.sweep().sweep_once()
    due = kit.labels(await kit.messages(asking.database, asking.clock()))
    assert due == ["notice", *["alert"] * 5]  # which wait for nothing
    await replies(asking)
    while await loop.translate_next():
        pass
    assert asking.calls("TranslateText") == 1
    heading = "Telegram's translation: Russian · News\n\n"
    assert await replies(asking) == [f"{n} {heading}[ru] An outage of the bank is over" for n in "01"]

    channel.edit(1, "An outage of the bank is not over")
    asking.clock.advance(timedelta(minutes=2))
    await asking.sweep().sweep_once()
    await loop.translate_next()
    assert await replies(asking) == [f"{n} {heading}[ru] An outage of the bank is not over" for n in "01"]

    faults.answer("TranslateText", "TRANSLATE_REQ_QUOTA_EXCEEDED")
    assert asking.chat is not None
    await tap(asking, channel, asking.chat)
    assert (await loop.translate_next(), await loop.translate_next()) == (True, False)
    (refused,) = await replies(asking)
    assert "German" in refused
    assert "Telegram translates nothing more just now; I will try again automatically." in refused
    asking.clock.advance(EXHAUSTED)
    await loop.translate_next()
    (answered,) = await replies(asking)  # by an edit of what was said
    assert answered.endswith("[de] An outage of the bank is not over")

    for refused_text, asked in ({"text": "An outage of the port"}, 2), ({"rich": rich("An outage", "of trains")}, 1):
        channel.post(**refused_text)
        await asking.sweep().sweep_once()
        before = asking.calls("TranslateText")
        faults.answer("TranslateText", "INPUT_TEXT_TOO_LONG")
        while await loop.translate_next():
            pass
        assert asking.calls("TranslateText") - before == asked  # then the message is named by its number
    said = [each.partition(heading)[2] for each in await replies(asking)]
    assert said == ["[ru] An outage of the port"] * 2 + ["[ru]\n\nAn outage\n\nof trains"] * 2


@pytest.mark.parametrize("text", ["a b", "слово " * 1000, "line.\n" * 900, "x" * 5000])
def test_a_long_text_is_cut_where_one_may(text: str) -> None:
    found = list(pieces(text))
    assert all(0 < len(piece) <= PIECE for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())
