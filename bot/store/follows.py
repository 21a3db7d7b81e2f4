"""Requests to follow a channel, each until it is a followed channel or refused."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.models.follow_list import FollowListItem, FollowListState
from bot.models.people import EVERYTHING, Viewer
from bot.store import access, backfills, channel_groups, channels, feeds, subscriptions
from bot.store.access import Restrictable
from bot.store.channels import NO_OPTIONS, Access, Channel, Options, ResolvedChannel, apply_options, set_access
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, read, read_all, to_ms
from bot.text.references import is_site

REQUESTED = "INVITE_REQUEST_SENT"  # Telegram's: the admins decide
BASIC_GROUP = "basic_group"  # it may become a supergroup
NEEDS_ACCOUNT = "needs_account"  # and none is logged in
LASTING = {REQUESTED, BASIC_GROUP, NEEDS_ACCOUNT}  # reasons for which a request waits until somebody else acts


class FollowState(StrEnum):
    """The state of a request."""

    WANTED = "wanted"  # not looked at yet, or put off
    FOLLOWED = "followed"
    REFUSED = "refused"  # cannot be followed, for the reason given


class RequestOutcome(StrEnum):
    """What a request has met."""

    NEW = "new"
    WAITING = "waiting"  # asked for already, not settled yet
    FOLLOWED = "followed"  # followed already
    AGAIN = "again"  # refused before, tried once more
    LOST = "lost"  # followed, but no longer readable: looked for once more
    SHARED = "shared"  # followed already, by everybody, though it was to be private
    HIDDEN = "hidden"  # restricted to others, and a number proves no right to it


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowRequest:
    """A request to follow a channel."""

    id: int
    reference: str  # '@name', '+hash', an id, or the address of a site
    chat_id: int | None  # that gets the notices of it; None: asked for by the settings
    asked_at: datetime
    state: FollowState
    channel_id: int | None  # once it is followed
    reason: str | None  # why it was refused or put off
    next_try_at: datetime
    fast: bool | None  # as in `Options`
    may_join: bool | None  # likewise
    ocr: bool | None  # likewise
    witness: bool | None  # likewise
    history: int | None  # likewise
    comments: bool | None  # likewise
    access: tuple[int, ...] | None  # ids of the chats that alone shall find it; None: it is everybody's
    channel_groups: tuple[int, ...]  # ids of those that it is to join
    feeds: tuple[int, ...]  # ids of the chats that want all its posts

    @property
    def options(self) -> Options:
        """How it is to be followed."""
        private = None if self.access is None else True
        return Options(
            fast=self.fast,
            may_join=self.may_join,
            ocr=self.ocr,
            witness=self.witness,
            history=self.history,
            comments=self.comments,
            private=private,
        )


async def request(
    tx: Transaction, reference: str, *, chat_id: int | None, now: datetime, options: Options = NO_OPTIONS
) -> RequestOutcome:
    """Store a request to follow the channel of a normalised reference; return what it has met.

    A channel that is followed already takes on the options at once; one that is lost is also looked for anew, and so
    is a private one of a lost reader by its invite link.
    """
    options = _possible(options, reference)
    earlier = await _find(tx, reference)
    channel = await _followed(tx, reference, earlier)
    if channel is not None and channel.restricted and chat_id is not None:
        viewer, is_number = Viewer(chat_id=chat_id), reference.removeprefix("-").isdecimal()
        if is_number and not await access.sees(tx, Restrictable.CHANNEL, channel.id, viewer):
            return RequestOutcome.HIDDEN
        await access.share(tx, Restrictable.CHANNEL, channel.id, chat_id)
    if channel is not None:
        is_looked_for = _is_looked_for(channel, reference)
        at_once = replace(options, history=None) if is_looked_for else options  # its past waits until it is found
        await apply_options(tx, channel.id, at_once, chat_id=chat_id, asked_at=now)
        if not is_looked_for:
            await _keep_for_itself(tx, channel, reference, earlier, chat_id=chat_id, now=now)
            is_shared = options.private and not channel.restricted
            return RequestOutcome.SHARED if is_shared else RequestOutcome.FOLLOWED
    waits = earlier is not None and earlier.state is FollowState.WANTED
    if earlier is not None and waits:
        await _join_access(tx, earlier, chat_id, options)
    if waits and options == NO_OPTIONS:
        return RequestOutcome.WAITING
    if not waits:
        channel_id = None if channel is None else channel.id
        await _put(tx, reference, chat_id=chat_id, now=now, channel_id=channel_id)
        await _set_access(tx, reference, None if channel is not None else _belonging(earlier, chat_id, options))
    await _set_options(tx, reference, options)
    tx.announce(Subject.FOLLOWS)
    if waits:
        return RequestOutcome.WAITING
    if channel is not None:
        return RequestOutcome.LOST
    return RequestOutcome.NEW if earlier is None else RequestOutcome.AGAIN


def _possible(options: Options, reference: str) -> Options:
    """Return those of some options that a channel can have: all sites are read in one way."""
    return Options(private=options.private) if is_site(reference) else options


async def _keep_for_itself(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    channel: Channel,
    reference: str,
    earlier: FollowRequest | None,
    *,
    chat_id: int | None,
    now: datetime,
) -> None:
    """Note that a supergroup was asked for by name that was followed only for the comments on a channel's posts."""
    if channel.comments_of is not None and earlier is None:
        await _put(tx, reference, chat_id=chat_id, now=now, channel_id=channel.id)
        await tx.execute("UPDATE follows SET state = 'followed' WHERE reference = :name", {"name": reference})


