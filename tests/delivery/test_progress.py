"""Work that a chat watches: one message, edited every three seconds at most, against the embedded server."""

import asyncio
from datetime import timedelta
from time import monotonic

import pytest

from bot.delivery.progress import ProgressMessages, render_progress
from bot.locales import translator
from bot.models.outgoing import Peer, PeerKind
from bot.store import backfills, channels, chats, follows, progress
from bot.store.backfills import DONE, ProgressFigures
from bot.store.channels import Options
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender
from tests.delivery.kit import DeliveringBot
from tests.kit_archive import NEWS, ago
from tests.waiting import WAIT_S


@pytest.fixture
async def bot(bot: DeliveringBot) -> DeliveringBot:
    """Let Alice watch how far a channel is read back."""
    bot.alice.box.clear()
    await bot.archive.follow(title="Вести")
    chat, archive = bot.chats[bot.alice.id], bot.archive
    wanted = Options(history=1000)
    await archive.db.write(lambda tx: follows.request(tx, str(NEWS), chat_id=chat.id, now=archive.now, options=wanted))
    return bot


def showing(bot: DeliveringBot, pacing: Pacing | None = None) -> ProgressMessages:
    sender = bot.sender if pacing is None else Sender(bot.client, pacing, monotonic=monotonic)
    return ProgressMessages(bot.archive.db, sender, clock=lambda: bot.archive.now)


async def read(bot: DeliveringBot, count: int, *, ended: str | None = None) -> None:
    await bot.archive.db.write(lambda tx: backfills.advance(tx, 1, read=count, below=9, ended=ended))


def first_lines(bot: DeliveringBot) -> list[str]:
    """Return what stands in the chat now."""
    return [message.text.splitlines()[0] for message in bot.alice.box.values() if message.sender_id != 0]


async def test_one_message_is_edited_every_three_seconds_at_most_and_ends_with_the_sum(bot: DeliveringBot) -> None:
    shown = showing(bot)
    await shown.show_due()
    assert first_lines(bot) == ["Reading older posts of «Вести»: 0 of 1,000."]
    for second in range(1, 10):
        bot.archive.now += timedelta(seconds=1)
        await read(bot, second * 100)
        await shown.show_due()
    assert bot.calls("EditMessage") == 3
    assert first_lines(bot) == ["Reading older posts of «Вести»: 900 of 1,000."]
    await read(bot, 1000, ended=DONE)
    bot.archive.now += timedelta(seconds=3)
    await shown.show_due()
    assert first_lines(bot) == ["1,000 older posts of «Вести» are stored."]
    assert await progress.shown(bot.archive.db) == []
    assert bot.calls("SendMessage") == 1


async def test_after_a_restart_the_same_message_goes_on(bot: DeliveringBot) -> None:
    await showing(bot).show_due()
    await read(bot, 500)
    bot.archive.now += timedelta(seconds=3)
    await showing(bot).show_due()
    assert first_lines(bot) == ["Reading older posts of «Вести»: 500 of 1,000."]


async def test_nothing_is_edited_where_nothing_is_new(bot: DeliveringBot) -> None:
    shown = showing(bot)
    assert await shown.show_due()
    bot.archive.now += timedelta(minutes=1)
    assert not await shown.show_due()
    assert bot.calls("EditMessage") == 0


async def test_a_flood_wait_puts_the_next_edit_off(bot: DeliveringBot) -> None:
    shown = showing(bot)
    bot.sandbox.faults.flood_wait("SendMessage", 60)
    await shown.show_due()
    (work,) = await progress.shown(bot.archive.db)
    assert work.next_at == bot.archive.now + timedelta(seconds=60)


async def test_a_message_that_cannot_be_edited_is_left_alone(bot: DeliveringBot) -> None:
    shown = showing(bot)
    await shown.show_due()
    bot.sandbox.faults.answer("EditMessage", "MESSAGE_ID_INVALID")
    await read(bot, 500)
    bot.archive.now += timedelta(seconds=3)
    await shown.show_due()
    assert await progress.shown(bot.archive.db) == []


async def test_an_unfollowed_channel_ends_the_message(bot: DeliveringBot) -> None:
    shown = showing(bot)
    await shown.show_due()
    await bot.archive.db.write(lambda tx: channels.unfollow(tx, NEWS))
    bot.archive.now += timedelta(seconds=3)
    await shown.show_due()
    assert first_lines(bot) == ["I stopped reading: the channel is no longer followed."]


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ({"channels": 1, "waiting": 2}, "Читаю старые посты 3 каналов: 250 из 1"),
        ({"channels": 2, "ended": 2}, "Сохранено 250 старых постов этих каналов."),
        ({"channels": 2, "ended": 2, "failed": 1}, "1 канал не удалось прочитать до конца."),
    ],
)
def test_a_list_is_summed_up(figures: dict[str, int], sentence: str) -> None:
    known = {"channels": 1, "waiting": 0, "ended": 0, "failed": 0, "wanted": 1000, "read": 250, **figures}
    assert sentence in render_progress(ProgressFigures(title="Вести", **known), translator("ru")).text


def test_a_bar_shows_how_far_it_is() -> None:
    figures = ProgressFigures(channels=1, waiting=0, ended=0, failed=0, wanted=1000, read=250, title="Вести")
    assert render_progress(figures, translator("en")).text.endswith("▓▓▓░░░░░░░░░ 25 %")


async def test_a_chat_that_takes_nothing_for_long_holds_nobody_up(bot: DeliveringBot) -> None:
    busy = Peer(kind=PeerKind.CHANNEL, id=9001)
    chat = await bot.archive.db.write(lambda tx: chats.pair(tx, busy, title="", language="en", now=bot.archive.now))
    wanted = Options(history=500)
    await bot.archive.db.write(
        lambda tx: follows.request(tx, str(NEWS), chat_id=chat.id, now=bot.archive.now, options=wanted)
    )
    pacing = Pacing()
    for _ in range(20):  # a minute's worth
        pacing.spend(busy, monotonic())
    async with asyncio.timeout(WAIT_S):
        assert await showing(bot, pacing).show_due()
    assert len(first_lines(bot)) == 1
    put_off = next(each for each in await progress.shown(bot.archive.db) if each.chat.id == chat.id)
    assert put_off.next_at > bot.archive.now + timedelta(seconds=50)


def test_what_is_read_back_to_a_date_shows_how_far_it_is() -> None:
    known = {"channels": 1, "waiting": 0, "ended": 0, "failed": 0, "wanted": 0, "read": 250, "title": "Вести"}
    dates = {"begun": ago(days=0), "reached": ago(days=15), "since": ago(days=30)}
    lines = render_progress(ProgressFigures(**known, **dates), translator("ru")).text.splitlines()
    assert lines == ["Читаю старые посты канала «Вести»: уже 250, до 23 февр..", "▓▓▓▓▓▓░░░░░░ 50 %"]
    several = ProgressFigures(**{**known, "channels": 3}, **dates)
    assert "3 каналов: уже 250, до" in render_progress(several, translator("ru")).text
    begun = ProgressFigures(**{**known, "read": 0}, **{**dates, "reached": None})
    assert render_progress(begun, translator("en")).text.endswith("░ 0 %")
