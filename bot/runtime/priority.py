"""The priority of a process that works for minutes beside the service."""

import os
from contextlib import suppress

NICE = 10  # of Unix: a tenth of the processor where the service needs all of it; with 19 searches would starve


def give_way() -> None:
    """Leave the processor to the service where it needs it, on a system that knows priorities."""
    with suppress(OSError, AttributeError):
        os.nice(NICE)
