"""Which posts stand on a page: twenty messages, of which an album's items are one block."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from bot.sandbox.world.messages import Message

SIZE = 20  # messages on a page
_BESIDE = SIZE // 2  # on each side of the post that a page is asked around


class Page(NamedTuple):
    """The posts of a page, and where its links lead; None is no link, and nothing a link without a value."""

    albums: list[list[Message]]  # oldest first; most are one post
    older: int | str | None
    newer: int | str | None
    own: tuple[str, int]  # the parameter by which the page names itself, and its value


def select(messages: Sequence[Message], query: Mapping[str, str], around: int | None = None) -> Page:
    """Return the page that a query asks for; of a cursor that is no positive number, the newest."""
    ids = [message.id for message in messages]
    before, after = _cursor(query.get("before")), _cursor(query.get("after"))
    own = None
    start, end = len(ids) - SIZE, len(ids)
    if around is not None:
        start, end = bisect_left(ids, around) - _BESIDE, bisect_right(ids, around) + _BESIDE
    elif before is not None:
        end, own = bisect_left(ids, before), ("before", before)
        start = end - SIZE
    elif after is not None:
        start, own = bisect_right(ids, after), ("after", after)
        end = start + SIZE
    start, end = _whole(messages, max(0, start), min(len(ids), end))
    if start >= end:
        nothing = "" if own else None
        return Page([], nothing, nothing, own or ("before", 1))
    older, newer = (ids[start] if start else None), (ids[end - 1] if end < len(ids) else None)
    albums = [list(album) for _, album in groupby(messages[start:end], key=lambda each: each.grouped or -each.id)]
    return Page(albums, older, newer, own or ("before", ids[end - 1] + 1))


def _whole(messages: Sequence[Message], start: int, end: int) -> tuple[int, int]:
    """Return the edges of a page so that they cut through no album."""
    while 0 < start < end and _same(messages[start - 1], messages[start]):
        start -= 1
    while start < end < len(messages) and _same(messages[end - 1], messages[end]):
        end += 1
    return start, end


def _same(one: Message, other: Message) -> bool:
    return one.grouped is not None and one.grouped == other.grouped


def _cursor(value: str | None) -> int | None:
    """Return the id of a cursor; None for 0, negative numbers and words, which Telegram takes for none at all."""
    return int(value) if value is not None and value.isdecimal() and int(value) > 0 else None
