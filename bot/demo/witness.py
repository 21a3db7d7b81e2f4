"""Checks the messages that reach the subscriber against the story, and measures how long alerts take."""

import asyncio
from collections.abc import Callable
from time import monotonic

from telethon.tl import types as tl

from bot.demo.screen import Screen, buttons
from bot.demo.story import Event
from bot.locales import translator
from bot.locales.locale import BUILTIN_TITLES, topic_title

PATIENCE = 10.0  # s until something counts as missing


class Witness:
    """Keeps the alerts that are due, and notes each that is missing, doubled or wrong."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._due: dict[str, tuple[Event, float]] = {}  # link of a post → its event, and since when its alert is due
        self._news = asyncio.Condition()
        self.faults: list[str] = []
        self.alerts = 0
        self.latencies: list[float] = []  # s, of alerts for posts that were pushed
        self.answers: list[tl.Message] = []  # all messages but alerts and their replies
        self._alert_ids: set[int] = set()  # message ids
        self.last: tl.Message | None = None  # the latest message of any kind
        self._texts: list[str] = []  # of all messages, and again after each edit

    def expect(self, link: str, event: Event) -> None:
        """Note that the alert of a post is due from now on."""
        self._due[link] = (event, monotonic())

    async def receive(self, message: tl.Message) -> None:
        """Check a message of the bot, new or edited, and show it."""
        link = next((b.type.url for b in buttons(message) if isinstance(b.type, tl.InlineButtonTypeUrl)), None)
        async with self._news:
            self.last = message
            self._texts.append(message.message)
            if message.id in self._alert_ids or message.reply_to is not None:  # an alert follows its post
                self._screen.show_message(message)
            elif link is None:
                self.answers.append(message)
                self._screen.show_message(message)
            else:
                self._check(link, message)
            self._news.notify_all()

    def _check(self, link: str, message: tl.Message) -> None:
        self.alerts += 1
        self._alert_ids.add(message.id)
        if link not in self._due:
            self.faults.append(f"an alert that was not due: {link}")
            self._screen.show_message(message)
            return
        event, since = self._due.pop(link)
        latency = monotonic() - since
        if event.pushed:
            self.latencies.append(latency)
        self._screen.show_message(message, latency=latency)
        named = _find_topics(message.message.partition("\n")[0].partition(" · ")[0])
        if named != set(event.topics):
            self.faults.append(f"{link} names {sorted(named)} and not {sorted(event.topics)}")

    async def await_alerts(self) -> None:
        """Wait until no alert is due any more; each that does not come in time is a fault."""
        if not await self.until(lambda: not self._due):
            self.faults += [f"no alert for {link} ({event.at:%H:%M})" for link, (event, _) in self._due.items()]

    async def await_text(self, words: str) -> None:
        """Wait until a message contains these words; a fault where none does in time."""
        if not await self.until(lambda: any(words in text for text in self._texts)):
            self.faults.append(f"no message says «{words}»")

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until a condition holds, checked after each message; False where it does not in time."""
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(condition)
        except TimeoutError:
            return False
        return True


def _find_topics(line: str) -> set[str]:
    english = translator("en")
    return {name for name in BUILTIN_TITLES if topic_title(name, english) in line}
