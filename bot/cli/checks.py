"""What a person can break comes in: settings, files, sessions, the clock; a line for each goes out, with what to do."""

import os
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.bootstrap import normalised
from bot.cli.moment import clock_of
from bot.cli.shell import console
from bot.errors import ChannelwatchError, SettingsError
from bot.locales import translator
from bot.locales.figures import show_size
from bot.locales.refusals import refusal
from bot.matching.topics import read_folder
from bot.monitoring import heartbeat
from bot.runtime import private_files
from bot.runtime.clock import utc_now
from bot.settings import Settings, load_settings
from bot.store import heartbeats, integrity, media, readers
from bot.store.blobs import Blobs
from bot.store.database import Reader, open_read_only
from bot.telegram import sessions
from bot.telegram.client import PATIENT, Timings, anonymous
from bot.telegram.clock import measure
from bot.telegram.proxies import proxy_arguments
from bot.telegram.sessions import is_signed_in

ROOM = 1 << 30  # bytes that should be free: the archive of 500 channels takes some months to fill it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one thing was found."""

    what: str
    said: str  # how it is; what to do, where it is not well
    well: bool = True


async def show() -> bool:
    """Print a line for each finding; say whether all is well."""
    is_well = True
    async for finding in findings():
        sign = "[green]ok [/green]" if finding.well else "[red]NOT[/red]"
        console.print(sign, end=" ", markup=True)
        console.print(f"{finding.what}: {finding.said}", soft_wrap=True)
        is_well = is_well and finding.well
    return is_well


async def findings(*, timings: Timings = PATIENT) -> AsyncIterator[Finding]:
    """Look at one thing after another."""
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding(what="settings", said=_one_line(error), well=False)
        return
    yield _tried("settings", "complete", lambda: _require(settings))
    yield _tried("topics of your own", "readable", lambda: read_folder(settings.topics_path))
    yield _modes(settings)
    yield _room(settings)
    for finding in _sessions(settings):
        yield finding
    async for finding in _database(settings):
        yield finding
    yield await _clock(settings, timings)


