"""Files: the photos and documents of posts."""

from enum import StrEnum


class FileReason(StrEnum):
    """Why a file is not here, where Telegram did not refuse it; `bot.rendering.files` has the sentences."""

    TOO_LARGE = "too_large"
    OFF = "off"  # none are kept
    GONE = "gone"  # the post was, before its turn
    REPLACED = "replaced"  # likewise
    NO_ROOM = "no_room"  # on the disk: it is asked for again
    PRUNED = "pruned"  # it was kept, and removed since; the hash stays, as it does of …
    REDACTED = "redacted"  # … one whose version was removed for good
