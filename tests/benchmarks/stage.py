"""Orders come in on standard input, a line of JSON each; posts appear in channels, and what came of it is answered.

This process is the embedded Telegram server. The subscriber's client lives here too, so that the process that is
measured has its core for itself. `ours` and `bare` have accounts and channels of their own: neither hears the other.
"""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any

from telethon import TelegramClient, events
from telethon.tl import functions, types

from bot.models.links import post_link
from bot.sandbox import Sandbox, User
from bot.sandbox.world.messages import Message
from bot.text.markup import units
from tests.benchmarks.texts import MARK, Texts

CHANNELS = 20
LOOK_EVERY = 0.1  # s, for answers to searches
ARRIVE_WITHIN = 30.0  # s for the last alert


class Side:
    """The accounts and channels of one side, and its folder."""

    def __init__(self, sandbox: Sandbox, name: str, folder: Path) -> None:
        world = sandbox.world
        reader = world.add_user(name)
        self.bot = world.add_bot(f"new:{name}", name, f"{name}_bot")
        self.token = f"{self.bot.id}:{name}"  # Telethon and the service look for the bot's id in it
        world.logins.add_bot(self.token, self.bot)
        self.channels = [
            world.add_channel(f"{name.title()} {n}", username=f"{name}_news_{n}", members=[reader])
            for n in range(CHANNELS)
        ]
        self._places = cycle(self.channels)
        folder.mkdir(mode=0o700)
        session = folder / "reader.session"
        sandbox.session_for(reader, session)
        session.chmod(0o600)
        (folder / "server.pem").write_text(sandbox.key_pem)

    def post(self, text: str, *, push: bool = True) -> str:
        """Publish in the next channel, with a bold heading and a link at the end, as official channels do.

        Return the link to the post.
        """
        text = text.strip()
        heading, last = text.index(".") + 1, units(text[: text.rindex(" ") + 1])
        entities = [
            types.MessageEntityBold(0, heading),
            types.MessageEntityTextUrl(last, units(text) - last, "https://example.org/statement"),
        ]
        channel = next(self._places)
        return post_link(channel.id, channel.username, channel.post(text, entities=entities, push=push).id)


