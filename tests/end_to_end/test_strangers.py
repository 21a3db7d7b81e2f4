from collections import Counter

import pytest

from bot.sandbox.world.refused import Refused
from tests.kit_service import Person, Service

OF_ITSELF = {
    "GetState",
    "GetDifference",
    "GetChannelDifference",
    "GetUsers",
    "GetBotInfo",
    "SetBotInfo",
}  # asked by a client whoever writes


async def test_a_stranger_hears_one_line_once_and_gets_no_alert(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    stranger = await service.person("Stranger")
    line = (await stranger.asks("/status")).message
    assert "\n" not in line
    assert "Agency" not in line
    for words in ("/status", "/search сбой", "/start guess", "/follow @agency"):
        await stranger.says(words)
    channel.post("Массовый сбой: сайт не работает.")
    await owner.alert("Массовый сбой")
    await owner.asks("/status")
    assert [message.message for message in stranger.heard] == [line]


async def test_a_pairing_link_works_once(service: Service) -> None:
    await service.owner()
    assert service.ready is not None
    assert service.ready.invitation is not None
    late = await service.person("Latecomer")
    await late.asks(f"/start {service.ready.invitation.rpartition('=')[2]}")
    await late.says("/status")
    await service.people[0].asks("/status")
    assert len(late.heard) == 1


def asked_by_bot(service: Service) -> Counter[str]:
    calls = (call.name for call in service.sandbox.calls if call.account_id == service.bot.id)
    return Counter(name for name in calls if name not in OF_ITSELF)


def from_bot(person: Person) -> int:
    return sum(message.sender_id == person.bot.id for message in person.heard)


async def test_whatever_strangers_do_makes_the_bot_ask_telegram_for_nothing(service: Service) -> None:
    owner = await service.owner()
    stranger = await service.person("Stranger")
    world, bot = service.sandbox.world, service.bot
    line = await stranger.asks("/status")
    group = world.add_channel("Newsroom", megagroup=True, members=[owner.account, stranger.account, bot])
    owner.account.sends(group, "/start@newsroom_bot")
    await owner.until(lambda: sum("Topics" in message.message for message in owner.heard) == 2)
    screen = group.history(owner.account).messages[owner.heard[-1].id]
    await owner.asks("/status")
    world.hub.query_timeout_s = 0
    before = asked_by_bot(service)
    strangers_group = world.add_channel("Elsewhere", megagroup=True, members=[stranger.account, bot])
    strangers_group.leave(bot)
    strangers_group.join(bot)
    for _ in range(5):
        await stranger.client.send_message(bot.username, "/explain", reply_to=line.id)
        await stranger.client.send_message(bot.username, "/test сбой", reply_to=line.id)
        for words in ("/start guess", "/search сбой", "plain words", "https://t.me/agency"):
            await stranger.says(words)
        for place in (group, strangers_group):
            said = stranger.account.sends(place, "/status@newsroom_bot")
            stranger.account.sends(place, "/explain@newsroom_bot", reply_to=said.id)
            stranger.account.sends(place, "/start@newsroom_bot")
        with pytest.raises(Refused, match="BOT_RESPONSE_TIMEOUT"):
            await stranger.account.presses(screen, "Settings")
    answers = from_bot(owner)
    await owner.says("/status")
    await owner.until(lambda: from_bot(owner) > answers)
    await service.stop()  # once all is answered
    asked = asked_by_bot(service) - before
    del asked["SetBotCallbackAnswer"]  # the note that a stranger may have, where the tap comes before the flood
    assert asked == Counter({"SendMessage": 1})
