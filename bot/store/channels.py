"""Channels: what they are, and how each reader reaches them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum

from bot.models import Network, Withholding, Withholdings
from bot.models.acts import UNDO_WITHIN
from bot.models.enquiries import EnquiryKind
from bot.models.people import EVERYTHING, Viewer
from bot.parts import compact_json
from bot.store import backfills, enquiries, ledger
from bot.store.access import Restrictable, visible
from bot.store.database import Reader, Subject, Transaction
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import json_list, maybe_date, maybe_ms, read, read_all, to_ms
from bot.text.channel_names import ChannelNames
from bot.text.references import any_reference

__all__ = ["Access", "Channel", "Options", "ResolvedChannel"]

BEGINNING = datetime.fromtimestamp(0, UTC)  # the date of a channel's first message, in `complete_from`
BANNED = "USER_BANNED_IN_CHANNEL"  # Telegram's
VAGUE = {"CHANNEL_PRIVATE", "CHANNEL_INVALID"}  # errors that do not say why
MOST_FAST = 20  # channels that are asked for their changes all the time


class Access(StrEnum):
    """How a reader reaches a channel."""

    POLLED = "polled"  # public and read from outside
    JOINED = "joined"
    PENDING = "pending"  # a request to join waits for an administrator
    LOST = "lost"  # private, banned, deleted, or left by us


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a channel is to be followed; None leaves a field as it is."""

    fast: bool | None = None  # asked for its changes all the time
    may_join: bool | None = None  # False: it is read from outside for good
    history: int | None = None  # posts of its past that are to be read; None: the newest only
    ocr: bool | None = None  # a program reads the text in its pictures
    witness: bool | None = None  # its web page is compared with the archive each hour
    comments: bool | None = None  # True: those on its posts are followed, too
    private: bool | None = None  # True: only the chat that asks shall find it

    def typed(self) -> str:
        """Return the options as people type them."""
        speed = {True: "fast", False: "slow", None: ""}[self.fast]
        join = {True: "join:yes", False: "join:no", None: ""}[self.may_join]
        ocr = {True: "ocr", False: "ocr:no", None: ""}[self.ocr]
        witness = {True: "witness", False: "witness:no", None: ""}[self.witness]
        history = f"history:{self.history}" if self.history else ""
        comments = {True: "comments", False: "comments:no", None: ""}[self.comments]
        return " ".join(filter(None, (speed, join, comments, ocr, witness, history, "private" if self.private else "")))

    def with_(self, other: "Options") -> "Options":
        """Return these options with what others choose."""
        chosen = {each.name: value for each in fields(other) if (value := getattr(other, each.name)) is not None}
        return replace(self, **chosen)


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedChannel:
    """A channel as its network describes it."""

    id: int  # bare
    network: Network = Network.TELEGRAM
    address: str | None = None  # as of `Channel`
    kind: str  # "broadcast" or "supergroup"
    title: str
    username: str | None  # as written, without @


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, and how a reader reaches it."""

    id: int  # bare
    network: Network = Network.TELEGRAM
    address: str | None = None  # where it is read: the URL of a site's feed; None on Telegram
    kind: str  # "broadcast" or "supergroup"
    title: str
    username: str | None  # as written, without @; None for a private one, and outside Telegram
    followed_at: datetime | None  # None: nobody wants it any more
    confirmed_id: int  # every message up to this one is stored
    complete_id: int | None  # from this one on; None: nothing is known of it
    complete_from: datetime | None  # its date; the epoch, where it is the channel's first one
    seen_pts: int  # changes are applied up to here; 0: ask again
    swept_at: datetime | None
    read_by: int | None  # the reader that sees to it; None: not decided yet
    fast: bool  # asked for its changes all the time
    may_join: bool  # False: it is read from outside for good
    ocr: bool = False  # a program reads the text in its pictures
    witness: bool | None = None  # its web page is compared with the archive each hour; None: where it is fast
    witnessed_at: datetime | None = None  # when that was last done
    restricted: bool = False  # only some chats find it
    comments_of: int | None = None  # of a supergroup: the channel whose posts are commented on there
    comments_in: int | None = None  # the supergroup with the comments on its posts, where these are followed
    verified_at: datetime | None  # when the verifying round last went through it
    verify_from: int | None  # the id below which that round goes on; None: it begins anew
    unchecked_since: datetime | None  # edits and deletions since then may be missing; None: none are
    doubted_at: datetime | None  # only a verifying round that begins after this finds them; None: the changes will do
    withheld: str | None = None  # JSON, as of `withholdings`; None: nowhere
    withheld_at: datetime | None = None  # when we first saw it so; None: it never was withheld
    access_hash: int | None  # None where no reader has met it
    access: Access | None
    reason: str | None  # why access was lost: Telegram's error string
    joined_at: datetime | None
    reader_lost: bool  # the reader that sees to it cannot read any more: nothing of it is read now

    @property
    def called(self) -> str:
        """Its @name, or its title where it has none."""
        return f"@{self.username}" if self.username else self.title

    @property
    def withholdings(self) -> Withholdings:
        """Where its network withholds it, and why."""
        return tuple(Withholding(*each) for each in json.loads(self.withheld or "[]"))

    @property
    def is_readable(self) -> bool:
        """The reader reaches the channel, from within or from outside."""
        return self.access in {Access.JOINED, Access.POLLED}

    @property
    def has_page(self) -> bool:
        """Anybody can read it on a web page of Telegram's, unless that is refused; groups have none."""
        return self.network is Network.TELEGRAM and self.username is not None and self.kind == "broadcast"

    @property
    def is_witnessed(self) -> bool:
        """Its web page is compared with the archive each hour."""
        return self.has_page and (self.fast if self.witness is None else self.witness)

    @property
    def is_swept(self) -> bool:
        """The sweep has found or made the channel complete since it was (last) followed."""
        return self._is_since_followed(self.swept_at)

    @property
    def is_compared(self) -> bool:
        """The channel's past was compared with Telegram's since it was (last) followed, and since a doubt arose."""
        return self._is_since_followed(self.verified_at) and self.doubted_at is None

    def _is_since_followed(self, moment: datetime | None) -> bool:
        return moment is not None and (self.followed_at is None or moment >= self.followed_at)


