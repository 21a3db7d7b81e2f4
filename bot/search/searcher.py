"""Stored posts that match a compiled query, newest first or best first.

The full-text index proposes versions in growing pages, a token filter drops most of the wrong ones by their words, and
the query verifies the rest. Ranking is our own: SQLite's bm25 would read every post with any of the words again, since
the index keeps neither their places nor the lengths of posts (measured: 140 ms where 474 posts match), and would take
each form for a rarity of its own.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.matching.engine.compiled import Compiled, necessary
from bot.matching.engine.matcher import Matcher
from bot.matching.engine.token_filter import TokenFilter, is_filter_worthwhile
from bot.matching.words.tokens import analyse
from bot.models import StoredPost
from bot.models.people import Viewer
from bot.search.deadline import Deadline
from bot.search.filters import FilterError, Filters
from bot.store import access, fulltext, posts
from bot.store.access import Restrictable
from bot.store.channel_groups import Directory, Place
from bot.store.database import Reader
from bot.store.fulltext import CandidateVersion, Scope
from bot.store.rows import date_of, end_id
from bot.text.spans import Span


async def scope_of(db: Reader, filters: Filters, viewer: Viewer) -> Scope:
    """Return the scope of filters, with channels by group, name, id or words of the title; FilterError for none.

    A channel that the viewer does not see is unknown.
    """
    places = await places_of(db, filters, viewer) if filters.channels else []
    ids = dict.fromkeys(channel_id for place in places for channel_id in place.channel_ids)
    return Scope(
        channel_ids=tuple(ids) if filters.channels else None,
        hidden=await access.hidden(db, Restrictable.CHANNEL, viewer),
        since=filters.since,
        until=filters.until,
        history=filters.history,
    )


async def places_of(db: Reader, filters: Filters, viewer: Viewer) -> list[Place]:
    """Return what each of the channels of filters means. Raises FilterError for one that means nothing."""
    directory = await Directory.load(db, viewer)
    places = [(named, directory.find(named.text)) for named in filters.channels]
    for named, place in places:
        if place is None:
            raise FilterError("unknown_channel", named.position, value=named.text)
    return [place for _, place in places if place is not None]


_PAGES = (48, 400, 3000)  # versions read at once
_LONG = 10_000  # characters of an expression for which FTS5 takes a second to begin: see below
_ROWS_BEFORE_INDEX = 3_000  # versions read without it first, in a fifth of a second
_LEAST_VERIFIED, _MOST_VERIFIED = 16, 50  # versions verified at a stretch
_COUNTED = 100  # posts matched at a stretch by a count


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A post that matches; `post.is_current` tells whether it still says so."""

    post: StoredPost
    spans: tuple[Span, ...]  # in `post.whole`: sorted, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """One page of hits, and how far the search came."""

    hits: tuple[Hit, ...]
    examined: int  # candidates, hits or not
    ranked: int = 0  # hits that were ranked
    found: int = 0  # hits that are known, on the page or after it; 0: they are not counted
    before: int | None = None  # for the next search, to go on from here; None: nothing is left
    skip: int = 0  # for the next page of the same ranking; 0: there is none
    reached: datetime | None = None  # how far back the search came, where it stopped at `most` or at its deadline


async def latest_page(db: Reader, scope: Scope, *, limit: int, before: int | None) -> SearchPage:
    """Return a page of the newest posts, where nothing is asked for; `before` as in the page before it."""
    stored = await posts.latest(
        db,
        limit=limit + 1,
        channel_ids=scope.channel_ids,
        before=before,
        since=scope.since,
        until=scope.until,
        hidden=scope.hidden,
    )
    shown = tuple(Hit(post=post, spans=()) for post in stored[:limit])
    return SearchPage(hits=shown, examined=len(shown), before=shown[-1].post.id if len(stored) > limit else None)


