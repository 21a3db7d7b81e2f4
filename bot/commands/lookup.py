"""Topics and channels by the names that people give them, and how each is shown."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.commands.context import CommandError, Context
from bot.locales import LANGUAGES, Translator, translator
from bot.locales.titles import topic_title
from bot.models.posts import StoredPost
from bot.store import channels, subscriptions, topics
from bot.store.channels import Channel
from bot.store.database import Reader
from bot.store.references import FOLDER
from bot.store.topics import Topic
from bot.text.markup import Piece, Text, bold, link, one_line

_QUOTES = "«»\"“”„'"
LONGEST_NAME = 64  # characters of a topic's name
_LONGEST = 60  # UTF-16 units of a foreign title in our sentence
_REFERENCE = r"(?P<channel>@\S+|(?:https?://)?t\.me/\S+|-?\d{6,})"
_LAST = re.compile(rf"(?P<topic>.+?)\s+(?:(?:in|в)\s+)?{_REFERENCE}", re.DOTALL)
_FIRST = re.compile(rf"{_REFERENCE}\s+(?P<topic>.+)", re.DOTALL)


SCOPE = r"(?:t(\d{1,15}))?c(\d{1,15})|t(\d{1,15})"  # how a button's data names a `MuteScope`


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteScope:
    """What a mute is about: a channel, a topic, or a topic in a channel."""

    channel_id: int | None = None
    topic_id: int | None = None
    name: Piece  # as we write it

    @property
    def data(self) -> str:
        """Name it in a button's data."""
        topic = "" if self.topic_id is None else f"t{self.topic_id}"
        return topic if self.channel_id is None else f"{topic}c{self.channel_id}"


def tidy(typed: str) -> str:
    """Take the quotes and needless spaces off a name, which phones and habits put there."""
    return " ".join(typed.split()).strip(_QUOTES + " ")


async def find_topic(db: Reader, typed: str) -> Topic | None:
    """Return the topic of this name, or the built-in one of this title in any of our languages; case is ignored."""
    wanted = tidy(typed).casefold()
    every = await topics.all_topics(db)
    named = [topic for topic in every if " ".join(topic.name.split()).casefold() == wanted]
    titled = [topic for topic in every if wanted in {topic_title(topic.name, t).casefold() for t in _translators()}]
    return next(iter(named + titled), None)


async def need_topic(db: Reader, typed: str, t: Translator) -> Topic:
    """Return the topic of this name as `find_topic` does. Raises CommandError where there is none."""
    topic = await find_topic(db, typed)
    if topic is None:
        raise CommandError(
            Text().say(t.gettext("There is no topic {name}. See /topics."), name=bold(tidy(typed)[:LONGEST_NAME]))
        )
    return topic


async def topics_named(db: Reader, names: Iterable[str]) -> list[Topic]:
    """Return the topics that still go by these names, in their order."""
    known = {topic.name: topic for topic in await topics.all_topics(db)}
    return [known[name] for name in names if name in known]


async def topic_by_id(db: Reader, topic_id: int, context: Context) -> Topic:
    """Return the topic that a button names. Raises CommandError where it is deleted."""
    topic = await topics.get(db, topic_id)
    if topic is None:
        raise CommandError(context.own.gettext("This topic is gone."))
    return topic


async def topics_of(db: Reader, chat_id: int) -> list[Topic]:
    """Return the topics to which a chat is subscribed."""
    wanted = {subscription.topic_id for subscription in await subscriptions.of_chat(db, chat_id)}
    return [topic for topic in await topics.all_topics(db) if topic.id in wanted]


async def find_scope(db: Reader, typed: str, t: Translator) -> MuteScope | None:
    """Return the topic or the channel that is meant; of both, such as `outages @name`, the topic in the channel."""
    topic = None if typed.startswith("@") else await find_topic(db, typed)
    if topic is not None:
        return topic_scope(topic, t)
    channel = await channels.find(db, typed)
    return channel_scope(channel) if channel else await _find_both(db, typed, t)


async def _find_both(db: Reader, typed: str, t: Translator) -> MuteScope | None:
    """Take a reference to a channel off the end or the beginning; what is left is a topic."""
    for found in filter(None, (_LAST.fullmatch(typed), _FIRST.fullmatch(typed))):
        topic, channel = await find_topic(db, found["topic"]), await channels.find(db, found["channel"])
        if topic is not None and channel is not None:
            return both_scope(topic, channel, t)
    return None


async def read_scope(db: Reader, data: str, t: Translator) -> MuteScope | None:
    """Return what a button's data names; None where it is no more."""
    found = re.fullmatch(SCOPE, data)
    both, channel, topic = found.groups() if found else (None, None, None)
    topic_id, channel_id = (int(number) if number else None for number in (both or topic, channel))
    return await scope_of(db, channel_id=channel_id, topic_id=topic_id, t=t)


async def scope_of(db: Reader, *, channel_id: int | None, topic_id: int | None, t: Translator) -> MuteScope | None:
    """Name what these ids stand for; None where one of them is no more."""
    topic = None if topic_id is None else await topics.get(db, topic_id)
    channel = None if channel_id is None else await channels.get(db, channel_id)
    if topic is not None and channel is not None:
        return both_scope(topic, channel, t)
    if topic is not None and channel_id is None:
        return topic_scope(topic, t)
    return channel_scope(channel) if channel is not None and topic_id is None else None


def unknown_name(typed: str, t: Translator) -> Text:
    """Say that neither a channel nor a topic goes by a name."""
    return Text().line(t.gettext("I know no channel or topic «{name}». See /channels and /topics."), name=typed[:100])


def topic_scope(topic: Topic, t: Translator) -> MuteScope:
    """Name a topic."""
    return MuteScope(topic_id=topic.id, name=show_topic(topic, t))


def both_scope(topic: Topic, channel: Channel, t: Translator) -> MuteScope:
    """Name a topic in a channel."""
    line = t.gettext("{topic} in {channel}")
    name = line.format(topic=topic_title(topic.name, t), channel=channel_scope(channel).name.text)
    return MuteScope(channel_id=channel.id, topic_id=topic.id, name=bold(name))


def channel_scope(channel: Channel) -> MuteScope:
    """Name a channel."""
    return MuteScope(channel_id=channel.id, name=show_channel(channel.title, channel.username))


def show_topic(topic: Topic, t: Translator) -> Piece:
    """Write a topic's title in bold."""
    return bold(topic_title(topic.name, t))


def show_channel(title: str, username: str | None) -> Piece:
    """Write a channel's title as a link to it; a private one is plain."""
    shown = one_line(title, _LONGEST) or (f"@{username}" if username else "…")
    return link(shown, username and f"https://t.me/{username}")


def show_source(post: StoredPost) -> Piece:
    """Write the title of a post's channel as a link to the post."""
    return link(one_line(post.channel_title, _LONGEST) or str(post.channel_id), post.link)


def show_reference(reference: str) -> str:
    """Write a normalised reference as people know it: an invite link as a link."""
    return f"t.me/{reference}" if reference.startswith(("+", FOLDER)) else reference


def _translators() -> list[Translator]:
    return [translator(language) for language in LANGUAGES]
