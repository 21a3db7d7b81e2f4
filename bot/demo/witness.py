"""What the subscriber's phone receives comes in, is held against the story, and faults and latencies go out."""

import asyncio
from collections.abc import Callable
from time import monotonic

from telethon.tl import types as tl

from bot.demo.screen import Screen, buttons
from bot.demo.story import Event
from bot.locales import translator
from bot.locales.titles import BUILTIN_TITLES, topic_title

PATIENCE = 10.0  # s until something counts as missing


class Witness:
    """Knows which alerts are due, and notes each that is missing, doubled or wrong."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._due: dict[str, tuple[Event, float]] = {}  # an alert's link → why it is due, and since when
        self._news = asyncio.Condition()
        self.faults: list[str] = []
        self.alerts = 0
        self.latencies: list[float] = []  # s, of alerts for posts that were pushed
        self.talk: list[tl.Message] = []  # what the bot wrote that is no alert and tells of no change of one
        self._told: set[int] = set()  # the messages that are alerts
        self.last: tl.Message | None = None  # of all
        self._seen: list[str] = []  # what all messages say, and said after each edit

    def expect(self, link: str, event: Event) -> None:
        """Wait for the alert of a post."""
        self._due[link] = (event, monotonic())

    async def receive(self, message: tl.Message) -> None:
        """Take in a message of the bot, and show it."""
        link = next((b.type.url for b in buttons(message) if isinstance(b.type, tl.InlineButtonTypeUrl)), None)
        async with self._news:
            self.last = message
            self._seen.append(message.message)
            if message.id in self._told or message.reply_to is not None:  # an alert follows its post
                self._screen.receive(message)
            elif link is None:
                self.talk.append(message)
                self._screen.receive(message)
            else:
                self._check(link, message)
            self._news.notify_all()

    def _check(self, link: str, message: tl.Message) -> None:
        self.alerts += 1
        self._told.add(message.id)
        if link not in self._due:
            self.faults.append(f"an alert that was not due: {link}")
            self._screen.receive(message)
            return
        event, since = self._due.pop(link)
        latency = monotonic() - since
        if event.pushed:
            self.latencies.append(latency)
        self._screen.receive(message, latency=latency)
        named = _topics_in(message.message.partition("\n")[0].partition(" · ")[0])
        if named != set(event.topics):
            self.faults.append(f"{link} names {sorted(named)} and not {sorted(event.topics)}")

    async def all_arrived(self) -> None:
        """Wait until no alert is due any more; what does not come in time is a fault."""
        if not await self.until(lambda: not self._due):
            self.faults += [f"no alert for {link} ({event.at:%H:%M})" for link, (event, _) in self._due.items()]

    async def sees(self, words: str) -> None:
        """Wait until a message shows these words; what does not come in time is a fault."""
        if not await self.until(lambda: any(words in text for text in self._seen)):
            self.faults.append(f"nothing shows «{words}»")

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until a condition holds that messages can change; tell whether it did in time."""
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(condition)
        except TimeoutError:
            return False
        return True


def _topics_in(line: str) -> set[str]:
    english = translator("en")
    return {name for name in BUILTIN_TITLES if topic_title(name, english) in line}
