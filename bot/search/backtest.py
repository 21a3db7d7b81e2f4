"""A query tried on the archive: how many alerts a day it would have brought, its newest hits and its near misses.

Posts are read in pages, newest first.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import zip_longest

from bot.matching.engine.compiled import Compiled, necessary, verify
from bot.matching.explain.explain import Clause, Explainer, Reason
from bot.matching.explain.near_miss import failures, found_spans, is_near_miss, relaxed
from bot.matching.words.tokens import analyse
from bot.models import StoredPost
from bot.search.coverage import Coverage, coverage_of
from bot.search.deadline import Deadline
from bot.search.searcher import Hit, candidate_pages
from bot.store import posts
from bot.store.database import Reader
from bot.store.fulltext import Scope
from bot.store.rows import date_of
from bot.text.spans import Span

PAGE = 500  # posts read at once
SHOWN = 5  # hits, and near misses, in the result
COUNTING = 0.7  # of the time that a backtest may take, the rest is for near misses
_DAY = timedelta(days=1)
MANY = 20  # alerts a day: more are hard to read
# Posts that are explained, of those with all words of a query, and of those with all but one part of it: a word costs
# some 15 µs a post, so this is about a second in all; the bounds hold for very short and very long queries.
MOST_EXPLAINED, LEAST_EXPLAINED, WORDS_EXPLAINED = 1000, 100, 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A post that a query misses by one clause."""

    post: StoredPost
    failure: Clause  # would have to change; spans in `post.whole`
    spans: tuple[Span, ...]  # all that was found of the query, in `post.whole`: sorted, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The result of a backtest."""

    coverage: Coverage  # of the channels asked for: what they posted before is not counted
    first: date  # of the days examined, in the time zone asked for; before it nothing is stored, or too much
    last: date
    empty: bool  # no post is stored in the channels
    read: int  # posts that were tried
    before: int | None  # for a further backtest, to go on from here, for which there was no time; None: that was all
    reached: datetime  # how far back it came
    per_day: Mapping[date, int]  # posts that match; days without any are absent
    average: float  # posts a day, each channel's by the days for which it is complete, as if one were a day at least
    hits: tuple[Hit, ...]  # newest first, an album once
    near: tuple[NearMiss, ...]  # most telling first

    @property
    def is_partial(self) -> bool:
        """Whether there may be more posts before `reached`."""
        return self.before is not None

    @property
    def total(self) -> int:
        """Posts that match; an album counts once."""
        return sum(self.per_day.values())

    @property
    def days(self) -> list[tuple[date, int]]:
        """Each day examined, in order, with its posts."""
        count = (self.last - self.first).days + 1
        every = (self.first + timedelta(days=number) for number in range(count))
        return [(day, self.per_day.get(day, 0)) for day in every]

    @property
    def busiest(self) -> int:
        """Posts on the day with the most."""
        return max(self.per_day.values(), default=0)

    @property
    def is_much(self) -> bool:
        """Whether a day brought more than people read."""
        return self.busiest > MANY


