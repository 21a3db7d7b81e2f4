from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from telethon.tl import types

from bot.store import posts
from tests.kit import took
from tests.kit_service import Service, link_of, running_service

DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."
NOISE = "Министр принял посла, обсудили торговлю."


async def test_a_matching_post_is_alerted_once_with_its_words_in_bold_and_noise_is_not(tmp_path: Path) -> None:
    async with running_service(tmp_path, builtin=True) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        channel.post(NOISE)
        post = channel.post(DOWN)
        alert = await owner.alert("массовый сбой")
        assert link_of(alert) == f"https://t.me/agency/{post.id}"
        assert alert.message.startswith("Outages · Agency\n")
        bold = [words for entity, words in alert.get_entities_text() if isinstance(entity, types.MessageEntityBold)]
        assert {"Сайт", "недоступен", "массовый", "сбой"} <= set(bold)
        channel.post(DOWN + " Ещё раз.")
        await owner.alert("Ещё раз")
        assert len(owner.alerts) == 2


async def test_an_alert_from_a_supergroup_says_who_wrote(service: Service) -> None:
    world = service.sandbox.world
    group = world.add_channel("Talk", username="talk", megagroup=True, members=[service.reader])
    owner, anna = await service.owner(follows=[group]), world.add_user("Anna")
    group.join(anna)
    group.post(DOWN, author=anna)
    assert " · by Anna" in (await owner.alert("массовый сбой")).message
    group.post("Энергетики: в сервисах облака сбой, сайты не работают.")
    assert " · by " not in (await owner.alert("сбой, сайты")).message


async def test_edits_deletions_albums_and_forwards_are_stored_as_they_happened(service: Service) -> None:
    world = service.sandbox.world
    channel = world.add_channel("Agency", username="agency", members=[service.reader])
    other = world.add_channel("Ministry", username="ministry", members=[service.reader])
    owner = await service.owner(follows=[channel, other])
    first = channel.post("Пока всё спокойно.")
    channel.edit(first.id, f"Уточнение: {DOWN}")
    assert "edited" in (await owner.alert("Уточнение")).message
    photos = [world.media.photo(b"one"), world.media.photo(b"two")]
    album = channel.album(photos, "Энергетики: в сервисах облака сбой, сайты не работают.")
    await owner.alert("сбой, сайты")
    quiet = channel.post(NOISE)
    forwarded = other.post("На сайте министерства сбой, страницы не открываются.", forward=quiet)
    assert "Forwarded from Agency" in (await owner.alert("Forwarded from")).message
    channel.delete(first.id)
    channel.post(f"Конец. {DOWN}")
    await owner.alert("Конец")
    async with service.archive() as db:
        versions = await posts.versions(db, channel.id, first.id)
        assert [version.text for version in versions] == ["Пока всё спокойно.", f"Уточнение: {DOWN}"]
        assert versions[-1].gone_at is not None
        items = await posts.by_key(db, channel.id, f"g{album[0].grouped}")
        assert [item.message_id for item in items] == [message.id for message in album]
        [kept] = await posts.current(db, other.id, [forwarded.id])
        assert kept.forward is not None
        assert (kept.forward.channel_id, kept.forward.message_id) == (channel.id, quiet.id)
    assert len(owner.alerts) == 4


async def test_a_restart_in_mid_stream_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    async with running_service(tmp_path, sweep_interval=1.0) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await owner.asks("/storms off")
        for number in range(5):
            channel.post(f"Сбой номер {number}: сайт не работает.")
        await service.stop()
        for number in range(5, 10):
            channel.post(f"Сбой номер {number}: сайт не работает.")
        await service.start()
        for number in range(10, 15):
            channel.post(f"Сбой номер {number}: сайт не работает.")
        await owner.count(15)
        links = [link_of(alert) for alert in owner.alerts]
        assert sorted(links) == sorted(f"https://t.me/agency/{number}" for number in range(1, 16))


async def test_a_post_that_telegram_never_pushes_is_found_by_the_sweep(tmp_path: Path) -> None:
    async with running_service(tmp_path, sweep_interval=0.5) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        channel.post(DOWN, push=False)
        await owner.alert("массовый сбой")
        assert len(owner.alerts) == 1


async def test_a_blocked_bot_suspends_that_chat_and_no_other(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    colleague = await service.invited("Colleague")
    colleague.account.blocks(service.bot)
    channel.post(DOWN)
    await owner.alert("массовый сбой")
    channel.post(f"Вечером: {DOWN}")
    await owner.alert("Вечером")
    assert colleague.alerts == []
    colleague.account.unblocks(service.bot)
    await colleague.says("/help")
    await colleague.message("/help")
    await colleague.message("1 alert did not arrive")
    channel.post(f"Ночью: {DOWN}")
    await colleague.alert("Ночью")


async def test_a_flood_wait_in_one_chat_delays_no_other(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    colleague = await service.invited("Colleague")
    service.sandbox.faults.flood_wait("SendMessage", 2, chat_id=owner.account.id)
    for number in range(4):
        channel.post(f"Сбой {number}: сайт не работает.")
        await colleague.alert(f"Сбой {number}")
    await owner.count(4)
    async with service.archive() as db:
        fastest = await took(db)
    assert fastest[owner.account.id] > timedelta(seconds=1)  # Telegram made this chat wait …
    assert fastest[colleague.account.id] < timedelta(milliseconds=100)  # … and no other


async def test_alerts_of_a_burst_arrive_in_order(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await owner.asks("/storms off")
    for number in range(60):
        channel.post(f"Сбой {number}: сервис не работает.")
    await owner.count(60)
    ids = [int((link_of(alert) or "").rpartition("/")[2]) for alert in owner.alerts]
    assert all(earlier < later for earlier, later in pairwise(ids))
