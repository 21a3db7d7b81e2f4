"""Nothing is told twice and nothing is lost, whatever ends the service and whatever database it begins with."""

import shutil
from pathlib import Path

from bot.sandbox import Channel
from tests.chaos.deliveries import deliver
from tests.kit_service import Person, Service, link_in

NEWS = (  # so unlike each other that none joins another
    "Сбой: сайт банка недоступен, клиенты жалуются с утра.",
    "Отключения интернета на побережье: мобильная связь пропала в трёх районах.",
    "Приложение госуслуг не открывается у части пользователей.",
    "Массовый сбой в работе мессенджера, сообщения не доходят.",
    "В аэропорту сбой: не работает система регистрации на рейсы.",
    "Платежи картами не проходят, терминалы магазинов не работают из-за сбоя.",
    "Роскомнадзор заблокировал видеохостинг за отказ удалить ролики.",
    "Оператор ограничил доступ к мобильному интернету в области.",
    "Сервис такси недоступен, машины вызвать нельзя.",
)


async def tell(channel: Channel, person: Person, numbers: range) -> None:
    """Post some of the news, and wait until a person has been alerted to the last."""
    for number in numbers:
        channel.post(NEWS[number])
        await person.until(lambda n=number: f"/{n + 1}" in str(links(person)[-1:]))  # type: ignore[misc]


def links(person: Person) -> list[str]:
    return [link for message in person.alerts if (link := link_in(message.reply_markup))]


def told(numbers: range) -> list[str]:
    return [f"https://t.me/agency/{number + 1}" for number in numbers]


def back_up(service: Service) -> Path:
    """Copy the whole folder, as an administrator does while the service is stopped."""
    copy = service.folder / "backup"
    shutil.copytree(service.settings.data_dir, copy)
    return copy


def put_back(service: Service, copy: Path) -> None:
    """Put the database back, without the rest of the folder."""
    data = service.settings.data_dir
    for file in data.glob("bot.db*"):
        file.unlink()
    shutil.copyfile(copy / "bot.db", data / "bot.db")


async def test_three_kills_under_load_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    outcome = await deliver(10, tmp_path, kills=3)
    assert outcome.differences == []
    assert outcome.kills == 3
    assert outcome.posts > 25
    assert outcome.asked > 5
    assert outcome.answered


async def test_an_alert_whose_number_was_lost_is_found_again_and_follows_its_post(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    service.sandbox.faults.lose_reply("SendMessage")
    await tell(channel, owner, range(1))
    channel.edit(1, "Сбой: сайт банка недоступен, причина названа.")
    await owner.edit("причина названа")
    assert links(owner) == told(range(1))


async def test_where_messages_cannot_be_read_it_goes_on_without_their_numbers(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    service.sandbox.faults.answer("GetMessages", "BOT_METHOD_INVALID", times=None)
    service.sandbox.faults.lose_reply("SendMessage")
    await tell(channel, owner, range(1))
    channel.edit(1, "Сбой: сайт банка недоступен, причина названа.")
    await tell(channel, owner, range(1, 2))
    assert links(owner) == told(range(2))


async def test_what_was_asked_before_the_end_is_answered_after_it(service: Service) -> None:
    """Telethon has acknowledged both commands; one waits for a flood to end, the other behind it."""
    owner = await service.owner()
    service.sandbox.faults.flood_wait("SendMessage", 30, chat_id=owner.account.id, times=None)
    for number in (1, 2):
        await owner.says(f"/track Нет-{number}")
    while not any("Нет-1" in str(call.request) for call in service.sandbox.calls if call.account_id == service.bot.id):
        await owner.client.get_me()
    await service.stop()
    service.sandbox.faults.clear()
    await service.start()
    await owner.until(lambda: any("Нет-2" in message.message for message in owner.heard))
    await service.stop()
    await service.start()
    await owner.asks("/channels")
    for number in (1, 2):
        assert sum(f"Нет-{number}" in message.message for message in owner.heard) == 1


async def test_a_restored_backup_repeats_nothing_that_telegram_remembers(service: Service) -> None:
    """Its rows get other numbers, and nothing can be read: the random_ids alone tell what was sent."""
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await tell(channel, owner, range(2))
    await service.stop()
    copy = back_up(service)
    await service.start()
    await owner.asks("/mute @agency 1h")  # what the lost instance did otherwise
    await owner.asks("/unmute @agency")
    await tell(channel, owner, range(2, 5))
    await service.stop()
    put_back(service, copy)
    service.sandbox.faults.answer("GetMessages", "BOT_METHOD_INVALID", times=None)
    await service.start()
    await tell(channel, owner, range(5, 7))
    assert links(owner) == told(range(7))