def midnight(now: datetime, *, days: int, zone: tzinfo = UTC) -> datetime:
    """Return the beginning of the last `days` days in a time zone, today among them, in UTC."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=days - 1)).astimezone(UTC)


async def backtest(  # noqa: PLR0913 - each narrows the question in its own way
    db: Reader,
    query: Compiled,
    *,
    now: datetime,
    since: datetime | None,
    zone: tzinfo = UTC,
    until: datetime | None = None,
    channel_ids: Sequence[int] | None = None,
    hidden: tuple[int, ...] = (),
    before: int | None = None,
    most: int | None = None,
    deadline: Deadline | None = None,
    progress: Callable[[datetime], None] = lambda _: None,
) -> Backtest:
    """Try a query on the posts since a moment, or on all; on the newest `most` candidates, or until the deadline.

    `until` is excluded, as are `hidden` channels; `before` is that of the backtest with which this one goes on.
    `progress` is called with the date down to which posts are read. Days are those of `zone`.
    """
    oldest = await posts.oldest_date(db, channel_ids=channel_ids)
    coverage = await coverage_of(db, channel_ids, now=now, hidden=hidden)
    end = now if until is None else min(now, until - timedelta(microseconds=1))
    end = end if before is None else min(end, date_of(before))
    start = end if oldest is None else max(oldest, since or oldest)
    scope = Scope(channel_ids=channel_ids, hidden=hidden, since=start, until=until)
    deadline = deadline or Deadline()
    run = _Replay(query, zone, deadline, most=most)
    size = PAGE if most is None else min(PAGE, most + 1)
    async for page in candidate_pages(db, necessary(query), scope, size=size, before=before):
        if not run.take(page):
            break
        progress(page[-1].date)
    stopped_at = run.last if run.is_partial else None
    if stopped_at is not None:
        start = stopped_at.date
    loose = relaxed(query.plan)
    if loose is not None:
        narrowed = replace(scope, since=start)
        async for page in candidate_pages(db, loose, narrowed, size=PAGE, before=before, most=run.most_explained):
            run.look_for_near_misses(page)
    return Backtest(
        coverage=coverage,
        average=_average(run.by_channel, coverage, start=min(start, end), end=end),
        first=min(start, end).astimezone(zone).date(),
        last=end.astimezone(zone).date(),
        empty=oldest is None,
        read=run.read,
        before=None if stopped_at is None else stopped_at.version_id,
        reached=min(start, end),
        per_day=dict(run.per_day),
        hits=tuple(run.hits),
        near=tuple(_most_useful_first(run.near)[:SHOWN]),
    )


def _average(matches: Mapping[int, Sequence[datetime]], coverage: Coverage, *, start: datetime, end: datetime) -> float:
    """Return matches a day: a channel that is stored for a day and had 20 brings 20 a day, not 2.9."""
    total = 0.0
    for channel_id, dates in matches.items():
        last = min(end, coverage.ends.get(channel_id, end))
        begin = min(max(start, coverage.starts.get(channel_id, start)), last)
        days = max((last - begin) / _DAY, 1.0)
        total += sum(moment >= begin for moment in dates) / days
    return total


class _Replay:
    """One query on its way through the archive."""

    def __init__(self, query: Compiled, zone: tzinfo, deadline: Deadline, *, most: int | None) -> None:
        self._query = query
        self._most = most
        self._zone = zone
        self._deadline = deadline
        self._explainer: Explainer | None = None
        self.most_explained = max(LEAST_EXPLAINED, min(MOST_EXPLAINED, WORDS_EXPLAINED // (len(query.forms) or 1)))
        self._seen: set[tuple[int, str]] = set()  # posts found: (channel id, key)
        self._explained: set[int] = set()  # versions
        self.is_partial = False  # it stopped before the last post
        self.read = 0  # posts, hits or not
        self.last: StoredPost | None = None  # of them
        self.per_day: Counter[date] = Counter()
        self.by_channel: defaultdict[int, list[datetime]] = defaultdict(list)
        self.hits: list[Hit] = []
        self.near: list[NearMiss] = []

    def take(self, page: Sequence[StoredPost]) -> bool:
        """Match candidates, newest first, and explain some that do not match; False where the time is over."""
        rejected = []
        for post in page:
            # Not amid an album, which would be counted again by whoever goes on.
            is_enough = (self._most is not None and self.read >= self._most) or self._deadline.is_over(COUNTING)
            if is_enough and self.last is not None and post.key != self.last.key:
                self.is_partial = True
                break
            self.read, self.last = self.read + 1, post
            spans = verify(self._query, analyse(post.whole))
            if spans is None:
                rejected.append(post)
            elif (post.channel_id, post.key) not in self._seen:
                self._seen.add((post.channel_id, post.key))
                self.per_day[post.date.astimezone(self._zone).date()] += 1
                self.by_channel[post.channel_id].append(post.date)
                if len(self.hits) < SHOWN:
                    self.hits.append(Hit(post=post, spans=spans))
        self.look_for_near_misses(rejected[: max(0, self.most_explained - len(self._explained))])
        return not self.is_partial

    def look_for_near_misses(self, page: Sequence[StoredPost]) -> None:
        """Add the near misses among some posts, each version once."""
        for post in page:
            if self._deadline.is_over():
                return
            if post.version_id in self._explained:
                continue
            self._explained.add(post.version_id)
            self._explainer = self._explainer or Explainer(self._query)
            root = self._explainer.explain(analyse(post.whole)).root
            if not root.held and is_near_miss(root):
                (failure,) = failures(root)
                self.near.append(NearMiss(post=post, failure=failure, spans=found_spans(root)))


def _most_useful_first(near: Sequence[NearMiss]) -> list[NearMiss]:
    """Sort near misses by what they miss, in rounds: one post of each kind first, rarest kinds and newest posts first.

    A post with a common word but not a rare one says little, and there are many. Posts with all words, though apart,
    come before those without.
    """
    newest_first = sorted(near, key=lambda miss: miss.post.version_id, reverse=True)
    kinds: dict[str, list[NearMiss]] = {}
    for miss in newest_first:
        kinds.setdefault(miss.failure.query, []).append(miss)
    rarest_first = sorted(kinds.values(), key=lambda kind: (kind[0].failure.reason is Reason.ABSENT, len(kind)))
    rounds = zip_longest(*rarest_first)
    return [miss for one_of_each in rounds for miss in one_of_each if miss is not None]
