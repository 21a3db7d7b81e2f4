"""The database file: one connection writes, behind one task; another, read-only, sees committed rows only."""

import asyncio
import os
import sqlite3
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from bot.errors import FatalError
from bot.runtime import private_files
from bot.runtime.disk import fatal_in
from bot.store import integrity, migrations
from bot.store.rows import from_ms, to_ms
from bot.store.transaction import Changes, Job, Params, Reader, StaleTipError, Subject, Tip, Transaction, run

__all__ = ["Changes", "Database", "Reader", "Subject", "Transaction", "from_ms", "open_read_only", "to_ms"]

T = TypeVar("T")
BUSY_TIMEOUT = 5000  # ms to wait for another process, such as `channelwatch invite`, to finish its write
# s. A loop that is never idle gives the interpreter's lock away for some microseconds at each turn, too briefly for
# SQLite's thread to take it, and each time the 5 ms after which Python enforces a switch begin anew: with the default a
# write was measured to wait for up to 23 s. It has to be shorter than a turn of the loop.
SWITCH_INTERVAL = 0.0001
MOVED_AT_ONCE = 400  # rows changed, which fill about a thousand pages: as many as SQLite itself lets come together
LOG_KEPT = 64 << 20  # bytes of the log that stay on the disk, after somebody who read for long had it grow
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class WriteAheadLog:
    """The log beside SQLite's file, in which commits stand until they are moved into it.

    SQLite would bring them to the disk and into the file inside COMMIT, and each reader of the news would wait for the
    disk: half a millisecond where it is idle, 50 ms where it is busy. With `synchronous = NORMAL` it commits what a
    kill cannot harm; what a power cut would take away, always the latest first, is flushed here right after that.
    """

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._file = os.open(f"{path}-wal", os.O_RDONLY)  # closing it takes no lock away: SQLite has none on it
        self._moved = connection.total_changes

    @staticmethod
    async def take_over(connection: aiosqlite.Connection) -> None:
        """Have SQLite neither flush nor move the log by itself."""
        await connection.execute("PRAGMA synchronous = NORMAL")
        await connection.execute("PRAGMA wal_autocheckpoint = 0")
        await connection.execute(f"PRAGMA journal_size_limit = {LOG_KEPT}")

    def flush(self) -> None:
        """Make what is committed outlast a power cut; it blocks. Raises FatalError."""
        try:
            _sync(self._file)
        except OSError as error:
            raise fatal_in(error, place=self._path) or FatalError(
                f"{self._path} cannot be written: {error}. Check the disk and start again."
            ) from error

    async def shorten(self) -> None:
        """Move the log into the file, if it is long; all but what a reader still needs. Raises FatalError."""
        if self._connection.total_changes - self._moved < MOVED_AT_ONCE:
            return
        self._moved = self._connection.total_changes
        try:
            await self._connection.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.DatabaseError as error:  # without a verdict the log grows until the next time
            if (fatal := fatal_in(error, place=self._path)) is not None:
                raise fatal from error

    def close(self) -> None:
        """Close the log."""
        os.close(self._file)


