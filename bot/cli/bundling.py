"""Bundles of evidence, as `export --evidence` makes them: the ledger is signed and stamped for each."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

from bot.cli.output import reading_back, writing_messages
from bot.errors import SettingsError
from bot.models.people import EVERYTHING
from bot.search.filters import Typed
from bot.search.searcher import scope_of
from bot.settings import load_settings
from bot.store import evidence, ledger, meta
from bot.store.database import Database, Reader, open_read_only
from bot.store.fulltext import Scope

Keys = AsyncIterator[list[tuple[int, int]]]  # channels and messages, some at a time
Find = Callable[[Reader, Typed, str | None, Scope, Callable[[datetime], None]], Keys]


async def make_bundle(  # noqa: PLR0913 - what to hold, and how to find it
    typed: Typed, place: Path, *, case: str | None, find: Find, capture: bool, now: datetime
) -> None:
    """Make a bundle, once the ledger is signed and stamped for it."""
    from bot.evidence.bundle import Bundle, BundleRequest  # noqa: PLC0415 - most exports need none of it
    from bot.evidence.signing import Signer  # noqa: PLC0415
    from bot.evidence.stamps import Stamper  # noqa: PLC0415
    from bot.runtime.web import web_proxy  # noqa: PLC0415

    settings = load_settings()
    async with (
        AsyncExitStack() as stack,
        open_read_only(settings.database_path) as database,
        _writing(settings.database_path) as writing,
    ):
        bundle = Bundle(place, database, writing, settings.media_path)
        scope = await scope_of(database, typed.filters, EVERYTHING)
        signer = Signer(writing, settings.data_dir)
        key = await signer.key(now)
        if capture:
            found = find(database, typed, case, scope, lambda _: None)
            bundle.take_over(await _captured(stack, found, place, writing))
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
            count = await bundle.collect(find(database, typed, case, scope, reached))
        with writing_messages(count) as show:
            made = await bundle.write(request, show, head=head, key=key)
    sys.stderr.write(
        f"{made.versions} versions of {made.messages} messages, {made.files} files, {made.stamps} stamps: {place}\n"
        f"How to check it: {place / 'data' / 'README.txt'}\n"
    )


async def _captured(stack: AsyncExitStack, found: Keys, place: Path, writing: Database) -> Path:
    """Return a folder with the public pages of messages as they are now, for as long as the stack is entered."""
    from bot.evidence.capture import MOST, CapturedPage, Captures  # noqa: PLC0415 - as above
    from bot.sources.preview.fetcher import Pages  # noqa: PLC0415

    keys: list[tuple[int, int]] = []
    async for page in found:
        keys += await evidence.with_albums(writing, page)
        if len(keys) > MOST:
            raise SettingsError(f"--capture: these are more than {MOST} messages; narrow them, or leave it out")
    clock = await meta.clock(writing)
    pages = Pages.open(load_settings(), writing, clock)
    stack.push_async_callback(pages.close)
    folder = place.with_name(f"{place.name}.captures.part")

    def show(page: CapturedPage) -> None:
        sys.stderr.write(f"{page.channel}/{page.message}: {page.outcome}\n")

    captures = stack.enter_context(Captures(folder, writing, pages, clock=clock))
    await captures.take(list(dict.fromkeys(keys)), show)
    return folder


@asynccontextmanager
async def _writing(path: Path) -> AsyncIterator[Database]:
    database = await Database.open(path)
    try:
        yield database
    finally:
        await database.close()
