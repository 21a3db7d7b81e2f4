"""What many requests carry alike comes in, entities and buttons; it goes out in bytes already, made once for all."""

from collections.abc import Sequence
from functools import lru_cache

from telethon import types
from telethon.tl import TLObject

from bot.models import Button, Entity
from bot.telegram.convert import from_entities
from bot.text.markup import Rows

REMEMBERED = 64  # of the latest; a fan-out sends the same to hundreds of chats


class Written(TLObject):
    """A TL object of which nothing is left but its bytes."""

    def __init__(self, written: TLObject) -> None:
        self._written: bytes = written._bytes()  # noqa: SLF001 - what Telethon itself asks the parts of a request for

    def _bytes(self) -> bytes:
        return self._written


@lru_cache(REMEMBERED)
def entities_of(entities: tuple[Entity, ...]) -> Sequence[Written]:
    """Write the entities of a text."""
    return [Written(entity) for entity in from_entities(entities)]


@lru_cache(REMEMBERED)
def markup_of(buttons: Rows) -> Written | None:
    """Write the buttons below a text; None where there are none."""
    rows = [types.KeyboardInlineButtonRow([_button(button) for button in row]) for row in buttons]
    return Written(types.ReplyInlineMarkup(rows)) if rows else None


def _button(button: Button) -> types.KeyboardInlineButton:
    if button.url is not None:
        return types.KeyboardInlineButton(button.text, types.InlineButtonTypeUrl(button.url))
    return types.KeyboardInlineButton(button.text, types.InlineButtonTypeCallback(button.data or b""))
