"""Fallbacks: while Telegram takes nothing, what waits for a chat goes to its second target, and is summed up later.

A message of kind `fallback` carries one of another chat. Once the target has taken it, the alerts that it showed move
from the message they waited in to one group of the chat, its summary; until then they wait as ever, and whichever comes
first has them. Each alert so stands in its chat once: in a message of its own or in the summary.
"""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from bot.models.alerts import Draft, Group, GroupKind, MessageKind
from bot.models.notices import Outage, TelegramBack, TelegramOut
from bot.store import groups, meta, outbox
from bot.store.database import Reader, Subject, Transaction
from bot.store.groups import NewMember
from bot.store.messages import Message
from bot.store.notices import notify_owners
from bot.store.outbox import Delivery
from bot.store.rows import json_list, maybe_date, to_ms

MOST = 200  # messages that are brought to fallbacks at once
OPEN = timedelta(days=365)  # that an outage may last
WENT, RETURNED = "FALLBACK", "RETURNED"  # why a message was withdrawn: it went to a target; Telegram was there first

# What Telegram was to take and has not, though it did not say when it would. What waits behind another in its chat says
# nothing, and what failed by an error of ours, whose names are in small letters, neither.
_PENDING = """SELECT EXISTS (SELECT 1 FROM messages m JOIN chats c ON c.id = m.chat_id
    WHERE m.state = 'due' AND m.kind NOT IN ('files', 'translation', 'fallback')
        AND c.kind != 'target' AND c.suspended IS NULL
        AND CASE WHEN m.reason IS NULL THEN m.due_at <= :now AND coalesce(c.held_until, 0) <= :now
            ELSE m.reason = upper(m.reason) AND m.reason NOT GLOB '*FLOOD*' AND m.reason NOT GLOB '*_WAIT_*' END)"""
_DIVERTED = """SELECT m.id, m.random_id, m.wanted_revision, t.id AS target, t.key FROM chats c
    JOIN chats t ON t.id = c.fallback_id AND t.suspended IS NULL
    CROSS JOIN messages m ON m.chat_id = c.id AND m.state = 'due' AND m.sent_revision = 0
        AND (m.due_at <= :now OR m.attempts > 0)
    LEFT JOIN groups g ON g.id = m.group_id
    WHERE c.suspended IS NULL AND (m.kind = 'alert' OR g.kind IN ('digest', 'storm') OR m.notice = 'telegram_out')
        AND NOT EXISTS (SELECT 1 FROM messages f WHERE f.carries = m.id
            AND (f.state = 'due' OR f.state = 'sent' AND m.kind = 'notice'))
    ORDER BY m.wanted_at, m.id LIMIT :most"""


async def is_pending(db: Reader, now: datetime) -> bool:
    """Tell whether Telegram was to take something that it has not."""
    return bool(await db.fetch_value(_PENDING, {"now": to_ms(now)}))


async def out_since(db: Reader, outage: Outage) -> datetime | None:
    """Return since when an outage lasts; None where there is none."""
    since = await meta.get(db, f"telegram_out_{outage}")
    return maybe_date(since if isinstance(since, int) and since else None)


async def begin(tx: Transaction, outage: Outage, since: datetime, *, now: datetime) -> None:
    """Begin an outage: notify the owners, and let no message that was sent already take more alerts."""
    await meta.put(tx, f"telegram_out_{outage}", to_ms(since))
    if outage is Outage.SENDING:
        await tx.execute(
            """UPDATE groups SET closes_at = :now WHERE closes_at > :now AND kind = 'storm'
                AND chat_id IN (SELECT id FROM chats WHERE fallback_id IS NOT NULL)""",
            {"now": to_ms(now)},
        )
    notice = TelegramOut(event=f"{outage}:{to_ms(since)}", outage=outage, since=since)
    await notify_owners(tx, notice, now=now)


async def divert(tx: Transaction, *, now: datetime) -> int:
    """Let what waits for chats with a fallback go there, too; return how much that is."""
    found = await tx.fetch_all(_DIVERTED, {"now": to_ms(now), "most": MOST})
    drafts = [
        Draft(
            chat_id=row["target"],
            chat_key=row["key"],
            kind=MessageKind.FALLBACK,
            subject=f"{row['random_id']}:{row['wanted_revision']}",  # which no restored backup gives to another
            carries=row["id"],
        )
        for row in found
    ]
    await tx.execute(  # where an outage before this one ended too soon for it
        """UPDATE messages SET state = 'due', due_at = :now, wanted_at = :now, attempts = 0, reason = NULL
        WHERE carries IN (SELECT value FROM json_each(:ids)) AND sent_revision = 0
            AND state IN ('withdrawn', 'dead')""",
        {"now": to_ms(now), "ids": json_list(row["id"] for row in found)},
    )
    await outbox.enqueue(tx, drafts, now=now)
    if found:
        tx.announce(Subject.ALERTS)
    return len(found)


