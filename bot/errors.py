"""What can go wrong, as errors that carry their verdict: raised anywhere, read by whoever decides what happens next."""

from enum import StrEnum


class ChannelwatchError(Exception):
    """One clear line for a person: what is wrong and what to do. The command line prints it and exits with 1."""


class SettingsError(ChannelwatchError):
    """A setting is missing or wrong; the sentence names it and says where to get it. The command line exits with 2."""


class FatalError(ChannelwatchError):
    """Something that cannot heal by itself: a revoked session, an unwritable database. It stops the process."""


class ReaderLostError(ChannelwatchError):
    """A reader account cannot read any more: logged out, blocked, frozen; `reason` is Telegram's error string."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Telegram answered {reason}: the reader account is logged out, blocked or frozen.")
        self.reason = reason


class Verdict(StrEnum):
    """What a refusal by Telegram means for the request that met it."""

    DONE = "done"  # the effect already stands: a repeated random_id, an edit that changes nothing
    RETRY = "retry"  # it can heal: a flood wait, a server error, a lost connection
    SHORTEN = "shorten"  # it is too long: shorter it may pass
    PLAIN = "plain"  # its formatting is refused: without it may pass
    BARE = "bare"  # its buttons are refused: with shorter texts, or without them, it may pass
    CLOSED = "closed"  # the thread of a forum takes nothing more; the chat may
    DROP = "drop"  # this request can never succeed; others to the same chat can
    SUSPEND = "suspend"  # the chat refuses everything: blocked, kicked, deactivated
    FATAL = "fatal"  # our own account or session is gone
    UNAUTHORISED = "unauthorised"  # the channel does not let us in: private, banned, deleted


class RefusalError(ChannelwatchError):
    """Whoever was to take a message refused: an error string, a code, the verdict, the seconds until a retry.

    The code is 0 where no answer came.
    """

    who = "The receiver"

    def __init__(self, error: str, *, code: int, verdict: Verdict, retry_after: float = 0.0) -> None:
        super().__init__(f"{self.who} answered {error}")
        self.error = error
        self.code = code
        self.verdict = verdict
        self.retry_after = retry_after


class TelegramError(RefusalError):
    """Telegram refused: its error string is such as `FLOOD_WAIT_17`."""

    who = "Telegram"


class TargetError(RefusalError):
    """A target refused, or was not reached: the string is `HTTP_503`, `TIMEOUT`, … and never holds any of its URL."""

    who = "The target"


class UnreadableError(TelegramError):
    """Telegram answered in terms of a newer layer than this program's; `constructor` is the first that it has not.

    `message_id` is that of the one message which the answer is about, where both are known.
    """

    def __init__(self, constructor: int | None, message_id: int | None = None) -> None:
        super().__init__("what this version cannot read", code=0, verdict=Verdict.RETRY)
        self.constructor = constructor
        self.message_id = message_id


def install_line(extra: str) -> str:
    """Say how an extra of the package is installed."""
    return (
        f"Install it with `make setup`, in Docker with `docker compose build --build-arg {extra.upper()}=1`, "
        f"or elsewhere with `pip install 'channelwatch[{extra}]'`."
    )
