"""A session file comes in; whether somebody signed in with it goes out, and nothing of it is used or changed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def is_signed_in(session: Path) -> bool:
    """Say whether a Telethon session holds a key to Telegram; whether that is still good only Telegram can say.

    Raises ValueError where the file is no session of Telethon's.
    """
    try:
        # Telethon's own class would make what it does not find.
        with closing(sqlite3.connect(f"file:{quote(str(session))}?mode=ro", uri=True)) as connection:
            keys = connection.execute("SELECT auth_key FROM sessions").fetchall()
    except sqlite3.DatabaseError as error:
        raise ValueError(str(error)) from None
    return any(key for (key,) in keys)
