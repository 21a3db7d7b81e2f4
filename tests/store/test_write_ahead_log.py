import asyncio
import os
from pathlib import Path

import pytest

from bot.errors import FatalError
from bot.store import meta
from bot.store.database import MOVED_AT_ONCE, Database, Subject, Transaction

MEGABYTE = 1 << 20


@pytest.fixture
async def db(tmp_path: Path) -> Database:
    return await Database.open(tmp_path / "bot.db")


async def news(tx: Transaction) -> None:
    await meta.put(tx, "a", 1)
    tx.announce(Subject.ALERTS)


async def test_news_of_a_commit_are_out_before_the_disk_has_it(db: Database) -> None:
    heard = []

    async def listen() -> None:
        revision = await db.changes.wait(Subject.ALERTS, 0)
        heard.append((revision, writing.done(), await meta.get(db, "a")))

    listening = asyncio.create_task(listen())
    writing = asyncio.create_task(db.write(news))
    await asyncio.gather(writing, listening)
    await db.close()
    assert heard == [(1, False, 1)]


async def test_the_log_stays_short_however_much_is_written(db: Database, tmp_path: Path) -> None:
    for _ in range(20):  # 40 MB in all
        await asyncio.gather(*(db.write(lambda tx: meta.put(tx, "long", bytes(20_000))) for _ in range(100)))
    log = (tmp_path / "bot.db-wal").stat().st_size
    await db.close()
    assert log < 5 * MEGABYTE, log


async def test_the_log_is_emptied_into_the_file_while_it_is_open(db: Database, tmp_path: Path) -> None:
    before = (tmp_path / "bot.db").stat().st_size
    for n in range(MOVED_AT_ONCE + 1):
        await db.write(lambda tx, n=n: meta.put(tx, f"key {n}", bytes(1000)))
    await db.write(news)  # after what was to be done then
    after = (tmp_path / "bot.db").stat().st_size
    await db.close()
    assert after - before > MOVED_AT_ONCE * 1000


async def test_a_disk_that_fails_ends_everything_and_no_job_is_run_twice(db: Database) -> None:
    runs = []

    async def job(tx: Transaction) -> None:
        runs.append(await meta.get(tx, "a"))
        await news(tx)

    broken = db._wal._file  # noqa: SLF001 - a disk that fails cannot be had otherwise
    reading, writing = os.pipe()  # which cannot be synchronised
    os.dup2(reading, broken)
    os.close(writing)
    os.close(reading)
    outcomes = await asyncio.gather(*(db.write(job) for _ in range(3)), return_exceptions=True)
    await db.close()
    assert [type(outcome) for outcome in outcomes] == [FatalError] * 3
    assert len(runs) == 3
