import asyncio
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import FatalError
from bot.store import integrity, ledger, meta
from bot.store.database import Database, open_read_only
from bot.telegram import sessions
from tests.kit_archive import open_archive, post
from tests.shell import typed
from tests.store.test_database import damage


async def keep_post(folder: Path, number: int) -> None:
    async with open_archive(folder) as archive:
        await archive.follow()
        await archive.live(post(number, "Сбой"))


async def posts(database: Path) -> list[int]:
    async with open_read_only(database) as db:
        return [row["message_id"] for row in await db.fetch_all("SELECT message_id FROM posts ORDER BY message_id")]


def crash(path: Path) -> None:
    """Leave what a kill leaves: the file and the log beside it."""
    for name in ("bot.db", "bot.db-wal"):  # in another process: ours would take away the locks of SQLite
        words = ["/bin/cp", path.with_name(name), path.with_name(f"copy of {name}")]
        subprocess.run(words, check=True)  # noqa: S603 - our own words


def find_crashed(path: Path) -> None:
    """Put back what a kill left."""
    for name in ("bot.db", "bot.db-wal"):
        path.with_name(f"copy of {name}").replace(path.with_name(name))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def test_a_backup_is_one_checked_private_file_also_of_a_database_in_use(tmp_path: Path, data: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(post(1, "Сбой"))
        code, out, err = await typed(data, "backup", tmp_path / "copy.db")
        await archive.live(post(2, "Сбой"))
    assert (code, err) == (0, "")
    assert "1 posts" in out
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert files(tmp_path) == ["copy.db", "data"]
    assert await posts(tmp_path / "copy.db") == [1]


async def test_a_backup_into_a_folder_is_named_by_the_date_and_replaces_nothing(tmp_path: Path, data: Path) -> None:
    await keep_post(tmp_path, 1)
    (tmp_path / "copies").mkdir()
    assert (await typed(data, "backup", tmp_path / "copies"))[0] == 0
    (name,) = files(tmp_path / "copies")
    assert name.startswith("channelwatch-2")
    made = tmp_path / "copies" / name
    code, _, err = await typed(data, "backup", made)
    assert (code, len(err.splitlines())) == (1, 1)
    assert "--overwrite" in err
    await keep_post(tmp_path, 2)
    assert (await typed(data, "backup", made, "--overwrite"))[0] == 0
    assert await posts(made) == [1, 2]


async def test_what_cannot_be_backed_up_is_one_line_and_leaves_no_file(tmp_path: Path, data: Path) -> None:
    for said, target in (("no database", "copy.db"),):
        code, _, err = await typed(data, "backup", tmp_path / target)
        assert (code, len(err.splitlines()), said in err) == (1, 1, True), err
    await keep_post(tmp_path, 1)
    for said, target in (("is the database itself", "data/bot.db"), ("cannot be written", "nowhere/copy.db")):
        code, _, err = await typed(data, "backup", tmp_path / target)
        assert (code, len(err.splitlines()), said in err) == (1, 1, True), err
    damage(data / "bot.db")
    code, _, err = await typed(data, "backup", tmp_path / "copy.db")
    assert (code, len(err.splitlines()), "is damaged" in err) == (1, 1, True), err
    assert files(tmp_path) == ["data"]


async def test_a_restored_backup_is_in_place_and_what_was_there_is_kept_with_its_log(
    tmp_path: Path, data: Path
) -> None:
    await keep_post(tmp_path, 1)
    await typed(data, "backup", tmp_path / "copy.db")
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(post(2, "Сбой"))
        crash(data / "bot.db")
    find_crashed(data / "bot.db")
    code, out, err = await typed(data, "restore", tmp_path / "copy.db")
    assert (code, err) == (0, "")
    kept = next(data / name for name in files(data) if name.startswith("bot.db-2") and not name.endswith("-wal"))
    assert str(kept) in out.replace("\n", "")
    assert not (data / "bot.db-wal").exists()
    assert (data / "bot.db").stat().st_mode & 0o777 == 0o600
    assert await posts(data / "bot.db") == [1]
    assert await posts(kept) == [1, 2]
    async with open_archive(tmp_path) as archive:
        lines = [json.loads(line.text) for line in await ledger.lines(archive.db, after=0, most=99)]
        assert lines[-1]["kind"] == "backup_restored"
        assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))


