"""What goes to a target: a chat that is reached by an Apprise URL or a signed webhook. Pure."""

from dataclasses import dataclass
from datetime import datetime

from bot.models import StoredPost
from bot.models.outgoing import Outgoing

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that is taken for another
_LENGTH = 10  # 50 bits: of a million messages two share an id with a chance of 1 : 2,000


def short_id(random_id: int) -> str:
    """Return the short id of a message, made from its `random_id`: a repetition or a restored backup keeps it."""
    number = random_id & (1 << 5 * _LENGTH) - 1
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMessage:
    """A message for a target; it may come twice under one id."""

    id: str  # the same whenever it is sent again
    about: str | None = None  # the id of the message that it speaks of
    kind: str = "alert"  # what it is: alert, group, change or notice
    created_at: datetime
    outgoing: Outgoing  # its buttons are links
    topics: tuple[str, ...] = ()  # names, of an alert
    post: StoredPost | None = None  # of an alert or a change
