"""A database comes in; whether its file is sound goes out."""

import sqlite3

from bot.store.database import Reader


async def fault(db: Reader) -> str | None:
    """Read the whole file; return what is damaged in it, in SQLite's words, or None."""
    try:
        row = await db.fetch_one("PRAGMA quick_check(1)")
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if row is not None and row[0] == "ok" else str(row and row[0])
