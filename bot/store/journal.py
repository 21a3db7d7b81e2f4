"""What was committed comes in, in the log beside SQLite's file; it goes out to the disk, and then into the file.

SQLite would do both inside COMMIT, and whoever waits for what was committed would wait for the disk too: half a
millisecond where it is idle, 50 ms where it is busy. With `synchronous = NORMAL` it commits what a kill cannot harm;
what a power cut would take away, always the latest first, is brought to safety here right after that.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import aiosqlite

from bot.errors import FatalError

MOVED_AT_ONCE = 400  # rows changed, which fill about a thousand pages: as many as SQLite itself lets come together
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Journal:
    """The log of an open database; `connection` is the one that writes."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._file = os.open(f"{path}-wal", os.O_RDONLY)  # closing it takes no lock away: SQLite has none on it
        self._moved = connection.total_changes

    @staticmethod
    async def leave_to_us(connection: aiosqlite.Connection) -> None:
        """Have SQLite do neither by itself."""
        await connection.execute("PRAGMA synchronous = NORMAL")
        await connection.execute("PRAGMA wal_autocheckpoint = 0")

    def flush(self) -> None:
        """Make what is committed outlast a power cut; it blocks. Raises FatalError."""
        try:
            _sync(self._file)
        except OSError as error:
            raise FatalError(f"The database cannot be written: {error}. Check the disk.") from error

    async def shorten(self) -> None:
        """Move what it holds into the file, if that is much; what somebody still reads without it stays."""
        if self._connection.total_changes - self._moved < MOVED_AT_ONCE:
            return
        self._moved = self._connection.total_changes
        with suppress(sqlite3.OperationalError):  # then it grows until the next time; a full disk is met by COMMIT too
            await self._connection.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Let go of the log."""
        os.close(self._file)
