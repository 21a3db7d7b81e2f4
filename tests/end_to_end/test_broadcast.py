"""A channel of the team's own as the place of alerts: offered, set up in private, posted into, ended and resumed."""

from telethon.tl import types as tl

from bot.sandbox import Channel, Message
from tests.kit_service import Person, Service
from tests.waiting import until

DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."


def posted(channel: Channel) -> list[Message]:
    """Return what stands in a channel."""
    return [message for message in channel.kept.oldest_first() if message.action is None]


async def press(owner: Person, message: tl.Message, label: str) -> tl.Message:
    """Tap a button and return what its message says then."""
    row, column = next(
        (r, c)
        for r, buttons in enumerate(message.reply_markup.rows)
        for c, button in enumerate(buttons.buttons)
        if label in button.text
    )
    before = len(owner.edited) + len(owner.heard)
    await message.click(row, column)
    await owner.until(lambda: len(owner.edited) + len(owner.heard) > before)
    return (owner.edited or owner.heard)[-1] if len(owner.edited) else owner.heard[-1]


async def set_up(service: Service) -> tuple[Channel, Channel, Person]:
    """Bring a source, and a channel of the team's own that gets alerts on outages."""
    source = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[source])
    target = service.sandbox.world.add_channel("Our desk", username="ourdesk")
    target.promote(service.bot, by=owner.account)
    asked = await owner.message("I am now an admin of «Our desk»")
    screen = await press(owner, asked, "Yes")
    assert "I post alerts in our channel Our desk" in screen.message
    screen = await press(owner, screen, "Outages")
    assert "Topics: Outages" in screen.message
    return source, target, owner


async def test_an_owner_sets_a_channel_up_without_writing_there(service: Service) -> None:
    source, target, owner = await set_up(service)
    first = source.post(DOWN)
    await until(lambda: len(posted(target)) == 1)
    (alert,) = posted(target)
    assert "массовый сбой" in alert.text
    assert [[button.text for button in row.buttons] for row in alert.reply_markup.rows] == [["Open"]]
    source.edit(first.id, DOWN + " Перестали работать и банкоматы.")
    await until(lambda: any("банкоматы" in each.text and each.reply_to == alert.id for each in posted(target)))
    source.delete(first.id)
    await until(lambda: any(each.text.startswith("Agency · Deleted") for each in posted(target)))
    await owner.says("/for our desk /priority outages digest")
    await owner.message("📣 Our desk\n")
    await owner.asks("/follow @ourdesk")
    await owner.message("I post your own alerts there")
    target.kick(service.bot, by=owner.account)
    await owner.message("I can no longer write to «Our desk»")
    target.promote(service.bot, by=owner.account)
    await owner.message("I can post in «Our desk» again")
    assert all("/" not in each.text[:1] and "admin" not in each.text for each in posted(target))


async def test_a_stranger_cannot_and_the_owners_hear_of_it_once(service: Service) -> None:
    owner = await service.owner()
    stranger = service.sandbox.world.add_user("Eve")
    target = service.sandbox.world.add_channel("Eve's")
    for _ in range(2):
        target.promote(service.bot, by=stranger)
        await owner.message("Eve made me an admin of «Eve's»")
        target.kick(service.bot, by=stranger)
    await owner.asks("/ping")
    assert len([each for each in owner.heard if "made me an admin" in each.message]) == 1
    async with service.archive() as db:
        assert not await db.fetch_all("SELECT 1 FROM chats WHERE broadcast")


async def test_the_right_to_post_is_asked_for_and_its_loss_ends_alerts(service: Service) -> None:
    _, target, owner = await set_up(service)
    target.promote(service.bot, by=owner.account, may_post=False)
    await owner.message("I can no longer write to «Our desk»")
    other = service.sandbox.world.add_channel("Mute desk")
    other.promote(service.bot, by=owner.account, may_post=False)
    await owner.message("not allowed to post")
    other.promote(service.bot, by=owner.account)
    await owner.message("I am now an admin of «Mute desk». Send alerts there?")
