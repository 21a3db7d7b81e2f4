"""Real days go in, false alarms of surges in a week come out: of all built-in topics of a chat together.

Each day is a real one, drawn among the working days or the days off on which many posts are at hand: what the product
finds in it, at its hour, as often as a newsroom of so many channels would have it. Half of the posts are stories that
others retell within an hour or so, by a law without a bound, up to most of the channels. An outage is one more story.
"""

import json
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from random import Random
from typing import NamedTuple

from rich.table import Table

from bot.matching.engine.compiled import verify
from bot.matching.topics import builtin_topics
from bot.matching.words.tokens import analyse
from bot.monitoring.surge import FEWEST_CHANNELS, FEWEST_POSTS, REMEMBERED, SLOT, TopicPast, is_surge
from tests.benchmarks.figures import REAL_POSTS, SkippedError
from tests.kit_archive import compiled

DAY, HOUR, WEEK = 86_400, 3600, 7 * 86_400  # s
SATURDAY = 5
MANY = 90  # posts of a day that counts as real
USUAL_CHANNELS = 16  # of such a day
SIZES = (16, 40, 100, 200)  # channels
RETOLD = {"few": 3.0, "many": 1.5, "a flood": 1.0}  # by how many: exponents of Pareto's law
RETOLD_AT_ALL = 0.5  # of the stories
WEEKS, WARM, KNOWN = 30, 8, 4
OUTAGE = 0.7  # of the channels tell it, three times each
Days = Mapping[bool, Sequence[Sequence["Found"]]]  # by whether they are days off


class Found(NamedTuple):
    """A post in which topics were found."""

    at: float  # s, of the day or from the beginning
    topics: tuple[str, ...]
    channel: int = 0


def table(folder: Path, *, full: bool) -> Table:
    """Count false alarms over some weeks, and outages that are told within their hour."""
    del folder
    days, seeds = _real_days(), range(6 if full else 2)
    title = f"surges: alarms a week of {len(builtin_topics())} topics together, goal ≤ 1"
    made = Table(
        "channels", "retold by", "posts a day", "after 8 weeks", "in weeks 5–8", "", "outages told", title=title
    )
    for size in SIZES:
        for name, law in RETOLD.items():
            found = [list(_posts(Random(seed), days, size, law)) for seed in seeds]  # noqa: S311 - repeatable
            alarms = [each for posts in found for each in _alarms(posts)]
            late = sum(each.at >= WARM * WEEK for each in alarms) / (WEEKS - WARM) / len(seeds)
            early = sum(each.at < WARM * WEEK for each in alarms) / (WARM - KNOWN) / len(seeds)
            told = sum(_is_told(posts, Random(seed), size) for seed, posts in enumerate(found))  # noqa: S311 - likewise
            verdict = "[green]met[/]" if max(late, early) <= 1 else "[red]missed[/]"
            count = sum(map(len, found)) / len(seeds) / WEEKS / 7
            made.add_row(
                f"{size}", name, f"{count:.0f}", f"{late:.2f}", f"{early:.2f}", verdict, f"{told} of {len(seeds)}"
            )
    return made


def _real_days() -> Days:
    if not REAL_POSTS.exists():
        raise SkippedError(f"the real posts are not here: {REAL_POSTS}")
    plans = [(topic.name, compiled(topic.query)) for topic in builtin_topics()]
    by_day = defaultdict[datetime, list[tuple[float, str]]](list)
    for row in map(json.loads, REAL_POSTS.read_text(encoding="utf-8").splitlines()):
        date = datetime.fromisoformat(row["date"]).astimezone(UTC)
        midnight = date.replace(hour=0, minute=0, second=0)
        by_day[midnight].append(((date - midnight).total_seconds(), row["text"]))
    days: dict[bool, list[list[Found]]] = {True: [], False: []}
    for day, posts in by_day.items():
        if len(posts) >= MANY:
            documents = [(at, analyse(text)) for at, text in posts]
            named = [
                (at, tuple(name for name, plan in plans if verify(plan, read) is not None)) for at, read in documents
            ]
            days[day.weekday() >= SATURDAY].append([Found(at, names) for at, names in named if names])
    return days


def _posts(random: Random, days: Days, channels: int, law: float) -> Iterator[Found]:
    for day in range(7 * WEEKS):
        mood = random.gammavariate(3, 1 / 3) * channels / USUAL_CHANNELS
        for found in random.choice(days[day % 7 >= SATURDAY]):
            for _ in range(_poisson(random, mood)):
                at = day * DAY + (found.at + random.gauss(0, HOUR)) % DAY
                size = (
                    min(int(random.paretovariate(law)), int(channels * 0.7)) if random.random() < RETOLD_AT_ALL else 1
                )
                for number, channel in enumerate(random.sample(range(channels), size)):
                    yield Found(at + (random.expovariate(2 / HOUR) if number else 0), found.topics, channel)


def _poisson(random: Random, mean: float) -> int:
    count, left = 0, math.exp(-mean)
    product = random.random()
    while product > left:
        count, product = count + 1, product * random.random()
    return count


def _alarms(posts: Sequence[Found], topics: int = len(builtin_topics())) -> Iterator[Found]:
    """Yield the posts at which a chat hears of a topic: it is looked at whenever one comes."""
    by_topic = defaultdict[str, list[Found]](list)
    for found in sorted(posts):
        for topic in found.topics:
            by_topic[topic].append(found)
    for topic, series in by_topic.items():
        times = [found.at for found in series]
        for day, indexes in groupby(range(len(series)), key=lambda index: times[index] // DAY):
            past = None
            for last in indexes:
                first = bisect_left(times, times[last] - HOUR)
                recent = series[first : last + 1]
                if len(recent) < FEWEST_POSTS or len({each.channel for each in recent}) < FEWEST_CHANNELS:
                    continue
                if past is None:
                    since, until = (bisect_left(times, day * DAY - weeks * WEEK) for weeks in (REMEMBERED, 0))
                    past = TopicPast.of(Counter(int(at // SLOT) for at in times[since:until]))
                slot = int(times[last] // SLOT)
                if is_surge(len(recent), len({each.channel for each in recent}), past, slot, topics=topics):
                    yield Found(times[last], (topic,))
                    break


def _is_told(posts: Sequence[Found], random: Random, channels: int) -> bool:
    """Tell whether an outage is told within its hour, or already was on its day."""
    begun = 12 * WEEK + random.randrange(7) * DAY + random.randrange(8, 20) * HOUR
    tellers = random.sample(range(channels), int(channels * OUTAGE))
    more = [
        Found(begun + random.expovariate(3 / HOUR) + number * random.expovariate(1.5 / HOUR), ("outages",), channel)
        for channel in tellers
        for number in range(3)
    ]
    alarms = _alarms([*posts, *more])
    return any(each.topics == ("outages",) and begun // DAY * DAY <= each.at <= begun + HOUR for each in alarms)
