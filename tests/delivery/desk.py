"""A bot, people who read it, and a channel whose files are kept by hand, against the embedded server."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from telethon import TelegramClient
from telethon.tl import types

from bot.delivery.attachments import WAIT, Attachments
from bot.delivery.worker import Worker
from bot.models import Media, Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.sandbox import Message, Sandbox, User
from bot.store import attachments, chats, media
from bot.store.blobs import Blob, Blobs
from bot.store.chats import Chat
from bot.store.media import Download, FileInfo
from tests import kit
from tests.delivery.kit import at_work, sender_of, worker_of
from tests.store.kit import Newsroom, newsroom, post
from tests.waiting import until

SCAN = b"%PDF an order " * 100_000  # 1.4 MB: eleven parts
ORDER = Media(kind="document", id=77, title="order.pdf")
PHOTO = Media(kind="photo", id=78)


@dataclass(kw_only=True)
class Desk:
    """A bot, people who read it, and a channel whose files are kept by hand."""

    sandbox: Sandbox
    room: Newsroom
    client: TelegramClient
    bot: User
    folder: Path
    people: list[User] = field(default_factory=list)

    async def reader(self, name: str, *, wants: bool = True, query: str = "сбой") -> User:
        """Bring somebody who gets alerts of outages, or of another query, with their files or without."""
        account = self.sandbox.world.add_user(name)
        account.starts(self.bot)
        await self.pair(Peer(kind=PeerKind.USER, id=account.id), wants=wants, query=query)
        self.people.append(account)
        return account

    async def pair(self, peer: Peer, *, wants: bool = True, query: str = "сбой") -> Chat:
        """Bring a chat that gets alerts of outages, or of another query, with their files or without."""
        pairing = partial(chats.pair, peer=peer, title="", language="en", now=self.room.now)
        chat = await self.room.db.write(pairing)
        await self.room.track(chat, "outages" if query == "сбой" else query, query)
        await self.room.db.write(lambda tx: chats.save(tx, replace(chat, media=wants)))
        return chat

    def at_work(self, *, wait: float = WAIT) -> AbstractAsyncContextManager[Worker]:
        sender = sender_of(self.client)
        files = Attachments(self.room.db, sender, self.folder, clock=utc_now, wait=wait)
        return at_work(worker_of(self.room.db, sender, clock=utc_now, files=files))

    async def posts(self, message_id: int, what: Media, text: str = "Сбой", **fields: object) -> None:
        self.room.now = utc_now()
        await self.room.live(post(message_id, text, date=self.room.now, media=what, **fields))

    async def keeps(
        self, content: bytes = SCAN, *, name: str | None = "order.pdf", mime: str = "application/pdf"
    ) -> None:
        """Keep all files that are wanted, as a reader does."""
        incoming = Blobs(self.folder).begin()
        incoming.write(content)
        stored = incoming.keep()
        while (wanted := await self.wanted()) is not None:
            await self._keep(wanted, stored, FileInfo(mime=mime, name=name, size=stored.size))

    async def keeps_each(self, *, name: str | None = None, mime: str = "image/jpeg", most: int = 100) -> None:
        """Keep so many of the files that are wanted, each with another content: the number that Telegram gives it."""
        for _ in range(most):
            if (wanted := await self.wanted()) is None:
                return
            incoming = Blobs(self.folder).begin()
            incoming.write(str(wanted.file_id).encode())
            stored = incoming.keep()
            await self._keep(wanted, stored, FileInfo(mime=mime, name=name, size=stored.size))

    async def wanted(self) -> Download | None:
        return await media.next_download(self.room.db, self.room.reader_id, utc_now())

    async def _keep(self, wanted: Download, stored: Blob, about: FileInfo) -> None:
        reader_id = self.room.reader_id
        await self.room.db.write(
            lambda tx: media.keep(tx, wanted.id, stored, about, reader_id=reader_id, now=utc_now())
        )

    def heard(self, account: User) -> list[Message]:
        return [message for message in account.inbox(self.bot) if message.sender_id == self.bot.id]

    async def until_heard(self, account: User, count: int = 1) -> list[Message]:
        async def reached() -> bool:
            return len(self.heard(account)) >= count

        await until(reached)
        return self.heard(account)

    async def until_settled(self) -> None:
        async def reached() -> bool:
            return await kit.is_idle(self.room.db)

        await until(reached)

    def calls(self, name: str) -> int:
        return sum(call.name == name for call in self.sandbox.calls)


@asynccontextmanager
async def at_desk(folder: Path) -> AsyncIterator[Desk]:
    async with Sandbox() as sandbox, newsroom(folder) as room:
        room.now = utc_now()
        bot = sandbox.world.add_bot("1:token", "Watch", "watch_bot")
        client = sandbox.client(bot)
        await client.connect()
        try:
            await room.follow()
            yield Desk(sandbox=sandbox, room=room, client=client, bot=bot, folder=folder / "media")
        finally:
            sandbox.faults.clear()
            await client.disconnect()
        assert not sandbox.unknown
        assert not sandbox.crashes


def gather_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files of an album be waited for a tenth of the time."""
    monkeypatch.setattr(attachments, "ALBUM_WITHIN", timedelta(seconds=0.1))


def file_of(desk: Desk, message: Message) -> bytes | None:
    content = getattr(message.media, "document", None) or getattr(message.media, "photo", None)
    if content is None:
        return None
    return desk.sandbox.world.media.find(content.id, content.access_hash, content.file_reference).data


def names_of(message: Message) -> list[str]:
    assert message.media is not None
    attributes = message.media.document.attributes
    return [each.file_name for each in attributes if isinstance(each, types.DocumentAttributeFilename)]
