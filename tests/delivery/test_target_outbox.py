"""What a target gets from the outbox, through real receivers, whatever happens to these and to us."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.runtime.clock import utc_now
from bot.store import targets
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.targets.address import endpoint_of, new_secret
from tests import kit
from tests.delivery.kit import at_work
from tests.kit_archive import Archive, post
from tests.targets.receivers import Receiver, receiver
from tests.waiting import until

WITHIN = 0.2  # s that a receiver has, here


@dataclass(slots=True)
class Desk:
    """An archive with targets, and a receiver for them."""

    archive: Archive
    service: Receiver

    def worker(self) -> Worker:
        """Make a worker that serves the targets; it has nothing of Telegram."""
        composer = TargetComposer(self.archive.db, clock=utc_now, within=WITHIN)
        return Worker(self.archive.db, composer, sender=None, clock=utc_now)

    async def target(self, name: str = "Duty", *, url: str | None = None, kind: str = "webhook") -> Chat:
        address = url or f"webhook+{self.service.url}/{name}?secret={new_secret()}"
        made = {"name": name, "kind": kind, "service": kind, "url": address}
        chat = await self.archive.db.write(lambda tx: targets.add(tx, **made, like=None, now=utc_now()))
        await self.archive.track(chat, "outages", "сбой")
        return chat

    async def post(self, number: int, text: str, **fields: object) -> None:
        self.archive.now = utc_now()
        await self.archive.live(post(number, text, date=self.archive.now, **fields))

    async def idle(self) -> None:
        await until(lambda: kit.is_idle(self.archive.db))

    async def hurry(self) -> None:
        """Let what was put off be tried now."""

        async def job(tx: Transaction) -> None:
            await tx.execute("UPDATE chats SET held_until = NULL")
            await tx.execute("UPDATE messages SET due_at = 0 WHERE state = 'due'")

        await self.archive.db.write(job)

    def texts(self) -> list[str]:
        return [each.json["text"] for each in self.service.taken]


@pytest.fixture
async def desk(archive: Archive) -> AsyncIterator[Desk]:
    archive.now = utc_now()
    await archive.follow(title="Вести")
    async with receiver() as service:
        yield Desk(archive, service)


async def test_alerts_reach_a_webhook_in_order_with_their_ids(desk: Desk) -> None:
    chat = await desk.target()
    for number in range(1, 4):
        await desk.post(number, f"Сбой номер {number}")
    async with at_work(desk.worker()):
        await desk.idle()
    assert [f"номер {n}" in text for n, text in enumerate(desk.texts(), start=1)] == [True] * 3
    url = await targets.url_of(desk.archive.db, chat.id)
    assert url is not None
    assert all(each.is_signed_with(endpoint_of(url[1]).key) for each in desk.service.taken)
    assert len({each.json["id"] for each in desk.service.taken}) == 3
    (target,) = await targets.everyone(desk.archive.db, utc_now())
    assert (target.waiting, target.dead, target.failing_since) == (0, 0, None)
    assert target.taken_at is not None
