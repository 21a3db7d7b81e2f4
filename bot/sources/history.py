"""Reads what happened in a channel: its changes since a pts, or its history page by page, newest first.

Of changes, Telethon drops the edits and deletions: here they are kept. A page of the history says which stretch of ids
it covers, so that what is gone is known by its absence.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from telethon.tl import types

from bot.errors import ChannelwatchError, TelegramError, UnreadableError, Verdict
from bot.models import Event, Post
from bot.sources.account import Account
from bot.sources.isolation import NOTHING, PAGE_SIZE, Reading, Unreadable, page_below
from bot.sources.live import to_event
from bot.store.channels import BEGINNING
from bot.telegram.convert import named_in, to_post
from bot.telegram.unreadable import GetChannelDifferenceRequest

SLICE_SIZE = 100  # changes: Telegram's limit for accounts that are no bots
MOST_SKIPPED = 20  # changes in one visit that cannot be read, and do not say of which message they are
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """A page: of the ids from `low` to `high`, only those in `ids` are still there."""

    posts: tuple[Post, ...]  # oldest first
    ids: frozenset[int]  # of posts, of service messages, and of what cannot be read
    unreadable: Unreadable
    low: int
    high: int
    below: int  # it is of messages under this id; 0: of the newest
    pts: int  # of the channel at that moment; 0 where the server does not say
    chat: types.Channel | None  # the channel as the answer describes it
    since: datetime  # the date of `low`; `BEGINNING` where the channel has nothing below
    asked_at: datetime

    def above(self, lowest: int) -> "HistoryPage":
        """Return the page without what is older than the message `lowest`; its stretch of ids stays."""
        return replace(
            self,
            posts=tuple(post for post in self.posts if post.message_id >= lowest),
            unreadable={number: why for number, why in self.unreadable.items() if number >= lowest},
        )

    def covers(self, message_id: int) -> bool:
        """Tell whether a message that was there before would stand on the page."""
        return self.low <= message_id and (not self.below or message_id < self.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far down to read: the first of these conditions that is met ends it."""

    message_id: int = 1  # once a page holds this id or a lower one
    posts: int | None = None  # once so many posts were read, albums counted as one
    pages: int | None = None


async def pages(  # noqa: PLR0913 - where to read, how far, and what is known of it
    account: Account,
    channel: types.InputPeerChannel,
    *,
    newest_known: int,
    reach: Reach,
    below: int = 0,
    unreadable: Unreadable = NOTHING,
) -> AsyncGenerator[HistoryPage, None]:
    """Yield a history page by page, from the top down, or from the first message under the id `below`.

    `newest_known` is the highest id that was stored before: a message above it came in while the page was on its
    way, and its absence says nothing. Messages known to be `unreadable` are not tried again. Raises TelegramError.
    """
    offset, read, messages = below, 0, 0
    posts: set[str] = set()
    high = min(below - 1, newest_known) if below else newest_known
    while True:
        asked_at = account.now()
        found = await page_below(account, channel, offset, known=unreadable, newest_known=newest_known)
        read, messages = read + 1, messages + found.readable
        # A short page alone does not prove that nothing is left below: servers may give fewer than asked.
        whole = max((getattr(answer, "count", 0) for answer in found.answers), default=messages + 1)
        is_last = not found.count or (not below and whole <= messages and found.count < PAGE_SIZE)
        page = _page(found, channel.channel_id, offset, high, is_last=is_last, asked_at=asked_at)
        posts.update(post.key for post in page.posts)
        yield page
        is_enough = (reach.posts is not None and len(posts) >= reach.posts) or read == reach.pages
        if is_enough or page.low <= reach.message_id or page.low == offset:  # offset: it was not heeded
            return
        offset, high = page.low, min(page.low - 1, newest_known)


def _page(  # noqa: PLR0913 - where the page stands in the history
    found: Reading, channel_id: int, below: int, high: int, *, is_last: bool, asked_at: datetime
) -> HistoryPage:
    answers, unreadable = found.answers, found.unreadable
    there = [m for answer in answers for m in answer.messages if not isinstance(m, types.MessageEmpty)]
    named = {number: each for answer in answers for number, each in named_in(answer).items()}
    posts = (to_post(m, channel_id=channel_id, named=named) for m in sorted(there, key=lambda message: message.id))
    chats = (chat for answer in answers for chat in answer.chats)
    low = 1 if is_last else found.lowest
    return HistoryPage(
        posts=tuple(post for post in posts if post is not None),
        ids=frozenset([*unreadable, *(message.id for message in there)]),
        unreadable=unreadable,
        low=low,
        high=high,
        below=below,
        pts=getattr(answers[0], "pts", 0) if answers else 0,
        chat=next((c for c in chats if isinstance(c, types.Channel) and c.id == channel_id), None),
        since=BEGINNING if low == 1 else min((message.date for message in there), default=asked_at),
        asked_at=asked_at,
    )


