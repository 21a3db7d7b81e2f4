"""A reader on the embedded server, and what it writes into, as tests handle them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from telethon import TelegramClient

from bot.models.notices import Notice
from bot.pipeline.ingest import Ingest
from bot.sandbox import Channel, Sandbox, User
from bot.sources.account import Account
from bot.sources.assignment import Assignments
from bot.sources.follow_requests import FollowRequests
from bot.sources.live import Live
from bot.sources.sweep import Sweep
from bot.sources.sync import ChannelSync
from bot.store import channels, follows, posts
from bot.store.channels import Options
from bot.store.chats import Chat
from bot.store.database import Database
from tests.kit import messages
from tests.kit_archive import InProcess
from tests.kit_clock import Clock

RATE = 10_000.0  # requests a second: the sandbox allows what it is asked
BEGIN = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)


@dataclass(kw_only=True)
class Post:
    """A stored post, as tests look at it."""

    text: str
    gone: bool
    observed_by: str


@dataclass(kw_only=True)
class ReaderKit:
    """The world, the reader in it, and what it writes into."""

    sandbox: Sandbox
    clock: Clock
    me: User  # the reader account
    client: TelegramClient
    database: Database
    ingest: Ingest
    live: Live
    assignments: Assignments
    reader_id: int = 0
    chat: Chat | None = None

    def sweep(self, interval: float = 60) -> Sweep:
        return Sweep(self.account, self.sync, self.assignments, interval=interval)

    def sweep_of(self, sync: ChannelSync) -> Sweep:
        """Return a sweep that remembers, by `sync`, at which channels the server failed before."""
        return Sweep(self.account, sync, self.assignments, interval=60)

    def subscriptions(self, join_interval: float = 300) -> FollowRequests:
        return FollowRequests(
            self.account,
            self.sync,
            self.assignments,
            searches=InProcess(self.database),
            join_interval=join_interval,
        )

    @property
    def account(self) -> Account:
        """The reader as sources ask through it."""
        return Account(self.client, self.database, reader_id=self.reader_id, clock=self.clock, rate=RATE)

    @property
    def sync(self) -> ChannelSync:
        return ChannelSync(self.account, self.ingest)

    async def ask(self, *references: str, **options: Any) -> None:  # noqa: ANN401 - fields of Options
        chat_id = self.chat.id if self.chat else None
        for reference in references:
            await self.database.write(
                lambda tx, name=reference: follows.request(
                    tx, name, chat_id=chat_id, now=self.clock(), options=Options(**options)
                )
            )

    async def settle_all(self, part: FollowRequests) -> None:
        while await part.settle_one():
            pass

    async def follow(self, channel: Channel) -> None:
        """Follow a channel, and begin a second later, so that what comes is news."""
        await self.ask(f"@{channel.username.lower()}" if channel.username else f"+{channel.invite}")
        await self.settle_all(self.subscriptions())
        self.clock.advance(timedelta(seconds=1))

    async def channel(self, channel: Channel) -> channels.Channel:
        found = await channels.get(self.database, channel.id, self.reader_id)
        assert found is not None
        return found

    async def stored(self, channel: Channel) -> dict[int, Post]:
        ids = await self.database.fetch_all("SELECT message_id FROM posts WHERE channel_id = :id", {"id": channel.id})
        found = await posts.current(self.database, channel.id, [row["message_id"] for row in ids])
        return {
            post.message_id: Post(text=post.text, gone=post.gone_at is not None, observed_by=post.observed_by)
            for post in found
        }

    async def texts(self, channel: Channel) -> list[str]:
        return [post.text for _, post in sorted((await self.stored(channel)).items()) if not post.gone]

    async def notices(self) -> list[Notice]:
        """Return the notices in the outbox, without the events that tell them apart."""
        found = await messages(self.database, self.clock() + timedelta(days=365))
        return [replace(message.notice, event="") for message in found if message.notice is not None]

    def calls(self, name: str) -> int:
        return sum(call.name == name for call in self.sandbox.calls if call.account_id == self.me.id)