# Where no reader is named, the one that sees to the channel speaks for it, or else the first that knows it.
_CHANNELS = """
    SELECT c.*, (SELECT g.id FROM channels g WHERE g.comments_of = c.id AND g.followed_at IS NOT NULL) AS comments_in,
        m.access_hash, coalesce(m.access, s.access) AS access, coalesce(m.reason, s.reason) AS reason, m.joined_at,
        r.lost IS NOT NULL AS reader_lost
    FROM channels c LEFT JOIN sites s ON s.channel_id = c.id
    LEFT JOIN memberships m ON m.channel_id = c.id AND m.reader_id = coalesce(:reader,
        (SELECT reader_id FROM memberships WHERE channel_id = c.id AND reader_id = c.read_by),
        (SELECT min(reader_id) FROM memberships WHERE channel_id = c.id))
    LEFT JOIN readers r ON r.id = coalesce(c.read_by, m.reader_id)
"""


async def apply_options(
    tx: Transaction, channel_id: int, options: Options, *, chat_id: int | None, asked_at: datetime
) -> None:
    """Change how a channel is followed; a backfill shows its progress to the chat."""
    await tx.execute(
        """UPDATE channels SET fast = coalesce(:fast, fast), may_join = coalesce(:may_join, may_join),
            ocr = coalesce(:ocr, ocr), witness = coalesce(:witness, witness) WHERE id = :id""",
        {
            "id": channel_id,
            "fast": options.fast,
            "may_join": options.may_join,
            "ocr": options.ocr,
            "witness": options.witness,
        },
    )
    if options.history is not None and chat_id is not None:
        await backfills.request(tx, channel_id, chat_id=chat_id, asked_at=asked_at, posts=options.history)
    if options.comments and chat_id is not None and channel_id > 0:  # below zero are sites
        await enquiries.ask(tx, chat_id, EnquiryKind.COMMENTS, channel_id, now=asked_at)
    if options.comments is False:
        await end_comments(tx, channel_id, now=asked_at)
    tx.announce(Subject.FOLLOWS)


async def count_fast(db: Reader) -> int:
    """Count the channels that are or shall be followed fast; a lost one counts only while it is looked for."""
    requests = await db.fetch_all(
        """SELECT channel_id FROM follows f WHERE state = 'wanted'
        AND coalesce((SELECT fast FROM channels WHERE id = f.channel_id), fast)"""
    )
    read = {channel.id for channel in await followed(db) if channel.fast and channel.access is not Access.LOST}
    return len(read) + sum(request["channel_id"] not in read for request in requests)


