"""The whole service in this process, beside the embedded server, and people with ordinary Telethon clients."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr
from telethon import TelegramClient, events
from telethon.tl import types as tl

from bot import app, bootstrap
from bot.matching.topics import builtin_topics, read_folder
from bot.models import Clock
from bot.models.people import Role
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import Health
from bot.sandbox import Channel, Sandbox, User
from bot.settings import Settings
from bot.store import invitations
from bot.store.database import Database, Reader, Transaction, open_read_only
from bot.telegram.client import PATIENT, Timings
from tests.kit_archive import made_once
from tests.kit_bot import embedded_server
from tests.waiting import WAIT_S

TOKEN = "4000:newsroom"  # noqa: S105 - of a bot that exists on loopback only


class Person:
    """Somebody with a phone: what the bot writes to them, in order, as their client hears it."""

    def __init__(self, account: User, client: TelegramClient, bot: User) -> None:
        self.account = account
        self.client = client
        self.bot = bot
        self._news = asyncio.Condition()
        self.heard: list[tl.Message] = []
        self.edited: list[tl.Message] = []  # what the bot's messages say after an edit, in order
        client.add_event_handler(self._hear, events.NewMessage(incoming=True))
        client.add_event_handler(self._hear_edit, events.MessageEdited(incoming=True))

    async def _hear(self, event: events.NewMessage.Event) -> None:
        async with self._news:
            self.heard.append(event.message)
            self._news.notify_all()

    async def _hear_edit(self, event: events.MessageEdited.Event) -> None:
        async with self._news:
            self.edited.append(event.message)
            self._news.notify_all()

    async def says(self, words: str) -> None:
        await self.client.send_message(self.bot.username, words)

    async def asks(self, words: str) -> tl.Message:
        """Write to the bot and return its next message."""
        before = len(self.heard)
        await self.says(words)
        await self.until(lambda: len(self.heard) > before)
        return self.heard[before]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(condition)

    async def alert(self, words: str) -> tl.Message:
        """Wait for the alert that shows these words."""
        await self.until(lambda: any(words in message.message for message in self.alerts))
        return next(message for message in self.alerts if words in message.message)

    async def message(self, words: str) -> tl.Message:
        """Wait for the message that shows these words."""
        await self.until(lambda: any(words in message.message for message in self.heard))
        return next(message for message in self.heard if words in message.message)

    async def edit(self, words: str) -> tl.Message:
        """Wait until a message of the bot is edited to show these words."""
        await self.until(lambda: any(words in message.message for message in self.edited))
        return next(message for message in self.edited if words in message.message)

    async def reply(self, words: str) -> tl.Message:
        """Wait for the reply to one of the bot's own messages that shows these words."""
        await self.until(lambda: any(words in message.message for message in self.replies))
        return next(message for message in self.replies if words in message.message)

    async def count(self, alerts: int) -> None:
        """Wait until there are as many alerts."""
        await self.until(lambda: len(self.alerts) >= alerts)

    @property
    def replies(self) -> list[tl.Message]:
        """What the bot wrote as a reply to what it had written, so far."""
        return [message for message in self.heard if message.reply_to is not None]

    @property
    def alerts(self) -> list[tl.Message]:
        """The alerts so far: the messages with a link to a post under them."""
        return [message for message in self.heard if link_of(message) is not None]


def link_of(message: tl.Message) -> str | None:
    return link_in(message.reply_markup)


def link_in(markup: object) -> str | None:
    rows = markup.rows if isinstance(markup, tl.ReplyInlineMarkup) else []
    kinds = [button.type for row in rows for button in row.buttons]
    links = [kind.url for kind in kinds if isinstance(kind, tl.InlineButtonTypeUrl)]
    return links[0] if links else None


