import asyncio
import math
from pathlib import Path

import pytest

from bot import app
from bot.errors import SettingsError
from bot.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start with no settings at all."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TELEGRAM_SERVER", "foo", "«foo» cannot be used: write host:port"),
        ("TELEGRAM_SERVER", "127.0.0.1:99999", "«127.0.0.1:99999» cannot be used: write host:port"),
        ("TELEGRAM_SERVER", "127.0.0.1:0", "cannot be used: write host:port"),
        ("TELEGRAM_API_ID", "0", "cannot be used: write the number"),
        ("TELEGRAM_API_ID", str(1 << 31), "cannot be used: write the number"),
        ("OWNER_IDS", "9" * 40, "cannot be used: write Telegram user ids"),
        ("OWNER_IDS", "-5", "cannot be used: write Telegram user ids"),
        ("REQUEST_RATE", "1e-300", "«1e-300» cannot be used: Input should be greater than or equal to 0.01"),
        ("SEND_RATE_CHAT", "1e300", "cannot be used: Input should be less than or equal to 100000"),
        ("SWEEP_INTERVAL", "1e-300", "cannot be used"),
        ("VERIFY_DAYS", "99999999999", "cannot be used"),
        ("HEARTBEAT_URL", "http://watch.dog:99999/", "cannot be used: write the whole address"),
        ("TELEGRAM_SERVER_KEY", "/dev/null", "«/dev/null» cannot be used: it is not a file"),
        ("DATA_DIR", "x" * 5000, "cannot be used: no file can have this name"),
        ("DATA_DIR", "я" * 128, "cannot be used: no file can have this name"),
        ("OWNER_IDS", "1,a,b", "«a» cannot be used: write Telegram user ids"),
        ("ALERT_MAX_AGE", "1e15", "«1e15» cannot be used: Input should be less than or equal to 315360000"),
        ("ALERT_MAX_AGE", "nan", "«nan» cannot be used"),
        ("SWEEP_INTERVAL", "inf", "«inf» cannot be used"),
        ("LOG_LEVEL", "loud", "«loud» cannot be used: Input should be 'DEBUG'"),
        ("DATA_DIR", "~nobody-of-this-name/x", "cannot be used: no user of this name has a home folder here"),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_value_and_what_to_write(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert said in line
    assert len(line) < 300


def test_two_authorities_stamp_the_ledger_unless_others_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("API_ID", "1"), ("API_HASH", "0" * 32), ("BOT_TOKEN", "1:token")):
        monkeypatch.setenv(f"TELEGRAM_{name}", value)
    assert len({url.split("/")[2] for url in load_settings().authorities}) == 2
    monkeypatch.setenv("TIMESTAMP_URLS", "off")
    assert load_settings().authorities == ()


def test_a_path_with_a_zero_byte_is_one_line(folder: Path) -> None:
    (folder / ".env").write_bytes(b"DATA_DIR=da\0ta\n")
    with pytest.raises(SettingsError, match=r"^DATA_DIR: «da.ta» cannot be used: no file can have this name$"):
        load_settings()


def test_what_may_be_a_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_API_ID", "0123456789abcdef")
    with pytest.raises(SettingsError, match=r"^TELEGRAM_API_ID: cannot be used: write the number"):
        load_settings()


def test_a_file_in_another_encoding_is_one_line(folder: Path) -> None:
    (folder / ".env").write_bytes("# Каналы\nCHANNELS=@news\n".encode("cp1251"))
    with pytest.raises(SettingsError, match=r"^\.env is not in UTF-8: save the file in UTF-8$"):
        load_settings()


def test_a_file_with_a_byte_order_mark_is_read(folder: Path) -> None:
    (folder / ".env").write_text("CHANNELS=@news", encoding="utf-8-sig")
    assert load_settings().channels == ("@news",)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("DATA_DIR", "~/watch")
    assert load_settings().database_path == folder / "watch" / "bot.db"


def test_ten_years_are_no_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_MAX_AGE", "315360000")
    assert math.isclose(load_settings().alert_max_age, 315_360_000)


async def test_channels_are_judged_before_anything_is_made(folder: Path) -> None:
    secrets = dict.fromkeys(("telegram_api_hash", "telegram_bot_token"), "x")
    settings = load_settings(telegram_api_id=1, **secrets, channels="@news, no channel", data_dir="data")
    with pytest.raises(SettingsError, match="CHANNELS: «no channel» is not a channel; write @name"):
        await app.run(settings, asyncio.Event())
    assert not (folder / "data").exists()


def test_the_example_has_each_setting_in_order_as_it_is_without_one() -> None:
    page = (Path(__file__).parents[1] / ".env.example").read_text("utf-8")
    shown = dict(line.split("=", 1) for line in page.splitlines() if line and not line.startswith("#"))
    assert [name.lower() for name in shown] == list(Settings.model_fields)
    unlike = {"CHANNELS"} | {name for name, value in shown.items() if not value}  # suggested; none
    told = load_settings(**{name.lower(): value for name, value in shown.items() if name not in unlike})
    assert told == load_settings()