async def remember(tx: Transaction, reader_id: int, channel: ResolvedChannel, *, access_hash: int) -> None:
    """Store a reader's access hash for a channel that nobody follows yet, which saves resolving its name."""
    await add_unfollowed(tx, channel)
    await tx.execute(
        """INSERT INTO memberships (reader_id, channel_id, access_hash, access)
        VALUES (:reader, :channel, :hash, 'polled') ON CONFLICT DO UPDATE SET access_hash = excluded.access_hash""",
        {"reader": reader_id, "channel": channel.id, "hash": access_hash},
    )


async def add_unfollowed(tx: Transaction, channel: ResolvedChannel) -> None:
    """Store a channel that is not followed; a stored one stays as it is, but for a name that was not known."""
    await tx.execute(
        """INSERT INTO channels (id, network, address, kind, title, username)
        VALUES (:id, :network, :address, :kind, :title, :username)
        ON CONFLICT DO UPDATE SET username = coalesce(username, excluded.username)""",
        asdict(channel),
    )


async def followed(db: Reader, reader_id: int | None = None) -> list[Channel]:
    """Return the followed channels by title, each as this reader reaches it; None: as the one assigned to it."""
    sql = f"{_CHANNELS} WHERE c.followed_at IS NOT NULL ORDER BY c.title, c.id"
    return read_all(Channel, await db.fetch_all(sql, {"reader": reader_id}))


async def followed_among(db: Reader, channel_ids: Iterable[int], viewer: Viewer) -> tuple[int, ...]:
    """Return those of some ids that are of followed channels which a viewer sees."""
    rows = await db.fetch_all(
        f"""SELECT c.id FROM channels c WHERE c.followed_at IS NOT NULL AND {visible(Restrictable.CHANNEL, "c.id")}
        AND c.id IN (SELECT value FROM json_each(:ids)) ORDER BY c.id""",  # noqa: S608 - our own words
        {"ids": json_list(channel_ids), "viewer": viewer.chat_id},
    )
    return tuple(row["id"] for row in rows)


async def unwanted(db: Reader, reader_id: int, now: datetime) -> list[Channel]:
    """Return the channels that this reader has joined and nobody follows any more, once nobody can undo that."""
    sql = f"""{_CHANNELS} WHERE c.followed_at IS NULL AND m.access = 'joined'
        AND coalesce(c.unfollowed_at, 0) <= :before ORDER BY c.id"""
    return read_all(Channel, await db.fetch_all(sql, {"reader": reader_id, "before": to_ms(now - UNDO_WITHIN)}))


async def read_at(db: Reader) -> datetime | None:
    """Return when a channel of Telegram was last found complete; None where none is followed, or was read yet."""
    sql = "SELECT max(swept_at) FROM channels WHERE followed_at IS NOT NULL AND network = 'telegram'"
    return maybe_date(await db.fetch_value(sql))


async def get(db: Reader, channel_id: int, reader_id: int | None = None) -> Channel | None:
    """Return a channel by its bare id."""
    row = await db.fetch_one(f"{_CHANNELS} WHERE c.id = :id", {"id": channel_id, "reader": reader_id})
    return read(Channel, row) if row else None


async def by_ids(db: Reader, references: Iterable[str]) -> list[Channel]:
    """Return the channels of those references that are ids."""
    ids = json_list(int(reference) for reference in references if reference.removeprefix("-").isdecimal())
    sql = f"{_CHANNELS} WHERE c.id IN (SELECT value FROM json_each(:ids))"  # noqa: S608 - our own constant
    return read_all(Channel, await db.fetch_all(sql, {"ids": ids, "reader": None}))


async def find(db: Reader, text: str, reader_id: int | None = None, *, viewer: Viewer = EVERYTHING) -> Channel | None:
    """Return the channel that a person names by @name, link, id or title; case and quotes are ignored.

    Of several the followed one comes first; None where there is none that the viewer sees.
    """
    reference = any_reference(text) or ""
    sql = f"{_CHANNELS} WHERE {visible(Restrictable.CHANNEL, 'c.id')} ORDER BY c.followed_at IS NULL, c.id < 0, c.id"
    known = read_all(Channel, await db.fetch_all(sql, {"reader": reader_id, "viewer": viewer.chat_id}))
    settled = await db.fetch_value("SELECT channel_id FROM follows WHERE reference = :ref", {"ref": reference})
    return ChannelNames(known, {} if settled is None else {reference: settled}).find(text)


