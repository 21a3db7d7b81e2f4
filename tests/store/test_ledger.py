"""The ledger has a line for each thing that is seen, in one chain that nobody can mend unseen."""

import asyncio
import hashlib
import json
import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from bot.models import ObservedBy
from bot.parts import Part, PartKind
from bot.store import channels, ledger, marks, page_readings, readers, unreadable
from bot.store.database import Database, Transaction
from bot.store.ledger import NO_HASH
from bot.store.unreadable import ON_PAGE
from tests.kit_archive import NEWS, OTHER, Archive, gone, post
from tests.kit_clock import NOON


async def lines(db: Database) -> list[dict[str, Any]]:
    """Return the lines, once each is found to be canonical and to follow from the one before it."""
    previous, found = NO_HASH, []
    for line in await ledger.lines(db, after=0, most=1000):
        told = json.loads(line.text)
        assert line.text == json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        digest = hashlib.sha256(line.text.encode()).hexdigest()
        assert line.hash == hashlib.sha256((previous.hex() + digest).encode()).digest()
        previous = line.hash
        found.append(told)
    assert [told["sequence"] for told in found] == list(range(1, len(found) + 1))
    return found


async def test_versions_losses_and_returns_have_lines_that_name_their_bytes(archive: Archive) -> None:
    await archive.follow()
    first, second = post(1, "Сбой"), post(2, "Погода")
    await archive.live(first, second)
    edit = replace(first, text="Сбой устранён", raw=b"edited", edit_date=NOON)
    await archive.live(edit, gone(2))
    await archive.sweep(second)
    await archive.sweep(gone(1), gone(3))
    await archive.live(edit)  # nothing new
    found = await lines(archive.db)
    said = [(line["kind"], line["message"], line["number"], line["source"]) for line in found]
    assert said == [
        ("version", 1, 1, "live"),
        ("version", 2, 1, "live"),
        ("version", 1, 2, "live"),
        ("deletion", 2, 1, "live"),
        ("seen_again", 2, 1, "sweep"),
        ("missing", 1, 2, "sweep"),
    ]
    shas = [line["sha256"] for line in found]
    assert shas[:3] == [hashlib.sha256(each.raw).hexdigest() for each in (first, second, edit)]
    assert shas[3:] == [shas[1], shas[1], shas[2]]
    assert found[2]["content"] == edit.content_hash().hex()


async def test_what_vanishes_and_is_back_at_once_is_no_turn(archive: Archive) -> None:
    await archive.follow()
    await archive.live(post(1), post(2))
    await archive.live(gone(1))
    await archive.see(ObservedBy.DIFFERENCE, post(1), gone(1), gone(2), post(2))
    assert [(line["kind"], line["message"]) for line in await lines(archive.db)][2:] == [("deletion", 1)]
    (first, second) = await archive.db.fetch_all("SELECT gone_by FROM posts ORDER BY message_id")
    assert (first["gone_by"], second["gone_by"]) == ("live", None)


async def test_what_comes_to_a_version_later_has_a_line(archive: Archive) -> None:
    await archive.follow()
    await archive.live(post(1, "Сбой"))
    loaded = replace(post(1, "Сбой"), parts=(Part(kind=PartKind.PREVIEW, text="Погода"),), raw=b"with a preview")
    await archive.see(ObservedBy.DIFFERENCE, loaded)
    line = (await lines(archive.db))[-1]
    assert (line["kind"], line["number"], line["source"]) == ("addition", 1, "difference")
    assert line["sha256"] == hashlib.sha256(b"with a preview").hexdigest()


async def test_what_telegram_withholds_is_no_edit_and_has_a_line_with_its_bytes(archive: Archive) -> None:
    await archive.follow()
    where = (("all-terms", "terms", "Недоступно в вашей стране"),)
    await archive.live(replace(post(1), withheld=()), replace(post(2), withheld=where))
    for _ in range(2):
        await archive.sweep(replace(post(1), withheld=where, raw=b"withheld"))
    await archive.see(ObservedBy.PAGE, post(1))  # a page does not say
    await archive.sweep(replace(post(2), withheld=(), raw=b"free"))
    said = [(line["kind"], line["message"], line["detail"]) for line in await lines(archive.db)]
    told = json.dumps(where, ensure_ascii=False, separators=(",", ":"))
    assert said == [
        ("version", 1, None),
        ("version", 2, None),
        ("withheld", 2, told),
        ("withheld", 1, told),
        ("withheld", 2, "[]"),
    ]
    raws = await archive.db.fetch_all("SELECT raw FROM part_messages ORDER BY id")
    assert [row["raw"] for row in raws] == [b"withheld", b"free"]
    kept = await archive.db.fetch_all("SELECT withheld FROM posts ORDER BY message_id")
    assert [row["withheld"] for row in kept] == [told, None]


