"""The checks of `channelwatch doctor`, from the settings to the clock, each with advice where something is wrong."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from bot.bootstrap import reference_of
from bot.cli.check import Check, failed, print_check
from bot.cli.network_checks import check_port, check_stamps
from bot.errors import ChannelwatchError, SettingsError
from bot.locales import translator
from bot.locales.locale import show_size
from bot.locales.refusals import refusal
from bot.matching.topics import read_folder
from bot.matching.words.inflection import Inflector
from bot.monitoring import heartbeat
from bot.monitoring.channel_state import ChannelStatus, channel_states
from bot.runtime import private_files, tesseract
from bot.runtime.clock import utc_now
from bot.runtime.proxies import proxy_of
from bot.runtime.web import check_proxy
from bot.settings import Settings, load_settings
from bot.store import long_posts, media, meta, pictures, readers, redactions, targets
from bot.store.blobs import Blobs
from bot.store.database import Reader, open_read_only
from bot.store.integrity import find_damage
from bot.store.pictures import PictureCounts
from bot.store.targets import PAUSED, Target
from bot.telegram import sessions
from bot.telegram.client import PATIENT, Timings, anonymous
from bot.telegram.clock import measure
from bot.telegram.rpc import ask

ROOM = 1 << 30  # bytes that should be free: the archive of 500 channels takes some months to fill it


async def show() -> bool:
    """Print a line for each check; return whether all is well."""
    is_well = True
    async for check in run_checks():
        print_check(check)
        is_well = is_well and check.is_well
    return is_well


async def run_checks(*, timings: Timings = PATIENT) -> AsyncIterator[Check]:
    """Run the checks one after another; without settings there is no other."""
    try:
        settings = load_settings()
    except SettingsError as error:
        yield failed("settings", _one_line(error))
        return
    yield _attempt("settings", "complete", lambda: _require(settings))
    yield _attempt("topics of your own", "readable", lambda: read_folder(settings.topics_path))
    yield _dictionaries()
    yield _modes(settings)
    yield _room(settings)
    async for check in _sessions(settings, timings):
        yield check
    async for check in _database(settings):
        yield check
    async for check in check_stamps(settings):
        yield check
    if settings.http_port and settings.database_path.exists():
        yield await check_port(settings.http_host, settings.http_port)
    yield await _clock(settings, timings)


def _attempt(name: str, outcome: str, attempt: Callable[[], object]) -> Check:
    try:
        attempt()
    except ChannelwatchError as error:
        return failed(name, _one_line(error))
    return Check(name=name, outcome=outcome)


def _require(settings: Settings) -> None:
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN")
    proxy_of(settings)
    for reference in settings.channels:
        reference_of(reference)


def _dictionaries() -> Check:
    if Inflector().has_ukrainian:
        return Check(name="dictionaries", outcome="Russian and Ukrainian")
    advice = "Ukrainian words are found as they are typed only; pip install pymorphy3-dicts-uk (GPLv3) adds their forms"
    return Check(name="dictionaries", outcome=f"Russian; {advice}")


def _modes(settings: Settings) -> Check:
    """Look for files that others may read, or that we may not write."""
    folder, media_folder = settings.data_dir, settings.media_path
    files = [path for path in sorted(folder.glob("*")) if path.is_file()] if folder.is_dir() else []
    # Who may write into a folder can exchange its files; who may look into it sees names.
    wrong = [f"chmod go-w {path}" for path in (folder, media_folder) if path.is_dir() and path.stat().st_mode & 0o022]
    wrong += [
        f"chmod {private_files.FILE_MODE:o} {path}"
        for path in (Path(".env"), *files)
        if path.exists()
        and (path.stat().st_mode & ~private_files.FILE_MODE & 0o077 or not os.access(path, os.R_OK | os.W_OK))
    ]
    if wrong:
        return failed("files", f"others can read or exchange them, or you cannot write: {'; '.join(wrong)}")
    return Check(name="files", outcome="nobody else can read them")


def _room(settings: Settings) -> Check:
    place = next(path for path in (settings.data_dir, *settings.data_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < ROOM:
        return failed(
            "disk", f"only {free >> 20} MB are free in {place}; delete something, or set DATA_DIR to a larger disk"
        )
    return Check(name="disk", outcome=f"{free >> 30} GB are free in {place}")


async def _sessions(settings: Settings, timings: Timings) -> AsyncIterator[Check]:
    """Look at the reader account's session and, where there is one, that of its standby; the bot's makes itself."""
    for name, login in (
        (sessions.READER, "channelwatch login"),
        (sessions.STANDBY, "channelwatch login --standby"),
    ):
        path = settings.data_dir / name
        if not path.exists():
            if name == sessions.READER:
                yield _without_reader(settings, login)
            continue
        try:
            has_key = sessions.has_key(path)
        except ValueError as error:
            yield failed(name, f"it is no Telethon session ({error}); move it away and run {login}")
        else:
            nobody = failed(name, f"nobody is signed in; run {login}")
            yield await _login(settings, path, nobody, timings) if has_key else nobody


def _without_reader(settings: Settings, login: str) -> Check:
    """Say what works without a reader account; through a proxy of Telegram's own, no web page comes."""
    try:
        check_proxy(proxy_of(settings))
    except SettingsError as error:
        return failed(
            sessions.READER, f"there is none, and without it nothing is read: {_one_line(error)}; or run {login}"
        )
    pages = "none: public channels are read through their web pages"
    return Check(name=sessions.READER, outcome=f"{pages}; {login} adds private ones, and all within seconds")


