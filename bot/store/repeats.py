"""Posts that say what a chat has heard come in, and join the alert that told it; the others go into the outbox."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.store import alerts
from bot.store.alerts import Draft, Kind
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, to_ms

JOINS_WITHIN = timedelta(hours=1)  # of each other are two posts posted that say the same


async def tell(tx: Transaction, drafts: Collection[Draft], *, now: datetime) -> int:
    """Put alerts of posts into the outbox; return how many were new.

    A post that says what another said within an hour joins its alert, which is edited to name both.
    """
    earlier = await _earlier(tx, drafts)
    first: list[Draft] = []
    again: list[Draft] = []
    said: set[tuple[int, str | None]] = set()
    for draft in drafts:
        words = (draft.chat_id, draft.words)
        is_repeat = (draft.chat_id, draft.subject) in earlier or words in said
        (again if is_repeat and draft.said_at is not None else first).append(draft)
        said.add(words)
    count = await alerts.enqueue_all(tx, first, now=now)
    return count + await _join(tx, again, now=now) if again else count


async def _join(tx: Transaction, drafts: Collection[Draft], *, now: datetime) -> int:
    """Let posts join the alerts that say the same; return how many alerts were new after all."""
    earlier = await _earlier(tx, drafts)
    apart, repeats = [], []
    for draft in drafts:
        alert_id = earlier.get((draft.chat_id, draft.subject))
        if alert_id is None:
            apart.append(draft)
        else:
            repeats.append(replace(draft, kind=Kind.REPEAT, follows=alert_id))
    if await alerts.enqueue_all(tx, repeats, now=now):
        await alerts.enqueue_all(tx, [_edit(draft) for draft in repeats], now=now)
    return await tell(tx, apart, now=now) if apart else 0


def _edit(repeat: Draft) -> Draft:
    return Draft(
        chat_id=repeat.chat_id,
        chat_key=repeat.chat_key,
        kind=Kind.EDIT,
        subject=f"repeat/{repeat.subject}",
        payload={},
        follows=repeat.follows,
    )


async def _earlier(tx: Reader, drafts: Iterable[Draft]) -> dict[tuple[int, str], int]:
    """Return the rows of the alerts that these may join, by chat and subject; one that cannot be edited is none."""
    asked = [(d.chat_id, d.words, to_ms(d.said_at), d.subject) for d in drafts if d.said_at is not None]
    rows = await tx.fetch_all(
        """SELECT a.id, a.chat_id, q.value ->> 3 AS subject FROM json_each(:asked) q
        JOIN alerts a ON a.words = q.value ->> 1 AND a.chat_id = q.value ->> 0 AND a.kind = 'post'
            AND (a.state = 'due' OR a.state = 'sent' AND a.message_id IS NOT NULL)
        JOIN versions v ON v.id = a.payload ->> 'version_id' AND abs(v.date - (q.value ->> 2)) <= :within
        ORDER BY a.id DESC""",
        {"asked": json_list(asked), "within": JOINS_WITHIN // timedelta(milliseconds=1)},
    )
    return {(row["chat_id"], row["subject"]): row["id"] for row in rows}
