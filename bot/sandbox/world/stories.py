"""Stories of a channel: what it shows for a day, under numbers of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.text import with_found_entities

A_DAY = timedelta(days=1)


@dataclass(slots=True)
class Stories:
    """The stories of one channel, by number; an expired one is kept, and shown no more."""

    told: dict[int, tl.StoryItem] = field(default_factory=dict)
    last_id: int = 0

    def add(self, caption: str, entities: Sequence[TLObject], media: TLObject, now: datetime) -> tl.StoryItem:
        """Publish a story for a day."""
        self.last_id += 1
        story = self.told[self.last_id] = tl.StoryItem(
            self.last_id,
            now,
            now + A_DAY,
            media,
            public=True,
            caption=caption or None,
            entities=with_found_entities(caption, entities) or None,
            views=tl.StoryViews(1, forwards_count=0, reactions_count=0),
        )
        return story

    def active(self, now: datetime) -> list[tl.StoryItem]:
        """Return the stories that are shown now, oldest first."""
        return [story for story in self.told.values() if story.expire_date > now]

    def summary(self, now: datetime) -> tl.RecentStory:
        """Return the highest number of a story that is shown now, where there is one."""
        return tl.RecentStory(max_id=max((story.id for story in self.active(now)), default=None))
