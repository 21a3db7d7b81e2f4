"""What is asked for each post, alert and file costs as much in the third year as in the first, in steps of SQLite."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models import Media, Said
from bot.store import backup_recovery, chats, duplicates, late, media, outbox, revisions, storms
from bot.store.alerts import Draft, Kind
from bot.store.blobs import Blob
from bot.store.database import Transaction
from bot.store.media import FileInfo
from tests.kit import all_sent
from tests.store.kit import NEWS, NOON, OTHER, ago, newsroom, post, steps

DAILY = "Отбой тревоги: связь восстановлена после сбоя, сайты города снова открываются"
CHAT, READER, KEY = 1, 1, b"k" * 16
FEW, MANY = 15, 150  # days
AGAIN = Said(channel_id=OTHER, post_key="m1", text=DAILY, date=NOON, origin=(OTHER, 1))


async def live_through(folder: Path, days: int) -> Path:
    """Tell a chat of the same words each day, with a photo; all has been sent and kept. Return the database."""
    async with newsroom(folder) as room:
        for channel in (NEWS, OTHER):
            await room.follow(channel, since=ago(days=MANY))
        await room.track(await room.pair(), "сбои", "сбой")
        for day in range(days, 0, -1):
            room.now = ago(days=day)
            photo = Media(kind="photo", id=day)
            await room.live(post(1000 - day, DAILY, date=room.now, media=photo))
        await all_sent(room.db)
        await room.db.write(lambda tx: tx.execute("UPDATE media SET state = 'left'"))
    return folder / "data" / "bot.db"


async def join(tx: Transaction) -> object:
    (row,) = await tx.fetch_all("SELECT words FROM alerts LIMIT 1")
    draft = Draft(
        chat_id=CHAT,
        chat_key=KEY,
        kind=Kind.POST,
        subject="again",
        payload={},
        channel_id=OTHER,
        post_key="m1",
        words=row["words"],
        said=AGAIN,
        alike=((NEWS, "m990"),),
    )
    return await duplicates.join(tx, [draft], now=NOON)


async def storm(tx: Transaction) -> object:
    return await storms._lately(tx, {CHAT}, since=NOON - timedelta(minutes=5), enough=1)  # noqa: SLF001 - the costly part


async def be_late(tx: Transaction) -> None:
    draft = Draft(
        chat_id=CHAT, chat_key=KEY, kind=Kind.POST, subject="late", payload={}, channel_id=NEWS, post_key="m1"
    )
    await late.gather(tx, [draft], now=NOON)


async def keep_file(tx: Transaction) -> None:
    chat = await chats.get(tx, CHAT)
    assert chat is not None
    await chats.save(tx, replace(chat, media=True))
    (row,) = await tx.fetch_all("SELECT max(id) AS id FROM media")
    blob, info = Blob(sha256=b"x", size=1), FileInfo(mime="image/jpeg", name=None, size=1)
    await media.keep(tx, row["id"], blob, info, reader_id=READER, now=NOON)


ASKED: dict[str, Callable[[Transaction], Awaitable[object]]] = {
    "what a post may join": join,
    "how much a chat was told lately": storm,
    "which alerts show a post that is gone": lambda tx: revisions.outdated(tx, [(NEWS, 999)]),
    "which notice counts late posts": be_late,
    "what is due": lambda tx: outbox.first_due(tx, NOON, limit=100, each=5),
    "which file to keep": lambda tx: media.next_download(tx, READER, NOON),
    "which alerts a file follows": keep_file,
    "the latest number in a chat": lambda tx: backup_recovery.newest_message_id(tx, CHAT),
    "the latest number of the account": backup_recovery.newest_message_id_of_account,
}


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    return {days: asyncio.run(live_through(tmp_path_factory.mktemp(f"days{days}"), days)) for days in (FEW, MANY)}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED.keys())
def test_what_is_asked_again_and_again_costs_the_same_however_much_is_stored(
    years: dict[int, Path], ask: Callable[[Transaction], Awaitable[object]]
) -> None:
    few, many = (steps(years[days], ask) for days in (FEW, MANY))
    assert few > 0
    assert many <= few * 1.1, (few, many)
