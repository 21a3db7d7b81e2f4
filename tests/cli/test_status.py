"""`status`: the figures of a store that may be open in another process."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot import __version__
from bot.cli.status import quantile
from bot.runtime.clock import utc_now
from bot.store import channels, marks, readers
from bot.store.channels import Access
from bot.store.database import Transaction
from tests.kit_archive import open_archive, post
from tests.shell import typed


async def test_the_figures_are_one_line_each(tmp_path: Path) -> None:
    now = utc_now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    async with open_archive(tmp_path) as archive:
        archive.now = now
        for number, title in enumerate(("Вести", "Хроника", "Закрытый\x1b[31m")):
            await archive.follow(1001 + number, title=title, since=today - timedelta(days=9))
        await archive.live(post(2, date=now), post(9, date=now - timedelta(days=2)))
        await archive.sweep(post(10, date=now))

        async def job(tx: Transaction) -> None:
            for number in (1001, 1002):
                await marks.set_mark(tx, number, confirmed_id=2, seen_pts=1, now=now)
            await marks.set_verified(tx, 1002, below=None, now=now)
            await channels.set_access(tx, archive.reader_id, 1003, Access.LOST, reason="CHANNEL_PRIVATE", now=now)
            await readers.count_requests(tx, archive.reader_id, {"GetHistory": 1200}, now)
            await readers.put_flood_wait(tx, archive.reader_id, "JoinChannel", now + timedelta(hours=2))

        await archive.db.write(job)
    code, out, err = await typed(tmp_path / "data", "status")
    assert (code, err) == (0, "")
    shown = {line[:14].rstrip(): line[14:] for line in out.splitlines()}
    moment = f"{now:%Y-%m-%d %H:%M} UTC"
    assert shown["Service"].startswith("NOT healthy: it has given no sign of life")
    assert shown["Channels"] == "3: 2 joined, 1 lost"
    assert shown["Checked"] == f"2 of 3 up to {moment} or later"
    assert shown["Verified"] == f"1 of 3; longest ago «Хроника», {moment}"
    assert shown["Gaps"] == "1 being filled, the largest in «Вести»"
    assert shown["Posts"] == f"3 stored, 2 of today; the latest came at {moment}"
    assert shown["Stored"] == "half within 0 s, 95% within 0 s of being published, today"
    assert shown["Not pushed"] == "1 of today's 2 in joined channels; most in «Вести»: 1 of 2"
    assert shown["Alerts"] == "0 sent today, 0 waiting, 0 refused by Telegram today"
    assert shown["Requests"] == "1,200 to Telegram in the last hour"
    assert shown["Pause"] == f"JoinChannel until {now + timedelta(hours=2):%Y-%m-%d %H:%M} UTC, as Telegram asks"
    assert shown["Versions"].startswith(f"channelwatch {__version__}, Telethon 1.45")


@pytest.mark.parametrize(("count", "share", "found"), [(4, 0.5, 2.0), (1, 0.95, 0.0), (100, 0.95, 95.0)])
def test_quantiles_are_values_that_were_measured(count: int, share: float, found: float) -> None:
    assert quantile(tuple(map(float, range(count))), share) == found
