"""An index of recent posts, for those that say the same as another: MinHash proposes, a comparison of words decides."""

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
MOST_FOUND = 32  # candidates for one post, the latest: a template may be in thousands
MOST_REFUSED = 4  # candidates, most alike first, that say something else until the rest is left alone
# Two numbers a band: of pairs that share a fifth of their shingles, three in five meet in one of them; of those that
# share a third, nearly all.
_HASHES, _BANDS, _SEED = 48, 24, 42
_COUNTED = 20  # bits


class _Entry:
    """A post in the index."""

    __slots__ = ("is_end", "number", "post", "signature", "tokens")

    def __init__(self, post: ComparedPost, number: int) -> None:
        wording = features(post.text)
        self.post = post
        self.number = number  # its date in seconds and a count: sorts by age
        self.signature = _signature(post.text)  # of its shingles
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

    def add(self, post: ComparedPost) -> None:
        """Add a post, or replace its text."""
        before = self._by_key.get(post.key)
        if before is not None:
            if before.post == post:
                return
            self._drop(before)
        self._count += 1
        number = int(post.date.timestamp()) << _COUNTED | self._count % (1 << _COUNTED)
        entry = self._by_key[post.key] = self._by_number[number] = _Entry(post, number)
        self._by_origin.setdefault(post.origin, []).append(post.key)
        heappush(self._oldest, number)
        if not features(post.text).is_short:
            self._index.insert(number, entry.signature)
        if len(self._by_key) > self._most:
            self._drop_oldest()

    def replace_text(self, key: PostKey, text: str) -> None:
        """Replace the text of a post, if it is there."""
        entry = self._by_key.get(key)
        if entry is not None:
            self.add(replace(entry.post, text=text))

    def rename(self, key: PostKey, post_key: str) -> None:
        """Give a post another key within its channel, if it is there."""
        entry = self._by_key.get(key)
        if entry is not None:
            self._drop(entry)
            self.add(replace(entry.post, post_key=post_key))

    def drop_before(self, moment: datetime) -> None:
        """Drop the posts older than a moment."""
        first = int(moment.timestamp()) << _COUNTED
        while self._oldest and self._oldest[0] < first:
            self._drop_oldest()

    def similar(self, post: ComparedPost) -> list[PostKey]:
        """Return the posts with the same origin, then those of other channels that say the same, most alike first."""
        same = [self._by_key[key] for key in self._by_origin.get(post.origin, ()) if key != post.key]
        near = sorted(entry.number for entry in same if abs(entry.post.date - post.date) <= self._within)
        return list(dict.fromkeys([*(self._by_number[number].post.key for number in near), *self._worded_alike(post)]))

    def _worded_alike(self, post: ComparedPost) -> Iterator[PostKey]:
        wording = features(post.text)
        if wording.is_short:
            return
        found = sorted(self._candidates(post), reverse=True)
        # what begins again in the same words after the latest end is news
        over_at = None if wording.is_end else _latest_end((entry for *_, entry in found), before=post.date)
        refused = 0
        for share, _, entry in found:
            is_over = over_at is not None and entry.post.date <= over_at
            is_alike = share >= least_share(abs(entry.post.date - post.date))
            if entry.is_end != wording.is_end or is_over or not is_alike:
                continue
            if _says_the_same(entry, post):
                yield entry.post.key
            elif (refused := refused + 1) == MOST_REFUSED:
                return

    def _candidates(self, post: ComparedPost) -> Iterator[tuple[float, int, _Entry]]:
        """Yield posts of other channels that may be alike, each after its estimated share and its negated number."""
        signature = _signature(post.text)
        for number in sorted(self._index.query(signature))[-MOST_FOUND:]:
            entry = self._by_number[number]
            share = signature.jaccard(entry.signature)
            if share < SHARE_SOON or entry.post.channel_id == post.channel_id:
                continue
            if abs(entry.post.date - post.date) <= self._within:
                yield share, -number, entry

    def _drop_oldest(self) -> None:
        entry = self._by_number.get(heappop(self._oldest))
        if entry is not None:
            self._drop(entry)

    def _drop(self, entry: _Entry) -> None:
        key, origin = entry.post.key, entry.post.origin
        del self._by_key[key], self._by_number[entry.number]
        self._index.remove(entry.number)
        self._by_origin[origin].remove(key)
        if not self._by_origin[origin]:
            del self._by_origin[origin]


def _latest_end(entries: Iterable[_Entry], *, before: datetime) -> datetime | None:
    return max((entry.post.date for entry in entries if entry.is_end and entry.post.date <= before), default=None)


def _says_the_same(entry: _Entry, post: ComparedPost) -> bool:
    """Tell whether two posts say the same; equal hashes spare reading the text again."""
    wording = features(post.text)
    if entry.tokens == wording.tokens_hash:
        return True
    after = post.date - entry.post.date
    pair = features(entry.post.text), wording
    return say_the_same(*(pair if after >= timedelta() else pair[::-1]), apart=abs(after))


@lru_cache(maxsize=2)
def _signature(text: str) -> RMinHash:
    signature = RMinHash(num_perm=_HASHES, seed=_SEED)
    signature.update(list(shingles(features(text).words)))
    return signature
