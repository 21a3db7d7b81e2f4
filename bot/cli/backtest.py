"""Trying a query on the archive from a shell: it comes in; posts a day, hits and near misses go out."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from bot.app import utc_now
from bot.backtest import MANY, Backtest, NearMiss, backtest, midnight
from bot.cli.queries import SHELL_WORDS, compiled
from bot.cli.shell import cli, console
from bot.commands.excerpt import excerpt
from bot.errors import ChannelwatchError, SettingsError
from bot.matching.explain import Reason
from bot.matching.matcher import Compiled
from bot.matching.topics import builtin_topics
from bot.settings import Settings, load_settings
from bot.store import channels, topics
from bot.store.database import Reader, open_read_only
from bot.store.posts import StoredPost

_DAYS_DRAWN = 60  # a longer time is drawn by weeks
_PAGES_A_LINE = 20  # some 10,000 posts
_LONGEST_BAR = 40  # characters
_EIGHTHS: Sequence[str] = ("", *"▏▎▍▌▋▊▉")
_FAILED: Mapping[Reason | None, str] = {
    Reason.ABSENT: "not found: ",
    Reason.APART: "found, but too far apart or in another order: ",
    Reason.EXCLUDED: "excluded by: ",
}


@cli.command(name="backtest")
def backtest_(
    query: Annotated[
        str | None, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout …')
    ] = None,
    *,
    topic: Annotated[
        str | None, typer.Option(help=f"A topic instead of a query: {SHELL_WORDS}, or one made in chat.")
    ] = None,
    days: Annotated[int, typer.Option(help="How many days back; today is one.", min=1, max=3650)] = 30,
    everything: Annotated[bool, typer.Option("--all", help="The whole archive.")] = False,
    channel: Annotated[str | None, typer.Option(help="Only in this channel: @name.")] = None,
) -> None:
    """Try a query on the stored posts: how often it would have alerted, to what, and what it just missed.

    Example: channelwatch backtest "отключить|отключение ~5 интернет" --days 90
    """
    if (query is None) == (topic is None):
        raise SettingsError('give a query or a topic: channelwatch backtest "сбой банк", or --topic outages')
    now = utc_now()
    since = None if everything else midnight(now, days=days)
    result = asyncio.run(_run(load_settings(), query, topic, channel=channel, since=since, now=now))
    if result.empty:
        of_channel = f" of {channel}" if channel else ""
        sys.stderr.write(f"No posts{of_channel} are stored yet, so there is nothing to try it on.\n")
        return
    for lines in (_figures(result), *_chart(result.days), *_examples(result)):
        console.print(lines)


async def _run(  # noqa: PLR0913 - they are the options
    settings: Settings,
    query: str | None,
    topic: str | None,
    *,
    channel: str | None,
    since: datetime | None,
    now: datetime,
) -> Backtest:
    typed = compiled(None, query)["query"] if query is not None else None
    async with open_read_only(settings.database_path) as database:
        asked = typed or await _of_topic(database, topic or "")
        channel_id = None if channel is None else await _channel_id(database, channel)
        with _progress(since, now) as reached:
            return await backtest(database, asked, now=now, since=since, channel_id=channel_id, progress=reached)


async def _of_topic(database: Reader, name: str) -> Compiled:
    topic = await topics.find(database, name)
    if topic is not None:
        return Compiled.from_json(topic.compiled)
    if name in {builtin.name for builtin in builtin_topics()}:
        return compiled([name], None)[name]
    known = ", ".join(topic.name for topic in await topics.all_topics(database)) or SHELL_WORDS
    raise ChannelwatchError(f"no topic «{name}»; there are {known}")


async def _channel_id(database: Reader, name: str) -> int:
    found = await channels.find(database, name)
    if found is None:
        raise ChannelwatchError(f"no channel {name} in the archive; /channels in the chat lists them")
    return found.id


@contextmanager
def _progress(since: datetime | None, now: datetime) -> Iterator[Callable[[datetime], None]]:
    """Show down to which date posts are read: as a bar on a terminal, as a line now and then elsewhere."""
    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield _Lines(terminal).reach
        return
    columns = TextColumn("Reading posts back to {task.fields[date]}"), BarColumn()
    with Progress(*columns, console=terminal, transient=True) as shown:
        total = None if since is None else (now - since).total_seconds()
        task = shown.add_task("", total=total, date="…")
        yield lambda date: shown.update(task, completed=(now - date).total_seconds(), date=f"{date:%Y-%m-%d}")


class _Lines:
    """Says now and then how far the reading is."""

    def __init__(self, to: Console) -> None:
        self._to = to
        self._pages = 0

    def reach(self, date: datetime) -> None:
        self._pages += 1
        if self._pages % _PAGES_A_LINE == 0:
            self._to.print(f"Read back to {date:%Y-%m-%d} …")


def _figures(result: Backtest) -> Text:
    posts = "1 post" if result.total == 1 else f"{result.total} posts"
    text = Text().append(f"{posts} from {result.first} to {result.last}, UTC", "bold")
    if result.total:
        text.append(f": {result.average:.1f} a day, {result.busiest} on the busiest.")
    else:
        text.append(".")
    if result.is_much:
        text.append(
            f"\nMore than {MANY} a day are hard to read: add a word, or put words close together: a ~5 b", "red"
        )
    return text


def _chart(days: Sequence[tuple[date, int]]) -> Iterator[Text]:
    """Draw a bar a day, or a week, which begins on Monday."""
    bars: dict[date, int] = {}
    for day, posts in days:
        start = day - timedelta(days=day.weekday()) if len(days) > _DAYS_DRAWN else day
        bars[start] = bars.get(start, 0) + posts
    most = max(bars.values())
    if most == 0:
        return
    yield Text("A bar is a week, from the Monday named." if len(days) > _DAYS_DRAWN else "", "dim")
    for start, posts in bars.items():
        bar = ("  " + _bar(posts / most), "cyan"), f" {posts}"
        yield Text.assemble(f"{start:%Y-%m-%d %a}", *(bar if posts else ()))


def _bar(share: float) -> str:
    eighths = round(share * _LONGEST_BAR * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]


def _examples(result: Backtest) -> Iterator[Text]:
    if result.hits:
        yield Text("\nThe newest:", "bold")
    for hit in result.hits:
        yield _shown(hit.post, hit.spans)
    if result.near:
        yield Text("\nJust missed:", "bold")
    for miss in result.near:
        yield _shown(miss.post, miss.spans, reason=_reason(miss))


def _reason(miss: NearMiss) -> str:
    return f"  {_FAILED[miss.failure.reason]}{miss.failure.query}"


def _shown(post: StoredPost, spans: Sequence[tuple[int, int]], *, reason: str = "") -> Text:
    """Show a post with what was found; where a terminal cannot colour it, in square brackets."""
    text = Text().append(f"{post.date:%Y-%m-%d %H:%M}  {post.channel_title}  {post.link}\n", "dim")
    if reason:
        text.append(f"{reason}\n", "yellow")
    words, marked = excerpt(post.text, spans)
    end = 0
    for start, stop in marked:
        found = words[start:stop] if console.is_terminal else f"[{words[start:stop]}]"
        text.append(words[end:start]).append(found, "reverse")
        end = stop
    return text.append(words[end:])
