"""Bundles of evidence, as `export --evidence` makes them: the ledger is signed and stamped for each."""

import sys
from datetime import datetime
from pathlib import Path

from bot.cli.export_posts import Keys, first_moment, message_keys
from bot.cli.output import reading_back, writing_messages
from bot.errors import SettingsError
from bot.locales import translator
from bot.models.captures import Capture
from bot.models.people import EVERYTHING
from bot.rendering.captures import capture_sentence
from bot.search.filters import Typed
from bot.search.searcher import scope_of
from bot.settings import Settings, load_settings
from bot.store import evidence, ledger, meta, proofs
from bot.store.database import Database, open_existing, open_read_only
from bot.store.heads import LedgerHead


async def make_bundle(typed: Typed, place: Path, *, case: str | None, capture: bool, now: datetime) -> None:
    """Make a bundle, once the ledger is signed and stamped for it."""
    from bot.evidence.bundle import Bundle, BundleRequest  # noqa: PLC0415 - most exports need none of it
    from bot.evidence.signing_key import Signer  # noqa: PLC0415
    from bot.evidence.stamps import authorities_of, stamp_head  # noqa: PLC0415
    from bot.runtime.web import web_proxy  # noqa: PLC0415

    settings = load_settings()
    async with (
        open_read_only(settings.database_path) as database,
        open_existing(settings.database_path) as writing,
    ):
        bundle = Bundle(place, database, writing, settings.media_path)
        scope = await scope_of(database, typed.filters, EVERYTHING)
        signer = Signer(writing, settings.data_dir)
        await signer.key(now)  # it is made now, if there is none: that is a line of the ledger
        if capture:
            await _capture(settings, message_keys(database, typed, case, scope, lambda _: None), writing)
        await database.fetch_all("BEGIN")  # what comes from now on is of the next bundle
        head = await signer.sign(now, await ledger.tip(database))
        key = await signer.key(now)
        asked, proxy = authorities_of(settings), web_proxy(settings)
        for stamp in await stamp_head(writing, head, asked, proxy=proxy, now=now):
            if stamp.reply is None:
                sys.stderr.write(f"{stamp.authority} did not stamp the ledger: {stamp.reason}\n")
        await _prove(settings, writing, head, now)
        request = BundleRequest(
            query=typed.query,
            case=case,
            channels=tuple(named.text for named in typed.filters.channels),
            since=typed.filters.since,
            until=typed.filters.until,
        )
        with reading_back(await first_moment(database, scope), now) as reached:
            count = await bundle.collect(message_keys(database, typed, case, scope, reached))
        with writing_messages(count) as show:
            made = await bundle.write(request, show, head=head, key=key)
    sys.stderr.write(
        f"{made.versions} versions of {made.messages} messages, {made.files} files, {made.stamps} stamps: {place}\n"
        f"{_proofs_in_words(made.proofs, made.pending)}"
        f"How to check it: {place / 'data' / 'README.txt'}\n"
    )


async def _prove(settings: Settings, writing: Database, head: LedgerHead, now: datetime) -> None:
    """Have calendars of OpenTimestamps take a head, and complete the proofs of earlier ones as far as they can."""
    from bot.evidence.calendars import Calendars, warning_of  # noqa: PLC0415 - as above

    calendars = Calendars.of(settings, writing)
    if warning := warning_of(settings):
        sys.stderr.write(f"{warning}\n")
    promised = await proofs.promised(writing)
    proof = await calendars.submit(head, now)
    if proof is not None and proof.reason is not None:
        sys.stderr.write(f"OpenTimestamps: {proof.reason}\n")
    await calendars.upgrade([proof for proof in promised if proof.block is None], now)


def _proofs_in_words(count: int, pending: int) -> str:
    if not count:
        return ""
    return f"{count} proofs of OpenTimestamps{f', {pending} pending: these prove nothing yet' if pending else ''}\n"


async def _capture(settings: Settings, found: Keys, writing: Database) -> None:
    """Capture the public pages of messages as they are now."""
    from bot.evidence import capture  # noqa: PLC0415 - as above
    from bot.sources.pages.captures import PageCaptures  # noqa: PLC0415 - as above
    from bot.sources.pages.fetcher import Pages  # noqa: PLC0415 - as above
    from bot.store.blobs import Blobs  # noqa: PLC0415 - as above

    keys: list[tuple[int, int]] = []
    async for page in found:
        keys += await evidence.with_albums(writing, page)
        if len(keys) > capture.MOST:
            raise SettingsError(f"--capture: these are more than {capture.MOST} messages; narrow them, or leave it out")
    clock = await meta.clock(writing)
    pages = Pages.open(settings, writing, clock)

    def show(each: Capture) -> None:
        sentence = capture_sentence(each, "{:%Y-%m-%d %H:%M} UTC".format, translator("en"))
        sys.stderr.write(f"{each.channel_id}/{each.message_id}: {sentence}\n")

    try:
        taker = PageCaptures(writing, pages, Blobs(settings.media_path), clock=clock)
        await capture.take(writing, taker, list(dict.fromkeys(keys)), clock=clock, show=show)
    finally:
        await pages.close()
