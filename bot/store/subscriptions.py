"""Subscriptions of chats to topics, and mutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.models.alerts import Priority, Recipient
from bot.store import channel_groups
from bot.store.access import Restrictable, visible
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, maybe_ms, read_all, to_ms
from bot.store.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription of a chat to a topic."""

    chat_id: int
    topic_id: int
    topic: str  # its name
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A channel, a channel group, a topic, or a topic in a channel that a chat wants no alerts of."""

    id: int
    chat_id: int
    channel_id: int | None  # None: from any channel
    channel_group_id: int | None  # None: in whatever group a channel is
    topic_id: int | None  # None: of any topic
    until: datetime | None  # None: for good


async def subscribe(tx: Transaction, chat_id: int, topic_id: int, *, now: datetime) -> bool:
    """Subscribe a chat to a topic; False where it was already."""
    sql = "INSERT OR IGNORE INTO subscriptions (chat_id, topic_id, created_at) VALUES (:chat, :topic, :now)"
    return await tx.execute(sql, {"chat": chat_id, "topic": topic_id, "now": to_ms(now)}) > 0


async def unsubscribe(tx: Transaction, chat_id: int, topic_id: int) -> bool:
    """End a subscription; False where there was none."""
    sql = "DELETE FROM subscriptions WHERE chat_id = :chat AND topic_id = :topic"
    return await tx.execute(sql, {"chat": chat_id, "topic": topic_id}) > 0


async def move(tx: Transaction, chat_id: int, old: Topic, new: Topic) -> None:
    """Move what a chat has of one topic to another: subscription, exclusions, mutes, and what it was alerted to."""
    values = {"chat": chat_id, "old": old.id, "new": new.id, "was": old.name, "name": new.name}
    for table in ("subscriptions", "exclusions", "mutes"):
        sql = f"UPDATE {table} SET topic_id = :new WHERE chat_id = :chat AND topic_id = :old"  # noqa: S608 - our own names
        await tx.execute(sql, values)
    for table in ("alerts", "feedback"):  # which name topics: what is open, followed or counted goes along
        await tx.execute(
            f"""UPDATE {table} SET topics =
                (SELECT json_group_array(iif(value = :was, :name, value)) FROM json_each({table}.topics))
            WHERE chat_id = :chat AND EXISTS (SELECT 1 FROM json_each({table}.topics) WHERE value = :was)""",  # noqa: S608 - likewise
            values,
        )
    sql = "UPDATE groups SET topic_id = :new, topic = :name WHERE chat_id = :chat AND topic_id = :old"
    await tx.execute(sql, values)
    tx.announce(Subject.TOPICS)


async def set_priority(tx: Transaction, chat_id: int, topic_id: int, priority: Priority) -> bool:
    """Set the priority of a topic; False where the chat has not subscribed to it."""
    sql = "UPDATE subscriptions SET priority = :priority WHERE chat_id = :chat AND topic_id = :topic"
    return await tx.execute(sql, {"chat": chat_id, "topic": topic_id, "priority": priority}) > 0


async def of_chat(db: Reader, chat_id: int) -> list[Subscription]:
    """Return the subscriptions of a chat, built-in topics first."""
    rows = await db.fetch_all(
        """SELECT s.*, t.name AS topic FROM subscriptions s JOIN topics t ON t.id = s.topic_id
        WHERE s.chat_id = :chat ORDER BY t.builtin DESC, t.id""",
        {"chat": chat_id},
    )
    return read_all(Subscription, rows)


async def priorities(db: Reader, chat_id: int) -> dict[int, Priority]:
    """Return the priority of each topic that a chat is subscribed to, by the topic's id."""
    return {each.topic_id: each.priority for each in await of_chat(db, chat_id)}


async def for_topics(db: Reader, found: Iterable[tuple[int, int]], now: datetime) -> list[Recipient]:
    """Return the recipients of (channel id, topic id) pairs, without suspended chats, mutes and hidden channels."""
    rows = await db.fetch_all(
        f"""SELECT DISTINCT f.value ->> 0 AS channel_id, s.topic_id, s.chat_id, c.key AS chat_key, s.priority,
            s.thread_id, c.thread_id AS chat_thread, c.confirmations, c.broadcast AS is_broadcast,
            c.translate_into IS NOT NULL AS translates, c.pages AS keeps_pages,
            c.time_zone AS schedule_zone, c.quiet_from AS schedule_quiet_start, c.quiet_until AS schedule_quiet_end,
            c.digest_every AS schedule_digests_every, c.digest_minute AS schedule_digests_minute,
            c.digest_weekday AS schedule_digests_weekday,
            c.storm_count AS storms_count, c.storm_minutes AS storms_minutes,
            (SELECT json_group_array(word) FROM exclusions e
                WHERE e.chat_id = s.chat_id AND e.topic_id = s.topic_id) AS excluded
        FROM json_each(:found) f
        JOIN subscriptions s ON s.topic_id = f.value ->> 1
        JOIN chats c ON c.id = s.chat_id
        WHERE c.suspended IS NULL
            AND {visible(Restrictable.CHANNEL, "(f.value ->> 0)", "s.chat_id")}
            AND {visible(Restrictable.TOPIC, "s.topic_id", "s.chat_id")}
            AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.chat_id = s.chat_id
                AND (m.channel_id IS NULL OR m.channel_id = f.value ->> 0)
                AND {_in_group("f.value ->> 0")}
                AND (m.topic_id IS NULL OR m.topic_id = s.topic_id)
                AND (m.until IS NULL OR m.until > :now))""",  # noqa: S608 - our own words
        {"found": json_list(found), "now": to_ms(now)},
    )
    return read_all(Recipient, rows)


