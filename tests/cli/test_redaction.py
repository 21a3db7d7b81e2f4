"""`redact`: nothing in the folder of the data repeats the words any more, and they do not come back."""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.evidence import verify
from bot.locales import translator
from bot.models import Entity, Forward, Media, ObservedBy, page_album, to_json
from bot.models.enquiries import EnquiryKind, Findings, FoundChannel
from bot.parts import Part, PartKind
from bot.rendering.post_text import full_text
from bot.runtime.clock import utc_now
from bot.store import enquiries, handled, media, migrations, posts, redactions
from bot.store.blobs import Blob, Blobs
from bot.store.database import Transaction
from bot.store.media import FileInfo
from bot.telegram import sessions
from tests.commands.kit import bot_of, text
from tests.kit_archive import NEWS, NOON, Archive, compiled, find_hits, open_archive, post
from tests.shell import typed

SAID = "Сбой у Водкина на Тополиной"
WORDS = ("водкин", "тополин")
LINK, WHY = "https://t.me/News1001/1", "решение суда 2-1234"
NAMED = {
    "entities": (Entity(kind="text_url", offset=0, length=4, value="https://e.org/водкин"),),
    "parts": (Part(kind=PartKind.PREVIEW, text="Водкин, Тополиная, 5"),),
    "author": "Водкин",
    "forward": Forward(channel_id=7, message_id=1, name="Водкин", date=NOON),
}
FIRST = post(1, SAID, media=Media(kind="photo", id=7, title="водкин.jpg"), **NAMED)
SAME_FILE = post(2, "Сбой", media=Media(kind="photo", id=7))
CLEARED = {
    *("alerts", "captures", "enquiries", "fulltext", "handled", "long_posts", "media", "messages", "page_looks"),
    *("part_evidence", "pictures", "posts", "redactions", "translations", "uploads", "versions"),
}
OTHERS = """acts attachments backfills case_access case_posts cases channel_access channel_group_members
channel_groups channels chats exclusions feedback flood_waits follows groups heartbeats invitations
ledger ledger_heads memberships meta mutes page_readings people post_copies progress proofs questions
readers requests restorations saved_searches signing_keys silences site_entries sites stamps strangers
subscriptions target_urls targets threads topic_access topic_changes topic_versions topics unreadable"""


def keep(folder: Path, content: bytes) -> Blob:
    return Blobs(folder / "data" / "media").put(content)


async def keep_files(archive: Archive, folder: Path) -> None:
    """Keep what the first post and its copy show, and the public page of the first."""
    for row in await archive.db.fetch_all("SELECT m.id, message_id FROM media m JOIN versions v ON v.id = version_id"):
        blob = keep(folder, b"both show this")
        info = FileInfo(mime="image/jpeg", name="водкин.jpg" if row["message_id"] == 1 else None, size=blob.size)
        await archive.db.write(
            lambda tx, id_=row["id"], blob=blob, info=info: media.keep(
                tx, id_, blob, info, reader_id=archive.reader_id, now=NOON
            )
        )


async def repeat(archive: Archive) -> None:
    """Have the words repeated wherever the program repeats what posts say."""
    version_id, (alert, *_) = (await archive.stored(1)).version_id, await archive.outbox()
    await archive.send(alert, 70)
    found = Findings(
        channels=(FoundChannel(id=NEWS, title="Вести", username="News1001", message_id=1, date=NOON, line=SAID),)
    )

    async def job(tx: Transaction) -> None:
        await tx.execute(
            """INSERT INTO translations (version_id, language, state, text, wanted_at, due_at)
            VALUES (:v, 'en', 'done', 'Outage at Водкин', 0, 0)""",
            {"v": version_id},
        )
        await tx.execute(
            """INSERT INTO pictures (version_id, file_id, state, text, wanted_at, due_at)
            VALUES (:v, 7, 'read', 'Водкин', 0, 0)""",
            {"v": version_id},
        )
        await handled.record(tx, "user-1-1", json.dumps({"memory": SAID}, ensure_ascii=False), now=NOON)
        await enquiries.ask(tx, 1, EnquiryKind.POSTS, "сбой", now=NOON)
        await enquiries.settle(tx, 1, found)
        body = to_json({"kind": "channels_found", "findings": json.loads(to_json(found))})
        await tx.execute("UPDATE messages SET body = :b WHERE id = :id", {"b": body, "id": alert.id})

    await archive.db.write(job)


