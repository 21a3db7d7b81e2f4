"""Units of time as people type them after a number, in English and Russian."""

from collections.abc import Mapping
from datetime import timedelta

DAY = timedelta(days=1)
MONTH = 30 * DAY
UNITS: Mapping[str, timedelta] = {  # by how they begin; «m» is a minute to some and a month to others
    **dict.fromkeys(("h", "ч"), timedelta(hours=1)),
    **dict.fromkeys(("d", "д"), DAY),
    **dict.fromkeys(("w", "н"), 7 * DAY),
    **dict.fromkeys(("mo", "мес"), MONTH),
    **dict.fromkeys(("y", "г"), 365 * DAY),
}