async def followed_as(db: Reader, reference: str) -> Channel | None:
    """Return the followed channel of a normalised reference; None where there is none."""
    channel = await _followed(db, reference, await _find(db, reference))
    return None if channel is None or channel.followed_at is None else channel


async def enlist(
    tx: Transaction, reference: str, *, groups: Collection[int] = (), chats: Collection[int] = (), now: datetime
) -> None:
    """Put the channel of a normalised reference into groups, and let chats get all its posts, now or once followed."""
    earlier = await _find(tx, reference)
    channel = await _followed(tx, reference, earlier)
    if channel is not None:
        await _enlist(tx, channel, groups, chats, now=now)
    elif earlier is not None:
        sql = "UPDATE follows SET channel_groups = :groups, feeds = :feeds WHERE id = :id"
        joined, wanted = {*earlier.channel_groups, *groups}, {*earlier.feeds, *chats}
        values = {"id": earlier.id, "groups": json_list(sorted(joined)), "feeds": json_list(sorted(wanted))}
        await tx.execute(sql, values)


async def _enlist(
    tx: Transaction, channel: Channel, groups: Iterable[int], chat_ids: Iterable[int], *, now: datetime
) -> None:
    for group_id in groups:
        await channel_groups.add(tx, group_id, channel.id)
    for chat_id in chat_ids:
        feed = await feeds.make(tx, str(channel.id), channel.title, now=now)
        await subscriptions.subscribe(tx, chat_id, feed.id, now=now)


async def _join_access(tx: Transaction, earlier: FollowRequest, chat_id: int | None, options: Options) -> None:
    """Let a request that waits belong to one more chat; one that is everybody's is restricted by its own chat alone."""
    if earlier.access is None:
        if options.private and chat_id is not None and chat_id == earlier.chat_id:
            await _set_access(tx, earlier.reference, json_list([chat_id]))
    elif chat_id is None:
        await _set_access(tx, earlier.reference, None)
    else:
        await _set_access(tx, earlier.reference, json_list({*earlier.access, chat_id}))


def _belonging(earlier: FollowRequest | None, chat_id: int | None, options: Options) -> str | None:
    """Return as JSON whom a request belongs to: one that is made again is as private as it was."""
    if chat_id is not None and earlier is not None and chat_id in (earlier.access or ()):
        return json_list(earlier.access or ())
    return json_list([chat_id]) if options.private and chat_id is not None else None


async def _set_access(tx: Transaction, reference: str, chat_ids: str | None) -> None:
    sql = "UPDATE follows SET access = :access WHERE reference = :reference"
    await tx.execute(sql, {"access": chat_ids, "reference": reference})


async def _settle_access(tx: Transaction, follow: FollowRequest, channel_id: int, before: Channel | None) -> None:
    """Restrict a channel as it was asked for; one that was everybody's stays so, and one that was not is shared."""
    if before is not None and before.restricted:
        if follow.access is None and follow.chat_id is None:
            await access.open_to_all(tx, Restrictable.CHANNEL, channel_id)
        for chat_id in follow.access or ([] if follow.chat_id is None else [follow.chat_id]):
            await access.share(tx, Restrictable.CHANNEL, channel_id, chat_id)
    elif follow.access is not None and (before is None or before.followed_at is None):
        await access.restrict(tx, Restrictable.CHANNEL, channel_id, follow.access)


def _is_looked_for(channel: Channel, reference: str) -> bool:
    """Tell whether a channel is to be resolved anew: it is lost, or a private one of a lost reader has a new link."""
    is_let_in = channel.reader_lost and channel.username is None and reference.startswith("+")
    return channel.access is Access.LOST or is_let_in


