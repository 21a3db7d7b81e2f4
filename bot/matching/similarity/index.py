"""An index of recent posts that finds those which say the same as another one, the likest first.

Which of 100,000 are worth comparing is found through MinHash; those are then compared word by word.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush

from rensa import RMinHash, RMinHashLSH

from bot.matching.similarity.compare import SHARE_SOON, least_share, say_the_same
from bot.matching.similarity.features import features, shingles
from bot.models import ComparedPost, PostKey

MOST = 100_000  # posts; each takes 3 KB
MOST_FOUND = 32  # posts that are looked at for one, the latest: a template may be in thousands
MOST_REFUSED = 4  # of these, the likest first, that turn out to say something else before the rest is left alone
# Two numbers a band: of pairs that share a fifth of their shingles, three in five meet in one of them; of those that
# share a third, nearly all.
_HASHES, _BANDS, _SEED = 48, 24, 42
_COUNTED = 20  # bits


class _Entry:
    """A post in the memory."""

    __slots__ = ("is_end", "number", "said", "signature", "tokens")

    def __init__(self, said: ComparedPost, number: int) -> None:
        wording = features(said.text)
        self.said = said
        self.number = number  # in the index: the second it was posted at, and a count
        self.signature = _signature(said.text)  # of its shingles
        self.is_end = wording.is_end
        self.tokens = wording.tokens_hash


class SimilarityIndex:
    """Holds posts. It may hold some that nobody was told of: who was is the store's to say."""

    def __init__(self, *, within: timedelta, most: int = MOST) -> None:
        self._within = within  # of each other were posts posted that are compared
        self._most = most
        self._index = RMinHashLSH(threshold=SHARE_SOON, num_perm=_HASHES, num_bands=_BANDS)
        self._kept: dict[PostKey, _Entry] = {}
        self._by_number: dict[int, _Entry] = {}
        self._by_origin: dict[tuple[int, int], list[PostKey]] = {}
        self._oldest: list[int] = []  # a heap of numbers; some of them are gone
        self._count = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: PostKey) -> bool:
        return key in self._kept

    @property
    def is_full(self) -> bool:
        """Whether the oldest post is dropped for another one."""
        return len(self._kept) == self._most

    def remember(self, said: ComparedPost) -> None:
        """Take in a post; what it said before is forgotten."""
        before = self._kept.get(said.key)
        if before is not None:
            if before.said == said:
                return
            self._drop(before)
        self._count += 1
        number = int(said.date.timestamp()) << _COUNTED | self._count % (1 << _COUNTED)
        kept = self._kept[said.key] = self._by_number[number] = _Entry(said, number)
        self._by_origin.setdefault(said.origin, []).append(said.key)
        heappush(self._oldest, number)
        if not features(said.text).is_short:
            self._index.insert(number, kept.signature)
        if len(self._kept) > self._most:
            self._drop_oldest()

    def reword(self, key: PostKey, text: str) -> None:
        """Follow a post that says something else now."""
        kept = self._kept.get(key)
        if kept is not None:
            self.remember(replace(kept.said, text=text))

    def forget(self, before: datetime) -> None:
        """Drop the posts that are older."""
        first = int(before.timestamp()) << _COUNTED
        while self._oldest and self._oldest[0] < first:
            self._drop_oldest()

    def alike(self, said: ComparedPost) -> list[PostKey]:
        """Return the posts of which a post is a forward, or that it forwards, or that say the same in other channels.

        The likest come first.
        """
        same = [self._kept[key] for key in self._by_origin.get(said.origin, ()) if key != said.key]
        near = sorted(kept.number for kept in same if abs(kept.said.date - said.date) <= self._within)
        return list(dict.fromkeys([*(self._by_number[number].said.key for number in near), *self._worded_alike(said)]))

    def _worded_alike(self, said: ComparedPost) -> Iterator[PostKey]:
        wording = features(said.text)
        if wording.is_short:
            return
        found = sorted(self._found(said), reverse=True)
        over_at = None if wording.is_end else _over_at((kept for *_, kept in found), before=said.date)
        likest = [
            kept
            for share, _, kept in found
            if kept.is_end == wording.is_end
            and (over_at is None or kept.said.date > over_at)
            and share >= least_share(abs(kept.said.date - said.date))
        ]
        refused = 0
        for kept in likest:
            if _says_the_same(kept, said):
                yield kept.said.key
            elif (refused := refused + 1) == MOST_REFUSED:
                return

    def _found(self, said: ComparedPost) -> Iterator[tuple[float, int, _Entry]]:
        """Yield the posts of other channels that may be alike, after about how much they are and their order of age."""
        signature = _signature(said.text)
        for number in sorted(self._index.query(signature))[-MOST_FOUND:]:
            kept = self._by_number[number]
            share = signature.jaccard(kept.signature)
            if share < SHARE_SOON or kept.said.channel_id == said.channel_id:
                continue
            if abs(kept.said.date - said.date) <= self._within:
                yield share, -number, kept

    def _drop_oldest(self) -> None:
        kept = self._by_number.get(heappop(self._oldest))
        if kept is not None:
            self._drop(kept)

    def _drop(self, kept: _Entry) -> None:
        key, origin = kept.said.key, kept.said.origin
        del self._kept[key], self._by_number[kept.number]
        self._index.remove(kept.number)
        self._by_origin[origin].remove(key)
        if not self._by_origin[origin]:
            del self._by_origin[origin]


def _says_the_same(kept: _Entry, said: ComparedPost) -> bool:
    """Tell whether two posts say the same; the earlier text is read only where that is not plain without."""
    wording = features(said.text)
    if kept.tokens == wording.tokens_hash:
        return True
    after = said.date - kept.said.date
    pair = features(kept.said.text), wording
    return say_the_same(*(pair if after >= timedelta() else pair[::-1]), apart=abs(after))


def _over_at(posts: Iterable[_Entry], *, before: datetime) -> datetime | None:
    """Return when the latest of these told that it was over: what begins again in the same words is news."""
    return max((each.said.date for each in posts if each.said.date <= before and each.is_end), default=None)


@lru_cache(maxsize=2)
def _signature(text: str) -> RMinHash:
    signature = RMinHash(num_perm=_HASHES, seed=_SEED)
    signature.update(list(shingles(features(text).words)))
    return signature
