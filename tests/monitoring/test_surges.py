"""Surges: what is unusual for a topic at this hour, and who hears of it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.notices import TopicSurge
from bot.monitoring.surge import WEEK, is_surge, usual_posts
from bot.monitoring.surges import SurgeMonitor
from bot.rendering.notices import render_notice
from bot.store import chats
from tests.kit_archive import NEWS, NOON, Archive, post

NOW = 500_000  # an hour
STEADY = {NOW - number: 1 for number in range(1, 8 * WEEK)}
WEEKLY = {NOW - week * WEEK: 20 for week in range(1, 9)} | {NOW - 8 * WEEK: 0}  # only ever at this hour
BURSTS = STEADY | {NOW - 50: 9, NOW - 500: 9}  # as much was there twice


@pytest.mark.parametrize(
    ("posts", "channels", "hours", "is_unusual"),
    [
        (6, 3, STEADY, True),
        (5, 3, STEADY, False),  # too few
        (40, 2, STEADY, False),  # of too few channels
        (9, 3, {hour: 2 * count for hour, count in STEADY.items()}, False),  # not five times as many
        (20, 5, WEEKLY, False),  # what comes each week at this hour
        (9, 4, BURSTS, False),
        (10, 4, BURSTS, True),
        (40, 9, {}, False),
        (40, 9, {hour: 1 for hour in STEADY if hour > NOW - 3 * WEEK}, False),  # a new topic
    ],
)
def test_a_surge_is_unusual_for_its_topic_and_hour(
    posts: int, channels: int, hours: dict[int, int], *, is_unusual: bool
) -> None:
    assert is_surge(posts, channels, hours, NOW) is is_unusual


def test_one_great_day_does_not_move_what_is_usual() -> None:
    before = usual_posts(STEADY, NOW)
    assert usual_posts(STEADY | {NOW - WEEK + near: 500 for near in (-1, 0, 1)}, NOW) == before == 1


def test_false_alarms_are_rare_in_a_bursty_rhythm() -> None:
    """Fewer than one hour in a week, where a third of the stories are retold by many at once."""
    random, hours, alarms, weeks = Random(1), Counter[int](), 0, 40  # noqa: S311 - the same each time
    for hour in range(weeks * WEEK):
        day = 1.0 if 8 <= hour % 24 < 22 else 0.1
        stories = sum(random.random() < day / 4 for _ in range(4))
        posts = sum(1 + int(random.expovariate(0.4)) * (random.random() < 1 / 3) for _ in range(stories))
        alarms += is_surge(posts, posts, hours, hour)
        hours[hour] = posts
    assert alarms < weeks - 4


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
        "📈 Unusually much on сбои: posts in an hour: 7, in 3 channels; usual: 0.2.",
        "Вести 0",
        "Вести 2",
        "Вести 1",
    ]
    assert {entity.value for entity in shown.entities if entity.kind == "text_url"} == {
        "https://t.me/News1001/206",
        "https://t.me/News1003/205",
        "https://t.me/News1002/204",
    }
