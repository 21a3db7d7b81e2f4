"""A bot that empties an outbox into chats; files are kept for it by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from telethon.tl import types

from bot.delivery.attachments import WAIT, Attachments
from bot.delivery.composer import Composer
from bot.delivery.worker import Worker
from bot.models import Clock, Media
from bot.models.outgoing import Peer
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import Beat, no_beat
from bot.sandbox import Message, User
from bot.search.pool import Searches
from bot.store import chats, media
from bot.store.blobs import Blob, Blobs
from bot.store.chats import Chat
from bot.store.database import Database
from bot.store.media import Download, FileInfo
from bot.telegram.rate_limit import Rates
from bot.telegram.sender import Sender
from tests import kit
from tests.kit import State
from tests.kit_archive import Archive, post
from tests.kit_bot import UNLIMITED, SandboxedBot, private, sender_of
from tests.waiting import WAIT_S, until

SCAN = b"%PDF an order " * 100_000  # 1.4 MB: eleven parts
ORDER = Media(kind="document", id=77, title="order.pdf")
ALBUM_WITHIN = timedelta(seconds=0.1)  # a tenth of the time that the service waits for the rest of an album
PHOTO = Media(kind="photo", id=78)


def worker_of(  # noqa: PLR0913 - the parts of a worker
    db: Database,
    sender: Sender,
    *,
    clock: Clock = utc_now,
    files: Attachments | None = None,
    album_within: timedelta = ALBUM_WITHIN,
    searches: Searches | None = None,
) -> Worker:
    files = files or Attachments(db, sender, Path("no files"), clock=clock)
    composer = Composer(db, sender, files, clock=clock, searches=searches)
    return Worker(db, composer, sender=sender, clock=clock, album_within=album_within)


@asynccontextmanager
async def at_work(worker: Worker, beat: Beat = no_beat) -> AsyncIterator[Worker]:
    running = asyncio.create_task(worker.run(beat))
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(running, WAIT_S)


@dataclass(kw_only=True)
class DeliveringBot(SandboxedBot):
    """A bot that empties an outbox."""

    archive: Archive
    folder: Path  # of files that were kept
    album_within: timedelta = ALBUM_WITHIN
    chats: dict[int, Chat] = field(default_factory=dict)  # by the number at Telegram

    def worker(self, rates: Rates = UNLIMITED) -> Worker:
        return worker_of(self.archive.db, sender_of(self.client, rates), clock=utc_now)

    def at_work(self, rates: Rates = UNLIMITED) -> AbstractAsyncContextManager[Worker]:
        return at_work(self.worker(rates))

    async def pair(self, peer: Peer, title: str) -> Chat:
        chat = await self.archive.db.write(lambda tx: chats.pair(tx, peer, title=title, language="en", now=utc_now()))
        self.chats[peer.id] = chat
        return chat

    async def subscribe(self, chat: Chat) -> None:
        """Subscribe a chat to outages in a channel that is followed from now on."""
        self.archive.now = utc_now()
        await self.archive.follow(title="Вести")
        await self.archive.track(chat, "outages", "сбой")

    async def tell(self, account: User, *names: str, due_in: float = 0) -> None:
        """Put notices that speak of channels with these names into the outbox."""
        now, chat = utc_now(), self.chats[account.id]
        notices = [kit.notice(chat, name) for name in names]
        await kit.put(self.archive.db, notices, now, due_at=now + timedelta(seconds=due_in))

    def names(self, account: User) -> list[str]:
        """Return the names that a person was told of, in the order in which they came."""
        return [text.split("«")[1].split("»")[0] for text in self.texts(account)]

    async def state(self, name: str) -> State:
        return await kit.state_of(self.archive.db, name)

    async def in_state(self, state: str, *names: str) -> None:
        """Wait until these notices have come so far."""

        async def reached() -> bool:
            return [(await self.state(name)).state for name in names] == [state] * len(names)

        await until(reached)

    async def until_received(self, account: User, count: int = 1) -> list[Message]:
        """Wait until a person has so many messages; return all."""
        await until(lambda: len(self.received(account)) >= count)
        return self.received(account)

    async def until_idle(self) -> None:
        """Wait until nothing is due, now or later."""

        async def reached() -> bool:
            return await kit.is_idle(self.archive.db)

        await until(reached)

    # Files that follow alerts

    async def reader(self, name: str, *, wants: bool = True, query: str = "сбой") -> User:
        """Bring somebody who gets alerts of outages, or of another query, with their files or without."""
        account = self.sandbox.world.add_user(name)
        account.starts(self.account)
        await self.subscribed(private(account), wants=wants, query=query)
        return account

    async def subscribed(self, peer: Peer, *, wants: bool = True, query: str = "сбой") -> Chat:
        """Bring a chat that gets alerts of outages, or of another query, with their files or without."""
        chat = await self.pair(peer, "")
        await self.archive.track(chat, "outages" if query == "сбой" else query, query)
        await self.archive.db.write(lambda tx: chats.save(tx, replace(chat, media=wants, storms=None)))
        return chat

    def with_files(self, *, wait: float = WAIT) -> AbstractAsyncContextManager[Worker]:
        """Have the worker at work, which waits so many seconds for files."""
        files = Attachments(self.archive.db, self.sender, self.folder, clock=utc_now, wait=wait)
        return at_work(worker_of(self.archive.db, self.sender, files=files, album_within=self.album_within))

    async def posts(self, message_id: int, what: Media, text: str = "Сбой", **fields: object) -> None:
        self.archive.now = utc_now()
        await self.archive.live(post(message_id, text, date=self.archive.now, media=what, **fields))

    async def keeps(
        self, content: bytes = SCAN, *, name: str | None = "order.pdf", mime: str = "application/pdf"
    ) -> None:
        """Keep all files that are wanted, as a reader does."""
        stored = self._store(content)
        while (wanted := await self.wanted()) is not None:
            await self._keep(wanted, stored, FileInfo(mime=mime, name=name, size=stored.size))

    async def keeps_each(self, *, name: str | None = None, mime: str = "image/jpeg", most: int = 100) -> None:
        """Keep so many of the files that are wanted, each with another content: the number that Telegram gives it."""
        for _ in range(most):
            if (wanted := await self.wanted()) is None:
                return
            stored = self._store(str(wanted.file_id).encode())
            await self._keep(wanted, stored, FileInfo(mime=mime, name=name, size=stored.size))

    async def wanted(self) -> Download | None:
        return await media.next_download(self.archive.db, self.archive.reader_id, utc_now())

    def _store(self, content: bytes) -> Blob:
        return Blobs(self.folder).put(content)

    async def _keep(self, wanted: Download, stored: Blob, about: FileInfo) -> None:
        evidence = {"reader_id": self.archive.reader_id, "now": utc_now(), "album_within": self.album_within}
        await self.archive.db.write(lambda tx: media.keep(tx, wanted.id, stored, about, **evidence))

    def file_of(self, message: Message) -> bytes | None:
        content = getattr(message.media, "document", None) or getattr(message.media, "photo", None)
        if content is None:
            return None
        return self.sandbox.world.media.find(content.id, content.access_hash, content.file_reference).data


def names_of(message: Message) -> list[str]:
    assert message.media is not None
    attributes = message.media.document.attributes
    return [each.file_name for each in attributes if isinstance(each, types.DocumentAttributeFilename)]