async def unfollow(tx: Transaction, channel_id: int, *, now: datetime | None = None) -> bool:
    """Stop following a channel, drop the requests for it, and end its comments; False where it was not followed.

    Its posts stay. With `now` its readers stay in it for as long as that can be undone.
    """
    await end_comments(tx, channel_id, now=now)
    await tx.execute("DELETE FROM follows WHERE channel_id = :id", {"id": channel_id})
    await backfills.drop(tx, channel_id)
    tx.announce(Subject.FOLLOWS)
    sql = """UPDATE channels SET followed_at = NULL, fast = 0, may_join = 1, ocr = 0, witness = NULL,
            unfollowed_at = :now
        WHERE id = :id AND followed_at IS NOT NULL"""
    return await tx.execute(sql, {"id": channel_id, "now": maybe_ms(now)}) > 0


async def end_comments(tx: Transaction, channel_id: int, *, now: datetime | None = None) -> None:
    """Stop following the comments on a channel's posts; a supergroup that somebody asked for by name stays followed."""
    await enquiries.withdraw(tx, EnquiryKind.COMMENTS, channel_id)
    groups = await tx.fetch_all(
        """SELECT id, EXISTS (SELECT 1 FROM follows f WHERE f.channel_id = c.id) AS is_asked_for FROM channels c
        WHERE comments_of = :id AND followed_at IS NOT NULL""",
        {"id": channel_id},
    )
    for group in groups:
        if group["is_asked_for"]:
            await tx.execute("UPDATE channels SET comments_of = NULL WHERE id = :id", {"id": group["id"]})
        else:
            await unfollow(tx, group["id"], now=now)


async def set_access(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    reader_id: int,
    channel_id: int,
    access: Access,
    *,
    now: datetime,
    access_hash: int | None = None,
    reason: str | None = None,
    joined_at: datetime | None = None,
) -> None:
    """Set how a reader reaches a channel; an access hash of None stays, `joined_at` is now at the first 'joined'."""
    if joined_at is None and access == Access.JOINED:
        joined_at = now
    await tx.execute(
        """INSERT INTO memberships (reader_id, channel_id, access_hash, access, reason, joined_at)
        VALUES (:reader, :channel, coalesce(:hash, 0), :access, :reason, :joined_at)
        ON CONFLICT DO UPDATE SET access_hash = coalesce(:hash, access_hash), access = excluded.access,
            reason = excluded.reason,
            joined_at = CASE WHEN access = 'joined' THEN coalesce(joined_at, excluded.joined_at)
                ELSE coalesce(excluded.joined_at, joined_at) END""",
        {
            "reader": reader_id,
            "channel": channel_id,
            "hash": access_hash,
            "access": access,
            "reason": reason,
            "joined_at": maybe_ms(joined_at),
        },
    )


async def count_joins(db: Reader, reader_id: int, since: datetime) -> int:
    """Count the channels that a reader has joined since a moment."""
    sql = "SELECT count(*) FROM memberships WHERE reader_id = :reader AND joined_at >= :since"
    return int(await db.fetch_value(sql, {"reader": reader_id, "since": to_ms(since)}))


async def set_withheld(
    tx: Transaction, channel_id: int, found: Withholdings, *, reader_id: int | None, now: datetime
) -> bool:
    """Set where its network withholds a channel, with a line in the ledger; False where that is known."""
    said = compact_json(found)
    values = {"id": channel_id, "withheld": said if found else None, "now": to_ms(now)}
    sql = "UPDATE channels SET withheld = :withheld, withheld_at = :now WHERE id = :id AND withheld IS NOT :withheld"
    if not await tx.execute(sql, values):
        return False
    line = LedgerEntry(LineKind.WITHHELD, to_ms(now), channel_id=channel_id, reader_id=reader_id, detail=said)
    await ledger.add(tx, [line])
    return True


async def rename(tx: Transaction, channel_id: int, *, title: str, username: str | None) -> ResolvedChannel | None:
    """Set the title and username of a channel; return the channel as it was, None where nothing changed."""
    values = {"id": channel_id, "title": title, "username": username}
    sql = "SELECT * FROM channels WHERE id = :id AND (title, username) IS NOT (:title, :username)"
    row = await tx.fetch_one(sql, values)
    if row is None:
        return None
    await tx.execute("UPDATE channels SET title = :title, username = :username WHERE id = :id", values)
    return read(ResolvedChannel, row)
