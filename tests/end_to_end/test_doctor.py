"""`doctor` on an installation that is well, and on one in which somebody broke something."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import checks
from bot.sandbox import Sandbox
from bot.store import channels, follows, marks, meta, readers, unreadable
from bot.store.channels import Access
from bot.store.database import Transaction
from bot.telegram.client import PATIENT, Timings
from tests.end_to_end.test_process import environment, shell
from tests.kit_archive import NEWS, OTHER, Archive, open_archive, post
from tests.kit_clock import NOON
from tests.kit_service import Service

ROOT = Path.cwd()


class Skewed:
    """A server's clock."""

    error = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.error


@pytest.fixture
def clock() -> Skewed:
    return Skewed()


@pytest.fixture
async def sandbox(clock: Skewed) -> AsyncIterator[Sandbox]:
    async with Sandbox(now=clock) as sandbox:
        yield sandbox


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    """Set everything up as a person would, with a service that gave a sign of life; return the data folder."""
    monkeypatch.chdir(tmp_path)
    async with open_archive(tmp_path) as archive:
        await archive.db.write(_live)
    data = tmp_path / "data"
    sandbox.session_for(sandbox.world.add_user("Reader", phone="+10000000001"), data / "reader.session")
    for file in data.iterdir():
        file.chmod(0o600)
    (tmp_path / "server.pem").write_text(sandbox.key_pem)
    settings = {
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "0" * 32,
        "TELEGRAM_BOT_TOKEN": "1:token",
        "TELEGRAM_SERVER": sandbox.address,
        "TELEGRAM_SERVER_KEY": "server.pem",
        "DATA_DIR": str(data),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return data


async def _live(tx: Transaction) -> None:
    for sign in ("run", "healthy"):
        await meta.beat(tx, sign, datetime.now(UTC))


async def wrong(timings: Timings = PATIENT) -> list[str]:
    """Examine everything; return the lines of what is not well."""
    checked = [check async for check in checks.run_checks(timings=timings)]
    return [f"{check.name}: {check.outcome}" for check in checked if not check.is_well]


async def test_where_all_is_well_every_line_says_so(place: Path) -> None:
    assert await wrong() == []
    names = [check.name async for check in checks.run_checks()]
    assert names == [
        "settings",
        "topics of your own",
        "dictionaries",
        "files",
        "disk",
        "reader.session",
        "database",
        "service",
        "files of posts",
        "channels",
        "Telegram and the clock",
    ]
    assert (place / "reader.session").exists()


async def test_long_posts_without_their_end_are_counted(place: Path) -> None:
    _sql(place, "bot.db", "INSERT INTO long_posts (channel_id, message_id, head, state) VALUES (1, 2, x'00', 'left')")
    checked = {check.name: check async for check in checks.run_checks()}
    assert checked["long posts"].outcome == "of 1 the end is missing; it is asked for again"


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        ("nobody", "nobody is signed in; run channelwatch login"),
        ("somebody who was signed out", "nobody is signed in; run channelwatch login"),
        ("a bot", "it belongs to a bot, and bots cannot read channels; delete it, then run channelwatch login"),
    ],
)
async def test_a_session_with_a_key_is_no_login_of_a_reader(
    place: Path, sandbox: Sandbox, owner: str, said: str
) -> None:
    account = sandbox.world.add_bot("2:token", "Bot", "a_bot") if owner == "a bot" else sandbox.world.add_user("Ann")
    path = place / "reader.session"
    path.unlink()
    sandbox.session_for(None if owner == "nobody" else account, path)
    path.chmod(0o600)
    if owner.endswith("signed out"):
        sandbox.revoke(account)
    before = path.read_bytes()
    assert await wrong() == [f"reader.session: {said}"]
    assert path.read_bytes() == before


def _damage(data: Path) -> None:
    file = data / "bot.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\x07" * 4096
    file.write_bytes(content)


def _sql(data: Path, name: str, sql: str) -> None:
    with closing(sqlite3.connect(data / name)) as connection, connection:
        connection.execute(sql)


