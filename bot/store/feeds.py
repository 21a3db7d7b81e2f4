"""Feeds: topics of every post of a channel or channel group, made when the first chat wants one."""

from datetime import datetime

from bot.models.topics import EVERY_POST
from bot.parts import compact_json
from bot.store import topics
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic

_ANYTHING = '{"query":"re:/./","forms":{}}'  # compiled: what has a character, for those who ask what a post fits
_LONGEST_TITLE = 60  # characters of what it is called by


async def find(db: Reader, place: str) -> Topic | None:
    """Return the feed of a channel, named by its id, or of the channel group of a name; None where there is none."""
    row = await db.fetch_one(
        "SELECT id FROM topics WHERE query = :every AND limits = :limits",
        {"every": EVERY_POST, "limits": compact_json([place])},
    )
    return None if row is None else await topics.get(db, row["id"])


async def make(tx: Transaction, place: str, title: str, *, now: datetime) -> Topic:
    """Return the feed of a place, as `find` does; a new one is called by the title."""
    known = await find(tx, place)
    if known is not None:
        return known
    name = _name(title)
    if await topics.find(tx, name) is not None:  # of another channel that is called so
        name = f"{name} ({place})"
    return await topics.save(tx, name=name, query=EVERY_POST, limits=[place], compiled=_ANYTHING, now=now)


async def rename(tx: Transaction, place: str, title: str) -> None:
    """Call the feed of a place by another title, unless another topic is called so."""
    known, name = await find(tx, place), _name(title)
    if known is not None and await topics.find(tx, name) is None:
        await topics.rename(tx, known.id, name)


def _name(title: str) -> str:
    return f"{EVERY_POST} {' '.join(title.split())[:_LONGEST_TITLE]}"
