"""While Telegram is out, alerts go to a chat's fallback; each stands in the chat once, by itself or in the summary."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import pytest

from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.models.notices import Outage
from bot.models.people import Role
from bot.monitoring.outage import STEADY, OutageMonitor
from bot.runtime.clock import utc_now
from bot.schedule import Storms
from bot.store import chats, fallbacks, messages, people, targets
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.store.rows import to_ms
from bot.targets.address import new_secret
from bot.telegram.rate_limit import Pacing
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.kit import DeliveringBot, at_work, worker_of
from tests.kit_archive import post
from tests.kit_bot import UNLIMITED
from tests.kit_service import link_in
from tests.targets.receivers import Receiver, receiver
from tests.waiting import until

PATIENCE = timedelta(minutes=5)
WITHIN = 0.1  # s that an answer may take, here
STEPS, LOST = 40, 0.3  # of a story; of answers
SEEDS = range(int(os.environ["OUTAGES"])) if "OUTAGES" in os.environ else (1, 5)  # OUTAGES=200 pytest … for more


@dataclass(kw_only=True)
class Newsroom:
    """A bot with a chat that has a fallback, and a monitor whose clock is set by hand."""

    bot: DeliveringBot
    service: Receiver
    chat: Chat
    target: Chat
    connected: bool = True
    shift: timedelta = timedelta()
    numbers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        pacing = Pacing(UNLIMITED)
        self.bot.sender = Sender(self.bot.client, pacing, monotonic=time.monotonic, answer_within=WITHIN)
        self.monitor = self.new_monitor()

    def new_monitor(self) -> OutageMonitor:
        return OutageMonitor(
            self.bot.archive.db,
            clock=self.now,
            patience=PATIENCE,
            is_connected=lambda: self.connected,
            taken=lambda: self.bot.sender.taken,
        )

    def now(self) -> datetime:
        return utc_now() + self.shift

    def targets_worker(self) -> Worker:
        composer = TargetComposer(self.bot.archive.db, clock=self.now, within=WITHIN)
        return Worker(self.bot.archive.db, composer, sender=None, clock=self.now)

    def telegram_worker(self) -> Worker:
        return worker_of(self.bot.archive.db, self.bot.sender, clock=self.now)

    async def post(self, *numbers: int) -> None:
        for number in numbers:
            self.bot.archive.now = utc_now()
            await self.bot.archive.live(post(number, f"Сбой {number}", date=self.bot.archive.now))

    async def goes_out(self) -> None:
        self.connected = False
        for _ in range(2):  # the first may see what was taken before
            await self.monitor.look()
        self.shift += PATIENCE
        await self.monitor.look()

    async def play(self, seed: int) -> None:
        """Let posts, outages, lost answers, kills and starts come as chance has it; then let all be well."""
        random = Random(seed)  # noqa: S311 - chance for tests, and repeatable
        happenings = (self.new_post, self.telegram, self.target_turn, self.time_goes_by, self.flip, self.kill)
        for _ in range(STEPS):
            await random.choice(happenings)(random)
        self.connected, self.service.forgets = True, 0
        while not await self.is_settled():
            await self.deliver_due()
            await self.deliver_due(targets=True)
            self.shift += STEADY
            await self.monitor.look()

    async def new_post(self, random: Random) -> None:
        for _ in range(random.randint(1, 2)):
            self.numbers.append(len(self.numbers) + 1)
            await self.post(self.numbers[-1])

    async def telegram(self, random: Random) -> None:
        faults = self.bot.sandbox.faults
        if not self.connected:
            faults.answer("SendMessage", "RPC_CALL_FAIL", code=500, times=None)
        elif random.random() < LOST:
            faults.lose_reply("SendMessage")
        await self.deliver_due(most=random.randint(1, 3))
        faults.clear()

    async def target_turn(self, random: Random) -> None:
        self.service.forgets = int(random.random() < LOST)
        await self.deliver_due(targets=True, most=random.randint(1, 3))

    async def time_goes_by(self, random: Random) -> None:
        for _ in range(2):
            self.shift += timedelta(seconds=random.uniform(1, 200))
            await self.monitor.look()

    async def flip(self, _: Random) -> None:
        self.connected = not self.connected

    async def kill(self, _: Random) -> None:
        """Begin anew, where the last alert was sent and a kill came before that was written down."""
        self.monitor = self.new_monitor()
        await self.bot.archive.db.write(
            lambda tx: tx.execute(
                """UPDATE messages SET state = 'due', sent_revision = 0, sent_at = NULL, telegram_id = NULL
                WHERE id = (SELECT max(id) FROM messages
                    WHERE kind IN ('alert', 'group') AND state = 'sent' AND sent_revision = 1)"""
            )
        )

    async def deliver_due(self, *, targets: bool = False, most: int = 100) -> None:
        """Try the first messages that are due, whatever they were put off for."""
        db = self.bot.archive.db

        async def hurry(tx: Transaction) -> None:
            await tx.execute("UPDATE chats SET held_until = NULL")
            await tx.execute("UPDATE messages SET due_at = wanted_at WHERE state = 'due' AND attempts > 0")

        await db.write(hurry)
        worker = self.targets_worker() if targets else self.telegram_worker()
        found = await messages.first_due(db, self.now(), limit=10, each=most, targets=targets)
        for message in found.messages:
            await worker.deliver(message)

    async def is_settled(self) -> bool:
        is_out = await fallbacks.out_since(self.bot.archive.db, Outage.SENDING)
        return is_out is None and await kit.is_idle(self.bot.archive.db)

    async def summed_up(self) -> list[int]:
        """Return the numbers of the posts in summaries that the chat was sent."""
        rows = await self.bot.archive.db.fetch_all(
            """SELECT v.message_id FROM messages m JOIN groups g ON g.id = m.group_id AND g.kind = 'fallback'
            JOIN alerts a ON a.group_id = g.id JOIN versions v ON v.id = a.version_id WHERE m.state = 'sent'"""
        )
        return [row["message_id"] for row in rows]

    def alerted(self) -> list[int]:
        """Return the numbers of the posts that the chat was alerted to one by one."""
        alerts = [message for message in self.bot.received(self.bot.alice) if link_in(message.reply_markup) is not None]
        return [int(message.text.split("Сбой ")[1].split()[0]) for message in alerts]

    async def stormed(self) -> list[int]:
        """Return the numbers of the posts in storms that the chat was sent."""
        rows = await self.bot.archive.db.fetch_all(
            """SELECT v.message_id FROM messages m JOIN groups g ON g.id = m.group_id AND g.kind = 'storm'
            JOIN alerts a ON a.group_id = g.id JOIN versions v ON v.id = a.version_id
            WHERE m.state = 'sent' AND m.telegram_id IS NOT NULL"""
        )
        return [row["message_id"] for row in rows]

    async def comes_back(self) -> None:
        self.connected = True
        self.shift += timedelta(seconds=1)
        # What waits has not been taken yet: it is by the sender that it will be.
        self.bot.sender.taken += 1
        await self.monitor.look()
        self.bot.sender.taken += 1
        self.shift += STEADY
        await self.monitor.look()

    async def reached(self, count: int) -> None:
        await until(lambda: len(self.service.taken) >= count)
        await until(self._is_quiet)

    async def _is_quiet(self) -> bool:
        sql = "SELECT 1 FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.state = 'due' AND c.kind = 'target'"
        return not await self.bot.archive.db.fetch_all(sql)

    def sent(self) -> list[str]:
        """Return what the target was sent, by the number of the post."""
        texts = [each.json["text"] for each in self.service.taken if each.json["kind"] == "alert"]
        return [text.split("Сбой ")[1].split()[0] for text in texts]


@pytest.fixture
async def newsroom(bot: DeliveringBot) -> AsyncIterator[Newsroom]:
    chat = bot.chats[bot.alice.id]
    await bot.subscribe(chat)
    async with receiver() as service:
        made = {
            "name": "Duty",
            "kind": "webhook",
            "service": "webhook",
            "url": f"webhook+{service.url}/?secret={new_secret()}",
        }

        async def job(tx: Transaction) -> Chat:
            await people.admit(tx, bot.alice.id, Role.OWNER, utc_now(), name="Alice")
            target = await targets.add(tx, **made, like=None, now=utc_now())
            await targets.set_fallback(tx, chat.id, target.id)
            await chats.save(tx, replace(chat, storms=None))
            return target

        target = await bot.archive.db.write(job)
        yield Newsroom(bot=bot, service=service, chat=chat, target=target)


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_the_chat_has_each_alert_once(newsroom: Newsroom, seed: int) -> None:
    if seed % 2:
        wanted = replace(newsroom.chat, storms=Storms(count=2, minutes=5))
        await newsroom.bot.archive.db.write(lambda tx: chats.save(tx, wanted))
    await newsroom.play(seed)
    summed_up = await newsroom.summed_up()
    assert sorted(newsroom.alerted() + await newsroom.stormed() + summed_up) == newsroom.numbers
    went = newsroom.sent()
    assert seed % 2 or {str(number) for number in summed_up} <= set(went)


async def test_alerts_go_to_the_fallback_and_are_summed_up_once(newsroom: Newsroom) -> None:
    """The whole story: out, told, diverted, killed in the midst, back, summed up; what neither took comes as usual."""
    await newsroom.post(1, 2)
    await newsroom.goes_out()
    async with at_work(newsroom.targets_worker()):
        await newsroom.reached(3)
    assert sorted(newsroom.sent()) == ["1", "2"]
    (out,) = [each.json for each in newsroom.service.taken if each.json["kind"] == "notice"]
    assert "Telegram has taken nothing from me" in out["text"]
    newsroom.monitor = newsroom.new_monitor()  # as after a kill: it is out all the same
    await newsroom.post(3)
    await newsroom.monitor.look()
    async with at_work(newsroom.targets_worker()):
        await newsroom.reached(4)
    await newsroom.post(4)  # which no target gets any more
    await newsroom.comes_back()
    async with at_work(newsroom.telegram_worker()):
        shown = await newsroom.bot.until_received(newsroom.bot.alice, 3)
        await newsroom.bot.until_idle()
    texts = "\n".join(message.text for message in shown)
    assert texts.count("3 posts were sent to the fallback instead") == 1
    assert texts.count("3 alerts went to fallbacks meanwhile") == 1
    assert [n for n in "1234" if f"Сбой {n}" in texts] == ["4"]
    assert len(shown) == 3
    assert sorted(newsroom.sent()) == ["1", "2", "3"]


async def test_a_storm_that_waits_goes_as_one_message_and_all_of_it_is_summed_up(newsroom: Newsroom) -> None:
    db = newsroom.bot.archive.db
    await db.write(lambda tx: chats.save(tx, replace(newsroom.chat, storms=Storms(count=2, minutes=5))))
    await newsroom.post(1, 2, 3, 4, 5)
    await newsroom.goes_out()
    async with at_work(newsroom.targets_worker()):
        await newsroom.reached(4)
    kinds = sorted(each.json["kind"] for each in newsroom.service.taken)
    assert kinds == ["alert", "alert", "group", "notice"]
    await newsroom.comes_back()
    async with at_work(newsroom.telegram_worker()):
        shown = await newsroom.bot.until_received(newsroom.bot.alice, 2)
        await newsroom.bot.until_idle()
    assert sum("5 posts were sent to the fallback instead" in message.text for message in shown) == 1
    assert len(shown) == 2


async def test_what_the_chat_had_all_the_same_is_taken_out_of_the_summary(newsroom: Newsroom) -> None:
    """Telegram took an alert whose answer was lost with the process; only the lookup in the chat can know."""
    await newsroom.post(1, 2)
    async with at_work(newsroom.telegram_worker()):
        await newsroom.bot.until_received(newsroom.bot.alice, 2)
        await newsroom.bot.until_idle()
    await kit.send_again(newsroom.bot.archive.db)
    await newsroom.post(3)
    await newsroom.goes_out()
    async with at_work(newsroom.targets_worker()):
        await newsroom.reached(4)
    assert sorted(newsroom.sent()) == ["1", "2", "3"]
    await newsroom.comes_back()
    async with at_work(newsroom.telegram_worker()):
        await newsroom.bot.until_received(newsroom.bot.alice, 4)
        await newsroom.bot.until_idle()
    texts = newsroom.bot.texts(newsroom.bot.alice)
    assert len(texts) == 4
    assert sum("1 post was sent to the fallback instead" in text for text in texts) == 1


async def test_an_answer_that_comes_late_counts_and_nothing_is_summed_up(newsroom: Newsroom) -> None:
    """An alert was on its way to Telegram as the target took it, and arrives after all."""
    db = newsroom.bot.archive.db
    await newsroom.post(1)
    (message,) = await kit.claimed(db, utc_now())
    await newsroom.goes_out()
    async with at_work(newsroom.targets_worker()):
        await newsroom.reached(2)
    assert await newsroom.telegram_worker().deliver(message)
    await newsroom.comes_back()
    async with at_work(newsroom.telegram_worker()):
        await newsroom.bot.until_received(newsroom.bot.alice, 2)
        await newsroom.bot.until_idle()
    texts = newsroom.bot.texts(newsroom.bot.alice)
    assert sum("Сбой 1" in text for text in texts) == 1
    assert not any("instead" in text for text in texts)
    assert await db.fetch_value("SELECT count(*) FROM groups") == 0


async def test_a_target_that_is_down_too_loses_nothing(newsroom: Newsroom) -> None:
    await newsroom.post(1)
    newsroom.service.hangs = True
    await newsroom.goes_out()
    async with at_work(newsroom.targets_worker()):
        await until(lambda: newsroom.service.refused > 0)
    await newsroom.comes_back()
    async with at_work(newsroom.telegram_worker()):
        await newsroom.bot.until_received(newsroom.bot.alice, 2)
        await newsroom.bot.until_idle()
    texts = newsroom.bot.texts(newsroom.bot.alice)
    assert sum("Сбой 1" in text for text in texts) == 1
    assert not any("instead" in text for text in texts)


async def test_a_post_that_the_target_has_is_not_sent_to_it_twice(newsroom: Newsroom) -> None:
    await newsroom.bot.archive.track(newsroom.target, "outages", "сбой")
    await newsroom.post(1)
    await newsroom.goes_out()
    async with at_work(newsroom.targets_worker()):
        await newsroom.reached(2)
    assert newsroom.sent() == ["1"]
    held = await newsroom.bot.archive.db.fetch_all("SELECT kind FROM groups WHERE chat_id = ?", (newsroom.chat.id,))
    assert [row["kind"] for row in held] == ["fallback"]


@pytest.mark.parametrize(
    ("reason", "held", "is_pending"),
    [
        (None, None, True),
        ("CONNECTION_LOST", 60, True),
        ("RPC_CALL_FAIL", 60, True),
        ("FLOOD_WAIT_300", 60, False),
        ("SLOWMODE_WAIT_30", 60, False),
        (None, 60, False),  # behind one that waits for its flood
        ("NotYetError", None, False),
        ("ValueError", None, False),
    ],
)
async def test_what_tells_that_telegram_takes_nothing(
    newsroom: Newsroom, reason: str | None, held: int | None, *, is_pending: bool
) -> None:
    await newsroom.post(1)
    db, until_then = newsroom.bot.archive.db, None if held is None else to_ms(utc_now() + timedelta(seconds=held))

    async def job(tx: Transaction) -> None:
        await tx.execute("UPDATE messages SET reason = :reason, due_at = due_at + 1", {"reason": reason})
        await tx.execute("UPDATE chats SET held_until = :until WHERE kind != 'target'", {"until": until_then})

    await db.write(job)
    assert await fallbacks.is_pending(db, utc_now() + timedelta(seconds=1)) is is_pending


async def test_no_readable_channel_is_told_and_alerts_go_on(newsroom: Newsroom) -> None:
    db = newsroom.bot.archive.db
    await db.write(lambda tx: tx.execute("UPDATE channels SET swept_at = 1"))
    for _ in range(3):
        await newsroom.monitor.look()
        newsroom.shift += PATIENCE / 2
    assert await fallbacks.out_since(db, Outage.READING) is not None
    assert await fallbacks.out_since(db, Outage.SENDING) is None
    async with at_work(newsroom.telegram_worker()):
        (told,) = await newsroom.bot.until_received(newsroom.bot.alice)
    assert "No Telegram channel has been readable" in told.text
