"""Rules for posts that were seen on the web page of their channel, and what such pages showed last.

A page shows no id of media, no group and no time of an edit, so that only texts are compared: with what the page itself
showed before. What Telegram says replaces what a page showed of the same wording, without an alert.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from bot.models import Event, Post, PostKey, is_page_album
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, read_all, to_ms
from bot.store.version_rows import MessageKey, StoredMessage
from bot.text.plain import plain_hash, plain_text

PAGE_LAG = timedelta(minutes=10)  # by which a page may be behind Telegram …
BACK_AFTER = timedelta(hours=1)  # … and after which one proves that a message is visible that was gone
LOOKS_KEPT = 500  # messages of a channel, the newest: its page shows twenty, and is read again further back at most
APART = timedelta(hours=3)  # between two answers that a post is not found, of which the second is believed

IsReworded = Callable[[str, str], bool]  # tells whether words were replaced between two texts


class AfterPage(Enum):
    """What Telegram's post is to the version that a page showed of it."""

    SAME = "same"  # its evidence, and what the page does not show
    EDIT = "edit"
    OLD = "old"  # what it said before, pushed late


def after_page(message: StoredMessage, post: Post, *, is_proof: bool) -> AfterPage:
    """Compare Telegram's post with what a page showed of it; `is_proof`: Telegram was asked, it is no late push.

    A page does not say which item of an album has the caption, and shows some texts in its own way: what Telegram says
    was never edited is what the page showed first.
    """
    shown, told = plain_text(message.text), plain_text(post.text)
    is_caption_moved = is_page_album(message.grouped_id) and not (shown and told)
    if shown == told or is_caption_moved or (post.edit_date is None and len(message.versions) == 1):
        return AfterPage.SAME
    return AfterPage.EDIT if post.edit_date is not None or is_proof else AfterPage.OLD