class Stage:
    """Does what is ordered."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.subscriber: User = sandbox.world.add_user("Subscriber", language="ru")
        self._sandbox = sandbox
        self._sides = {name: Side(sandbox, name, folder / name) for name in ("ours", "bare")}
        self._texts = Texts(seed=1)
        self._crowd: list[User] = []  # who hears of one post
        self._numbers: dict[str, int] = {}  # of posts, by their links
        self._arrived: dict[int, float] = {}  # post's number → monotonic time of its alert
        self._news = asyncio.Event()
        self._answers = 0  # to searches of the crowd

    def facts(self) -> dict[str, Any]:
        """Tell what the other processes need to know."""
        sides = {
            name: {"token": side.token, "channels": [channel.username for channel in side.channels]}
            for name, side in self._sides.items()
        }
        return {"address": self._sandbox.address, "subscriber": self.subscriber.id, "sides": sides}

    def phone(self) -> TelegramClient:
        """Make the subscriber's client; it notes when each alert arrives."""
        client = self._sandbox.client(self.subscriber)
        client.add_event_handler(self._on_message, events.Raw(types.UpdateNewMessage))
        return client

    async def start(self, side: str) -> None:
        """Press Start in the bot of a side; ours is asked for each alert by itself, however many there are."""
        self.subscriber.starts(self._sides[side].bot)
        if side == "ours":
            self.subscriber.sends(self._sides[side].bot, "/storms off")

    async def post(self, side: str, count: int, *, push: bool) -> None:
        """Publish posts as fast as possible; each is pushed in a packet of its own."""
        for _ in range(count):
            self._sides[side].post(self._texts.next()[1], push=push)
            if push:
                await asyncio.sleep(0)

    async def alert(self, side: str, count: int, rate: float) -> list[float]:
        """Publish posts, all of outages, at a rate per second; return after how many seconds each was alerted."""
        posted: dict[int, float] = {}
        texts = [self._texts.outage() for _ in range(count)]
        begin = monotonic()
        for turn, (number, text) in enumerate(texts):
            await asyncio.sleep(begin + turn / rate - monotonic())
            posted[number] = monotonic()
            self._numbers[self._sides[side].post(text)] = number
        async with asyncio.timeout(ARRIVE_WITHIN):
            while not posted.keys() <= self._arrived.keys():
                self._news.clear()
                await self._news.wait()
        return [self._arrived.pop(number) - at for number, at in posted.items()]

    async def gather(self, count: int) -> list[int]:
        """Let people in; return their ids."""
        self._crowd = [self._sandbox.world.add_user(f"Reader {n}", language="ru") for n in range(count)]
        return [user.id for user in self._crowd]

    async def begin(self) -> None:
        """Press Start in the bots of both sides, everybody of the crowd."""
        for user in self._crowd:
            for side in self._sides.values():
                user.starts(side.bot)
            await asyncio.sleep(0)

    async def post_long(self, side: str, count: int) -> None:
        """Publish long posts of two letters, which no expression is through with soon."""
        dice = random.Random(1)  # noqa: S311 - samples, no secrets
        for number in range(count):
            text = "".join(dice.choices("аб", k=4000))
            self._sides[side].channels[number % CHANNELS].post(text, push=False)

    async def join(self, tokens: list[str]) -> None:
        """Pair the crowd with our bot, each by a token."""
        bot = self._sides["ours"].bot
        for user, token in zip(self._crowd, tokens, strict=True):
            user.starts(bot, token)
        async with asyncio.timeout(ARRIVE_WITHIN):
            while not all(self._is_answered(user) for user in self._crowd):  # noqa: ASYNC110 - a chat has no event
                await asyncio.sleep(LOOK_EVERY)

    async def search(self, typed: str) -> None:
        """Let the whole crowd search from now on, each anew as soon as there is an answer."""
        self._searches = asyncio.create_task(self._search_on(typed))

    async def rest(self) -> int:
        """Let nobody search any more; return how many answers there were."""
        self._searches.cancel()
        return self._answers

    async def look(self) -> None:
        """Let the crowd look at one chart of a year after the other from now on, one person at a time."""
        self._looks = True
        self._searches = asyncio.create_task(self._look_on())

    async def look_away(self) -> int:
        """Wait for the last chart; return how many there were."""
        self._looks = False
        await self._searches
        return self._answers

    async def _search_on(self, typed: str) -> None:
        bot = self._sides["ours"].bot
        for user in self._crowd:
            user.sends(bot, typed)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for user in filter(self._is_answered, self._crowd):
                self._answers += 1
                user.sends(bot, typed)

    async def _look_on(self) -> None:
        bot = self._sides["ours"].bot
        for user in self._crowd:
            user.sends(bot, "/stats")
        while self._looks:
            user = self._crowd[self._answers % len(self._crowd)]
            shown = next((each for each in reversed(user.inbox(bot)) if _charts(each)), None)
            if shown is None:
                await asyncio.sleep(LOOK_EVERY)
                continue
            await user.presses(shown, _charts(shown)[self._answers // len(self._crowd) % len(_charts(shown))])
            self._answers += 1

    def _is_answered(self, user: User) -> bool:
        bot = self._sides["ours"].bot
        return user.inbox(bot)[-1].sender_id == bot.id

    async def fan_out(self) -> None:
        """Publish a post that all of the crowd hear of."""
        self._sides["ours"].post(self._texts.outage()[1])

    async def told(self) -> str:
        """Return the request, in hexadecimal TL bytes, that would say what our bot told the crowd last."""
        said = self._crowd[0].inbox(self._sides["ours"].bot)[-1]
        request = functions.messages.SendMessageRequest(
            types.InputPeerSelf(), said.text, entities=said.entities, reply_markup=said.reply_markup, random_id=0
        )
        return bytes(request).hex()

    async def check(self) -> None:
        """Fail where the server met a request that it does not know, or broke."""
        if self._sandbox.unknown or self._sandbox.crashes:
            raise RuntimeError(f"unknown: {self._sandbox.unknown}, crashes: {self._sandbox.crashes}")

    async def _on_message(self, update: types.UpdateNewMessage) -> None:
        now = monotonic()
        links = [
            entity.url for entity in update.message.entities or () if isinstance(entity, types.MessageEntityTextUrl)
        ]
        number = next((self._numbers[link] for link in links if link in self._numbers), None)
        if number is None and (found := MARK.search(update.message.message)):  # an alert may show an excerpt without it
            number = int(found[1])
        if number is not None:
            self._arrived.setdefault(number, now)
            self._news.set()


def _charts(message: Message) -> list[bytes]:
    """Return what the buttons under a message send that lead to charts of a year and of everything."""
    rows = message.reply_markup.rows if isinstance(message.reply_markup, types.ReplyInlineMarkup) else []
    kinds = [button.type for row in rows for button in row.buttons]
    data = [kind.data for kind in kinds if isinstance(kind, types.InlineButtonTypeCallback)]
    return [each for each in data if each.startswith(b"stats:") and each.endswith(b":364:a")]


async def main(folder: Path) -> None:
    """Serve until the input ends."""
    async with Sandbox() as sandbox:
        stage = Stage(sandbox, folder)
        phone = stage.phone()
        await phone.connect()
        try:
            say(stage.facts())
            async for line in lines():
                order = json.loads(line)
                say(await getattr(stage, order.pop("do"))(**order))
        finally:
            await phone.disconnect()


def say(answer: object) -> None:
    """Write a line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def lines() -> AsyncIterator[str]:
    """Read standard input line by line."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