class _Answers:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch_all(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        try:
            return await self._rows(sql, params)
        except sqlite3.DatabaseError as error:
            fatal = fatal_in(error, place=self._path)
            if fatal is None or error.sqlite_errorcode == sqlite3.SQLITE_READONLY:  # a question that would write
                raise
            raise fatal from error

    async def fetch_one(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        rows = await self.fetch_all(sql, params)
        return rows[0] if rows else None

    async def fetch_value(self, sql: str, params: Params = ()) -> Any:  # noqa: ANN401 - a column
        row = await self.fetch_one(sql, params)
        return None if row is None else row[0]

    async def _rows(self, sql: str, params: Params) -> list[sqlite3.Row]:
        raise NotImplementedError


class _Connection(_Answers):
    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        super().__init__(path)
        self._connection = connection

    async def _rows(self, sql: str, params: Params) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(sql, params))


class _AtOnce(_Answers):
    """Answers on the event loop's own thread: what takes less time than the trip to another one and back."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._connection = sqlite3.connect(integrity.address(path, mode="ro"), uri=True, isolation_level=None)
        self._connection.row_factory = sqlite3.Row

    async def _rows(self, sql: str, params: Params) -> list[sqlite3.Row]:
        return self._connection.execute(sql, params).fetchall()

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    job: Job[Any]
    outcome: asyncio.Future[Any]

    def answer(self, result: object) -> None:
        if not self.outcome.done():  # a caller that was cancelled has left, its work is committed all the same
            self.outcome.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class _Writer:
    """The only task that writes: takes what waits into one transaction, so that one flush to the disk serves many."""

    def __init__(self, connection: aiosqlite.Connection, path: Path, wal: WriteAheadLog, changes: Changes) -> None:
        self._connection = connection
        self._path = path
        self._wal = wal
        self._changes = changes
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Order] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._tip: Tip | None = None  # the end of the ledger, as far as this process knows
        self._fatal: FatalError | None = None  # why nothing can be written any more
        self._task = asyncio.create_task(self._run(), name="store.writer")

    async def write(self, job: Job[T]) -> T:
        if self._closing:
            raise FatalError("The database is closed; nothing can be written any more.")
        if self._fatal is not None:
            raise self._fatal
        order = _Order(job=job, outcome=self._loop.create_future())
        self._waiting.append(order)
        self._wake.set()
        result: T = await order.outcome
        return result

    async def close(self) -> None:
        """Finish what waits, then stop."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            await self._wake.wait()
            self._wake.clear()
            if self._waiting:
                group = list(self._waiting)
                self._waiting.clear()
                await self._commit(group)
            try:
                await self._wal.shorten()
            except FatalError as error:
                self._fatal = error

    async def _commit(self, group: list[_Order]) -> None:
        try:
            results = await self._attempt(group)
        except StaleTipError:  # it is read anew, with the lock held: this cannot come twice
            await self._commit(group)
            return
        except Exception as error:  # noqa: BLE001 - whatever a job raises belongs to its caller
            if len(group) == 1 or isinstance(error, FatalError):  # which may be one of what is committed already
                for order in group:
                    order.fail(fatal_in(error, place=self._path) or error)
                return
            for order in group:
                await self._commit([order])
            return
        for order, result in zip(group, results, strict=True):
            order.answer(result)

    async def _attempt(self, group: list[_Order]) -> list[object]:
        # aiosqlite offers a trip to its thread for each statement only, which made an alerted post cost ten; what it
        # makes them with takes any function, and a test pins that.
        visit: Callable[..., Awaitable[list[object]]] = self._connection._execute  # noqa: SLF001 - see above
        return await visit(self._transact, group)

    def _transact(self, group: list[_Order]) -> list[object]:
        """Run jobs in one transaction, on SQLite's thread."""
        connection = self._connection._conn  # noqa: SLF001 - the connection that belongs to this thread
        transaction = Transaction(connection, self._tip)
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [run(order.job(transaction)) for order in group]
            connection.execute("COMMIT")
            self._tip = transaction.tip
        except BaseException:
            connection.rollback()
            self._tip = None
            raise
        # Who sends what was committed need not wait for the disk: what a power cut takes away in these milliseconds is
        # made anew from what Telegram has, and sent under the same `random_id`. All others are answered afterwards.
        self._loop.call_soon_threadsafe(self._changes.publish, transaction.announced)
        self._wal.flush()
        return results


class Database(_Connection):
    """The open store: a `Reader` of what is committed, and the way to write."""

    def __init__(
        self, path: Path, *, reading: aiosqlite.Connection, writing: aiosqlite.Connection, wal: WriteAheadLog
    ) -> None:
        super().__init__(reading, path)
        self._writing = writing
        self._wal = wal
        self._at_once = _AtOnce(path)
        self.changes = Changes()
        self._writer = _Writer(writing, path, wal, self.changes)

    @classmethod
    async def open(cls, path: Path, *, numbered: bool = False) -> Self:
        """Open the database, making or migrating it as needed; `numbered` anew, for a service that begins with it.

        The file and what SQLite puts beside it get mode 0600, a folder that is made for them 0700. Raises FatalError
        where the file cannot be written, is no database, stands beside the log of another one, or was made by a newer
        version of the program.
        """
        private_files.prepare(path)
        sys.setswitchinterval(SWITCH_INTERVAL)
        writing = await _connect(path, mode="rw")
        try:
            await _prepare(writing, path)
            if numbered:
                await integrity.number_anew(writing, path)
            reading = await _connect(path, mode="ro")
        except BaseException:
            await writing.close()
            raise
        return cls(path, reading=reading, writing=writing, wal=WriteAheadLog(writing, path))

    @property
    def at_once(self) -> Reader:
        """The same for a question that is answered in less time than the trip to SQLite's thread and back takes."""
        return self._at_once

    async def write(self, job: Job[T]) -> T:
        """Run a job inside a transaction; return its result once that is committed.

        Jobs that wait at the same moment share a transaction. A job may run twice, since a group with a failing job is
        rolled back and each job run again alone. It runs on SQLite's thread, beside the event loop: it may await
        nothing but its transaction, and touch no state that the loop changes. Its error reaches its caller only, whose
        cancellation does not stop it. Raises FatalError for a full disk or a damaged file.
        """
        return await self._writer.write(job)

    async def close(self) -> None:
        """Finish the writes that wait and close the file."""
        await self._writer.close()
        self._at_once.close()
        await self._connection.close()
        await self._writing.close()
        self._wal.close()


@asynccontextmanager
async def open_read_only(path: Path) -> AsyncIterator[Reader]:
    """Open the database for questions only, beside a service that may be running.

    Raises FatalError where there is none, one of another version of the program, or a file that is no database.
    """
    if not path.exists():  # noqa: ASYNC240 - once, before anything runs
        raise FatalError(f"There is no database at {path} yet; start the service with `channelwatch run` first.")
    connection = await _connect(path, mode="ro")
    try:
        await _check(connection, path)
        yield _Connection(connection, path)
    finally:
        await connection.close()


@asynccontextmanager
async def open_existing(path: Path) -> AsyncIterator[Database]:
    """Open a database that is there, also for writing, beside a service that may be running.

    Raises FatalError as `open_read_only` does: none is made or migrated.
    """
    async with open_read_only(path):
        pass
    database = await Database.open(path)
    try:
        yield database
    finally:
        await database.close()


async def _connect(path: Path, *, mode: str) -> aiosqlite.Connection:
    integrity.check_log(path)
    try:
        connection = await aiosqlite.connect(integrity.address(path, mode=mode), uri=True, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise fatal_in(error, place=path) or error from error
    connection.row_factory = sqlite3.Row
    await connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    return connection


async def _prepare(connection: aiosqlite.Connection, path: Path) -> None:
    try:
        await _use_wal(connection)
        await WriteAheadLog.take_over(connection)
        await connection.execute("PRAGMA foreign_keys = ON")
        await migrations.apply(connection, migrations.available())
        await migrations.check(connection, path)
    except sqlite3.DatabaseError as error:
        raise fatal_in(error, place=path) or FatalError(f"The database {path} cannot be used: {error}.") from error


async def _check(connection: aiosqlite.Connection, path: Path) -> None:
    try:
        await migrations.check(connection, path)
    except sqlite3.DatabaseError as error:
        raise fatal_in(error, place=path) or FatalError(f"The database {path} cannot be read: {error}.") from error


async def _use_wal(connection: aiosqlite.Connection) -> None:
    """Switch the journal; where two processes start at once, SQLite refuses one of them without waiting."""
    for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, None):
        try:
            await connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return
