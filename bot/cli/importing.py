"""The command `import`: store the channels of an export of Telegram Desktop, and print a report."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.locale_options import need_zone
from bot.cli.output import plain, reading_file
from bot.errors import ChannelwatchError, SettingsError
from bot.models import Clock, Observation, ObservedBy, Post
from bot.pipeline.ingest import Ingest, Result
from bot.settings import Settings, load_settings
from bot.sources import desktop_export
from bot.sources.desktop_export import ExportedChannel
from bot.sources.desktop_message import SkipReason
from bot.store import channels, marks, meta
from bot.store.channels import ResolvedChannel
from bot.store.database import Database
from bot.text.references import normalise_reference

Item = ExportedChannel | Post | SkipReason

_NAMED = 5  # channels that are named in a line
_BATCH = 300  # posts of one transaction, for which a service that runs beside this waits a tenth of a second
_LEFT = "posts that a reader account is about to see on Telegram, where they may raise an alert"


@cli.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="The exported result.json, or its folder.")],
    *,
    time_zone: Annotated[
        str | None, typer.Option(help="Time zone of the export, such as Europe/Moscow: old exports do not name it.")
    ] = None,
    username: Annotated[
        list[str] | None,
        typer.Option(
            help="The channel's public name, which exports leave out: @name; for one of several, «Title=@name»."
        ),
    ] = None,
) -> None:
    """Import the channels of a Telegram Desktop export: searchable, without alerts; running it again is harmless.

    Example: channelwatch import ChatExport_2026-01-31/result.json
    """
    settings = load_settings()
    zone = None if time_zone is None else need_zone(time_zone, "--time-zone")
    names = _names(username or [])
    path = file / "result.json" if file.is_dir() else file
    if not path.is_file():
        raise SettingsError(f"there is no file {path}; Telegram Desktop writes one as «machine-readable JSON»")
    report = _Report()
    with path.open("rb") as opened:
        items = desktop_export.read(opened, zone=zone)
        try:
            with reading_file(path.stat().st_size) as reached:
                asyncio.run(_import(settings, _named(items, names), report, reached=lambda: reached(opened.tell())))
        finally:  # what stands before a damaged place is stored
            report.print()
    if (undated := report.left_out[SkipReason.UNDATED]) and zone is None:
        are = "message is" if undated == 1 else "messages are"
        raise ChannelwatchError(
            f"{undated:,} {are} dated without a time zone, as in old exports: import it again with --time-zone and "
            "where it was exported, such as --time-zone Europe/Moscow"
        )
    if not report.stored:
        console.print("This file contains no channel posts.")


def _names(options: Iterable[str]) -> dict[str, str]:
    """Return the public names that were typed, by the channel's folded title or id; "" stands for the only one."""
    names = {}
    for option in options:
        of, _, typed = option.rpartition("=")
        reference = normalise_reference(typed) or ""
        if not reference.startswith("@"):
            raise SettingsError(f"--username: «{typed}» is not a public name; write one such as @name")
        names[of.strip().casefold()] = reference.removeprefix("@")
    return names


def _named(items: Iterable[Item], names: Mapping[str, str]) -> Iterator[Item]:
    """Yield what an export holds, its channels with the public names that were typed."""
    for item in items:
        if isinstance(item, ExportedChannel):
            if "" in names and not item.is_alone:
                raise SettingsError("--username: this export holds several chats; say which one: «Title=@name»")
            keys = ("", str(item.id), item.title.casefold())
            yield replace(item, username=next((names[key] for key in keys if key in names), None))
        else:
            yield item


@dataclass(slots=True, kw_only=True)
class _Report:
    """What became of the messages so far."""

    stored: dict[ResolvedChannel, Counter[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)  # by reason
    nameless: list[ExportedChannel] = field(default_factory=list)  # public ones that are not known by name

    def count(self, channel: ResolvedChannel, posts: int, result: Result) -> None:
        """Count a batch of posts of a channel."""
        changed = result.new + result.edited + result.stale + result.left
        tally = self.stored.setdefault(channel, Counter())
        tally["new"] += result.new
        tally["other versions"] += result.edited + result.stale
        tally["already stored"] += posts - changed
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
        if self.nameless:
            titles = ", ".join(f"«{plain(channel.title)}»" for channel in self.nameless[:_NAMED])
            more = f" and {len(self.nameless) - _NAMED} more" if len(self.nameless) > _NAMED else ""
            first = self.nameless[0]
            example = "@name" if first.is_alone else f"'{plain(first.title)}=@name'"
            console.print(
                f"An export leaves out the public name of {titles}{more}: import it again with --username {example}, "
                "and links to posts open for everybody.",
                soft_wrap=True,
            )


async def _import(
    settings: Settings,
    items: Iterable[Item],
    report: _Report,
    *,
    reached: Callable[[], None],
) -> None:
    database = await Database.open(settings.database_path)
    try:
        clock = await meta.clock(database)
        batches = _Batches(database, report, clock=clock)
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

    def __init__(self, database: Database, report: _Report, *, clock: Clock) -> None:
        self._database = database
        self._ingest = Ingest(database, clock)
        self._clock = clock
        self._report = report
        self._channel: ResolvedChannel | None = None
        self._posts: list[Post] = []
        self._first: Post | None = None  # of the channel, by its id
        self._last = 0  # the highest id of the channel

    async def take(self, item: Item) -> None:
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
            known = await channels.get(self._database, item.id)
            if item.is_public and known is not None and known.username is None:
                self._report.nameless.append(item)

    async def finish(self) -> None:
        """Store the posts that wait; a followed channel is complete from the first of its posts on, if they join."""
        await self.store()
        first, last = self._first, self._last
        self._first, self._last = None, 0
        if first is not None:
            channel_id, low, since = first.channel_id, first.message_id, first.date
            await self._database.write(
                lambda tx: marks.extend_past(tx, channel_id, below=last + 1, low=low, since=since)
            )

    async def store(self) -> None:
        """Store the posts that wait."""
        posts, self._posts = self._posts, []
        if self._channel is None or not posts:
            return
        first = min([*posts, *([self._first] if self._first else [])], key=lambda post: post.message_id)
        self._first, self._last = first, max(self._last, *(post.message_id for post in posts))
        seen = Observation(events=tuple(posts), observed_by=ObservedBy.IMPORT, reader_id=None, seen_at=self._clock())
        self._report.count(self._channel, len(posts), await self._ingest.store(seen))
