"""From when on the archive is complete for some channels: what is counted or not found before that says nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.store import marks
from bot.store.channels import BEGINNING
from bot.store.database import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """From when on all posts of each channel are stored."""

    starts: Mapping[int, datetime]  # by channel id; `BEGINNING` where it is complete from its first post on
    ends: Mapping[int, datetime]  # of those that are not followed, when their last stored post was made
    extensible: frozenset[int]  # channels that can be read further back

    @property
    def since(self) -> datetime | None:
        """From when on all these channels are complete; None where there is none."""
        return max(self.starts.values(), default=None)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing before that: each is complete from its first post on."""
        return self.since == BEGINNING

    def reaches(self, moment: datetime) -> bool:
        """Tell whether all channels are complete from a moment on."""
        return self.since is not None and self.since <= moment

    def short_of(self, moment: datetime) -> list[int]:
        """Return the channels that can be read back to a moment and are not so far, those that lack most first."""
        lacking = [channel_id for channel_id in self.extensible if self.starts[channel_id] > moment]
        return sorted(lacking, key=lambda channel_id: (-self.starts[channel_id].timestamp(), channel_id))


async def coverage_of(
    db: Reader, channel_ids: Collection[int] | None, *, now: datetime, hidden: Collection[int] = ()
) -> Coverage:
    """Return from when on channels are complete; without `channel_ids` those that are followed, or else all stored.

    Of a channel that was never followed, or not read yet, the oldest stored post is taken for the first one that is
    known; with no post it begins `now`. `hidden` channels, which are restricted to others, are left out.
    """
    spans = [span for span in await marks.past_of(db, channel_ids) if span.id not in hidden]
    followed = [span for span in spans if span.is_followed]
    meant = spans if channel_ids is not None else followed or spans
    return Coverage(
        starts={span.id: span.complete_from or span.oldest or now for span in meant},
        ends={span.id: span.newest or now for span in meant if not span.is_followed},
        extensible=frozenset(span.id for span in meant if span.is_readable and span.complete_from != BEGINNING),
    )
