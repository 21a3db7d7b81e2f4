"""Sites: how each is read, and which message each entry of its feed is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.models import Network
from bot.store import channels, marks
from bot.store.channels import Access, Channel, ResolvedChannel
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, read, read_all, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A followed site, and how its reading goes."""

    channel_id: int
    address: str  # of its feed
    title: str
    followed_at: datetime
    swept_at: datetime | None  # when it was last read
    last_post_at: datetime | None  # the date of its newest post
    access: Access  # polled, or lost where it could not be read for long
    etag: str | None  # of the last answer …
    modified: str | None  # … and its date, as the site wrote it
    failures: int  # in a row
    failed_since: datetime | None

    @property
    def is_new(self) -> bool:
        """Tell whether it was not read since it was (last) followed."""
        return self.swept_at is None or self.swept_at < self.followed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntry:
    """An entry of a feed as it is stored."""

    guid: str
    message_id: int
    hash: bytes | None  # of its plain text; None: it may not be stored yet
    date: datetime | None  # of the post that it is; None: there is none yet
    edits: int  # of that post …
    edit_date: datetime | None  # … and when the last one was seen


_SITES = """SELECT s.*, c.address, c.title, c.followed_at, c.swept_at,
        (SELECT max(date) FROM posts WHERE channel_id = c.id) AS last_post_at
    FROM sites s JOIN channels c ON c.id = s.channel_id WHERE c.followed_at IS NOT NULL"""


async def due(db: Reader, now: datetime, *, most: int) -> list[Site]:
    """Return the followed sites that are to be read now, the longest due first."""
    sql = f"{_SITES} AND s.due_at <= :now ORDER BY s.due_at LIMIT :most"
    return read_all(Site, await db.fetch_all(sql, {"now": to_ms(now), "most": most}))


async def get(db: Reader, channel_id: int) -> Site | None:
    """Return a followed site."""
    row = await db.fetch_one(f"{_SITES} AND s.channel_id = :id", {"id": channel_id})
    return None if row is None else read(Site, row)


async def at(db: Reader, address: str) -> Channel | None:
    """Return the site of a feed, followed or not."""
    number = await db.fetch_value("SELECT id FROM channels WHERE address = :address", {"address": address})
    return None if number is None else await channels.get(db, number)


async def make(tx: Transaction, *, address: str, title: str, now: datetime) -> ResolvedChannel:
    """Return the site of a feed; a new one gets a number of ours."""
    known = await at(tx, address)
    found = ResolvedChannel(
        id=0 if known is None else known.id,
        network=Network.SITE,
        address=address,
        kind="broadcast",
        title=title if known is None else known.title,
        username=None,
    )
    if known is None:
        number = await tx.fetch_value("SELECT coalesce(min(min(id), 0), 0) - 1 FROM channels")
        await channels.add_unfollowed(tx, replace(found, id=number))
        found = replace(found, id=number)
    sql = """INSERT INTO sites (channel_id, due_at) VALUES (:id, :now)
        ON CONFLICT DO UPDATE SET due_at = excluded.due_at, etag = NULL, modified = NULL"""
    await tx.execute(sql, {"id": found.id, "now": to_ms(now)})
    return found


async def set_read(  # noqa: PLR0913 - what is known of a site after an answer
    tx: Transaction, site: Site, *, etag: str | None, modified: str | None, due_at: datetime, now: datetime
) -> None:
    """Write down that a site was read to the end."""
    await tx.execute(
        """UPDATE sites SET access = 'polled', reason = NULL, failures = 0, failed_since = NULL, etag = :etag,
            modified = :modified, due_at = :due WHERE channel_id = :id""",
        {"id": site.channel_id, "etag": etag, "modified": modified, "due": to_ms(due_at)},
    )
    newest = await tx.fetch_value("SELECT max(message_id) FROM posts WHERE channel_id = :id", {"id": site.channel_id})
    await marks.set_mark(tx, site.channel_id, confirmed_id=newest or 0, seen_pts=0, now=now)


async def set_failed(tx: Transaction, site: Site, *, lost: str | None, due_at: datetime, now: datetime) -> None:
    """Write down that a site could not be read, and where that makes it a lost one, why."""
    await tx.execute(
        """UPDATE sites SET access = iif(:lost IS NULL, access, 'lost'), reason = coalesce(:lost, reason),
            failures = failures + 1, failed_since = coalesce(failed_since, :now), due_at = :due
        WHERE channel_id = :id""",
        {"id": site.channel_id, "lost": lost, "due": to_ms(due_at), "now": to_ms(now)},
    )


async def entries(db: Reader, channel_id: int, guids: Collection[str]) -> Mapping[str, SiteEntry]:
    """Return those of some entries that have a number, by guid."""
    rows = await db.fetch_all(
        """SELECT e.guid, e.message_id, e.hash, p.date, coalesce(v.number - 1, 0) AS edits, v.edit_date
        FROM site_entries e LEFT JOIN posts p ON p.channel_id = e.channel_id AND p.message_id = e.message_id
        LEFT JOIN versions v ON v.id = p.version_id
        WHERE e.channel_id = :id AND e.guid IN (SELECT value FROM json_each(:guids))""",
        {"id": channel_id, "guids": json_list(guids)},
    )
    return {each.guid: each for each in read_all(SiteEntry, rows)}


async def add_entries(tx: Transaction, channel_id: int, guids: Collection[str]) -> None:
    """Give the next numbers to new entries, in their order."""
    last = await tx.fetch_value("SELECT max(message_id) FROM site_entries WHERE channel_id = :id", {"id": channel_id})
    rows = [(channel_id, guid, message_id) for message_id, guid in enumerate(guids, start=(last or 0) + 1)]
    await tx.insert_all("INSERT INTO site_entries (channel_id, guid, message_id)", rows)


async def set_hashes(tx: Transaction, channel_id: int, hashes: Mapping[str, bytes]) -> None:
    """Write down which texts of entries are stored, by guid; nothing was, if nobody follows the site any more."""
    await tx.execute_many(
        """UPDATE site_entries AS e SET hash = :hash WHERE channel_id = :id AND guid = :guid
        AND EXISTS (SELECT 1 FROM posts p WHERE p.channel_id = e.channel_id AND p.message_id = e.message_id)""",
        [{"id": channel_id, "guid": guid, "hash": content} for guid, content in hashes.items()],
    )
