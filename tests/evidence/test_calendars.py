"""Heads go into Bitcoin by way of calendars; a calendar of our own answers, and others' code reads the proofs."""

import hashlib
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, LitecoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpHexlify, OpSHA256
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from bot.errors import SettingsError
from bot.evidence import calendars, verify
from bot.evidence.calendars import Calendars, is_upgrade_due
from bot.evidence.head_loop import HeadLoop
from bot.evidence.signing_key import Signer
from bot.runtime.proxies import Proxy, ProxyKind
from bot.settings import load_settings
from bot.store import heads, proofs
from bot.store.proofs import HeadProof
from tests.evidence.kit import Calendar, calendar, written
from tests.kit_archive import Archive, open_archive, post
from tests.kit_clock import NOON
from tests.shell import typed

HOUR = timedelta(hours=1)


def others_read(file: bytes) -> DetachedTimestampFile:
    return DetachedTimestampFile.deserialize(BytesDeserializationContext(file))


async def test_a_head_is_pending_until_a_block_holds_it_and_the_library_reads_the_proof(tmp_path: Path) -> None:
    async with calendar() as good, calendar() as bad:
        bad.status = 503
        async with open_archive(tmp_path) as archive:
            loop = loop_of(archive, tmp_path, [good, bad])
            await archive.follow()
            await archive.live(post(1))
            await loop.confirm()
            head = await heads.last(archive.db)
            assert head is not None
            digest = hashlib.sha256(head.text.encode()).digest()
            proof = await proof_of(archive)
            assert (proof.block, proof.promises) == (None, 1)
            assert proof.reason == f"{bad.url}: it answered with HTTP 503"
            assert [len(body) for body in good.submitted] == [32]
            assert digest not in good.submitted  # a blinded hash
            assert others_read(proof.file or b"").file_digest == digest
            archive.now = NOON + HOUR
            await loop.confirm()
            assert (await proof_of(archive)).block is None
            assert [path for path in good.asked if path == "/digest"] == ["/digest"]
            _, said, _ = await typed(tmp_path / "data", "about")
            assert "waiting for Bitcoin since 10 Mar 2025, 12:00 UTC: 1. That proves nothing yet." in said

            root = good.mine(900_000)
            archive.now = NOON + 2 * HOUR
            await loop.confirm()
            proof = await proof_of(archive)
            assert (proof.block, proof.promises, proof.reason) == (900_000, 0, None)
            ((message, attested),) = others_read(proof.file or b"").timestamp.all_attestations()
            assert (message[::-1].hex(), attested) == (root, BitcoinBlockHeaderAttestation(900_000))
            assert verify.attestations(proof.file or b"", digest) == [(verify.BITCOIN, "900000", message)]
            archive.now = NOON + 3 * HOUR
            count = len(good.asked)
            await loop.confirm()
            assert len(good.asked) == count
            archive.now = NOON + 25 * HOUR
            await archive.live(post(2))
            await loop.confirm()
            assert good.asked[count:] == ["/digest"]
            _, said, _ = await typed(tmp_path / "data", "about")
            assert "the head of 10 Mar 2025, 12:00 UTC is in block 900000 of Bitcoin, says its calendar" in said


def loop_of(archive: Archive, folder: Path, served: list[Calendar]) -> HeadLoop:
    taking = Calendars(archive.db, [each.url for each in served], proxy=None)
    return HeadLoop(archive.db, folder, [], calendars=taking, proxy=None, clock=lambda: archive.now)


async def proof_of(archive: Archive) -> HeadProof:
    proof = await proofs.last(archive.db)
    assert proof is not None
    return proof


def tree(message: bytes, depth: int, leaf: object) -> bytes:
    root = node = Timestamp(message)
    for _ in range(depth):
        node = node.ops.add(OpSHA256())
    node.attestations.add(leaf)
    return written(root)


def hexlified(message: bytes) -> bytes:
    root = Timestamp(message)
    root.ops.add(OpHexlify()).attestations.add(PendingAttestation("https://a.calendar.opentimestamps.org"))
    return written(root)


