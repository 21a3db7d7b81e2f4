"""What people hear of the channels that they asked to follow: followed, refused, or why it takes its time.

The notices go to the chat that asked; requests of the settings get none.
"""

from datetime import datetime, timedelta

from bot.matching.engine.compiled import packed
from bot.models import Clock
from bot.models.notices import FollowAccess, Followed, FollowRefused, JoinRequested, Notice
from bot.search.pool import SearchError, Searches
from bot.search.searcher import count_matches
from bot.store import channel_groups, channels, chats, exclusions, follows, posts, progress, subscriptions, topics
from bot.store.backfills import FIRST_POSTS, USUAL_PAST
from bot.store.channels import BANNED, VAGUE, Access, ResolvedChannel
from bot.store.database import Database, Subject, Transaction, to_ms
from bot.store.follows import BASIC_GROUP, NEEDS_ACCOUNT, FollowRequest
from bot.store.notices import notify

LOOK_AGAIN = {  # refusals after which a request is looked at again
    BASIC_GROUP: timedelta(hours=1),  # whether it has become a supergroup
    NEEDS_ACCOUNT: timedelta(minutes=1),  # whether a reader account is logged in, which asks nobody
}
COUNT_WITHIN = 30.0  # s to try the topics of a chat on the newest posts of a channel
_LISTED = (Followed, FollowRefused, JoinRequested)  # notices whose place is the message of a list, while there is one


class FollowAnswers:
    """Answers requests to follow, however their channels were found."""

    def __init__(self, database: Database, searches: Searches, *, clock: Clock) -> None:
        self._database = database
        self._searches = searches
        self._clock = clock

    async def refuse(self, follow: FollowRequest, reason: str, *, reader_id: int | None = None) -> None:
        """Refuse a request; one for which others have to act first is looked at again, and refused once in words."""
        if reason in LOOK_AGAIN:
            if follow.reason != reason:
                await self._notify_refused(follow, reason)
            await self.postpone(follow, self._clock() + LOOK_AGAIN[reason], reason)
            return
        known = await channels.find(self._database, follow.reference, reader_id)
        if reason in VAGUE and known is not None and known.access is Access.LOST and known.reason == BANNED:
            reason = BANNED
        await self._database.write(lambda tx: follows.refuse(tx, follow.id, reason=reason))
        await self._notify_refused(follow, reason)

    async def _notify_refused(self, follow: FollowRequest, reason: str) -> None:
        """Give notice of a refusal; where a number was asked for, its title is shown if it is known."""
        known = await channels.by_ids(self._database, [follow.reference])
        name = f"«{known[0].title}»" if known else follow.reference
        event = f"{event_of(follow)}:{reason}" if reason in LOOK_AGAIN else event_of(follow)
        await self.notify(follow, FollowRefused(event=event, reference=name, reason=reason))

    async def postpone(self, follow: FollowRequest, until: datetime, reason: str) -> None:
        """Put a request off."""
        await self._database.write(lambda tx: follows.postpone(tx, follow.id, until=until, reason=reason))

    async def followed(self, follow: FollowRequest, channel: ResolvedChannel, access: FollowAccess) -> Followed:
        """Write the notice that a channel is followed, with how many alerts its last posts would have brought."""
        newest = await posts.latest(self._database, channel_ids=[channel.id], limit=FIRST_POSTS)
        alerts: int | None = 0
        if newest:
            wishes = await subscriptions.of_chat(self._database, follow.chat_id or 0)
            wanted, limits = {wish.topic_id for wish in wishes}, await channel_groups.limits(self._database)
            every = [topic for topic in await topics.all_topics(self._database) if topic.id in wanted]
            chosen = [
                topic for topic in every if not topic.is_feed and channel.id in limits.get(topic.id, {channel.id})
            ]
            excluded = await exclusions.by_topic(self._database, follow.chat_id or 0)
            queries = [packed(topic.compiled, excluded.get(topic.id, ())) for topic in chosen]
            try:
                alerts = await self._searches.run(
                    count_matches, queries, since=newest[-1].date, channel_id=channel.id, who=self, within=COUNT_WITHIN
                )
            except SearchError:
                alerts = None
        return Followed(
            event=event_of(follow),
            channel=channel.title,
            channel_id=channel.id,
            access=access,
            posts=len(newest),
            alerts=alerts,
            past_days=USUAL_PAST.days if await self._is_read_back(follow, channel.id) else 0,
        )

    async def _is_read_back(self, follow: FollowRequest, channel_id: int) -> bool:
        """Tell whether the usual past of a new channel is read from now on."""
        known = await channels.get(self._database, channel_id)
        start = None if known is None else known.complete_from
        return start is not None and start > self._clock() - USUAL_PAST and follow.options.history is None

    async def notify(self, follow: FollowRequest, notice: Notice) -> None:
        """Put a notice into the outbox for the chat that asked; what a list shows changes that list instead."""
        now, chat_id = self._clock(), follow.chat_id

        async def job(tx: Transaction) -> None:
            chat = None if chat_id is None else await chats.get(tx, chat_id)
            if chat is None:
                return
            if isinstance(notice, _LISTED) and await progress.is_listed(tx, chat.id, follow.asked_at):
                tx.announce(Subject.PROGRESS)
            else:
                await notify(tx, chat, notice, now=now)

        await self._database.write(job)


def event_of(follow: FollowRequest) -> str:
    """Name what becomes of a request."""
    return f"{follow.id}:{to_ms(follow.asked_at)}"
