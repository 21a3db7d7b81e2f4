"""/follow from the chat to the channels: a deep history with its progress, and a folder."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from telethon import events

from bot.delivery import progress
from tests.kit_service import Service
from tests.waiting import WAIT_S

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(autouse=True)
def _edited_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", timedelta(seconds=0.2))


async def test_a_deep_history_is_read_with_its_progress_in_one_message(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    for number in range(450):
        channel.post(f"{number}: сайт не работает, массовый сбой", date=YESTERDAY)
    owner = await service.owner()
    edits: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    async def edited(event: events.MessageEdited.Event) -> None:
        edits.put_nowait((event.message.id, event.message.message))

    owner.client.add_event_handler(edited, events.MessageEdited(incoming=True))
    await owner.says("/follow @agency history:300")
    async with asyncio.timeout(WAIT_S):
        while "300 older posts of «Agency» are stored" not in (last := await edits.get())[1]:
            pass
    begun = [message for message in owner.heard if message.message.startswith("Reading older posts")]
    assert [message.id for message in begun] == [last[0]]
    assert owner.alerts == []
    async with service.archive() as db:
        row = await db.fetch_one("SELECT count(*) AS n FROM posts")
    assert row is not None
    assert row["n"] == 300


async def test_a_folder_is_followed_by_its_link(service: Service) -> None:
    world = service.sandbox.world
    slug = world.add_folder("Agencies", [world.add_channel("First", username="first"), world.add_channel("Secret")])
    owner = await service.owner()
    await owner.says(f"/follow t.me/addlist/{slug}")
    await owner.until(lambda: any("«First»" in message.message for message in owner.heard))
    (told,) = (message.message for message in owner.heard if "Agencies" in message.message)
    assert "1 channel" in told
    assert "Secret" in told


async def test_all_that_the_reader_is_in_is_followed_after_a_tap(service: Service) -> None:
    world = service.sandbox.world
    for name in ("First", "Second"):
        world.add_channel(name, username=name.lower(), members=[service.reader])
    owner = await service.owner()
    await owner.says("/follow all")
    await owner.until(lambda: any("2 channels" in message.message for message in owner.heard))
    asked = next(message for message in owner.heard if "2 channels" in message.message)
    await asked.click(0)
    await owner.edit("I follow 2 of 2 channels.")


async def test_a_pasted_list_is_one_message_that_fills_in(service: Service) -> None:
    world = service.sandbox.world
    names = [f"agency_{number}" for number in range(6)]
    for name in names:
        world.add_channel(name.title(), username=name)
    owner = await service.owner()
    pasted = f"Нужны эти:\n1) @{names[0]} – главный; https://t.me/{names[1]}, t.me/{names[2]}/17 · @{names[3]}\n"
    offer = await owner.asks(f"{pasted}@{names[4]} и @nobody_here, спасибо!\nhttps://t.me/s/{names[5]}")
    heard = len(owner.heard)
    await offer.click(0)
    done = await owner.edit("I follow 6 of 7 channels.")
    assert "✗ @nobody_here. There is no channel with this name." in done.message
    assert [message.id for message in owner.heard[heard:]] == [done.id]
    world.add_channel("Nobody", username="nobody_here")
    await done.click(0)
    await owner.until(lambda: len(owner.heard) == heard + 2)
    assert "@nobody_here" in owner.heard[-1].message
    assert (await owner.edit("I follow 1 of 1 channel.")).id == owner.heard[-1].id
