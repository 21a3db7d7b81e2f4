import asyncio
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from operator import attrgetter
from pathlib import Path

import aiosqlite
import pytest
from structlog.testing import capture_logs

from bot.errors import FatalError
from bot.models.people import Role
from bot.store import meta, migrations, people
from bot.store.database import Database, Reader, Subject, Transaction, open_read_only
from tests.kit_archive import NOON, Gate, queued


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    db = await Database.open(path)
    yield db
    await db.close()


async def keys(reader: Reader) -> list[str]:
    return [row["key"] for row in await reader.fetch_all("SELECT key FROM meta ORDER BY key")]


def putting(key: str) -> Callable[[Transaction], Awaitable[None]]:
    return lambda tx: meta.put(tx, key, 1)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def damage(path: Path) -> None:
    """Overwrite all pages but the first, in which the schema begins."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def let_others_in(path: Path) -> None:
    path.chmod(0o644)
    path.parent.chmod(0o755)


def write_prose(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_text("Это не база данных. " * 100)
    path.chmod(0o600)


class TestWriting:
    async def test_a_job_returns_its_result_once_it_is_committed(self, db: Database) -> None:
        assert await db.write(lambda tx: meta.secret(tx, "key", 8)) == await meta.get(db, "key")

    async def test_questions_see_committed_rows_only(self, db: Database) -> None:
        gate = Gate()
        writing = asyncio.create_task(db.write(gate))
        await gate.entered.wait()
        assert await keys(db) == []
        gate.opened.set()
        assert await writing == "passed"
        assert await keys(db) == ["gate"]

    @pytest.mark.parametrize("reader", [attrgetter("at_once"), lambda db: db], ids=["at once", "by its thread"])
    async def test_questions_cannot_write(self, db: Database, reader: Callable[[Database], Reader]) -> None:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await reader(db).fetch_all("DELETE FROM meta")

    async def test_a_short_question_is_answered_without_a_trip_to_another_thread(self, db: Database) -> None:
        await db.write(putting("a"))
        answering = keys(db.at_once)
        with pytest.raises(StopIteration) as answer:  # at its first step
            answering.send(None)
        assert answer.value.value == ["a"]

    async def test_jobs_that_wait_share_a_transaction(self, db: Database) -> None:
        async def announcing(tx: Transaction) -> None:
            tx.announce(Subject.CHATS)

        gate = Gate()
        writing = asyncio.create_task(db.write(gate))
        await gate.entered.wait()
        waiting = [asyncio.create_task(db.write(announcing)) for _ in range(5)]
        await queued(db, 5)
        gate.opened.set()
        await asyncio.gather(writing, *waiting)
        assert db.changes.revision(Subject.CHATS) == 1

    async def test_a_job_that_fails_harms_no_other(self, db: Database) -> None:
        async def failing(tx: Transaction) -> None:
            await meta.put(tx, "half", 1)
            tx.announce(Subject.TOPICS)
            raise KeyError("of its own")

        gate = Gate()
        writing = asyncio.create_task(db.write(gate))
        await gate.entered.wait()
        jobs = [putting("a"), failing, putting("b")]
        waiting = [asyncio.create_task(db.write(job)) for job in jobs]
        await queued(db, 3)
        gate.opened.set()
        results = await asyncio.gather(writing, *waiting, return_exceptions=True)
        assert [type(result) for result in results] == [str, type(None), KeyError, type(None)]
        assert await keys(db) == ["a", "b", "gate"]
        assert db.changes.revision(Subject.TOPICS) == 0

    async def test_a_statement_that_sqlite_refuses_undoes_its_job(self, db: Database) -> None:
        async def failing(tx: Transaction) -> None:
            await meta.put(tx, "half", 1)
            await tx.execute("INSERT INTO subscriptions (chat_id, topic_id, created_at) VALUES (1, 1, 1)")

        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            await db.write(failing)
        await db.write(putting("next"))
        assert await keys(db) == ["next"]

    async def test_the_caller_may_leave_in_the_middle(self, db: Database) -> None:
        gate = Gate()
        writing = asyncio.create_task(db.write(gate))
        await gate.entered.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        gate.opened.set()
        await db.write(putting("next"))
        assert await keys(db) == ["gate", "next"]

    async def test_closing_finishes_what_waits_and_refuses_what_comes_later(self, path: Path) -> None:
        db, gate = await Database.open(path), Gate()
        writing = asyncio.create_task(db.write(gate))
        await gate.entered.wait()
        waiting = [asyncio.create_task(db.write(putting(str(n)))) for n in range(3)]
        await queued(db, 3)
        closing = asyncio.create_task(db.close())
        gate.opened.set()
        await asyncio.gather(closing, writing, *waiting)
        with pytest.raises(FatalError, match="closed"):
            await db.write(putting("late"))
        async with open_read_only(path) as reader:
            assert await keys(reader) == ["0", "1", "2", "gate"]

    async def test_a_transaction_is_one_trip_to_the_thread_of_aiosqlite(self, db: Database) -> None:
        async def job(tx: Transaction) -> set[int]:
            threads = {threading.get_ident()}
            await meta.put(tx, "one", 1)
            threads.add(threading.get_ident())
            await meta.get(tx, "one")
            return threads | {threading.get_ident()}

        threads = await db.write(job)
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    async def test_a_job_that_waits_for_something_else_is_refused(self, db: Database) -> None:
        async def waiting(tx: Transaction) -> None:
            await meta.put(tx, "half", 1)
            await asyncio.sleep(0)

        with pytest.raises(RuntimeError, match="something else than its transaction"):
            await db.write(waiting)
        assert await keys(db) == []

    async def test_a_full_disk_is_fatal_and_says_so(self, db: Database) -> None:
        await db.write(lambda tx: tx.execute("PRAGMA max_page_count = 1"))
        with pytest.raises(FatalError, match=r"disk is full: .*bot\.db cannot be written"):
            await db.write(lambda tx: meta.put(tx, "big", b"x" * 100_000))
        assert await keys(db) == []

    async def test_damage_that_a_question_meets_is_fatal_and_says_what_to_do(self, path: Path) -> None:
        db = await Database.open(path)
        await db.write(lambda tx: meta.put(tx, "big", b"x" * 100_000))
        await db.close()
        damage(path)
        async with open_read_only(path) as reader:
            with pytest.raises(FatalError, match="channelwatch restore"):
                await reader.fetch_all("SELECT * FROM meta")


class TestChanges:
    async def test_whoever_waits_wakes_at_the_commit(self, db: Database) -> None:
        gate = Gate(Subject.ALERTS)
        waiting = asyncio.create_task(db.changes.wait(Subject.ALERTS, 0))
        writing = asyncio.create_task(db.write(gate))
        await gate.entered.wait()
        assert not waiting.done()
        gate.opened.set()
        assert await waiting == 1
        assert await keys(db) == ["gate"]
        await writing

    async def test_a_change_that_came_before_the_wait_is_not_missed(self, db: Database) -> None:
        db.changes.publish([Subject.ALERTS])
        assert await db.changes.wait(Subject.ALERTS, 0) == 1

    async def test_a_wait_may_end_without_news(self, db: Database) -> None:
        db.changes.publish([Subject.CHATS])
        assert await db.changes.wait(Subject.ALERTS, 0, timeout=0.001) == 0


CHILD = """
import asyncio, sys
from pathlib import Path
from bot.store import meta
from bot.store.database import Database