def _tried(what: str, well: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except ChannelwatchError as error:
        return Finding(what=what, said=_one_line(error), well=False)
    return Finding(what=what, said=well)


def _require(settings: Settings) -> None:
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN")
    if settings.telegram_proxy is not None:
        proxy_arguments(settings.telegram_proxy.get_secret_value())
    for reference in settings.channels:
        normalised(reference)


def _modes(settings: Settings) -> Finding:
    """Look for what others may read, or we may not write."""
    wrong = [f"chmod {mode:o} {path}" for path, mode in _private(settings) if _is_open(path, mode)]
    if wrong:
        return Finding(what="files", said=f"others can read them, or you cannot write: {'; '.join(wrong)}", well=False)
    return Finding(what="files", said="nobody else can read them")


def _private(settings: Settings) -> Iterator[tuple[Path, int]]:
    """Name what only we should read, and the mode it should have."""
    folder = settings.data_dir
    own = [path for path in sorted(folder.glob("*")) if path.is_file()] if folder.is_dir() else []
    yield folder, private_files.FOLDER_MODE
    if settings.media_path.is_dir():
        yield settings.media_path, private_files.FOLDER_MODE
    for path in (Path(".env"), *own):
        yield path, private_files.FILE_MODE


def _is_open(path: Path, mode: int) -> bool:
    if not path.exists():
        return False
    return bool(stat.S_IMODE(path.stat().st_mode) & ~mode & 0o077) or not os.access(path, os.R_OK | os.W_OK)


def _room(settings: Settings) -> Finding:
    place = next(path for path in (settings.data_dir, *settings.data_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < ROOM:
        said = f"only {free >> 20} MB are free in {place}; delete something, or set DATA_DIR to a larger disk"
        return Finding(what="disk", said=said, well=False)
    return Finding(what="disk", said=f"{free >> 30} GB are free in {place}")


def _sessions(settings: Settings) -> Iterator[Finding]:
    """Look at the reader account's session and, where there is one, that of its standby; the bot's makes itself."""
    for name, login in (
        (sessions.READER, "channelwatch login"),
        (sessions.STANDBY, "channelwatch login --standby"),
    ):
        path = settings.data_dir / name
        if path.exists() or name == sessions.READER:
            yield _session(path, login)


def _session(path: Path, login: str) -> Finding:
    if not path.exists():
        return Finding(what=path.name, said=f"there is none yet; run {login}", well=False)
    try:
        signed_in = is_signed_in(path)
    except ValueError as error:
        said = f"it is no Telethon session ({error}); move it away and run {login}"
        return Finding(what=path.name, said=said, well=False)
    said = "signed in" if signed_in else f"nobody is signed in; run {login}"
    return Finding(what=path.name, said=said, well=signed_in)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    path = settings.database_path
    if not path.exists():
        yield Finding(what="database", said=f"there is none at {path} yet; the first `channelwatch run` makes it")
        return
    try:
        async with open_read_only(path) as db:
            soundness = await _soundness(db, path)
            yield soundness
            if not soundness.well:
                return
            yield await _service(db)
            yield await _files(db, settings)
            for number, reason in (await readers.lost(db)).items():
                said = f"it cannot read any more. {refusal(reason, translator('en'))}"
                yield Finding(what=f"reader account {number}", said=said, well=False)
    except ChannelwatchError as error:
        yield Finding(what="database", said=_one_line(error), well=False)


async def _files(db: Reader, settings: Settings) -> Finding:
    """Count the files of posts, and look whether those that are kept lie where they should."""
    found, lost = await media.statistics(db), await _lost(db, Blobs(settings.media_path))
    said = f"{found.kept} kept ({show_size(found.bytes, translator('en'))}), {found.wanted} on their way"
    if lost:
        said = f"{said}; {lost} are gone from {settings.media_path}: put them back from a backup"
    return Finding(what="files of posts", said=said, well=not lost)


async def _lost(db: Reader, blobs: Blobs) -> int:
    return sum(not blobs.has(sha256) for sha256 in await media.kept_blobs(db))


async def _soundness(db: Reader, path: Path) -> Finding:
    fault = await integrity.fault(db)
    if fault is None:
        return Finding(what="database", said="of this version, and sound")
    said = f"{path} is damaged ({_one_line(fault)}): stop the service, move the file away and put a backup in its place"
    return Finding(what="database", said=said, well=False)


async def _service(db: Reader) -> Finding:
    beat, now = (await heartbeats.last(db)).get(heartbeat.ALIVE), (await clock_of(db))()
    if beat is not None and now - beat < heartbeat.FRESH:
        return Finding(what="service", said="running")
    since = "" if beat is None else f" since {beat:%Y-%m-%d %H:%M} UTC"
    said = f"it has given no sign of life{since}; start it with channelwatch run"
    return Finding(what="service", said=said, well=False)


async def _clock(settings: Settings, timings: Timings) -> Finding:
    """Ask Telegram the time, which also shows whether it can be reached."""
    what = "Telegram and the clock"
    try:
        async with anonymous(settings, timings=timings) as client:
            measured = await measure(client, utc_now)
    except ChannelwatchError as refused:
        return Finding(what=what, said=_one_line(refused), well=False)
    except (TimeoutError, OSError):
        said = "Telegram does not answer; check the network and, where it is blocked, set TELEGRAM_PROXY"
        return Finding(what=what, said=said, well=False)
    if measured.is_wrong:
        seconds, word = abs(measured.behind).total_seconds(), "slow" if measured.behind > timedelta() else "fast"
        said = f"this machine's clock is {seconds:.0f} s {word}; set it by NTP"
        return Finding(what=what, said=said, well=False)
    return Finding(what=what, said="Telegram answers, and the clock is right")


def _one_line(error: object) -> str:
    return "; ".join(str(error).splitlines())
