"""Which posts are exported: those of a case, or those that a query or a topic finds, read a few hundred at a time."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.cli.dossiers import case_named
from bot.cli.queries import compile_queries
from bot.cli.search import every_page
from bot.errors import SettingsError
from bot.locales import translator
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled
from bot.models import StoredPost
from bot.models.people import EVERYTHING
from bot.search.filters import Typed
from bot.search.searcher import scope_of
from bot.store import cases, posts, topics
from bot.store.channel_groups import Directory
from bot.store.database import Reader
from bot.store.fulltext import Scope

_AT_ONCE = 500  # messages
Keys = AsyncIterator[list[tuple[int, int]]]  # channels and messages, some at a time


async def named_search(database: Reader, typed: Typed, topic: str | None) -> tuple[str, Compiled | None, Scope]:
    """Return the search for what is to be written: its name, query and scope. Raises SettingsError."""
    scope = await scope_of(database, typed.filters, EVERYTHING)
    if topic is None:
        return typed.query or "channelwatch", _compiled(typed), scope
    if typed.query:
        raise SettingsError("a query and --topic cannot be combined: use one of them")
    found = await topics.find(database, topic)
    if found is None:
        names = ", ".join(each.name for each in await topics.all_topics(database))
        raise SettingsError(f"--topic: there is no topic «{topic}»; there are {names}")
    if found.limits:
        limited = (await Directory.load(database)).limit(found.limits)
        ids = limited if scope.channel_ids is None else limited & set(scope.channel_ids)
        scope = replace(scope, channel_ids=tuple(ids))
    return topic_title(found.name, translator("en")), Compiled.from_json(found.compiled), scope


async def first_moment(database: Reader, scope: Scope) -> datetime | None:
    """Return how far back messages are read: to what was asked for, or to the oldest one."""
    return scope.since or await posts.first_date(database, scope.channel_ids)


async def message_keys(
    database: Reader, typed: Typed, case: str | None, scope: Scope, reached: Callable[[datetime], None]
) -> Keys:
    """Yield the messages of a case, or those that are found, by channel and number."""
    if case is not None:
        found = await cases.posts_of(database, (await case_named(database, case)).id)
        yield [(post.channel_id, post.message_id) for post in found]
        return
    async for page in message_pages(database, _compiled(typed), scope, reached):
        yield [(post.channel_id, post.message_id) for post in page]


def _compiled(typed: Typed) -> Compiled | None:
    """Return the query of what was typed; None where it has none."""
    return compile_queries(None, typed.query)["query"] if typed.query else None


async def message_pages(
    database: Reader, asked: Compiled | None, scope: Scope, reached: Callable[[datetime], None]
) -> AsyncIterator[Sequence[StoredPost]]:
    """Yield messages, newest first, a few hundred at a time, and say how far back they are."""
    if asked is not None:
        async for found in every_page(database, asked, scope):
            yield [hit.post for hit in found.hits]
            if found.reached or found.hits:
                reached(found.reached or found.hits[-1].post.date)
        return
    before: int | None = None
    while page := await posts.latest(
        database,
        channel_ids=scope.channel_ids,
        limit=_AT_ONCE,
        before=before,
        since=scope.since,
        until=scope.until,
        items=True,
    ):
        yield page
        reached(page[-1].date)
        before = page[-1].id
