"""The command `stats`: one of the charts of the chat, as lines and as a file."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from bot.charts import jobs
from bot.charts.stats import PERIODS, ChartKind, ChartRequest, show
from bot.cli import cli, console
from bot.cli.locale_options import need_language, need_zone
from bot.cli.output import plain, whole_file
from bot.errors import SettingsError
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.counts import Selection
from bot.models.outgoing import Theme
from bot.models.people import EVERYTHING
from bot.settings import load_settings
from bot.store import chats, meta, topics
from bot.store.channel_groups import Directory, Place, place_or_topic
from bot.store.database import Reader, open_read_only
from bot.store.topics import Topic


@cli.command(name="stats")
def stats_(  # noqa: PLR0913 - what a chart is of, and how it looks
    chart: Annotated[ChartKind, typer.Argument(help="What to look at.")] = ChartKind.DAYS,
    *,
    png: Annotated[Path | None, typer.Option(help="Write the chart to this file.")] = None,
    days: Annotated[int, typer.Option(help=f"One of {', '.join(map(str, PERIODS))}.")] = 7,
    of: Annotated[str, typer.Option(help="Only this channel group, channel or topic.")] = "",
    dark: Annotated[bool, typer.Option("--dark", help="On a dark ground.")] = False,
    language: Annotated[str, typer.Option(help="Of the words: en, ru, uk.")] = "en",
    zone: Annotated[str, typer.Option(help="Whose days and hours, such as Europe/Moscow.")] = "UTC",
) -> None:
    """Count posts and alerts of all chats by day, hour, topic or channel, delays or deletions; as lines and as a chart.

    Example: channelwatch stats channels --days 30 --of Regulators --png channels.png
    """
    if days not in PERIODS:
        raise typer.BadParameter(f"write one of {', '.join(map(str, PERIODS))}", param_hint="--days")
    need_language(language)
    need_zone(zone)
    asked = ChartRequest(kind=chart, days=days, of=of)
    asyncio.run(_show(asked, png, Theme.DARK if dark else Theme.LIGHT, language, zone))


async def _show(asked: ChartRequest, png: Path | None, theme: Theme, language: str, zone: str) -> None:
    path = load_settings().database_path
    os.environ.update(jobs.drawing_environment(path))
    async with open_read_only(path) as db:
        now = (await meta.clock(db))()
        locale = Locale(t=translator(language), time_zone=zone, now=now)
        channel_ids, topic = await _part(db, asked.of) if asked.of else (None, None)
        selection = Selection(
            chats=tuple(chat.id for chat in await chats.everyone(db)),
            viewer=EVERYTHING,
            channel_ids=channel_ids,
            topic=topic,
            since=asked.since(locale),
            until=now,
            time_zone=zone,
            step=asked.step,
        )
        chart, text = show(asked, await jobs.count(db, asked.kind, selection, drawn=png is not None), locale)
        console.print(plain(text.build()[0].rstrip()), markup=False, soft_wrap=True)
        if png is not None:
            try:
                with whole_file(png) as file:
                    file.write(await jobs.draw(db, chart, theme))
            except OSError as error:
                raise SettingsError(f"{png} cannot be written: {error.strerror}") from error


async def _part(db: Reader, name: str) -> tuple[tuple[int, ...] | None, str | None]:
    """Return the channels that a name means, or the topic. Raises SettingsError where it means neither."""
    match place_or_topic((await Directory.load(db)).find(name), await topics.find(db, name)):
        case Topic() as topic:
            return None, topic.name
        case Place() as place:
            return place.channel_ids, None
        case _:
            raise SettingsError(f"There is no group, topic or channel «{name}».")
