"""The schema: `NNNN_name.sql` files beside this one, applied in the order of their numbers.

Until the first release there is one, which is changed in place; from then on a change is a file of its own.
"""

import sqlite3
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import aiosqlite

from bot.errors import FatalError


def available(folder: Traversable | None = None) -> dict[int, str]:
    """Return the script of each migration in a folder, by default this one, by its number, lowest first."""
    files = (folder or resources.files(__name__)).iterdir()
    scripts = sorted((file for file in files if file.name.endswith(".sql")), key=lambda file: file.name)
    return {int(file.name[:4]): file.read_text(encoding="utf-8") for file in scripts}


async def version_of(connection: aiosqlite.Connection) -> int:
    """Return the number of the last migration applied."""
    return int(next(iter(await connection.execute_fetchall("PRAGMA user_version")))[0])


# Fails where another process applied the migration in the meantime: the version may be read only under the lock.
_UNDER_LOCK = """
CREATE TEMP TABLE still (version CHECK (version = {version}));
INSERT INTO still SELECT user_version FROM pragma_user_version;
DROP TABLE still;
"""


async def apply(connection: aiosqlite.Connection, scripts: Mapping[int, str]) -> None:
    """Apply what is missing, each migration in a transaction of its own; a newer database stays as it is."""
    while (version := await version_of(connection)) < max(scripts):
        number = min(number for number in scripts if number > version)
        guard = _UNDER_LOCK.format(version=version)
        script = f"BEGIN IMMEDIATE;{guard}{scripts[number]}\nPRAGMA user_version = {number};\nCOMMIT;"
        try:
            await connection.executescript(script)
        except sqlite3.DatabaseError:
            await connection.rollback()
            if await version_of(connection) == version:  # else another process was faster, and all is well
                raise


async def check(connection: aiosqlite.Connection, path: Path) -> None:
    """Check that the database has the shape that this program knows; raises FatalError."""
    version, known = await version_of(connection), max(available())
    if version > known:
        raise FatalError(
            f"{path} was made by a newer version of channelwatch (schema {version}, this one knows {known}). "
            "Install that version again, or set DATA_DIR to another folder."
        )
    if version < known:
        raise FatalError(f"The database {path} is older than this program; start `channelwatch run` once to update it.")
