"""Buttons and their rows; the data of each is `verb:argument:…`, at most 64 bytes. Pure."""

from collections.abc import Iterable
from zlib import crc32

from bot.models.outgoing import Button, ButtonRows

CHANNEL = r"-?\d{1,15}"  # how data names a channel, by its id; those below zero are of other networks than Telegram
POST = rf"{CHANNEL}:-?\d{{1,10}}"  # how data names a post: channel and message
_ON, _OFF, _CHOSEN = "✅", "▫️", "●"


def button(label: str, *data: str | int) -> Button:
    """Make a button whose tap comes back as `verb:argument:…`."""
    return Button(text=label, data=":".join(map(str, data)).encode())


def choice(label: str, *data: str | int, chosen: bool) -> Button:
    """Make a button for one choice of a setting, with a mark where it is the present one."""
    return button(mark(label, chosen=chosen), *data)


def switch(label: str, *data: str | int, is_on: bool) -> Button:
    """Make a button for something that is on or off, with a mark for which of the two."""
    return button(f"{_ON if is_on else _OFF} {label}", *data)


def mark(label: str, *, chosen: bool) -> str:
    """Put the mark before a chosen label."""
    return f"{_CHOSEN} {label}" if chosen else label


def name_word(word: str) -> str:
    """Name a word in a button's data, which has no room for the word itself."""
    return f"{crc32(word.encode()):08x}"


def rows_of(buttons: Iterable[Button], width: int) -> ButtonRows:
    """Lay buttons out in rows of `width`."""
    flat = tuple(buttons)
    return tuple(flat[start : start + width] for start in range(0, len(flat), width))