async def _followed(db: Reader, reference: str, earlier: FollowRequest | None) -> Channel | None:
    channel_id = await db.fetch_value(
        """SELECT id FROM channels WHERE followed_at IS NOT NULL
        AND (lower(username) = :name OR CAST(id AS TEXT) = :reference OR address = :reference)""",
        {"reference": reference, "name": reference.removeprefix("@")},
    )
    if channel_id is None and earlier is not None:
        channel_id = earlier.channel_id
    return None if channel_id is None else await channels.get(db, channel_id)


async def _put(tx: Transaction, reference: str, *, chat_id: int | None, now: datetime, channel_id: int | None) -> None:
    """Store a request, or renew it; a followed channel has its options already."""
    await tx.execute(
        """INSERT INTO follows (reference, chat_id, asked_at, state, channel_id, next_try_at)
        VALUES (:reference, :chat, :now, 'wanted', :channel, :now)
        ON CONFLICT (reference) DO UPDATE SET chat_id = excluded.chat_id, asked_at = excluded.asked_at,
            state = 'wanted', channel_id = excluded.channel_id, reason = NULL, next_try_at = excluded.next_try_at,
            fast = CASE WHEN :channel IS NULL THEN fast END, history = CASE WHEN :channel IS NULL THEN history END,
            may_join = CASE WHEN :channel IS NULL THEN may_join END, ocr = CASE WHEN :channel IS NULL THEN ocr END,
            witness = CASE WHEN :channel IS NULL THEN witness END,
            comments = CASE WHEN :channel IS NULL THEN comments END""",
        {"reference": reference, "chat": chat_id, "now": to_ms(now), "channel": channel_id},
    )


async def _find(db: Reader, reference: str) -> FollowRequest | None:
    row = await db.fetch_one("SELECT * FROM follows WHERE reference = :reference", {"reference": reference})
    return None if row is None else read(FollowRequest, row)


async def _set_options(tx: Transaction, reference: str, options: Options) -> None:
    """Set the options of a request; the chat that made it sees the progress of the backfill."""
    await tx.execute(
        """UPDATE follows SET fast = coalesce(:fast, fast), may_join = coalesce(:may_join, may_join),
            ocr = coalesce(:ocr, ocr), witness = coalesce(:witness, witness),
            history = coalesce(:history, history), comments = coalesce(:comments, comments)
        WHERE reference = :reference""",
        {"reference": reference, **asdict(options)},
    )
    stored = await _find(tx, reference)
    if stored is not None and stored.chat_id is not None and stored.options.history is not None:
        await backfills.show_progress(tx, stored.chat_id, stored.asked_at)


async def oldest_due(db: Reader, now: datetime, *, by_name: bool = False, sites: bool = False) -> FollowRequest | None:
    """Return the oldest request for a channel of Telegram that is due to be tried, or for a site.

    Of those by a @name none, where that may not be asked.
    """
    row = await db.fetch_one(
        """SELECT * FROM follows WHERE state = 'wanted' AND next_try_at <= :now
        AND (:by_name OR reference NOT GLOB '@*') AND (reference GLOB 'http*://*' OR reference GLOB '-*') = :sites
        ORDER BY asked_at, id LIMIT 1""",
        {"now": to_ms(now), "by_name": by_name, "sites": sites},
    )
    return None if row is None else read(FollowRequest, row)


async def all_follows(db: Reader, viewer: Viewer = EVERYTHING) -> list[FollowRequest]:
    """Return all requests that a viewer sees, in the order in which they came."""
    rows = await db.fetch_all(
        """SELECT * FROM follows WHERE :viewer IS NULL OR access IS NULL
            OR :viewer IN (SELECT value FROM json_each(access)) ORDER BY asked_at, id""",
        {"viewer": viewer.chat_id},
    )
    return read_all(FollowRequest, rows)


async def asking(db: Reader, requests: Iterable[FollowRequest]) -> set[int]:
    """Return the ids of the chats, not suspended, that made requests."""
    rows = await db.fetch_all(
        """SELECT DISTINCT chat_id FROM follows f JOIN chats c ON c.id = f.chat_id
        WHERE c.suspended IS NULL AND f.id IN (SELECT value FROM json_each(:ids))""",
        {"ids": json_list(each.id for each in requests)},
    )
    return {row["chat_id"] for row in rows}


