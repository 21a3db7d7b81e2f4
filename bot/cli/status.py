"""The command `status`: the figures of the service, for whoever runs it."""

import asyncio
import platform
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from operator import itemgetter

from bot import __version__
from bot.cli import cli, console
from bot.cli.output import plain
from bot.locales import translator
from bot.locales.locale import show_span
from bot.locales.refusals import refusal
from bot.models import Network
from bot.monitoring import heartbeat
from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.settings import load_settings
from bot.store import follows, media, meta, outbox, posts, readers, stats, witnesses
from bot.store.channels import Access
from bot.store.database import Reader, open_read_only
from bot.store.follows import FollowState

Line = tuple[str, str]
_MOMENT = "%Y-%m-%d %H:%M"
_ACCESS = {
    Access.JOINED: "joined",
    Access.POLLED: "from outside",
    Access.PENDING: "waiting for their admins",
    Access.LOST: "lost",
}


@cli.command()
def status() -> None:
    """Show the figures of the service: channels, completeness, posts, delays, alerts, requests to Telegram.

    Posts and alerts are counted since midnight, UTC. `doctor --gaps` has a line for each channel.

    Example: channelwatch status
    """
    asyncio.run(_show())


async def _show() -> None:
    async with open_read_only(load_settings().database_path) as db:
        now = (await meta.clock(db))()
        since = now.replace(hour=0, minute=0, second=0, microsecond=0)
        states = await channel_states(db, now, since=since)
        fault = await heartbeat.find_fault(db)
        lines = [
            ("Service", "healthy" if fault is None else f"NOT healthy: it {fault}"),
            await _channel_line(db, states),
            *_completeness_lines(states),
            *await _post_lines(db, states, since),
            *await _alert_lines(db, since),
            *await _witness_lines(db),
            *await _request_lines(db, now),
            ("Versions", _versions()),
        ]
    for name, value in lines:
        console.print(f"{name:<14}{plain(value)}", soft_wrap=True)


def _versions() -> str:
    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    return f"channelwatch {__version__}, Telethon {version('telethon')}, Python {python}, SQLite {sqlite}"


async def _channel_line(db: Reader, states: Sequence[ChannelState]) -> Line:
    """Count the channels by the way in which they are read, and the requests that are not channels yet."""
    telegram = [state for state in states if state.channel.network is Network.TELEGRAM]
    counts = Counter(state.channel.access or Access.PENDING for state in telegram if state.stats.page is None)
    facts = [f"{counts[access]:,} {words}" for access, words in _ACCESS.items() if counts[access]]
    if pages := sum(state.status is ChannelStatus.PAGE for state in states):
        facts.append(f"{pages:,} through their web pages")
    if unread := sum(state.status is ChannelStatus.UNREAD for state in states):
        facts.append(f"{unread:,} NOT READ")
    if sites := len(states) - len(telegram):
        facts.append(f"{sites:,} {'site' if sites == 1 else 'sites'}")
    wishes = Counter(follow.state for follow in await follows.all_follows(db))
    if wishes[FollowState.WANTED]:
        facts.append(f"{wishes[FollowState.WANTED]:,} not checked yet")
    if wishes[FollowState.REFUSED]:
        facts.append(f"{wishes[FollowState.REFUSED]:,} could not be followed")
    delays = [state.delay for state in telegram if state.channel.access is Access.POLLED]
    if delays:
        facts.append(f"those outside up to {_span(max(delays).total_seconds())} late")
    return "Channels", f"{len(states):,}" + (f": {', '.join(facts)}" if facts else "")


def _completeness_lines(states: Sequence[ChannelState]) -> Iterator[Line]:
    """Say when channels were checked and verified, and which are the worst."""
    checks = [state.checked_at for state in states if state.checked_at is not None]
    if checks:
        yield "Checked", f"{len(checks):,} of {len(states):,} up to {min(checks):{_MOMENT}} UTC or later"
    verified = [state.channel for state in states if state.is_verified]
    dates = [(channel.verified_at, channel) for channel in verified if channel.verified_at is not None]
    if states:
        time, oldest = min(dates, key=itemgetter(0)) if dates else (None, None)
        longest = f"; longest ago «{oldest.title}», {time:{_MOMENT}} UTC" if oldest is not None else ""
        yield "Verified", f"{len(verified):,} of {len(states):,}{longest}"
    if holes := [state for state in states if state.stats.has_hole]:
        worst = max(holes, key=lambda state: state.stats.missing)
        yield "Gaps", f"{len(holes):,} being filled, the largest in «{worst.channel.title}»"
    if hidden := sum(state.stats.hidden for state in states):
        yield "Not on pages", f"{hidden:,} posts, which only a reader account can read"
    if unreadable := sum(state.stats.unreadable - state.stats.hidden for state in states):
        yield "Unreadable", f"{unreadable:,} posts, because Telegram is newer: update channelwatch"


async def _post_lines(db: Reader, states: Sequence[ChannelState], since: datetime) -> list[Line]:
    """Count the posts, how late they were stored, and those that Telegram did not push."""
    stored = await posts.archive_stats(db, since=since)
    latest = "" if stored.last_seen_at is None else f"; the latest came at {stored.last_seen_at:{_MOMENT}} UTC"
    lines = [("Posts", f"{stored.messages:,} stored, {stored.recent:,} of today{latest}")]
    if took := _latencies(await stats.seen_latencies(db, since)):
        lines.append(("Stored", f"{took} of being published, today"))
    total = sum(state.stats.posts for state in states)
    if unpushed := sum(state.stats.unpushed for state in states):
        worst = max((state.stats for state in states), key=lambda each: each.unpushed)
        most = f"most in «{worst.channel.title}»: {worst.unpushed:,} of {worst.posts:,}"
        lines.append(("Not pushed", f"{unpushed:,} of today's {total:,} in joined channels; {most}"))
    if pruned := await media.count_pruned(db):
        lines.append(("Files", f"{pruned:,} old ones removed to make room"))
    return lines


async def _alert_lines(db: Reader, since: datetime) -> list[Line]:
    counts = await outbox.statistics(db, since=since)
    facts = f"{counts.sent:,} sent today, {counts.due:,} waiting, {counts.dead:,} refused by Telegram today"
    lines = [("Alerts", facts)]
    if took := _latencies(await stats.alert_latencies(db, since)):
        lines.append(("Sent", f"{took} of the post being stored, today"))
    return lines


async def _witness_lines(db: Reader) -> list[Line]:
    """Say how often public web pages and reader accounts have shown the same text."""
    found = await witnesses.agreement(db)
    facts = f"{found.compared:,} posts compared with web pages, {found.unequal:,} texts not alike"
    return [("Pages", facts)] if found.compared else []


async def _request_lines(db: Reader, now: datetime) -> list[Line]:
    """Count the requests to Telegram, and name its pauses and the accounts that cannot read."""
    lines = [("Requests", f"{await readers.requests_last_hour(db, now):,} to Telegram in the last hour")]
    for method, until in sorted((await readers.flood_waits(db, now)).items()):
        lines.append(("Pause", f"{method} until {until:{_MOMENT}} UTC, as Telegram asks"))
    for number, reason in (await readers.lost(db)).items():
        lines.append(("LOST", f"reader account {number}: {refusal(reason, translator('en'))}"))
    return lines


def _latencies(ascending: Sequence[float]) -> str:
    if not ascending:
        return ""
    return f"half within {_span(quantile(ascending, 0.5))}, 95% within {_span(quantile(ascending, 0.95))}"


def _span(seconds: float) -> str:
    return show_span(seconds, translator("en"))


def quantile(ascending: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
