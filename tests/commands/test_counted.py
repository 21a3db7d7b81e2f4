"""A database of schema 21, in which late posts stood apart, comes in: nothing is lost, and nothing is told twice."""

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.models import Peer, PeerKind
from bot.parts import Aside, AsideKind, to_json
from bot.store import group_contents, migrations
from bot.store.database import Database
from bot.store.integrity import fault
from bot.store.rows import first_id, to_ms
from tests.commands.kit import ANNA, Bot, bold_words, text
from tests.store.kit import NEWS, NOON, OTHER, Newsroom, ago, post

CHAT, LATE, NEXT, RESTORED, ANCIENT = 1, 11, 12, 13, 14  # rows
UNTIL = to_ms(ago(hours=1))
TEXTS = ("Сбой 1", "Сбой 2", "", "Сбой 4", "Ссылка 5", "Пожар 6", "Пожар 7")
ASIDES = {3: Aside(kind=AsideKind.POLL, text="Сбой?"), 5: Aside(kind=AsideKind.PREVIEW, text="Сайт: сбой")}


def version_id(number: int) -> int:
    return first_id(ago(days=3)) + number


def write(path: Path) -> None:
    """Write what version 21 had: late notices, sent, due and from before their posts were kept; and a restored one."""
    connection = sqlite3.connect(path, isolation_level=None)
    for number, script in migrations.available().items():
        if number <= 21:
            connection.executescript(f"BEGIN;{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    connection.execute(
        "INSERT INTO chats (id, key, kind, telegram_id, title, paired_at) VALUES (?, x'01', 'user', ?, 'Anna', 0)",
        (CHAT, ANNA),
    )
    connection.executemany("INSERT INTO readers (id, account_id, added_at) VALUES (?, ?, 0)", [(1, 42)])
    for channel_id, title in ((NEWS, "Вести"), (OTHER, "Город")):
        values = (channel_id, title, to_ms(ago(days=30)))
        connection.execute("INSERT INTO channels (id, kind, title, followed_at) VALUES (?, 'broadcast', ?, ?)", values)
    for number, said in enumerate(TEXTS, start=1):
        _message(connection, number, said)
    counts = [[NEWS, "Вести", 2], [OTHER, "Город", 1]]
    late = {"notice": "late", "hour": "2025-03-10T12", "channels": counts}
    _notice(connection, LATE, "late:2025-03-10T12", late, message_id=77)
    following = {"notice": "late", "hour": "2025-03-10T13", "channels": [[NEWS, "Вести", 2]]}
    _notice(connection, NEXT, "late:2025-03-10T13", following)
    at = ago(hours=2, seconds=-0.25).isoformat()
    restored = {"notice": "restored", "at": at, "key": UNTIL, "channels": [[NEWS, "Вести", 2]]}
    _notice(connection, RESTORED, f"restored:{UNTIL}", restored, message_id=78)
    _notice(connection, ANCIENT, "late:1001:1", {"notice": "late", "channels": [[NEWS, "Вести", 9]]})
    spans = {1: [[0, 4]], 2: [[0, 4]], 3: [[2, 6]], 4: [[0, 4]], 5: [[16, 20]]}
    rows = [(LATE if number < 4 else NEXT, version_id(number), json.dumps(spans[number])) for number in spans]
    connection.executemany("INSERT INTO late VALUES (?, ?, ?)", rows)
    for number in (6, 7):
        payload = {"version_id": version_id(number), "topics": ["Пожары"], "spans": [[0, 5]], "edited": False}
        connection.execute(
            """INSERT INTO alerts (chat_id, kind, subject, random_id, channel_id, post_key, payload, state, due_at,
            created_at, follows) VALUES (?, 'gathered', ?, ?, ?, ?, ?, 'sent', 0, 0, ?)""",
            (CHAT, f"{NEWS}/m{number}", number, NEWS, f"m{number}", json.dumps(payload), RESTORED),
        )
    connection.close()


