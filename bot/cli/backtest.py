"""The command `backtest`: try a query on the archive, and print posts a day, hits and near misses."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated

import typer
from rich.text import Text

from bot.cli import cli, console
from bot.cli.output import print_post, reach, reading_back
from bot.cli.queries import SHELL_WORDS, UnknownTopicError, compile_queries
from bot.errors import ChannelwatchError, SettingsError
from bot.locales import translator
from bot.matching.engine.compiled import Compiled
from bot.matching.explain.explain import Reason
from bot.models.people import EVERYTHING
from bot.rendering.post_text import excerpt_post
from bot.runtime.clock import utc_now
from bot.search.backtest import MANY, Backtest, backtest, midnight
from bot.search.filters import FilterError, Named, Order, Typed, read
from bot.search.searcher import scope_of
from bot.settings import Settings, load_settings
from bot.store import topics
from bot.store.channel_groups import Directory
from bot.store.database import Reader, open_read_only
from bot.store.fulltext import Scope

_DAYS_DRAWN = 60  # a longer time is drawn by weeks
_LONGEST_BAR = 40  # characters
_LONGEST_PART = 80  # characters of a part of a query: a topic's may be as long as a page
_EIGHTHS: Sequence[str] = ("", *"▏▎▍▌▋▊▉")
_FAILED: Mapping[Reason | None, str] = {
    Reason.ABSENT: "not found: ",
    Reason.APART: "found, but too far apart, in another order, or not in one paragraph, sentence or head: ",
    Reason.EXCLUDED: "excluded by: ",
}


@cli.command(name="backtest")
def backtest_(
    query: Annotated[
        str | None, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout since:90d in:@name …')
    ] = None,
    *,
    topic: Annotated[
        str | None, typer.Option(help=f"A topic instead of a query: {SHELL_WORDS}, from a file, or created in chat.")
    ] = None,
    days: Annotated[int, typer.Option(help="How many days back; today is one.", min=1, max=3650)] = 30,
    everything: Annotated[bool, typer.Option("--all", help="The whole archive.")] = False,
    channel: Annotated[str | None, typer.Option(help="Only in this channel: @name, or words of a title.")] = None,
) -> None:
    """Try a query on the stored posts: how often it would have alerted, to what, and the near misses.

    Example: channelwatch backtest "отключить|отключение ~5 интернет" --days 90
    """
    if (query is None) == (topic is None):
        raise SettingsError('give a query or a topic: channelwatch backtest "сбой банк", or --topic outages')
    now = utc_now()
    typed = _read(query or "", channel, now=now)
    if query is not None and not typed.query:
        raise SettingsError("the query has nothing to look for: add a word")
    if typed.filters.since is None and not everything:
        typed = replace(typed, filters=replace(typed.filters, since=midnight(now, days=days)))
    try:
        result = asyncio.run(_run(load_settings(), typed, topic, now=now))
    except FilterError as error:
        named = error.value or "without a name"
        raise ChannelwatchError(f"no channel {named} in the archive; /channels in the chat lists them") from None
    if result.empty:
        there = " there" if typed.filters.channels else ""
        sys.stderr.write(f"No posts are stored{there} yet, so there is nothing to try it on.\n")
        return
    for lines in (_figures(result), *_chart(result.days)):
        console.print(lines, soft_wrap=not console.is_terminal)
    if said := reach(result.coverage, typed.filters.since):
        console.print(Text(said, "dim"), soft_wrap=not console.is_terminal)
    _print_examples(result)


def _read(query: str, channel: str | None, *, now: datetime) -> Typed:
    """Take a query with filters apart; raises SettingsError for a filter that has no meaning here."""
    try:
        typed = read(query, now=now)
    except FilterError as error:
        raise SettingsError(str(error)) from None
    if typed.filters.history or typed.filters.order is not Order.NEWEST:
        raise SettingsError("backtest counts what posts say now, day by day: leave out history: and order:")
    named = () if channel is None else (Named(text=channel, position=0),)
    return replace(typed, filters=replace(typed.filters, channels=typed.filters.channels + named))


async def _run(settings: Settings, typed: Typed, topic: str | None, *, now: datetime) -> Backtest:
    asked = compile_queries(None, typed.query)["query"] if topic is None else None
    async with open_read_only(settings.database_path) as database:
        asked = asked or await _of_topic(database, topic or "")
        scope = await _limited(database, await scope_of(database, typed.filters, EVERYTHING), topic)
        with reading_back(scope.since, now) as reached:
            return await backtest(
                database,
                asked,
                now=now,
                since=scope.since,
                until=scope.until,
                channel_ids=scope.channel_ids,
                progress=reached,
            )


async def _limited(database: Reader, scope: Scope, name: str | None) -> Scope:
    """Narrow a scope to the channels that a topic of the database is limited to."""
    topic = None if name is None else await topics.find(database, name)
    if topic is None or not topic.limits:
        return scope
    ids = (await Directory.load(database)).limit(topic.limits)
    return replace(scope, channel_ids=tuple(ids if scope.channel_ids is None else ids & set(scope.channel_ids)))


async def _of_topic(database: Reader, name: str) -> Compiled:
    """Return a topic of the database, or of a file that no start has taken over yet; case is ignored."""
    topic = await topics.find(database, name)
    if topic is not None:
        return Compiled.from_json(topic.compiled)
    try:
        ((_, found),) = compile_queries([name], None).items()
    except UnknownTopicError as error:
        stored = [topic.name for topic in await topics.all_topics(database)]
        known = ", ".join(dict.fromkeys([*error.known, *stored]))
        raise ChannelwatchError(f"no topic «{name}»; there are {known}") from None
    return found


def _figures(result: Backtest) -> Text:
    posts = "1 post" if result.total == 1 else f"{result.total} posts"
    text = Text().append(f"{posts} from {result.first} to {result.last}, UTC", "bold")
    if result.total:
        text.append(f": {result.average:.1f} a day, {result.busiest} on the busiest day.")
    else:
        text.append(".")
    if result.is_much:
        text.append(
            f"\nMore than {MANY} a day are too many to read: add a word, or ask for words close together: a ~5 b", "red"
        )
    return text


def _chart(days: Sequence[tuple[date, int]]) -> Iterator[Text]:
    """Draw a bar a day, or a week, which begins on Monday; weeks without a post are one line for all in a row."""
    is_weekly = len(days) > _DAYS_DRAWN
    bars: dict[date, int] = {}
    for day, posts in days:
        start = day - timedelta(days=day.weekday()) if is_weekly else day
        bars[start] = bars.get(start, 0) + posts
    most = max(bars.values())
    if most == 0:
        return
    yield Text("A bar is a week, from the Monday named." if is_weekly else "", "dim")
    for is_empty, run in groupby(bars.items(), lambda bar: is_weekly and not bar[1]):
        stretch = list(run)
        if is_empty and len(stretch) > 1:
            yield Text(f"{'…':<14}  {len(stretch)} weeks without posts", "dim")
            continue
        for start, posts in stretch:
            whole, eighths = divmod(round(posts / most * _LONGEST_BAR * 8), 8)
            bar = (f"  {'█' * whole}{_EIGHTHS[eighths]}", "cyan"), f" {posts}"
            yield Text.assemble(f"{start:%Y-%m-%d %a}", *(bar if posts else ()))


def _print_examples(result: Backtest) -> None:
    t = translator("en")
    if result.hits:
        console.print(Text("\nNewest:", "bold"))
    for hit in result.hits:
        print_post(hit.post, *excerpt_post(hit.post.text, hit.post.parts, hit.spans, t), brackets=True)
    if result.near:
        console.print(Text("\nNear misses:", "bold"))
    for miss in result.near:
        part = miss.failure.query
        part = part if len(part) <= _LONGEST_PART else part[: _LONGEST_PART - 1] + "…"
        excerpt = excerpt_post(miss.post.text, miss.post.parts, miss.spans, t)
        print_post(miss.post, *excerpt, reason=f"{_FAILED[miss.failure.reason]}{part}", brackets=True)