async def chats_reached(db: Reader, channel_ids: Iterable[int]) -> list[int]:
    """Return the ids of the chats, not suspended, that would get alerts from any of these channels."""
    ids, limits = list(channel_ids), await channel_groups.limits(db)
    elsewhere = [(channel, topic) for topic, limit in limits.items() for channel in ids if channel not in limit]
    rows = await db.fetch_all(
        f"""SELECT DISTINCT s.chat_id FROM json_each(:channels) f JOIN subscriptions s JOIN chats c ON c.id = s.chat_id
        WHERE c.suspended IS NULL AND {visible(Restrictable.CHANNEL, "f.value", "s.chat_id")}
            AND NOT EXISTS (SELECT 1 FROM json_each(:elsewhere) e
                WHERE e.value ->> 0 = f.value AND e.value ->> 1 = s.topic_id)
            AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.chat_id = s.chat_id AND m.until IS NULL
                AND (m.channel_id IS NULL OR m.channel_id = f.value)
                AND {_in_group("f.value")}
                AND (m.topic_id IS NULL OR m.topic_id = s.topic_id))
        ORDER BY s.chat_id""",  # noqa: S608 - our own words
        {"channels": json_list(ids), "elsewhere": json_list(elsewhere)},
    )
    return [row["chat_id"] for row in rows]


def _in_group(channel: str) -> str:
    """Return a condition of SQL: a mute `m` of a channel group holds for a channel; to be built with words of ours."""
    return f"""(m.channel_group_id IS NULL OR EXISTS (SELECT 1 FROM channel_group_members g
        WHERE g.channel_group_id = m.channel_group_id AND g.channel_id = {channel}))"""  # noqa: S608 - our own words


async def mute(  # noqa: PLR0913 - what is muted, and until when
    tx: Transaction,
    chat_id: int,
    *,
    channel_id: int | None = None,
    channel_group_id: int | None = None,
    topic_id: int | None = None,
    until: datetime | None,
) -> None:
    """Mute a channel, a channel group, a topic, or a topic in a channel; it replaces the mute of the same scope."""
    await unmute(tx, chat_id, channel_id=channel_id, channel_group_id=channel_group_id, topic_id=topic_id)
    await tx.execute(
        """INSERT INTO mutes (chat_id, channel_id, channel_group_id, topic_id, until)
        VALUES (:chat, :channel, :group, :topic, :until)""",
        {
            "chat": chat_id,
            "channel": channel_id,
            "group": channel_group_id,
            "topic": topic_id,
            "until": maybe_ms(until),
        },
    )


async def unmute(
    tx: Transaction,
    chat_id: int,
    *,
    channel_id: int | None = None,
    channel_group_id: int | None = None,
    topic_id: int | None = None,
) -> bool:
    """End the mute of this very scope; False where there was none."""
    sql = """DELETE FROM mutes WHERE chat_id = :chat AND channel_id IS :channel AND channel_group_id IS :group
        AND topic_id IS :topic"""
    values = {"chat": chat_id, "channel": channel_id, "group": channel_group_id, "topic": topic_id}
    return await tx.execute(sql, values) > 0


async def forget_ended(tx: Transaction, *, now: datetime) -> None:
    """Delete the mutes whose time is over."""
    await tx.execute("DELETE FROM mutes WHERE until <= :now", {"now": to_ms(now)})


async def mutes_of(db: Reader, chat_id: int, now: datetime) -> list[Mute]:
    """Return the mutes of a chat whose time is not over."""
    sql = "SELECT * FROM mutes WHERE chat_id = :chat AND (until IS NULL OR until > :now) ORDER BY id"
    return read_all(Mute, await db.fetch_all(sql, {"chat": chat_id, "now": to_ms(now)}))
