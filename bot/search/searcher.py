"""The search itself: stored posts that match a compiled query, newest first or best first.

The full-text index proposes versions in growing pages, a token filter looks at their words, and the query verifies
what passes. The best first are ranked by us: SQLite's own bm25 would have to read every post with any of the words
again, since the index keeps neither their places nor the lengths of posts (measured: 140 ms where 474 posts match), and
it takes each form for a rarity of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.matching.engine.compiled import Compiled, necessary
from bot.matching.engine.matcher import Matcher
from bot.matching.engine.token_filter import TokenFilter
from bot.matching.words.tokens import analyse
from bot.models.posts import StoredPost
from bot.search.filters import FilterError, Filters, Named
from bot.store import channels, fulltext, posts
from bot.store.database import Reader
from bot.store.fulltext import CandidateVersion
from bot.store.rows import date_of, end_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which posts are asked about."""

    channel_ids: Sequence[int] | None = None  # bare; None: all channels
    since: datetime | None = None  # dates count in whole seconds
    until: datetime | None = None  # excluded
    history: bool = False  # also what a message said before it was edited


async def scope_of(db: Reader, filters: Filters) -> Scope:
    """Find the channels that are named, by name, id or beginning; raises FilterError for a name that none goes by."""
    ids = {channel_id: None for named in filters.channels for channel_id in await _channel_ids(db, named)}
    return Scope(
        channel_ids=tuple(ids) if filters.channels else None,
        since=filters.since,
        until=filters.until,
        history=filters.history,
    )


async def _channel_ids(db: Reader, named: Named) -> list[int]:
    """Return the channel of this name, or else all whose titles begin so."""
    found = await channels.find(db, named.text)
    if found is not None:
        return [found.id]
    begun = await channels.by_beginning(db, named.text)
    if not begun:
        raise FilterError("unknown_channel", named.position, value=named.text)
    return [channel.id for channel in begun]


_PAGES = (48, 400, 3000)  # versions read at once
_LONG = 10_000  # characters of an expression for which FTS5 takes a second to begin: see below
_ROWS_BEFORE_INDEX = 3_000  # versions read without it first, in a fifth of a second
_SLICE = 100  # versions filtered at a stretch: 2 ms, 7 for an expression, then the event loop has its turn
_LEAST_VERIFIED, _MOST_VERIFIED = 16, 50  # versions verified at a stretch
_PREVIEW_PAGE = 100  # posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A post that a query found; `post.is_current` tells whether it still says so."""

    post: StoredPost
    spans: tuple[tuple[int, int], ...]  # Python characters of its whole: sorted, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """What a search brought, and how far it came."""

    hits: tuple[Hit, ...]
    looked: int  # versions that came into question and were looked at
    ranked: int = 0  # hits that were put in order of worth
    before: int | None = None  # where to go on, as `before` of the next search; None: nothing is left to be looked at
    reached: datetime | None = None  # how far back it came, where it stopped because it had looked at enough


async def find_newest(  # noqa: PLR0913 - a question, where it is asked, and how much of an answer is wanted
    db: Reader,
    query: Compiled,
    scope: Scope | None = None,
    *,
    limit: int,
    before: int | None = None,
    most: int | None = None,
) -> SearchPage:
    """Find the newest messages that match, at most `limit`; look at no more than `most` versions, None: at all.

    `before` is the `version_id` of the last hit so far, or the `before` of what was found. With the history in its
    scope, a message is found by what it said last of all it said that matches, once. Of an album the latest message
    that matches is found.
    """
    run = _Search(db, query, scope or Scope(), limit)
    looked = 0
    async for page in run.pages(before=before, most=most):
        await run.take(page)
        if len(run.hits) == limit:
            return SearchPage(hits=tuple(run.hits), looked=looked + len(page), before=run.hits[-1].post.version_id)
        looked += len(page)
    reached = None if run.before is None else date_of(run.before)
    return SearchPage(hits=tuple(run.hits), looked=looked, before=run.before, reached=reached)


async def find_current(  # noqa: PLR0913 - each narrows the question in its own way
    db: Reader,
    query: Compiled,
    *,
    limit: int,
    before: int | None = None,
    channel_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Hit]:
    """Return the newest messages whose current text matches, however far back; see `look`.

    A query of nothing but regular expressions reads every message in question, some 50,000 a second.
    """
    scope = Scope(channel_ids=None if channel_id is None else (channel_id,), since=since, until=until)
    return list((await find_newest(db, query, scope, limit=limit, before=before, most=None)).hits)


async def count_matches(
    db: Reader, queries: Iterable[Compiled], *, since: datetime, channel_id: int | None = None
) -> int:
    """Count the posts of a channel, or of all, dated since a moment, that match any query; albums count once."""
    numbered = {str(number): query for number, query in enumerate(queries)}
    if not numbered:
        return 0
    needed = [necessary(query) for query in numbered.values()]
    known = [expression for expression in needed if expression is not None]
    matcher = Matcher(numbered)
    expression = " OR ".join(known) if len(known) == len(needed) else None
    candidates = _current_posts(db, expression, channel_id=channel_id, since=since)
    found = {(post.channel_id, post.key) async for post in candidates if matcher.match(analyse(post.whole))}
    return len(found)