async def find_newest(  # noqa: PLR0913 - a question, where it is asked, and how much of an answer is wanted
    db: Reader,
    query: Compiled,
    scope: Scope | None = None,
    *,
    limit: int,
    before: int | None = None,
    most: int | None = None,
    deadline: Deadline | None = None,
) -> SearchPage:
    """Find the newest messages that match, at most `limit`, among `most` candidate versions at most; None: among all.

    `before` is that of the page before. With history in its scope a message comes once, with the last of its versions
    that matches. Of an album comes the latest message that matches. At the deadline the search stops, though never
    before it has examined a candidate, so that whoever goes on comes to the end.
    """
    run = _Search(db, query, scope or Scope(), limit, deadline or Deadline())
    async for page in run.pages(before=before, most=most):
        stopped_at = await run.take(page)
        if len(run.hits) == limit:
            return SearchPage(hits=tuple(run.hits), examined=run.examined, before=run.hits[-1].post.version_id)
        if stopped_at is not None:
            run.before = stopped_at
            break
    reached = None if run.before is None else date_of(run.before)
    return SearchPage(hits=tuple(run.hits), examined=run.examined, before=run.before, reached=reached)


async def count_matches(
    db: Reader,
    queries: Iterable[Compiled],
    *,
    since: datetime,
    channel_id: int,
    deadline: Deadline | None = None,
) -> int:
    """Count the posts of a channel, dated since a moment, that match any query; albums count once.

    The count takes as long as it takes: a part of it says nothing. Each post is read: to ask the index for all words of
    many topics takes seconds, and a few hundred posts take none.
    """
    del deadline
    numbered = {str(number): query for number, query in enumerate(queries)}
    if not numbered:
        return 0
    matcher = Matcher(numbered)
    pages = candidate_pages(db, None, Scope(channel_ids=(channel_id,), since=since), size=_COUNTED)
    keys = {(post.channel_id, post.key) async for page in pages for post in page if matcher.match(analyse(post.whole))}
    return len(keys)


async def candidate_pages(  # noqa: PLR0913 - what is asked, and how much of it
    db: Reader,
    expression: str | None,
    scope: Scope,
    *,
    size: int,
    before: int | None = None,
    most: int | None = None,
) -> AsyncIterator[list[StoredPost]]:
    """Yield pages of current posts that may match an FTS5 expression, newest first, `most` posts at most.

    `before` is the version from which to go on.
    """
    left = most
    while left is None or left > 0:
        limit = size if left is None else min(size, left)
        page = await fulltext.candidate_posts(
            db,
            expression,
            scope,
            limit=limit,
            before=before,
        )
        if page:
            yield page
        if len(page) < limit:
            return
        before = page[-1].version_id
        left = None if left is None else left - len(page)


