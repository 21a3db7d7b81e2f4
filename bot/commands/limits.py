"""The channels and channel groups that a topic is limited to, read behind `in:`, and what each name means."""

from collections.abc import Collection, Iterable

from bot.commands.context import CommandError, Context
from bot.locales import Translator
from bot.search.filters import MESSAGES, FilterError, read_limits
from bot.search.searcher import places_of
from bot.store.channel_groups import Directory, Place
from bot.store.database import Reader
from bot.text.markup import Text, code, join_names, join_texts, one_line

_SHOWN_VALUE = 60  # characters of a filter that is refused
_SHOWN_CHANNELS = 5  # of those with a word in their titles
_TITLE = 40  # UTF-16 units of one


async def named_places(source: str, context: Context) -> tuple[str, tuple[str, ...]]:
    """Split a typed topic into its query, with spaces for its limits, and the names that these are kept by.

    Raises CommandError where a name means nothing.
    """
    try:
        parts = read_limits(source)
        places = await places_of(context.database, parts.filters, context.viewer)
    except FilterError as error:
        line = context.t.gettext(MESSAGES[error.code])
        raise CommandError(line, value=error.value[:_SHOWN_VALUE]) from None
    named = zip(parts.filters.channels, places, strict=True)
    return parts.query, tuple(dict.fromkeys(_canonical(each.text, place) for each, place in named))


def _canonical(typed: str, place: Place) -> str:
    """Return the name of a group, or the username of a channel, that is meant; words of titles stay as they are."""
    if place.group is not None:
        return place.group.name
    if place.is_exact and place.channels[0].username:
        return f"@{place.channels[0].username}"
    return " ".join(typed.split())


async def show_limits(db: Reader, limits: Collection[str], context: Context) -> Text:
    """Say in a line what a topic is limited to; empty for one that is about all channels."""
    if not limits:
        return Text()
    t, directory = context.t, await Directory.load(db, context.viewer)
    places = [(name, directory.find(name)) for name in limits]
    text = (
        Text()
        .say(t.gettext("Only in: {places}"), places=join_texts((_show(*each, t) for each in places), ", "))
        .add("\n")
    )
    return text.join(show_namesakes(places, t))


def show_namesakes(places: Iterable[tuple[str, Place | None]], t: Translator) -> Text:
    """Say of each name that means a group how the channel is named that is called so, too."""
    text = Text()
    for name, place in places:
        if place is not None and place.namesakes:
            other = place.namesakes[0]
            channel = code(f"in:@{other.username}" if other.username else f"in:{other.id}")
            line = t.gettext("«{name}» is the group here; for the channel write {channel}.")
            text.line(line, name=name, channel=channel)
    return text


def _show(name: str, place: Place | None, t: Translator) -> Text:
    """Show one name with what it means."""
    if place is None:
        return Text().say(t.gettext("«{name}» (no such channel or group yet)"), name=name)
    if place.group is not None:
        line = t.ngettext("the group «{name}» ({n} channel)", "the group «{name}» ({n} channels)", len(place.channels))
        return Text().say(line, name=place.group.name, n=len(place.channels))
    if not place.is_exact:
        titles = join_names([one_line(each.title, _TITLE) for each in place.channels], _SHOWN_CHANNELS)
        line = t.gettext("channels with «{name}» in their titles ({titles})")
        return Text().say(line, name=name, titles=titles)
    channel = place.channels[0]
    title = one_line(channel.title, _TITLE)
    return Text().add(title) if channel.is_followed else Text().say(t.gettext("{title} (not followed)"), title=title)
