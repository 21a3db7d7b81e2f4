"""The command `doctor`: check this machine, or show how complete each channel is."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console

from bot.cli import cli, console
from bot.cli.output import table
from bot.locales import translator
from bot.locales.refusals import refusal
from bot.models import Network
from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.settings import Settings, load_settings
from bot.store import follows, meta, readers, stats, unreadable
from bot.store.channels import Access
from bot.store.database import open_read_only
from bot.store.follows import FollowState
from bot.store.page_readings import PageReading
from bot.store.unreadable import UnreadableMessage

SPAN = timedelta(days=7)  # in which posts are counted
NAMED = 20  # messages of a channel that cannot be read
WIDE = 1000  # columns of a pipe, so that nothing is cut off in it
COLUMNS = ("Channel", "Mark", "Last post", "Swept", "Verified", "Not pushed", "State")
STATUSES = {
    ChannelStatus.COMPLETE: "complete",
    ChannelStatus.FIRST: "its last posts are being read",
    ChannelStatus.LATE: "LATE: not read as often as it should be",
    ChannelStatus.UNCHECKED: "NOT CHECKED for edits and deletions",
    ChannelStatus.PENDING: "its admins have to let the reader in",
    ChannelStatus.LOST: "LOST",
    ChannelStatus.UNREAD: "NOT READ: no reader account can read it",
    ChannelStatus.PAGE: "read through its web page",
}


@cli.command()
def doctor(
    *,
    gaps: Annotated[bool, typer.Option("--gaps", help="Show how complete each channel is.")] = False,
) -> None:
    """Check this server or, with --gaps, how complete each channel is; exit with 1 if anything is wrong.

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
        states = await channel_states(db, now, since=now - SPAN)
        first_ids = await stats.first_ids(db)
        lines = _unreadable_lines(states, await unreadable.of_followed(db))
        wishes = Counter(follow.state for follow in await follows.all_follows(db))
        lost = await readers.lost(db)
    console.print(f"{len(states)} channels at {now:%Y-%m-%d %H:%M} UTC")
    rows = [_row(state, first_ids.get(state.channel.id)) for state in states]
    (console if console.is_terminal else Console(width=WIDE)).print(table(COLUMNS, rows))
    console.print("Mark: all messages from the first id to the second are stored.", soft_wrap=True)
    days = SPAN.days
    line = f"Not pushed: of the posts of the last {days} days in joined channels, those that asking found first."
    console.print(line, soft_wrap=True)
    if wishes[FollowState.WANTED]:
        console.print(f"Requested and not read yet: {wishes[FollowState.WANTED]}")
    if wishes[FollowState.REFUSED]:
        console.print(f"Could not be followed: {wishes[FollowState.REFUSED]}; /channels says why")
    for line in lines:
        console.print(line, soft_wrap=True)
    for number, reason in lost.items():
        console.print(f"Reader account {number} cannot read: {refusal(reason, translator('en'))}", soft_wrap=True)
    return not lost and not any(state.has_gap for state in states)


def _row(state: ChannelState, first_id: int | None) -> tuple[str, ...]:
    channel = state.channel
    verifying = "" if channel.verify_from is None else f", now at {channel.verify_from}"
    posts, unpushed = state.stats.posts, state.stats.unpushed
    share = f"{unpushed} of {posts} ({unpushed / posts if posts else 0.0:.1%})"
    return (
        channel.called,
        f"{first_id}–{channel.confirmed_id}" if first_id and channel.confirmed_id else "–",
        _date(state.stats.last_post_at),
        _date(channel.swept_at),
        _date(channel.verified_at) + verifying if channel.network is Network.TELEGRAM else "–",
        share if channel.access is Access.JOINED else "–",  # nothing is pushed to those outside
        "; ".join(_remarks(state)),
    )


def _remarks(state: ChannelState) -> list[str]:
    channel, found = state.channel, state.stats
    remarks = [] if state.status is ChannelStatus.COMPLETE and found.has_hole else [STATUSES[state.status]]
    if state.status is ChannelStatus.LOST and channel.reason:
        remarks = [f"{STATUSES[state.status]}: {refusal(channel.reason, translator('en'))}"]
    if state.status is ChannelStatus.UNCHECKED:
        remarks = [f"{STATUSES[state.status]} since {_date(state.checked_at)}: Telegram fails to give them"]
    if found.page is not None:
        remarks += _page_remarks(found.page)
    if found.missing:
        remarks.append(f"hole: {found.missing} ids above the mark")
    if found.is_read_again:
        remarks.append("hole: its history is read again down to the mark")
    if found.unreadable:
        remarks.append(f"hole: {found.unreadable} messages cannot be read")
    if channel.fast:
        remarks.append("fast")
    if found.silent_since is not None:
        remarks.append("unusually silent")
    return remarks


def _page_remarks(page: PageReading) -> Iterator[str]:
    yield f"since {_date(page.since)}, last at {_date(page.read_at)}"
    if page.trouble:
        yield refusal(page.trouble, translator("en"))
    if page.gap_below is not None:
        yield f"hole: from {page.last_id} to {page.gap_below}, being read"


def _unreadable_lines(states: Sequence[ChannelState], found: Sequence[UnreadableMessage]) -> Iterator[str]:
    """Name the messages that cannot be read, in a line for each channel and reason, and what to do about them."""
    names = {state.channel.id: state.channel.called for state in states}
    hidden = sorted((each for each in found if each.is_on_page), key=lambda each: each.channel_id)
    if hidden:
        yield "Web pages do not show these; a reader account reads them once it can:"
    for channel_id, shown in groupby(hidden, key=lambda each: each.channel_id):
        yield f"  {names[channel_id]}: {_ids(list(shown))}"
    found = [each for each in found if not each.is_on_page]
    if found:
        yield "Telegram is newer than this program; update channelwatch, and these are read again:"
    by_reason = groupby(sorted(found, key=_reason), key=_reason)
    for (channel_id, constructor), group in by_reason:
        messages = list(group)
        why = f"constructor {constructor:#010x} unknown" if constructor else "unknown form"
        since = _date(min(message.since for message in messages))
        yield f"  {names[channel_id]}: {_ids(messages)}: {why}, since {since}"


def _ids(messages: Sequence[UnreadableMessage]) -> str:
    ids = ", ".join(str(message.message_id) for message in messages[:NAMED])
    return ids + (f" and {len(messages) - NAMED} more" if len(messages) > NAMED else "")


def _reason(message: UnreadableMessage) -> tuple[int, int]:
    return message.channel_id, message.constructor or 0


def _date(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%m-%d %H:%M}"