async def _login(settings: Settings, path: Path, nobody: Check, timings: Timings) -> Check:
    """Ask Telegram who is signed in with a session, unless the service uses it, which says itself where nobody is."""
    name = path.name
    try:
        with sessions.lock(path):
            async with anonymous(settings, key_of=path, timings=timings) as client:
                me = await ask(client.get_me())
    except sessions.InUseError:
        return Check(name=name, outcome="the service uses it")
    except (SettingsError, TimeoutError, OSError):  # other checks say so
        return Check(name=name, outcome="it holds a key; whether somebody is signed in could not be asked")
    except ChannelwatchError as error:
        return failed(name, _one_line(error))
    if me is not None and me.bot:
        return failed(
            name, "it belongs to a bot, and bots cannot read channels; delete it, then run channelwatch login"
        )
    return nobody if me is None else Check(name=name, outcome="signed in")


async def _database(settings: Settings) -> AsyncIterator[Check]:
    path = settings.database_path
    if not path.exists():
        yield Check(name="database", outcome=f"there is none at {path} yet; the first `channelwatch run` makes it")
        return
    try:
        async with open_read_only(path) as db:
            if (fault := await asyncio.to_thread(find_damage, path)) is not None:
                advice = "stop the service, then: channelwatch restore BACKUP"
                yield failed("database", f"{path} is damaged ({_one_line(fault)}): {advice}")
                return
            yield Check(name="database", outcome="of this version, and sound")
            if await redactions.has_traces(db):
                advice = "stop the service, then run that `channelwatch redact LINK` again"
                yield failed("redaction", f"it was cut off, and traces of the words are left: {advice}")
            yield await _service(db)
            yield await _files(db, settings)
            yield await _channels(db)
            if (counts := await pictures.statistics(db)).channels:
                yield await _pictures(counts, settings)
            if missing := await long_posts.count_missing(db):
                yield Check(name="long posts", outcome=f"of {missing} the end is missing; it is asked for again")
            if found := await targets.everyone(db, (await meta.clock(db))()):
                yield _targets(found)
            for number, reason in (await readers.lost(db)).items():
                outcome = f"it cannot read any more. {refusal(reason, translator('en'))}"
                yield failed(f"reader account {number}", outcome)
    except ChannelwatchError as error:
        yield failed("database", _one_line(error))