def is_page_edit(message: StoredMessage, post: Post, is_reworded: IsReworded) -> bool:
    """Tell whether a page shows an edit of what Telegram has told us.

    The first look at a page is only noted, since pages show some texts in their own way; unless it says that the post
    was edited, which Telegram has not told us, and words are others.
    """
    if plain_text(post.text) == plain_text(message.text):
        return False
    if message.look is not None:
        return message.look != plain_hash(post.text)
    return post.is_edited and not message.edit_date and is_reworded(message.text, post.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlbumItem:
    """A stored message of an album."""

    channel_id: int
    message_id: int
    grouped_id: int | None
    text: str


_ITEMS = """SELECT p.channel_id, p.message_id, p.grouped_id, v.text FROM json_each(:keys) k
    JOIN posts p ON p.channel_id = k.value ->> 0 AND p.message_id = k.value ->> 1 JOIN versions v ON v.id = p.version_id
    ORDER BY p.message_id"""


async def settle_albums(tx: Reader, events: Sequence[Event]) -> tuple[Event, ...]:
    """Return what a page showed with albums as they are stored: with their group, the caption where it is."""
    albums = defaultdict[MessageKey, list[Post]](list)
    for event in events:
        if isinstance(event, Post) and is_page_album(event.grouped_id):
            albums[event.channel_id, event.grouped_id or 0].append(event)
    if not albums:
        return tuple(events)
    keys = json_list((post.channel_id, post.message_id) for items in albums.values() for post in items)
    stored = {
        (item.channel_id, item.message_id): item
        for item in read_all(_AlbumItem, await tx.fetch_all(_ITEMS, {"keys": keys}))
    }
    settled = {
        id(post): new for items in albums.values() for post, new in zip(items, _settle(items, stored), strict=True)
    }
    return tuple(settled.get(id(event), event) for event in events)


def _settle(items: Sequence[Post], stored: Mapping[MessageKey, _AlbumItem]) -> list[Post]:
    known = [item for post in items if (item := stored.get((post.channel_id, post.message_id))) is not None]
    groups = sorted({item.grouped_id for item in known if item.grouped_id}, key=is_page_album)  # Telegram's first
    grouped = [replace(post, grouped_id=groups[0]) if groups else post for post in items]
    holders = {item.message_id: item.text for item in known if item.text.strip()}
    if len(holders) > 1:  # of which a page shows none, or one, or all
        return [replace(post, text=holders.get(post.message_id, "")) for post in grouped]
    captioned = next((post for post in grouped if post.text), None)
    if not holders or (captioned is not None and captioned.message_id in holders):
        return grouped
    caption = captioned or replace(grouped[0], text="", entities=())
    return [
        replace(post, text=caption.text, entities=caption.entities)
        if post.message_id in holders
        else replace(post, text="", entities=())
        for post in grouped
    ]


async def looks(tx: Reader, keys: Iterable[MessageKey]) -> dict[MessageKey, bytes]:
    """Return the hashes of the plain form in which pages showed messages since Telegram told what they say now."""
    rows = await tx.fetch_all(
        """SELECT l.channel_id, l.message_id, l.plain FROM json_each(:keys) k
        JOIN page_looks l ON l.channel_id = k.value ->> 0 AND l.message_id = k.value ->> 1
        JOIN posts p ON p.channel_id = l.channel_id AND p.message_id = l.message_id
        JOIN versions v ON v.id = p.version_id WHERE l.seen_at >= v.seen_at""",
        {"keys": json_list(keys)},
    )
    return {(row["channel_id"], row["message_id"]): row["plain"] for row in rows}


async def put_looks(tx: Transaction, seen: Mapping[MessageKey, bytes], *, now: int) -> None:
    """Write down how pages show messages that Telegram has told us, `now` in ms; what is shown is not missing."""
    await tx.execute_many(
        """INSERT INTO page_looks (channel_id, message_id, plain, seen_at) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET plain = excluded.plain, seen_at = excluded.seen_at, missing_since = NULL,
            not_found_at = NULL""",
        [(*key, plain, now) for key, plain in seen.items()],
    )


async def regroup(tx: Transaction, groups: Mapping[tuple[int, str], int]) -> None:
    """Give posts, by channel and key, the `grouped_id` that Telegram names, wherever a post is known by its key."""
    values = [{"channel": key[0], "old": key[1], "group": group, "new": f"g{group}"} for key, group in groups.items()]
    of_post = "WHERE channel_id = :channel AND post_key = :old"
    await tx.execute_many(f"UPDATE posts SET grouped_id = :group {of_post}", values)  # noqa: S608 - our own words
    for table in ("alerts", "feedback"):
        await tx.execute_many(f"UPDATE OR IGNORE {table} SET post_key = :new {of_post}", values)  # noqa: S608 - likewise


async def move_alerts(tx: Transaction, post: PostKey, *, old: int, new: int) -> None:
    """Let the alerts of an album show the version of the item that has the caption."""
    await tx.execute(
        """UPDATE alerts SET version_id = :new, shown_version_id = :new
        WHERE channel_id = :channel AND post_key = :key AND shown_version_id = :old""",
        {"channel": post[0], "key": post[1], "old": old, "new": new},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPost:
    """A visible message that a page does not show any more, between others that it shows."""

    message_id: int
    missing_since: datetime
    not_found_at: datetime | None  # when its own page first said that there is no such post

    def is_due(self, now: datetime) -> bool:
        """Tell whether its own page is to be asked."""
        return self.not_found_at is None or now - self.not_found_at >= APART


async def set_missing(
    tx: Transaction, channel_id: int, ids: Iterable[int], *, shown: Iterable[int], now: datetime
) -> None:
    """Write down which messages of a channel its page misses, and those that are shown again."""
    await tx.execute_many(
        """INSERT INTO page_looks (channel_id, message_id, missing_since) VALUES (:channel, :id, :now)
        ON CONFLICT DO UPDATE SET missing_since = coalesce(missing_since, excluded.missing_since)""",
        [{"channel": channel_id, "id": message_id, "now": to_ms(now)} for message_id in ids],
    )
    await tx.execute(
        """UPDATE page_looks SET missing_since = NULL, not_found_at = NULL WHERE channel_id = :channel
        AND missing_since IS NOT NULL AND message_id IN (SELECT value FROM json_each(:ids))""",
        {"channel": channel_id, "ids": json_list(shown)},
    )


async def missing(db: Reader, channel_id: int) -> list[MissingPost]:
    """Return the messages that a channel's page misses and that are not known to be gone, the longest missing first."""
    rows = await db.fetch_all(
        """SELECT l.message_id, l.missing_since, l.not_found_at FROM page_looks l
        JOIN posts p ON p.channel_id = l.channel_id AND p.message_id = l.message_id AND p.gone_at IS NULL
        WHERE l.channel_id = :channel AND l.missing_since IS NOT NULL ORDER BY l.missing_since, l.message_id""",
        {"channel": channel_id},
    )
    return read_all(MissingPost, rows)


async def set_not_found(tx: Transaction, channel_id: int, message_id: int, *, now: datetime) -> None:
    """Write down that a message's own page says that there is no such post."""
    await tx.execute(
        """UPDATE page_looks SET not_found_at = coalesce(not_found_at, :now)
        WHERE channel_id = :channel AND message_id = :id""",
        {"channel": channel_id, "id": message_id, "now": to_ms(now)},
    )


async def forget_old(tx: Transaction) -> None:
    """Forget how pages showed messages that are read there no more."""
    await tx.execute(
        """DELETE FROM page_looks WHERE message_id < (SELECT message_id FROM posts p
            WHERE p.channel_id = page_looks.channel_id ORDER BY message_id DESC LIMIT 1 OFFSET :kept)""",
        {"kept": LOOKS_KEPT},
    )
