"""From when to when each channel is complete, what is missing of it, and why, in words for strangers."""

from collections.abc import Collection
from datetime import datetime

from bot.evidence.moments import iso
from bot.monitoring.channel_state import ChannelState, channel_states
from bot.store import channels, evidence, readers
from bot.store.channels import BEGINNING, Channel
from bot.store.database import Reader


async def channel_coverage(
    db: Reader, channel_ids: Collection[int] | None, *, now: datetime
) -> list[dict[str, object]]:
    """Return the coverage of channels; None: of all that are followed."""
    states = {state.channel.id: state for state in await channel_states(db, now)}
    lost = await readers.lost(db)
    found = []
    for channel_id in sorted(states if channel_ids is None else channel_ids):
        channel = await channels.get(db, channel_id)
        if channel is not None:
            found.append(await _of_channel(db, channel, states.get(channel_id), lost.get(channel.read_by or 0)))
    return found


async def _of_channel(db: Reader, channel: Channel, state: ChannelState | None, lost: str | None) -> dict[str, object]:
    is_from_first = channel.complete_from == BEGINNING
    return {
        "id": channel.id,
        "title": channel.title,
        "username": channel.username,
        "network": channel.network,
        "address": channel.address,
        "followed_since": iso(channel.followed_at),
        "complete_from": "its first message" if is_from_first else iso(channel.complete_from),
        "complete_from_message": channel.complete_id,
        "complete_until": iso(channel.swept_at if state is None else state.checked_at),
        "complete_until_message": channel.confirmed_id or None,
        "state": "not followed any more" if state is None else state.status.value,
        "withheld": [each._asdict() for each in channel.withholdings],
        "withheld_seen": iso(channel.withheld_at),
        "gaps": [*_gaps(channel, state, lost), *await _unreadable(db, channel)],
    }


def _gaps(channel: Channel, state: ChannelState | None, lost: str | None) -> list[str]:
    """Say what is known to be missing of a channel."""
    found = []
    if channel.complete_from is None:
        found.append("nothing is known of how complete its past is")
    if channel.unchecked_since is not None:
        found.append(f"edits and deletions since {iso(channel.unchecked_since)} may be missing: Telegram did not say")
    if channel.reason is not None:
        found.append(f"it cannot be read: {channel.reason}")
    if lost is not None:
        found.append(f"the account that read it is lost: {lost}")
    if state is not None and state.stats.missing:
        found.append(f"{state.stats.missing} numbers of messages are empty: on their way, deleted, or no posts")
    if state is not None and state.stats.page is not None:
        found.append(f"since {iso(state.stats.page.since)} it is read through its public web page, minutes late")
    if state is None:
        found.append("it is not read any more")
    return found


async def _unreadable(db: Reader, channel: Channel) -> list[str]:
    return [
        f"message {gap.message_id} could not be read since {iso(gap.since)}: "
        + ("its web page does not show it" if gap.is_on_page else "Telegram is newer than this program")
        for gap in await evidence.unreadable_of(db, channel.id)
    ]
