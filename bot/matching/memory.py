"""The posts that chats were told of lately: a post comes in, those that say the same go out, the likest first.

Which of 100,000 are worth comparing is found through MinHash; those are then compared word by word.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush

from rensa import RMinHash, RMinHashLSH

from bot.matching.likeness import SHARE, read
from bot.matching.other_news import is_other_news
from bot.models import PostKey, Said

MOST = 100_000  # posts; each takes 4 KB
MOST_NAMED = 8  # posts whose names are compared with one, the likest: a template may be in hundreds
# Three numbers a band: pairs at the threshold meet in one of them five times in six, those well above it always.
_HASHES, _BANDS, _SEED = 126, 42, 42


class _Kept:
    """A post in the memory."""

    def __init__(self, said: Said, number: int, hashes: Iterable[int]) -> None:
        self.said = said
        self.number = number  # in the index
        self._hashes = array("q", hashes)  # of its runs of words; an array takes a tenth of what a set does

    def share(self, hashes: frozenset[int]) -> float:
        lengths = len(hashes), len(self._hashes)
        if min(lengths) < SHARE * max(lengths):
            return 0.0  # it cannot be more than that
        both = len(hashes.intersection(self._hashes))
        return both / (len(hashes) + len(self._hashes) - both)


class Memory:
    """Holds posts. It may hold some that nobody was told of: who was is the store's to say."""

    def __init__(self, *, within: timedelta, most: int = MOST) -> None:
        self._within = within  # of each other were posts posted that are compared
        self._most = most
        self._index = RMinHashLSH(threshold=SHARE, num_perm=_HASHES, num_bands=_BANDS)
        self._kept: dict[PostKey, _Kept] = {}
        self._keys: dict[int, PostKey] = {}  # by number
        self._by_origin: dict[tuple[int, int], set[PostKey]] = {}
        self._oldest: list[tuple[datetime, int]] = []  # a heap of dates and numbers; some of them are gone
        self._number = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: PostKey) -> bool:
        return key in self._kept

    @property
    def is_full(self) -> bool:
        """Whether the oldest post is dropped for another one."""
        return len(self._kept) == self._most

    def remember(self, said: Said) -> None:
        """Take in a post; what it said before is forgotten."""
        before = self._kept.get(said.key)
        if before is not None:
            if before.said == said:
                return
            self._drop(before)
        self._number += 1
        wording = read(said.text)
        kept = self._kept[said.key] = _Kept(said, self._number, wording.hashes)
        self._keys[kept.number] = said.key
        self._by_origin.setdefault(said.origin, set()).add(said.key)
        heappush(self._oldest, (said.date, kept.number))
        if not wording.is_short:
            self._index.insert(kept.number, _signature(said.text))
        if len(self._kept) > self._most:
            self._drop_oldest()

    def reword(self, key: PostKey, text: str) -> None:
        """Follow a post that says something else now."""
        kept = self._kept.get(key)
        if kept is not None:
            self.remember(replace(kept.said, text=text))

    def forget(self, before: datetime) -> None:
        """Drop the posts that are older."""
        while self._oldest and self._oldest[0][0] < before:
            self._drop_oldest()

    def alike(self, said: Said) -> list[PostKey]:
        """Return the posts of which a post is a forward, or that it forwards, or that say the same in other channels.

        The likest come first.
        """
        same = [key for key in self._by_origin.get(said.origin, ()) if self._is_near(key, said)]
        return list(dict.fromkeys([*sorted(same, key=self._dated), *self._worded_alike(said)]))

    def _worded_alike(self, said: Said) -> Iterator[PostKey]:
        wording = read(said.text)
        if wording.is_short:
            return
        found = (self._kept[self._keys[number]] for number in self._index.query(_signature(said.text)))
        shares = [
            (-share, kept.said.date, kept.number)
            for kept in found
            if kept.said.channel_id != said.channel_id
            and (share := kept.share(wording.hashes)) >= SHARE
            and self._is_near(kept.said.key, said)
        ]
        likest = [self._kept[self._keys[number]].said for *_, number in sorted(shares)[:MOST_NAMED]]
        over_at = _over_at(likest, before=said.date) if likest and not wording.is_end else None
        for earlier in likest:
            is_past = over_at is not None and earlier.date <= over_at
            if not is_past and not is_other_news(read(earlier.text), wording):
                yield earlier.key

    def _is_near(self, key: PostKey, said: Said) -> bool:
        return key != said.key and abs(self._kept[key].said.date - said.date) <= self._within

    def _dated(self, key: PostKey) -> tuple[datetime, int]:
        kept = self._kept[key]
        return kept.said.date, kept.number

    def _drop_oldest(self) -> None:
        _, number = heappop(self._oldest)
        key = self._keys.get(number)
        if key is not None:
            self._drop(self._kept[key])

    def _drop(self, kept: _Kept) -> None:
        key, origin = kept.said.key, kept.said.origin
        del self._kept[key], self._keys[kept.number]
        self._index.remove(kept.number)
        self._by_origin[origin].discard(key)
        if not self._by_origin[origin]:
            del self._by_origin[origin]


def _over_at(posts: Iterable[Said], *, before: datetime) -> datetime | None:
    """Return when the latest of these told that it was over: what begins again in the same words is news."""
    return max((each.date for each in posts if each.date <= before and read(each.text).is_end), default=None)


@lru_cache(maxsize=2)
def _signature(text: str) -> RMinHash:
    signature = RMinHash(num_perm=_HASHES, seed=_SEED)
    signature.update(list(read(text).runs))
    return signature
