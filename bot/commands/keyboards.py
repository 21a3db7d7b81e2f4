"""Rows of buttons; the data of each is `verb:argument:…`, at most 64 bytes."""

from collections.abc import Collection, Iterable, Sequence
from zlib import crc32

from babel import Locale

from bot.locales import LANGUAGES, Translator
from bot.locales.locale import topic_title
from bot.models import Button, ButtonRows
from bot.store.topics import Topic
from bot.text.markup import one_line

LANGUAGE_NAMES = {each: str(Locale(each).get_language_name()).capitalize() for each in LANGUAGES}
_ON, _OFF, _CHOSEN = "✅", "▫️", "●"
MOST_SWITCHES = 60  # Telegram takes 100 buttons
TOPICS_PAGE = 20  # topics of one page of switches
_LONGEST_LABEL = 30  # UTF-16 units; phones cut longer ones in a row of two


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


def topic_rows(topics: Sequence[Topic], on: Collection[int], t: Translator, *, screen: str) -> ButtonRows:
    """Offer topics as switches; a tap asks for the state that is not shown, and for `screen` to be drawn again."""
    switches = []
    for topic in topics:
        is_on, title = topic.id in on, one_line(topic_title(topic.name, t), _LONGEST_LABEL)
        label = f"🔒 {title}" if topic.restricted else title
        switches.append(switch(label, "topic", topic.id, "off" if is_on else "on", screen, is_on=is_on))
    return rows_of(switches, 2)
