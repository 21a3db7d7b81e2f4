"""An index of recent posts, for those that say the same as another: MinHash proposes, a comparison of words decides."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush

from rensa import RMinHash, RMinHashLSH

from bot.matching.similarity.compare import SHARE_SOON, least_share, say_the_same
from bot.matching.similarity.features import features, shingles
from bot.models import PostKey, Said

MOST = 100_000  # posts; each takes 3 KB
MOST_FOUND = 32  # candidates for one post, the latest: a template may be in thousands
MOST_REFUSED = 4  # candidates, most alike first, that say something else until the rest is left alone
# Two numbers a band: of pairs that share a fifth of their shingles, three in five meet in one of them; of those that
# share a third, nearly all.
_HASHES, _BANDS, _SEED = 48, 24, 42
_COUNTED = 20  # bits


class _Entry:
    """A post in the index."""

    __slots__ = ("is_end", "number", "said", "signature", "tokens")

    def __init__(self, said: Said, number: int) -> None:
        wording = features(said.text)
        self.said = said
        self.number = number  # its date in seconds and a count: sorts by age
        self.signature = _signature(said.text)  # of its shingles
        self.is_end = wording.is_end
        self.tokens = wording.tokens_hash


class SimilarityIndex:
    """Recent posts by what they say. Whether a post became an alert anywhere, only the store knows."""

    def __init__(self, *, within: timedelta, most: int = MOST) -> None:
        self._within = within  # of each other posts are compared
        self._most = most
        self._index = RMinHashLSH(threshold=SHARE_SOON, num_perm=_HASHES, num_bands=_BANDS)
        self._by_key: dict[PostKey, _Entry] = {}
        self._by_number: dict[int, _Entry] = {}
        self._by_origin: dict[tuple[int, int], list[PostKey]] = {}
        self._oldest: list[int] = []  # a heap of numbers, some of posts that are gone
        self._count = 0

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: PostKey) -> bool:
        return key in self._by_key

    @property
    def is_full(self) -> bool:
        """Whether the next post replaces the oldest one."""
        return len(self._by_key) == self._most

    def remember(self, said: Said) -> None:
        """Add a post, or replace its text."""
        before = self._by_key.get(said.key)
        if before is not None:
            if before.said == said:
                return
            self._drop(before)
        self._count += 1
        number = int(said.date.timestamp()) << _COUNTED | self._count % (1 << _COUNTED)
        entry = self._by_key[said.key] = self._by_number[number] = _Entry(said, number)
        self._by_origin.setdefault(said.origin, []).append(said.key)
        heappush(self._oldest, number)
        if not features(said.text).is_short:
            self._index.insert(number, entry.signature)
        if len(self._by_key) > self._most:
            self._drop_oldest()

    def reword(self, key: PostKey, text: str) -> None:
        """Replace the text of a post, if it is there."""
        entry = self._by_key.get(key)
        if entry is not None:
            self.remember(replace(entry.said, text=text))

    def forget(self, before: datetime) -> None:
        """Drop the posts older than a moment."""
        first = int(before.timestamp()) << _COUNTED
        while self._oldest and self._oldest[0] < first:
            self._drop_oldest()

    def alike(self, said: Said) -> list[PostKey]:
        """Return the posts with the same origin, then those of other channels that say the same, most alike first."""
        same = [self._by_key[key] for key in self._by_origin.get(said.origin, ()) if key != said.key]
        near = sorted(entry.number for entry in same if abs(entry.said.date - said.date) <= self._within)
        return list(dict.fromkeys([*(self._by_number[number].said.key for number in near), *self._similar(said)]))

    def _similar(self, said: Said) -> Iterator[PostKey]:
        wording = features(said.text)
        if wording.is_short:
            return
        found = sorted(self._candidates(said), reverse=True)
        ends = [entry.said.date for *_, entry in found if entry.is_end and entry.said.date <= said.date]
        # what begins again in the same words after the latest end is news
        over_at = None if wording.is_end else max(ends, default=None)
        likely = [
            entry
            for share, _, entry in found
            if entry.is_end == wording.is_end
            and (over_at is None or entry.said.date > over_at)
            and share >= least_share(abs(entry.said.date - said.date))
        ]
        refused = 0
        for entry in likely:
            if _says_the_same(entry, said):
                yield entry.said.key
            elif (refused := refused + 1) == MOST_REFUSED:
                return

    def _candidates(self, said: Said) -> Iterator[tuple[float, int, _Entry]]:
        """Yield posts of other channels that may be alike, each after its estimated share and its negated number."""
        signature = _signature(said.text)
        for number in sorted(self._index.query(signature))[-MOST_FOUND:]:
            entry = self._by_number[number]
            share = signature.jaccard(entry.signature)
            if share < SHARE_SOON or entry.said.channel_id == said.channel_id:
                continue
            if abs(entry.said.date - said.date) <= self._within:
                yield share, -number, entry

    def _drop_oldest(self) -> None:
        entry = self._by_number.get(heappop(self._oldest))
        if entry is not None:
            self._drop(entry)

    def _drop(self, entry: _Entry) -> None:
        key, origin = entry.said.key, entry.said.origin
        del self._by_key[key], self._by_number[entry.number]
        self._index.remove(entry.number)
        self._by_origin[origin].remove(key)
        if not self._by_origin[origin]:
            del self._by_origin[origin]


def _says_the_same(entry: _Entry, said: Said) -> bool:
    """Tell whether two posts say the same; equal hashes spare reading the text again."""
    wording = features(said.text)
    if entry.tokens == wording.tokens_hash:
        return True
    after = said.date - entry.said.date
    pair = features(entry.said.text), wording
    return say_the_same(*(pair if after >= timedelta() else pair[::-1]), apart=abs(after))


@lru_cache(maxsize=2)
def _signature(text: str) -> RMinHash:
    signature = RMinHash(num_perm=_HASHES, seed=_SEED)
    signature.update(list(shingles(features(text).words)))
    return signature
