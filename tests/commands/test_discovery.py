"""«Who else?» under alerts and searches, and channels like one: who is asked, what is shown, who may follow."""

from datetime import timedelta

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.matching.query.parser import parse
from bot.matching.similarity.phrase import phrase_of, phrase_of_query
from bot.models.enquiries import USED_UP, EnquiryKind, Findings, FoundChannel
from bot.models.people import Role
from bot.rendering.findings import render_findings
from bot.store import enquiries, readers
from bot.store.enquiries import Enquiry
from tests.commands.kit import BORIS, Bot, button, labels, text
from tests.kit_archive import NEWS, NOON, OTHER, post

WORDS = "Сегодня утром в Саратове массовый сбой приложения Сбербанка. Переводы не проходят."


def found(count: int) -> Findings:
    channels = tuple(
        FoundChannel(id=OTHER + n, title=f"Канал {n}", username=f"kanal{n}", subscribers=1200, date=NOON, message_id=5)
        for n in range(count)
    )
    return Findings(channels=channels, free_left=3)


async def due(bot: Bot) -> Enquiry | None:
    return await enquiries.next_due(bot.db, bot.archive.reader_id, bot.archive.now, leads=True)


async def test_a_reader_is_asked_and_its_answer_can_be_turned_for_a_week(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.archive.follow(title="Вести")
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.archive.live(post(1, WORDS))
    screen = (await bot.taps(f"channel:{NEWS}".encode())).edit
    await bot.db.write(lambda tx: readers.lose(tx, bot.archive.reader_id, "SESSION_REVOKED", now=NOON))
    refused = await bot.taps(button(screen, "Similar channels"))
    assert text(refused) == "Only a reader account can ask that, and none can read now: /status says why."
    await bot.db.write(lambda tx: readers.register(tx, 7, bot.archive.now, "reader.session"))
    page = (await bot.says("/search сбой")).messages[0]
    for tapped in (f"others:{NEWS}:1".encode(), button(page, "Who else?"), button(screen, "Similar channels")):
        assert "I am asking Telegram" in text(await bot.taps(tapped))
    asked = await bot.db.fetch_all("SELECT kind, channel_id, words FROM enquiries ORDER BY id")
    assert [tuple(row) for row in asked] == [
        ("posts", None, "Саратове сбой приложения Сбербанка"),
        ("posts", None, "сбой"),
        ("similar", NEWS, None),
    ]
    first = await due(bot)
    assert first is not None
    assert first.may_follow
    await bot.db.write(lambda tx: enquiries.settle(tx, first.id, found(8)))
    again = (await bot.taps(f"others:{NEWS}:1".encode())).messages[0]  # the answer of a moment ago
    assert "✓ Канал 0 · followed · 1,200 subscribers · 12:00 UTC\n• Канал 1 · 1,200" in again.text
    assert "Follow Канал 0" not in labels(again)
    second = (await bot.taps(button(again, "›"))).edit
    assert second is not None
    assert labels(second) == ["Follow Канал 6", "Follow Канал 7", "‹", "2/2"]
    assert "I am checking" in text(await bot.taps(button(second, "Follow Канал 7")))
    theirs = await bot.taps(f"found:{first.id}:1".encode(), person=BORIS)
    assert text(theirs) == "This button no longer works."
    bot.archive.now += timedelta(days=8)
    await bot.db.write(lambda tx: enquiries.forget_old(tx, now=bot.archive.now))
    assert (await bot.taps(f"found:{first.id}:1".encode())).note == "This button no longer works."


@pytest.mark.parametrize(
    ("said", "spans", "phrase"),
    [
        (WORDS, [], "Саратове массовый приложения Сбербанка"),
        (WORDS, [(34, 38)], "Саратове сбой приложения Сбербанка"),
        ("Да. Нет.", [], ""),
    ],
)
def test_a_post_is_looked_for_by_its_telling_words(said: str, spans: list[tuple[int, int]], phrase: str) -> None:
    assert phrase_of(said, spans) == phrase


@pytest.mark.parametrize(
    ("typed", "phrase"),
    [
        ("сбой|авария банк -футбол", "сбой банк"),
        ('"сбой в работе" ~5 банк, электричество', "сбой в работе банк"),
        ("sentence:(отключ* #интернет)", "отключ #интернет"),
        ("re:/сбо+й/", ""),
    ],
)
def test_a_search_is_passed_on_by_the_words_that_it_demands(typed: str, phrase: str) -> None:
    assert phrase_of_query(parse(typed).root) == phrase


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        (Findings(), "Больше никто из публичных каналов об этом не пишет."),
        (Findings(reason=USED_UP, free_at=NOON), "а платных я не делаю никогда. Снова можно: 12:00 UTC."),
        (Findings(reason="PREMIUM_ACCOUNT_REQUIRED"), "Premium"),
    ],
)
def test_why_nothing_was_found_is_said_in_a_line(findings: Findings, line: str) -> None:
    locale = Locale(t=translator("ru"), time_zone="UTC", now=NOON)
    shown = render_findings(EnquiryKind.POSTS, "сбой", findings, locale, enquiry_id=1)
    assert line in shown.text
    assert not shown.buttons


def test_readers_are_not_offered_what_they_may_not_do() -> None:
    locale = Locale(t=translator("en"), time_zone="UTC", now=NOON)
    shown = render_findings(EnquiryKind.POSTS, "сбой", found(2), locale, enquiry_id=1, may_follow=False)
    assert labels(shown) == []
    assert "3 free searches are left today." in shown.text
