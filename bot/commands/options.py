"""What stands around a pasted list of channels comes in; how to follow them goes out, or what is wrong. Pure."""

import re
from dataclasses import dataclass, replace

from bot.locales import N_
from bot.store.channels import Options

MOST_HISTORY = 100_000  # posts
_WORDS = {
    "fast": Options(fast=True),
    "быстро": Options(fast=True),
    "slow": Options(fast=False),
    "медленно": Options(fast=False),
    "join:no": Options(may_join=False),
    "join:yes": Options(may_join=True),
}
_HISTORY = re.compile(r"history:(\d{1,9})")
_OPTION = re.compile(r"(?:join|history):\S*|(?!tg:)[^\W\d]+:\w+", re.IGNORECASE)

MESSAGES = {
    "unknown": N_("«{value}» is no option. There are fast, slow, join:no, join:yes and history:5000."),
    "history": N_("«{value}»: write how many posts of the past I shall read, {most} at most, such as history:5000."),
    "fast": N_("{most} channels can be fast at most; with these there would be {n}. {example} makes room."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Channels, and how to follow them."""

    names: str  # the rest: a pasted list
    options: Options


class OptionError(Exception):
    """What is wrong with an option: `code` is a key of `MESSAGES`."""

    def __init__(self, code: str, value: str) -> None:
        super().__init__(code, value)
        self.code = code
        self.value = value


def read_options(typed: str) -> Asked:
    """Take the options off the two ends of a list; in between, a word is a title or a comment. Raises OptionError."""
    options, rest = Options(), typed.strip()
    while rest and (option := _read(rest.split(None, 1)[0])) is not None:
        options, rest = _joined(options, option), "".join(rest.split(None, 1)[1:])
    while rest and (option := _read(rest.rsplit(None, 1)[-1])) is not None:
        options, rest = _joined(options, option), "".join(rest.rsplit(None, 1)[:-1])
    return Asked(names=rest, options=options)


def _read(word: str) -> Options | None:
    known = _WORDS.get(word.casefold())
    if known is not None or not _OPTION.fullmatch(word):
        return known
    found = _HISTORY.fullmatch(word.casefold())
    if found and 0 < int(found[1]) <= MOST_HISTORY:
        return Options(history=int(found[1]))
    raise OptionError("history" if word.casefold().startswith("history:") else "unknown", word)


def _joined(one: Options, other: Options) -> Options:
    said = {name: value for name in ("fast", "may_join", "history") if (value := getattr(other, name)) is not None}
    return replace(one, **said)
