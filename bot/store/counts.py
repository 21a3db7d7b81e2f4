"""What charts are made of: posts, alerts, delays and deletions of a time, counted by the day, topic or channel.

Posts are counted from the index of their dates, channel by channel, an album once. Comments do not count.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from bot.models import TOLD, StoredPost
from bot.models.counts import (
    DELAYS,
    ChannelCount,
    DayCounts,
    DelayCounts,
    DeletionCount,
    DeletionCounts,
    HourCounts,
    MoverCount,
    Selection,
    TopicCount,
    WeekCounts,
)
from bot.store import marks, posts
from bot.store.access import Restrictable, hidden, visible
from bot.store.database import Reader
from bot.store.rows import COUNTER_BITS, HOUR_MS, first_id, json_list, read_all, to_ms

_HOURS = 7 * 24  # of a week
_MONDAY = 72  # h from the Monday before it to the epoch, a Thursday
_NOTABLE = 8  # topics that rose or fell, and channels that were first
_NEWEST = 5  # posts that are gone
_NAMES = 50  # topics, or channels, that are returned


_SEEN = f"""seen AS MATERIALIZED (SELECT c.id, c.title FROM channels c WHERE c.comments_of IS NULL
    AND (:channels IS NULL OR c.id IN (SELECT value FROM json_each(:channels)))
    AND {visible(Restrictable.CHANNEL, "c.id")})"""  # noqa: S608 - our own words
# The first message of an album stands for it.
_FIRST = """(nullif(p.grouped_id, 0) IS NULL OR NOT EXISTS (SELECT 1 FROM posts q WHERE q.channel_id = p.channel_id
    AND q.post_key = 'g' || p.grouped_id AND q.id < p.id))"""
_HAD = """a.chat_id IN (SELECT value FROM json_each(:chats)) AND NOT a.is_counted
    AND (:topic IS NULL OR EXISTS (SELECT 1 FROM json_each(a.topics) WHERE value = :topic))
    AND a.channel_id IN (SELECT id FROM seen)"""
# A post that is gone, of all or of those of a topic.
_GONE = f"""(:topic IS NULL OR EXISTS (SELECT 1 FROM alerts a
    WHERE a.channel_id = p.channel_id AND a.post_key = p.post_key AND {_HAD}))"""  # noqa: S608 - likewise
_OWN = f"{_HAD} AND a.duplicate_of IS NULL"
_IN_TIME = "a.created_at >= :since AND a.created_at < :until"
# The posts of a topic are those that the chats had, alone or with others that say the same; the id tells the date.
_ON_TOPIC = f"""found AS MATERIALIZED (SELECT a.channel_id, 1000 * (min(a.version_id) >> {COUNTER_BITS}) AS date
    FROM alerts a
    WHERE :topic IS NOT NULL AND {_HAD} AND {_IN_TIME} GROUP BY a.channel_id, a.post_key)"""  # noqa: S608 - likewise


async def count_by_day(db: Reader, selection: Selection) -> DayCounts:
    """Count posts and alerts by the day, or by some days together."""
    values = _values(selection) | {"steps": json_list(_steps(selection))}
    # Counted within a channel and a day, in the order of the index: a million posts need no sorting.
    posts = await db.fetch_all(
        f"""WITH {_SEEN}, {_ON_TOPIC} SELECT e.key AS place, iif(:topic IS NULL, (SELECT sum(
            (SELECT count(*) FROM posts p WHERE p.channel_id = s.id AND p.date >= e.value ->> 0
                AND p.date < e.value ->> 1 AND {_FIRST})) FROM seen s),
            (SELECT count(*) FROM found f WHERE f.date >= e.value ->> 0 AND f.date < e.value ->> 1)) AS n
        FROM json_each(:steps) e ORDER BY e.key""",  # noqa: S608 - our own words
        values,
    )
    alerts = await db.fetch_all(
        f"""WITH {_SEEN} SELECT e.key AS place, count(a.id) AS n FROM json_each(:steps) e
        LEFT JOIN alerts a ON a.created_at >= e.value ->> 0 AND a.created_at < e.value ->> 1 AND {_OWN}
        GROUP BY e.key ORDER BY e.key""",  # noqa: S608 - likewise
        values,
    )
    return DayCounts(posts=tuple(row["n"] or 0 for row in posts), alerts=tuple(row["n"] for row in alerts))


async def count_by_hour(db: Reader, selection: Selection) -> HourCounts:
    """Count posts by the hour of the week, those of a channel while it is complete, and divide by how often it came."""
    spans, zone_eras = await _spans(db, selection), eras(selection)
    places = list(dict.fromkeys(spans.values()))
    keys = json_list((channel_id, places.index(span), *span) for channel_id, span in spans.items())
    values = {"eras": json_list(zone_eras), "spans": keys, "hour": HOUR_MS, "monday": _MONDAY * HOUR_MS}
    # One number for both the span and the hour: to sort by two takes three times as long.
    hour = f"s.base + (date + s.ahead) / :hour % {_HOURS}"
    rows = await db.fetch_all(
        f"""WITH {_SEEN}, {_ON_TOPIC}, spans AS MATERIALIZED (
            SELECT s.id, {_HOURS} * (c.value ->> 1) AS base, max(c.value ->> 2, e.value ->> 0) AS begun,
                min(c.value ->> 3, e.value ->> 1) AS ended, (e.value ->> 2) + :monday AS ahead
            FROM json_each(:spans) c JOIN seen s ON s.id = c.value ->> 0, json_each(:eras) e)
        SELECT {hour} AS hour, count(*) AS n FROM spans s CROSS JOIN posts p ON p.channel_id = s.id
            AND p.date >= s.begun AND p.date < s.ended WHERE :topic IS NULL AND {_FIRST} GROUP BY 1
        UNION ALL
        SELECT {hour} AS hour, count(*) AS n
        FROM found f JOIN spans s ON s.id = f.channel_id AND f.date >= s.begun AND f.date < s.ended
        GROUP BY 1""",  # noqa: S608 - our own words
        _values(selection) | values,
    )
    came, means = [_occurrences(zone_eras, *span) for span in places], [0.0] * _HOURS
    for row in rows:
        place, number = divmod(row["hour"], _HOURS)
        means[number] += row["n"] / came[place][number]
    return HourCounts(means=tuple(means))


async def _spans(db: Reader, selection: Selection) -> dict[int, tuple[int, int]]:
    """Return from when to when, in ms, each channel is stored without a gap in a time; else it is not named."""
    first, last, found = to_ms(selection.since), to_ms(selection.until), dict[int, tuple[int, int]]()
    for past in await marks.past_of(db, selection.channel_ids):
        start, newest = past.complete_from or past.oldest, past.newest
        if start is not None and newest is not None:
            end = last if past.is_followed else min(last, to_ms(newest) + 1)
            if (begin := max(first, to_ms(start))) < end:
                found[past.id] = begin, end
    return found


def _occurrences(zone_eras: Sequence[tuple[int, int, int]], begun: int, ended: int) -> list[int]:
    """Count how often each hour of the week came, or began, from one moment to another."""
    found = [0] * _HOURS
    for since, until, ahead in zone_eras:
        first = (max(since, begun) + ahead) // HOUR_MS
        last = -((min(until, ended) + ahead) // -HOUR_MS)
        weeks, rest = divmod(max(0, last - first), _HOURS)
        found = [n + weeks + ((hour - first - _MONDAY) % _HOURS < rest) for hour, n in enumerate(found)]
    return found


async def count_topics(db: Reader, selection: Selection) -> list[TopicCount]:
    """Count the alerts of each topic that the viewer sees, the most first."""
    before = selection.since - (selection.until - selection.since)
    kept = json_list(await hidden(db, Restrictable.TOPIC, selection.viewer))
    rows = await db.fetch_all(
        f"""WITH {_SEEN}, counted AS (SELECT a.topics, a.created_at >= :since AS is_now, count(*) AS n FROM alerts a
            WHERE {_OWN} AND a.created_at >= :before AND a.created_at < :until GROUP BY a.topics, is_now)
        SELECT t.value AS topic, CAST(total(c.n) FILTER (WHERE c.is_now) AS INTEGER) AS alerts,
            CAST(total(c.n) FILTER (WHERE NOT c.is_now) AS INTEGER) AS before
        FROM counted c JOIN json_each(c.topics) t
        WHERE t.value NOT IN (SELECT name FROM topics WHERE id IN (SELECT value FROM json_each(:kept)))
        GROUP BY t.value ORDER BY alerts DESC, before DESC, topic LIMIT :most""",  # noqa: S608 - our own words
        _values(selection) | {"before": to_ms(before), "kept": kept, "most": _NAMES},
    )
    return read_all(TopicCount, rows)


async def count_channels(db: Reader, selection: Selection) -> list[ChannelCount]:
    """Count the posts of each channel and their alerts, the most posts first."""
    rows = await db.fetch_all(
        f"""WITH {_SEEN}, {_ON_TOPIC}, alerted AS MATERIALIZED (
            SELECT a.channel_id, count(*) AS n FROM alerts a WHERE {_OWN} AND {_IN_TIME} GROUP BY a.channel_id),
        counted AS MATERIALIZED (SELECT s.id, s.title, iif(:topic IS NULL, (SELECT count(*) FROM posts p
                WHERE p.channel_id = s.id AND p.date >= :since AND p.date < :until AND {_FIRST}),
            (SELECT count(*) FROM found f WHERE f.channel_id = s.id)) AS posts FROM seen s)
        SELECT c.id AS channel_id, c.title, c.posts, coalesce(a.n, 0) AS alerts
        FROM counted c LEFT JOIN alerted a ON a.channel_id = c.id
        WHERE c.posts ORDER BY c.posts DESC, c.title LIMIT :most""",  # noqa: S608 - our own words
        _values(selection) | {"most": _NAMES},
    )
    return read_all(ChannelCount, rows)


async def count_delays(db: Reader, selection: Selection) -> DelayCounts:
    """Count by their delays the alerts that were sent one by one; digests and the like wait on purpose."""
    rows = await db.fetch_all(
        f"""WITH {_SEEN} SELECT max(0, m.sent_at - coalesce(v.edit_date, v.date)) / 1000.0 AS delay FROM alerts a
        JOIN messages m ON m.alert_id = a.id AND m.kind = 'alert' AND m.sent_at IS NOT NULL
        JOIN versions v ON v.id = a.version_id WHERE {_OWN} AND {_IN_TIME} ORDER BY delay""",  # noqa: S608 - our own words
        _values(selection),
    )
    delays = [row["delay"] for row in rows]
    if not delays:
        return DelayCounts(counts=(0,) * (len(DELAYS) + 1))
    found = Counter(next((n for n, longest in enumerate(DELAYS) if delay <= longest), len(DELAYS)) for delay in delays)
    return DelayCounts(
        counts=tuple(found[number] for number in range(len(DELAYS) + 1)),
        half_within=delays[len(delays) // 2],
        most_within=delays[min(len(delays) - 1, int(0.95 * len(delays)))],
    )


async def count_deletions(db: Reader, selection: Selection) -> DeletionCounts:
    """Count by channel the posts that were found gone in a time, the most first; of one alone, with the newest."""
    found = await _count_deletions(db, selection)
    newest = await _newest_gone(db, found[0].channel_id, selection) if len(found) == 1 else ()
    return DeletionCounts(channels=tuple(found), newest=tuple(newest))


async def _newest_gone(db: Reader, channel_id: int, selection: Selection) -> list[StoredPost]:
    """Return the posts of a channel that were found gone last in a time, of each its first message."""
    rows = await db.fetch_all(
        f"""WITH {_SEEN} SELECT min(p.message_id) AS id FROM posts p INDEXED BY posts_gone
        WHERE p.channel_id = :channel AND p.gone_at >= :since AND p.gone_at < :until AND {_GONE}
        GROUP BY p.post_key ORDER BY max(p.gone_at) DESC LIMIT :most""",  # noqa: S608 - our own words
        _values(selection) | {"channel": channel_id, "most": _NEWEST},
    )
    shown = await posts.current(db, channel_id, [row["id"] for row in rows])
    return sorted(shown, key=lambda post: post.gone_at or post.date, reverse=True)


async def _count_deletions(db: Reader, selection: Selection) -> list[DeletionCount]:
    told = ", ".join(f"'{each}'" for each in sorted(TOLD))
    rows = await db.fetch_all(
        f"""WITH {_SEEN}, gone AS (SELECT p.channel_id, p.post_key, max(p.gone_by IN ({told})) AS is_told FROM posts p
            WHERE p.gone_at >= :since AND p.gone_at < :until AND {_GONE}
            GROUP BY p.channel_id, p.post_key)
        SELECT s.id AS channel_id, s.title, sum(g.is_told) AS told, sum(NOT g.is_told) AS missing,
            sum(EXISTS (SELECT 1 FROM alerts a WHERE a.channel_id = g.channel_id AND a.post_key = g.post_key
                AND a.chat_id IN (SELECT value FROM json_each(:chats)))) AS alerted
        FROM gone g JOIN seen s ON s.id = g.channel_id
        GROUP BY s.id ORDER BY count(*) DESC, s.title LIMIT :most""",  # noqa: S608 - our own words
        _values(selection) | {"most": _NAMES},
    )
    return read_all(DeletionCount, rows)


async def count_week(db: Reader, selection: Selection) -> WeekCounts:
    """Count what a weekly report says of seven days."""
    week = selection.until - selection.since
    before = replace(selection, since=selection.since - week, until=selection.since)
    now, then = await count_by_day(db, selection), await count_by_day(db, before)
    topics = sorted(await count_topics(db, selection), key=lambda each: -abs(each.alerts - each.before))
    return WeekCounts(
        posts=sum(now.posts),
        posts_before=sum(then.posts),
        alerts=now.alerts,
        alerts_before=sum(then.alerts),
        topics=tuple(topics[:_NOTABLE]),
        movers=tuple(await _count_movers(db, selection)),
        edited=await _count_edited(db, selection),
        deletions=tuple(await _count_deletions(db, selection)),
    )


async def _count_movers(db: Reader, selection: Selection) -> list[MoverCount]:
    """Count by channel the stories of several channels in which its post was the first that the chats had."""
    rows = await db.fetch_all(
        f"""WITH {_SEEN}, said AS (SELECT coalesce(a.duplicate_of, a.id) AS story, a.channel_id, v.date
            FROM alerts a JOIN versions v ON v.id = a.version_id
            WHERE a.chat_id IN (SELECT value FROM json_each(:chats)) AND NOT a.is_counted AND {_IN_TIME}
                AND a.channel_id IN (SELECT id FROM seen)),
        firsts AS (SELECT channel_id, min(date) FROM said GROUP BY story HAVING count(DISTINCT channel_id) > 1)
        SELECT s.title, count(*) AS stories FROM firsts f JOIN seen s ON s.id = f.channel_id
        GROUP BY s.id ORDER BY stories DESC, s.title LIMIT :most""",  # noqa: S608 - our own words
        _values(selection) | {"most": _NOTABLE},
    )
    return read_all(MoverCount, rows)


async def _count_edited(db: Reader, selection: Selection) -> int:
    sql = f"""WITH {_SEEN} SELECT count(DISTINCT v.channel_id || '/' || v.message_id) FROM versions v NOT INDEXED
        WHERE v.id >= :first AND v.id < :last AND v.number > 1 AND v.channel_id IN (SELECT id FROM seen)"""  # noqa: S608 - our own words
    ids = {"first": first_id(selection.since), "last": first_id(selection.until)}
    return int(await db.fetch_value(sql, _values(selection) | ids))


def _steps(selection: Selection) -> list[tuple[int, int]]:
    """Return from when to when each day of a time goes, or as many as are counted together, in ms."""
    zone, first = ZoneInfo(selection.time_zone), selection.since
    found, begun = list[tuple[int, int]](), first.astimezone(zone)
    while first < selection.until:
        begun += timedelta(days=selection.step)  # of the wall clock
        after = min(selection.until, begun.astimezone(UTC))
        found.append((to_ms(first), to_ms(after)))
        first = after
    return found


def eras(selection: Selection) -> list[tuple[int, int, int]]:
    """Return the spans of a time in which the clocks of its zone are equally far from UTC: from, to and this, in ms."""
    zone, found = ZoneInfo(selection.time_zone), list[tuple[int, int, int]]()
    moment = selection.since.astimezone(UTC)
    while moment < selection.until:
        after = min(selection.until, moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
        offset = (moment.astimezone(zone).utcoffset() or timedelta()) // timedelta(milliseconds=1)
        if found and found[-1][2] == offset:
            found[-1] = (found[-1][0], to_ms(after), offset)
        else:
            found.append((to_ms(moment), to_ms(after), offset))
        moment = after
    return found


def _values(selection: Selection) -> dict[str, object]:
    return {
        "chats": json_list(selection.chats),
        "channels": None if selection.channel_ids is None else json_list(selection.channel_ids),
        "viewer": selection.viewer.chat_id,
        "topic": selection.topic,
        "since": to_ms(selection.since),
        "until": to_ms(selection.until),
    }
