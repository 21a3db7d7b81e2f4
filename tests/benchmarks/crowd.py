"""Invitations for a crowd of readers of the bot: a database comes in, tokens go out."""

from pathlib import Path

from bot.models.people import Role
from bot.runtime.clock import utc_now
from bot.store import invitations
from bot.store.database import open_existing


async def invite(path: Path, count: int) -> list[str]:
    """Return as many tokens of invitations."""
    async with open_existing(path) as database:
        made = [
            await database.write(lambda tx: invitations.make(tx, role=Role.READER, now=utc_now())) for _ in range(count)
        ]
    return [each.token for each in made]
