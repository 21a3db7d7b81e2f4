"""Questions beside searches and backtests that may take long, each for a process of the `SearchPool`.

Each takes the archive first, and its deadline by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.matching.engine.compiled import Compiled, verify
from bot.matching.explain.explain import Explanation
from bot.matching.explain.explain import explain as explain_query
from bot.matching.words.tokens import analyse
from bot.search.deadline import Deadline
from bot.search.searcher import Hit, SearchPage, find_newest
from bot.store.database import Reader
from bot.store.fulltext import Scope
from bot.store.rows import date_of
from bot.text.spans import merge_spans


async def explain_text(
    db: Reader, queries: Sequence[Compiled], text: str, *, deadline: Deadline | None = None
) -> list[Explanation]:
    """Explain queries against a text, whatever the deadline; the archive is not asked."""
    del db, deadline
    document = analyse(text)
    return [explain_query(query, document) for query in queries]


async def find_any(  # noqa: PLR0913 - several queries, and where they are asked
    db: Reader,
    queries: Sequence[Compiled],
    scope: Scope,
    *,
    limit: int,
    before: int | None = None,
    deadline: Deadline | None = None,
) -> SearchPage:
    """Find the newest messages that match any of some queries, `limit` at most.

    Of an album comes the latest message that matches. What two queries find has the spans of both.
    """
    deadline = deadline or Deadline()
    by_post: dict[tuple[int, str], Hit] = {}
    examined, floor = 0, 0  # down to which every query has come
    for number, query in enumerate(queries):
        share = deadline.share(len(queries) - number)
        page = await find_newest(db, query, scope, limit=limit, before=before, deadline=share)
        examined, floor = examined + page.examined, max(floor, page.before or 0 if page.reached else 0)
        for hit in page.hits:
            key = (hit.post.channel_id, hit.post.key)
            known = by_post.setdefault(key, hit)
            if hit.post.version_id > known.post.version_id:
                by_post[key] = hit
            elif hit.post.version_id == known.post.version_id:
                by_post[key] = replace(hit, spans=merge_spans([*known.spans, *hit.spans]))
    found = sorted(by_post.values(), key=lambda hit: hit.post.version_id, reverse=True)
    hits = [hit for hit in found if hit.post.version_id >= floor][:limit]
    if len(hits) == limit:
        return SearchPage(hits=tuple(hits), examined=examined, before=hits[-1].post.version_id)
    reached = date_of(floor) if floor else None
    return SearchPage(hits=tuple(hits), examined=examined, before=floor or None, reached=reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The posts that only one of two queries finds, newest first."""

    gained: tuple[Hit, ...]  # by the second
    lost: tuple[Hit, ...]  # by the first
    reached: datetime | None  # how far back they were compared, where that is not as far as was asked


async def find_difference(  # noqa: PLR0913 - two queries, and where each is asked
    db: Reader,
    old: tuple[Compiled, Scope],
    new: tuple[Compiled, Scope],
    *,
    limit: int,
    most: int,
    deadline: Deadline | None = None,
) -> Difference:
    """Compare the newest `limit` posts of two queries, among `most` candidates of each, as far back as both come."""
    deadline, pages = deadline or Deadline(), list[SearchPage]()
    for number, (query, scope) in enumerate((old, new)):
        pages.append(await find_newest(db, query, scope, limit=limit, most=most, deadline=deadline.share(2 - number)))
    floor = max(page.before or 0 for page in pages)
    lost, gained = (
        {(hit.post.channel_id, hit.post.key): hit for hit in reversed(page.hits) if hit.post.version_id >= floor}
        for page in pages
    )
    both = lost.keys() & gained.keys()
    only = [
        sorted((hit for key, hit in found.items() if key not in both), key=lambda hit: -hit.post.version_id)
        for found in (lost, gained)
    ]
    return Difference(lost=tuple(only[0]), gained=tuple(only[1]), reached=date_of(floor) if floor else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The posts that two queries find."""

    looked: int  # posts of the first query that were tried
    hits: tuple[Hit, ...]  # those that the second one finds too, with its spans; newest first


async def find_overlap(  # noqa: PLR0913 - two queries, and where they are asked
    db: Reader,
    query: Compiled,
    other: Compiled,
    *,
    but: tuple[int, str],
    scope: Scope,
    limit: int,
    most: int,
    deadline: Deadline | None = None,
) -> Overlap:
    """Find those of the newest `limit` posts of a query that another one finds too; `but` names a post left out."""
    page = await find_newest(db, query, scope, limit=limit + 1, most=most, deadline=deadline)
    tried = [hit for hit in page.hits if (hit.post.channel_id, hit.post.key) != but][:limit]
    found = ((hit, verify(other, analyse(hit.post.whole))) for hit in tried)
    return Overlap(
        looked=len(tried), hits=tuple(Hit(post=hit.post, spans=spans) for hit, spans in found if spans is not None)
    )