async def test_a_damaged_database_is_replaced_without_being_opened(tmp_path: Path, data: Path) -> None:
    await keep_post(tmp_path, 1)
    await typed(data, "backup", tmp_path / "copy.db")
    (data / "bot.db").write_bytes(b"rubbish")
    assert (await typed(data, "restore", tmp_path / "copy.db"))[0] == 0
    assert await posts(data / "bot.db") == [1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damage, "is damaged"),
        (lambda copy: copy.write_bytes(b"Not a database. " * 99), "is damaged"),
        (lambda copy: copy.unlink(), "no backup"),
        (lambda copy: _sql(copy, "PRAGMA user_version = 999"), "newer version"),
        (lambda copy: _sql(copy, "DROP TABLE messages"), "no database of channelwatch"),
    ],
    ids=["damaged", "prose", "absent", "newer", "another"],
)
async def test_what_is_no_backup_is_refused_with_one_line_and_changes_nothing(
    tmp_path: Path, data: Path, spoil: object, said: str
) -> None:
    await keep_post(tmp_path, 1)
    await typed(data, "backup", tmp_path / "copy.db")
    spoil(tmp_path / "copy.db")  # type: ignore[operator]
    code, _, err = await typed(data, "restore", tmp_path / "copy.db")
    assert (code, len(err.splitlines())) == (1, 1)
    assert said in err
    assert await posts(data / "bot.db") == [1]
    assert [name for name in files(data) if name.startswith((".", "bot.db-2"))] == []


def _sql(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


async def test_nothing_is_restored_while_the_service_runs(tmp_path: Path, data: Path) -> None:
    await keep_post(tmp_path, 1)
    await typed(data, "backup", tmp_path / "copy.db")
    with sessions.lock(data / sessions.BOT):
        code, _, err = await typed(data, "restore", tmp_path / "copy.db")
    assert (code, "another channelwatch" in err) == (1, True)


async def killed(path: Path, *, put_back: bytes | None = None) -> None:
    """Leave a database as a kill does, with its log, and perhaps another file in its place."""
    db = await Database.open(path, numbered=True)
    await db.write(lambda tx: meta.put(tx, "latest", 1))
    crash(path)
    await db.close()
    find_crashed(path)
    if put_back is not None:
        path.write_bytes(put_back)  # noqa: ASYNC240 - nothing else runs


async def latest(path: Path) -> object:
    db = await Database.open(path)
    try:
        return await meta.get(db, "latest")
    finally:
        await db.close()


async def test_a_log_that_a_kill_left_is_used(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    await killed(path)
    assert (path.with_name("bot.db-wal")).stat().st_size
    assert await latest(path) == 1


@pytest.mark.parametrize("by_hand", [True, False], ids=["a copy of the file", "a backup of the same run"])
async def test_a_file_that_was_put_beside_the_log_of_another_is_refused_and_not_corrupted(
    tmp_path: Path, *, by_hand: bool
) -> None:
    path = tmp_path / "bot.db"
    db = await Database.open(path, numbered=True)
    if not by_hand:
        await typed(tmp_path, "backup", tmp_path / "copy.db")
    await db.close()
    old = (path if by_hand else tmp_path / "copy.db").read_bytes()
    await killed(path, put_back=old)
    for opened in (Database.open(path), open_read_only(path).__aenter__()):
        with pytest.raises(FatalError, match=r"was not written for this bot\.db"):
            await opened
    assert path.read_bytes() == old
    copy = path.rename(tmp_path / "mine.db")
    assert (await typed(tmp_path, "restore", copy))[0] == 0
    assert await latest(path) is None


async def test_a_start_that_is_killed_in_between_keeps_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    await (await Database.open(path, numbered=True)).close()
    async with open_read_only(path) as reader:
        await reader.fetch_all("SELECT * FROM meta")
        db = await Database.open(path, numbered=True)
        assert len((tmp_path / "bot.db-number").read_text().split()) in {1, 2}
        async with open_read_only(path):
            pass
        await db.close()


def test_a_look_at_a_database_ends_in_time(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    asyncio.run(_make(path))
    assert integrity.find_damage(path) is None
    assert integrity.find_damage(path, within=-1.0) is None
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'posts'").fetchone()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)
    found = integrity.find_damage(path)
    assert found is not None
    assert "page" in found
    assert "\n" not in found


async def _make(path: Path) -> None:
    await (await Database.open(path)).close()


def test_a_database_that_the_disk_keeps_from_being_read_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FatalError) as refused:
        integrity.find_damage(tmp_path / "bot.db")
    assert "damaged" not in str(refused.value)
    assert "restore" not in str(refused.value)
