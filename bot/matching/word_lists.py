"""Word lists: alternatives written once and named in queries as `$name`."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

NAME = re.compile(r"[^\W\d]\w*")
_USE = re.compile(r"\$(\w+)")
_DEEPEST = 5  # lists within lists


class UnknownListError(Exception):
    """A query names a list that is not there, or one that is made of itself."""

    def __init__(self, name: str, offset: int) -> None:
        super().__init__(name)
        self.name = name
        self.offset = offset  # of the `$`, from 0


@dataclass(frozen=True, slots=True)
class Expanded:
    """A query with the lists in place of their names."""

    text: str
    _pieces: tuple[tuple[int, int, bool], ...]  # where each begins here and as typed, and whether it is a list

    def typed_offset(self, offset: int) -> int:
        """Return the place as typed of a character; for one inside a list, that of its name."""
        start, typed, is_list = self._pieces[bisect_right(self._pieces, (offset, len(self.text) + 1, True)) - 1]
        return typed if is_list else typed + offset - start


def expand(query: str, lists: Mapping[str, str], depth: int = 0) -> Expanded:
    """Put lists, in brackets, in place of their names; raises UnknownListError."""
    text, end = "", 0
    pieces: list[tuple[int, int, bool]] = []
    for use in _USE.finditer(query):
        if use[1] not in lists or depth == _DEEPEST:
            raise UnknownListError(use[1], use.start())
        pieces += [(len(text), end, False), (len(text) + use.start() - end, use.start(), True)]
        try:
            inside = expand(lists[use[1]], lists, depth + 1).text
        except UnknownListError as error:
            raise UnknownListError(error.name, use.start()) from None
        text += f"{query[end : use.start()]}({inside})"
        end = use.end()
    return Expanded(text + query[end:], (*pieces, (len(text), end, False)))
