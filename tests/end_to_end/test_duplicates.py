"""One event is one alert: over TCP, from the channels that say the same to the phone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from telethon.tl import types

from bot.demo.story import StoryClock
from bot.sandbox import Channel
from tests.end_to_end.test_changes import reading
from tests.kit_service import Person, link_of, running_service

DOWN = "В работе приложения «Заречье Банка» произошёл массовый сбой: клиенты не могут войти и перевести деньги."
MONDAY = datetime(2025, 3, 10, 9, tzinfo=UTC)
THREE = ("Agency", "Ministry", "Herald")


async def joined(owner: Person, alert: types.Message, again: Channel, number: int) -> None:
    """Wait until the alert names a channel's post, and see that nothing else was told."""
    edited = await owner.edit(f"@{again.username}")
    assert "Also in @" in edited.message
    assert edited.id == alert.id
    links = [entity.url for entity in edited.entities if isinstance(entity, types.MessageEntityTextUrl)]
    assert f"https://t.me/{again.username}/{number}" in links
    assert len(owner.alerts) == 1


SAME = {  # by the channels that say it
    "Verbatim": DOWN,
    "Framed": f"⚡️ СРОЧНО\n\n{DOWN}\n\nПодписаться на «Framed»",
    "Translated": f"Bank app is down in Zarechye, clients say\n\n{DOWN}",
    "Edited": DOWN.replace("произошёл массовый сбой", "случился массовый сбой"),
}


async def test_channels_that_say_the_same_are_named_in_the_first_alert(tmp_path: Path) -> None:
    async with reading(tmp_path, channels=("Agency", *SAME)) as (_, owner, (agency, *others)):
        agency.post(DOWN)
        alert = await owner.alert("массовый сбой")
        for channel, text in zip(others, SAME.values(), strict=True):
            await joined(owner, alert, channel, channel.post(text).id)


async def test_a_forward_joins_and_after_a_restart_another_one_does_too(tmp_path: Path) -> None:
    async with reading(tmp_path, channels=THREE) as (service, owner, (agency, ministry, herald)):
        first = agency.post("Сбой в банке")
        alert = await owner.alert("Сбой в банке")
        await joined(owner, alert, ministry, ministry.post(first.text, forward=first).id)
        await service.stop()
        await service.start()
        herald.post(first.text, forward=first)
        named = await owner.edit("@herald")
        assert named.id == alert.id
        assert named.message.index("@ministry") < named.message.index("@herald")
        assert len(owner.alerts) == 1


async def test_until_48_hours_have_passed_it_joins_and_then_it_is_news_again(tmp_path: Path) -> None:
    clock = StoryClock(MONDAY)
    async with running_service(tmp_path, now=clock.now) as service:
        names = [name.lower() for name in THREE]
        channels = [service.sandbox.world.add_channel(n, username=n, members=[service.reader]) for n in names]
        owner = await service.owner(follows=channels)
        channels[0].post(DOWN)
        alert = await owner.alert("массовый сбой")
        clock.jump_to(MONDAY + timedelta(hours=47))
        again = channels[1].post(DOWN)
        await joined(owner, alert, channels[1], again.id)
        clock.jump_to(MONDAY + timedelta(hours=49))
        channels[2].post(DOWN)
        await owner.count(2)
        assert link_of(owner.alerts[1]) == "https://t.me/herald/1"


async def test_other_news_in_the_same_words_is_another_alert(tmp_path: Path) -> None:
    async with reading(tmp_path, channels=THREE) as (_, owner, (agency, ministry, herald)):
        agency.post(DOWN)
        ministry.post(DOWN.replace("Заречье Банка", "Прибой Банка"))
        herald.post("Сайт городской больницы недоступен, записаться к врачу нельзя: сбой у хостинга.")
        await owner.count(3)
        assert owner.edited == []


async def test_a_chat_that_wants_confirmations_hears_the_second_channel_and_no_third(tmp_path: Path) -> None:
    async with reading(tmp_path, channels=THREE) as (_, owner, (agency, ministry, herald)):
        assert "Should I also reply" in (await owner.asks("/confirmations on")).message
        agency.post(DOWN)
        alert = await owner.alert("массовый сбой")
        second = ministry.post(f"Срочно: {DOWN}")
        reply = await owner.reply("Confirmed by @ministry")
        assert reply.reply_to.reply_to_msg_id == alert.id
        assert not reply.silent
        assert [e.url for e in reply.entities] == [f"https://t.me/ministry/{second.id}"]
        assert link_of(reply) is None
        herald.post(f"{DOWN} Банк чинит.")
        await owner.edit("@herald")
        assert len(owner.replies) == 1