@dataclass(slots=True)
class Service:
    """The whole service in this process, beside the embedded server, and people with phones."""

    sandbox: Sandbox
    folder: Path
    settings: Settings
    reader: User
    bot: User
    now: Clock = utc_now
    steady: Clock | None = None
    timings: Timings = PATIENT
    health: Health | None = None
    people: list[Person] = field(default_factory=list)
    ready: app.Ready | None = None
    _running: asyncio.Task[None] | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Run the service until `stop`."""
        ready: asyncio.Future[app.Ready] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        running = app.run(
            self.settings,
            self._stop,
            clock=self.now,
            steady=self.steady,
            timings=self.timings,
            health=self.health,
            on_ready=ready.set_result,
        )
        self._running = asyncio.create_task(running)
        waited: set[asyncio.Future[Any]] = {self._running, ready}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED, timeout=WAIT_S)
        if self._running.done():
            await self._running
        self.ready = ready.result()

    async def stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            self._stop.set()
            await asyncio.wait_for(running, WAIT_S)

    async def person(self, name: str, **account: str) -> Person:
        """Bring somebody with a phone, not yet known to the bot."""
        user = self.sandbox.world.add_user(name, **account)  # type: ignore[arg-type]
        person = Person(user, self.sandbox.client(user), self.bot)
        self.people.append(person)
        await person.client.connect()
        return person

    async def invited(self, name: str) -> Person:
        """Bring somebody whom `channelwatch invite` let in."""
        token, person = await self.invitation(), await self.person(name)
        await person.asks(f"/start {token}")
        return person

    async def invitation(self) -> str:
        """Make what `channelwatch invite` prints, for one person."""
        database = await Database.open(self.settings.database_path)
        token = (await database.write(lambda tx: invitations.make(tx, role=Role.READER, now=utc_now()))).token
        await database.close()
        return token

    async def owner(self, *, follows: Sequence[Channel] = ()) -> Person:
        """Bring the owner: paired by the link, and told that each channel is followed."""
        owner = await self.person("Owner")
        assert self.ready is not None
        assert self.ready.invitation is not None
        await owner.asks(f"/start {self.ready.invitation.rpartition('=')[2]}")
        await self.follow(owner, *follows)
        return owner

    async def follow(self, person: Person, *channels: Channel) -> None:
        """Follow channels, and wait until the bot has told how it went with each."""
        for channel in channels:
            await person.says(f"/follow {reference(channel)}")
        titles = [channel.title for channel in channels]
        await person.until(lambda: all(any(title in m.message for m in person.heard) for title in titles))

    @asynccontextmanager
    async def archive(self) -> AsyncIterator[Reader]:
        async with open_read_only(self.settings.database_path) as db:
            yield db


def reference(channel: Channel) -> str:
    return f"@{channel.username}" if channel.username else f"t.me/+{channel.invite}"


# In place of the built-in queries, whose matcher takes as long to make as most tests do; those of `tests.matching`, of
# real posts and of processes are about the real ones.
BRIEF = {
    "blocking": "заблокировать",
    "outages": 'сбой|downdetector|"не открываться"|(сайт|сервис ~3 недоступный)',
    "shutdowns": "отключить|отключение|ограничить & интернет",
    "sovereignty": "импортозамещение|реестр",
    "utilities": "авария",
}


async def _know_all(tx: Transaction) -> None:
    """Expand the forms of the built-in topics, which takes longer than most tests."""
    await bootstrap.take_over_topics(tx, (), now=utc_now())


async def _know_brief(tx: Transaction) -> None:
    with TemporaryDirectory() as folder:
        write_brief(Path(folder))
        await bootstrap.take_over_topics(tx, read_folder(Path(folder)), now=utc_now())


def write_brief(folder: Path) -> None:
    """Write short topics under the names of the built-in ones, which they replace."""
    folder.mkdir(exist_ok=True)
    for topic in builtin_topics():
        content = f"default = {str(topic.default).lower()}\nquery = '{BRIEF[topic.name]}'\n"
        (folder / f"{topic.name}.toml").write_text(content, encoding="utf-8")


@asynccontextmanager
async def running_service(  # noqa: PLR0913 - all by name, all with a default
    folder: Path,
    *,
    now: Clock = utc_now,
    timings: Timings = PATIENT,
    health: Health | None = None,
    account: bool = True,
    builtin: bool = False,
    **settings: object,
) -> AsyncIterator[Service]:
    """Run the service where it is `now`; fails where the server met what it does not know.

    Without a reader `account` it has the web pages of the server. Its topics are short ones under the names of the
    `builtin` ones, unless these are wanted.
    """
    async with embedded_server(now) as server:
        sandbox = server.sandbox
        reader = sandbox.world.add_user("Reader", phone="+10000000001")
        bot = sandbox.world.add_bot(TOKEN, "Channelwatch", "newsroom_bot")
        key, data = folder / "server.pem", folder / "data"
        data.mkdir(mode=0o700)
        key.write_text(sandbox.key_pem)
        if account:
            sandbox.session_for(reader, data / "reader.session")
        else:
            sandbox.world.add_channel("Canary", username="canary").post("Tweet")
            pages = {"pages_url": (await sandbox.serve_pages()).url, "pages_fallback_urls": ()}
            settings = {**pages, "pages_canary": "canary", "pages_pause": 0.0, **settings}
        if not builtin:
            write_brief(data / "topics")
        (data / "bot.db").write_bytes(await asyncio.to_thread(made_once, _know_all if builtin else _know_brief))
        fixed: dict[str, object] = {
            "telegram_api_id": 1,
            "telegram_api_hash": SecretStr("0" * 32),
            "telegram_bot_token": SecretStr(TOKEN),
            "telegram_server": sandbox.address,
            "telegram_server_key": key,
            "data_dir": data,
            "send_rate_chat": 1000.0,
            "send_rate_total": 1000.0,
        }
        known = Settings.model_construct(**fixed | settings)  # type: ignore[arg-type]
        service = Service(sandbox, folder, known, reader, bot, now, timings=timings, health=health)
        await service.start()
        try:
            yield service
        finally:
            sandbox.faults.clear()
            for person in service.people:
                await person.client.disconnect()
            await service.stop()
