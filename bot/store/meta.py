"""Single facts by key, and the secrets made at first use."""

import secrets

from bot.store.database import Reader, Transaction


async def get(db: Reader, key: str) -> bytes | str | int | None:
    """Return the value of a fact, or None."""
    row = await db.fetch_one("SELECT value FROM meta WHERE key = :key", {"key": key})
    return None if row is None else row["value"]


async def put(tx: Transaction, key: str, value: bytes | str | int) -> None:
    """Set a fact."""
    await tx.execute(
        "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT DO UPDATE SET value = excluded.value",
        {"key": key, "value": value},
    )


async def secret(tx: Transaction, key: str, size: int = 32) -> bytes:
    """Return a secret of `size` bytes, made at random when it is first asked for."""
    found = await get(tx, key)
    if isinstance(found, bytes):
        return found
    fresh = secrets.token_bytes(size)
    await put(tx, key, fresh)
    return fresh
