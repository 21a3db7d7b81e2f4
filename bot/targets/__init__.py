"""Ways out other than Telegram: a message comes in with the address of its target, and goes out or is refused."""

import asyncio
from importlib import import_module

from bot.errors import TargetError
from bot.models.targets import TargetMessage
from bot.targets.address import TargetKind, read_address

_MODULES = {TargetKind.WEBHOOK: "webhook", TargetKind.APPRISE: "apprise_way"}
WITHIN = 30.0  # s that a target has to take a message


async def send(kind: TargetKind, url: str, message: TargetMessage, *, within: float = WITHIN) -> None:
    """Send a message once to where an address leads. Raises TargetError, which holds nothing of the address."""
    # In a thread, since Apprise takes a third of a second.
    way = await asyncio.to_thread(import_module, f"{__name__}.{_MODULES[kind]}")
    await way.send(url, message, within=within)


async def send_once(url: str, message: TargetMessage, *, within: float = WITHIN) -> None:
    """Send a message to an address as somebody typed it, once, without a database: for `channelwatch watch --to URL`.

    Check the address first with `read_address`, which raises AddressError with a sentence for people (and makes a
    webhook's secret where it has none). Raises TargetError where the message was not taken; whether to try again
    (`verdict` RETRY, `retry_after` seconds) is the caller's business. The message may have arrived all the same, so a
    second attempt keeps its id. Blocks nothing: Apprise works in a thread, and gives up after `within` seconds.
    """
    address = await asyncio.to_thread(read_address, url)
    await send(address.kind, address.url.get_secret_value(), message, within=within)


__all__ = ["TargetError", "TargetKind", "read_address", "send", "send_once"]
