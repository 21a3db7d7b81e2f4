"""What is asked for each post, alert and file costs as much in the third year as in the first, in steps of SQLite."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models import Media
from bot.store import alerts, backup_recovery, chats, groups, media, messages
from bot.store.blobs import Blob
from bot.store.database import Transaction
from bot.store.media import FileInfo
from tests.kit import all_sent, first_fingerprint
from tests.kit_archive import NEWS, NOON, OTHER, ago, open_archive, post, steps

DAILY = "Отбой тревоги: связь восстановлена после сбоя, сайты города снова открываются"
CHAT, READER = 1, 1
FEW, MANY = 15, 150  # days


async def live_through(folder: Path, days: int) -> Path:
    """Tell a chat of the same words each day, with a photo; all has been sent and kept. Return the database."""
    async with open_archive(folder) as archive:
        for channel in (NEWS, OTHER):
            await archive.follow(channel, since=ago(days=MANY))
        await archive.track(await archive.pair(), "сбои", "сбой")
        for day in range(days, 0, -1):
            archive.now = ago(days=day)
            photo = Media(kind="photo", id=day)
            await archive.live(post(1000 - day, DAILY, date=archive.now, media=photo))
        await all_sent(archive.db)
        await archive.db.write(lambda tx: tx.execute("UPDATE media SET state = 'left'"))
    return folder / "data" / "bot.db"


async def join(tx: Transaction) -> object:
    words = await first_fingerprint(tx)
    return await alerts.priors(
        tx, [(CHAT, (OTHER, "m1")), (CHAT, (NEWS, "m990"))], [(CHAT, words, NOON - timedelta(hours=2))]
    )


async def keep_file(tx: Transaction) -> None:
    chat = await chats.get(tx, CHAT)
    assert chat is not None
    await chats.save(tx, replace(chat, media=True))
    (row,) = await tx.fetch_all("SELECT max(id) AS id FROM media")
    blob, info = Blob(sha256=b"x", size=1), FileInfo(mime="image/jpeg", name=None, size=1)
    await media.keep(tx, row["id"], blob, info, reader_id=READER, now=NOON)


async def remove_file(tx: Transaction) -> None:
    await tx.execute("UPDATE media SET state = 'kept', sha256 = x'01', size = 1 WHERE id = 1")
    await media.prune(tx, size=1, after=0, shown_since=NOON)


ASKED: dict[str, Callable[[Transaction], Awaitable[object]]] = {
    "what an alert may join": join,
    "how many alerts a chat has had lately": lambda tx: alerts.count_recent(
        tx, {CHAT}, since=NOON - timedelta(minutes=5), enough=1
    ),
    "which alerts show a post that is gone": lambda tx: alerts.stale(tx, [(NEWS, 999)]),
    "which groups take more": lambda tx: groups.open_for(tx, {CHAT}, now=NOON),
    "what is due": lambda tx: messages.first_due(tx, NOON, limit=100, each=5),
    "which file to keep": lambda tx: media.next_download(tx, READER, NOON),
    "which alerts a file follows": keep_file,
    "which file to remove": remove_file,
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
