"""Enquiries: what chats want to know that only a reader can ask Telegram, until it is answered and for a week after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models import to_json
from bot.models.enquiries import EnquiryKind, Findings
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import read, to_ms

KEPT = timedelta(days=7)  # the pages of an answer can be turned so long
WORTH = timedelta(hours=1)  # after that nobody waits for what was found any more; what is to be followed still counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """What a chat wants to know."""

    id: int
    chat_id: int
    kind: EnquiryKind
    channel_id: int | None  # that it is about
    words: str | None  # that are looked for
    may_follow: bool  # who asked may follow what is found
    asked_at: datetime
    answer: Findings | None


async def ask(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction, chat_id: int, kind: EnquiryKind, about: int | str, *, now: datetime, may_follow: bool = False
) -> None:
    """Have something asked about a channel or some words; nothing where the chat waits for that answer already."""
    await tx.execute(
        """INSERT INTO enquiries (chat_id, kind, channel_id, words, may_follow, asked_at, due_at)
        SELECT :chat, :kind, :channel, :words, :may_follow, :now, :now WHERE NOT EXISTS (
            SELECT 1 FROM enquiries WHERE due_at IS NOT NULL AND chat_id = :chat AND kind = :kind
            AND (channel_id, words) IS (:channel, :words))""",
        {"chat": chat_id, "kind": kind, **_named(about), "may_follow": may_follow, "now": to_ms(now)},
    )
    tx.announce(Subject.ENQUIRIES)


async def answered(db: Reader, chat_id: int, kind: EnquiryKind, about: int | str, *, now: datetime) -> Enquiry | None:
    """Return the same enquiry of a chat where it was answered within the hour; None where nothing was found."""
    row = await db.fetch_one(
        """SELECT * FROM enquiries WHERE chat_id = :chat AND kind = :kind AND (channel_id, words) IS (:channel, :words)
        AND asked_at > :since AND json_array_length(answer, '$.channels') > 0 ORDER BY id DESC LIMIT 1""",
        {"chat": chat_id, "kind": kind, **_named(about), "since": to_ms(now - WORTH)},
    )
    return None if row is None else read(Enquiry, row)


def _named(about: int | str) -> dict[str, object]:
    is_channel = isinstance(about, int)
    return {"channel": about if is_channel else None, "words": None if is_channel else about}


async def get(db: Reader, enquiry_id: int, chat_id: int) -> Enquiry | None:
    """Return an enquiry of a chat."""
    sql = "SELECT * FROM enquiries WHERE id = :id AND chat_id = :chat"
    row = await db.fetch_one(sql, {"id": enquiry_id, "chat": chat_id})
    return None if row is None else read(Enquiry, row)


async def next_due(db: Reader, reader_id: int, now: datetime, *, leads: bool) -> Enquiry | None:
    """Return the oldest enquiry that a reader is to answer: about a channel of its own, or as the one that leads."""
    row = await db.fetch_one(
        """SELECT * FROM enquiries e WHERE due_at <= :now AND (kind = 'comments' OR asked_at > :since)
        AND iif(channel_id IS NULL, :leads, (SELECT coalesce(read_by, :reader) = :reader FROM channels c
            WHERE c.id = e.channel_id)) ORDER BY id LIMIT 1""",
        {"now": to_ms(now), "since": to_ms(now - WORTH), "leads": leads, "reader": reader_id},
    )
    return None if row is None else read(Enquiry, row)


async def settle(tx: Transaction, enquiry_id: int, answer: Findings) -> None:
    """Write an answer down."""
    sql = "UPDATE enquiries SET answer = :answer, due_at = NULL WHERE id = :id"
    await tx.execute(sql, {"id": enquiry_id, "answer": to_json(answer)})


async def withdraw(tx: Transaction, kind: EnquiryKind, channel_id: int) -> None:
    """Forget what was asked about a channel and is not answered."""
    sql = "DELETE FROM enquiries WHERE due_at IS NOT NULL AND kind = :kind AND channel_id = :channel"
    await tx.execute(sql, {"kind": kind, "channel": channel_id})


async def postpone(tx: Transaction, enquiry_id: int, *, until: datetime) -> None:
    """Ask later."""
    await tx.execute("UPDATE enquiries SET due_at = :until WHERE id = :id", {"id": enquiry_id, "until": to_ms(until)})


async def forget_old(tx: Transaction, *, now: datetime) -> None:
    """Delete what was asked long ago."""
    await tx.execute("DELETE FROM enquiries WHERE asked_at < :before", {"before": to_ms(now - KEPT)})
