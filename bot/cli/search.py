"""The command `search`: print stored posts, the newest or the best first."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.output import print_post, reading_back
from bot.cli.queries import compile_queries
from bot.errors import SettingsError
from bot.locales import translator
from bot.matching.engine.compiled import Compiled
from bot.parts import split_spans
from bot.rendering.post_text import add_part_lines
from bot.runtime.clock import utc_now
from bot.search.filters import FilterError, Filters, Named, Order, Typed, check_span, read, read_moment
from bot.search.searcher import Hit, Scope, SearchPage, find_best, find_newest, scope_of
from bot.settings import Settings, load_settings
from bot.store import posts
from bot.store.database import Reader, open_read_only

_ROWS_AT_ONCE = 20_000  # versions looked at between two reports of progress: seconds for an expression


@cli.command(name="search")
def search_(  # noqa: PLR0913 - each option narrows or orders the answer in its own way
    query: Annotated[
        str, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout since:7d in:@name …')
    ] = "",
    *,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Only in this channel: @name, or a title or its beginning; may be repeated."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 7d, 12h, 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to then, this day (UTC) included.")] = None,
    order: Annotated[Order, typer.Option(help="The newest first, or the best of the newest 500.")] = Order.NEWEST,
    history: Annotated[bool, typer.Option("--history", help="Also by what posts said before an edit.")] = False,
    limit: Annotated[int, typer.Option(help="How many posts at most.", min=1)] = 20,
) -> None:
    """Find stored posts; without a query, the newest ones. Put -- before a query that begins with a minus.

    Example: channelwatch search "сбой|outage in:@MID_Russia since:30d"
    """
    now = utc_now()
    try:
        typed = read(query, now=now)
        filters = replace(
            typed.filters,
            order=order if order is Order.BEST else typed.filters.order,
            history=history or typed.filters.history,
            channels=typed.filters.channels + tuple(Named(text=name, position=0) for name in channel or ()),
        )
        asked = replace(typed, filters=_within(filters, since, until, now=now))
        found = asyncio.run(_find(load_settings(), asked, limit=limit, now=now))
    except FilterError as error:
        raise SettingsError(f"{'' if error.position else '--channel: '}{error}") from None
    for hit in found.hits:
        own, beside = split_spans(hit.post.text, hit.post.parts, hit.spans)
        print_post(hit.post, *add_part_lines(hit.post.text, own, beside, translator("en")))
        console.print()
    if not found.hits:
        sys.stderr.write("Nothing found in the stored posts.\n")
    if found.ranked and found.reached:
        back = f"the {found.ranked} newest finds, back to {found.reached:%Y-%m-%d %H:%M} UTC"
        sys.stderr.write(f"These are the best of {back}. There may be older ones: narrow it with --until.\n")


def _within(filters: Filters, since: str | None, until: str | None, *, now: datetime) -> Filters:
    """Return filters narrowed by the two options; raises SettingsError, which names the option."""
    narrowed = replace(
        filters,
        since=filters.since if since is None else _moment("--since", since, now=now),
        until=filters.until if until is None else _moment("--until", until, now=now),
    )
    given = (("--since", since), ("--until", until))
    check_span(narrowed, 1, value=" ".join(f"{name} {value}" for name, value in given if value is not None))
    return narrowed


def _moment(option: str, value: str, *, now: datetime) -> datetime:
    try:
        return read_moment(value, 1, now=now, zone="UTC", end=option == "--until")
    except FilterError as error:
        raise SettingsError(f"{option}: {error}") from None


async def _find(settings: Settings, typed: Typed, *, limit: int, now: datetime) -> SearchPage:
    asked = compile_queries(None, typed.query)["query"] if typed.query else None
    async with open_read_only(settings.database_path) as database:
        scope = await scope_of(database, typed.filters)
        if asked is None:
            newest = await posts.latest(
                database, limit=limit, channel_ids=scope.channel_ids, since=scope.since, until=scope.until
            )
            return SearchPage(hits=tuple(Hit(post=post, spans=()) for post in newest), examined=len(newest))
        if typed.filters.order is Order.BEST:
            best = await find_best(database, asked, scope, limit=limit)
            if best.hits:
                return best  # else there may be some before the posts that are looked at for a ranking
        with reading_back(scope.since, now) as reached:
            return await look_back(database, asked, scope, limit=limit, progress=reached)


async def look_back(
    database: Reader, asked: Compiled, scope: Scope, *, limit: int, progress: Callable[[datetime], None]
) -> SearchPage:
    """Find the newest posts, however far back."""
    hits: tuple[Hit, ...] = ()
    before = None
    while True:
        found = await find_newest(database, asked, scope, limit=limit - len(hits), before=before, most=_ROWS_AT_ONCE)
        hits, before = hits + found.hits, found.before
        if before is None or found.reached is None:
            return replace(found, hits=hits)
        progress(found.reached)