async def listed(db: Reader, chat_id: int, asked_at: datetime) -> list[FollowListItem]:
    """Return how the channels went that a chat asked for at a moment, in the order of the requests."""
    rows = await db.fetch_all(
        """SELECT coalesce(c.title, f.reference) AS name, f.state, f.reason FROM follows f
        LEFT JOIN channels c ON c.id = coalesce(f.channel_id,
            iif(ltrim(f.reference, '-') GLOB '[0-9]*', f.reference, NULL))
        WHERE f.chat_id = :chat AND f.asked_at = :asked_at ORDER BY f.id""",
        {"chat": chat_id, "asked_at": to_ms(asked_at)},
    )
    return [_to_listed(row["name"], FollowState(row["state"]), row["reason"]) for row in rows]


def _to_listed(name: str, state: FollowState, reason: str | None) -> FollowListItem:
    # A request for a lost channel that is refused leaves the channel followed.
    is_refused = state is FollowState.REFUSED or reason is not None
    listed_state = FollowListState.REFUSED if is_refused else FollowListState.FOLLOWED
    if state is FollowState.WANTED:
        listed_state = FollowListState.ASKED if reason in LASTING else FollowListState.OPEN
    return FollowListItem(name=name, state=listed_state, reason=reason)


async def refused_of(db: Reader, chat_id: int, asked_at: datetime) -> list[str]:
    """Return the references of a chat's requests of a moment that were refused."""
    rows = await db.fetch_all(
        """SELECT reference FROM follows WHERE chat_id = :chat AND asked_at = :asked_at
        AND (state = 'refused' OR state = 'followed' AND reason IS NOT NULL) ORDER BY id""",
        {"chat": chat_id, "asked_at": to_ms(asked_at)},
    )
    return [row["reference"] for row in rows]


async def postpone(tx: Transaction, follow_id: int, *, until: datetime, reason: str) -> None:
    """Put a request off."""
    sql = "UPDATE follows SET next_try_at = :until, reason = :reason WHERE id = :id"
    await tx.execute(sql, {"id": follow_id, "until": to_ms(until), "reason": reason})


async def refuse(tx: Transaction, follow_id: int, *, reason: str) -> None:
    """Refuse a request, with a reason; where it was for a lost channel, that one stays followed."""
    await tx.execute(
        """UPDATE follows SET state = CASE WHEN channel_id IS NULL THEN 'refused' ELSE 'followed' END,
            reason = :reason WHERE id = :id""",
        {"id": follow_id, "reason": reason},
    )


async def settle(  # noqa: PLR0913 - what Telegram said of the channel is written in one go
    tx: Transaction,
    follow_id: int,
    *,
    channel: ResolvedChannel,
    now: datetime,
    reader_id: int | None = None,
    access_hash: int = 0,
    access: Access = Access.POLLED,
) -> None:
    """Follow the channel that a request has turned out to be, and set how the reader reaches it; None: it was not one.

    A channel that nobody followed until now is followed from the second on in which somebody asked for it, since
    Telegram dates posts by whole seconds; one that was followed keeps its date.
    """
    before = await channels.get(tx, channel.id)
    await tx.execute(
        """INSERT INTO channels (id, network, address, kind, title, username, followed_at)
        SELECT :id, :network, :address, :kind, :title, :username, asked_at / 1000 * 1000 FROM follows WHERE id = :follow
        ON CONFLICT DO UPDATE SET kind = excluded.kind, title = excluded.title, username = excluded.username,
            comments_of = iif(followed_at IS NULL, NULL, comments_of),
            followed_at = coalesce(followed_at, excluded.followed_at), unfollowed_at = NULL""",
        {**asdict(channel), "follow": follow_id},
    )
    if reader_id is not None:
        await set_access(tx, reader_id, channel.id, access, access_hash=access_hash, now=now)
    row = await tx.fetch_one("SELECT * FROM follows WHERE id = :id", {"id": follow_id})
    if row is not None:
        stored = read(FollowRequest, row)
        await _settle_access(tx, stored, channel.id, before)
        await apply_options(tx, channel.id, stored.options, chat_id=stored.chat_id, asked_at=stored.asked_at)
        settled = await channels.get(tx, channel.id)
        if settled is not None:
            await _enlist(tx, settled, stored.channel_groups, stored.feeds, now=now)
    sql = "UPDATE follows SET state = 'followed', channel_id = :channel, reason = NULL WHERE id = :id"
    await tx.execute(sql, {"id": follow_id, "channel": channel.id})
    tx.announce(Subject.FOLLOWS)
    tx.announce(Subject.TOPICS)  # which may be limited to it


async def withdraw(tx: Transaction, reference: str) -> bool:
    """Drop the open or refused request of a normalised reference; False where there is none."""
    sql = "DELETE FROM follows WHERE reference = :reference AND state != 'followed'"
    return await tx.execute(sql, {"reference": reference}) > 0
