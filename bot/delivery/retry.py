"""What becomes of a message that Telegram, or a target, has refused. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import RefusalError, TargetError, Verdict

PATIENCE = 5  # attempts after which a message lets the ones behind it pass
LONGEST = 300.0  # s between two attempts
LONGEST_OFFLINE = 15.0  # s; a connection that comes back should not find us asleep
TARGET_PATIENCE = timedelta(hours=24)  # that a target may take nothing, until it is suspended

_HOPELESS = {Verdict.SUSPEND, Verdict.UNAUTHORISED, Verdict.CLOSED}  # for all that a chat is to get


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try it again."""

    at: datetime
    holds_chat: bool  # what waits behind it in the same chat waits too


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """It cannot be delivered."""

    suspend: bool  # nor can anything else to this chat


def decide(
    error: RefusalError, *, attempts: int, now: datetime, failing_since: datetime | None = None
) -> Retry | GiveUp:
    """Decide after a failed attempt, of which there were `attempts` before.

    Nothing that can heal is ever given up, but a target that has taken nothing for long, `failing_since` a moment.
    """
    if error.verdict is not Verdict.RETRY:
        return GiveUp(suspend=error.verdict in _HOPELESS)
    if failing_since is not None and now - failing_since > TARGET_PATIENCE:
        return GiveUp(suspend=True)
    waits_for_all = error.retry_after > 0 or not error.code
    is_telegram = not isinstance(error, TargetError)  # whose connection is one, and looks after itself
    longest = LONGEST_OFFLINE if is_telegram and not error.code else LONGEST
    delay = error.retry_after or backoff(attempts, longest=longest)
    return Retry(at=now + timedelta(seconds=delay), holds_chat=waits_for_all or attempts < PATIENCE)


def backoff(attempts: int, *, longest: float = LONGEST) -> float:
    """Give the seconds to wait after a failed attempt that had `attempts` before it: 1, 2, 4 … up to `longest`."""
    return min(2.0 ** min(attempts, 30), longest)