def _message(connection: sqlite3.Connection, number: int, said: str) -> None:
    channel_id = OTHER if number == 3 else NEWS
    asides = [ASIDES[number]] if number in ASIDES else []
    row, date, hashed = version_id(number), to_ms(ago(days=3)), hashlib.sha256(said.encode()).digest()
    connection.execute(
        """INSERT INTO messages (id, channel_id, message_id, version_id, hash, date, seen_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (row, channel_id, number, row, hashed, date, date),
    )
    connection.execute(
        """INSERT INTO versions (id, channel_id, message_id, number, hash, text, entities, date, seen_at, observed_by,
        reader_id, program, raw, layer, raw_sha256, asides)
        VALUES (?, ?, ?, 1, ?, ?, '[]', ?, ?, 'sweep', 1, '', x'', 1, x'', ?)""",
        (row, channel_id, number, hashed, said, date, date, to_json(asides)),
    )


def _notice(
    connection: sqlite3.Connection, row: int, subject: str, payload: object, *, message_id: int | None = None
) -> None:
    state, due_at = ("due", to_ms(NOON)) if message_id is None else ("sent", 0)
    connection.execute(
        """INSERT INTO alerts (id, chat_id, kind, subject, random_id, payload, silent, state, due_at, created_at,
        message_id) VALUES (?, ?, 'notice', ?, ?, ?, 1, ?, ?, ?, ?)""",
        (row, CHAT, subject, row, json.dumps(payload, ensure_ascii=False), state, due_at, due_at, message_id),
    )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Bot]:
    write(tmp_path / "bot.db")
    db = await Database.open(tmp_path / "bot.db")
    room = Newsroom(db)
    room.reader_id = 1
    yield Bot(room)
    await db.close()


async def test_what_was_due_is_due_and_what_was_sent_is_sent(desk: Bot) -> None:
    assert [(alert.id, alert.label) for alert in await desk.room.outbox()] == [
        (NEXT, "late"),
        (ANCIENT, "late"),
    ]
    assert await fault(desk.db) is None
    assert await desk.db.fetch_all("PRAGMA foreign_key_check") == []
    assert await desk.db.fetch_all("SELECT name FROM sqlite_master WHERE name = 'late'") == []


async def test_all_notices_count_what_they_counted(desk: Bot) -> None:
    counts = {row: (await group_contents.count(desk.db, row)).channels for row in (LATE, NEXT, RESTORED, ANCIENT)}
    assert counts == {
        LATE: (("Вести", 2), ("Город", 1)),
        NEXT: (("Вести", 2),),
        RESTORED: (("Вести", 2),),
        ANCIENT: (("Вести", 9),),
    }
    assert (await group_contents.count(desk.db, RESTORED)).at == ago(hours=2)


@pytest.mark.parametrize(
    ("data", "lines", "bold"),
    [
        (b"late:2025-03-10T12", ["Сбой 1", "Сбой 2", "Poll: Сбой?"], ["Сбой", "Сбой"]),
        (b"late:2025-03-10T12:4711", ["Сбой 1", "Сбой 2", "Poll: Сбой?"], ["Сбой", "Сбой"]),  # «More» of a page
        (b"late:2025-03-10T13", ["Сбой 4", "Ссылка 5"], ["Сбой"]),
        (f"told:{UNTIL}".encode(), ["Пожар 6", "Пожар 7"], ["Пожары", "Пожар", "Пожар"]),
        (f"sum:{LATE}:0:new".encode(), ["Сбой 1", "Сбой 2", "Poll: Сбой?"], ["Сбой", "Сбой"]),
    ],
)
async def test_the_buttons_under_them_still_list_their_posts(
    desk: Bot, data: bytes, lines: list[str], bold: list[str]
) -> None:
    shown = await desk.taps(data)
    assert [line[2:].split(" · ")[0] for line in text(shown).splitlines() if line.startswith("•")] == lines
    assert bold_words(shown.messages[0]) == bold


async def test_a_notice_that_lists_nothing_says_so(desk: Bot) -> None:
    assert (await desk.taps(f"sum:{ANCIENT}:0:new".encode())).note == "This button no longer works."


async def test_what_comes_now_joins_what_is_there_and_tells_nothing_again(desk: Bot) -> None:
    room, chat = desk.room, await desk.chat(Peer(kind=PeerKind.USER, id=ANNA))
    await room.track(chat, "сбои", "сбой|пожар")
    before = {alert.id for alert in await room.outbox()}
    await room.sweep(post(6, "Пожар 6, потушен", date=ago(days=3), edit_date=NOON))  # told, perhaps
    assert {alert.id for alert in await room.outbox()} == before
    await room.sweep(post(8, "Сбой 8", date=ago(days=2)), post(9, "Сбой 9", date=ago(days=2)))
    (edit,) = [alert for alert in await room.outbox() if alert.id not in before]
    assert (edit.label, edit.telegram_id) == ("edit", 77)
    assert (await group_contents.count(room.db, LATE)).channels == (("Вести", 4), ("Город", 1))
