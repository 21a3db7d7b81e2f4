"""Heads go from one instance to another by a channel: each posts its own, and keeps those of others in its ledger.

A head of another instance that follows from its last one becomes a line of our ledger, whose head we sign and have
stamped: that is our counter-signature. Of those that do not follow the owners are told, once a day for each channel;
one of them can accept the last of these, from which on others are to follow: the ledger says that a person did.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

import structlog

from bot.evidence.signing_key import handover_text, is_signed_by
from bot.models.notices import HeadFault, HeadPosted, HeadRefused
from bot.store import chats, evidence, foreign_heads, heads, ledger, meta
from bot.store.database import Database, Transaction
from bot.store.evidence import PostedText
from bot.store.foreign_heads import ChannelHead
from bot.store.heads import LedgerHead, SigningKey
from bot.store.ledger import LineKind
from bot.store.notices import notify, notify_owners

log = structlog.get_logger(__name__)

_SEEN = "heads_seen"  # the line of the ledger that was looked at last
_HANDOVERS = 5  # of keys that a message tells: 140 signs each
_MOST_LINES = 2**63 - 1  # of a ledger
_AT_ONCE = 50_000  # lines of the ledger in a turn: what is older waits for the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignHead:
    """A head as a message has it."""

    text: str
    public: bytes
    sequence: int
    hash: str
    is_signed: bool
    earlier: tuple[bytes, ...] = ()  # keys that have handed over to this one, one after the other


def read_head(text: str) -> ForeignHead | None:
    """Return the head in a message; None where there is none."""
    lines = [line.strip() for line in text.splitlines()]
    at = next((n for n, line in enumerate(lines) if line.startswith("{") and heads.MARK in line), None)
    if at is None:
        return None
    try:
        head, signature, public = lines[at : at + 3]
        said: dict[str, Any] = json.loads(head)
        key = base64.b64decode(public, validate=True)
        is_signed = is_signed_by(key, base64.b64decode(signature, validate=True), head.encode())
        is_own, sequence = heads.fingerprint(key) == said["key"], int(said["sequence"])
        if not 0 <= sequence <= _MOST_LINES:
            return None
        return ForeignHead(
            text=head,
            public=key,
            sequence=sequence,
            hash=str(said["hash"]),
            is_signed=is_signed and is_own,
            earlier=tuple(_earlier_keys(key, lines[at + 3 :])),
        )
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):  # whoever posts writes what they like
        return None


def _earlier_keys(public: bytes, lines: Sequence[str]) -> Iterator[bytes]:
    """Yield the keys before one, as far as each has signed the next; the lines begin with the last."""
    for line in lines[:_HANDOVERS]:
        earlier, _, signature = line.partition(" ")
        try:
            old, signed = (base64.b64decode(each, validate=True) for each in (earlier, signature))
        except ValueError:  # whatever else the message says
            return
        if not is_signed_by(old, signed, handover_text(old, public)):
            return
        yield old
        public = old


def fault_of(head: ForeignHead, last: ChannelHead | None) -> HeadFault | None:
    """Return why a head does not follow from the last one of its channel; None where it does, as far as heads show."""
    if not head.is_signed:
        return HeadFault.SIGNATURE
    if last is None:
        return None
    if last.key not in {each.hex() for each in (head.public, *head.earlier)}:
        return HeadFault.KEY
    if head.sequence < last.sequence:
        return HeadFault.BACK
    return HeadFault.HASH if head.sequence == last.sequence and head.hash != last.hash else None


async def post_head(tx: Transaction, head: LedgerHead, public: bytes, *, now: datetime) -> None:
    """Post a head into each chat that wants one, once a day."""
    notice = HeadPosted(
        event=f"{now:%Y-%m-%d}",
        sequence=head.sequence,
        text=head.text,
        signature=base64.b64encode(head.signature).decode(),
        key=base64.b64encode(public).decode(),
        handovers=tuple(_handovers(await heads.keys(tx))),
    )
    for chat in await chats.everyone(tx):
        if chat.heads and chat.suspended is None:
            await notify(tx, chat, notice, now=now)


def _handovers(keys: Sequence[SigningKey]) -> Iterator[str]:
    """Write how each key followed the one before it, the last first, back to one that was lost."""
    for key, before in islice(pairwise(reversed(keys)), _HANDOVERS):
        if key.handover is None:
            return
        yield " ".join(base64.b64encode(each).decode() for each in (before.public, key.handover))


async def countersign(database: Database, public: bytes, *, now: datetime) -> None:
    """Read the heads that other instances have posted since the last time, and keep those that follow in our ledger."""
    seen, tip = await meta.get(database, _SEEN), await ledger.tip(database)
    after = seen if isinstance(seen, int) else max(0, tip.sequence - _AT_ONCE)
    until = min(tip.sequence, after + _AT_ONCE)
    posted = await evidence.with_text(database, heads.MARK, after=after, until=until)
    found = [(post, read_head(post.text)) for post in posted]  # signatures are checked before others wait for us

    async def job(tx: Transaction) -> None:
        for post, head in found:
            if head is not None and head.public != public:
                await _take(tx, post, head, now)
        await meta.put(tx, _SEEN, until)

    await database.write(job)


async def _take(tx: Transaction, post: PostedText, head: ForeignHead, now: datetime) -> None:
    last = await foreign_heads.last(tx, post.channel_id)
    found = ChannelHead(
        channel_id=post.channel_id,
        message_id=post.message_id,
        text=head.text,
        key=head.public.hex(),
        sequence=head.sequence,
        hash=head.hash,
    )
    fault = fault_of(head, last)
    if fault is None:
        await foreign_heads.count(tx, found, LineKind.COUNTERSIGNED, now=now)
        return
    log.warning("a head of another ledger is refused", channel=post.channel_id, post=post.message_id, fault=fault.value)
    if last is not None and fault is not HeadFault.SIGNATURE:
        await foreign_heads.refuse(tx, last, found)
    event = f"{post.channel_id}:{now:%Y-%m-%d}"  # whoever may post there decides how many there are
    notice = HeadRefused(event=event, channel=post.channel_title, channel_id=post.channel_id, fault=fault)
    await notify_owners(tx, notice, now=now)
