"""An alert in a chat, and the buttons under it."""

from bot.commands.context import Reply
from bot.models.outgoing import Button
from tests.commands.kit import Bot
from tests.kit_archive import OTHER, post

USUAL = ["Open", "Quote", "Save", "Snooze", "Not relevant", "Who said it first", "Who else?", "Translate"]


async def alerted(bot: Bot, words: str = "Сбой") -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.follow(OTHER, title="Новости")
    await bot.archive.live(post(1, words))


def labels(reply: Reply) -> list[str]:
    return [button.text for row in reply.buttons or () for button in row]


def key(reply: Reply, label: str) -> Button:
    return next(button for row in reply.buttons or () for button in row if button.text == label)
