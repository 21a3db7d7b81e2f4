"""The time that a search may take; what it has found by then is a partial answer, which says where to go on."""

import math
from time import monotonic


class Deadline:
    """A moment by which an answer is wanted, some seconds from now."""

    def __init__(self, seconds: float = math.inf) -> None:
        self._begun = monotonic()
        self._seconds = seconds

    def share(self, count: int) -> "Deadline":
        """Return the deadline of one of `count` equal parts of the time that is left."""
        return Deadline((self._seconds - (monotonic() - self._begun)) / count)

    def is_over(self, part: float = 1.0) -> bool:
        """Tell whether the time, or this part of it, has passed."""
        return monotonic() - self._begun >= self._seconds * part
