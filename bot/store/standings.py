"""How complete each followed channel is, as rows tell: its mark, what is above it, and what Telegram did not push."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.store import channels
from bot.store.channels import Access, Channel
from bot.store.database import Reader
from bot.store.rows import COUNTER_BITS, json_list, maybe_date, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One channel."""

    channel: Channel
    last_post_at: datetime | None
    missing: int  # ids above the mark and below the newest stored one: of posts on their way, or of no posts
    posts: int  # since the moment asked about, while a reader was in the channel: before, nothing is pushed
    unpushed: int  # of them, found by asking
    silent_since: datetime | None  # its last post, where people were told that it is unusually silent


_STANDINGS = """
    SELECT k.value ->> 0 AS id, (SELECT max(date) FROM messages WHERE channel_id = k.value ->> 0) AS last,
        (SELECT max(message_id) - c.confirmed_id - count(*) FROM messages
            WHERE channel_id = c.id AND message_id > c.confirmed_id) AS missing,
        (SELECT count(*) FROM messages WHERE channel_id = c.id AND date >= k.value ->> 1) AS posts,
        (SELECT count(*) FROM versions WHERE channel_id = c.id AND number = 1
            AND observed_by IN ('difference', 'sweep') AND id >= (k.value ->> 1) / 1000 << :bits) AS unpushed,
        s.since AS silent_since
    FROM json_each(:keys) k JOIN channels c ON c.id = k.value ->> 0 LEFT JOIN silences s ON s.channel_id = c.id
"""


async def standings(db: Reader, since: datetime) -> list[Standing]:
    """Return how the followed channels stand, by title; posts are counted since a moment."""
    followed = await channels.followed(db)
    keys = [(channel.id, to_ms(max(since, channel.joined_at or since))) for channel in followed]
    rows = await db.fetch_all(_STANDINGS, {"keys": json_list(keys), "bits": COUNTER_BITS})
    by_id: Mapping[int, Mapping[str, int | None]] = {row["id"]: dict(row) for row in rows}
    return [_standing(channel, by_id[channel.id]) for channel in followed]


def _standing(channel: Channel, row: Mapping[str, int | None]) -> Standing:
    is_pushed = channel.access is Access.JOINED
    return Standing(
        channel=channel,
        last_post_at=maybe_date(row["last"]),
        missing=(row["missing"] or 0) if channel.confirmed_id else 0,
        posts=(row["posts"] or 0) if is_pushed else 0,
        unpushed=(row["unpushed"] or 0) if is_pushed else 0,
        silent_since=maybe_date(row["silent_since"]),
    )