_IS_THERE = """SELECT EXISTS (SELECT 1 FROM alerts a JOIN alerts b ON b.channel_id = a.channel_id
        AND b.post_key = a.post_key JOIN messages m ON m.alert_id = b.id AND m.kind = 'alert'
    WHERE a.id = :alert AND (m.chat_id = :target AND m.sent_revision > 0
        OR EXISTS (SELECT 1 FROM messages f WHERE f.carries = m.id AND f.chat_id = :target AND f.sent_revision > 0)))"""


async def is_there(db: Reader, target_id: int, carried: Message) -> bool:
    """Tell whether a target has the post of an alert already: its own alert, or that of another chat."""
    if carried.kind is not MessageKind.ALERT or carried.alert is None:
        return False
    return bool(await db.fetch_value(_IS_THERE, {"alert": carried.alert.id, "target": target_id}))


async def move(tx: Transaction, fallback: Message, *, written_at: datetime, now: datetime) -> None:
    """Move what a target has taken into the summary of its chat, if the chat has not had it meanwhile."""
    row = await tx.fetch_one(
        """SELECT m.id, m.chat_id, m.kind, m.alert_id, m.group_id, c.key
        FROM messages m JOIN chats c ON c.id = m.chat_id
        WHERE m.id = :id AND m.state = 'due' AND m.sent_revision = 0""",
        {"id": fallback.carries},
    )
    if row is None or row["kind"] == MessageKind.NOTICE:  # which goes on waiting: once it is taken, Telegram is back
        return
    alert_ids = [row["alert_id"]] if row["kind"] == MessageKind.ALERT else []
    if row["group_id"] is not None:
        sql = "SELECT id FROM alerts WHERE group_id = :group AND created_at <= :at"
        shown = await tx.fetch_all(sql, {"group": row["group_id"], "at": to_ms(written_at)})
        alert_ids = [each["id"] for each in shown]
    if alert_ids:
        group_id = await _summary(tx, row["chat_id"], row["key"], now=now)
        await _put(tx, alert_ids, group_id)
        sql = "UPDATE messages SET body = :ids WHERE id = :id"
        await tx.execute(sql, {"id": fallback.id, "ids": json.dumps(alert_ids)})
    if row["group_id"] is not None and await _has_alerts(tx, row["group_id"]):
        return  # those that came while it was on its way are left
    await tx.execute(
        """UPDATE messages SET state = 'withdrawn', reason = :went
        WHERE (id = :id OR reply_to = :id) AND state = 'due' AND sent_revision = 0""",
        {"id": row["id"], "went": WENT},
    )


async def _summary(tx: Transaction, chat_id: int, chat_key: bytes, *, now: datetime) -> int:
    """Return the group that takes the alerts of a chat; what comes after the end of an outage is sent at once."""
    since = await out_since(tx, Outage.SENDING)
    closes_at = now + timedelta(seconds=1) if since is None else since + OPEN
    group = Group(
        kind=GroupKind.FALLBACK,
        opened_at=since or now,
        closes_at=closes_at,
        due_at=now if since is None else closes_at,
        silent=False,
        subject=f"fallback:{to_ms(since or now)}",
    )
    open_groups = await groups.open_for(tx, [chat_id], now=now)
    (group_id,) = await groups.place(
        tx, [NewMember(chat_id=chat_id, chat_key=chat_key, group=group)], open_groups, now=now
    )
    return group_id


async def _put(tx: Transaction, alert_ids: Collection[int], group_id: int | None) -> None:
    sql = "UPDATE alerts SET group_id = :group WHERE id IN (SELECT value FROM json_each(:ids))"
    await tx.execute(sql, {"ids": json_list(alert_ids), "group": group_id})


async def _has_alerts(tx: Reader, group_id: int) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM alerts WHERE group_id = :group)"
    return bool(await tx.fetch_value(sql, {"group": group_id}))


