"""A seed comes in; a service is killed again and again under load, and every difference to exactly once goes out.

Posts stream in, people send commands and press buttons, Telegram floods, loses and holds back replies, cuts
connections; and at a moment drawn by chance the service gets SIGKILL: on its way up, while it sends, between a send and
its record. In the end the embedded server says what each chat was shown: every alert once, in the order of the outbox,
every command answered once. A target, whose receiver fails, hangs and forgets to answer, has every alert at least once,
each repetition under the id of the first, and the first ones in order.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from bot.sandbox import BasicGroup, Channel, Message, Refused, User
from tests.chaos.records import disagreements
from tests.chaos.settling import Rounds, missing
from tests.end_to_end.test_process import environment, spawn
from tests.kit import ALERTS_SENT
from tests.kit_service import WAIT_S, link_in, running_service
from tests.targets.receivers import Receiver, receiver

TARGET = 0  # in place of the number of a chat
PATIENCE = 150  # rounds of the sweep without anything new; what has not arrived by then is lost
ON_THE_WAY_UP = 0.3  # of the kills
TARGET_FAILS = 0.3  # of the lives
PRESSED_FOR = 3.0  # s that a phone waits for the answer to a tap
TROUBLES = ("none", "none", "flood", "lose", "hold", "cut", "error")
FIGURES = (
    "kills",
    "early",
    "posts",
    "alerts",
    "hooks",
    "repeated",
    "pages",
    "asked",
    "taps",
    "answered",
    "lost_ids",
)  # of an outcome
WORDS = (
    *("вода", "газ", "мост", "дом", "лес", "река", "гора", "снег", "дождь", "ветер"),
    *("поле", "сад", "мак", "клён", "дуб", "ель", "рожь", "овёс", "лён", "мёд"),
)


@dataclass(kw_only=True)
class Outcome:
    """What became of it."""

    seed: int
    kills: int = 0
    early: int = 0  # of these, before the service was ready
    posts: int = 0
    alerts: int = 0  # that chats were shown
    hooks: int = 0  # alerts that a target took …
    repeated: int = 0  # … and of these, once more
    pages: int = 0  # of scans, likewise
    asked: int = 0  # commands
    taps: int = 0
    answered: int = 0  # of the taps; a kill leaves some without an answer
    lost_ids: int = 0  # alerts whose message was not found again
    differences: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Deliveries:
    """One run: so many lives, each with its end."""

    seed: int
    folder: Path
    kills: int

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - chance for tests, and repeatable
        self.outcome = Outcome(seed=self.seed)
        self.channels: list[Channel] = []
        self.people: list[User] = []
        self.group: BasicGroup | None = None
        self.is_up = False
        self.target = Receiver()
        self.pings: Counter[int] = Counter()  # by the marked id of the chat
        self.names: dict[int, list[str]] = {}  # that were asked for, by chat
        self.tapping: set[asyncio.Task[None]] = set()
        self.answered: Counter[int] = Counter()  # taps, by person
        self.pressed: Counter[int] = Counter()

    async def run(self) -> Outcome:
        made = {"sweep_interval": 0.5, "request_rate": 1000.0, "send_rate_group": 60_000.0}
        async with receiver() as self.target, running_service(self.folder, **made) as service:
            self.service = service
            await self._gather()
            await service.stop()
            self._no_storms()
            env = environment(service) | {"SWEEP_INTERVAL": "0.5", "REQUEST_RATE": "1000", "SEND_RATE_GROUP": "60000"}
            for _ in range(self.kills):
                await self._life(env)
            self.service.sandbox.faults.clear()
            self.target.answers.clear()
            self.target.forgets = 0
            async with self._load(), running(env) as (_, ready):
                await ready
                self.service.sandbox.world.hub.query_timeout_s = WAIT_S  # nothing keeps these from their answers
                for person in self.people:
                    self._press(person)
                await asyncio.gather(*self.tapping)
            async with running(env):
                await self._settle()
            self._compare()
        return self.outcome

    async def _gather(self) -> None:
        """Pair two persons and a group, who all follow one topic."""
        world = self.service.sandbox.world
        world.hub.query_timeout_s = PRESSED_FOR
        self.channels = [
            world.add_channel("Joined", username="joined", members=[self.service.reader]),
            world.add_channel("Private", members=[self.service.reader]),
        ]
        owner = await self.service.owner(follows=self.channels)
        other = await self.service.invited("Other")
        self.people = [owner.account, other.account]
        self.group = world.add_group("Newsroom", [owner.account, other.account, self.service.bot])
        tapped = await owner.asks("/track Пожары: пожар")
        await tapped.click(text="Save")
        await other.asks("/track Пожары")
        for words in ("/start@newsroom_bot", "/track@newsroom_bot Пожары"):
            before = len(self._shown(self.group))
            owner.account.sends(self.group, words)
            await owner.until(lambda before=before: len(self._shown(self.group)) > before)  # type: ignore[misc]
        await owner.says(f"/targets add Duty webhook+{self.target.url}/")
        await owner.message("Duty · webhook")
        await owner.asks("/for Duty /track Пожары")
        self.before = {chat.marked: len(self._shown(chat)) for chat in self._chats()}
        for person in self.service.people:  # what is shown, the server knows best
            await person.client.disconnect()
        self.service.people.clear()

    def _no_storms(self) -> None:
        """Have each post told by itself, whatever comes at once."""
        with closing(sqlite3.connect(self.service.settings.database_path)) as db, db:
            db.execute("UPDATE chats SET storm_count = NULL")
            topic = db.execute("SELECT id FROM topics WHERE name = 'Пожары'").fetchone()
            db.execute("DELETE FROM subscriptions WHERE topic_id != ?", topic)

    async def _life(self, env: dict[str, str]) -> None:
        """Start the service, trouble it, and kill it."""
        early = self.random.random() < ON_THE_WAY_UP
        async with self._load(), running(env) as (process, ready):
            if not early:
                await ready
                self.is_up = True
                self._press(self.random.choice(self.people))
            self._trouble()
            await asyncio.sleep(self.random.uniform(0.1, 1.2) if early else self.random.uniform(0.05, 1.0))
            self.outcome.early += not ready.done()
            process.kill()
            self.is_up = False
        self.outcome.kills += 1
        self.service.sandbox.faults.clear()

    def _trouble(self) -> None:
        faults, what = self.service.sandbox.faults, self.random.choice(TROUBLES)
        method = self.random.choice(("SendMessage", "SendMessage", "EditMessage", "SetBotCallbackAnswer"))
        if what == "flood":
            faults.flood_wait(method, 1, chat_id=self.random.choice(list(self._chats())).id, times=1)
        elif what == "lose":
            faults.lose_reply(method, times=self.random.randint(1, 3))
        elif what == "hold":
            faults.hold(method)  # until the kill: it is done, and nobody was told
        elif what == "cut":
            self.service.sandbox.server.cut()
        elif what == "error":
            faults.answer(method, "RPC_CALL_FAIL", code=500, times=2)
        if self.random.random() < TARGET_FAILS:
            self.target.answers = [lambda: web.Response(status=503)]
        elif self.random.random() < TARGET_FAILS:
            self.target.forgets = 1  # until the kill, likewise

    @asynccontextmanager
    async def _load(self) -> AsyncIterator[None]:
        """Let things happen meanwhile, and a little before."""
        for _ in range(self.random.randrange(4)):
            self._something_happens()
        loading = asyncio.create_task(self._happen())
        try:
            yield
        finally:
            loading.cancel()
            with suppress(asyncio.CancelledError):
                await loading

    async def _happen(self) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0.0, 0.12))
            self._something_happens()

    def _something_happens(self) -> None:
        # Of a tap, Telegram keeps nothing for a bot that is away.
        what = self.random.choices(("post", "ping", "ask", "tap"), (12, 2, 2, 2 if self.is_up else 0))[0]
        if what == "post":
            self._post()
        elif what == "tap":
            self._press(self.random.choice(self.people))
        else:
            self._ask(self.random.choice(list(self._chats())), ping=what == "ping")

    def _post(self) -> None:
        self.outcome.posts += 1
        words = " ".join(self.random.choices(WORDS, k=12))
        self.random.choice(self.channels).post(f"Пожар {self.outcome.posts}: {words}", push=self.random.random() < 0.8)

    def _ask(self, chat: User | BasicGroup, *, ping: bool) -> None:
        self.outcome.asked += 1
        at = "@newsroom_bot" if isinstance(chat, BasicGroup) else ""
        person = self.people[0] if isinstance(chat, BasicGroup) else chat
        to = chat if isinstance(chat, BasicGroup) else self.service.bot
        if ping:
            self.pings[chat.marked] += 1
            person.sends(to, f"/ping{at}")
        else:
            name = f"Нет-{self.outcome.asked}"
            self.names.setdefault(chat.marked, []).append(name)
            person.sends(to, f"/track{at} {name}")

    def _press(self, person: User) -> None:
        task = asyncio.create_task(self._tap(person))
        self.tapping.add(task)
        task.add_done_callback(self.tapping.discard)

    async def _tap(self, person: User) -> None:
        """Press «Test alert», which Telegram may deliver twice."""
        message = next(m for m in self._shown(person) if any(data == b"test" for data in _data(m)))
        self.pressed[person.marked] += 1
        self.outcome.taps += 1
        try:
            await person.queries(message, b"test", times=self.random.choice((1, 1, 2)))
        except Refused:  # nobody answered in time
            return
        self.outcome.answered += 1
        self.answered[person.marked] += 1

    def _chats(self) -> Iterator[User | BasicGroup]:
        yield from self.people
        if self.group is not None:
            yield self.group

    def _shown(self, chat: User | BasicGroup | None) -> list[Message]:
        """Return what the bot has written in a chat, as a person sees it."""
        person = self.people[0] if isinstance(chat, BasicGroup) else chat
        peer = chat if isinstance(chat, BasicGroup) else self.service.bot
        return [m for m in person.inbox(peer) if m.sender_id == self.service.bot.id] if isinstance(person, User) else []

    async def _settle(self) -> None:
        await missing(Rounds(self.service.sandbox), self._missing, rounds=PATIENCE)
        await Rounds(self.service.sandbox).more(3)  # for what comes twice

    async def _missing(self) -> list[str]:
        """Say what has not come yet."""
        told = {chat.marked: len(_links(self._shown(chat))) for chat in self._chats()}
        alerts = [f"{marked}: {count} alerts" for marked, count in told.items() if count < self.outcome.posts]
        if len(set(self._hooks())) < self.outcome.posts:
            alerts.append("the target: not all alerts")
        return alerts + [line for chat in self._chats() for line in self._differences_of_talk(chat)]

    def _compare(self) -> None:
        rows = self._outbox()
        for chat in self._chats():
            self.outcome.differences += self._differences_of_alerts(chat, rows[chat.marked])
            self.outcome.differences += self._differences_of_talk(chat)
        self.outcome.differences += self._differences_of_target(rows[TARGET])
        self.outcome.differences += disagreements(self.service.settings.data_dir)

    def _hooks(self) -> list[str]:
        """Return the links of the posts that the target was alerted to."""
        return [each.json["post"]["url"] for each in self.target.taken if each.json["kind"] == "alert"]

    def _differences_of_target(self, rows: list[tuple[str, int | None]]) -> Iterator[str]:
        first, order = list(dict.fromkeys(self._hooks())), [link for link, _ in rows]
        self.outcome.hooks, self.outcome.repeated = len(first), len(self._hooks()) - len(first)
        yield from (f"the target: never told: {link}" for link in order if link not in first)
        if sorted(first) == sorted(order) and first != order:
            yield "the target: out of order"
        ids = {(each.json["id"], each.json["post"]["url"]) for each in self.target.taken if each.json["post"]}
        if len({number for number, _ in ids}) != len(ids) or len({link for _, link in ids}) != len(ids):
            yield "the target: a repetition under another id"

    def _differences_of_alerts(self, chat: User | BasicGroup, rows: list[tuple[str, int | None]]) -> Iterator[str]:
        shown = self._shown(chat)[self.before[chat.marked] :]
        links = _links(shown)
        self.outcome.alerts += len(links)
        if len(rows) != self.outcome.posts:
            yield f"{chat.marked}: {len(rows)} alerts in the outbox, {self.outcome.posts} posts"
        for link, times in Counter(links).items():
            if times > 1:
                yield f"{chat.marked}: told {times} times: {link}"
        yield from (f"{chat.marked}: never told: {link}" for link, _ in rows if link not in links)
        order = [link for link, _ in rows]
        if sorted(links) == sorted(order) and links != order:
            wrong = next(n for n, (one, other) in enumerate(zip(links, order, strict=True)) if one != other)
            yield f"{chat.marked}: out of order from alert {wrong} of {len(order)} on"
        ids = {link: m.copies[self.service.bot.id].id for m in shown for link in _links([m])}
        self.outcome.lost_ids += sum(number is None for _, number in rows)
        for link, number in rows:
            if number is not None and number != ids.get(link):
                yield f"{chat.marked}: {link} is {ids.get(link)} and was taken for {number}"

    def _differences_of_talk(self, chat: User | BasicGroup) -> Iterator[str]:
        texts = [message.text for message in self._shown(chat)[self.before[chat.marked] :]]
        pongs = sum(text.startswith("Pong.") for text in texts)
        if pongs != self.pings[chat.marked]:
            yield f"{chat.marked}: {pongs} answers to {self.pings[chat.marked]} pings"
        for name in self.names.get(chat.marked, ()):
            times = sum(f"«{name}»" in text or f"{name}." in text for text in texts)
            if times != 1:
                yield f"{chat.marked}: {times} answers to «/track {name}»"
        tests = sum("test alert" in text for text in texts)
        if not self.answered[chat.marked] <= tests <= self.pressed[chat.marked]:
            yield f"{chat.marked}: {tests} test alerts for {self.answered[chat.marked]} answered taps"

    def _outbox(self) -> dict[int, list[tuple[str, int | None]]]:
        """Return the alerts of each chat in their order: the link to the post, and the message's number."""
        with closing(sqlite3.connect(f"file:{self.service.settings.database_path}?mode=ro", uri=True)) as db:
            found = db.execute(ALERTS_SENT).fetchall()
        rows: dict[int, list[tuple[str, int | None]]] = {chat.marked: [] for chat in self._chats()}
        rows[TARGET] = []
        for kind, number, username, channel_id, message_id, alert_id in found:
            link = f"https://t.me/{username or f'c/{channel_id}'}/{message_id}"
            rows[TARGET if kind == "target" else -number if kind == "group" else number].append((link, alert_id))
        return rows


