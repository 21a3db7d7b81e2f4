"""Channels that were asked for together, and how each went."""

from dataclasses import dataclass
from enum import StrEnum


class FollowListState(StrEnum):
    """How a channel of a list went."""

    OPEN = "open"  # not looked at yet, or put off for a while
    FOLLOWED = "followed"
    ASKED = "asked"  # somebody else has to act first: its admins, or the owner of a group
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowListItem:
    """One channel of a list."""

    name: str  # its title where that is known, else as it was asked for
    state: FollowListState
    reason: str | None = None  # why it was refused or waits: Telegram's error string, or a word of ours
