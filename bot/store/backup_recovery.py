"""After a start with an older database: the messages that were found in chats come in; what each told is settled.

A message of ours that no row knows, or that is younger than all of the database, was sent by an instance whose
database is lost. The post that it tells of counts as told; what else that instance may have told until its last message
is summed up in one notice a chat.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import alerts, attachments, groups
from bot.store.alerts import Draft
from bot.store.database import Reader, Transaction
from bot.store.groups import RESTORED, Notice
from bot.store.rows import from_ms, json_list, to_ms
from bot.store.sightings import Sighting, known

YOUNGER = timedelta(minutes=12)  # than a database's last sign of life: clocks differ, and signs come now and then


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of the messages that were found."""

    found: int  # whose rows did not know their ids
    lost: int  # that a lost instance sent


async def settle(
    tx: Transaction,
    found: Collection[Sighting],
    *,
    alive_at: datetime | None,
    now: datetime,
    unread: Collection[int] = (),
) -> Settled:
    """Write down what was found, and gather what a lost instance may have told of what is due.

    In the chats where not all could be read, nobody knows what that instance told, nor how long it lived: until now,
    then. `alive_at` is the database's last sign of life.
    """
    told: list[Sighting] = []  # no row knows of it
    count = 0
    taken = await _taken(tx, [(s.chat_id, s.message_id) for s in found])
    for sighting in found:
        if sighting.post is None or (sighting.chat_id, sighting.message_id) in taken:
            continue
        row = await _row_of(tx, sighting.chat_id, sighting.post)
        if row is None:
            told.append(sighting)
        elif await _has_no_number(tx, row):
            await alerts.sent(tx, row, sighting.message_id, now)
            await attachments.enqueue_for_alert(tx, row, now=now)
            count += 1
    younger = [s for s in found if alive_at is not None and s.date > alive_at + YOUNGER]
    lost_in = {s.chat_id for s in (*told, *younger)}
    last: dict[int, datetime] = {}
    for sighting in found:
        last[sighting.chat_id] = max(sighting.date, last.get(sighting.chat_id, sighting.date))
    for chat_id in lost_in.union(unread if lost_in else ()):
        # Telegram dates messages in whole seconds, and what was told after the last one went unseen.
        until = to_ms(now) if chat_id in unread else to_ms(last[chat_id]) + 999
        await _restored(tx, chat_id, told, alive=alive_at or now, until=until)
        await _gather_due(tx, chat_id, now=now)
    return Settled(found=count, lost=len({(s.chat_id, s.message_id) for s in (*told, *younger)}))


