"""What a target gets from the outbox, through real receivers, whatever happens to these and to us."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from aiohttp import web

from bot.cli.logs import quiet_libraries
from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.models.people import Role
from bot.runtime.clock import utc_now
from bot.schedule import Storms
from bot.store import chats, people, targets
from bot.store.chats import Chat
from bot.store.database import Subject, Transaction
from bot.targets.address import endpoint_of, new_secret
from tests import kit
from tests.delivery.kit import at_work
from tests.kit_archive import OTHER, Archive, gone, post
from tests.shell import ROOT
from tests.targets.receivers import Receiver, mail_server, receiver
from tests.waiting import until

WITHIN = 0.2  # s that a receiver has, here


@dataclass(slots=True)
class Desk:
    """An archive with targets, and a receiver for them."""

    archive: Archive
    service: Receiver

    def worker(self, *, within: float = WITHIN) -> Worker:
        """Make a worker that serves the targets; it has nothing of Telegram."""
        composer = TargetComposer(self.archive.db, clock=utc_now, within=within)
        return Worker(self.archive.db, composer, sender=None, clock=utc_now)

    async def target(self, name: str = "Duty", *, url: str | None = None, **settings: object) -> Chat:
        address = url or f"webhook+{self.service.url}/{name}?secret={new_secret()}"
        kind = address.partition("+")[0] if address.startswith("webhook") else "apprise"
        made = {"name": name, "kind": kind, "service": kind, "url": address}
        chat = await self.archive.db.write(lambda tx: targets.add(tx, **made, like=None, now=utc_now()))
        if settings:
            await self.archive.db.write(lambda tx: chats.save(tx, replace(chat, **settings)))  # type: ignore[arg-type]
        await self.archive.track(chat, "outages", "сбой")
        return chat

    async def post(self, number: int, text: str, **fields: object) -> None:
        self.archive.now = utc_now()
        await self.archive.live(post(number, text, date=self.archive.now, **fields))

    async def idle(self) -> None:
        await until(lambda: kit.is_idle(self.archive.db))

    async def hurried(self) -> None:
        """Let what was put off be tried now, again and again, until nothing is due."""

        async def is_idle() -> bool:
            await self.hurry()
            return await kit.is_idle(self.archive.db)

        await until(is_idle)

    async def hurry(self) -> None:
        """Let what was put off be tried now."""

        async def job(tx: Transaction) -> None:
            await tx.execute("UPDATE chats SET held_until = NULL")
            tx.announce(Subject.ALERTS)
            await tx.execute("UPDATE messages SET due_at = created_at WHERE state = 'due' AND attempts > 0")

        await self.archive.db.write(job)

    async def end_storm(self) -> bool:
        """Let a storm be over now; tell whether its end was sent."""

        async def job(tx: Transaction) -> None:
            await tx.execute("UPDATE groups SET closes_at = opened_at + 1")
            await tx.execute("UPDATE messages SET due_at = created_at WHERE state = 'due'")
            tx.announce(Subject.ALERTS)

        await self.archive.db.write(job)
        return len(self.service.taken) >= 4

    async def failing(self, count: int) -> bool:
        """Tell whether so many targets take nothing."""
        return (
            sum(each.failing_since is not None for each in await targets.everyone(self.archive.db, utc_now())) == count
        )

    async def dump(self) -> str:
        """Return all that the database holds, but for the one table of secrets."""
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'fulltext%'"
        names = [row["name"] for row in await self.archive.db.fetch_all(sql) if row["name"] != "target_urls"]
        rows = [await self.archive.db.fetch_all(f"SELECT * FROM {name}") for name in names]  # noqa: S608 - our own
        return str([[tuple(row) for row in table] for table in rows])

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


async def test_a_receiver_that_fails_gets_all_in_order_and_can_tell_repetitions(desk: Desk) -> None:
    """It hangs after it took the first, is down, asks for patience: all arrive, the first one twice under one id."""
    await desk.target(storms=None)
    desk.service.forgets = 1
    desk.service.answers = [
        lambda: web.Response(status=500),
        lambda: web.Response(status=429, headers={"Retry-After": "3600"}),
        lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
    ]
    for number in range(1, 7):
        await desk.post(number, f"Сбой номер {number}")
    async with at_work(desk.worker()):
        await until(lambda: desk.failing(1))
        await desk.hurried()
    assert desk.service.refused == 3
    numbers = [text.split("номер ")[1][0] for text in desk.texts()]
    assert numbers == list("1123456")
    assert len({each.json["id"] for each in desk.service.taken}) == 6
    assert all(each.path != "/elsewhere" for each in desk.service.taken)


async def test_what_becomes_of_a_post_comes_as_messages_of_its_own(desk: Desk) -> None:
    """An edit, a confirmation and a deletion name the alert they speak of; the alert itself is not sent again."""
    await desk.target(confirmations=True)
    await desk.archive.follow(OTHER, title="Город")
    await desk.post(1, "Сбой в банке")
    async with at_work(desk.worker()):
        await desk.idle()
        await desk.archive.live(post(5, "Сбой в банке", channel_id=OTHER, date=utc_now()))
        await desk.idle()
        await desk.post(1, "Сбой в банке устранён", edit_date=utc_now())
        await desk.idle()
        await desk.archive.sweep(gone(1))
        await desk.idle()
    first, *later = [each.json for each in desk.service.taken]
    assert [each["kind"] for each in later] == ["change"] * 3
    assert {each["about"] for each in later} == {first["id"]}
    assert len({first["id"], *(each["id"] for each in later)}) == 4


async def test_a_storm_is_told_as_it_begins_and_as_it_ends(desk: Desk) -> None:
    await desk.target(storms=Storms(count=2, minutes=5))
    async with at_work(desk.worker()):
        for number in range(1, 6):
            await desk.post(number, f"Сбой номер {number} в районе {chr(1040 + number) * 6}")
        await until(lambda: len(desk.service.taken) >= 3)
        await until(desk.end_storm)
    kinds = [(each.json["kind"], each.json["about"]) for each in desk.service.taken]
    begin = next(each.json["id"] for each in desk.service.taken if each.json["kind"] == "group")
    assert kinds == [("alert", None), ("alert", None), ("group", None), ("group", begin)]
    assert desk.service.taken[-1].json["id"] == f"{begin}-end"


async def test_a_target_that_is_gone_or_hangs_holds_up_nobody(desk: Desk) -> None:
    await desk.archive.pair()
    await desk.archive.db.write(lambda tx: people.admit(tx, 501, Role.OWNER, utc_now(), name="Anna"))
    gone_for_good, hanging = await desk.target("Gone"), await desk.target("Slow")
    await desk.target("Duty")
    desk.service.gone, desk.service.slow = "/Gone", "/Slow"
    await desk.post(1, "Сбой")
    async with at_work(desk.worker()):
        await until(lambda: len(desk.service.taken) == 1)
        await until(lambda: desk.service.refused >= 2)
    found = {each.chat.title: each for each in await targets.everyone(desk.archive.db, utc_now())}
    assert found["Duty"].waiting == 0
    assert (found["Gone"].chat.suspended, found["Gone"].dead) == ("HTTP_410", 1)
    assert (found["Slow"].waiting + found["Slow"].dead, found["Slow"].chat.suspended) == (0, None)
    notices = await desk.archive.db.fetch_all("SELECT notice, body FROM messages WHERE kind = 'notice'")
    assert [(row["notice"], "Gone" in row["body"]) for row in notices] == [("suspended", True)]
    assert (gone_for_good.id, hanging.id) != (0, 0)


async def test_the_owners_hear_once_that_a_target_takes_nothing_for_long(desk: Desk) -> None:
    owner, db = await desk.archive.pair(), desk.archive.db
    await db.write(lambda tx: people.admit(tx, 501, Role.OWNER, utc_now(), name="Anna"))
    chat, now = await desk.target(), utc_now()
    told = []
    for minutes in (0, 14, 15, 20, 30):
        at = now + timedelta(minutes=minutes)
        await db.write(lambda tx, at=at: targets.failed(tx, chat, "HTTP_500", now=at))  # type: ignore[misc]
        told.append(await db.fetch_value("SELECT count(*) FROM messages WHERE chat_id = ?", (owner.id,)))
    assert told == [0, 0, 1, 1, 1]


async def test_mail_and_ntfy_are_brought_by_apprise_and_no_secret_is_seen(
    desk: Desk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real mail server and an ntfy get what they should; then both are down, and nothing says where they are."""
    caplog.set_level(logging.DEBUG)
    quiet_libraries()
    with mail_server() as mail:
        address = f"mailto://{mail.host}?smtp=127.0.0.1&from=watch@example.org&to=duty@example.org&mode=insecure"
        await desk.target("Mail", url=f"{address}&name=topsecret")
        await desk.target("Phone", url=f"ntfy://u:topsecret@{desk.service.host}/alarm")
        await desk.post(1, "Сбой <b>в банке</b>")
        async with at_work(desk.worker(within=10)):
            await desk.idle()
        (letter,) = mail.letters
    assert letter["To"].endswith("duty@example.org>") or letter["To"] == "duty@example.org"
    assert "&lt;b&gt;в банке&lt;/b&gt;" in letter.html
    assert desk.service.taken[0].json["message"].count("id ") == 1
    desk.service.answers = [lambda: web.Response(status=500)]
    await desk.post(2, "Сбой в метро")
    async with at_work(desk.worker(within=10)):
        await until(lambda: desk.failing(2))
    written = capsys.readouterr()
    assert "topsecret" not in f"{caplog.text}{written.out}{written.err}{await desk.dump()}"
    assert "HTTP_500" not in caplog.text


_PROCESS = """import asyncio, sys
from pathlib import Path
from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.runtime.clock import utc_now
from bot.store.database import Database

async def main():
    db = await Database.open(Path(sys.argv[1]))
    await Worker(db, TargetComposer(db, clock=utc_now), sender=None, clock=utc_now).run()

asyncio.run(main())"""


async def test_a_process_that_is_killed_while_it_sends_sends_again_under_the_same_id(desk: Desk) -> None:
    await desk.target()
    await desk.post(1, "Сбой")
    desk.service.forgets = 1  # it takes the message, and the process dies before it is answered
    path = await desk.archive.db.fetch_value("SELECT file FROM pragma_database_list WHERE name = 'main'")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _PROCESS, path, cwd=ROOT)
    try:
        await until(lambda: len(desk.service.taken) == 1)
    finally:
        process.kill()
        await process.wait()
    desk.service.release()
    async with at_work(desk.worker()):
        await desk.idle()
    first, again = desk.service.taken
    assert first.json == again.json
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
