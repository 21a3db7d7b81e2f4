"""What comes in is a message in a group; what goes out is whether a bot in privacy mode gets it.

The rules: core.telegram.org/bots/features#privacy-mode.
"""

import re

from bot.sandbox.world.messages import Message
from bot.sandbox.world.peers import Account

_COMMAND = re.compile(r"/\w+(?:@(?P<bot>\w+))?")


def reaches(message: Message, account: Account, replied: Message | None) -> bool:
    """Tell whether an account gets a group's message; `replied` is what it answers, if that is known."""
    if not account.bot or message.action is not None or message.sender_id == account.id:
        return True
    if replied is not None and replied.sender_id == account.id:
        return True
    name = (account.username or "").lower()
    command = _COMMAND.match(message.text)
    if command and (command["bot"] or name).lower() == name:
        return True
    return f"@{name}" in re.findall(r"@\w+", message.text.lower())
