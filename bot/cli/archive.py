"""The archive from a shell: a query comes in, stored posts go out, newest first."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.text import Text

from bot.cli.queries import compiled
from bot.cli.shell import cli, console
from bot.errors import ChannelwatchError
from bot.search import Hit, search
from bot.settings import Settings, load_settings
from bot.store import channels
from bot.store.database import Reader, open_read_only


@cli.command(name="search")
def search_(
    query: Annotated[str, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout …')],
    *,
    channel: Annotated[str | None, typer.Option(help="Only in this channel: @name.")] = None,
    limit: Annotated[int, typer.Option(help="How many posts at most.", min=1)] = 20,
) -> None:
    """Find stored posts, newest first.

    Example: channelwatch search "сбой|outage" --channel @MID_Russia
    """
    hits = asyncio.run(_search(load_settings(), query, channel=channel, limit=limit))
    for hit in hits:
        console.print(_shown(hit))
    if not hits:
        sys.stderr.write("Nothing found in the stored posts.\n")


async def _search(settings: Settings, query: str, *, channel: str | None, limit: int) -> list[Hit]:
    asked = compiled(None, query)["query"]
    async with open_read_only(settings.database_path) as database:
        channel_id = None if channel is None else await _channel_id(database, channel)
        return await search(database, asked, channel_id=channel_id, limit=limit)


async def _channel_id(database: Reader, text: str) -> int:
    found = await channels.find(database, text)
    if found is None:
        raise ChannelwatchError(f"no channel {text} in the archive; /channels in the chat lists them")
    return found.id


def _shown(hit: Hit) -> Text:
    post = hit.post
    shown = Text(f"{post.date:%Y-%m-%d %H:%M} UTC  {post.channel_title}  {post.link}\n", style="bold")
    body = Text(post.text)
    for start, end in hit.spans:
        body.stylize("reverse", start, end)
    return shown.append(body).append("\n")
