"""Sets the stage of a story: its channels and accounts on the embedded server, the real service, a client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from telethon import TelegramClient

from bot import app
from bot.demo.story import Story, StoryClock
from bot.sandbox import Channel, Sandbox, User
from bot.settings import Settings

TOKEN = "1000:demo"  # noqa: S105 - of a bot that exists on loopback only
BOT = "channelwatch_demo_bot"
JOINED_BEFORE = 3  # channels that the reader is in already; the others it joins by itself


class Stage:
    """The embedded server with a story's channels, the reader, the bot and the subscriber."""

    def __init__(self, sandbox: Sandbox, story: Story, clock: StoryClock) -> None:
        world = sandbox.world
        self.sandbox = sandbox
        self.clock = clock
        self.reader = world.add_user("Reader", phone="+10000000001")
        self.bot = world.add_bot(TOKEN, "Channelwatch", BOT)
        self.subscriber: User = world.add_user("Subscriber")
        self.channels: dict[str, Channel] = {
            key: world.add_channel(cast["title"], username=cast.get("username"), invite=cast.get("invite"))
            for key, cast in story.channels.items()
        }
        for channel in list(self.channels.values())[:JOINED_BEFORE]:
            channel.join(self.reader)

    def references(self) -> str:
        """Return the channels as a person would paste them, one a line."""
        return "\n".join(f"@{c.username}" if c.username else f"t.me/+{c.invite}" for c in self.channels.values())

    @asynccontextmanager
    async def service(self, folder: Path) -> AsyncIterator[app.Ready]:
        """Run the real service with its data in a folder; raises the error that kept it from starting."""
        ready: asyncio.Future[app.Ready] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        service = app.run(self._settings(folder), stop, clock=self.clock.now, on_ready=ready.set_result)
        running = asyncio.create_task(service, name="service")
        waited: set[asyncio.Future[Any]] = {running, ready}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            await running
        try:
            yield ready.result()
        finally:
            stop.set()
            await running

    @asynccontextmanager
    async def phone(self) -> AsyncIterator[TelegramClient]:
        """Make a client of the subscriber, to be connected once its handlers are added."""
        client = self.sandbox.client(self.subscriber)
        try:
            yield client
        finally:
            await client.disconnect()

    def _settings(self, folder: Path) -> Settings:
        key = folder / "server.pem"
        key.write_text(self.sandbox.key_pem)
        session = folder / "reader.session"
        self.sandbox.session_for(self.reader, session)
        session.chmod(0o600)
        return Settings.model_construct(  # reads no environment: whatever is set there is for the real service
            telegram_api_id=1,
            telegram_api_hash=SecretStr("demo"),
            telegram_bot_token=SecretStr(TOKEN),
            telegram_server=self.sandbox.address,
            telegram_server_key=key,
            data_dir=folder,
            sweep_interval=2,
            join_interval=1,
            send_rate_chat=20,
        )
