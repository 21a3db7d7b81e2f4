"""Posts that chats are to hear of at once come in; an alert of each goes into the outbox, or the notice of a storm.

A storm is open as long as the edit is due that closes it: so long after its last post. Where its message was deleted,
so that an edit was refused, it is over too: nobody would see what comes next.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress

from bot.store import alerts, groups
from bot.store.database import Reader, Transaction
from bot.store.groups import STORM, Notice, Told
from bot.store.rows import json_list, to_ms

Topic = tuple[int, int]  # of a chat: its row, and the topic's


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A storm that goes on."""

    notice_id: int
    closing_id: int  # the edit that will close it


async def tell(tx: Transaction, told: Sequence[Told], *, now: datetime) -> int:
    """Tell posts by themselves, and gather what belongs to storms; return how many were new."""
    chats = {post.draft.chat_id for post in told if post.storms is not None}
    if not chats:
        return await alerts.enqueue_all(tx, [post.draft for post in told], now=now)
    opened = await _open(tx, chats, now)
    counts = await _counts(tx, [post for post in told if not _topics(post) <= opened.keys()], now)
    alone, stormy, storming = [], defaultdict[Topic, list[Told]](list), set(opened)
    for post in told:
        topic = _storm_of(post, storming, counts)
        if topic is None:
            alone.append(post)
            counts.update(_topics(post))
        else:
            stormy[topic].append(post)
            storming.add(topic)
    count = await alerts.enqueue_all(tx, [post.draft for post in alone], now=now)  # these leave first
    return count + (await _gather(tx, stormy, opened, now=now) if stormy else 0)


def _topics(post: Told) -> set[Topic]:
    return {(post.draft.chat_id, topic_id) for topic_id in post.topics.values()}


def _storm_of(post: Told, storming: Collection[Topic], counts: Mapping[Topic, int]) -> Topic | None:
    """Choose the storm that a post belongs to, if all its topics storm: one that goes on, else its first topic's."""
    storms, topics = post.storms, [(post.draft.chat_id, topic_id) for topic_id in post.topics.values()]
    if storms is None or not all(topic in storming or counts[topic] >= storms.count for topic in topics):
        return None
    return next((topic for topic in topics if topic in storming), topics[0])


async def _open(tx: Reader, chats: Collection[int], now: datetime) -> dict[Topic, _Open]:
    rows = await tx.fetch_all(
        """SELECT n.chat_id, n.payload ->> 'topic_id' AS topic_id, n.id, e.id AS closing_id
        FROM json_each(:chats) q CROSS JOIN alerts e INDEXED BY alerts_edits
            ON e.chat_id = q.value AND e.kind = 'edit' AND e.state = 'due'
            AND e.subject >= 'storm:' AND e.subject < 'storm;' AND e.due_at > :now
        JOIN alerts n ON n.id = e.follows AND n.state != 'dead' AND e.subject = n.subject || '/end'
        WHERE NOT EXISTS (SELECT 1 FROM alerts d WHERE d.follows = n.id AND d.kind = 'edit' AND d.state = 'dead')""",
        {"chats": json_list(chats), "now": to_ms(now)},
    )
    return {(row["chat_id"], row["topic_id"]): _Open(notice_id=row["id"], closing_id=row["closing_id"]) for row in rows}


async def _counts(tx: Reader, told: Collection[Told], now: datetime) -> Counter[Topic]:
    """Count the alerts of these topics that each chat was told of lately, where they may be enough for a storm.

    They cannot be where the chat was told of too few in all: for most chats no more than that is read, in the index.
    """
    posts = Counter(post.draft.chat_id for post in told)
    asked = defaultdict[tuple[int, int], set[int]](set)
    for post in told:
        if post.storms is not None:
            chat_id = post.draft.chat_id
            enough = max(1, post.storms.count - posts[chat_id] + 1)
            asked[post.storms.minutes, enough].add(chat_id)
    counts = Counter[Topic]()
    ids = {(post.draft.chat_id, name): topic_id for post in told for name, topic_id in post.topics.items()}
    for (minutes, enough), chats in asked.items():
        rows = await _lately(tx, chats, since=now - timedelta(minutes=minutes), enough=enough)
        counts.update({(chat_id, ids[chat_id, name]): n for chat_id, name, n in rows if (chat_id, name) in ids})
    return counts


