"""What became of a wish to follow comes in; a notice to whoever asked goes into the outbox."""

from collections.abc import Mapping, Sequence

from bot.matching.engine.compiled import Compiled
from bot.models import Clock
from bot.search import count_matches
from bot.sources.sync import BACKFILL
from bot.store import alerts, channels, chats, follows, posts, subscriptions, topics
from bot.store.channels import ResolvedChannel
from bot.store.database import Database, Transaction, to_ms
from bot.store.follows import Follow

A_FEW = 5  # channels that are asked for together; of more, each comes without a sound
_SHOWN_TITLES = 20


class Notices:
    """Tells the chat that asked, if one did."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def followed(self, follow: Follow, channel: ResolvedChannel, *, access: str) -> None:
        """Say that a channel is followed, and how many alerts its last posts would have brought."""
        if follow.chat_id is None:
            return
        newest = await posts.latest(self._database, channel_ids=[channel.id], limit=BACKFILL)
        payload = {
            "notice": "followed",
            "channel": channel.title,
            "username": channel.username,
            "channel_id": channel.id,
            "access": access,
            "posts": len(newest),
            "would": await self._would(follow.chat_id, newest) if newest else 0,
        }
        await self._tell(follow, "followed", payload)

    async def pending(self, follow: Follow, *, title: str) -> None:
        """Say that the admins of a private channel have to let the reader in; its id is not known before."""
        payload = {"notice": "followed", "channel": title, "username": None, "channel_id": None, "access": "pending"}
        await self._tell(follow, "pending", payload | {"posts": 0, "would": 0})

    async def refused(self, follow: Follow, *, reason: str) -> None:
        """Say why something cannot be followed; a number is of no use to a person where a title is known."""
        known = await channels.known(self._database, [follow.reference])
        name = f"«{known[0].title}»" if known else follow.reference
        await self._tell(follow, "refused", {"notice": "refused", "reference": name, "reason": reason})

    async def folder(self, follow: Follow, *, title: str, count: int, closed: Sequence[str]) -> None:
        """Say what a folder holds."""
        shown = [*closed[:_SHOWN_TITLES], *([f"+{len(closed) - _SHOWN_TITLES}"] if closed[_SHOWN_TITLES:] else [])]
        await self._tell(follow, "folder", {"notice": "folder", "folder": title, "count": count, "closed": shown})

    async def all_counted(self, follow: Follow, *, count: int, fresh: int) -> None:
        """Ask whether to follow all that the reader is in."""
        payload = {"notice": "all", "count": count, "fresh": fresh, "options": follow.options.typed()}
        await self._tell(follow, "all", payload)

    async def _would(self, chat_id: int, newest: Sequence[posts.StoredPost]) -> int:
        oldest = newest[-1]
        wishes = await subscriptions.of_chat(self._database, chat_id)
        wanted = {wish.topic_id for wish in wishes if wish.channels is None or oldest.channel_id in wish.channels}
        chosen = [topic for topic in await topics.all_topics(self._database) if topic.id in wanted]
        queries = [Compiled.from_json(topic.compiled) for topic in chosen]
        return await count_matches(self._database, queries, since=oldest.date, channel_id=oldest.channel_id)

    async def _tell(self, follow: Follow, what: str, payload: Mapping[str, object]) -> None:
        now, chat_id = self._clock(), follow.chat_id

        async def job(tx: Transaction) -> None:
            chat = None if chat_id is None else await chats.get(tx, chat_id)
            if chat is not None:
                await alerts.notify(
                    tx,
                    chat,
                    subject=f"{what}:{follow.id}:{to_ms(follow.asked_at)}",
                    payload=payload,
                    now=now,
                    silent=what == "followed" and await follows.asked_together(tx, follow) > A_FEW,
                )

        await self._database.write(job)
