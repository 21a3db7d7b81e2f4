"""Sets the stage of a story: its channels and accounts on the embedded server, the real service, a client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from telethon import TelegramClient

from bot import app
from bot.demo.story import Story, StoryClock
from bot.sandbox import Channel, Sandbox, User
from bot.settings import Settings
from bot.telegram.client import PATIENT
from bot.telegram.sessions import READER

TOKEN = "1000:demo"  # noqa: S105 - of a bot that exists on loopback only
BOT = "channelwatch_demo_bot"
TIMINGS = replace(PATIENT, login_every=0.5, page_pause=0.5)  # the story goes on at once
JOINED_BEFORE = 3  # channels that the reader is in already; the others it joins by itself


class Stage:
    """The embedded server with a story's channels, the reader, the bot and the subscriber."""

    def __init__(self, sandbox: Sandbox, story: Story, clock: StoryClock, *, folder: Path, pages: str) -> None:
        world = sandbox.world
        self.sandbox = sandbox
        self.clock = clock
        self._folder = folder
        self._session = folder / READER
        self._pages = pages  # the address of the public web pages
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
    async def service(self) -> AsyncIterator[app.Ready]:
        """Run the real service; raises the error that kept it from starting."""
        ready: asyncio.Future[app.Ready] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        service = app.run(self._settings(), stop, clock=self.clock.now, timings=TIMINGS, on_ready=ready.set_result)
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

    def ban_reader(self) -> None:
        """Have Telegram ban the reader account."""
        self.sandbox.faults.ban(self.reader.id)

    def restore_reader(self) -> None:
        """Lift the ban, and log the account in again as `channelwatch login` does."""
        self.sandbox.faults.lift_ban(self.reader.id)
        self._session.unlink()
        self._log_in()

    def _log_in(self) -> None:
        self.sandbox.session_for(self.reader, self._session)
        self._session.chmod(0o600)

    def _settings(self) -> Settings:
        key = self._folder / "server.pem"
        key.write_text(self.sandbox.key_pem)
        self._log_in()
        return Settings.model_construct(  # reads no environment: whatever is set there is for the real service
            telegram_api_id=1,
            telegram_api_hash=SecretStr("demo"),
            telegram_bot_token=SecretStr(TOKEN),
            telegram_server=self.sandbox.address,
            telegram_server_key=key,
            data_dir=self._folder,
            pages_url=self._pages,
            pages_fallback_urls=(),
            pages_pause=0,
            sweep_interval=2,
            join_interval=1,
            send_rate_chat=20,
        )
