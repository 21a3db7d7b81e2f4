"""How often Python looks for cycles among its objects."""

import gc

# Objects made before it looks, and how often it looks at older ones. Posts, alerts and modules make many objects and
# no cycles: by Python's own figures, looking for them took a sixth of the time of a fan-out, and a tenth of a start.
_THRESHOLDS = (20_000, 50, 100)


def collect_seldom() -> None:
    """Let this process look for cycles a hundred times less often than Python would."""
    gc.set_threshold(*_THRESHOLDS)
