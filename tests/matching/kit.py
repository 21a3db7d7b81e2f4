"""Compiled queries, matched pieces, and strategies for queries and texts."""

import re
from functools import cache
from typing import Final

from hypothesis import strategies as st

from bot.matching.engine.compiled import Compiled, compile_query, verify
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import analyse

INFLECTOR: Final = Inflector()

_WORDS = [
    "сбой",
    "сбои",
    "сети",
    "не",
    "работает",
    "банк",
    "в",
    "Сбой",
    "ПО",
    "по",
    "outage",
    "down",
    "is",
    "cбoй",
    "сбо́й",
    "м’яч",
]
_GLUE = [
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    "-",
    "_",
    ". ",
    ", ",
    ". В банке не работает. ",
    "#",
    "@",
    " https://x.ru/сбой ",
    "\u200b",
    "\u00ad",
    "😀",
    "🏳️‍🌈 ",
    "И\u0306",
]
_SIGNS = [
    " ",
    " ",
    "|",
    ", ",
    "\n",
    " -",
    " ~3 ",
    " /5 ",
    "(",
    ")",
    '"',
    "«",
    "»",
    "*",
    "=",
    "#",
    "@",
    " И ",
    " НЕ ",
    "—",
    "~2",
    "head:",
    " sentence:(",
]
_REGEXES = [" re:/сб[оo]+й/ ", r" re:/\bпо\b/ ", r" re:/\d+ \w+/ "]

# Whole posts and typed queries built from pieces that matter, with any character thrown in.
posts = st.lists(st.sampled_from(_WORDS + _GLUE) | st.characters(), max_size=25).map("".join)
typed = st.lists(st.sampled_from(_WORDS + _SIGNS + _REGEXES) | st.characters(), max_size=12).map("".join)


def _valid(source: str) -> bool:
    try:
        parse(source)
    except QueryError:
        return False
    return True


queries = st.lists(st.sampled_from(_WORDS + _SIGNS + _REGEXES), min_size=1, max_size=9).map("".join).filter(_valid)


@cache
def compiled(source: str) -> Compiled:
    return compile_query(parse(source), INFLECTOR)


def found(source: str, text: str) -> list[str] | None:
    """Return the highlighted pieces of a text; None where the query does not match."""
    spans = verify(compiled(source), analyse(text))
    return None if spans is None else [text[start:end] for start, end in spans]


def slug(value: object) -> str:
    """Return a test id that reads well in a terminal."""
    return re.sub(r"\s+", "_", str(value))[:40] or "empty"