def _links(messages: list[Message]) -> list[str]:
    return [link for message in messages if (link := link_in(message.reply_markup)) is not None]


def _data(message: Message) -> Iterator[bytes]:
    for row in getattr(message.reply_markup, "rows", ()):
        for button in row.buttons:
            if (data := getattr(button.type, "data", None)) is not None:
                yield data


@asynccontextmanager
async def running(env: dict[str, str]) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.Future[None]]]:
    """Run the service as a process of its own; the future is done once it has said that it is ready."""
    process = await spawn("run", env=env)
    assert process.stderr is not None
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    listening = asyncio.create_task(_listen(process.stderr, ready))
    try:
        yield process, ready
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
        ready.cancel()


async def _listen(stream: asyncio.StreamReader, ready: asyncio.Future[Any]) -> None:
    """Read what the service logs: a full pipe would stop it."""
    while line := await stream.readline():
        if b"ready" in line and not ready.done():
            ready.set_result(None)
    if not ready.done():
        ready.set_exception(AssertionError("the service ended before it was ready"))
        ready.exception()  # an early kill is no error, and nobody waits then


async def deliver(seed: int, folder: Path, *, kills: int) -> Outcome:
    """Run one in an empty folder."""
    return await Deliveries(seed=seed, folder=folder, kills=kills).run()
