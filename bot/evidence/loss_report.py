"""A signed report as soon as a reader account is lost: how complete each channel was in the day before."""

import json
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from bot.evidence.coverage import channel_coverage
from bot.evidence.moments import iso
from bot.evidence.signing_key import PrivateKey
from bot.runtime.private_files import FOLDER_MODE, write_private
from bot.store import ledger, meta
from bot.store.database import Database
from bot.store.heads import LedgerHead, fingerprint
from bot.store.ledger import LostAccount

log = structlog.get_logger(__name__)

FOLDER = "reports"
SPAN = timedelta(days=1)
_DONE = "loss_reported"  # the sequence of the last loss that has its report


async def write_reports(database: Database, folder: Path, *, head: LedgerHead, key: PrivateKey, now: datetime) -> None:
    """Write a report of each account that was lost since the last one, with its signature beside it."""
    done = await meta.get(database, _DONE)
    for loss in await ledger.lost_accounts(database, after=done if isinstance(done, int) else 0):
        text = json.dumps(await _report(database, loss, head, key, now), ensure_ascii=False, indent=1) + "\n"
        path = folder / FOLDER / f"account-lost-{loss.at:%Y%m%d-%H%M%S}-{loss.sequence}.json"
        path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        write_private(path, text.encode())
        write_private(path.with_suffix(".sig"), key.sign(text.encode()))
        await database.write(partial(meta.put, key=_DONE, value=loss.sequence))
        log.warning("a signed report says how complete the channels were before", file=f"{FOLDER}/{path.name}")


async def _report(
    database: Database, loss: LostAccount, head: LedgerHead, key: PrivateKey, now: datetime
) -> dict[str, object]:
    since = loss.at - SPAN
    seen = await ledger.counts(database, since=since, until=loss.at)
    return {
        "what": "how complete the archive of channelwatch was in the day before a reader account was lost",
        "account": loss.reader_id,
        "reason": loss.reason,
        "since": iso(since),
        "lost_at": iso(loss.at),
        "written_at": iso(now),
        "ledger": {"sequence": head.sequence, "hash": head.hash.hex(), "line_of_the_loss": loss.sequence},
        "key": fingerprint(key.public),
        "channels": [
            {**channel, "seen_in_that_day": seen.get(int(str(channel["id"])), {})}
            for channel in await channel_coverage(database, None, now=now)
        ],
    }