async def _taken(tx: Reader, messages: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of these messages, (chat, number), that were settled before."""
    rows = await tx.fetch_all(
        """SELECT t.chat_id, t.alert_message_id FROM told t JOIN json_each(:asked) k
        ON t.chat_id = k.value ->> 0 AND t.alert_message_id = k.value ->> 1""",
        {"asked": json_list(messages)},
    )
    return await known(tx, messages) | {(row["chat_id"], row["alert_message_id"]) for row in rows}


async def _row_of(tx: Reader, chat_id: int, post: tuple[int, int]) -> int | None:
    row = await tx.fetch_one(
        """SELECT id FROM alerts WHERE chat_id = :chat AND channel_id = :channel AND post_key = coalesce((
            SELECT 'g' || nullif(grouped_id, 0) FROM messages WHERE channel_id = :channel AND message_id = :message),
            'm' || :message)""",
        {"chat": chat_id, "channel": post[0], "message": post[1]},
    )
    return None if row is None else int(row["id"])


async def _has_no_number(tx: Reader, row: int) -> bool:
    sql = "SELECT 1 FROM alerts WHERE id = :id AND kind = 'post' AND state != 'dead' AND message_id IS NULL"
    return await tx.fetch_one(sql, {"id": row}) is not None


async def _restored(tx: Transaction, chat_id: int, told: Iterable[Sighting], *, alive: datetime, until: int) -> None:
    # Of those whose post is stored already, nobody will ask again.
    await tx.execute_many(
        """INSERT INTO told (chat_id, channel_id, message_id, alert_message_id)
        VALUES (:chat, :channel, :message, :number) ON CONFLICT DO NOTHING""",
        [
            {
                "chat": chat_id,
                "channel": s.post[0],
                "message": s.post[1],
                "number": s.message_id,
            }
            for s in told
            if s.chat_id == chat_id and s.post is not None
        ],
    )
    await tx.execute(
        """INSERT INTO restorations (chat_id, alive_at, until) VALUES (:chat, :alive, :until)
        ON CONFLICT DO UPDATE SET alive_at = excluded.alive_at, until = excluded.until""",
        {"chat": chat_id, "alive": to_ms(alive), "until": until},
    )


async def _gather_due(tx: Transaction, chat_id: int, *, now: datetime) -> None:
    """Take out of the outbox what the lost instance found in it too, and had time to send."""
    values = {"chat": chat_id}
    due = await tx.fetch_all(
        """SELECT a.id FROM alerts a JOIN restorations r ON r.chat_id = a.chat_id
        JOIN versions v ON v.id = a.payload ->> 'version_id'
        WHERE a.chat_id = :chat AND a.kind = 'post' AND a.state = 'due' AND coalesce(v.edit_date, v.date) <= r.until""",
        values,
    )
    notices = await tx.fetch_all(
        """SELECT a.id FROM alerts a JOIN restorations r ON r.chat_id = a.chat_id
        WHERE a.chat_id = :chat AND a.kind = 'notice' AND a.payload ->> 'notice' IN ('digest', 'late')
            AND a.state = 'due' AND a.due_at <= r.until""",
        values,
    )
    await tx.execute(
        """UPDATE alerts SET state = 'sent' WHERE chat_id = :chat AND kind IN ('change', 'files') AND state = 'due'
            AND created_at <= (SELECT until FROM restorations WHERE chat_id = :chat)""",
        values,
    )
    if not due and not notices:
        return
    (notice,) = (await groups.begin(tx, [await _notice(tx, chat_id, now=now)], now=now)).values()
    listed = {"ids": json_list(row["id"] for row in (*due, *notices)), "notice": notice}
    await tx.execute(
        """UPDATE alerts SET kind = iif(kind = 'notice', kind, 'gathered'), state = 'sent',
            follows = iif(kind = 'notice', follows, :notice)
        WHERE id IN (SELECT value FROM json_each(:ids))
            OR kind = 'repeat' AND follows IN (SELECT value FROM json_each(:ids))""",
        listed,
    )
    await tx.execute("UPDATE alerts SET follows = :notice WHERE follows IN (SELECT value FROM json_each(:ids))", listed)
    await groups.redraw(tx, [notice], now=now)


async def sift(
    tx: Transaction, tellings: Sequence[tuple[int, Callable[[], Draft], datetime]], *, now: datetime
) -> list[bool]:
    """Settle what chats are to be told of posts, each with the date of what it says: of each say whether that was done.

    What a lost instance told, or may have told, is not to be sent.
    """
    until = await silenced(tx, {chat_id for chat_id, _, _ in tellings})
    return [
        chat_id in until and await _settled(tx, draft(), now=now, was_there=said_at <= until[chat_id])
        for chat_id, draft, said_at in tellings
    ]


async def _settled(tx: Transaction, draft: Draft, *, now: datetime, was_there: bool) -> bool:
    if await _was_told(tx, draft, now=now):
        return True
    if was_there:  # where it is not new, it was told of before
        await groups.add(tx, [(draft, await _notice(tx, draft.chat_id, now=now))], now=now)
    return was_there


async def silenced(tx: Reader, chat_ids: Iterable[int]) -> dict[int, datetime]:
    """Return until when a lost instance told these chats of posts and changes, for those where one did."""
    sql = "SELECT chat_id, until FROM restorations WHERE chat_id IN (SELECT value FROM json_each(:chats))"
    rows = await tx.fetch_all(sql, {"chats": json_list(chat_ids)})
    return {row["chat_id"]: from_ms(row["until"]) for row in rows}


async def _was_told(tx: Transaction, draft: Draft, *, now: datetime) -> bool:
    """Give the alert that a lost instance sent its row here, so that the message follows its post from now on."""
    values = {"chat": draft.chat_id, "channel": draft.channel_id, "key": draft.post_key}
    row = await tx.fetch_one(
        """SELECT t.message_id, t.alert_message_id FROM told t
        JOIN messages m ON m.channel_id = t.channel_id AND m.message_id = t.message_id
        WHERE t.chat_id = :chat AND t.channel_id = :channel
            AND coalesce('g' || nullif(m.grouped_id, 0), 'm' || m.message_id) = :key""",
        values,
    )
    if row is None or not await alerts.enqueue_all(tx, [draft], now=now):
        return False
    alert_id = await alerts.row_of(tx, draft)
    await alerts.sent(tx, alert_id, row["alert_message_id"], now)
    await tx.execute(
        "DELETE FROM told WHERE chat_id = :chat AND channel_id = :channel AND message_id = :message",
        {**values, "message": row["message_id"]},
    )
    return True


async def _notice(tx: Reader, chat_id: int, *, now: datetime) -> Notice:
    """Make the notice that sums up what a lost instance may have told this chat."""
    sql = "SELECT r.*, c.key FROM restorations r JOIN chats c ON c.id = r.chat_id WHERE r.chat_id = :chat"
    (row,) = await tx.fetch_all(sql, {"chat": chat_id})
    return Notice(
        chat_id=chat_id,
        chat_key=row["key"],
        subject=f"{RESTORED}:{row['until']}",
        payload={"notice": RESTORED, "at": row["alive_at"]},
        due_at=now + groups.APART,
        grows=True,
    )
