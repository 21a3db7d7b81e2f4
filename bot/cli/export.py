"""The command `export`: stored posts as a file for other tools, written as they are read."""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO
from zoneinfo import available_timezones

import typer

from bot.cli import cli
from bot.cli.output import ended_by_reader, reading_back, text_output
from bot.cli.queries import compile_queries
from bot.cli.search import every_page, narrowed
from bot.dossier.making import DossierFormat, make
from bot.dossier.table import TableFormat, row_of, writer
from bot.errors import SettingsError
from bot.locales import LANGUAGES
from bot.models import StoredPost
from bot.models.people import EVERYTHING
from bot.runtime.clock import utc_now
from bot.search.filters import FilterError, Named, Typed, read
from bot.search.searcher import scope_of
from bot.settings import load_settings
from bot.store import cases, ledger, posts
from bot.store.cases import Case
from bot.store.database import Database, Reader, open_read_only
from bot.store.fulltext import Scope

_AT_ONCE = 500  # messages


@cli.command()
def export(  # noqa: PLR0913 - each option narrows what is written, or says how
    query: Annotated[str, typer.Argument(help="As in the chat; without one all messages are written.")] = "",
    *,
    how: Annotated[
        DossierFormat, typer.Option("--format", help="What the file is; html, pdf and xlsx are of a case.")
    ] = DossierFormat.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; without one it is standard output.")
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Only of this channel: @name, or words of a title; may be repeated."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From when: 7d, 12h, 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, including that day (UTC).")] = None,
    versions: Annotated[bool, typer.Option("--versions", help="A row for each version of an edited message.")] = False,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="A folder to be made: all that proves these posts, for strangers.")
    ] = None,
    case: Annotated[
        str | None, typer.Option("--case", help="The posts of this case, with all versions: its dossier.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of a dossier: en, ru or uk.")] = "en",
    zone: Annotated[str, typer.Option(help="Of a dossier: its time zone, such as Europe/Berlin.")] = "UTC",
) -> None:
    """Write stored messages with columns that 4CAT, DuckDB and spreadsheets open; the README lists them.

    With --evidence it makes a folder after BagIt instead, which anybody can check without this program: its README says
    what it proves, and how. The ledger is signed and stamped for it.

    With --case it writes the dossier of a case, to read (html), to print (pdf), or as a table.

    Example: channelwatch export "сбой|outage" --since 30d --format csv -o outages.csv
    """
    now = utc_now()
    try:
        typed = read(query, now=now)
        channels = typed.filters.channels + tuple(Named(text=name, position=0) for name in channel or ())
        filters = narrowed(replace(typed.filters, channels=channels), since, until, now=now)
        if evidence is not None:
            asyncio.run(_bundle(replace(typed, filters=filters), evidence, case=case, now=now))
            return
        if case is not None:
            asyncio.run(_dossier(case, how, output, language=language, zone=zone, now=now))
            return
        if how.value not in list(TableFormat):
            raise SettingsError(f"--format {how} is of a case: add --case NAME, or use csv or jsonl")
        with ended_by_reader(), _opened(output) as out:
            asked, table = replace(typed, filters=filters), TableFormat(how.value)
            asyncio.run(_export(asked, table, out, versions=versions, now=now))
    except FilterError as error:
        raise SettingsError(f"{'' if error.position else '--channel: '}{error}") from None


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """Yield what is written to: standard output, or a file that appears once it is whole."""
    if path is None:
        yield text_output()
        return
    with _file(path) as file, TextIOWrapper(file, "utf-8", errors="backslashreplace", newline="") as out:
        yield out


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file of ours alone, which takes its name once it is whole."""
    part = path.with_name(f"{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


async def _export(typed: Typed, how: TableFormat, out: TextIO, *, versions: bool, now: datetime) -> None:
    async with open_read_only(load_settings().database_path) as database:
        scope = await scope_of(database, typed.filters, EVERYTHING)
        write, count = writer(how, out), 0
        with reading_back(scope.since, now) as reached:
            async for page in _pages(database, typed, scope, reached):
                every = await posts.every_version(database, page) if versions else page
                for post in every:
                    write(row_of(post))
                count += len(every)
    sys.stderr.write(f"{count} rows.\n")


async def _dossier(  # noqa: PLR0913 - likewise
    name: str, how: DossierFormat, output: Path | None, *, language: str, zone: str, now: datetime
) -> None:
    """Write the dossier of a case."""
    if language not in LANGUAGES:
        raise SettingsError(f"--language {language}: there are {', '.join(LANGUAGES)}")
    if zone not in available_timezones():
        raise SettingsError(f"--zone {zone}: it is none; one is called Europe/Berlin, for example")
    settings = load_settings()
    async with open_read_only(settings.database_path) as database:
        case = await _case(database, name)
        made = await make(
            database,
            case.id,
            how,
            folder=settings.media_path,
            viewer=EVERYTHING,
            language=language,
            time_zone=zone,
            now=now,
        )
    assert made is not None  # noqa: S101 - it was there a moment ago
    place = output or (None if not sys.stdout.isatty() else Path(made.name))
    if place is None:
        with ended_by_reader():
            sys.stdout.buffer.write(made.content)
        return
    with _file(place) as out:
        out.write(made.content)
    sys.stderr.write(f"{place}: {len(made.content)} bytes, SHA-256 {hashlib.sha256(made.content).hexdigest()}\n")


async def _case(database: Reader, name: str) -> Case:
    """Return the case of a name. Raises SettingsError where there is none."""
    case = await cases.find(database, name)
    if case is None:
        raise SettingsError(f"--case: there is no case «{name}»; /cases in the chat lists them")
    return case


async def _bundle(typed: Typed, place: Path, *, case: str | None, now: datetime) -> None:
    """Make a bundle, once the ledger is signed and stamped for it."""
    from bot.evidence.bundle import Bundle, BundleRequest  # noqa: PLC0415 - most exports need none of it
    from bot.evidence.signing import Signer  # noqa: PLC0415
    from bot.evidence.stamps import Stamper  # noqa: PLC0415
    from bot.runtime.web import web_proxy  # noqa: PLC0415

    settings = load_settings()
    async with open_read_only(settings.database_path) as database, _writing(settings.database_path) as writing:
        scope = await scope_of(database, typed.filters, EVERYTHING)
        signer = Signer(writing, settings.data_dir)
        key = await signer.key(now)
        await database.fetch_all("BEGIN")  # what comes from now on is of the next bundle
        head = await signer.sign(now, await ledger.tip(database))
        for stamp in await Stamper(writing, settings.authorities, proxy=web_proxy(settings)).stamp(head, now):
            if stamp.reply is None:
                sys.stderr.write(f"{stamp.authority} did not stamp the ledger: {stamp.reason}\n")
        request = BundleRequest(
            query=typed.query,
            case=case,
            channels=tuple(named.text for named in typed.filters.channels),
            since=typed.filters.since,
            until=typed.filters.until,
        )
        with reading_back(scope.since, now) as reached:
            pages = _of_case(database, case) if case else _keys(_pages(database, typed, scope, reached))
            bundle = Bundle(place, database, writing, settings.media_path)
            made = await bundle.write(pages, request, head=head, key=key)
    sys.stderr.write(
        f"{made.versions} versions of {made.messages} messages, {made.files} files, {made.stamps} stamps: {place}\n"
        f"How to check it: {place / 'data' / 'README.txt'}\n"
    )


@asynccontextmanager
async def _writing(path: Path) -> AsyncIterator[Database]:
    database = await Database.open(path)
    try:
        yield database
    finally:
        await database.close()


async def _of_case(database: Reader, name: str) -> AsyncIterator[list[tuple[int, int]]]:
    """Yield the posts of a case. Raises SettingsError where there is none of this name."""
    case = await _case(database, name)
    yield [(post.channel_id, post.message_id) for post in await cases.posts_of(database, case.id)]


async def _keys(pages: AsyncIterator[Sequence[StoredPost]]) -> AsyncIterator[list[tuple[int, int]]]:
    async for page in pages:
        yield [(post.channel_id, post.message_id) for post in page]


async def _pages(
    database: Reader, typed: Typed, scope: Scope, reached: Callable[[datetime], None]
) -> AsyncIterator[Sequence[StoredPost]]:
    """Yield messages, newest first, a few hundred at a time, and say how far back they are."""
    if typed.query:
        asked = compile_queries(None, typed.query)["query"]
        async for found in every_page(database, asked, scope):
            yield [hit.post for hit in found.hits]
            if found.reached or found.hits:
                reached(found.reached or found.hits[-1].post.date)
        return
    before: int | None = None
    while page := await posts.messages(
        database, channel_ids=scope.channel_ids, limit=_AT_ONCE, before=before, since=scope.since, until=scope.until
    ):
        yield page
        reached(page[-1].date)
        before = page[-1].id
