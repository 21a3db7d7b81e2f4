"""Groups that move, close and open again, with the whole service; what people see in them is asked of the server."""

import asyncio

import pytest

from bot.sandbox import BasicGroup, Channel, Message, User
from tests.end_to_end.test_groups import outage
from tests.kit_service import WAIT_S, Person, Service
from tests.waiting import until

DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."


def written(service: Service, place: Channel | BasicGroup, viewer: User) -> list[Message]:
    """Return what the bot has written in a group."""
    found = place.history(viewer).oldest_first()
    return [message for message in found if message.sender_id == service.bot.id and message.action is None]


async def says(
    service: Service, owner: Person, place: Channel | BasicGroup, words: str, topic: int | None = None
) -> Message:
    """Write a command in a group and return the bot's answer."""
    before = len(written(service, place, owner.account))
    owner.account.sends(place, words, topic=topic)
    await until(lambda: len(written(service, place, owner.account)) > before)
    return written(service, place, owner.account)[before]


async def told(service: Service, owner: Person, place: Channel | BasicGroup, words: str) -> Message:
    """Wait for the bot's message in a group that shows these words."""

    def found() -> list[Message]:
        return [message for message in written(service, place, owner.account) if words in message.text]

    await until(lambda: bool(found()))
    (message,) = found()
    return message


async def opened(service: Service) -> tuple[Channel, Person]:
    """Bring a channel that the owner follows."""
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    return channel, await service.owner(follows=[channel])


async def desk(service: Service, owner: Person, *, thread: str | None = None) -> Channel:
    """Bring a supergroup that gets alerts on outages; a thread is older than the bot in it."""
    group = service.sandbox.world.add_channel("Desk", megagroup=True)
    if thread is not None:
        group.rename("Newsroom desk")  # the first message: 1 is the general thread
        group.open_topic(thread)
    group.join(service.bot)
    group.promote(owner.account)
    await says(service, owner, group, "/start@newsroom_bot")
    await says(service, owner, group, "/track@newsroom_bot outages")
    return group


async def test_a_group_that_becomes_a_supergroup_is_followed_with_all_it_had(service: Service) -> None:
    channel, owner = await opened(service)
    group = service.sandbox.world.add_group("Desk", [owner.account, service.bot])
    await says(service, owner, group, "/start@newsroom_bot")
    await says(service, owner, group, "/track@newsroom_bot outages")
    channel.post(DOWN)
    await told(service, owner, group, "массовый сбой")
    supergroup = service.sandbox.world.upgrade(group)
    answer = await says(service, owner, supergroup, "/here@newsroom_bot")
    assert answer.text.startswith("This chat has no threads.")  # and not: send /start first
    channel.post(f"Вечером: {DOWN}")
    await told(service, owner, supergroup, "Вечером")


@pytest.mark.parametrize("how", ["unblocked", "brought in again", "given rights"])
async def test_a_chat_that_opens_again_gets_alerts_without_a_word(service: Service, how: str) -> None:
    channel, owner = await opened(service)
    group = await desk(service, owner)
    trouble, mended = {
        "unblocked": (lambda: owner.account.blocks(service.bot), lambda: owner.account.unblocks(service.bot)),
        "brought in again": (lambda: group.kick(service.bot), lambda: group.join(service.bot)),
        "given rights": (group.restrict_members, lambda: group.restrict_members(read_only=False)),
    }[how]
    trouble()
    channel.post(DOWN)
    await suspended(service, 1)
    mended()
    await suspended(service, 0)
    channel.post(f"Вечером: {DOWN}")
    await told(service, owner, group, "Вечером")
    await owner.alert("Вечером")
    notices = [message.message for message in owner.heard if "I can no longer write to" in message.message]
    assert len(notices) == (how != "unblocked")


async def suspended(service: Service, count: int) -> None:
    """Wait until so many chats are suspended."""
    async with asyncio.timeout(WAIT_S), service.archive() as db:
        while len(await db.fetch_all("SELECT 1 FROM chats WHERE suspended IS NOT NULL")) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_a_button_in_a_thread_brings_comes_into_that_thread(service: Service) -> None:
    channel, owner = await opened(service)
    group = await desk(service, owner, thread="Сбои")
    topic = max(group.forum.topics)
    await says(service, owner, group, "/here@newsroom_bot", topic)
    await until(lambda: asked_for_titles(service) == 1)
    await says(service, owner, group, "/storms@newsroom_bot 1 5", topic)
    for number in range(3):
        channel.post(outage(number))
    storm = await told(service, owner, group, "🌩")
    assert storm.topic == topic
    await owner.client.get_dialogs()
    (shown,) = await owner.client.get_messages(group.marked, ids=[storm.id])
    before = len(written(service, group, owner.account))
    await shown.click(0)
    await until(lambda: len(written(service, group, owner.account)) > before)
    page = written(service, group, owner.account)[before]
    assert (page.topic, page.reply_to) == (topic, storm.id)
    assert "Сбои" in (await says(service, owner, group, "/topics@newsroom_bot", topic)).text
    assert asked_for_titles(service) == 1


def asked_for_titles(service: Service) -> int:
    return sum(call.name == "GetForumTopicsByID" for call in service.sandbox.calls)


async def test_here_binds_alerts_to_a_thread_until_it_is_closed(service: Service) -> None:
    channel, owner = await opened(service)
    group = await desk(service, owner)
    topic = group.open_topic("Сбои")
    answer = await says(service, owner, group, "/here@newsroom_bot outages", topic)
    assert answer.topic == topic
    assert "now go to this thread" in answer.text
    assert "Сбои" in (await says(service, owner, group, "/topics@newsroom_bot")).text
    assert asked_for_titles(service) == 0  # its opening was heard
    group.rename_topic(topic, "Аварии")
    assert "Аварии" in (await says(service, owner, group, "/topics@newsroom_bot")).text
    channel.post(DOWN)
    alert = await told(service, owner, group, "массовый сбой")
    assert alert.topic == topic
    group.close_topic(topic)
    channel.post(f"Вечером: {DOWN}")
    assert (await told(service, owner, group, "Вечером")).topic is None
    assert (await told(service, owner, group, "is closed, so these alerts now come here")).topic is None