def too_long(message: bytes) -> bytes:
    root = Timestamp(message)
    root.ops.add(OpAppend(b"x" * 4000)).attestations.add(PendingAttestation("https://a.calendar.opentimestamps.org"))
    return written(root).replace(b"\xf0\xa0\x1f", b"\xf0\xa0\x1f" + b"y" * 200)


TRUSTED = PendingAttestation("https://alice.btc.calendar.opentimestamps.org")
HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "huge": (lambda _: b"\0" * 10_001, "its answer is larger than 10000 bytes"),
    "empty": (lambda _: b"", "its end is missing"),
    "HTML": (lambda _: b"<html>", "an operation that is not known here, 0x3c"),
    "deep": (lambda message: b"\x08" * 9000 + tree(message, 0, TRUSTED), "too many operations"),
    "deep with what is there": (lambda message: tree(message, 248, TRUSTED), "with what is there it has too many"),
    "many branches": (lambda _: b"\xff\x08" * 5000, "too many operations"),
    "long": (too_long, "cannot be used"),
    "a number without an end": (lambda _: b"\xf0" + b"\xff" * 100, "a number that is too large"),
    "more than there is": (lambda _: b"\xf0\xff\xff\x7fx", "its end is missing"),
    "something after the end": (lambda message: tree(message, 1, TRUSTED) + b"x", "something stands after its end"),
    "an operation of others": (hexlified, "an operation that is not known here, 0xf3"),
    "another chain": (
        lambda message: tree(message, 1, LitecoinBlockHeaderAttestation(5)),
        "an attestation of another kind",
    ),
    "a machine of ours": (
        lambda message: tree(message, 1, PendingAttestation("http://169.254.169.254/latest")),
        "refers to a calendar that is not in OPENTIMESTAMPS_URLS: http://169.254.169.254/latest",
    ),
    "a height beyond all": (
        lambda message: tree(message, 1, BitcoinBlockHeaderAttestation(1 << 70)),
        "a number that is too large",
    ),
    "no Merkle root": (
        lambda message: b"\xf0\x01x" + tree(message, 0, BitcoinBlockHeaderAttestation(5)),
        "no Merkle root",
    ),
}


async def test_what_a_hostile_calendar_answers_is_refused_with_a_clear_line(archive: Archive, tmp_path: Path) -> None:
    head = await Signer(archive.db, tmp_path).sign(NOON)
    async with calendar() as served:
        taking = Calendars(archive.db, [served.url], proxy=None)
        for name, (make, why) in HOSTILE.items():
            served.answer = make(bytes(32))
            proof = await taking.submit(head, NOON)
            assert proof is not None, name
            assert (proof.file, proof.reason is not None) == (None, True), name
            assert proof.reason is not None
            assert why in proof.reason, name
            assert "\n" not in proof.reason
        served.answer = None
        taken = await taking.submit(head, NOON)
        assert taken is not None
        before = taken.file
        for name, (make, _) in HOSTILE.items():
            served.answer = make(bytes(32))
            (proof,) = await taking.upgrade([taken], NOON)
            assert (proof.file, proof.block, proof.reason is not None) == (before, None, True), name
        served.answer = tree(bytes(44), 248, BitcoinBlockHeaderAttestation(5))  # too deep only with what is there
        (proof,) = await taking.upgrade([taken], NOON)
        assert (proof.file, "with what is there it has too many operations" in (proof.reason or "")) == (before, True)


async def test_a_calendar_that_fails_is_asked_once_in_a_turn_and_a_false_block_keeps_others_asked(
    archive: Archive, tmp_path: Path
) -> None:
    signer = Signer(archive.db, tmp_path)
    await archive.follow()
    async with calendar() as honest, calendar() as liar:
        taking = Calendars(archive.db, [honest.url, liar.url], proxy=None)
        for number in (1, 2):
            await archive.live(post(number))
            await taking.submit(await signer.sign(NOON + number * HOUR), NOON)
        root = honest.mine(7)
        honest.status, count = 500, len(honest.asked)
        liar.answer = tree(bytes(44), 3, BitcoinBlockHeaderAttestation(5))
        done = await taking.upgrade(await proofs.promised(archive.db), NOON)
        assert [(proof.block, proof.promises) for proof in done] == [(5, 1), (5, 1)]
        assert len(honest.asked) == count + 1
        honest.status = 200
        done = await taking.upgrade(await proofs.promised(archive.db), NOON)
        assert [proof.promises for proof in done] == [0, 0]
        found = calendars.contents_of(done[0].file)
        assert {(height, message[::-1].hex() == root) for _, height, message in found} == {("5", False), ("7", True)}


