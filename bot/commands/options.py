"""What stands around a pasted list of channels comes in; how to follow them goes out, or what is wrong. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from bot.locales import N_
from bot.store.channels import Options

MOST_HISTORY = 100_000  # posts
_WORDS = {
    "fast": Options(fast=True),
    "быстро": Options(fast=True),
    "slow": Options(fast=False),
    "медленно": Options(fast=False),
    "join:no": Options(may_join=False),
    "вступать:нет": Options(may_join=False),
    "join:yes": Options(may_join=True),
    "вступать:да": Options(may_join=True),
}
_HISTORY = re.compile(r"(?:history|история):(\d{1,9})")
_UNMISTAKABLE = re.compile(r"(?:join|history|вступать|история):\S", re.IGNORECASE)
_OPTION = re.compile(r"(?:join|history|вступать|история):\S*|(?!tg:)[^\W\d]+:\w+", re.IGNORECASE)
_GAP = re.compile(r"(?<!\S)((?:join|history|вступать|история):)[^\S\n]+(?=\w)", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=[yYяЯ]:)\d{1,3}(?:[^\S\n]\d{3})+(?![^\s.,;])")
_NAMED = re.compile(r"\W*(?:@|https?://|\+|t(?:elegram)?\.me/)", re.IGNORECASE)
_TRIM = ".,;"

MESSAGES = {
    "unknown": N_("«{value}» is no option. There are fast, slow, join:no, join:yes and history:5000."),
    "history": N_("«{value}»: write how many posts of the past I shall read, {most} at most, such as history:5000."),
    "misplaced": N_(
        "«{value}» stands in the middle of a line. Write it at the end, for the names of its line; on a line of its "
        "own, for the whole list."
    ),
    "fast": N_("{most} channels can be fast at most; with these there would be {n}. {example} makes room."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Channels that are to be followed in the same way, and how."""

    names: str  # a pasted list
    options: Options


class OptionError(Exception):
    """What is wrong with an option: `code` is a key of `MESSAGES`."""

    def __init__(self, code: str, value: str) -> None:
        super().__init__(code, value)
        self.code = code
        self.value = value


def read_options(typed: str) -> tuple[Asked, ...]:
    """Take the options off a list; those on a line with names hold for them, those on lines of their own for all.

    There is one part at least, and one for all names that are to be followed in the same way. Raises OptionError.
    """
    lines = [_read_line(line) for line in _closed_up(typed).splitlines()]
    everywhere = reduce(_joined, (line.options for line in lines if not line.names), Options())
    parts: dict[Options, list[str]] = {}
    for line in lines:
        if line.names:
            parts.setdefault(_joined(everywhere, line.options), []).append(line.names)
    asked = tuple(Asked(names="\n".join(names), options=options) for options, names in parts.items())
    return asked or (Asked(names="", options=everywhere),)


def _closed_up(typed: str) -> str:
    """Take the spaces out of options: `history: 5 000` is one word."""
    return _THOUSANDS.sub(lambda found: re.sub(r"\D", "", found[0]), _GAP.sub(r"\1", typed))


def _read_line(line: str) -> Asked:
    """Take the options off the two ends of a line; in between, a word is a title or a comment. Raises OptionError."""
    options, rest = Options(), line.strip()
    while rest and (option := _read(rest.split(None, 1)[0])) is not None:
        options, rest = _joined(options, option), "".join(rest.split(None, 1)[1:])
    while rest and (option := _read(rest.rsplit(None, 1)[-1].rstrip(_TRIM))) is not None:
        options, rest = _joined(options, option), "".join(rest.rsplit(None, 1)[:-1])
    _require_in_place(rest.split())
    return Asked(names=rest, options=options)


def _require_in_place(words: Sequence[str]) -> None:
    """Refuse an option in the midst of a line: it is not clear whom it is for. Raises OptionError."""
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        is_between = _NAMED.match(before) and _NAMED.match(after) and word.rstrip(_TRIM).casefold() in _WORDS
        if is_between or _UNMISTAKABLE.match(word):
            raise OptionError("misplaced", word)


def _read(word: str) -> Options | None:
    known = _WORDS.get(word.casefold())
    if known is not None or not _OPTION.fullmatch(word):
        return known
    found = _HISTORY.fullmatch(word.casefold())
    if found and 0 < int(found[1]) <= MOST_HISTORY:
        return Options(history=int(found[1]))
    is_history = word.casefold().startswith(("history:", "история:"))
    raise OptionError("history" if is_history else "unknown", word)


def _joined(one: Options, other: Options) -> Options:
    said = {name: value for name in ("fast", "may_join", "history") if (value := getattr(other, name)) is not None}
    return replace(one, **said)