async def test_gaps_and_accounts_have_lines_once(archive: Archive) -> None:
    await archive.follow()

    async def job(tx: Transaction) -> None:
        number = await readers.register(tx, 77, NOON, "spare.session")
        for _ in range(2):
            await unreadable.put(tx, NEWS, {5: 1}, ON_PAGE, now=NOON)
            await unreadable.put_hidden(tx, NEWS, [5, 6], now=NOON)
        for _ in range(2):
            await unreadable.settle(tx, NEWS, [5, 6, 7], now=NOON)
            await marks.doubt(tx, NEWS, now=NOON)
            await readers.lose(tx, number, "USER_DEACTIVATED_BAN", now=NOON)
        for _ in range(2):
            await marks.set_verified(tx, NEWS, below=None, now=NOON)
            await readers.register(tx, 77, NOON, "spare.session")

    await archive.db.write(job)
    assert [(line["kind"], line["message"], line["detail"]) for line in await lines(archive.db)] == [
        ("gap", 5, "unreadable"),
        ("gap", 6, "not on its page"),
        ("gap_filled", 5, "read, or gone"),
        ("gap_filled", 6, "read, or gone"),
        ("gap", None, marks.CHANGES),
        ("account_lost", None, "USER_DEACTIVATED_BAN"),
        ("gap_filled", None, marks.CHANGES),
        ("account_back", None, None),
    ]


async def test_what_a_page_did_not_reach_is_filled_once_an_account_reads_on_and_not_if_nobody_follows(
    archive: Archive,
) -> None:
    async def job(tx: Transaction) -> None:
        for channel_id in (NEWS, OTHER):
            await page_readings.begin(tx, [channel_id], now=NOON)
            await page_readings.set_read(tx, channel_id, last_id=9, gap_below=30, now=NOON)
        await channels.unfollow(tx, OTHER, now=NOON)
        await page_readings.end(tx, [NEWS, OTHER], now=NOON)

    for channel_id in (NEWS, OTHER):
        await archive.follow(channel_id)
    await archive.db.write(job)
    assert [(line["kind"], line["channel"], line["detail"]) for line in await lines(archive.db)] == [
        ("gap", NEWS, "posts from 9 to 30"),
        ("gap", OTHER, "posts from 9 to 30"),
        ("gap_filled", NEWS, "posts below 30"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger SET seen_at = 0",
        "DELETE FROM ledger",
        "REPLACE INTO ledger SELECT * FROM ledger",
        "INSERT INTO ledger (sequence, hash, kind, seen_at) VALUES (-1, x'00', 'gap', 0)",
    ],
    ids=["changed", "deleted", "replaced", "put before others"],
)
async def test_lines_are_only_added(archive: Archive, sql: str) -> None:
    await archive.follow()
    await archive.live(post(1))
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        await archive.db.write(lambda tx: tx.execute(sql))
    assert len(await lines(archive.db)) == 1


async def test_two_processes_add_to_one_chain(archive: Archive) -> None:
    for channel_id in (NEWS, OTHER):
        await archive.follow(channel_id)
    await archive.live(post(1))  # the end of the chain is known here from now on
    path = archive.db._path  # noqa: SLF001 - another process would have it of its settings
    other_db = await Database.open(path)
    try:
        other = Archive(other_db)
        other.reader_id = archive.reader_id
        await other.live(post(1, channel_id=OTHER))
        await asyncio.gather(archive.live(post(2)), archive.live(post(3)))
        await other.live(post(2, channel_id=OTHER))
    finally:
        await other_db.close()
    assert [line["channel"] for line in await lines(archive.db)] == [NEWS, OTHER, NEWS, NEWS, OTHER]


async def test_a_transaction_that_fails_leaves_no_line(archive: Archive) -> None:
    await archive.follow()

    async def fail(tx: Transaction) -> None:
        await ledger.add_restored(tx, alive_at=None, now=NOON)
        raise LookupError

    with pytest.raises(LookupError):
        await archive.db.write(fail)
    await archive.live(post(1))
    assert [line["kind"] for line in await lines(archive.db)] == ["version"]