async def _lately(
    tx: Reader, chats: Collection[int], *, since: datetime, enough: int
) -> Iterable[tuple[int, str, int]]:
    rows = await tx.fetch_all(
        """SELECT a.chat_id, t.value AS topic, count(*) AS n
        FROM json_each(:chats) q CROSS JOIN alerts a
            ON a.chat_id = q.value AND a.created_at > :since AND a.kind = 'post'
        CROSS JOIN json_each(a.topics) t
        WHERE EXISTS (SELECT 1 FROM alerts b WHERE b.chat_id = q.value AND b.created_at > :since AND b.kind = 'post'
            LIMIT 1 OFFSET :enough - 1)
        GROUP BY a.chat_id, t.value""",
        {"chats": json_list(chats), "since": to_ms(since), "enough": enough},
    )
    return [(row["chat_id"], row["topic"], row["n"]) for row in rows]


async def _gather(
    tx: Transaction, stormy: Mapping[Topic, Sequence[Told]], opened: Mapping[Topic, _Open], *, now: datetime
) -> int:
    fresh = {}
    for topic, posts in stormy.items():
        news = await groups.untold(tx, [post.draft for post in posts])
        if any(news):
            fresh[topic] = list(compress(posts, news))
    begun = await _begin(tx, {topic: posts[0] for topic, posts in fresh.items() if topic not in opened}, now)
    storms = {topic: opened.get(topic) or begun[topic] for topic in fresh}
    placed = [(post.draft, storms[topic].notice_id) for topic, posts in fresh.items() for post in posts]
    count = await groups.gather(tx, placed, now=now)
    for topic, posts in fresh.items():
        await _keep_open(tx, storms[topic], _end(posts[-1], now))
    await groups.redraw(tx, [storms[topic].notice_id for topic in fresh if topic in opened], now=now)
    return count


def _end(post: Told, now: datetime) -> datetime:
    assert post.storms is not None  # noqa: S101 - else it would not be in one
    return now + timedelta(minutes=post.storms.minutes)


async def _keep_open(tx: Transaction, storm: _Open, until: datetime) -> None:
    sql = "UPDATE alerts SET due_at = :until WHERE id = :id AND state = 'due'"
    await tx.execute(sql, {"id": storm.closing_id, "until": to_ms(until)})


async def _begin(tx: Transaction, first: Mapping[Topic, Told], now: datetime) -> dict[Topic, _Open]:
    """Begin storms with their first posts."""
    notices = {topic: _notice(topic[1], post, now) for topic, post in first.items()}
    rows = await groups.begin(tx, notices.values(), now=now)
    begun = {}
    for topic, notice in notices.items():
        notice_id = rows[notice.chat_id, notice.subject]
        closing = alerts.edit(notice.chat_id, notice.chat_key, notice_id, subject=f"{notice.subject}/end")
        await alerts.enqueue_all(tx, [closing], now=now, due_at=_end(first[topic], now))
        begun[topic] = _Open(notice_id=notice_id, closing_id=await alerts.row_of(tx, closing))
    return begun


def _notice(topic_id: int, first: Told, now: datetime) -> Notice:
    draft = first.draft
    name = next(name for name, each in first.topics.items() if each == topic_id)
    return Notice(
        chat_id=draft.chat_id,
        chat_key=draft.chat_key,
        subject=f"{STORM}:{topic_id}:{draft.subject}",
        payload={"notice": STORM, "topic": name, "topic_id": topic_id},
        due_at=now,
        silent=draft.silent,
        thread_id=draft.thread_id,
    )
