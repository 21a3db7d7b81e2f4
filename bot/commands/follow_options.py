"""Reads what is typed after /follow: names, the options on the lines with them, their channel groups. Pure."""

import re
from dataclasses import dataclass, replace
from functools import reduce

from bot.commands.context import CommandError
from bot.commands.enlistment import NOTHING, Enlistment, take_enlistment
from bot.locales import Translator
from bot.locales.locale import show_number
from bot.store.channels import NO_OPTIONS, Options

SHOWN_WORD = 60  # characters of a word that is not understood
MOST_HISTORY = 100_000  # posts
_OPTION_WORDS = {
    **dict.fromkeys(("fast", "быстро", "швидко"), Options(fast=True)),
    **dict.fromkeys(("slow", "медленно", "повільно"), Options(fast=False)),
    **dict.fromkeys(("join:no", "вступать:нет", "вступати:ні"), Options(may_join=False)),
    **dict.fromkeys(("join:yes", "вступать:да", "вступати:так"), Options(may_join=True)),
    **dict.fromkeys(("ocr", "картинки"), Options(ocr=True)),
    **dict.fromkeys(("ocr:no", "ocr:нет", "ocr:ні", "картинки:нет", "картинки:ні"), Options(ocr=False)),
    **dict.fromkeys(("witness", "сверка", "звірка"), Options(witness=True)),
    **dict.fromkeys(("witness:no", "сверка:нет", "звірка:ні"), Options(witness=False)),
    **dict.fromkeys(("private", "приватно"), Options(private=True)),
    **dict.fromkeys(("comments", "комментарии", "коментарі"), Options(comments=True)),
    **dict.fromkeys(
        ("comments:no", "nocomments", "комментарии:нет", "безкомментариев", "коментарі:ні", "безкоментарів"),
        Options(comments=False),
    ),
}
_HISTORY = re.compile(r"(?:history|история|історія):(\d{1,9})")
_UNMISTAKABLE = re.compile(r"(?:join|history|вступать|вступати|история|історія):\S", re.IGNORECASE)
_OPTION = re.compile(r"(?:join|history|вступать|вступати|история|історія):\S*|(?!tg:)[^\W\d]+:\w+", re.IGNORECASE)
_GAP = re.compile(r"(?<!\S)((?:join|history|вступать|вступати|история|історія):)[^\S\n]+(?=\w)", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=[yYяЯ]:)\d{1,3}(?:[^\S\n]\d{3})+(?![^\s.,;])")
_NAMED = re.compile(r"\W*(?:@|https?://|\+|t(?:elegram)?\.me/)", re.IGNORECASE)
_TRAILING = ".,;"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowList:
    """A part of a pasted list whose channels are followed with the same options."""

    names: str  # a pasted list
    options: Options
    enlistment: Enlistment = NOTHING


def read_options(typed: str, t: Translator) -> tuple[FollowList, ...]:
    """Take the options off a list; those on a line with names hold for them, those on lines of their own for all.

    There is one part at least, and one for all names that are to be followed in the same way. Raises CommandError.
    """
    in_one_word = _THOUSANDS.sub(lambda found: re.sub(r"\D", "", found[0]), _GAP.sub(r"\1", typed))  # history: 5 000
    taken = [take_enlistment(line) for line in in_one_word.splitlines()]
    lines = [replace(_read_line(line, t), enlistment=enlistment) for line, enlistment in taken]
    lines = _spread(lines)
    alone = [line for line in lines if not line.names]
    everywhere = reduce(Options.with_, (line.options for line in alone), NO_OPTIONS)
    joins = reduce(Enlistment.with_, (line.enlistment for line in alone), NOTHING)
    parts: dict[tuple[Options, Enlistment], list[str]] = {}
    for line in lines:
        if line.names:
            how = everywhere.with_(line.options), joins.with_(line.enlistment)
            parts.setdefault(how, []).append(line.names)
    lists = tuple(
        FollowList(names="\n".join(names), options=options, enlistment=enlistment)
        for (options, enlistment), names in parts.items()
    )
    return lists or (FollowList(names="", options=everywhere, enlistment=joins),)


def _spread(lines: list[FollowList]) -> list[FollowList]:
    """Let the groups of a pasted list hold for all of it where they stand at its beginning or end, and nowhere else."""
    enlisted = [number for number, line in enumerate(lines) if line.enlistment != NOTHING]
    if enlisted not in ([0], [len(lines) - 1]):
        return lines
    return [replace(line, enlistment=lines[enlisted[0]].enlistment) for line in lines]


def _read_line(line: str, t: Translator) -> FollowList:
    """Take the options off the two ends of a line; in between, a word is a title or a comment. Raises CommandError."""
    options, rest = NO_OPTIONS, line.strip()
    while rest and (option := _read_option(rest.split(None, 1)[0], t)) is not None:
        options, rest = options.with_(option), "".join(rest.split(None, 1)[1:])
    while rest and (option := _read_option(rest.rsplit(None, 1)[-1].rstrip(_TRAILING), t)) is not None:
        options, rest = options.with_(option), "".join(rest.rsplit(None, 1)[:-1])
    words = rest.split()
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        is_between = _NAMED.match(before) and _NAMED.match(after) and word.rstrip(_TRAILING).casefold() in _OPTION_WORDS
        if is_between or _UNMISTAKABLE.match(word):  # it is not clear for whom it is
            line = t.gettext(
                "«{value}» is in the middle of a line. Write it at the end, for the names of its line; on a line "
                "of its own, for the whole list."
            )
            raise CommandError(line, value=word[:SHOWN_WORD])
    return FollowList(names=rest, options=options)


def _read_option(word: str, t: Translator) -> Options | None:
    known = _OPTION_WORDS.get(word.casefold())
    if known is not None or not _OPTION.fullmatch(word):
        return known
    posts = _HISTORY.fullmatch(word.casefold())
    if posts and 0 < int(posts[1]) <= MOST_HISTORY:
        return Options(history=int(posts[1]))
    line = t.gettext(
        "«{value}» is not an option. The options are fast, slow, join:no, join:yes, comments, ocr, witness, private "
        "and history:5000."
    )
    if word.casefold().startswith(("history:", "история:", "історія:")):
        line = t.gettext(
            "«{value}»: write how many older posts I should read, at most {most}, for example history:5000."
        )
    raise CommandError(line, value=word[:SHOWN_WORD], most=show_number(MOST_HISTORY, t))