async def arrived(tx: Transaction, message_id: int, *, now: datetime) -> None:
    """Take the alerts of a message out of the summary, since Telegram has had the message after all."""
    sql = "SELECT id, body FROM messages WHERE carries = :id AND body IS NOT NULL"
    for row in await tx.fetch_all(sql, {"id": message_id}):
        alert_ids = json.loads(row["body"])
        summaries = await tx.fetch_all(
            """SELECT DISTINCT g.id FROM alerts a JOIN groups g ON g.id = a.group_id AND g.kind = 'fallback'
            WHERE a.id IN (SELECT value FROM json_each(:ids))""",
            {"ids": json_list(alert_ids)},
        )
        group_id = await tx.fetch_value("SELECT group_id FROM messages WHERE id = :id", {"id": message_id})
        await _put(tx, alert_ids, group_id)
        await tx.execute("UPDATE messages SET body = NULL WHERE id = :id", {"id": row["id"]})
        for each in summaries:
            await _shrink(tx, each["id"], now=now)


async def _shrink(tx: Transaction, group_id: int, *, now: datetime) -> None:
    """Let a summary be written anew that holds less; one of nothing is not sent."""
    row = await tx.fetch_one("SELECT id, sent_revision FROM messages WHERE group_id = :id", {"id": group_id})
    assert row is not None  # noqa: S101 - each group has a message
    if row["sent_revision"] == 0 and not await _has_alerts(tx, group_id):
        await tx.execute("DELETE FROM messages WHERE id = :id", {"id": row["id"]})
        await tx.execute("DELETE FROM groups WHERE id = :id", {"id": group_id})
        return
    await outbox.revise(tx, [row["id"]], now=now)


async def members(db: Reader, group_id: int) -> dict[int, list[int]]:
    """Return the messages whose alerts a summary holds, each by its row with the rows of these alerts."""
    rows = await db.fetch_all(
        """SELECT f.carries, f.body FROM groups g JOIN messages m ON m.chat_id = g.chat_id
            AND m.state = 'withdrawn' AND m.reason = :went JOIN messages f ON f.carries = m.id AND f.body IS NOT NULL
        WHERE g.id = :group AND EXISTS (SELECT 1 FROM json_each(f.body) j JOIN alerts a ON a.id = j.value
            WHERE a.group_id = :group) ORDER BY f.id""",
        {"group": group_id, "went": WENT},
    )
    held: dict[int, list[int]] = {}
    for row in rows:
        held.setdefault(row["carries"], []).extend(json.loads(row["body"]))
    return held


async def found(tx: Transaction, message: Message, telegram_id: int, *, now: datetime) -> None:
    """Write down that a chat shows a message that was taken for unsent."""
    delivery = Delivery(revision=message.revision, telegram_id=telegram_id, written_at=now)
    await outbox.sent(tx, message.id, delivery, now=now)
    await arrived(tx, message.id, now=now)


async def end(tx: Transaction, outage: Outage, *, now: datetime) -> None:
    """End an outage: what no target has taken waits for Telegram alone, and the summaries are due."""
    since = await out_since(tx, outage) or now
    await meta.put(tx, f"telegram_out_{outage}", 0)
    values = {"now": to_ms(now), "returned": RETURNED}
    await tx.execute(
        """UPDATE messages SET state = 'withdrawn', reason = :returned WHERE state = 'due' AND sent_revision = 0
            AND (kind = 'fallback' AND :sending OR notice = 'telegram_out' AND subject = :subject)""",
        {**values, "sending": outage is Outage.SENDING, "subject": f"telegram_out:{outage}:{to_ms(since)}"},
    )
    went = 0
    if outage is Outage.SENDING:
        went = await tx.fetch_value(
            """SELECT count(*) FROM groups g JOIN alerts a ON a.group_id = g.id
            WHERE g.kind = 'fallback' AND g.closes_at > :now""",
            values,
        )
        await tx.execute(
            """UPDATE messages SET due_at = :now WHERE state = 'due' AND sent_revision = 0
                AND group_id IN (SELECT id FROM groups WHERE kind = 'fallback' AND closes_at > :now)""",
            values,
        )
        await tx.execute("UPDATE groups SET closes_at = :now WHERE kind = 'fallback' AND closes_at > :now", values)
        await tx.execute("UPDATE chats SET held_until = NULL WHERE kind != 'target' AND held_until > :now", values)
    tx.announce(Subject.ALERTS)
    notice = TelegramBack(event=f"{outage}:{to_ms(since)}", outage=outage, since=since, until=now, alerts=went)
    await notify_owners(tx, notice, now=now)
