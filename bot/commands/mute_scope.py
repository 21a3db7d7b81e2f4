"""The scope of a mute: as people name it, in the data of a button, and by the columns of the mute."""

import re
from dataclasses import dataclass

from bot.commands.context import Context
from bot.commands.lookup import channel_by_id, find_topic, show_channel
from bot.locales import Translator
from bot.locales.locale import topic_title
from bot.store import channel_groups, channels, topics
from bot.store.channel_groups import ChannelGroup
from bot.store.channels import Channel
from bot.store.database import Reader
from bot.store.topics import Topic
from bot.text.buttons import CHANNEL
from bot.text.markup import Piece, bold

_GROUP = re.compile(r"(?:in|в|у|group|группа|група):\s?(.+)", re.IGNORECASE | re.DOTALL)
_REFERENCE = r"(?P<channel>@\S+|https?://\S+|t\.me/\S+|-?\d{6,})"
_LAST = re.compile(rf"(?P<topic>.+?)\s+(?:(?:in|в|у)\s+)?{_REFERENCE}", re.DOTALL)
_FIRST = re.compile(rf"{_REFERENCE}\s+(?P<topic>.+)", re.DOTALL)
SCOPE = rf"(?:t(\d{{1,15}}))?c({CHANNEL})|t(\d{{1,15}})|g(\d{{1,15}})"  # how a button's data names a `MuteScope`


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteScope:
    """The scope of a mute: a channel, a channel group, a topic, or a topic in a channel."""

    channel_id: int | None = None
    channel_group_id: int | None = None
    topic_id: int | None = None
    name: Piece  # as we write it

    @classmethod
    def of(cls, topic: Topic | None, channel: Channel | None, t: Translator) -> "MuteScope":
        """Make the scope of a topic, a channel, or the topic in the channel."""
        name = bold("") if channel is None else show_channel(channel.title, channel.username)
        if topic is not None:
            title, line = topic_title(topic.name, t), t.gettext("{topic} in {channel}")
            name = bold(title if channel is None else line.format(topic=title, channel=name.text))
        return cls(channel_id=channel.id if channel else None, topic_id=topic.id if topic else None, name=name)

    @property
    def ids(self) -> dict[str, int | None]:
        """The ids of what it is, by the columns of a mute."""
        return {
            "channel_id": self.channel_id,
            "channel_group_id": self.channel_group_id,
            "topic_id": self.topic_id,
        }

    @classmethod
    def of_group(cls, group: ChannelGroup, t: Translator) -> "MuteScope":
        """Make the scope of a channel group."""
        return cls(channel_group_id=group.id, name=bold(t.gettext("group «{name}»").format(name=group.name)))

    @property
    def data(self) -> str:
        """The scope in a button's data."""
        if self.channel_group_id is not None:
            return f"g{self.channel_group_id}"
        topic = "" if self.topic_id is None else f"t{self.topic_id}"
        return topic if self.channel_id is None else f"{topic}c{self.channel_id}"


async def find_scope(db: Reader, typed: str, context: Context) -> MuteScope | None:
    """Return the topic, group or channel of a typed name; of `outages @name` the topic in the channel.

    A group may be named by `in:NAME` or `group:NAME`, too.
    """
    t, viewer = context.t, context.viewer
    named = _GROUP.fullmatch(typed)
    group = await channel_groups.find(db, named[1] if named else typed)
    topic = await find_topic(db, typed, viewer)
    if group is not None and (named or topic is None):
        return MuteScope.of_group(group, t)
    channel = await channels.find(db, typed, viewer=viewer) if topic is None else None
    if topic is not None or channel is not None:
        return MuteScope.of(topic, channel, t)
    for both in filter(None, (_LAST.fullmatch(typed), _FIRST.fullmatch(typed))):
        topic = await find_topic(db, both["topic"], viewer)
        channel = await channels.find(db, both["channel"], viewer=viewer)
        if topic is not None and channel is not None:
            return MuteScope.of(topic, channel, t)
    return None


async def read_scope(db: Reader, data: str, context: Context) -> MuteScope | None:
    """Return the scope that a button's data names; None where its topic, channel or group is gone."""
    fields = re.fullmatch(SCOPE, data)
    numbers = (int(number) if number else None for number in (fields.groups() if fields else (None,) * 4))
    both, channel_id, topic_id, group_id = numbers
    return await scope_by_ids(
        db, context, channel_id=channel_id, channel_group_id=group_id, topic_id=topic_id if both is None else both
    )


async def scope_by_ids(
    db: Reader, context: Context, *, channel_id: int | None, channel_group_id: int | None, topic_id: int | None
) -> MuteScope | None:
    """Return the scope with these ids, those of a mute; None where its topic, channel or group is gone."""
    if channel_group_id is not None:
        group = await channel_groups.get(db, channel_group_id)
        return None if group is None else MuteScope.of_group(group, context.t)
    topic = None if topic_id is None else await topics.get(db, topic_id, context.viewer)
    channel = None if channel_id is None else await channel_by_id(db, channel_id, context.viewer)
    scope = MuteScope.of(topic, channel, context.t)
    return scope if (scope.topic_id, scope.channel_id) == (topic_id, channel_id) != (None, None) else None