async def fill(folder: Path) -> None:
    async with open_archive(folder) as archive:
        await archive.follow()
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.live(FIRST, SAME_FILE)
        await keep_files(archive, folder)
        await repeat(archive)
        more = (*FIRST.parts, Part(kind=PartKind.BUTTON, text="Водкин"))
        await archive.sweep(replace(FIRST, parts=more, raw=SAID.encode()))
        await archive.capture(1, keep(folder, f"<p>{SAID}</p>".encode()))
    keep(folder, f"{SAID}, again".encode())  # a kill came before its row was written, …
    (folder / "data" / "media" / "coming-1").write_text(SAID)  # … or before it was whole
    with closing(sqlite3.connect(folder / "data" / "bot.db")) as connection:
        connection.execute("PRAGMA secure_delete = OFF")  # some builds of SQLite write zeros over what they delete
        connection.executemany(
            "INSERT INTO handled (key, at, answer) VALUES (?, 0, ?)", [(n, SAID) for n in range(200)]
        )
        connection.execute("DELETE FROM handled WHERE at = 0")
        connection.commit()


def left(folder: Path) -> list[str]:
    """Return what is left of the words in the files of the data."""
    found = []
    for path in (folder / "data").rglob("*"):
        content = path.read_bytes().decode("utf-8", "ignore").casefold() if path.is_file() else ""
        found += [f"{path.name}: {word}" for word in WORDS if word in content]
    return found


