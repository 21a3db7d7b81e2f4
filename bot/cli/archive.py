"""The archive from a shell: a typed search comes in, stored posts go out, newest or best first."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.text import Text

from bot.app import utc_now
from bot.cli.queries import compiled
from bot.cli.shell import cli, console
from bot.errors import SettingsError
from bot.search import Found, Hit, Scope, look, look_for_best
from bot.search.filters import FilterError, Order, Typed, read
from bot.search.scope import scope_of
from bot.settings import Settings, load_settings
from bot.store import posts
from bot.store.database import Reader, open_read_only


@cli.command(name="search")
def search_(  # noqa: PLR0913 - each option narrows or orders the answer in its own way
    query: Annotated[
        str, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout since:7d in:@name …')
    ] = "",
    *,
    channel: Annotated[list[str] | None, typer.Option(help="Only in this channel; may be repeated: @name.")] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 7d, 12h, 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to then, this day (UTC) included.")] = None,
    order: Annotated[Order, typer.Option(help="The newest first, or the best of the newest 500.")] = Order.NEWEST,
    history: Annotated[bool, typer.Option("--history", help="Also by what posts said before an edit.")] = False,
    limit: Annotated[int, typer.Option(help="How many posts at most.", min=1)] = 20,
) -> None:
    """Find stored posts; without a query, the newest ones.

    Example: channelwatch search "сбой|outage in:@MID_Russia since:30d"
    """
    options = [f'in:"{name}"' for name in channel or ()]
    options += [f"{name}:{value}" for name, value in (("since", since), ("until", until)) if value is not None]
    options += ["order:best"] if order is Order.BEST else []
    options += ["history:yes"] if history else []
    try:
        typed = read(" ".join([query, *options]), now=utc_now())
        found = asyncio.run(_find(load_settings(), typed, limit=limit))
    except FilterError as error:
        raise SettingsError(str(error)) from None
    for hit in found.hits:
        console.print(_shown(hit))
    if not found.hits:
        sys.stderr.write("Nothing found in the stored posts.\n")


async def _find(settings: Settings, typed: Typed, *, limit: int) -> Found:
    asked = compiled(None, typed.query)["query"] if typed.query else None
    async with open_read_only(settings.database_path) as database:
        scope = await scope_of(database, typed.filters)
        if asked is None:
            return await _newest(database, scope, limit=limit)
        if typed.filters.order is Order.BEST:
            return await look_for_best(database, asked, scope, limit=limit)
        return await look(database, asked, scope, limit=limit)


async def _newest(database: Reader, scope: Scope, *, limit: int) -> Found:
    found = await posts.latest(
        database, limit=limit, channel_ids=scope.channel_ids, since=scope.since, until=scope.until
    )
    return Found(hits=tuple(Hit(post=post, spans=()) for post in found), looked=len(found))


def _shown(hit: Hit) -> Text:
    post = hit.post
    earlier = "" if post.current else f"  (earlier wording, {post.edit_date or post.date:%Y-%m-%d %H:%M} UTC)"
    shown = Text(f"{post.date:%Y-%m-%d %H:%M} UTC  {post.channel_title}  {post.link}{earlier}\n", style="bold")
    body = Text(post.text)
    for start, end in hit.spans:
        body.stylize("reverse", start, end)
    return shown.append(body).append("\n")
