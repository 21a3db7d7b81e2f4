"""Sends a message more simply where Telegram refuses its length, its formatting or its buttons."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

import structlog

from bot.errors import TelegramError, Verdict
from bot.models import Outgoing
from bot.text.markup import LIMIT, Text, units

log = structlog.get_logger(__name__)

MOST_WAYS = 3  # in which one message is simplified
SHORTEST = 256  # UTF-16 units under which nothing is gained by cutting

Method = TypeVar("Method", bound=Callable[..., Coroutine[Any, Any, Any]])


def with_fallbacks(method: Method) -> Method:
    """Let a method that takes an `Outgoing` by position send it again, simplified, after such a refusal.

    All else stays, the `random_id` too: Telegram remembers none of what it refused.
    """

    @wraps(method)
    async def sending(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the method
        for _ in range(MOST_WAYS):
            try:
                return await method(*args, **kwargs)
            except TelegramError as error:
                simpler = [simplified(value, error.verdict) if isinstance(value, Outgoing) else value for value in args]
                if None in simpler:
                    raise
                log.warning("a message was refused; it is sent more simply", reason=error.error)
                args = tuple(simpler)
        return await method(*args, **kwargs)

    return cast("Method", sending)


def simplified(outgoing: Outgoing, verdict: Verdict) -> Outgoing | None:
    """Return the message without what was refused; None where nothing is left to give up. Pure."""
    for way in _WAYS.get(verdict, ()):
        simpler = way(outgoing)
        if simpler != outgoing:
            return simpler
    return None


def _halved(outgoing: Outgoing) -> Outgoing:
    """Cut the text to half; a link that stands under it stays."""
    room = units(outgoing.text) // 2
    if room < SHORTEST:
        return outgoing
    text, entities = Text().formatted(outgoing.text, outgoing.entities).cut(room).build()
    return replace(outgoing, text=text, entities=entities)


def _unformatted(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, entities=())


def _without_buttons(outgoing: Outgoing) -> Outgoing:
    """Put the links of the buttons under the text instead."""
    links = [button.url for row in outgoing.buttons for button in row if button.url is not None]
    tail = "".join(f"\n{link}" for link in links)
    words, entities = Text().formatted(outgoing.text, outgoing.entities).cut(LIMIT - units(tail)).add(tail).build()
    return replace(outgoing, text=words, entities=entities, buttons=())


_WAYS: dict[Verdict, tuple[Callable[[Outgoing], Outgoing], ...]] = {
    Verdict.SHORTEN: (_halved, _unformatted),
    Verdict.PLAIN: (_unformatted,),
    Verdict.BARE: (_without_buttons,),
}