@pytest.mark.parametrize(
    ("mishap", "said"),
    [
        (
            lambda data: (data / "bot.db").chmod(0o644),
            "files: others can read or exchange them, or you cannot write: chmod 600 ",
        ),
        (lambda data: data.chmod(0o775), "chmod go-w "),
        (lambda data: (data.parent / ".env").touch(0o644), "chmod 600 .env"),
        (lambda data: (data / "reader.session").write_bytes(b"junk" * 99), "reader.session: it is no Telethon session"),
        (lambda data: (data / "reader-2.session").touch(0o600), "reader-2.session: it is no Telethon session"),
        (
            lambda data: _sql(data, "reader.session", "DELETE FROM sessions"),
            "nobody is signed in; run channelwatch login",
        ),
        (lambda data: _sql(data, "bot.db", "PRAGMA user_version = 999"), "database: "),
        (_damage, "is damaged ("),
        (
            lambda data: _sql(data, "bot.db", "DELETE FROM heartbeats"),
            "service: it has given no sign of life; start it",
        ),
        (
            lambda data: _sql(data, "bot.db", "DELETE FROM heartbeats WHERE loop = 'healthy'"),
            "service: it runs, but has not been well: its log says why",
        ),
        (
            lambda data: _sql(data, "bot.db", "UPDATE readers SET lost = 'SESSION_REVOKED'"),
            "reader account 1: it cannot read any more. Telegram has logged it out.",
        ),
        (
            lambda data: (data / "topics").mkdir() or (data / "topics" / "a.toml").write_text("x ="),
            "topics of your own: ",
        ),
    ],
    ids=[
        "file",
        "folder",
        "env",
        "junk",
        "standby",
        "nobody",
        "newer",
        "damage",
        "asleep",
        "ill",
        "lost",
        "topic",
    ],
)
async def test_each_mishap_is_one_line_that_says_what_to_do(
    place: Path, mishap: Callable[[Path], object], said: str
) -> None:
    mishap(place)
    lines = [line for line in await wrong() if not line.startswith("files") or said.startswith(("files", "chmod"))]
    assert len(lines) == 1, lines
    assert said in lines[0]
    assert "\n" not in lines[0]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TELEGRAM_API_ID", "", "settings: TELEGRAM_API_ID is not set"),
        ("TELEGRAM_PROXY", "ftp://x", "settings: TELEGRAM_PROXY is no proxy"),
        ("CHANNELS", "@rkn_tg,???", "settings: CHANNELS: «???» is not a channel"),
        ("SWEEP_INTERVAL", "often", "settings: SWEEP_INTERVAL: "),
    ],
)
@pytest.mark.usefixtures("place")
async def test_a_setting_that_is_wrong_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert said in (await wrong())[0]


async def test_a_channel_whose_changes_cannot_be_had_is_named_with_the_moment(place: Path) -> None:
    now = datetime.now(UTC)
    async with open_archive(place.parent) as archive:
        await archive.follow(title="Вести", since=now - timedelta(days=9))

        async def stand(tx: Transaction) -> None:
            await marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=now - timedelta(minutes=2))
            await marks.doubt(tx, NEWS, now=now)
            await marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=now)

        await archive.db.write(stand)
    (line,) = [line for line in await wrong() if line.startswith("channels")]
    since = now - timedelta(minutes=2)
    assert f"1 of 1 not checked since {since:%Y-%m-%d %H:%M} UTC" in line
    code, out, _ = await shell("doctor", "--gaps", env={"PATH": "", "DATA_DIR": str(place), "PYTHONPATH": str(ROOT)})
    assert code == 1
    assert f"NOT CHECKED for edits and deletions since {since:%m-%d %H:%M}" in out


async def test_messages_that_cannot_be_read_are_named_with_the_reason(place: Path) -> None:
    now = datetime.now(UTC)
    async with open_archive(place.parent) as archive:
        await archive.follow(title="Вести", since=now - timedelta(days=9))

        async def stand(tx: Transaction) -> None:
            await marks.set_mark(tx, NEWS, confirmed_id=90, seen_pts=1, now=now)
            edition = unreadable.Edition(program="1.0", layer=229)
            await unreadable.put(tx, NEWS, {12: 0x7FE57EC0, 13: 0x7FE57EC0, 20: None}, edition, now=now)

        await archive.db.write(stand)
    code, out, _ = await shell("doctor", "--gaps", env={"PATH": "", "DATA_DIR": str(place), "PYTHONPATH": str(ROOT)})
    assert code == 1
    assert "hole: 3 messages cannot be read" in out
    assert f"@News{NEWS}: 12, 13: constructor 0x7fe57ec0 unknown, since {now:%m-%d %H:%M}" in out
    assert f"@News{NEWS}: 20: unknown form, since" in out