async def test_a_calendar_that_hangs_keeps_nobody_waiting_and_none_is_asked_beside_the_proxy(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendars, "ANSWER_S", 0.2)
    head = await Signer(archive.db, tmp_path).sign(NOON)
    async with calendar() as good, calendar() as hanging:
        hanging.hangs = True
        proxy = Proxy(kind=ProxyKind.SOCKS5, host="127.0.0.1", port=9)
        proof = await Calendars(archive.db, [good.url], proxy=proxy).submit(head, NOON)
        assert proof is not None
        assert (proof.file, proof.reason) == (None, f"{good.url}: the proxy takes no connection")
        assert good.asked == []
        proof = await Calendars(archive.db, [good.url, hanging.url], proxy=None).submit(head, NOON)
        assert proof is not None
        assert (proof.promises, proof.reason) == (1, f"{hanging.url}: no answer in time")


def proof_at(tried: timedelta, promises: int = 1) -> HeadProof:
    return HeadProof(
        head_id=1, file=b"x", submitted_at=NOON, tried_at=NOON + tried, promises=promises, block=None, reason=None
    )


@pytest.mark.parametrize(
    ("tried", "promises", "after", "due"),
    [
        pytest.param(timedelta(), 1, HOUR / 2, False, id="just submitted"),
        pytest.param(timedelta(), 1, HOUR, True, id="an hour ago"),
        pytest.param(5 * HOUR, 1, 5.5 * HOUR, False, id="asked just now"),
        pytest.param(5 * HOUR, 1, 6 * HOUR, True, id="asked an hour ago"),
        pytest.param(24 * HOUR, 1, 26 * HOUR, False, id="no longer each hour"),
        pytest.param(24 * HOUR, 1, 48 * HOUR, True, id="but each day"),
        pytest.param(28 * 24 * HOUR, 1, 30 * 24 * HOUR, False, id="for a month"),
        pytest.param(timedelta(), 0, HOUR, False, id="complete"),
    ],
)
def test_a_calendar_is_asked_each_hour_for_a_day_then_each_day_for_a_month(
    tried: timedelta, promises: int, after: timedelta, *, due: bool
) -> None:
    assert is_upgrade_due(proof_at(tried, promises), NOON + after) == due


async def test_without_the_extra_one_line_says_what_to_install_and_the_usual_calendars_are_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_archive(tmp_path) as archive:
        await Signer(archive.db, tmp_path / "data").sign(NOON)
    monkeypatch.setitem(sys.modules, "opentimestamps", None)
    _, said, _ = await typed(tmp_path / "data", "about", OPENTIMESTAMPS_URLS="https://calendar.example.org")
    missing = "OPENTIMESTAMPS_URLS is set, but the package «opentimestamps» is missing."
    assert said.splitlines()[-1].startswith(missing)
    words = ("export", "сбой", "--evidence", tmp_path / "bag")
    _, _, said = await typed(
        tmp_path / "data", *words, OPENTIMESTAMPS_URLS="https://calendar.test", TIMESTAMP_URLS="off"
    )
    first, last = said.splitlines()
    assert (first.startswith(missing), last) == (True, "nothing was found: there is nothing to bundle")
    monkeypatch.delenv("OPENTIMESTAMPS_URLS")
    _, said, _ = await typed(tmp_path / "data", "about")
    assert missing not in said


def test_a_calendar_is_a_web_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENTIMESTAMPS_URLS", "a.pool.opentimestamps.org")
    with pytest.raises(SettingsError, match="write whole addresses, such as https"):
        load_settings()
