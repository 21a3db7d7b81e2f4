"""Topics and channels by the names that people give them, and how each is shown."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from bot.commands.context import CommandError, Context
from bot.commands.registry import outdated
from bot.commands.rights import Need, may_change_made
from bot.locales import LANGUAGES, Translator, translator
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled, packed
from bot.models import StoredPost
from bot.models.outgoing import ButtonRows
from bot.models.people import Viewer
from bot.rendering.post_text import channel_name
from bot.store import access, cases, channels, exclusions, subscriptions, topics
from bot.store.access import Restrictable
from bot.store.cases import Case
from bot.store.channel_groups import Directory
from bot.store.channels import Channel
from bot.store.chats import Chat
from bot.store.database import Reader
from bot.store.fulltext import Scope
from bot.store.topics import Topic
from bot.text.buttons import button
from bot.text.markup import Piece, Text, bold, join_names, link, one_line

_QUOTES = "«»\"“”„'"
_NESTED = frozenset(_QUOTES) - {"'"}  # which is an apostrophe, too
LONGEST_NAME = 64  # characters, of a topic, a channel group or a case
_LONGEST_LABEL = 40  # characters of a name on a button
_MOST_SIMILAR = 5  # channels that may be meant
_MOST_CHATS, _CHAT = 8, 40  # that are named in a sentence, and UTF-16 units of each
_LONGEST = 60  # UTF-16 units of a foreign title in our sentence


def unquoted(typed: str) -> str:
    """Take the quotes and needless spaces off a name, which phones and habits put there; quotes within one stay."""
    name = " ".join(typed.split())
    bare, inner = name.strip(_QUOTES + " "), name[1:-1]
    if not set(bare) & _NESTED:
        return bare
    is_pair = name[0] in _QUOTES and name[-1] in _QUOTES and not {name[0], name[-1]} & set(inner)
    return inner.strip() if is_pair else name


def listed(every: Iterable[Topic], on: Collection[int]) -> list[Topic]:
    """Return the topics that a chat is offered: those of every post only where it has them."""
    return [topic for topic in every if not topic.is_feed or topic.id in on]


async def find_topic(db: Reader, typed: str, viewer: Viewer) -> Topic | None:
    """Return the topic of this name, or the built-in one of this title in any of our languages; case is ignored.

    None where there is none that the viewer sees.
    """
    wanted = unquoted(typed).casefold()
    all_topics = await topics.all_topics(db, viewer)
    named = [topic for topic in all_topics if " ".join(topic.name.split()).casefold() == wanted]
    spoken = [translator(language) for language in LANGUAGES]
    titled = [topic for topic in all_topics if wanted in {topic_title(topic.name, t).casefold() for t in spoken}]
    return next(iter(named + titled), None)


async def need_topic(db: Reader, typed: str, context: Context) -> Topic:
    """Return the topic of this name as `find_topic` does. Raises CommandError where there is none."""
    topic = await find_topic(db, typed, context.viewer)
    if topic is None:
        name = bold(unquoted(typed)[:LONGEST_NAME])
        raise CommandError(context.t.gettext("There is no topic {name}. See /topics."), name=name)
    return topic


async def topics_named(db: Reader, names: Iterable[str], viewer: Viewer) -> list[Topic]:
    """Return the topics that still go by these names, in their order."""
    known = {topic.name: topic for topic in await topics.all_topics(db, viewer)}
    return [known[name] for name in names if name in known]


async def topic_by_id(db: Reader, topic_id: int, context: Context) -> Topic:
    """Return the topic that a button names. Raises CommandError where it is deleted."""
    topic = await topics.get(db, topic_id, context.viewer)
    if topic is None:
        raise CommandError(context.own.gettext("This topic no longer exists."))
    return topic


async def topics_of(db: Reader, chat_id: int) -> list[Topic]:
    """Return the topics to which a chat is subscribed."""
    wanted = await subscriptions.priorities(db, chat_id)
    return [topic for topic in await topics.all_topics(db) if topic.id in wanted]


async def queries_of(db: Reader, chat_id: int, wanted: Iterable[Topic]) -> list[Compiled]:
    """Return what a chat looks for by each of some topics, packed for a search process: without what it excludes."""
    excluded = await exclusions.by_topic(db, chat_id)
    return [packed(topic.compiled, excluded.get(topic.id, ())) for topic in wanted]


async def limited_scope(context: Context, limits: Collection[str], *, since: datetime | None = None) -> Scope:
    """Return the posts that this chat sees of the channels that a topic is limited to, or of all."""
    if not limits:
        return await context.scope(since=since)
    directory = await Directory.load(context.database, context.viewer)
    return await context.scope(tuple(directory.limit(limits)), since=since)


async def channel_by_id(db: Reader, channel_id: int, viewer: Viewer) -> Channel | None:
    """Return the channel that a button names; None where there is none that the viewer sees."""
    is_seen = await access.sees(db, Restrictable.CHANNEL, channel_id, viewer)
    return await channels.get(db, channel_id) if is_seen else None


async def need_channel(db: Reader, channel_id: int, context: Context) -> Channel:
    """Return the channel that a button names. Raises CommandError where there is none that the chat sees."""
    channel = await channel_by_id(db, channel_id, context.viewer)
    if channel is None:
        raise outdated(context)
    return channel


async def need_case(db: Reader, case_id: int, context: Context) -> Case:
    """Return the case that a button names. Raises CommandError where there is none that the chat sees."""
    case = await cases.get(db, case_id, context.viewer)
    if case is None:
        raise CommandError(context.own.gettext("This case no longer exists."))
    return case


def may_change_case(case: Case, context: Context) -> bool:
    """Tell whether who speaks may change a case."""
    is_author = case.author_id is not None and case.author_id == context.person_id
    return may_change_made(context.role, is_author=is_author, private=context.private)


def offers_case(case: Case, context: Context) -> bool:
    """Tell whether a screen has buttons that change a case."""
    return context.offers(Need.INSTANCE) or may_change_case(case, context)


async def unknown_name(db: Reader, typed: str, context: Context) -> Text:
    """Say that neither a channel nor a topic goes by a name, and which channels have it in their titles."""
    t = context.t
    line = t.gettext("There is no channel or topic «{name}». See /channels and /topics.")
    return Text().line(line, name=typed[:100]).lines(await similar_channels(db, typed, context))


async def similar_channels(db: Reader, typed: str, context: Context) -> Text:
    """Name the followed channels in whose titles a word stands, as they can be typed; nothing where there are none."""
    wanted, directory = unquoted(typed).casefold(), await Directory.load(db, context.viewer)
    found = [each for each in directory.followed if wanted and wanted in each.title.casefold()]
    if not found:
        return Text()
    names = [f"@{each.username}" if each.username else one_line(each.title, _LONGEST) for each in found]
    return Text().line(context.t.gettext("Perhaps: {names}"), names=join_names(names, _MOST_SIMILAR))


def show_topic(topic: Topic, t: Translator) -> Piece:
    """Write a topic's title in bold."""
    return bold(topic_title(topic.name, t))


def show_channel(title: str, username: str | None) -> Piece:
    """Write a channel's title as a link to it; a private one is plain."""
    shown = one_line(title, _LONGEST) or (f"@{username}" if username else "…")
    return link(shown, username and f"https://t.me/{username}")


def show_source(post: StoredPost) -> Piece:
    """Write the title of a post's channel as a link to the post."""
    return link(channel_name(post, _LONGEST), post.link)


def name_chats(found: Sequence[Chat]) -> str:
    """Name the first of some chats, and say how many more there are."""
    return join_names([one_line(chat.title, _CHAT) for chat in found], _MOST_CHATS)


def offer_following(reference: str, name: str, context: Context) -> ButtonRows:
    """Offer to follow a channel, where somebody may."""
    if not context.offers(Need.INSTANCE):
        return ()
    return ((button(context.t.gettext("Follow {name}").format(name=name[:_LONGEST_LABEL]), "follow", reference),),)
