"""Notices on what became of a wish to follow, for the chat that asked; wishes of the settings get none."""

from collections.abc import Sequence

from bot.matching.engine.compiled import Compiled
from bot.models.notices import (
    FolderRead,
    FollowAccess,
    FollowAllOffered,
    Followed,
    FollowRefused,
    JoinRequested,
    Notice,
)
from bot.models.posts import StoredPost
from bot.search import count_matches
from bot.sources.account import Account
from bot.sources.sync import BACKFILL
from bot.store import channels, chats, follows, posts, subscriptions, topics
from bot.store.channels import ResolvedChannel
from bot.store.database import Transaction, to_ms
from bot.store.follows import FollowRequest
from bot.store.notices import notify

A_FEW = 5  # channels that are asked for together; of more, each comes without a sound


class FollowNotices:
    """Puts these notices into the outbox."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def followed(self, follow: FollowRequest, channel: ResolvedChannel, *, access: FollowAccess) -> None:
        """Say that a channel is followed, and how many alerts its last posts would have brought."""
        if follow.chat_id is None:
            return
        newest = await posts.latest(self._account.database, channel_ids=[channel.id], limit=BACKFILL)
        notice = Followed(
            event=_event(follow),
            channel=channel.title,
            channel_id=channel.id,
            access=access,
            posts=len(newest),
            alerts=await self._alerts(follow.chat_id, newest) if newest else 0,
        )
        await self._notify(follow, notice)

    async def join_requested(self, follow: FollowRequest, *, title: str) -> None:
        """Say that the admins of a private channel have to let the reader in."""
        await self._notify(follow, JoinRequested(event=_event(follow), channel=title))

    async def refused(self, follow: FollowRequest, *, reason: str) -> None:
        """Say why something cannot be followed; where a number was asked for, its title is shown if it is known."""
        known = await channels.by_ids(self._account.database, [follow.reference])
        name = f"«{known[0].title}»" if known else follow.reference
        await self._notify(follow, FollowRefused(event=_event(follow), reference=name, reason=reason))

    async def folder_read(self, follow: FollowRequest, *, title: str, count: int, private: Sequence[str]) -> None:
        """Say how many channels of a folder can be read, and which cannot."""
        notice = FolderRead(event=_event(follow), folder=title, channels=count, private=tuple(private))
        await self._notify(follow, notice)

    async def offer_all(self, follow: FollowRequest, *, count: int, unfollowed: int) -> None:
        """Ask whether to follow all channels that the reader account is in."""
        options = follow.options.typed()
        notice = FollowAllOffered(event=_event(follow), channels=count, unfollowed=unfollowed, options=options)
        await self._notify(follow, notice)

    async def _alerts(self, chat_id: int, newest: Sequence[StoredPost]) -> int:
        oldest = newest[-1]
        wishes = await subscriptions.of_chat(self._account.database, chat_id)
        wanted = {wish.topic_id for wish in wishes if wish.channels is None or oldest.channel_id in wish.channels}
        chosen = [topic for topic in await topics.all_topics(self._account.database) if topic.id in wanted]
        queries = [Compiled.from_json(topic.compiled) for topic in chosen]
        return await count_matches(self._account.database, queries, since=oldest.date, channel_id=oldest.channel_id)

    async def _notify(self, follow: FollowRequest, notice: Notice) -> None:
        now, chat_id = self._account.now(), follow.chat_id

        async def job(tx: Transaction) -> None:
            chat = None if chat_id is None else await chats.get(tx, chat_id)
            if chat is not None:
                silent = isinstance(notice, Followed) and await follows.asked_together(tx, follow) > A_FEW
                await notify(tx, chat, notice, now=now, silent=silent)

        await self._account.database.write(job)


def _event(follow: FollowRequest) -> str:
    return f"{follow.id}:{to_ms(follow.asked_at)}"
