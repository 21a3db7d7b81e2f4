"""The command `export`: stored posts as a file for other tools, written as they are read."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from bot.cli import cli
from bot.cli.bundles import make_bundle
from bot.cli.dossiers import write_dossier
from bot.cli.export_posts import first_moment, message_pages, named_search
from bot.cli.output import ended_by_reader, opened, reading_back
from bot.cli.search import narrowed
from bot.dossier.formats import DossierFormat
from bot.dossier.news import make_news
from bot.dossier.syndication import NewsHeading, SyndicationFormat
from bot.dossier.table import TableFormat, row_of, writer
from bot.errors import SettingsError
from bot.locales import translator
from bot.runtime.clock import utc_now
from bot.runtime.priority import give_way_from_outside
from bot.search.filters import FilterError, Named, Typed, read
from bot.settings import load_settings
from bot.store import posts
from bot.store.database import open_read_only


class ExportFormat(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    JSONL = "jsonl"
    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    ZIP = "zip"
    RSS = "rss"
    ATOM = "atom"
    JSON_FEED = "jsonfeed"


@cli.command()
def export(  # noqa: PLR0913 - each option narrows what is written, or says how
    query: Annotated[str, typer.Argument(help="As in the chat; without one all messages are written.")] = "",
    *,
    how: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="html, pdf, xlsx and zip (pictures) are of a case; rss, atom and jsonfeed of the newest posts.",
        ),
    ] = ExportFormat.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; without one it is standard output.")
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Only of this channel: @name, or words of a title; may be repeated."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="What this topic finds, in place of a query.")] = None,
    since: Annotated[str | None, typer.Option(help="From when: 7d, 12h, 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, including that day (UTC).")] = None,
    versions: Annotated[bool, typer.Option("--versions", help="A row for each version of an edited message.")] = False,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="A folder to be made: all that proves these posts, for strangers.")
    ] = None,
    capture: Annotated[
        bool, typer.Option("--capture", help="With --evidence: also the public page of each post, as it is now.")
    ] = False,
    case: Annotated[
        str | None, typer.Option("--case", help="The posts of this case, with all versions: its dossier.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of a dossier: en, ru or uk.")] = "en",
    zone: Annotated[str, typer.Option(help="Of a dossier: its time zone, such as Europe/Berlin.")] = "UTC",
) -> None:
    """Write stored messages with columns that 4CAT, DuckDB and spreadsheets open; docs/export.md lists them.

    With --evidence it makes a folder instead, which strangers can check without this program: its README says how.

    With --case it writes the dossier of a case, to read (html), to print (pdf), or as a table.

    As rss, atom or jsonfeed it writes the newest 100 posts for a feed reader.

    Example: channelwatch export "сбой|outage" --since 30d --format csv -o outages.csv
    """
    give_way_from_outside()
    now, what = utc_now(), how.value
    _check(how, evidence=evidence, case=case, topic=topic, capture=capture)
    with _refusals():
        typed = read(query, now=now)
        channels = typed.filters.channels + tuple(Named(text=name, position=0) for name in channel or ())
        filters = narrowed(replace(typed.filters, channels=channels), since, until, now=now)
        asked = replace(typed, filters=filters)
        if evidence is not None:
            asyncio.run(make_bundle(asked, evidence, case=case, capture=capture, now=now))
        elif case is not None:
            asyncio.run(write_dossier(case, DossierFormat(what), output, language=language, zone=zone, now=now))
        else:
            with ended_by_reader(), opened(output) as out:
                if what in list(SyndicationFormat):
                    asyncio.run(_write_news(asked, topic, SyndicationFormat(what), out, language=language))
                else:
                    asyncio.run(_write_table(asked, topic, TableFormat(what), out, versions=versions, now=now))


def _check(how: ExportFormat, *, evidence: Path | None, case: str | None, topic: str | None, capture: bool) -> None:
    """Raise SettingsError for options that do not go together."""
    if evidence is not None and topic is not None:
        raise SettingsError("--topic and --evidence cannot be combined: write the query of the topic")
    if evidence is not None:
        return
    if capture:
        raise SettingsError("--capture goes with --evidence FOLDER")
    if case is not None and how.value not in list(DossierFormat):
        raise SettingsError(f"--case and --format {how} cannot be combined")
    if case is None and how in {ExportFormat.HTML, ExportFormat.PDF, ExportFormat.XLSX, ExportFormat.ZIP}:
        raise SettingsError(f"--format {how} is of a case: add --case NAME, or use csv or jsonl")


@contextmanager
def _refusals() -> Iterator[None]:
    """Say of a filter that is refused where it was written. Raises SettingsError."""
    try:
        yield
    except FilterError as error:
        raise SettingsError(f"{'' if error.position else '--channel: '}{error}") from None


async def _write_news(typed: Typed, topic: str | None, how: SyndicationFormat, out: TextIO, *, language: str) -> None:
    """Write the newest posts for readers of news."""
    async with open_read_only(load_settings().database_path) as database:
        name, asked, scope = await named_search(database, typed, topic)
        heading = NewsHeading(id=name, name=name, language=translator(language).language)
        out.write((await make_news(database, asked, scope, heading, how)).decode())


async def _write_table(  # noqa: PLR0913 - likewise
    typed: Typed, topic: str | None, how: TableFormat, out: TextIO, *, versions: bool, now: datetime
) -> None:
    async with open_read_only(load_settings().database_path) as database:
        _, asked, scope = await named_search(database, typed, topic)
        write, count = writer(how, out), 0
        with reading_back(await first_moment(database, scope), now) as reached:
            async for page in message_pages(database, asked, scope, reached):
                every = await posts.every_version(database, page) if versions else page
                for post in every:
                    write(row_of(post))
                count += len(every)
    sys.stderr.write(f"{count} rows.\n")
