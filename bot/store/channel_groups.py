"""Channel groups: channels under one name; and what a name means that stands behind `in:`, in a search or a topic."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.models.people import EVERYTHING, Viewer
from bot.parts import compact_json
from bot.store import feeds
from bot.store.access import Restrictable, visible
from bot.store.channels import ResolvedChannel
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, read, read_all
from bot.store.topics import Topic
from bot.text.channel_names import ChannelNames, spelt


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGroup:
    """A channel group; its name is unique whatever its case and quotes."""

    id: int
    name: str  # as written


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedChannel:
    """A channel by its names."""

    id: int  # bare
    title: str
    username: str | None
    address: str | None
    is_followed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The channels that a name means: those of a channel group, else the channels that are called so."""

    group: ChannelGroup | None
    channels: tuple[ListedChannel, ...]  # empty for an empty group
    is_exact: bool = True  # the name is that of a group or channel, and not words of titles
    namesakes: tuple[ListedChannel, ...] = ()  # that the name of the group would mean, too, and are not in it

    @property
    def channel_ids(self) -> tuple[int, ...]:
        """The ids of the channels."""
        return tuple(channel.id for channel in self.channels)


def place_or_topic(place: Place | None, topic: Topic | None) -> Place | Topic | None:
    """Return what a name means by which both go: the place, but for one that only has it among words of titles."""
    return topic if topic is not None and (place is None or not place.is_exact) else place


class Directory:
    """The names of all channels and channel groups that somebody sees, at one moment."""

    def __init__(
        self,
        channels: Sequence[ListedChannel],
        groups: Sequence[ChannelGroup],
        members: Iterable[tuple[int, int]],
        references: Iterable[tuple[str, int]],
    ) -> None:
        self._channels = channels  # followed ones first
        self.groups = groups  # by name
        self._by_name = {spelt(group.name): group for group in groups}
        self._names = ChannelNames(channels, dict(references))
        by_id = {channel.id: channel for channel in channels}
        self._members: dict[int, list[ListedChannel]] = {group.id: [] for group in groups}
        for group_id, channel_id in members:
            if channel_id in by_id:
                self._members[group_id].append(by_id[channel_id])

    @classmethod
    async def load(cls, db: Reader, viewer: Viewer = EVERYTHING) -> "Directory":
        """Read the names that a viewer may know."""
        rows = await db.fetch_all(
            f"""SELECT id, title, username, address, followed_at IS NOT NULL AS is_followed FROM channels c
            WHERE {visible(Restrictable.CHANNEL, "c.id")} ORDER BY followed_at IS NULL, id < 0, id""",  # noqa: S608 - our own words
            {"viewer": viewer.chat_id},
        )
        members = await db.fetch_all(
            """SELECT m.channel_group_id, m.channel_id FROM channel_group_members m
            JOIN channels c ON c.id = m.channel_id ORDER BY c.title, c.id"""
        )
        references = await db.fetch_all("SELECT reference, channel_id FROM follows WHERE channel_id IS NOT NULL")
        return cls(
            read_all(ListedChannel, rows),
            await every(db),
            [(row["channel_group_id"], row["channel_id"]) for row in members],
            [(row["reference"], row["channel_id"]) for row in references],
        )

    @property
    def followed(self) -> list[ListedChannel]:
        """The channels that are followed."""
        return [channel for channel in self._channels if channel.is_followed]

    def members(self, group_id: int) -> Sequence[ListedChannel]:
        """Return the channels of a group, by title."""
        return self._members.get(group_id, ())

    def groups_of(self, channel_id: int) -> list[ChannelGroup]:
        """Return the groups that a channel is in, by name."""
        return [group for group in self.groups if any(each.id == channel_id for each in self.members(group.id))]

    def by_id(self, channel_id: int) -> ListedChannel | None:
        """Return the channel with this id."""
        return next((channel for channel in self._channels if channel.id == channel_id), None)

    def channel(self, name: str) -> ListedChannel | None:
        """Return the channel that goes by an @name, link, id or title; None where there is none."""
        return self._names.find(name)

    def find(self, name: str) -> Place | None:
        """Return what a name means: a group, else a channel by @name, link, id or title, else by words of the title.

        None where nothing goes by it.
        """
        group = self._by_name.get(spelt(name))
        one = self._names.find(name)
        if group is not None:
            members = tuple(self._members[group.id])
            others = self._names.with_words(name) if one is None else [one]
            namesakes = tuple(each for each in others if each not in members)
            return Place(group=group, channels=members, namesakes=namesakes)
        if one is not None:
            return Place(group=None, channels=(one,))
        titled = self._names.with_words(name)
        return Place(group=None, channels=tuple(titled), is_exact=False) if titled else None

    def limit(self, names: Iterable[str]) -> frozenset[int]:
        """Return the ids of the channels that any of these names means."""
        places = (self.find(name) for name in names)
        return frozenset(channel_id for place in places if place is not None for channel_id in place.channel_ids)

    def takes(self, limits: Collection[str], channel_id: int) -> bool:
        """Tell whether a topic with these limits is about the posts of a channel."""
        return not limits or channel_id in self.limit(limits)


async def every(db: Reader) -> list[ChannelGroup]:
    """Return all channel groups, by name."""
    return read_all(ChannelGroup, await db.fetch_all("SELECT id, name FROM channel_groups ORDER BY folded"))


