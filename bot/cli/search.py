"""The command `search`: print stored posts, the newest or the best first."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.output import ended_by_reader, print_post, reach, reading_back
from bot.cli.queries import compile_queries
from bot.cli.records import record, writing
from bot.dossier.table import TableFormat
from bot.errors import SettingsError
from bot.locales import translator
from bot.matching.engine.compiled import Compiled
from bot.models.people import EVERYTHING
from bot.parts import PartMatch, split_spans
from bot.rendering.post_text import add_part_lines
from bot.runtime.clock import utc_now
from bot.search.coverage import coverage_of
from bot.search.filters import FilterError, Filters, Named, Order, Typed, check_span, read, read_moment
from bot.search.searcher import MOST_RANKED, Hit, SearchPage, find_best, find_newest, latest_page, scope_of
from bot.settings import load_settings
from bot.store import posts
from bot.store.database import Reader, open_read_only
from bot.store.fulltext import Scope

_ROWS_AT_ONCE = 20_000  # versions looked at between two reports of progress: seconds for an expression
_HITS_AT_ONCE = 100
_COUNTING_S = 2.0  # what is found beyond the limit is counted so long
_MOMENT = "%Y-%m-%d %H:%M UTC"
_MORE = "--limit 100 shows more, --all shows all."


@cli.command(name="search")
def search_(  # noqa: PLR0913 - each option narrows or orders the answer in its own way
    query: Annotated[
        str, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout since:7d in:@name …')
    ] = "",
    *,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Only in this channel: @name, or words of a title; may be repeated."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From when: 7d, 12h, 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, including that day (UTC).")] = None,
    order: Annotated[Order, typer.Option(help="Newest first, or the best of the newest 500.")] = Order.NEWEST,
    history: Annotated[bool, typer.Option("--history", help="Search earlier versions of edited posts too.")] = False,
    limit: Annotated[int, typer.Option(help="At most this many posts.", min=1)] = 20,
    everything: Annotated[bool, typer.Option("--all", help="All posts, however many.")] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="As JSON Lines, with everything known about each post.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as CSV; formulas are escaped with '.")] = False,
) -> None:
    """Find stored posts; without a query, the newest ones. Put -- before a query that begins with a minus.

    Example: channelwatch search "сбой|outage in:@MID_Russia since:30d" --all --csv > posts.csv
    """
    now = utc_now()
    if jsonl and as_csv:
        raise SettingsError("--jsonl and --csv cannot be combined: use one of them")
    how = TableFormat.JSONL if jsonl else TableFormat.CSV if as_csv else None
    try:
        typed = read(query, now=now)
        filters = replace(
            typed.filters,
            order=order if order is Order.BEST else typed.filters.order,
            history=history or typed.filters.history,
            channels=typed.filters.channels + tuple(Named(text=name, position=0) for name in channel or ()),
        )
        asked = replace(typed, filters=narrowed(filters, since, until, now=now))
        with ended_by_reader():
            asyncio.run(_search(asked, how, limit=None if everything else limit, now=now))
    except FilterError as error:
        raise SettingsError(f"{'' if error.position else '--channel: '}{error}") from None


def narrowed(filters: Filters, since: str | None, until: str | None, *, now: datetime) -> Filters:
    """Return filters narrowed by the two options; raises SettingsError, which names the option."""
    found = replace(
        filters,
        since=filters.since if since is None else _moment("--since", since, now=now),
        until=filters.until if until is None else _moment("--until", until, now=now),
    )
    given = (("--since", since), ("--until", until))
    check_span(found, 1, value=" ".join(f"{name} {value}" for name, value in given if value is not None))
    return found


def _moment(option: str, value: str, *, now: datetime) -> datetime:
    try:
        return read_moment(value, 1, now=now, zone="UTC", end=option == "--until")
    except FilterError as error:
        raise SettingsError(f"{option}: {error}") from None


async def _search(typed: Typed, how: TableFormat | None, *, limit: int | None, now: datetime) -> None:
    """Print what is found: at once where it may be much or is for other programs, else after the rest is counted."""
    asked = compile_queries(None, typed.query)["query"] if typed.query else None
    async with open_read_only(load_settings().database_path) as database:
        scope = await scope_of(database, typed.filters, EVERYTHING)
        with _output(how, database) as show:
            if asked is not None and typed.filters.order is Order.BEST:
                best = await find_best(database, asked, scope, limit=limit or MOST_RANKED)
                for hit in best.hits:
                    await show(hit)
                if best.hits:  # else there may be some before the posts that are looked at for a ranking
                    _say_best(best)
                    await _say_reach(database, scope, now)
                    return
            pages = _newest(database, scope) if asked is None else every_page(database, asked, scope)
            is_streamed = limit is None or how is not None
            bar = nullcontext(_no_bar) if is_streamed and console.is_terminal else reading_back(scope.since, now)
            held: list[Hit] = []
            with bar as reached:
                counted = await _take(pages, show if is_streamed else held.append, limit=limit, progress=reached)
            for hit in held:
                await show(hit)
        _say_counted(counted, limit)
        await _say_reach(database, scope, now)


async def _say_reach(database: Reader, scope: Scope, now: datetime) -> None:
    """Say how far back the archive reaches: that nothing was found before says nothing."""
    said = reach(await coverage_of(database, scope.channel_ids, now=now), scope.since)
    if said:
        sys.stderr.write(f"{said}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """How many posts were found."""

    posts: int
    back_to: datetime | None  # where the count stopped; None: at the end


async def _take(
    pages: AsyncIterator[SearchPage],
    show: Callable[[Hit], Awaitable[None] | None],
    *,
    limit: int | None,
    progress: Callable[[datetime], None],
) -> _Counted:
    """Show hits up to a limit, and count the others for a while."""
    posts, until = 0, None
    async for page in pages:
        for hit in page.hits:
            posts += 1
            if (limit is None or posts <= limit) and (shown := show(hit)) is not None:
                await shown
        back_to = page.reached or (page.hits[-1].post.date if page.hits else None)
        if back_to is not None:
            progress(back_to)
        if limit is not None and posts >= limit:
            until = until or monotonic() + _COUNTING_S
            if monotonic() > until and page.before is not None:
                return _Counted(posts=posts, back_to=back_to)
    return _Counted(posts=posts, back_to=None)


async def every_page(database: Reader, asked: Compiled, scope: Scope) -> AsyncIterator[SearchPage]:
    """Yield pages of what matches a query, newest first, to the end of the archive."""
    before: int | None = None
    while True:
        page = await find_newest(database, asked, scope, limit=_HITS_AT_ONCE, before=before, most=_ROWS_AT_ONCE)
        yield page
        before = page.before
        if before is None:
            return


async def _newest(database: Reader, scope: Scope) -> AsyncIterator[SearchPage]:
    """Yield all posts, newest first."""
    before: int | None = None
    while True:
        page = await latest_page(database, scope, limit=_HITS_AT_ONCE, before=before)
        yield page
        before = page.before
        if before is None:
            return


def _no_bar(_reached: datetime) -> None:
    """Show no progress."""


@contextmanager
def _output(how: TableFormat | None, database: Reader) -> Iterator[Callable[[Hit], Awaitable[None]]]:
    """Yield a function that prints a hit."""
    if how is None:
        yield _print
        return
    with writing(how) as write:

        async def show(hit: Hit) -> None:
            write(record(hit, await posts.versions(database, hit.post.channel_id, hit.post.message_id)))

        yield show


async def _print(hit: Hit) -> None:
    own, beside = split_spans(hit.post.text, hit.post.parts, hit.spans)
    if not hit.post.text.strip():
        beside = beside or tuple(PartMatch(part=part, spans=()) for part in hit.post.parts)
    print_post(hit.post, *add_part_lines(hit.post.text, own, beside, translator("en")))
    console.print()


def _say_best(best: SearchPage) -> None:
    if best.reached:
        back = f"the {best.ranked} newest results, back to {best.reached:{_MOMENT}}"
        sys.stderr.write(f"These are the best of {back}. There may be older ones: narrow it with --until.\n")
    elif best.ranked > len(best.hits):
        sys.stderr.write(f"The best {len(best.hits)} of {best.ranked} posts. {_MORE}\n")


def _say_counted(counted: _Counted, limit: int | None) -> None:
    if not counted.posts:
        sys.stderr.write("Nothing found in the stored posts.\n")
    elif limit is not None and (counted.back_to is not None or counted.posts > limit):
        back = "" if counted.back_to is None else f", counted back to {counted.back_to:{_MOMENT}}"
        sys.stderr.write(f"{min(limit, counted.posts)} of {counted.posts} posts{back}. {_MORE}\n")
