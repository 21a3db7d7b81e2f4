"""The names by which people mean channels: @name, link, id or title, as each phone writes them. Pure."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from bot.text.references import any_reference

_NO_QUOTES = str.maketrans("", "", "\"«»“”„‟'‘’")
_WORD = re.compile(r"\w+")


class _Titled(Protocol):
    """Whatever has the names of a channel."""

    @property
    def id(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def username(self) -> str | None: ...
    @property
    def address(self) -> str | None: ...


_Known = TypeVar("_Known", bound=_Titled)


class ChannelNames(Generic[_Known]):
    """The names by which people mean channels, of which the first of a name comes before the others."""

    def __init__(self, known: Sequence[_Known], references: Mapping[str, int]) -> None:
        self._references = references  # that were followed: ids of channels
        self._named: dict[str, _Known] = {}  # by @name, and by id
        self._titled: dict[str, _Known] = {}
        for channel in known:
            self._named.setdefault(f"@{(channel.username or '').lower()}", channel)
            self._named.setdefault(str(channel.id), channel)
            self._titled.setdefault(spelt(channel.title), channel)
            if channel.address is not None:
                self._named.setdefault(channel.address, channel)
                self._titled.setdefault(urlsplit(channel.address).hostname or "", channel)
        self._known = tuple(known)

    def find(self, text: str) -> _Known | None:
        """Return the channel that goes by @name, link, id or title."""
        reference, title = any_reference(text) or "", spelt(text)
        invited = str(self._references.get(reference))
        return self._named.get(reference) or self._named.get(invited) or (self._titled.get(title) if title else None)

    def with_words(self, text: str) -> list[_Known]:
        """Return the channels whose titles have all words of a text, in any order; case and quotes are ignored.

        Where there is none, those with words that begin so. None for an @name.
        """
        wanted = set() if text.startswith("@") else _words(text)
        whole = [channel for channel, words in self._titles if wanted <= words] if wanted else []
        begun = (c for c, words in self._titles if all(any(word.startswith(each) for word in words) for each in wanted))
        return whole or (list(begun) if wanted else [])

    @cached_property
    def _titles(self) -> list[tuple[_Known, set[str]]]:
        return [(channel, _words(channel.title)) for channel in self._known]


def _words(title: str) -> set[str]:
    return set(_WORD.findall(spelt(title)))


def spelt(title: str) -> str:
    """Return a name without case and quotes, which each phone writes in its own way; SQLite folds ASCII only."""
    return " ".join(title.translate(_NO_QUOTES).casefold().replace("ё", "е").split())
