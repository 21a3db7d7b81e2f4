"""Holds, opens and examines session files."""

import asyncio
import fcntl
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession

from bot.errors import FatalError
from bot.runtime import private_files

READER, STANDBY, BOT = "reader.session", "reader-2.session", "bot.session"  # files in DATA_DIR
LOGIN = "run `channelwatch login`"
_LOOK_EVERY = 0.1  # s between two looks whether another process has let go of a session


class InUseError(FatalError):
    """Another process holds a session."""


@contextmanager
def lock(session: Path) -> Iterator[None]:
    """Hold a session file for this process: Telegram kills a session that two programs use (AUTH_KEY_DUPLICATED).

    Raises InUseError where another process holds it, FatalError where it cannot be written.
    """
    path = session.with_name(f"{session.name}.lock")
    private_files.prepare(path)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUseError(f"another channelwatch uses {session}: stop it first") from None
        yield


@asynccontextmanager
async def lock_within(session: Path, seconds: float) -> AsyncIterator[None]:
    """Hold a session as `lock` does, once a process that needs it for a moment only, like `doctor`, has let go of it.

    Raises InUseError where it is still held after so many seconds, FatalError where it cannot be written.
    """
    end = time.monotonic() + seconds
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lock(session))
                break
            except InUseError:
                if time.monotonic() >= end:
                    raise
            await asyncio.sleep(_LOOK_EVERY)
        yield


def opened(path: Path, *, server: str | None) -> SQLiteSession:
    """Open an ordinary Telethon session file, made here or elsewhere, for another `server` where one is named.

    Raises FatalError where the file cannot be written, or is no session.
    """
    private_files.prepare(path)  # Telethon would make it readable for all
    try:
        session = SQLiteSession(str(path))
    except (sqlite3.DatabaseError, ValueError) as error:  # ValueError: another layout, by another Telethon
        raise FatalError(f"{path} is no Telethon session ({error}): move it away and {LOGIN}.") from None
    host, _, port = (server or "").rpartition(":")
    address = (host.strip("[]"), int(port or 0))
    if server is not None and (session.server_address, session.port) != address:
        session.set_dc(session.dc_id or 2, *address)  # the login is kept
        session.save()
    return session


def has_key(session: Path) -> bool:
    """Tell whether a Telethon session holds a key to Telegram; whether somebody is signed in only Telegram knows.

    Raises ValueError where the file is no session of Telethon's.
    """
    return _read(session) is not None


def copy_key(session: Path, to: Path) -> None:
    """Make a session file of the key and the server of another, which is left alone, and of nothing else in it.

    Raises ValueError where that is no session of Telethon's, or holds no key.
    """
    if (found := _read(session)) is None:
        raise ValueError("it holds no key")
    dc_id, server, port, key = found
    made = SQLiteSession(str(to))
    made.set_dc(dc_id, server, port)
    made.auth_key = AuthKey(key)
    made.save()
    made.close()


def _read(session: Path) -> tuple[int, str, int, bytes] | None:
    try:
        # Telethon's own class would make what it does not find.
        with closing(sqlite3.connect(f"file:{quote(str(session))}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT dc_id, server_address, port, auth_key FROM sessions").fetchall()
    except sqlite3.DatabaseError as error:
        raise ValueError(str(error)) from None
    return next((row for row in rows if row[-1]), None)