class GapError(ChannelwatchError):
    """Telegram does not keep the changes since a pts any more: only the history can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSlice:
    """Some changes, in the order in which to apply them."""

    events: tuple[Event, ...]
    pages: frozenset[int]  # ids of the web pages whose previews have loaded
    newest: int  # the highest id of a new message, service messages too; 0 where there is none
    pts: int  # changes are known up to here
    asked_at: datetime
    timeout: int  # s after which the server wants to be asked again; 0 where it does not say
    unreadable: Unreadable = field(default_factory=dict)  # messages of changes that could not be read
    is_skipped: bool = False  # before `pts` stands a change that could not be read, nobody knows of which message


async def change_slices(
    account: Account, channel: types.InputChannel, *, pts: int
) -> AsyncGenerator[ChangeSlice, None]:
    """Yield all changes since `pts`, to the last, without those that cannot be read. Raises GapError, TelegramError."""
    limit, skipped = SLICE_SIZE, 0
    while True:
        asked_at = account.now()
        try:
            answer = await _ask(account, channel, pts, limit)
        except UnreadableError as error:
            if limit > 1:
                limit //= 2
                continue
            pts += 1  # a message counts one
            skipped += error.message_id is None
            if skipped > MOST_SKIPPED:
                raise GapError("too many unreadable changes") from error
            yield _skipped(pts, asked_at, error)
            continue
        limit = min(limit * 2, SLICE_SIZE)
        if isinstance(answer, types.updates.ChannelDifferenceTooLong):
            raise GapError("TooLong")
        yield _slice(answer, asked_at)
        if answer.final:
            return
        if answer.pts <= pts:  # else this would never end
            raise GapError("a slice without progress")
        pts = answer.pts


async def _ask(account: Account, channel: types.InputChannel, pts: int, limit: int) -> types.updates.ChannelDifference:
    everything = types.ChannelMessagesFilterEmpty()
    try:
        return await account.ask(GetChannelDifferenceRequest(channel, everything, pts=pts, limit=limit))
    except TelegramError as error:
        # PERSISTENT_TIMESTAMP_…: this pts is of no use; DROP: this channel, or this server, knows no differences.
        if error.error.startswith("PERSISTENT_TIMESTAMP_") or error.verdict is Verdict.DROP:
            raise GapError(error.error) from error
        raise


def _slice(
    answer: types.updates.ChannelDifference | types.updates.ChannelDifferenceEmpty, asked_at: datetime
) -> ChangeSlice:
    # New messages first: one that was deleted since stands among them as well as in the deletions.
    messages, updates = getattr(answer, "new_messages", ()), getattr(answer, "other_updates", ())
    named = named_in(answer)
    found = [to_post(message, named=named) for message in messages] + [to_event(update, named) for update in updates]
    return ChangeSlice(
        events=tuple(event for event in found if event is not None),
        pages=frozenset(u.webpage.id for u in updates if isinstance(u, types.UpdateChannelWebPage)),
        newest=max((message.id for message in messages), default=0),
        pts=answer.pts,
        asked_at=asked_at,
        timeout=answer.timeout or 0,
    )


def _skipped(pts: int, asked_at: datetime, error: UnreadableError) -> ChangeSlice:
    known: Unreadable = {} if error.message_id is None else {error.message_id: error.constructor}
    return ChangeSlice(
        events=(),
        pages=frozenset(),
        newest=0,
        pts=pts,
        asked_at=asked_at,
        timeout=0,
        unreadable=known,
        is_skipped=not known,
    )


async def prefetched(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the items of a source, each while the next is being asked for already.

    An error comes after the items before it. Close the generator where it is left early.
    """
    coming = asyncio.ensure_future(anext(source, None))
    try:
        while (item := await coming) is not None:
            coming = asyncio.ensure_future(anext(source, None))
            yield item
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await source.aclose()
