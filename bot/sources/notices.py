"""What became of a wish to follow comes in; a notice to whoever asked goes into the outbox."""

from collections.abc import Mapping
from datetime import timedelta

from bot.matching.compiled import Compiled
from bot.models import Clock
from bot.search import preview
from bot.sources.catch_up import BACKFILL
from bot.store import alerts, chats, subscriptions, topics
from bot.store.channels import Follow, ResolvedChannel
from bot.store.database import Database, Transaction, to_ms


class Notices:
    """Tells the chat that asked, if one did."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def followed(self, follow: Follow, channel: ResolvedChannel, *, access: str) -> None:
        """Say that a channel is followed, and how many alerts its last days would have brought."""
        if follow.chat_id is None:
            return
        payload = {
            "notice": "followed",
            "channel": channel.title,
            "username": channel.username,
            "channel_id": channel.id,
            "access": access,
            "days": BACKFILL // timedelta(days=1),
            "would": await self._would(follow.chat_id, channel.id),
        }
        await self._tell(follow, "followed", payload)

    async def pending(self, follow: Follow, *, title: str) -> None:
        """Say that the admins of a private channel have to let the reader in; its id is not known before."""
        payload = {"notice": "followed", "channel": title, "username": None, "channel_id": None, "access": "pending"}
        await self._tell(follow, "pending", payload | {"days": BACKFILL // timedelta(days=1), "would": 0})

    async def refused(self, follow: Follow, *, reason: str) -> None:
        """Say why something cannot be followed."""
        await self._tell(follow, "refused", {"notice": "refused", "reference": follow.reference, "reason": reason})

    async def _would(self, chat_id: int, channel_id: int) -> int:
        wishes = await subscriptions.of_chat(self._database, chat_id)
        wanted = {wish.topic_id for wish in wishes if wish.channels is None or channel_id in wish.channels}
        chosen = [topic for topic in await topics.all_topics(self._database) if topic.id in wanted]
        queries = [Compiled.from_json(topic.compiled) for topic in chosen]
        return await preview(self._database, queries, since=self._clock() - BACKFILL, channel_id=channel_id)

    async def _tell(self, follow: Follow, what: str, payload: Mapping[str, object]) -> None:
        now, chat_id = self._clock(), follow.chat_id

        async def job(tx: Transaction) -> None:
            chat = None if chat_id is None else await chats.get(tx, chat_id)
            if chat is not None:
                subject = f"{what}:{follow.id}:{to_ms(follow.asked_at)}"
                await alerts.enqueue(tx, chat=chat, kind=alerts.Kind.NOTICE, subject=subject, payload=payload, now=now)

        await self._database.write(job)