async def get(db: Reader, group_id: int) -> ChannelGroup | None:
    """Return a channel group by the id of its row."""
    row = await db.fetch_one("SELECT id, name FROM channel_groups WHERE id = :id", {"id": group_id})
    return None if row is None else read(ChannelGroup, row)


async def find(db: Reader, name: str) -> ChannelGroup | None:
    """Return the channel group of a name; case and quotes are ignored."""
    row = await db.fetch_one("SELECT id, name FROM channel_groups WHERE folded = :folded", {"folded": spelt(name)})
    return None if row is None else read(ChannelGroup, row)


async def make(tx: Transaction, name: str) -> ChannelGroup:
    """Make a channel group, or return the one of this name."""
    sql = "INSERT OR IGNORE INTO channel_groups (name, folded) VALUES (:name, :folded)"
    await tx.execute(sql, {"name": name, "folded": spelt(name)})
    tx.announce(Subject.TOPICS)
    group = await find(tx, name)
    assert group is not None  # noqa: S101 - it was just made
    return group


async def add(tx: Transaction, group_id: int, channel_id: int) -> bool:
    """Put a channel into a group; False where it is in it, or the group is gone."""
    tx.announce(Subject.TOPICS)
    sql = """INSERT OR IGNORE INTO channel_group_members (channel_group_id, channel_id)
        SELECT id, :channel FROM channel_groups WHERE id = :group"""
    return await tx.execute(sql, {"group": group_id, "channel": channel_id}) > 0


async def take_out(tx: Transaction, group_id: int, channel_id: int) -> bool:
    """Take a channel out of a group; False where it was not in it."""
    tx.announce(Subject.TOPICS)
    sql = "DELETE FROM channel_group_members WHERE channel_group_id = :group AND channel_id = :channel"
    return await tx.execute(sql, {"group": group_id, "channel": channel_id}) > 0


async def topics_limited_to(db: Reader, group: ChannelGroup) -> list[int]:
    """Return the ids of the topics that name a group among their limits."""
    rows = await db.fetch_all("SELECT t.id, l.value FROM topics t, json_each(t.limits) l ORDER BY t.id")
    return list(dict.fromkeys(row["id"] for row in rows if spelt(row["value"]) == spelt(group.name)))


async def chats_using(db: Reader, group: ChannelGroup) -> list[int]:
    """Return the ids of the chats that get alerts by a topic limited to a group, or mute the group."""
    rows = await db.fetch_all(
        """SELECT chat_id FROM subscriptions WHERE topic_id IN (SELECT value FROM json_each(:topics))
        UNION SELECT chat_id FROM mutes WHERE channel_group_id = :id ORDER BY chat_id""",
        {"topics": json_list(await topics_limited_to(db, group)), "id": group.id},
    )
    return [row["chat_id"] for row in rows]


async def delete(tx: Transaction, group_id: int) -> None:
    """Delete a channel group, with the mutes of it; its channels stay, and so do the topics that name it."""
    for table in ("mutes", "channel_group_members"):
        await tx.execute(f"DELETE FROM {table} WHERE channel_group_id = :id", {"id": group_id})  # noqa: S608 - our own
    await tx.execute("DELETE FROM channel_groups WHERE id = :id", {"id": group_id})
    tx.announce(Subject.TOPICS)


async def rename(tx: Transaction, group: ChannelGroup, name: str) -> None:
    """Give a channel group another name, which nothing else has; topics that are limited to it go along."""
    values = {"id": group.id, "name": name, "folded": spelt(name)}
    await tx.execute("UPDATE channel_groups SET name = :name, folded = :folded WHERE id = :id", values)
    await feeds.rename(tx, group.name, name)
    await follow_name(tx, {spelt(group.name): name})


async def follow_channel(tx: Transaction, old: ResolvedChannel, new: ResolvedChannel) -> None:
    """Let the limits of topics go along with a channel that has another title or username."""
    names = {}
    if old.username is not None and old.username != new.username:
        names[spelt(f"@{old.username}")] = f"@{new.username}" if new.username else str(new.id)
    if old.title != new.title:
        names[spelt(old.title)] = new.title
        await feeds.rename(tx, str(new.id), new.title)
    await follow_name(tx, names)


async def follow_name(tx: Transaction, names: Mapping[str, str]) -> None:
    """Let the limits of topics go along with what they name: new names by old ones, these without case and quotes."""
    for table in ("topics", "topic_versions"):
        for row in await tx.fetch_all(f"SELECT DISTINCT limits FROM {table} WHERE limits != '[]'"):  # noqa: S608 - our own
            after = compact_json([names.get(spelt(name), name) for name in json.loads(row["limits"])])
            if after != row["limits"]:  # what names none of them is not compiled anew
                values = {"before": row["limits"], "after": after}
                await tx.execute(f"UPDATE {table} SET limits = :after WHERE limits = :before", values)  # noqa: S608 - likewise
    tx.announce(Subject.TOPICS)


async def limits(db: Reader) -> dict[int, frozenset[int]]:
    """Return the ids of the channels that limited topics are about, by the ids of these topics."""
    rows = await db.fetch_all("SELECT id, limits FROM topics WHERE limits != '[]'")
    directory = await Directory.load(db) if rows else None
    return {row["id"]: directory.limit(json.loads(row["limits"])) for row in rows} if directory else {}
