"""Surges: what is unusual for a topic at this hour, and who hears of it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.notices import TopicSurge
from bot.monitoring.surge import DAY, HOUR, WEEK, TopicPast, is_surge, usual_posts
from bot.monitoring.surges import SurgeMonitor
from bot.rendering.notices import render_notice
from bot.store import chats
from tests.kit_archive import NEWS, NOON, Archive, post

NOW = 2_000 * WEEK + 2 * DAY + 80  # a slot
HOURS = range(NOW // DAY * DAY - 8 * WEEK, NOW // DAY * DAY, HOUR)  # of eight weeks before today
STEADY = dict.fromkeys(HOURS, 1)
WEEKLY = {NOW - week * WEEK: 20 for week in range(1, 8)} | {HOURS[0]: 1}  # only ever at this hour
BUSY_DAY = STEADY | {NOW - 3 * DAY + HOUR * number: 30 for number in range(5)}


def raised(slots: dict[int, int], *days: int, posts: int) -> dict[int, int]:
    """Have an hour with so many posts on some days before."""
    return slots | {(NOW // DAY - day) * DAY: posts for day in days}


@pytest.mark.parametrize(
    ("posts", "channels", "slots", "topics", "is_unusual"),
    [
        (6, 3, STEADY, 5, True),
        (5, 3, STEADY, 5, False),  # too few
        (40, 2, STEADY, 5, False),  # of too few channels
        (9, 3, {slot: 2 * count for slot, count in STEADY.items()}, 5, False),  # not five times as many
        (20, 5, WEEKLY, 5, False),  # what comes each week at this hour
        (9, 4, raised(STEADY, 9, posts=9), 1, True),  # as much was there once in eight weeks
        (9, 4, raised(STEADY, 9, 20, 30, posts=9), 5, False),
        (10, 4, raised(STEADY, 9, 20, 30, posts=9), 5, True),
        (10, 4, raised(STEADY, 9, 20, 30, posts=9), 20, False),  # of so many topics one is always above all
        (20, 9, BUSY_DAY, 5, True),  # one great day does not hide the next
        (20, 9, raised(BUSY_DAY, 9, posts=19), 5, False),
        (40, 9, {}, 5, False),
        (40, 9, {slot: 1 for slot in STEADY if slot > NOW - 3 * WEEK}, 5, False),  # a new topic
    ],
)
def test_a_surge_is_unusual_for_its_topic_and_hour(
    posts: int, channels: int, slots: dict[int, int], topics: int, *, is_unusual: bool
) -> None:
    assert is_surge(posts, channels, TopicPast.of(slots), NOW, topics=topics) is is_unusual


def test_one_great_day_does_not_move_what_is_usual() -> None:
    before = usual_posts(TopicPast.of(STEADY), NOW)
    great = STEADY | {NOW - WEEK + near: 500 for near in (-HOUR, 0, HOUR)}
    assert usual_posts(TopicPast.of(great), NOW) == before == 1


def test_false_alarms_of_five_topics_in_all_are_rare_in_a_bursty_rhythm() -> None:
    """At most one a week, where a third of the stories are retold by many at once."""
    random, alarms, weeks = Random(1), 0, 20  # noqa: S311 - the same each time
    for _ in range(5):
        slots, past = Counter[int](), TopicPast.of({})
        for hour in range(0, weeks * WEEK, HOUR):
            if hour % DAY == 0:
                past = TopicPast.of({slot: n for slot, n in slots.items() if slot >= hour - 8 * WEEK})
            rate = 1.0 if 8 <= hour // HOUR % 24 < 22 else 0.1
            stories = sum(random.random() < rate / 4 for _ in range(4))
            posts = sum(1 + int(random.expovariate(0.4)) * (random.random() < 1 / 3) for _ in range(stories))
            alarms += is_surge(posts, posts, past, hour, topics=5)
            if posts:
                slots[hour] = posts
    assert 0 < alarms <= weeks - 4


async def bring(archive: Archive, count: int) -> None:
    """Have eight weeks of a post a day, and then so many posts of three channels at once."""
    for number in range(3):
        await archive.follow(NEWS + number, title=f"Вести {number}")
    for day in range(56, 0, -1):
        archive.now = NOON - timedelta(days=day)
        await archive.live(post(100 - day, f"Сбой {day}", date=archive.now))
    archive.now = NOON
    for number in range(count):
        text = f"Сбой {number * 7919} в городе {number * 104729}"
        await archive.live(post(200 + number, text, channel_id=NEWS + number % 3, date=NOON))


async def test_a_chat_hears_of_it_once_a_day_with_the_posts(archive: Archive) -> None:
    chat, other = await archive.pair(), await archive.pair(502)
    await archive.db.write(lambda tx: chats.save(tx, replace(other, surges=False)))
    for each in (chat, other):
        await archive.track(each, "сбои", "сбой")
    await bring(archive, 7)
    monitor = SurgeMonitor(archive.db, clock=lambda: archive.now)
    assert (await monitor.look(), await monitor.look()) == (1, 0)
    (notice,) = [each.notice for each in await archive.outbox() if isinstance(each.notice, TopicSurge)]
    shown = render_notice(notice, Locale(t=translator("en"), time_zone="UTC", now=archive.now))
    assert shown.text.splitlines() == [
        "📈 Unusually many posts on сбои. In an hour: 7, channels: 3; usually: 0.2.",
        "Вести 0",
        "Вести 2",
        "Вести 1",
    ]
    assert {entity.value for entity in shown.entities if entity.kind == "text_url"} == {
        "https://t.me/News1001/206",
        "https://t.me/News1003/205",
        "https://t.me/News1002/204",
    }
