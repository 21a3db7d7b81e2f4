"""How much each person may ask at once: a token bucket for each, in memory, so that a flood costs no write."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

_MOST_KEPT = 10_000  # buckets; those that were used the longest ago are forgotten, and begin full


class Admission(Enum):
    """Whether a request is answered."""

    GRANTED = auto()
    REFUSED = auto()  # for the first time since one was granted: this is said
    IGNORED = auto()


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime
    refused: bool = False


class Buckets:
    """Token buckets by key, each full at first."""

    def __init__(self, *, burst: int, each: timedelta) -> None:
        self._burst = burst  # requests at once
        self._each = each  # in which one more becomes possible
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def take(self, key: Hashable, now: datetime) -> Admission:
        """Take a token for a request."""
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_KEPT:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, (now - bucket.at) / self._each))
        bucket.at = max(bucket.at, now)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            bucket.refused = False
            return Admission.GRANTED
        was_refused, bucket.refused = bucket.refused, True
        return Admission.IGNORED if was_refused else Admission.REFUSED
