"""Looks for the newest posts of a topic or a search, and writes them for readers of news: a job of a search process."""

from dataclasses import replace

from bot.dossier.syndication import NewsHeading, SyndicationFormat, news_item, write_syndication
from bot.locales import translator
from bot.matching.engine.compiled import Compiled
from bot.search.deadline import Deadline
from bot.search.searcher import SearchPage, find_newest, latest_page
from bot.store import posts
from bot.store.database import Reader
from bot.store.fulltext import Scope

_MOST = 100  # posts


async def make_news(  # noqa: PLR0913 - a question, where it is asked, and how it is answered
    db: Reader,
    query: Compiled | None,
    scope: Scope,
    heading: NewsHeading,
    how: SyndicationFormat,
    *,
    most: int | None = None,
    deadline: Deadline | None = None,
) -> bytes:
    """Write the newest posts that match, or of all without a query; `most` candidate versions are looked at at most.

    A post that was found before it was edited stays, and says so. Where the search ended early, the heading says so.
    """
    page = await _page(db, query, scope, most, deadline)
    t = translator(heading.language)
    items = []
    for hit in page.hits:
        is_found, shown = hit.post.is_current, [hit.post]
        if not is_found:
            shown = await posts.current(db, hit.post.channel_id, [hit.post.message_id])
        items += [news_item(post, t, is_found=is_found) for post in shown]
    return write_syndication(how, replace(heading, reached=page.reached), items)


async def _page(
    db: Reader, query: Compiled | None, scope: Scope, most: int | None, deadline: Deadline | None
) -> SearchPage:
    if query is None:
        return await latest_page(db, scope, limit=_MOST, before=None)
    return await find_newest(db, query, replace(scope, history=True), limit=_MOST, most=most, deadline=deadline)
