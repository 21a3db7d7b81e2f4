"""Signs the ledger each hour, and has the head stamped each day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import structlog

from bot.evidence.countersigning import countersign, post_head
from bot.evidence.loss_report import write_reports
from bot.evidence.signing import KeyFileError, Signer
from bot.evidence.stamps import Stamper
from bot.models import Clock
from bot.runtime.proxies import Proxy
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.runtime.web import web_proxy
from bot.settings import Settings
from bot.store import heads
from bot.store.database import Database, Subject
from bot.store.heads import HeadStamp

log = structlog.get_logger(__name__)

SIGN_EVERY = 3600.0  # s
STAMP_EVERY = timedelta(days=1)
TRY_AGAIN = timedelta(minutes=55), timedelta(hours=12)  # after a failure: at first, and at most


def is_due(last: HeadStamp | None, stamped_at: datetime | None, now: datetime) -> bool:
    """Tell whether an authority is to be asked: each day, and after failures in growing steps."""
    since = None if stamped_at is None else now - stamped_at
    if since is not None and since < STAMP_EVERY:
        return False
    if last is None or last.reply is not None:
        return True
    shortest, longest = TRY_AGAIN
    waited = last.tried_at - (stamped_at or last.tried_at) - STAMP_EVERY
    return now - last.tried_at >= max(shortest, min(longest, waited))


class HeadLoop:
    """Signs and stamps for as long as the service runs; a failure is logged and shown by `about`."""

    def __init__(
        self, database: Database, folder: Path, authorities: Sequence[str], *, proxy: Proxy | None, clock: Clock
    ) -> None:
        self._database = database
        self._folder = folder
        self._signer = Signer(database, folder)
        self._authorities = authorities
        self._proxy = proxy
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, database: Database, *, clock: Clock) -> Self:
        """Make one by the settings."""
        return cls(database, settings.data_dir, settings.authorities, proxy=web_proxy(settings), clock=clock)

    async def run(self, beat: Beat = no_beat) -> None:
        """Sign at once, each hour and whenever an account is lost, for ever."""
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
        """Sign the ledger, report what was lost, and have the head stamped where a day has passed."""
        now = self._clock()
        head, key = await self._signer.sign(now), await self._signer.key(now)
        await countersign(self._database, key.public, now=now)
        await self._database.write(partial(post_head, head=head, public=key.public, now=now))
        await write_reports(self._database, self._folder, head=head, key=key, now=now)
        last = await heads.last_stamps(self._database)
        due = [
            url
            for url in self._authorities
            if is_due(last.get(url), await heads.last_stamped(self._database, url), now)
        ]
        for stamp in await Stamper(self._database, due, proxy=self._proxy).stamp(head, now):
            if stamp.reply is None:
                log.warning("an authority did not stamp the ledger", authority=stamp.authority, why=stamp.reason)
