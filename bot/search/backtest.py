"""Trying a query on the archive: it comes in; what it would have brought a day, the newest hits and near misses go out.

Posts are read in pages, newest first, and looked at in a thread, so that other work goes on beside it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import zip_longest

from bot.matching.engine.matcher import Compiled, necessary, verify
from bot.matching.explain.explain import Clause, Explainer, Reason
from bot.matching.explain.near_miss import failures, found_spans, is_near_miss, relaxed
from bot.matching.words.tokens import analyse
from bot.models.posts import StoredPost
from bot.search import Hit, Scope
from bot.store import fulltext, posts
from bot.store.database import Reader

PAGE = 500  # posts read at once
SHOWN = 5  # hits, and near misses, that are kept
MANY = 20  # alerts a day: more are hard to read
# How many posts are explained, of those with all the words of a query and of those with all but one part of it: a word
# costs some 15 µs a post, so this is about a second in all; the bounds hold for very short and very long queries.
MOST_EXPLAINED, LEAST_EXPLAINED, WORDS_EXPLAINED = 1000, 100, 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A post that a query fails to find by one part."""

    post: StoredPost
    failure: Clause  # what would have to change; its spans are those of the post's whole
    spans: tuple[tuple[int, int], ...]  # Python characters of its whole: what of the query is there; sorted, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a query would have brought."""

    first: (
        date  # the first day that was looked at, in the time zone asked for; before it nothing is stored, or too much
    )
    last: date  # the last one: today, or the last one asked for
    empty: bool  # nothing at all is stored there
    per_day: Mapping[date, int]  # posts found a day; days without any are absent
    hits: tuple[Hit, ...]  # the newest ones, newest first, an album once
    near: tuple[NearMiss, ...]  # the most telling first

    @property
    def total(self) -> int:
        """How many posts would have been alerted; an album counts once."""
        return sum(self.per_day.values())

    @property
    def days(self) -> list[tuple[date, int]]:
        """Each day that was looked at, in order, with its posts."""
        count = (self.last - self.first).days + 1
        every = (self.first + timedelta(days=number) for number in range(count))
        return [(day, self.per_day.get(day, 0)) for day in every]

    @property
    def average(self) -> float:
        """Posts a day."""
        return self.total / ((self.last - self.first).days + 1)

    @property
    def busiest(self) -> int:
        """Posts on the day with the most."""
        return max(self.per_day.values(), default=0)

    @property
    def is_much(self) -> bool:
        """Whether a day brought more than people read."""
        return self.busiest > MANY


def midnight(now: datetime, *, days: int, zone: tzinfo = UTC) -> datetime:
    """Return the moment at which the last `days` days began, today being one of them."""
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
    most: int | None = None,
    progress: Callable[[datetime], None] = lambda _: None,
) -> Backtest:
    """Try a query on the posts since a moment, or on all; at most on the newest `most` that come into question.

    `until` is excluded. `progress` is told the date down to which posts are read. Days are those of `zone`.
    """
    oldest = await posts.oldest_date(db, channel_ids=channel_ids)
    end = now if until is None else min(now, until - timedelta(microseconds=1))
    start = end if oldest is None else max(oldest, since or oldest)
    scope = Scope(channel_ids=channel_ids, since=start, until=until)
    run = _Replay(query, zone)
    async for page in _pages(db, necessary(query), scope, most=most):
        await asyncio.to_thread(run.take, page)
        progress(page[-1].date)
    if most is not None and run.read >= most:
        start = run.reached or start
    loose = relaxed(query.plan)
    if loose is not None:
        async for page in _pages(db, loose, replace(scope, since=start), most=run.most_explained):
            await asyncio.to_thread(run.look_for_near_misses, page)
    return Backtest(
        first=min(start, end).astimezone(zone).date(),
        last=end.astimezone(zone).date(),
        empty=oldest is None,
        per_day=dict(run.per_day),
        hits=tuple(run.hits),
        near=tuple(_most_useful_first(run.near)[:SHOWN]),
    )


class _Replay:
    """One query on its way through the archive; its methods run in a thread, one after another."""

    def __init__(self, query: Compiled, zone: tzinfo) -> None:
        self._query = query
        self._zone = zone
        self._explainer: Explainer | None = None
        self.most_explained = max(LEAST_EXPLAINED, min(MOST_EXPLAINED, WORDS_EXPLAINED // (len(query.forms) or 1)))
        self._seen: set[tuple[int, str]] = set()  # posts found: (channel id, key)
        self._explained: set[int] = set()  # versions
        self.read = 0  # posts
        self.reached: datetime | None = None
        self.per_day: Counter[date] = Counter()
        self.hits: list[Hit] = []
        self.near: list[NearMiss] = []

    def take(self, page: Sequence[StoredPost]) -> None:
        """Look at the posts that come into question, newest first."""
        rejected = []
        for post in page:
            spans = verify(self._query, analyse(post.whole))
            if spans is None:
                rejected.append(post)
            else:
                self._count(Hit(post=post, spans=spans))
        self.read, self.reached = self.read + len(page), page[-1].date
        self.look_for_near_misses(rejected[: max(0, self.most_explained - len(self._explained))])

    def look_for_near_misses(self, page: Sequence[StoredPost]) -> None:
        """Keep the near misses among some posts."""
        for post in page:
            if post.version_id not in self._explained:
                self._explained.add(post.version_id)
                self._explain(post)

    def _count(self, hit: Hit) -> None:
        post = hit.post
        if (post.channel_id, post.key) in self._seen:
            return
        self._seen.add((post.channel_id, post.key))
        self.per_day[post.date.astimezone(self._zone).date()] += 1
        if len(self.hits) < SHOWN:
            self.hits.append(hit)

    def _explain(self, post: StoredPost) -> None:
        self._explainer = self._explainer or Explainer(self._query)
        root = self._explainer.explain(analyse(post.whole)).root
        if not root.held and is_near_miss(root):
            (failure,) = failures(root)
            self.near.append(NearMiss(post=post, failure=failure, spans=found_spans(root)))


def _most_useful_first(near: Sequence[NearMiss]) -> list[NearMiss]:
    """Put near misses in order: one of each kind first, of the kinds the rarest, of a kind the newest.

    Where a common word was found and a rare one was not, a post says little; there are many such posts. Those that have
    all the words, but not as the query asks for them, come before those that do not.
    """
    newest_first = sorted(near, key=lambda miss: miss.post.version_id, reverse=True)
    kinds: dict[str, list[NearMiss]] = {}
    for miss in newest_first:
        kinds.setdefault(miss.failure.query, []).append(miss)
    rarest_first = sorted(kinds.values(), key=lambda kind: (kind[0].failure.reason is Reason.ABSENT, len(kind)))
    rounds = zip_longest(*rarest_first)
    return [miss for one_of_each in rounds for miss in one_of_each if miss is not None]


async def _pages(
    db: Reader, expression: str | None, scope: Scope, *, most: int | None
) -> AsyncIterator[list[StoredPost]]:
    """Yield pages of what the index proposes, newest first, until `most` posts were read."""
    before, left = None, most
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = await fulltext.candidate_posts(
            db,
            expression,
            limit=size,
            before=before,
            channel_ids=scope.channel_ids,
            since=scope.since,
            until=scope.until,
        )
        if page:
            yield page
        if len(page) < size:
            return
        before = page[-1].version_id
        left = None if left is None else left - len(page)
