"""What a channel joins as it is followed: channel groups (`group:NAME`), and the feeds of the chat (`all`)."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.commands.context import CommandError, Context
from bot.commands.lookup import LONGEST_NAME, unquoted
from bot.commands.subscribing import log_setting, subscribe, unsubscribe
from bot.locales import Translator
from bot.models.acts import ChannelsGrouped
from bot.models.outgoing import Button
from bot.store import access, acts, channel_groups, feeds, follows, subscriptions
from bot.store.access import Restrictable
from bot.store.acts import Recording, Rows
from bot.store.channel_groups import ChannelGroup
from bot.store.channels import Channel
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic
from bot.text.buttons import button
from bot.text.markup import Text, bold, join_names
from bot.text.references import show_reference

Finders = tuple[int, ...] | None  # ids of the chats that alone find a channel; None: it is everybody's
_QUOTED = r"\"[^\"\n]+\"|«[^«»\n]+»|[“”„][^“”„\n]+[“”„]"
_GROUP = re.compile(rf"(?<!\S)(?:group|группа|група):[ ]?({_QUOTED}|[^\s,;\"«»“”„]+)[,;]?(?!\S)", re.IGNORECASE)
_LOGGED, _SHOWN = 60, 5  # names of one act, and of an answer
ALL_WORDS = {"all", "все", "всё", "усе", "усі", "всі"}
# The word for all posts stands right behind a name; elsewhere it is a word of a title or a comment.
_FEED = re.compile(
    rf"(?P<names>.*(?:@|t\.me/|\+|https?://)\S+)\s+(?:{'|'.join(ALL_WORDS)})[.,;]?(?P<rest>(?:\s+\S+)*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlistment:
    """What the channels of a list join."""

    groups: tuple[str, ...] = ()  # names of channel groups
    feed: bool = False  # this chat gets all their posts

    def with_(self, other: "Enlistment") -> "Enlistment":
        """Return what both ask for."""
        groups = dict.fromkeys((*self.groups, *other.groups))
        return Enlistment(groups=tuple(groups), feed=self.feed or other.feed)


NOTHING = Enlistment()


def take_enlistment(line: str) -> tuple[str, Enlistment]:
    """Take groups and the word for all posts off a line of a pasted list."""
    groups = tuple(unquoted(found[1]) for found in _GROUP.finditer(line))
    rest = " ".join(_GROUP.sub(" ", line).split()) if groups else line
    feed = _FEED.fullmatch(rest)
    if feed is not None:
        rest = f"{feed['names']}{feed['rest']}"
    elif groups and rest.casefold() in ALL_WORDS:
        return "", Enlistment(groups=groups, feed=True)
    return rest, Enlistment(groups=groups, feed=feed is not None)


def group_name(typed: str, t: Translator) -> str:
    """Return the name for a channel group as it is kept. Raises CommandError for one that cannot be used."""
    name = unquoted(typed)
    if not name or len(name) > LONGEST_NAME or name[0] in "@/*#+":
        line = t.gettext("Give the group a name of up to {most} characters that begins with a letter.")
        raise CommandError(line, most=LONGEST_NAME)
    return name


async def enlist(tx: Transaction, references: Sequence[str], wanted: Enlistment, context: Context) -> Text:
    """Let channels join groups and this chat's feeds, now or once they are followed; return what to say of it."""
    t, text = context.t, Text()
    groups = [await channel_groups.make(tx, group_name(name, t)) for name in wanted.groups]
    for group in groups:
        for finders, named in (await _by_finders(tx, references)).items():
            async with grouping(tx, context, group, named, added=True, finders=finders):
                for reference in named:
                    await follows.enlist(tx, reference, groups=[group.id], now=context.now)
    for reference in references if wanted.feed else ():
        await follows.enlist(tx, reference, chats=[context.chat.id], now=context.now)
    for group in groups if wanted.feed and not references else ():
        await set_feed(tx, context, group.name, group.name, is_on=True)
    names = bold(", ".join(group.name for group in groups))
    if wanted.feed and not references:
        text.line(t.gettext("This chat gets every post of the group: {names}. /topics switches that off."), names=names)
        return text
    channels_shown = join_names(list(map(show_reference, references)), _SHOWN)
    if groups:
        line = t.gettext("Added to the group {names} (/groups): {channels}")
        text.line(line, names=names, channels=channels_shown)
    if wanted.feed:
        await log_setting(tx, context, f"/follow {channels_shown} all")
        line = t.gettext("This chat gets every post of {channels}. /topics switches that off.")
        text.line(line, channels=channels_shown)
    return text


async def _by_finders(db: Reader, references: Sequence[str]) -> Mapping[Finders, Sequence[str]]:
    """Return references by the chats that alone find their channels."""
    wishes = {each.reference: each for each in await follows.all_follows(db)}
    found = defaultdict[Finders, list[str]](list)
    for reference in references:
        channel = await follows.followed_as(db, reference)
        wish = wishes.get(reference)
        found[wish.access if channel is None and wish is not None else await finders_of(db, channel)].append(reference)
    return found


async def finders_of(db: Reader, channel: Channel | None) -> Finders:
    """Return the ids of the chats that alone find a channel; None where it is everybody's."""
    if channel is None or not channel.restricted:
        return None
    return tuple(await access.chats_of(db, Restrictable.CHANNEL, channel.id))


async def others_concerned(db: Reader, context: Context, group: ChannelGroup, finders: Finders) -> set[int]:
    """Return the ids of the other chats, of those that find its channels, whose topics or mutes a group concerns."""
    others = set(await channel_groups.chats_using(db, group)) - {context.chat.id}
    return others if finders is None else others & set(finders)


@asynccontextmanager
async def grouping(  # noqa: PLR0913 - who does what with which channels, and who may know
    tx: Transaction, context: Context, group: ChannelGroup, names: Sequence[str], *, added: bool, finders: Finders
) -> AsyncIterator[Recording]:
    """Record that channels join or leave a group, with a notice to the other chats that its topics or mutes concern."""
    act = ChannelsGrouped(group=group.name, names=tuple(names[:_LOGGED]), added=added)
    rows = Rows("channel_group_members", "channel_group_id", group.id)
    others = await others_concerned(tx, context, group, finders)
    async with acts.recorded(
        tx, act, context.actor, rows, now=context.now, restricted=finders is not None, concerned=others
    ) as recording:
        yield recording


async def set_feed(tx: Transaction, context: Context, place: str, title: str, *, is_on: bool) -> Topic:
    """Let this chat get every post of a place, named as by `feeds.find`, or no longer; return the feed."""
    topic = await feeds.make(tx, place, title, now=context.now)
    if is_on:
        await subscribe(tx, context, topic)
    else:
        await unsubscribe(tx, context, topic)
    return topic


async def has_feed(db: Reader, place: str, chat_id: int) -> bool:
    """Tell whether a chat gets every post of a place."""
    topic = await feeds.find(db, place)
    return topic is not None and topic.id in await subscriptions.priorities(db, chat_id)


def feed_button(verb: str, place: str | int, t: Translator, *, is_on: bool) -> Button:
    """Offer every post of a place, or their end."""
    label = t.gettext("Stop sending every post") if is_on else t.gettext("Send every post")
    return button(label, verb, place, "off" if is_on else "on")