async def main():
    db = await Database.open(Path(sys.argv[1]))

    async def whole(tx):
        await tx.execute_many("INSERT INTO meta VALUES (?, 1)", [(f"whole{n}",) for n in range(500)])

    async def half(tx):
        await tx.execute_many("INSERT INTO meta VALUES (?, ?)", [(f"half{n}", bytes(9000)) for n in range(2000)])
        print("half", flush=True)
        await asyncio.Event().wait()

    await db.write(whole)
    await db.write(half)

asyncio.run(main())
"""


class TestFile:
    async def test_a_kill_in_the_middle_of_a_write_leaves_all_of_it_or_none(self, path: Path) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, str(path), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"half\n"
        child.send_signal(signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        db = await Database.open(path)
        try:
            found = await keys(db)
            await db.write(putting("goes on"))
        finally:
            await db.close()
        assert len(found) == 500
        assert all(key.startswith("whole") for key in found)

    async def test_only_we_can_read_it(self, db: Database, path: Path) -> None:
        await db.write(putting("a"))
        assert mode(path.parent) == 0o700
        assert {file.name: mode(file) for file in path.parent.iterdir()} == {
            "bot.db": 0o600,
            "bot.db-wal": 0o600,
            "bot.db-shm": 0o600,
        }

    async def test_modes_that_let_others_in_are_mended_with_a_notice(self, path: Path) -> None:
        await (await Database.open(path)).close()
        let_others_in(path)
        with capture_logs() as logs:
            await (await Database.open(path)).close()
        assert [mode(path), mode(path.parent)] == [0o600, 0o755]
        assert {log["path"]: log["mode"] for log in logs} == {str(path): "0644"}

    async def test_a_folder_that_was_there_keeps_its_mode(self, path: Path) -> None:
        path.parent.mkdir(mode=0o755)
        await (await Database.open(path)).close()
        assert [mode(path), mode(path.parent)] == [0o600, 0o755]

    async def test_a_folder_that_everybody_shares_is_refused_and_left_alone(self, path: Path) -> None:
        path.parent.mkdir()
        path.parent.chmod(0o1777)
        for shared in (path, Path("/bot.db")):
            with pytest.raises(FatalError, match="everybody shares"):
                await Database.open(shared)
        assert path.parent.stat().st_mode & 0o7777 == 0o1777
        assert list(path.parent.iterdir()) == []

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    async def test_a_folder_of_another_user_is_refused(self, path: Path) -> None:
        path.parent.mkdir()
        os.chown(path.parent, 12345, -1)
        with pytest.raises(FatalError, match="another user"):
            await Database.open(path)
        assert list(path.parent.iterdir()) == []

    async def test_it_is_kept_with_full_care(self, db: Database) -> None:
        async def job(tx: Transaction) -> list[object]:
            pragmas = ("journal_mode", "synchronous", "foreign_keys")
            return [(await tx.fetch_all(f"PRAGMA {pragma}"))[0][0] for pragma in pragmas]

        assert await db.write(job) == ["wal", 1, 1]

    async def test_names_with_signs_of_their_own_are_only_names(self, tmp_path: Path) -> None:
        path = tmp_path / "Данные #1 100%?mode=memory" / "bot.db"
        await (await Database.open(path)).close()
        assert path.stat().st_size > 0

    @pytest.mark.parametrize("opener", [Database.open, lambda path: open_read_only(path).__aenter__()])
    async def test_a_newer_database_is_refused(self, path: Path, opener: Callable[[Path], Awaitable[object]]) -> None:
        await (await Database.open(path)).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 999")
        with pytest.raises(FatalError, match="newer version of channelwatch"):
            await opener(path)

    @pytest.mark.parametrize("opener", [Database.open, lambda path: open_read_only(path).__aenter__()])
    async def test_a_file_that_is_no_database_is_refused(
        self, path: Path, opener: Callable[[Path], Awaitable[object]]
    ) -> None:
        write_prose(path)
        with pytest.raises(FatalError, match="not a database"):
            await opener(path)

    async def test_a_folder_that_cannot_be_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(FatalError, match="DATA_DIR"):
            await Database.open(tmp_path / "file" / "bot.db")

    async def test_reading_beside_a_running_service_needs_a_database(self, tmp_path: Path, db: Database) -> None:
        with pytest.raises(FatalError, match="no database"):
            await open_read_only(tmp_path / "bot.db").__aenter__()
        await db.write(putting("a"))
        async with open_read_only(tmp_path / "data" / "bot.db") as reader:
            assert await keys(reader) == ["a"]


class TestMigrations:
    ONE = "CREATE TABLE one (n INTEGER); INSERT INTO one VALUES (1);"
    TWO = "ALTER TABLE one ADD COLUMN m INTEGER; UPDATE one SET m = n + 1;"

    async def test_they_are_applied_by_number_and_only_once(self, tmp_path: Path) -> None:
        async with aiosqlite.connect(tmp_path / "x.db", isolation_level=None) as connection:
            await migrations.apply(connection, {1: self.ONE})
            await migrations.apply(connection, {1: self.ONE, 2: self.TWO})
            await migrations.apply(connection, {1: self.ONE, 2: self.TWO})
            assert await migrations.version_of(connection) == 2
            assert list(await connection.execute_fetchall("SELECT * FROM one")) == [(1, 2)]

    async def test_one_that_fails_leaves_nothing_of_itself(self, tmp_path: Path) -> None:
        async with aiosqlite.connect(tmp_path / "x.db", isolation_level=None) as connection:
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await migrations.apply(connection, {1: self.ONE, 2: self.TWO + "DROP TABLE absent;"})
            assert await migrations.version_of(connection) == 1
            assert list(await connection.execute_fetchall("SELECT * FROM one")) == [(1,)]

    async def test_a_later_one_changes_a_database_in_use_and_keeps_its_rows(self, path: Path) -> None:
        db = await Database.open(path)
        await db.write(lambda tx: people.admit(tx, 501, Role.EDITOR, NOON))
        await db.close()
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute("PRAGMA foreign_keys = ON")
            later = migrations.available(Path(__file__).parent / "migrations")
            await migrations.apply(connection, migrations.available() | later)
            await connection.execute("UPDATE people SET role = 'guest' WHERE role = 'editor'")
            assert list(await connection.execute_fetchall("SELECT id, role FROM people")) == [(501, "guest")]
        with pytest.raises(FatalError, match="newer version"):
            await Database.open(path)

    async def test_their_numbers_have_no_gaps(self) -> None:
        assert list(migrations.available()) == list(range(1, len(migrations.available()) + 1))

    async def test_two_processes_may_start_at_once(self, path: Path) -> None:
        opened = await asyncio.gather(*(Database.open(path) for _ in range(4)))
        for db in opened:
            await db.close()

    @pytest.mark.parametrize("attempt", range(10))
    async def test_none_is_applied_twice_by_processes_that_start_at_once(self, tmp_path: Path, attempt: int) -> None:
        scripts = {1: self.ONE, 2: "UPDATE one SET n = n + 1;", 3: f"CREATE TABLE three_{attempt} (n INTEGER);"}
        async with AsyncExitStack() as stack:
            connecting = (aiosqlite.connect(tmp_path / "x.db", isolation_level=None) for _ in range(4))
            connections = [await stack.enter_async_context(connection) for connection in connecting]
            await asyncio.gather(*(migrations.apply(connection, scripts) for connection in connections))
            assert list(await connections[0].execute_fetchall("SELECT n FROM one")) == [(2,)]