async def test_nothing_repeats_the_words_and_they_do_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redactions, "PATIENCE", 0.01)
    await fill(tmp_path)
    data, asked = tmp_path / "data", ("redact", LINK, "--reason", WHY)
    assert (await typed(data, "backup", tmp_path / "copy.db"))[0] == 0
    code, out, said = await typed(data, *asked)
    assert (code, said) == (0, "Nothing was changed. Stop the service, then run it again with --yes.\n")
    assert f"message 1, version 1, seen 2025-03-10 12:00 UTC: {SAID}\n" in out
    assert "1 files (1 of them stay, since another version shows them), 1 captures of public pages" in out
    with sessions.lock(data / sessions.BOT):
        code, _, said = await typed(data, *asked, "--yes")
    assert (code, said.endswith("stop it first\n")) == (1, True)
    assert set(left(tmp_path)) >= {"bot.db: водкин", "bot.db: тополин"}
    with closing(sqlite3.connect(data / "bot.db", isolation_level=None)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM versions").fetchone()
        code, _, said = await typed(data, *asked, "--yes")
        assert (code, "Another program reads" in said) == (1, True)
        assert left(tmp_path)
    (data / "bot.db-20250310-120000").touch()
    async with open_archive(tmp_path) as archive:
        assert await redactions.has_traces(archive.db)
        sql = f"EXPLAIN QUERY PLAN SELECT 1 FROM alerts a WHERE {redactions._ALERTS}"  # noqa: S608, SLF001 - its own
        plan = {row["detail"] for row in await archive.db.fetch_all(sql, {"ids": "[1]"})}
        assert not plan & {"SCAN a", "SCAN o", "SCAN alerts"}, plan
    code, out, said = await typed(data, *asked, "--yes")
    assert (code, said) == (0, "")
    assert "bot.db-20250310-120000 is a database of before" in out
    assert left(tmp_path) == []
    async with open_archive(tmp_path) as archive:
        assert not await redactions.has_traces(archive.db)
    code, out, said = await typed(data, *asked, "--yes")
    assert (code, "0 versions" in out) == (0, True)  # once is enough
    assert sorted(path.stat().st_size for path in (data / "media").rglob("*") if path.is_file()) == [14]
    assert f": {WHY}\n" in (await typed(data, "search", "--all"))[1]
    words = ("export", "--channel", "@News1001", "--evidence", tmp_path / "bag")
    assert (await typed(data, *words, TIMESTAMP_URLS="off", OPENTIMESTAMPS_URLS="off"))[0] == 0
    goes_with_its_line(tmp_path / "bag")
    async with open_archive(tmp_path) as archive:
        await shows_why(archive)
        await keeps_out(archive)
    assert left(tmp_path) == []
    code, out, _ = await typed(data, "restore", tmp_path / "copy.db")
    assert (code, f"is back: channelwatch redact {LINK} --reason '{WHY}' --yes\n" in out) == (0, True), out


def goes_with_its_line(bag: Path) -> None:
    """Check a bundle, then without the line of the redaction."""
    for path in (path for path in bag.rglob("*") if path.is_file()):
        assert WORDS[0] not in path.read_text("utf-8", "ignore").casefold(), path
    check = verify.BundleCheck(bag, None, [])
    assert check.run(), check.faults
    version, versions = "channel 1001, message 1, version 1", bag / "data" / "versions.jsonl"
    first, *others = versions.read_text("utf-8").splitlines()
    for change, said in (
        ({"text": "Другое"}, "has words all the same"),
        ({"parts": [["preview", "Другое"]]}, "has words all the same"),
        ({"redaction": "так надо"}, "for another reason, or at another time"),
    ):
        versions.write_text("\n".join([json.dumps(json.loads(first) | change), *others]), "utf-8")
        check = verify.BundleCheck(bag, None, [])
        check.run()
        assert any(fault.startswith(version) and said in fault for fault in check.faults), check.faults
    versions.write_text("\n".join([first, *others, ""]), "utf-8")
    raws = bag / "data" / "raw.tsv"
    rows = raws.read_text("ascii")
    raws.write_text(f"1001\t1\t1\t{hashlib.sha256(b'').hexdigest()}\t\n{rows}", "ascii")
    check = verify.BundleCheck(bag, None, [])
    check.run()
    assert f"{version}: it was redacted, and raw.tsv has bytes of it all the same" in check.faults
    raws.write_text(rows, "ascii")
    ledger = bag / "data" / "ledger.tsv"
    assert f"{version} was redacted, its words and bytes are not here: {WHY}" in check.notes
    rows = [row.split("\t", 3) for row in ledger.read_text("utf-8").splitlines()]
    hidden = [[*row[:3], "-" if '"kind":"redaction"' in row[3] else row[3]] for row in rows]
    ledger.write_text("\n".join(map("\t".join, hidden)), "utf-8")
    check = verify.BundleCheck(bag, None, [])
    assert not check.run()
    assert f"{version}: it is said to be redacted, and the ledger has no line of that" in check.faults
    assert any(fault.startswith(f"{version}: its bytes ") for fault in check.faults)


async def shows_why(archive: Archive) -> None:
    archive.now = utc_now()
    what = f"{utc_now():%Y-%m-%d}: {WHY}"
    (seen,) = await posts.versions(archive.db, NEWS, 1)
    assert full_text(seen.text, seen.parts, translator("en")) == f"Redacted: {what}"
    assert (seen.author, seen.forward, seen.media, seen.entities) == (None, None, None, ())
    assert await find_hits(archive.db, compiled("водкин"), limit=9) == []
    bot = await bot_of(archive)
    await bot.says("/start")
    for words in (f"/post {LINK}", "/latest"):
        assert f"Изъято: {what}" in text(await bot.says(words)), words
    (alert,) = [each for each in await archive.outbox() if each.post is not None and each.post.message_id == 1]
    assert (alert.label, what in str(alert.parts)) == ("edit", True)
    (line,) = await archive.db.fetch_all("SELECT * FROM ledger WHERE kind = 'redaction'")
    (first,) = await archive.db.fetch_all("SELECT * FROM ledger WHERE kind = 'version' AND message_id = 1")
    assert (line["detail"], line["sha256"], line["content"]) == (WHY, first["sha256"], FIRST.content_hash())


async def keeps_out(archive: Archive) -> None:
    """See the words again in every way in which a post is seen; then an edit with other words."""
    await archive.send_all()
    moved = replace(FIRST, media=Media(kind="photo", id=9), edit_date=archive.now)  # another photo, the same words
    hidden = replace(FIRST, withheld=(("ios", "law", ""),), raw=SAID.upper().encode())
    shown = post(1, SAID, raw=f"<p>{SAID}</p>".encode(), is_edited=True)
    shouted = replace(FIRST, text=f"«{SAID.upper()}»!\u200b", edit_date=archive.now)  # the same words
    ways = (
        (ObservedBy.LIVE, FIRST),
        (ObservedBy.SWEEP, shouted),
        (ObservedBy.SWEEP, FIRST),
        (ObservedBy.SWEEP, moved),
        (ObservedBy.SWEEP, hidden),
    )
    for way, each in (*ways, (ObservedBy.PAGE, shown), (ObservedBy.PAGE, shown), (ObservedBy.IMPORT, shown)):
        result = await archive.see(way, each)
        assert (result.new, result.edited, result.alerts) == (0, 0, 0), way
    assert await archive.labels() == []
    assert len(await posts.versions(archive.db, NEWS, 1)) == 1
    await archive.sweep(post(1, "Другое", edit_date=archive.now))
    assert [each.text for each in await posts.versions(archive.db, NEWS, 1)] == ["", "Другое"]
    back = replace(FIRST, edit_date=archive.now + timedelta(hours=1))
    assert (await archive.sweep(back)).edited == 0


async def test_an_earlier_version_goes_alone_and_comes_back_in_no_way(archive: Archive) -> None:
    await archive.follow()
    group = {"grouped_id": 5}
    first = post(2, SAID, **group)
    await archive.live(post(1, "", **group), first)
    now = replace(first, text="Сбой", raw=b"2", edit_date=NOON + timedelta(minutes=1))
    await archive.live(now)
    found = await redactions.versions_of(archive.db, NEWS, [2], 1)
    await archive.db.write(lambda tx: redactions.redact(tx, found, WHY, now=NOON))
    archive.now += timedelta(hours=1)
    caption = post(1, SAID, raw=b"<p>", grouped_id=page_album(1), is_edited=True)  # a page shows it at the first
    for way, each in ((ObservedBy.LIVE, first), (ObservedBy.SWEEP, first), (ObservedBy.PAGE, caption)):
        await archive.see(way, each)
    poll = post(4, "", parts=(Part(kind=PartKind.POLL, text=SAID),), media=Media(kind="poll", id=1))
    await archive.live(poll)
    found = await redactions.versions_of(archive.db, NEWS, [4], None)
    await archive.db.write(lambda tx: redactions.redact(tx, found, WHY, now=NOON))
    await archive.sweep(replace(poll, media=Media(kind="poll", id=2), edit_date=archive.now))
    assert len(await posts.versions(archive.db, NEWS, 4)) == 1
    rows = await archive.db.fetch_all(
        "SELECT message_id, number, text FROM versions WHERE message_id < 3 ORDER BY message_id, number"
    )
    assert [tuple(row) for row in rows] == [(1, 1, ""), (2, 1, ""), (2, 2, "Сбой")]
    await archive.live(post(3, SAID))  # another post
    assert (await archive.stored(3)).text == SAID


async def test_alerts_that_nobody_can_edit_are_counted(archive: Archive) -> None:
    await archive.follow()
    for number in (501, 502):
        chat = await archive.pair(number)
        await archive.track(chat, f"сбои {number}", "сбой")
    await archive.live(post(1, SAID))
    first, second = await archive.outbox()
    await archive.send(first, 70)
    found = await redactions.versions_of(archive.db, NEWS, [1], None)
    assert (await redactions.scope_of(archive.db, found)).fixed == 0
    await archive.send(second)  # to a target, where it has no number
    assert (await redactions.scope_of(archive.db, found)).fixed == 1


def test_each_table_is_thought_of() -> None:
    """Hold redaction to the schema: a new table belongs to those that it clears, or to those that repeat no post."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(migrations.available().values()))
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables = {name for name in tables if not name.startswith(("sqlite_", "fulltext_"))}
    assert tables == CLEARED | set(OTHERS.split())