async def _channels(db: Reader) -> Check:
    """Look for channels that were not read, or not checked for edits and deletions, for too long."""
    states = await channel_states(db, (await meta.clock(db))())
    behind = [state for state in states if state.status in {ChannelStatus.LATE, ChannelStatus.UNCHECKED}]
    if not behind:
        return Check(name="channels", outcome=f"{len(states)} followed, none of them behind")
    checked = [state.checked_at for state in behind]
    known = [moment for moment in checked if moment is not None]
    since = f"since {min(known):%Y-%m-%d %H:%M} UTC" if len(known) == len(checked) else "ever"
    return failed(
        "channels", f"{len(behind)} of {len(states)} not checked {since}; channelwatch doctor --gaps says which"
    )


def _targets(found: Sequence[Target]) -> Check:
    """Look for targets that take nothing."""
    failing = [each.chat.title for each in found if each.failing_since is not None and each.chat.suspended is None]
    stopped = [each.chat.title for each in found if each.chat.suspended not in {None, PAUSED}]
    if failing or stopped:
        advice = "channelwatch targets test says why" if failing else "switch them on again in the chat: /targets"
        return failed("targets", f"{', '.join(failing + stopped)} take nothing: {advice}")
    return Check(name="targets", outcome=f"{len(found)}, all of them well")


async def _files(db: Reader, settings: Settings) -> Check:
    """Count the files of posts, and look whether each kept one is on the disk."""
    found, blobs = await media.statistics(db), Blobs(settings.media_path)
    lost = sum(not blobs.has(sha256) for sha256 in await media.kept_blobs(db))
    size = f"{show_size(found.bytes, translator('en'))} of at most {settings.media_max_total_gb:g} GB"
    outcome = f"{found.kept} kept ({size}), {found.wanted} on their way"
    if found.pruned:
        outcome = f"{outcome}; the oldest {found.pruned} were removed to make room (MEDIA_MAX_TOTAL_GB)"
    if lost:
        outcome = f"{outcome}; {lost} are gone from {settings.media_path}: put them back from a backup"
    return Check(name="files of posts", outcome=outcome, is_well=not lost)


async def _pictures(counts: PictureCounts, settings: Settings) -> Check:
    """Look for the program that reads text in pictures, where a channel wants that."""
    name, engine = "text in pictures", await tesseract.find(settings.ocr_languages)
    missing = [each for each in settings.ocr_languages if engine is None or each not in engine.languages]
    packages = " ".join(f"tesseract-ocr-{each}" for each in missing)
    if engine is None:
        return failed(name, f"tesseract is not there: apt install tesseract-ocr {packages} (in Docker: OCR=1)")
    outcome = f"{engine.name}: {counts.read} read, {counts.wanted} waiting, {counts.left} given up"
    if missing:
        outcome = f"{outcome}; for more languages of OCR_LANGUAGES: apt install {packages}"
    if not settings.media_max_mb:
        return failed(name, "MEDIA_MAX_MB is 0, so that no picture is downloaded")
    return Check(name=name, outcome=outcome)


async def _service(db: Reader) -> Check:
    fault = await heartbeat.find_fault(db)
    if fault is None:
        return Check(name="service", outcome="running")
    advice = "" if fault.startswith("runs") else "; start it with channelwatch run"
    return failed("service", f"it {fault}{advice}")


async def _clock(settings: Settings, timings: Timings) -> Check:
    """Ask Telegram the time, which also shows whether it can be reached."""
    name = "Telegram and the clock"
    try:
        async with anonymous(settings, timings=timings) as client:
            measured = await measure(client, utc_now)
    except ChannelwatchError as refused:
        return failed(name, _one_line(refused))
    except (TimeoutError, OSError):
        return failed(name, "Telegram does not answer; check the network and, where it is blocked, set TELEGRAM_PROXY")
    if measured.is_wrong:
        seconds, word = abs(measured.behind).total_seconds(), "slow" if measured.behind > timedelta() else "fast"
        return failed(name, f"this machine's clock is {seconds:.0f} s {word}; set it by NTP")
    return Check(name=name, outcome="Telegram answers, and the clock is right")


def _one_line(error: object) -> str:
    return "; ".join(str(error).splitlines())