@pytest.mark.parametrize(("seconds", "word"), [(90, "slow"), (-90, "fast")])
@pytest.mark.usefixtures("place")
async def test_a_clock_that_is_wrong_is_told_by_how_much(clock: Skewed, seconds: int, word: str) -> None:
    clock.error = timedelta(seconds=seconds)
    (line,) = await wrong()
    assert f" s {word}; set it by NTP" in line


@pytest.mark.usefixtures("place")
async def test_a_telegram_that_does_not_answer_and_a_full_disk_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "ROOM", 1 << 60)
    monkeypatch.setenv("TELEGRAM_SERVER", "127.0.0.1:9")
    disk, network = await wrong(Timings(slow_after=0.3))
    assert disk.startswith("disk: only ")
    assert "set TELEGRAM_PROXY" in network


async def test_on_the_command_line_the_exit_code_tells(service: Service, tmp_path: Path) -> None:
    env = environment(service)
    code, out, err = await shell("doctor", env=env, folder=tmp_path)
    assert (code, err) == (0, "")
    assert all(line.startswith("ok ") for line in out.splitlines())
    assert "reader.session: the service uses it" in out
    code, out, _ = await shell("doctor", env=env | {"TELEGRAM_BOT_TOKEN": ""}, folder=tmp_path)
    assert code == 1
    assert "NOT settings: TELEGRAM_BOT_TOKEN is not set" in out


async def told(archive: Archive) -> None:
    now = datetime.now(UTC)
    for channel_id, title in ((NEWS, "Вести"), (OTHER, "Хроника")):
        await archive.follow(channel_id, title=title, since=now - timedelta(days=9))
    archive.now = now
    await archive.live(post(1, date=now), post(5, date=now))
    await archive.sweep(post(2, date=now))

    async def stand(tx: Transaction) -> None:
        await marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=now)
        await marks.set_mark(tx, OTHER, confirmed_id=7, seen_pts=0, now=now)
        await marks.set_verified(tx, NEWS, below=None, now=now)
        await marks.set_verified(tx, OTHER, below=4, now=now)
        await follows.request(tx, "@rkn_tg", chat_id=None, now=now)

    await archive.db.write(stand)


async def test_the_gaps_of_each_channel_are_shown_and_what_is_lost_is_an_error(tmp_path: Path) -> None:
    env = {"PATH": "", "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(Path.cwd())}
    async with open_archive(tmp_path) as archive:
        await told(archive)
        code, out, _ = await shell("doctor", "--gaps", env=env)
        assert code == 1  # there is a hole
        rows = {
            line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
            for line in out.splitlines()
            if "│" in line
        }
        assert rows[f"@News{NEWS}"][0] == "1–2"
        assert rows[f"@News{NEWS}"][-2:] == ["1 of 3 (33.3%)", "hole: 2 ids above the mark"]
        assert "Requested and not read yet: 1" in out
        assert "…" not in out
        assert "never, now at 4" in rows[f"@News{OTHER}"]
        assert "history is read again" in rows[f"@News{OTHER}"][-1]
        await archive.db.write(lambda tx: readers.register(tx, 42, archive.now))
        await archive.db.write(
            lambda tx: channels.set_access(
                tx, archive.reader_id, OTHER, Access.LOST, reason="CHANNEL_BANNED", now=archive.now
            )
        )
        code, out, _ = await shell("doctor", "--gaps", env=env)
        assert code == 1
        assert "LOST: Telegram has closed it." in out


async def test_a_lost_reader_is_named_with_the_gaps_and_is_an_error(tmp_path: Path) -> None:
    env = {"PATH": "", "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(Path.cwd())}
    async with open_archive(tmp_path) as archive:
        assert (await shell("doctor", "--gaps", env=env))[0] == 0
        await archive.db.write(lambda tx: readers.lose(tx, archive.reader_id, "SESSION_REVOKED", now=NOON))
        code, out, _ = await shell("doctor", "--gaps", env=env)
        assert code == 1
        assert f"Reader account {archive.reader_id} cannot read: Telegram has logged it out." in out
