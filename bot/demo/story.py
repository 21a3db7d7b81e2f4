"""The story of `story.toml`: its channels, its events in order, and the clock that they happen by."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens in the story: to a post, to the reader account, or that the subscriber writes."""

    at: datetime
    channel: str = ""  # its key in Story.channels
    text: str = ""
    blocks: tuple[str, ...] = ()  # paragraphs of a long post, of which Telegram pushes the first
    says: str = ""  # what the subscriber writes to the bot
    reader: str = ""  # the reader account is "banned", or "back"
    topics: tuple[str, ...] = ()  # built-in topics that the alert must name; none means that no alert may come
    shows: str = ""  # words that a message of the bot must show afterwards, as it was sent or edited
    id: str = ""  # a name for later events to point at
    edits: str = ""
    removes: str = ""
    forwards: str = ""
    pushed: bool = True  # False: Telegram stores it and pushes no update

    @property
    def is_post(self) -> bool:
        """Whether it is a new post of a channel."""
        return not (self.says or self.reader or self.edits or self.removes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Channels and the events in them."""

    channels: dict[str, dict[str, str]]  # key → title, and username or invite
    events: tuple[Event, ...]


def load_story() -> Story:
    """Read the story that the program ships."""
    story = tomllib.loads(resources.files(__package__).joinpath("story.toml").read_text("utf-8"))
    return Story(channels=story["channels"], events=tuple(map(_event, story["events"])))


def _event(row: dict[str, Any]) -> Event:
    return Event(
        **{
            **row,
            "at": row["at"].replace(tzinfo=MOSCOW),
            "topics": tuple(row.get("topics", ())),
            "blocks": tuple(row.get("blocks", ())),
        }
    )


class StoryClock:
    """Runs as fast as real time, and jumps ahead to the moment of each event."""

    def __init__(self, start: datetime, real_now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._real_now = real_now
        self._offset = start - real_now()

    def now(self) -> datetime:
        """Return the time of the story, in UTC."""
        return (self._real_now() + self._offset).astimezone(UTC)

    def jump_to(self, moment: datetime) -> None:
        """Jump ahead to a moment; one that has passed changes nothing."""
        self._offset += max(moment - self.now(), timedelta(0))
