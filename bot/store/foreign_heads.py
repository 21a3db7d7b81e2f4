"""Heads of other instances, by the channel that has them: the last one that counts, and one that was refused since."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from bot.store import ledger, meta
from bot.store.database import Reader, Transaction
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import to_ms

_LAST, _REFUSED = "head_followed", "head_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHead:
    """A head in a channel."""

    channel_id: int
    message_id: int
    text: str
    key: str  # in hexadecimal
    sequence: int
    hash: str

    @property
    def sha256(self) -> bytes:
        """The digest of its text."""
        return hashlib.sha256(self.text.encode()).digest()


def place(channel_id: int) -> str:
    """Return the key of the fact that holds the last head of a channel that counts."""
    return f"{_LAST}:{channel_id}"


async def last(db: Reader, channel_id: int) -> ChannelHead | None:
    """Return the last head of a channel that counts."""
    written = await meta.get(db, place(channel_id))
    return None if written is None else ChannelHead(**json.loads(str(written)))


async def refused(db: Reader, channel_id: int) -> tuple[ChannelHead, ChannelHead] | None:
    """Return the head that was refused last, behind the one it does not follow; None where another counts by now."""
    written = await meta.get(db, f"{_REFUSED}:{channel_id}")
    if written is None:
        return None
    before, head = (ChannelHead(**each) for each in json.loads(str(written)))
    return (before, head) if before == await last(db, channel_id) else None


async def refuse(tx: Transaction, before: ChannelHead, head: ChannelHead) -> None:
    """Keep a head that does not follow from the last one, in case that somebody accepts it."""
    await meta.put(tx, f"{_REFUSED}:{head.channel_id}", json.dumps([asdict(before), asdict(head)]))


async def count(tx: Transaction, head: ChannelHead, kind: LineKind, *, now: datetime) -> None:
    """Let a head count as the last one of its channel, and write it down: it follows, or somebody has accepted it."""
    await meta.put(tx, place(head.channel_id), json.dumps(asdict(head)))
    line = LedgerEntry(kind, to_ms(now), channel_id=head.channel_id, message_id=head.message_id)
    await ledger.add(tx, [line._replace(sha256=head.sha256, detail=head.text)])


async def withdraw(tx: Transaction, channel_id: int, sha256: bytes, *, now: datetime) -> None:
    """Write down that a head, which somebody had accepted, counts no more."""
    await ledger.add(tx, [LedgerEntry(LineKind.HEAD_WITHDRAWN, to_ms(now), channel_id=channel_id, sha256=sha256)])
