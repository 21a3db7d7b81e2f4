"""The priority of a process that works for minutes beside the service."""

import atexit
import os
import re
from contextlib import suppress
from pathlib import Path

NICE = 10  # of Unix: a tenth of the processor where the service needs all of it; with 19 searches would starve
LEAST = 19  # for work that nobody waits for
_SESSION = Path("/proc/self/autogroup")


def give_way(nice: int = NICE) -> None:
    """Leave the processor to the service where it needs it, on a system that knows priorities."""
    with suppress(OSError, AttributeError):
        os.nice(nice)


def give_way_from_outside() -> None:
    """Do the same in another session than the service's, such as a terminal's, until this process ends.

    Linux may share the processor among sessions first, and by `nice` only within each (sched(7), «autogroup»): two
    exports in a terminal made a thread of the service wait for 4 ms now and then as if they had no priority.
    """
    give_way(LEAST)
    with suppress(OSError):
        found = re.search(r"nice (-?\d+)", _SESSION.read_text("ascii"))
        if found is not None and int(found[1]) < LEAST:
            _SESSION.write_text(str(LEAST), "ascii")
            atexit.register(_put_back, found[1])


def _put_back(nice: str) -> None:
    with suppress(OSError):
        _SESSION.write_text(nice, "ascii")
