"""Work that a chat watches: one message, edited every three seconds at most, against the embedded server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from telethon import TelegramClient

from bot.delivery.progress import Showing, render_progress
from bot.locales import translator
from bot.models import Peer, PeerKind
from bot.sandbox import Sandbox, User
from bot.store import backfills, channels, chats, follows
from bot.store.backfills import DONE, ProgressFigures
from bot.store.channels import Options
from bot.store.chats import Chat
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender
from tests.delivery.kit import sender_of
from tests.store.kit import NEWS, Newsroom, newsroom
from tests.waiting import WAIT_S


@dataclass(kw_only=True)
class Desk:
    """A bot, a reader of its messages, and the work that the reader watches."""

    sandbox: Sandbox
    room: Newsroom
    client: TelegramClient
    alice: User
    chat: Chat

    def showing(self, pacing: Pacing | None = None) -> Showing:
        sender = sender_of(self.client) if pacing is None else Sender(self.client, pacing, monotonic=monotonic)
        return Showing(self.room.db, sender, clock=lambda: self.room.now)

    async def reads(self, read: int, *, ended: str | None = None) -> None:
        await self.room.db.write(lambda tx: backfills.advance(tx, 1, read=read, below=9, ended=ended))

    def calls(self, name: str) -> int:
        return sum(call.name == name for call in self.sandbox.calls)

    @property
    def texts(self) -> list[str]:
        """What stands in the chat now."""
        return [message.text.splitlines()[0] for message in self.alice.box.values() if message.sender_id != 0]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Sandbox() as sandbox, newsroom(tmp_path) as room:
        alice = sandbox.world.add_user("Alice")
        bot = sandbox.world.add_bot("1:token", "Watch", "watch_bot")
        alice.starts(bot)
        alice.box.clear()
        client = sandbox.client(bot)
        await client.connect()
        peer = Peer(kind=PeerKind.USER, id=alice.id)
        chat = await room.db.write(lambda tx: chats.pair(tx, peer, title="Alice", language="en", now=room.now))
        await room.follow(title="Вести")
        wanted = Options(history=1000)
        await room.db.write(lambda tx: follows.request(tx, str(NEWS), chat_id=chat.id, now=room.now, options=wanted))
        try:
            yield Desk(sandbox=sandbox, room=room, client=client, alice=alice, chat=chat)
        finally:
            await client.disconnect()
        assert not sandbox.unknown
        assert not sandbox.crashes


async def test_one_message_is_edited_every_three_seconds_at_most_and_ends_with_the_sum(desk: Desk) -> None:
    showing = desk.showing()
    await showing.show_due()
    assert desk.texts == ["Reading the past of «Вести»: 0 of 1,000 posts."]
    for second in range(1, 10):
        desk.room.now += timedelta(seconds=1)
        await desk.reads(second * 100)
        await showing.show_due()
    assert desk.calls("EditMessage") == 3
    assert desk.texts == ["Reading the past of «Вести»: 900 of 1,000 posts."]
    await desk.reads(1000, ended=DONE)
    desk.room.now += timedelta(seconds=3)
    await showing.show_due()
    assert desk.texts == ["The past of «Вести» is stored: 1,000 posts."]
    assert await backfills.shown_progress(desk.room.db) == []
    assert desk.calls("SendMessage") == 1


async def test_after_a_restart_the_same_message_goes_on(desk: Desk) -> None:
    await desk.showing().show_due()
    await desk.reads(500)
    desk.room.now += timedelta(seconds=3)
    await desk.showing().show_due()
    assert desk.texts == ["Reading the past of «Вести»: 500 of 1,000 posts."]


async def test_nothing_is_edited_where_nothing_is_new(desk: Desk) -> None:
    showing = desk.showing()
    assert await showing.show_due()
    desk.room.now += timedelta(minutes=1)
    assert not await showing.show_due()
    assert desk.calls("EditMessage") == 0


async def test_a_flood_wait_puts_the_next_edit_off(desk: Desk) -> None:
    showing = desk.showing()
    desk.sandbox.faults.flood_wait("SendMessage", 60)
    await showing.show_due()
    (progress,) = await backfills.shown_progress(desk.room.db)
    assert progress.next_at == desk.room.now + timedelta(seconds=60)


async def test_a_message_that_cannot_be_edited_is_left_alone(desk: Desk) -> None:
    showing = desk.showing()
    await showing.show_due()
    desk.sandbox.faults.answer("EditMessage", "MESSAGE_ID_INVALID")
    await desk.reads(500)
    desk.room.now += timedelta(seconds=3)
    await showing.show_due()
    assert await backfills.shown_progress(desk.room.db) == []


async def test_an_unfollowed_channel_ends_the_message(desk: Desk) -> None:
    showing = desk.showing()
    await showing.show_due()
    await desk.room.db.write(lambda tx: channels.unfollow(tx, NEWS))
    desk.room.now += timedelta(seconds=3)
    await showing.show_due()
    assert desk.texts == ["I read no further: it is followed no more."]


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ({"channels": 1, "waiting": 2}, "Читаю прошлое 3 каналов: 250 из 1"),
        ({"channels": 2, "ended": 2}, "Прошлое каналов сохранено: 250 постов."),
        ({"channels": 2, "ended": 2, "failed": 1}, "1 канал не удалось прочитать до конца."),
    ],
)
def test_a_list_is_summed_up(figures: dict[str, int], sentence: str) -> None:
    known = {"channels": 1, "waiting": 0, "ended": 0, "failed": 0, "wanted": 1000, "read": 250, **figures}
    assert sentence in render_progress(ProgressFigures(title="Вести", **known), translator("ru")).text


def test_a_bar_shows_how_far_it_is() -> None:
    figures = ProgressFigures(channels=1, waiting=0, ended=0, failed=0, wanted=1000, read=250, title="Вести")
    assert render_progress(figures, translator("en")).text.endswith("▓▓▓░░░░░░░░░ 25 %")


async def test_a_chat_that_takes_nothing_for_long_holds_nobody_up(desk: Desk) -> None:
    busy = Peer(kind=PeerKind.CHANNEL, id=9001)
    chat = await desk.room.db.write(lambda tx: chats.pair(tx, busy, title="", language="en", now=desk.room.now))
    wanted = Options(history=500)
    await desk.room.db.write(
        lambda tx: follows.request(tx, str(NEWS), chat_id=chat.id, now=desk.room.now, options=wanted)
    )
    pacing = Pacing()
    for _ in range(20):  # a minute's worth
        pacing.spend(busy, monotonic())
    async with asyncio.timeout(WAIT_S):
        assert await desk.showing(pacing).show_due()
    assert len(desk.texts) == 1
    put_off = next(each for each in await backfills.shown_progress(desk.room.db) if each.chat.id == chat.id)
    assert put_off.next_at > desk.room.now + timedelta(seconds=50)
