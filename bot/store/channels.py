"""Channels: what they are, and how each reader reaches them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from bot.models import Network
from bot.models.acts import UNDO_WITHIN
from bot.models.enquiries import EnquiryKind
from bot.models.people import EVERYTHING, Viewer
from bot.store import backfills, enquiries, ledger
from bot.store.access import Restrictable, visible
from bot.store.database import Reader, Subject, Transaction
from bot.store.ledger import LineKind
from bot.store.rows import json_list, maybe_date, maybe_ms, read, read_all, to_ms
from bot.text.references import any_reference

__all__ = ["Access", "Channel", "Options", "ResolvedChannel"]

BEGINNING = datetime.fromtimestamp(0, UTC)  # the date of a channel's first message, in `complete_from`
CHANGES = "edits and deletions"  # of gaps, in the ledger
MOST_FAST = 20  # channels that are asked for their changes all the time

_NO_QUOTES = str.maketrans("", "", "\"«»“”„‟'‘’")
_WORD = re.compile(r"\w+")


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
    access_hash: int | None  # None where no reader has met it
    access: Access | None
    reason: str | None  # why access was lost: Telegram's error string
    joined_at: datetime | None
    reader_lost: bool  # the reader that sees to it cannot read any more: nothing of it is read now

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPast:
    """How far back a channel is stored."""

    id: int
    is_followed: bool
    is_readable: bool  # a reader can read more of it
    complete_from: datetime | None  # as of `Channel`
    oldest: datetime | None  # the date of the first stored post
    newest: datetime | None  # … and of the last one


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


async def past_of(db: Reader, channel_ids: Iterable[int] | None) -> list[ChannelPast]:
    """Return how far back channels are stored; without `channel_ids` all of them."""
    rows = await db.fetch_all(
        """SELECT c.id, c.followed_at IS NOT NULL AS is_followed, c.complete_from,
            (SELECT min(date) FROM posts WHERE channel_id = c.id) AS oldest,
            (SELECT max(date) FROM posts WHERE channel_id = c.id) AS newest,
            c.followed_at IS NOT NULL AND EXISTS (SELECT 1 FROM memberships WHERE channel_id = c.id
                AND reader_id = c.read_by AND access IN ('polled', 'joined')) AS is_readable
        FROM channels c WHERE :ids IS NULL OR c.id IN (SELECT value FROM json_each(:ids))
        ORDER BY c.id""",
        {"ids": None if channel_ids is None else json_list(channel_ids)},
    )
    return read_all(ChannelPast, rows)


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


class _Titled(Protocol):
    """Whatever has the names of a channel."""

    @property
    def id(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def username(self) -> str | None: ...
    @property
    def address(self) -> str | None: ...


_Known = TypeVar("_Known", bound=_Titled)


class ChannelNames(Generic[_Known]):
    """The names by which people mean channels, of which the first of a name comes before the others."""

    def __init__(self, known: Sequence[_Known], references: Mapping[str, int]) -> None:
        self._references = references  # that were followed: ids of channels
        self._named: dict[str, _Known] = {}  # by @name, and by id
        self._titled: dict[str, _Known] = {}
        for channel in known:
            self._named.setdefault(f"@{(channel.username or '').lower()}", channel)
            self._named.setdefault(str(channel.id), channel)
            self._titled.setdefault(spelt(channel.title), channel)
            if channel.address is not None:
                self._named.setdefault(channel.address, channel)
                self._titled.setdefault(urlsplit(channel.address).hostname or "", channel)
        self._known = tuple(known)

    def find(self, text: str) -> _Known | None:
        """Return the channel that goes by @name, link, id or title."""
        reference, title = any_reference(text) or "", spelt(text)
        invited = str(self._references.get(reference))
        return self._named.get(reference) or self._named.get(invited) or (self._titled.get(title) if title else None)

    def with_words(self, text: str) -> list[_Known]:
        """Return the channels whose titles have all words of a text, in any order; case and quotes are ignored.

        Where there is none, those with words that begin so. None for an @name.
        """
        wanted = set() if text.startswith("@") else _words(text)
        whole = [channel for channel, words in self._titles if wanted <= words] if wanted else []
        begun = (c for c, words in self._titles if all(any(word.startswith(each) for word in words) for each in wanted))
        return whole or (list(begun) if wanted else [])

    @cached_property
    def _titles(self) -> list[tuple[_Known, set[str]]]:
        return [(channel, _words(channel.title)) for channel in self._known]


def _words(title: str) -> set[str]:
    return set(_WORD.findall(spelt(title)))


def spelt(title: str) -> str:
    """Return a name without case and quotes, which each phone writes in its own way; SQLite folds ASCII only."""
    return " ".join(title.translate(_NO_QUOTES).casefold().replace("ё", "е").split())


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


async def rename(tx: Transaction, channel_id: int, *, title: str, username: str | None) -> ResolvedChannel | None:
    """Set the title and username of a channel; return the channel as it was, None where nothing changed."""
    values = {"id": channel_id, "title": title, "username": username}
    sql = "SELECT * FROM channels WHERE id = :id AND (title, username) IS NOT (:title, :username)"
    row = await tx.fetch_one(sql, values)
    if row is None:
        return None
    await tx.execute("UPDATE channels SET title = :title, username = :username WHERE id = :id", values)
    return read(ResolvedChannel, row)


async def set_mark(  # noqa: PLR0913 - the mark and the state it was read from belong together
    tx: Transaction,
    channel_id: int,
    *,
    confirmed_id: int,
    seen_pts: int,
    now: datetime,
    read_from: int | None = None,
) -> None:
    """Set how far a channel is complete; `confirmed_id` never goes back. Only the sweep calls this.

    `read_from` is the `seen_pts` that the sweep started from: where `read_anew` changed it meanwhile, it stays.
    """
    await tx.execute(
        """UPDATE channels SET confirmed_id = max(confirmed_id, :confirmed), swept_at = :now,
            seen_pts = CASE WHEN :read_from IS NULL OR seen_pts = :read_from THEN :pts ELSE seen_pts END
        WHERE id = :id""",
        {"id": channel_id, "confirmed": confirmed_id, "pts": seen_pts, "now": to_ms(now), "read_from": read_from},
    )


async def begin_past(tx: Transaction, channel_id: int, *, low: int, since: datetime) -> None:
    """Set from where on a channel is complete that is newly followed: down to the id `low`, of a date.

    Where it was followed before and nothing is missing in between, it is complete from where it was then.
    """
    await tx.execute(
        """UPDATE channels SET complete_id = :low, complete_from = :since
        WHERE id = :id AND (complete_id IS NULL OR :low > confirmed_id + 1 OR :low <= complete_id)""",
        {"id": channel_id, "low": low, "since": to_ms(since)},
    )


async def extend_past(tx: Transaction, channel_id: int, *, below: int | None, low: int, since: datetime) -> None:
    """Set that all messages under the id `below` are stored down to `low`, where this joins what is complete.

    `below` is None for the newest; `since` is the date of `low`.
    """
    await tx.execute(
        """UPDATE channels SET complete_id = :low, complete_from = min(complete_from, :since)
        WHERE id = :id AND :low < complete_id AND coalesce(:below, complete_id) >= complete_id""",
        {"id": channel_id, "low": low, "below": below, "since": to_ms(since)},
    )


async def set_verified(
    tx: Transaction, channel_id: int, *, below: int | None, now: datetime, asked_at: datetime | None = None
) -> None:
    """Set how far the verifier has come in a channel; `below` is None once it is through.

    `asked_at` is when it asked for the page. A round that began before a doubt arose leaves the doubt to the next one.
    """
    began = "iif(verify_from IS NULL, :asked, verify_began)"
    is_through = ":below IS NULL"
    was_unchecked = await _is_unchecked(tx, channel_id)
    is_settled = f"{is_through} AND (doubted_at IS NULL OR doubted_at <= {began})"
    await tx.execute(
        f"""UPDATE channels SET verify_from = :below, verify_began = {began},
            verified_at = iif({is_through}, :now, verified_at),
            doubted_at = iif({is_settled}, NULL, doubted_at),
            unchecked_since = CASE WHEN {is_settled} OR unchecked_since IS NULL THEN NULL
                WHEN {is_through} THEN max(unchecked_since, {began}) ELSE unchecked_since END
        WHERE id = :id""",  # noqa: S608 - our own words
        {"id": channel_id, "below": below, "now": to_ms(now), "asked": to_ms(asked_at or now)},
    )
    if was_unchecked and not await _is_unchecked(tx, channel_id):
        await ledger.add_gaps(tx, LineKind.GAP_FILLED, channel_id, [None], detail=CHANGES, now=now)


async def _is_unchecked(tx: Transaction, channel_id: int) -> bool:
    sql = "SELECT unchecked_since IS NOT NULL FROM channels WHERE id = :id"
    return bool(await tx.fetch_value(sql, {"id": channel_id}))


async def leave_unchecked(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Write down that the server fails at the changes of a channel, so that some may be missing for now."""
    sql = """UPDATE channels SET unchecked_since = coalesce(swept_at, :now)
        WHERE id = :id AND unchecked_since IS NULL"""
    if await tx.execute(sql, {"id": channel_id, "now": to_ms(now)}):
        await ledger.add_gaps(tx, LineKind.GAP, channel_id, [None], detail=CHANGES, now=now)


async def set_checked(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Write down that the changes of a channel are applied to the last; a doubt is left to the verifier."""
    sql = """UPDATE channels SET unchecked_since = NULL
        WHERE id = :id AND doubted_at IS NULL AND unchecked_since IS NOT NULL"""
    if await tx.execute(sql, {"id": channel_id}):
        await ledger.add_gaps(tx, LineKind.GAP_FILLED, channel_id, [None], detail=CHANGES, now=now)


async def doubt(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Have the past of a channel verified at once, since its changes cannot be had from Telegram any more."""
    await leave_unchecked(tx, channel_id, now=now)
    await tx.execute("UPDATE channels SET doubted_at = :now WHERE id = :id", {"id": channel_id, "now": to_ms(now)})


async def read_anew(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Have the sweep read a channel down to its mark again, and its past verified at once."""
    await tx.execute("UPDATE channels SET seen_pts = 0 WHERE id = :id", {"id": channel_id})
    await doubt(tx, channel_id, now=now)