class _Search:
    """One search, back in time from its beginning."""

    def __init__(self, db: Reader, query: Compiled, scope: Scope, limit: int, deadline: Deadline) -> None:
        self._db = db
        self._deadline = deadline
        # of a query of hundreds of words only those of the text are looked up: 9 µs instead of 160 for a built-in topic
        self._matcher = Matcher({"": query})
        self._scope = scope
        self._limit = limit
        self._expression = necessary(query)
        is_filtered = self._expression is None or is_filter_worthwhile(query)
        self._filter = TokenFilter(query) if is_filtered else None
        self.hits: list[Hit] = []
        self.examined = 0
        self.before: int | None = None  # of the next page; None: nothing is left

    async def pages(self, *, before: int | None, most: int | None) -> AsyncIterator[list[CandidateVersion]]:
        """Yield pages of candidate versions, newest first, `most` versions at most."""
        self.before, left = before, most
        unindexed = _ROWS_BEFORE_INDEX if len(self._expression or "") > _LONG else 0
        sizes = iter(_PAGES)
        size = 0
        while left is None or left > 0:
            size = next(sizes, size)
            wanted = size if left is None else min(size, left)
            page = await fulltext.candidate_versions(
                self._db,
                self._expression if unindexed <= 0 else None,
                self._scope,
                limit=wanted,
                with_text=self._expression is None,
                before=self.before,
            )
            self.before = page[-1].version_id if len(page) == wanted else None
            if page:
                yield page
            if self.before is None:
                return
            left = None if left is None else left - len(page)
            unindexed -= len(page)

    async def take(self, page: list[CandidateVersion]) -> int | None:
        """Add the hits among some candidates; return where to go on if it stopped before the last of them."""
        passed: list[int] = []  # that are to be verified
        for id_, words, text in page:
            self.examined += 1
            if self._filter is None or self._filter.passes(words, None if self._expression else text):
                passed.append(id_)
            if len(passed) >= self._wanted or self._deadline.is_over():
                passed = await self._verify(passed)
                if len(self.hits) == self._limit or self._deadline.is_over():
                    return self._stop(passed, id_)
        while passed:
            passed = await self._verify(passed)
            if len(self.hits) == self._limit or self._deadline.is_over():
                return self._stop(passed, page[-1].version_id) if passed else None
        return None

    def _stop(self, passed: list[int], last: int) -> int:
        """Return the place behind the last candidate that is decided: the first that is not verified comes next."""
        self.examined -= len(passed)
        return passed[0] + 1 if passed else last

    @property
    def _wanted(self) -> int:
        """How many versions to verify at once."""
        return min(max(self._limit - len(self.hits), _LEAST_VERIFIED), _MOST_VERIFIED)

    async def _verify(self, version_ids: list[int]) -> list[int]:
        """Add the hits among the first of some versions; return the others, and those that the deadline left."""
        now, later = version_ids[: self._wanted], version_ids[self._wanted :]
        for number, post in enumerate(await posts.of_versions(self._db, now)):
            if number and self._deadline.is_over():
                return [*now[number:], *later]
            if not (post.is_current or self._scope.history):
                continue
            spans = self._spans(post)
            if spans is None or not await self._is_last(post) or await self._is_in_later_hit(post):
                continue
            self.hits.append(Hit(post=post, spans=spans))
            if len(self.hits) == self._limit:
                break
        return later

    async def _is_last(self, post: StoredPost) -> bool:
        """Tell whether no later version of a message matches, nor the current one."""
        if post.is_current:
            return True
        every = await posts.versions(self._db, post.channel_id, post.message_id)
        order = [other for other in every if not other.is_current] + [other for other in every if other.is_current]
        later = order[[other.version_id for other in order].index(post.version_id) + 1 :]
        return all(self._spans(other) is None for other in later)

    async def _is_in_later_hit(self, post: StoredPost) -> bool:
        """Tell whether a later version of another message of the same album is a hit."""
        if post.grouped_id is None:
            return False
        for other in await posts.by_key(self._db, post.channel_id, post.key):
            if other.message_id == post.message_id:
                continue
            history = self._scope.history
            said = await posts.versions(self._db, other.channel_id, other.message_id) if history else [other]
            later = [one for one in said if post.version_id < one.version_id < end_id(None, self._scope.until)]
            if any([self._spans(one) is not None and await self._is_last(one) for one in later]):
                return True
        return False

    def _spans(self, post: StoredPost) -> tuple[Span, ...] | None:
        return self._matcher.match(analyse(post.whole)).get("")


MOST_RANKED = 500  # the newest hits
_MOST_ROWS = 50_000  # candidates examined for them
_SHORT = 100  # characters added to each length, so that a post of one word is not the best of all


async def find_best(  # noqa: PLR0913 - a question, where it is asked, and which page of the answer is wanted
    db: Reader,
    query: Compiled,
    scope: Scope,
    *,
    limit: int,
    skip: int = 0,
    before: int | None = None,
    ranked: int | None = None,
    deadline: Deadline | None = None,
) -> SearchPage:
    """Rank the newest 500 hits; return `limit` of them after the first `skip`.

    First come posts with more different words of the query, then with more of them for their length, then newer ones.
    `before` of the page, with its `skip` and, where it has `reached`, its `ranked`, begins the same ranking again
    however many posts have come meanwhile and however fast they are found; after its last page, that of the older hits.
    Where there may be older hits, `reached` is the date of the oldest candidate.
    """
    most = ranked or MOST_RANKED
    found = await find_newest(db, query, scope, limit=most, before=before, most=_MOST_ROWS, deadline=deadline)
    if not found.hits:
        return found
    start = found.hits[0].post.version_id + 1 if before is None else before
    best, end = _ranked(query, found.hits), skip + limit
    is_last = end >= len(best)
    return SearchPage(
        hits=tuple(best[skip:end]),
        examined=found.examined,
        ranked=len(best),
        before=found.before if is_last else start,
        skip=0 if is_last else end,
        reached=None if found.before is None else date_of(found.before),
    )


def _ranked(query: Compiled, hits: Sequence[Hit]) -> list[Hit]:
    words = {form: word for word, forms in query.forms.items() for form in forms}

    def worth(hit: Hit) -> tuple[int, float, int]:
        text = hit.post.whole
        marked = "\n".join(text[start:end] for start, end in hit.spans)
        different = {words.get(token, token).lstrip('"') for token in analyse(marked).tokens}
        return len(different), len(marked) / (len(text) + _SHORT), hit.post.version_id

    return sorted(hits, key=worth, reverse=True)
