"""The command `import`: store the channels of an export of Telegram Desktop, and print a report."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from bot.cli import cli, console
from bot.cli.output import plain, reading_file
from bot.errors import SettingsError
from bot.models import Clock, Observation, ObservedBy, Post
from bot.pipeline.ingest import Ingest, Result
from bot.settings import Settings, load_settings
from bot.sources import desktop_export
from bot.sources.desktop_message import SkipReason
from bot.store import channels, meta, readers
from bot.store.channels import ResolvedChannel
from bot.store.database import Database

_BATCH = 300  # posts of one transaction, for which a service that runs beside this waits a tenth of a second
_LEFT = "posts that a reader account is about to see on Telegram, where they may raise an alert"


@cli.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="The result.json that was exported, or the folder it is in.")],
    *,
    time_zone: Annotated[
        str | None, typer.Option(help="Where it was exported: old exports name none. Such as Europe/Moscow.")
    ] = None,
) -> None:
    """Store the channels of an export of Telegram Desktop: searchable, without an alert; again is harmless.

    Example: channelwatch import ChatExport_2026-01-31/result.json
    """
    settings = load_settings()
    zone = None if time_zone is None else _zone(time_zone)
    path = file / "result.json" if file.is_dir() else file
    if not path.is_file():
        raise SettingsError(f"there is no file {path}; Telegram Desktop writes one as «machine-readable JSON»")
    report = _Report()
    with path.open("rb") as opened:
        items = desktop_export.read(opened, zone=zone)
        try:
            with reading_file(path.stat().st_size) as reached:
                asyncio.run(_import(settings, items, report, reached=lambda: reached(opened.tell())))
        finally:  # what stands before a damaged place is stored
            report.print()
    if not report.stored:
        console.print("There is no post of a channel in this file.")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # it is looked for as a file
        raise SettingsError(f"--time-zone: no time zone «{name}»; write one such as Europe/Moscow") from None


@dataclass(slots=True, kw_only=True)
class _Report:
    """What became of the messages so far."""

    stored: dict[ResolvedChannel, Counter[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)  # by reason

    def count(self, channel: ResolvedChannel, posts: int, result: Result) -> None:
        """Count a batch of posts of a channel."""
        changed = result.new + result.edited + result.stale + result.left
        tally = self.stored.setdefault(channel, Counter())
        tally["new"] += result.new
        tally["other wordings"] += result.edited + result.stale
        tally["there already"] += posts - changed
        self.left_out[_LEFT] += result.left

    def print(self) -> None:
        """Print a line for each channel, then one for each reason why messages are left out."""
        for channel, tally in self.stored.items():
            title = " ".join(plain(channel.title).split())
            counts = (f"{count:,} {what}" for what, count in tally.items() if count)
            console.print(f"{title}: {', '.join(counts) or 'nothing'}", soft_wrap=True)
        if self.left_out.total():
            console.print(f"Left out: {self.left_out.total():,}")
        for reason, count in self.left_out.most_common():
            if count:
                console.print(f"{count:>9,} {reason}", soft_wrap=True)


async def _import(
    settings: Settings,
    items: Iterable[ResolvedChannel | Post | SkipReason],
    report: _Report,
    *,
    reached: Callable[[], None],
) -> None:
    database = await Database.open(settings.database_path)
    try:
        clock = await meta.clock(database)
        reader_id = await database.write(lambda tx: readers.register(tx, readers.NO_ACCOUNT, clock()))
        batches = _Batches(database, report, reader_id=reader_id, clock=clock)
        try:
            for number, item in enumerate(items):
                await batches.take(item)
                if number % _BATCH == 0:
                    reached()
        finally:
            await batches.finish()
    finally:
        await database.close()


class _Batches:
    """Stores posts by batches of one channel."""

    def __init__(self, database: Database, report: _Report, *, reader_id: int, clock: Clock) -> None:
        self._database = database
        self._ingest = Ingest(database, clock)
        self._clock = clock
        self._reader_id = reader_id
        self._report = report
        self._channel: ResolvedChannel | None = None
        self._posts: list[Post] = []
        self._first: Post | None = None  # of the channel, by its id
        self._last = 0  # the highest id of the channel

    async def take(self, item: ResolvedChannel | Post | SkipReason) -> None:
        """Take a channel, a post of it, or a reason in place of one."""
        if isinstance(item, SkipReason):
            self._report.left_out[item] += 1
        elif isinstance(item, Post):
            self._posts.append(item)
            if len(self._posts) == _BATCH:
                await self.store()
        else:
            await self.finish()
            self._channel = item
            await self._database.write(lambda tx: channels.add_unfollowed(tx, item))

    async def finish(self) -> None:
        """Store the posts that wait; a followed channel is complete from the first of its posts on, if they join."""
        await self.store()
        first, last = self._first, self._last
        self._first, self._last = None, 0
        if first is not None:
            channel_id, low, since = first.channel_id, first.message_id, first.date
            await self._database.write(
                lambda tx: channels.extend_past(tx, channel_id, below=last + 1, low=low, since=since)
            )

    async def store(self) -> None:
        """Store the posts that wait."""
        posts, self._posts = self._posts, []
        if self._channel is None or not posts:
            return
        first = min([*posts, *([self._first] if self._first else [])], key=lambda post: post.message_id)
        self._first, self._last = first, max(self._last, *(post.message_id for post in posts))
        seen = Observation(
            events=tuple(posts), observed_by=ObservedBy.IMPORT, reader_id=self._reader_id, seen_at=self._clock()
        )
        self._report.count(self._channel, len(posts), await self._ingest.store(seen))
