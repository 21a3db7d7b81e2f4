"""Captures: the public pages of messages as they were at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

OTHER_SERVER = "the public pages are those of another server: see PAGES_URL"
NAMELESS = "its channel has no public name any more"


class CaptureState(StrEnum):
    """What became of a capture."""

    WANTED = "wanted"  # its page is to be asked for
    KEPT = "kept"  # what came is on our disk
    LEFT = "left"  # there is none


class CaptureCause(StrEnum):
    """Who wanted a capture."""

    CASE = "case"  # somebody saved the post
    ALERT = "alert"  # a chat wants it with its alerts
    EXPORT = "export"  # a bundle was made


class CaptureOutcome(StrEnum):
    """What a page shows, or why there is none."""

    SHOWN = "shown"  # the post
    OTHER = "other"  # a post of another channel, which has the name now
    REFUSED = "refused"  # no post; `detail` is the word for why
    STRANGE = "strange"  # something that this program cannot read; `detail` says why
    PRIVATE = "private"  # nobody but members sees the channel
    STORY = "story"  # stories have no such page
    WEBSITE = "website"  # nor have the posts of websites
    SILENT = "silent"  # no page came; `detail` says why
    PRUNED = "pruned"  # it was kept, and removed since; the hash stays
    REDACTED = "redacted"  # what the post said was removed for good
    TOO_MANY = "too_many"  # alerts at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The page of a message, or what became of asking for it."""

    id: int
    channel_id: int
    message_id: int
    number: int  # of the version that the message had when the page was wanted
    cause: CaptureCause
    state: CaptureState
    outcome: CaptureOutcome | None  # None: nobody knows yet
    detail: str | None  # in English
    at: datetime | None  # when it came, by our clock; as is all that follows only of one that is kept
    url: str | None
    status: int | None  # of HTTP
    headers: Mapping[str, str] | None  # their names in lower case
    sha256: bytes | None  # of the page, unpacked
