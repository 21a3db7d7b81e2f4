"""Compares the web pages of chosen channels with what a reader account has stored: what it missed is an alarm about us.

What a page shows and the archive lacks is stored, and alerted to, at once; the sweep then reads the channel anew.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.models import Clock, ObservedBy, StoredPost
from bot.models.notices import PostsMissed
from bot.monitoring.channel_state import ALLOWANCE, LATE, ChannelState, ChannelStatus, channel_states
from bot.parts import is_redacted
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.account import LONG_AGO
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.observation import SeenPage, see
from bot.sources.pages.page_archive import PageArchive
from bot.sources.pages.reader import A_VISIT
from bot.store import channels, marks, posts, unreadable, witnesses
from bot.store.channels import Channel
from bot.store.database import Database, Subject, Transaction
from bot.store.notices import notify_owners
from bot.text.plain import plain_hash

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
LOOK_EVERY = 60.0  # s
SHOWN = 5  # posts in a notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """What a page shows that a reader account has missed, by message id."""

    missed: tuple[int, ...] = ()
    edited: tuple[int, ...] = ()


class PageWitness:
    """Looks at the page of each chosen channel once an hour; `wake` has the sweeps go round at once."""

    def __init__(
        self,
        database: Database,
        archive: PageArchive,
        pages: Pages,
        *,
        clock: Clock,
        wake: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._archive = archive
        self._pages = pages
        self._clock = clock
        self._wake = wake

    async def run(self, beat: Beat = no_beat) -> None:
        """Look at what is due, and wait, for ever."""
        await self._database.changes.work_off(
            Subject.FOLLOWS, self.look_next, beat, turn=A_VISIT + TURN, pause=LOOK_EVERY
        )

    async def look_next(self) -> bool:
        """Look at the page of the channel that was looked at the longest ago; False where none is due."""
        now = self._clock()
        due = {
            channel.id
            for channel in await channels.followed(self._database)
            if channel.is_witnessed and (channel.witnessed_at is None or now - channel.witnessed_at >= EVERY)
        }
        states = await channel_states(self._database, now) if due else []
        found = [each for each in states if each.channel.id in due and each.status is ChannelStatus.COMPLETE]
        if found:
            await self.look(min(found, key=lambda each: each.channel.witnessed_at or LONG_AGO))
        return bool(found)

    async def look(self, state: ChannelState) -> Oversight:
        """Compare the page of a channel with the archive, and see to what its reader account has missed."""
        channel, now = state.channel, self._clock()
        answer = await self._pages.head(str(channel.username), channel_id=channel.id)
        await self._database.write(lambda tx: witnesses.put_look(tx, channel.id, now=now))
        if not answer.is_read:
            log.info("a page could not be compared with the archive", channel=channel.id, why=answer.reason)
            return Oversight()
        seen = _settled(see(answer, channel.id), channel, now - state.delay * LATE - ALLOWANCE)
        known = await unreadable.of_channel(self._database, channel.id)
        before = await self._stored(channel, seen)
        await self._archive.store(channel, seen, answer.asked_at)
        after = await self._stored(channel, seen)
        hidden = {number for number in seen.hidden if number not in before and number not in known}
        oversight = Oversight(
            missed=tuple(sorted(hidden | {n for n in after if n not in before and _is_of_page(after[n])})),
            edited=tuple(sorted(n for n in before if _is_edited(before[n], after.get(n)))),
        )
        await self._count(seen, before)
        if oversight != Oversight():
            await self._report(channel, oversight)
        return oversight

    async def _stored(self, channel: Channel, seen: SeenPage) -> dict[int, StoredPost]:
        return {post.message_id: post for post in await posts.current(self._database, channel.id, seen.ids)}

    async def _count(self, seen: SeenPage, before: dict[int, StoredPost]) -> None:
        """Count how often page and account show a text alike: else edits on pages are not to be trusted."""
        told = {number: post.text for number, post in before.items() if not is_redacted(post.parts)}
        pairs = [(post.text, told[post.message_id]) for post in seen.posts if post.message_id in told]
        unequal = sum(plain_hash(shown) != plain_hash(stored) for shown, stored in pairs)
        await self._database.write(lambda tx: witnesses.count(tx, compared=len(pairs), unequal=unequal))

    async def _report(self, channel: Channel, oversight: Oversight) -> None:
        """Tell the owners, and have the channel read anew."""
        now, found = self._clock(), sorted({*oversight.missed, *oversight.edited})
        log.warning("a reader account has missed posts", channel=channel.id, ids=found[:SHOWN])
        notice = PostsMissed(
            event=f"{channel.id}:{now.isoformat()}",
            channel=channel.title,
            channel_id=channel.id,
            username=channel.username,
            missed=len(oversight.missed),
            edited=len(oversight.edited),
            ids=tuple(found[:SHOWN]),
        )

        async def job(tx: Transaction) -> None:
            await marks.read_anew(tx, channel.id, now=now)
            await notify_owners(tx, notice, now=now)

        await self._database.write(job)
        await self._wake()


def _settled(seen: SeenPage, channel: Channel, before: datetime) -> SeenPage:
    """Return what of a page its reader account must have by now: posts since it was followed, some time old."""
    since, low = channel.followed_at, channel.complete_id or channel.confirmed_id
    dates = {post.message_id: post.date for post in seen.posts} | dict(seen.hidden_dates)
    late = {n for n, date in dates.items() if date > before or n < low or (since is not None and date < since)}
    return SeenPage(
        posts=tuple(post for post in seen.posts if post.message_id not in late),
        hidden_dates={n: date for n, date in seen.hidden_dates.items() if n not in late},
        ids=seen.ids - late,
    )


def _is_of_page(post: StoredPost) -> bool:
    return post.observed_by == ObservedBy.PAGE


def _is_edited(before: StoredPost, after: StoredPost | None) -> bool:
    return after is not None and after.version_id != before.version_id and _is_of_page(after)
