"""Questions answered by other processes: none holds up this one, or outlives it."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import FatalError
from bot.matching.engine.compiled import Compiled, packed
from bot.runtime import priority
from bot.search.backtest import backtest
from bot.search.deadline import Deadline
from bot.search.jobs import explain_text
from bot.search.pool import BusyError, OverdueError, SearchPool
from bot.search.searcher import find_best, find_newest
from bot.store.database import Reader
from bot.store.fulltext import Scope
from tests.kit_archive import NOON, Archive, ago, compiled, post
from tests.waiting import until

QUERIES = ("сбой ~3 банк -учения", "re:/сбо[ий] в/", '"сбой в"~2', "сбой|авария")


async def process_id(db: Reader, *, deadline: Deadline) -> int:
    del db, deadline
    return os.getpid()


async def niceness(db: Reader, *, deadline: Deadline) -> int:
    del db, deadline
    return os.nice(0)


async def environment(db: Reader, *, deadline: Deadline) -> dict[str, str]:
    del db, deadline
    return dict(os.environ)


async def hang(db: Reader, flag: str, *, deadline: Deadline) -> None:
    """Hold on to Python's lock now and then, as a matcher does, whatever the deadline."""
    del db, deadline
    Path(flag).write_text(str(os.getpid()), encoding="utf-8")  # noqa: ASYNC240 - nothing else runs there
    while True:
        time.sleep(0.01)  # noqa: ASYNC251 - that is the point


async def fail(db: Reader, *, deadline: Deadline) -> None:
    del db, deadline
    raise FatalError("the disk is gone")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # of a child that nobody has waited for yet
    return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
async def pool(archive: Archive, tmp_path: Path) -> AsyncIterator[SearchPool]:
    await archive.follow()
    texts = ("Сбой в банке", "Сбой был, а банк закрыт", "Учения: сбой в банке", "Погода", "Авария и сбои в сети")
    await archive.live(*(post(n, f"{text} {n}", date=ago(hours=n)) for n, text in enumerate(texts * 9, start=1)))
    pool = SearchPool(tmp_path / "data" / "bot.db")
    yield pool
    await pool.close()


async def test_another_process_answers_as_this_one_would(archive: Archive, pool: SearchPool) -> None:
    for query in map(compiled, QUERIES):
        newest = await pool.run(find_newest, query, Scope(), limit=5, who=1)
        assert newest.hits
        assert newest == await find_newest(archive.db, query, Scope(), limit=5)
        best = await pool.run(find_best, query, Scope(), limit=5, who=1)
        assert best == await find_best(archive.db, query, Scope(), limit=5)
        tried = await pool.run(backtest, query, now=NOON, since=None, who=1)
        assert tried == await backtest(archive.db, query, now=NOON, since=None)
        explained = await pool.run(explain_text, [query], "Сбой в банке", who=1)
        assert explained == await explain_text(archive.db, [query], "Сбой в банке")


async def test_a_process_stays_for_the_next_question_gives_way_and_knows_no_secret(
    pool: SearchPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "4000:secret")
    known = await pool.run(environment, who=1)
    assert Path(known["MPLCONFIGDIR"]).parent == tmp_path / "data"  # what draws writes nowhere else
    assert not any("TELEGRAM" in name or "secret" in value for name, value in known.items())
    assert await pool.run(niceness, who=1) == min(19, os.nice(0) + priority.NICE)
    assert len({await pool.run(process_id, who=1) for _ in range(3)} | {os.getpid()}) == 2


async def test_who_ignores_the_deadline_is_killed_and_replaced(pool: SearchPool, tmp_path: Path) -> None:
    first = await pool.run(process_id, who=1)
    with pytest.raises(OverdueError):
        await pool.run(hang, str(tmp_path / "flag"), who=1, within=0.1, grace=0.1)
    assert not is_alive(first)
    assert await pool.run(process_id, who=1) != first


async def test_a_process_that_was_killed_while_idle_is_replaced(pool: SearchPool) -> None:
    first = await pool.run(process_id, who=1)
    os.kill(first, signal.SIGKILL)
    await until(lambda: not is_alive(first))
    assert await pool.run(process_id, who=1) != first


async def test_an_error_reaches_whoever_asked(pool: SearchPool) -> None:
    with pytest.raises(FatalError, match="the disk is gone"):
        await pool.run(fail, who=1)
    assert await pool.run(process_id, who=1)


async def test_one_question_of_a_person_at_a_time_and_few_in_all(pool: SearchPool, tmp_path: Path) -> None:
    flags = [tmp_path / f"flag{n}" for n in range(3)]

    def ask(number: int, who: int) -> asyncio.Task[None]:
        return asyncio.create_task(pool.run(hang, str(flags[number]), who=who, within=1000))

    asked = [ask(0, 1)]
    await until(flags[0].exists)
    pool._patience = 0.2  # noqa: SLF001 - of those who come now
    with pytest.raises(BusyError):  # though a process is free
        await pool.run(process_id, who=1)
    assert await pool.run(process_id, who=2)
    asked.append(ask(1, 2))
    await until(flags[1].exists)
    with pytest.raises(BusyError):
        await pool.run(process_id, who=3)
    pids = [int(flag.read_text(encoding="utf-8")) for flag in flags[:2]]
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert not any(map(is_alive, pids))
    assert await pool.run(process_id, who=3)


async def test_it_is_ready_before_anybody_asks(pool: SearchPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.search.pool.WARM_AFTER", 0.0)
    keeping = asyncio.create_task(pool.keep_ready())
    await until(lambda: len(pool._idle) == 1)  # noqa: SLF001 - nothing else tells
    first = await pool.run(process_id, who=1)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(OverdueError):
        await pool.run(hang, "/dev/null", who=1, within=0.1, grace=0.1)
    await until(lambda: len(pool._idle) == 1)  # noqa: SLF001 - the same
    keeping.cancel()


PARENT = """
import asyncio, sys
from pathlib import Path
from bot.search.pool import SearchPool
from tests.search.test_pool import hang
async def main():
    pool = SearchPool(Path(sys.argv[1]))
    await pool.run(hang, sys.argv[2], who=1, within=1000)
asyncio.run(main())
"""


async def test_it_ends_with_its_parent_however_that_ends(pool: SearchPool, tmp_path: Path) -> None:
    del pool
    flag = tmp_path / "flag"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = (sys.executable, "-c", PARENT, str(tmp_path / "data" / "bot.db"), str(flag))
    parent = await asyncio.create_subprocess_exec(*command, env=environment)
    await until(lambda: flag.exists() and flag.read_text(encoding="utf-8") != "")
    parent.kill()
    await parent.wait()
    await until(lambda: not is_alive(int(flag.read_text(encoding="utf-8"))))


async def test_a_database_that_cannot_be_opened_is_fatal_in_this_process_too(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"This is no database. " * 99)
    pool = SearchPool(tmp_path / "bot.db")
    with pytest.raises(FatalError, match="channelwatch restore"):
        await pool.run(process_id, who=1)
    await pool.close()


async def test_a_stored_query_is_read_where_it_is_asked(archive: Archive, pool: SearchPool) -> None:
    query = compiled("сбой ~3 банк -учения")
    stored = packed(query.to_json())
    assert not isinstance(stored, Compiled)
    here = await find_newest(archive.db, query, Scope(), limit=5)
    assert await pool.run(find_newest, stored, Scope(), limit=5, who=1) == here
