"""Signs the ledger each hour, and has the head stamped, and brought into Bitcoin, each day."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import structlog

from bot.evidence.calendars import Calendars, is_late, is_upgrade_due, warning_of
from bot.evidence.countersignatures import countersign, post_head
from bot.evidence.loss_report import write_reports
from bot.evidence.signing_key import KeyFileError, Signer
from bot.evidence.stamps import authorities_of, stamp_head
from bot.models import Clock
from bot.runtime.proxies import Proxy
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.runtime.web import web_proxy
from bot.settings import Settings
from bot.store import heads, proofs
from bot.store.database import Database, Subject

log = structlog.get_logger(__name__)

SIGN_EVERY = 3600.0  # s
STAMP_EVERY = timedelta(days=1)
TRY_AGAIN = timedelta(minutes=55), timedelta(hours=12)  # after a failure: at first, and at most


def is_due(failed_at: datetime | None, stamped_at: datetime | None, now: datetime) -> bool:
    """Tell whether somebody is to be asked: each day, and after failures, the last one at a time, in growing steps."""
    since = None if stamped_at is None else now - stamped_at
    if since is not None and since < STAMP_EVERY:
        return False
    if failed_at is None:
        return True
    shortest, longest = TRY_AGAIN
    waited = failed_at - (stamped_at or failed_at) - STAMP_EVERY
    return now - failed_at >= max(shortest, min(longest, waited))


class HeadLoop:
    """Signs and stamps for as long as the service runs; a failure is logged and shown by `about`."""

    def __init__(  # noqa: PLR0913 - it goes out to many
        self,
        database: Database,
        folder: Path,
        authorities: Sequence[str],
        *,
        calendars: Calendars | None = None,
        proxy: Proxy | None,
        clock: Clock,
    ) -> None:
        self._database = database
        self._folder = folder
        self._signer = Signer(database, folder)
        self._authorities = authorities
        self._calendars = calendars
        self._proxy = proxy
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, database: Database, *, clock: Clock) -> Self:
        """Make one by the settings."""
        if warning := warning_of(settings):
            log.warning(warning)
        calendars, asked = Calendars.of(settings, database), authorities_of(settings)
        return cls(database, settings.data_dir, asked, calendars=calendars, proxy=web_proxy(settings), clock=clock)

    async def run(self, beat: Beat = no_beat) -> None:
        """Sign and report at once, each hour and whenever an account is lost, for ever: nobody else is waited for."""
        changes = self._database.changes
        while True:
            beat(SIGN_EVERY + TURN)
            revision = changes.revision(Subject.LOSSES)
            try:
                await self.turn()
            except KeyFileError as error:
                log.error("the ledger is not signed", reason=str(error))  # noqa: TRY400 - the line says what to do
            await changes.wait(Subject.LOSSES, revision, timeout=SIGN_EVERY)

    async def turn(self) -> None:
        """Sign the ledger, and report what was lost."""
        now = self._clock()
        head, key = await self._signer.sign(now), await self._signer.key(now)
        await write_reports(self._database, self._folder, head=head, key=key, now=now)
        await countersign(self._database, key.public, now=now)
        await self._database.write(partial(post_head, head=head, public=key.public, now=now))

    async def run_stamps(self, beat: Beat = no_beat) -> None:
        """Have the head stamped at once, and look each hour whether that is due again, for ever."""
        while True:
            beat(SIGN_EVERY + TURN)
            with suppress(KeyFileError):  # which is said where it signs
                await self.confirm()
            await asyncio.sleep(SIGN_EVERY)

    async def confirm(self) -> None:
        """Have the head stamped, and brought into Bitcoin, where a day has passed: others may take minutes for it."""
        now = self._clock()
        await self._stamp(now)
        await self._prove(now)

    async def _stamp(self, now: datetime) -> None:
        tries = await heads.last_stamps(self._database)
        failed = {url: stamp.tried_at for url, stamp in tries.items() if stamp.reply is None}
        due = [
            url
            for url in self._authorities
            if is_due(failed.get(url), await heads.last_stamped(self._database, url), now)
        ]
        if not due:
            return
        head = await self._signer.sign(now)
        for stamp in await stamp_head(self._database, head, due, proxy=self._proxy, now=now):
            if stamp.reply is None:
                log.warning("an authority did not stamp the ledger", authority=stamp.authority, why=stamp.reason)

    async def _prove(self, now: datetime) -> None:
        """Submit the head to calendars where a day has passed, and ask for the blocks of earlier ones."""
        if self._calendars is None or not self._calendars.urls:
            return
        last, submitted = await proofs.last(self._database), await proofs.last_submitted(self._database)
        failed_at = last.tried_at if last is not None and last.file is None else None
        if is_due(failed_at, None if submitted is None else submitted.submitted_at, now):
            proof = await self._calendars.submit(await self._signer.sign(now), now)
            if proof is not None and proof.reason is not None:
                log.warning("not all calendars took the head of the ledger", why=proof.reason)
        due = [proof for proof in await proofs.promised(self._database) if is_upgrade_due(proof, now)]
        asked = await self._calendars.upgrade(due, now)
        for proof in asked:
            if proof.block is not None:
                log.info("a calendar says that the head of the ledger is in Bitcoin", block=proof.block)
        late = [proof for proof in asked if proof.block is None and is_late(proof, now)]
        if late:
            log.warning("calendars have brought no block of Bitcoin for days", heads=len(late), why=late[-1].reason)
