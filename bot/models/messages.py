"""Messages of the outbox, as they enter it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.models.alerts import AlertChange


class MessageKind(StrEnum):
    """What a message says."""

    ALERT = "alert"  # a post
    GROUP = "group"  # the posts of a digest or a storm, or how many posts came late
    CHANGE = "change"  # what has become of an alert; a reply to its message
    FILES = "files"  # the files of an alert's post; likewise
    NOTICE = "notice"  # something about ourselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message about to enter the outbox."""

    chat_id: int
    chat_key: bytes
    kind: MessageKind
    subject: str  # with chat and kind it is the identity of the message
    alert_id: int | None = None  # that it shows or answers
    group_id: int | None = None
    version_id: int | None = None  # of a change: the version that it reports
    change: AlertChange | None = None
    notice: str | None = None  # the name of a notice
    body: Mapping[str, object] | None = None  # the notice
    reply_to: int | None = None  # the row of the message that it answers
    thread_id: int | None = None  # the forum thread; None: of an alert none, else of what it answers, or the chat's
    silent: bool = False