class _Search:
    """One search on its way back in time."""

    def __init__(self, db: Reader, query: Compiled, scope: Scope, limit: int) -> None:
        self._db = db
        # of a query with hundreds of words it looks up those of the text: 9 µs instead of 160 for a built-in topic
        self._matcher = Matcher({"": query})
        self._scope = scope
        self._limit = limit
        self._expression = necessary(query)
        self._filter = TokenFilter(query.plan)
        self.hits: list[Hit] = []
        self.before: int | None = None  # where to go on; None: nothing is left

    async def pages(self, *, before: int | None, most: int | None) -> AsyncIterator[list[CandidateVersion]]:
        """Yield versions that come into question, newest first, until `most` of them."""
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
                limit=wanted,
                with_text=self._expression is None,
                before=self.before,
                channel_ids=self._scope.channel_ids,
                since=self._scope.since,
                until=self._scope.until,
            )
            self.before = page[-1].version_id if len(page) == wanted else None
            if page:
                yield page
            if self.before is None:
                return
            left = None if left is None else left - len(page)
            unindexed -= len(page)

    async def take(self, page: list[CandidateVersion]) -> None:
        """Add the hits among some versions."""
        passed: list[int] = []
        for start in range(0, len(page), _SLICE):
            passed += self._filtered(page[start : start + _SLICE])
            await asyncio.sleep(0)
            while len(passed) >= self._wanted and len(self.hits) < self._limit:
                passed = await self._verify(passed)
        while passed and len(self.hits) < self._limit:
            passed = await self._verify(passed)

    @property
    def _wanted(self) -> int:
        """How many versions to verify at once."""
        return min(max(self._limit - len(self.hits), _LEAST_VERIFIED), _MOST_VERIFIED)

    def _filtered(self, page: list[CandidateVersion]) -> list[int]:
        if self._expression is not None and not self._filter.is_worthwhile:
            return [candidate.version_id for candidate in page]
        passes, with_text = self._filter.passes, self._expression is None
        return [id_ for id_, words, text in page if passes(words, text if with_text else None)]

    async def _verify(self, version_ids: list[int]) -> list[int]:
        """Add the hits among the first of some versions; return the others."""
        now, later = version_ids[: self._wanted], version_ids[self._wanted :]
        for post in await posts.of_versions(self._db, now):
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
        """Tell whether nothing that a message said later, or says now, matches."""
        if post.is_current:
            return True
        every = await posts.versions(self._db, post.channel_id, post.message_id)
        order = [other for other in every if not other.is_current] + [other for other in every if other.is_current]
        later = order[[other.version_id for other in order].index(post.version_id) + 1 :]
        return all(self._spans(other) is None for other in later)

    async def _is_in_later_hit(self, post: StoredPost) -> bool:
        """Tell whether another message of the same album is found later than this one."""
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

    def _spans(self, post: StoredPost) -> tuple[tuple[int, int], ...] | None:
        return self._matcher.match(analyse(post.whole)).get("")


async def _current_posts(
    db: Reader, expression: str | None, *, channel_id: int | None, since: datetime
) -> AsyncIterator[StoredPost]:
    before = None
    channel_ids = None if channel_id is None else [channel_id]
    while True:
        page = await fulltext.candidate_posts(
            db, expression, limit=_PREVIEW_PAGE, before=before, channel_ids=channel_ids, since=since
        )
        for post in page:
            yield post
        if len(page) < _PREVIEW_PAGE:
            return
        before = page[-1].version_id


MOST_RANKED = 500  # hits, the newest ones
_MOST_ROWS = 50_000  # versions looked at for them
_SHORT = 100  # characters added to each length, so that a post of one word is not the best of all


async def find_best(  # noqa: PLR0913 - a question, where it is asked, and which page of the answer is wanted
    db: Reader, query: Compiled, scope: Scope, *, limit: int, skip: int = 0, before: int | None = None
) -> SearchPage:
    """Rank the newest 500 hits; return `limit` of them after the first `skip`.

    More different words of the query come first, then more of them for the length of the post, then the newer one.
    The `before` of what is found begins the same ranking again however many posts have come meanwhile: it is to be
    handed over with a greater `skip`. It is None after the last page. Where there may be older hits, `reached` tells
    how far back those go that were ranked.
    """
    found = await find_newest(db, query, scope, limit=MOST_RANKED, before=before, most=_MOST_ROWS)
    if not found.hits:
        return replace(found, before=None)
    start = found.hits[0].post.version_id + 1 if before is None else before
    ranked = await asyncio.to_thread(_ranked, query, found.hits)
    end = skip + limit
    return SearchPage(
        hits=tuple(ranked[skip:end]),
        looked=found.looked,
        ranked=len(ranked),
        before=start if end < len(ranked) else None,
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
