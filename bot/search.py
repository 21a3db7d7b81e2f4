"""Looking back: compiled queries come in, stored posts that match go out, by the rule that raises alerts."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.matching.matcher import Compiled, Matcher, necessary, verify
from bot.matching.text import analyse
from bot.store import fulltext
from bot.store.database import Reader
from bot.store.posts import StoredPost

PAGE = 100  # candidates read at once: other work goes on between two pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A post that a query found."""

    post: StoredPost
    spans: tuple[tuple[int, int], ...]  # Python characters of its text: sorted, merged


async def search(  # noqa: PLR0913 - each narrows the question in its own way
    db: Reader,
    query: Compiled,
    *,
    limit: int,
    before: int | None = None,
    channel_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Hit]:
    """Return the newest messages whose current text matches; `before` is the `version_id` of the last hit so far.

    A query of nothing but regular expressions reads every message in question, some 20,000 a second.
    """
    hits: list[Hit] = []
    posts = _candidates(db, necessary(query), before=before, channel_id=channel_id, since=since, until=until)
    async for post in posts:
        spans = verify(query, analyse(post.text))
        if spans is not None:
            hits.append(Hit(post=post, spans=spans))
        if len(hits) >= limit:
            break
    return hits


async def preview(db: Reader, queries: Iterable[Compiled], *, since: datetime, channel_id: int | None = None) -> int:
    """Count the posts of a channel, or of all, dated since a moment, that match any query; albums count once."""
    numbered = {str(number): query for number, query in enumerate(queries)}
    if not numbered:
        return 0
    needed = [necessary(query) for query in numbered.values()]
    known = [expression for expression in needed if expression is not None]
    matcher = Matcher(numbered)
    posts = _candidates(
        db,
        " OR ".join(known) if len(known) == len(needed) else None,
        before=None,
        channel_id=channel_id,
        since=since,
        until=None,
    )
    found = {(post.channel_id, post.key) async for post in posts if matcher.match(analyse(post.text))}
    return len(found)


async def _candidates(  # noqa: PLR0913 - they go on to the index as they came
    db: Reader,
    expression: str | None,
    *,
    before: int | None,
    channel_id: int | None,
    since: datetime | None,
    until: datetime | None,
) -> AsyncIterator[StoredPost]:
    while True:
        page = await fulltext.candidates(
            db, expression, limit=PAGE, before=before, channel_id=channel_id, since=since, until=until
        )
        for post in page:
            yield post
        if len(page) < PAGE:
            return
        before = page[-1].version_id
