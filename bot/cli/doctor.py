"""The check-up: what can be wrong on this machine, or how complete each channel is."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.shell import cli, console
from bot.locales import translator
from bot.locales.refusals import refusal
from bot.monitoring.channel_state import Delays, State
from bot.settings import Settings, load_settings
from bot.store import follows, meta, pace, readers, stats
from bot.store.channels import Access
from bot.store.database import open_read_only
from bot.store.follows import FollowState
from bot.store.stats import Standing

SPAN = timedelta(days=7)  # in which posts are counted
WIDE = 1000  # columns of a pipe, so that nothing is cut off in it
COLUMNS = ("Channel", "Mark", "Last post", "Swept", "Verified", "Not pushed", "State")
STATES = {
    State.COMPLETE: "complete",
    State.FIRST: "its last posts are being read",
    State.LATE: "LATE: not read as often as it should be",
    State.PENDING: "its admins have to let the reader in",
    State.LOST: "LOST",
    State.UNREAD: "NOT READ: its reader account is lost",
}


@cli.command()
def doctor(
    *,
    gaps: Annotated[bool, typer.Option("--gaps", help="Show how complete each channel is.")] = False,
) -> None:
    """Check what can be wrong here, or with --gaps how complete each channel is; exit with 1 if something is.

    Example: channelwatch doctor --gaps
    """
    if gaps:
        is_well = asyncio.run(_show_gaps(load_settings()))
    else:
        from bot.cli import checks  # noqa: PLC0415 - Telethon, which takes an eighth of a second

        is_well = asyncio.run(checks.show())
    if not is_well:
        raise typer.Exit(1)


async def _show_gaps(settings: Settings) -> bool:
    """Print how complete each channel is; return whether nothing is missing."""
    async with open_read_only(settings.database_path) as db:
        now = (await meta.clock(db))()
        found = await stats.standings(db, now - SPAN)
        first_ids = await stats.first_ids(db)
        wishes = Counter(follow.state for follow in await follows.all_follows(db))
        lost = await readers.lost(db)
        delays = Delays.of([standing.channel for standing in found], await pace.get(db))
    states = {standing.channel.id: delays.state_of(standing.channel, now) for standing in found}
    table = Table()
    for column in COLUMNS:
        table.add_column(column, overflow="fold")  # a narrow terminal breaks lines, and hides nothing
    for standing in found:
        row = _row(standing, states[standing.channel.id], first_ids.get(standing.channel.id))
        table.add_row(*map(Text, row))  # titles are no markup
    console.print(f"{len(found)} channels at {now:%Y-%m-%d %H:%M} UTC")
    (console if console.is_terminal else Console(width=WIDE)).print(table)
    console.print("Mark: all messages from the first id up to the second are stored.", soft_wrap=True)
    console.print(
        "Not pushed: of the posts of the last 7 days in joined channels, those that asking found first.", soft_wrap=True
    )
    if wishes[FollowState.WANTED]:
        console.print(f"Asked for and not read yet: {wishes[FollowState.WANTED]}")
    if wishes[FollowState.REFUSED]:
        console.print(f"Could not be followed: {wishes[FollowState.REFUSED]}; /channels says why")
    for number, reason in lost.items():
        console.print(f"Reader account {number} cannot read: {refusal(reason, translator('en'))}", soft_wrap=True)
    has_hole = any(standing.has_hole for standing in found)
    return not (lost or has_hole or {State.LATE, State.LOST, State.UNREAD} & set(states.values()))


def _row(standing: Standing, state: State, first_id: int | None) -> tuple[str, ...]:
    channel = standing.channel
    name = f"@{channel.username}" if channel.username else channel.title
    verifying = "" if channel.verify_from is None else f", now at {channel.verify_from}"
    return (
        name,
        f"{first_id}–{channel.confirmed_id}" if first_id and channel.confirmed_id else "–",
        _date(standing.last_post_at),
        _date(channel.swept_at),
        _date(channel.verified_at) + verifying,
        _unpushed(standing),
        "; ".join(_remarks(standing, state)),
    )


def _unpushed(standing: Standing) -> str:
    if standing.channel.access is not Access.JOINED:
        return "–"  # nothing is pushed to those outside
    ratio = standing.unpushed / standing.posts if standing.posts else 0.0
    return f"{standing.unpushed} of {standing.posts} ({ratio:.1%})"


def _remarks(standing: Standing, state: State) -> list[str]:
    channel = standing.channel
    remarks = [] if state is State.COMPLETE and standing.has_hole else [STATES[state]]
    if state is State.LOST and channel.reason:
        remarks = [f"{STATES[state]}: {refusal(channel.reason, translator('en'))}"]
    if standing.missing:
        remarks.append(f"hole: {standing.missing} ids above the mark")
    if standing.is_read_again:
        remarks.append("hole: its history is read again down to the mark")
    if channel.fast:
        remarks.append("fast")
    if standing.silent_since is not None:
        remarks.append("unusually silent")
    return remarks


def _date(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%m-%d %H:%M}"
