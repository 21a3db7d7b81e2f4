"""The end of the ledger is signed by a key of ours, and stamped by an authority of time; OpenSSL checks both."""

import asyncio
import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.evidence import head_loop
from bot.evidence.calendars import Calendars
from bot.evidence.head_loop import STAMP_EVERY, HeadLoop, is_due
from bot.evidence.signing_key import FILE, KeyFileError, Signer, handover_text, is_signed_by
from bot.evidence.stamps import stamp_head
from bot.store import heads, ledger, readers
from bot.store.database import Database
from bot.store.heads import pem
from tests.evidence.kit import authority, calendar, key_files, make_authority, mode, openssl
from tests.kit_archive import Archive, post
from tests.kit_clock import NOON
from tests.waiting import until


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority") / "tsa"
    make_authority(folder)
    return folder


async def test_openssl_finds_the_signature_of_the_head_good(archive: Archive, tmp_path: Path) -> None:
    signer = Signer(archive.db, tmp_path)
    await archive.follow()
    await archive.live(post(1))
    head = await signer.sign(NOON)
    assert await signer.sign(NOON + timedelta(hours=1)) == head  # nothing was added
    tip = await ledger.tip(archive.db)
    assert (head.sequence, head.hash) == tip
    assert json.loads(head.text)["hash"] == tip.hash.hex()
    assert mode(tmp_path / FILE) == 0o600
    (tmp_path / FILE).chmod(0o644)  # as somebody who copied it left it
    await Signer(archive.db, tmp_path).key(NOON)
    assert mode(tmp_path / FILE) == 0o600
    (key,) = await heads.keys(archive.db)
    (tmp_path / "key.pem").write_text(pem(key.public))
    (tmp_path / "head").write_text(head.text)
    (tmp_path / "signature").write_bytes(head.signature)
    check = ("-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "head", "-sigfile", "signature")
    assert b"Verified Successfully" in openssl(tmp_path, "pkeyutl", *check)


async def test_a_new_key_follows_the_old_one_as_both_have_signed(archive: Archive, tmp_path: Path) -> None:
    signer = Signer(archive.db, tmp_path)
    await archive.follow()
    await archive.live(post(1))
    before = await signer.sign(NOON)
    await signer.rotate(NOON + timedelta(hours=1))
    after = await signer.sign(NOON + timedelta(hours=2))
    old, new = await heads.keys(archive.db)
    assert (before.key_id, after.key_id) == (old.id, new.id)
    text = handover_text(old.public, new.public)
    assert old.handover is None
    assert is_signed_by(old.public, new.handover or b"", text)
    assert is_signed_by(new.public, new.acceptance or b"", text)
    assert is_signed_by(new.public, after.signature, after.text.encode())
    assert not is_signed_by(old.public, after.signature, after.text.encode())
    assert key_files(tmp_path) == [FILE]


@pytest.mark.parametrize("is_written", [True, False], ids=["after it was written down", "before"])
async def test_a_rotation_that_is_cut_off_is_over_or_undone(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_written: bool
) -> None:
    signer = Signer(archive.db, tmp_path)
    old = await signer.key(NOON)

    class CutError(Exception):
        pass

    def cut(*_: object) -> None:
        raise CutError

    monkeypatch.setattr(Signer, "_take_next" if is_written else "_add", cut)
    with pytest.raises(CutError):
        await signer.rotate(NOON)
    monkeypatch.undo()
    key = await Signer(archive.db, tmp_path).key(NOON)
    assert (key.public != old.public) == is_written
    assert key.public == (await heads.keys(archive.db))[-1].public
    assert key_files(tmp_path) == [FILE]


async def test_a_key_that_cannot_be_used_is_named_and_stops_no_alert(archive: Archive, tmp_path: Path) -> None:
    signer = Signer(archive.db, tmp_path)
    await signer.key(NOON)
    earlier = (tmp_path / FILE).read_bytes()
    await signer.rotate(NOON)
    running = asyncio.create_task(HeadLoop(archive.db, tmp_path, [], proxy=None, clock=lambda: NOON).run())
    for content, said in ((earlier, "holds an earlier key"), (b"x", "holds no key of ours")):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(KeyFileError, match=said):
            await signer.sign(NOON)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(KeyFileError, match="cannot be read"):
        await HeadLoop(archive.db, tmp_path, [], proxy=None, clock=lambda: NOON).turn()
    assert not running.done()
    running.cancel()


async def test_two_processes_make_one_key_and_a_rotation_is_not_taken_for_one_that_was_cut_off(
    archive: Archive, tmp_path: Path
) -> None:
    (row,) = await archive.db.fetch_all("PRAGMA database_list")
    other = await Database.open(Path(row["file"]))
    try:
        signers = [Signer(archive.db, tmp_path), Signer(other, tmp_path)]
        await asyncio.gather(*(signer.sign(NOON) for signer in signers * 2))
        assert len(await heads.keys(archive.db)) == 1
        await asyncio.gather(
            *(signer.rotate(NOON) for signer in signers), *(signer.key(NOON) for signer in signers * 5)
        )
    finally:
        await other.close()
    assert [key.handover is None for key in await heads.keys(archive.db)] == [True, False, False]
    assert key_files(tmp_path) == [FILE]


async def test_openssl_finds_the_stamp_of_an_authority_good_and_another_that_fails_holds_nothing_up(
    archive: Archive, tmp_path: Path, tsa: Path
) -> None:
    head = await Signer(archive.db, tmp_path).sign(NOON)
    async with authority(tsa) as good, authority(tsa) as bad:
        bad.status = 503
        stamp = partial(stamp_head, archive.db, head, [good.url, bad.url], proxy=None, now=NOON)
        found, refused = await stamp()
        assert (refused.reply, refused.reason) == (None, "it answered with HTTP 503")
        bad.status = 200
        assert all(each.reply for each in await stamp())
        assert (good.queries, bad.queries) == (1, 2)
    assert found.stamped_at is not None
    (tmp_path / "head").write_text(head.text)
    (tmp_path / "stamp").write_bytes(found.reply or b"")
    check = ("-verify", "-data", "head", "-in", "stamp", "-CAfile", str(tsa / "ca.pem"))
    assert b"OK" in openssl(tmp_path, "ts", *check)


async def test_the_loop_stamps_once_a_day(archive: Archive, tmp_path: Path, tsa: Path) -> None:
    async with authority(tsa) as time:
        loop = HeadLoop(archive.db, tmp_path, [time.url], proxy=None, clock=lambda: archive.now)
        await archive.follow()
        for hours in (0, 1, 2):
            archive.now = NOON + timedelta(hours=hours)
            await archive.live(post(hours + 1))
            await loop.turn()
            await loop.confirm()
        assert time.queries == 1
    assert len(await heads.since(archive.db, 0)) == 3


async def test_the_loop_signs_again_each_time_the_hour_is_over(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(hours=1).total_seconds() == head_loop.SIGN_EVERY
    monkeypatch.setattr(head_loop, "SIGN_EVERY", 0.01)
    await archive.follow()
    running = asyncio.create_task(HeadLoop(archive.db, tmp_path, [], proxy=None, clock=lambda: archive.now).run())
    for number in (1, 2):
        await archive.live(post(number))
        tip = await ledger.tip(archive.db)
        await until(lambda tip=tip: has_head(archive, tip.sequence))
    running.cancel()


async def has_head(archive: Archive, sequence: int) -> bool:
    head = await heads.last(archive.db)
    return head is not None and head.sequence >= sequence


async def test_a_lost_account_has_a_signed_report_of_the_last_day_at_once_and_once(
    archive: Archive, tmp_path: Path
) -> None:
    await archive.follow()
    archive.now = NOON - timedelta(hours=2)
    await archive.live(post(1), post(2))
    archive.now = NOON
    folder = tmp_path / "reports"
    async with calendar() as hanging:
        hanging.hangs = True
        urls = [hanging.url]
        taking = Calendars(archive.db, urls, proxy=None)
        loop = HeadLoop(archive.db, tmp_path, urls, calendars=taking, proxy=None, clock=lambda: archive.now)
        running = [asyncio.create_task(each()) for each in (loop.run, loop.run_stamps)]
        await until(lambda: hanging.connections)
        await archive.db.write(lambda tx: readers.lose(tx, archive.reader_id, "USER_DEACTIVATED_BAN", now=NOON))
        await until(lambda: found(folder, "*.sig"))
        for each in running:
            each.cancel()
        await asyncio.wait(running)
    await loop.turn()
    (path,) = found(folder, "*.json")
    report = json.loads(path.read_text("utf-8"))
    (key,) = await heads.keys(archive.db)
    assert is_signed_by(key.public, path.with_suffix(".sig").read_bytes(), path.read_bytes())
    assert (report["reason"], report["since"]) == ("USER_DEACTIVATED_BAN", "2025-03-09T12:00:00Z")
    (channel,) = report["channels"]
    assert channel["seen_in_that_day"] == {"version": 2}
    assert mode(path) == 0o600


def found(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


@pytest.mark.parametrize(
    ("failed", "stamped", "after", "due"),
    [
        pytest.param(None, None, timedelta(), True, id="never asked"),
        pytest.param(None, timedelta(), timedelta(hours=23), False, id="today"),
        pytest.param(None, timedelta(), STAMP_EVERY, True, id="yesterday"),
        pytest.param(timedelta(), None, timedelta(minutes=30), False, id="it failed just now"),
        pytest.param(timedelta(), None, timedelta(hours=1), True, id="it failed an hour ago"),
        pytest.param(timedelta(days=3), timedelta(), timedelta(days=3, hours=2), False, id="for days"),
        pytest.param(timedelta(days=3), timedelta(), timedelta(days=3, hours=12), True, id="and half a day"),
    ],
)
def test_an_authority_is_asked_each_day_and_less_often_the_longer_it_fails(
    failed: timedelta | None, stamped: timedelta | None, after: timedelta, *, due: bool
) -> None:
    failed_at, stamped_at = (None if span is None else NOON + span for span in (failed, stamped))
    assert is_due(failed_at, stamped_at, NOON + after) == due
