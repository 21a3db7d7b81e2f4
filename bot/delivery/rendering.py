"""A post that matched comes in, the message that tells a chat of it goes out. Pure.

It is made for a lock screen: whose post, on what; the sentence that matched, unless the post begins with it, or the
line beside the post that matched; the post.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_timedelta

from bot.asides import Beside
from bot.delivery.excerpt import key_sentence
from bot.delivery.passage import Passage, Style
from bot.locales import Translator
from bot.locales.figures import show_date
from bot.locales.titles import aside_title, topic_title
from bot.markup import LIMIT, Piece, Text, link
from bot.models import Button, Entity, Forward, Outgoing, post_link

LATE = timedelta(minutes=10)  # older posts show their age
TITLE_ROOM, TOPIC_ROOM = 60, 30  # UTF-16 units of the channel's title and of a topic's
SENTENCE_ROOM = 1000  # of the sentence shown first; a pattern may match a text as long as a message
SHOWN_TOPICS = 3  # in the first line
SHOWN_REPEATS = 4  # posts that say the same
SHOWN_ASIDES, ASIDE_ROOM, ASIDE_SPANS = 3, 300, 4  # beside a post: how many, UTF-16 units and bold words of each
STYLES = 41  # of a post and of its sentence each: Telegram takes 100 entities; twelve stand beside it, six are ours
# What a post may bring along. Telegram finds links and tags by itself; no bot may send mentions by id and custom emoji.
KEPT = frozenset({"bold", "italic", "underline", "strike", "spoiler", "code", "pre", "blockquote", "text_url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another post that says the same."""

    title: str  # of its channel
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAlert:
    """All that an alert says."""

    channel_id: int
    title: str
    username: str | None
    message_id: int
    date: datetime
    edit_date: datetime | None = None
    text: str
    entities: tuple[Entity, ...] = ()
    forward: Forward | None = None
    topics: tuple[str, ...]  # names
    spans: tuple[tuple[int, int], ...]  # Python characters of the text, sorted
    beside: tuple[Beside, ...] = ()  # what matched beside the text; where nothing does and there is none, all of it
    edited: bool = False  # the post was changed: before the chat was told of it, and so it was told, or since
    turned: bool = False  # it was told because it fits only since it was edited
    gone_at: datetime | None = None  # no longer visible to our reader since then
    part: tuple[int, int] | None = None  # of an album: how many of its items are gone, where others are left
    repeats: tuple[Elsewhere, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """To whom and when it is said."""

    translator: Translator
    time_zone: str  # IANA name
    now: datetime


def render_post(alert: PostAlert, audience: Audience) -> Outgoing:
    """Write an alert of at most 4,096 UTF-16 units with valid entities."""
    spans = [(start, end) for start, end in alert.spans if 0 <= start < end <= len(alert.text)]
    bold = tuple(Style(kind="bold", start=start, end=end) for start, end in spans)
    styles = bold + Passage.read(alert.text, alert.entities, kinds=KEPT).styles
    post = Passage(alert.text, styles[:STYLES])
    text, footer = _head(alert, audience), _footer(alert, audience)
    sentence = key_sentence(post, spans)
    if sentence is not None:
        text.join(_text(sentence).cut(SENTENCE_ROOM)).add("\n…\n")
    beside = _beside(alert, audience.translator)
    if beside and not spans:
        text.join(beside).add("\n\n" if post.text.strip() else "")
    elif beside:
        footer = Text().join(beside).add("\n\n").join(footer)
    elif not post.text.strip():
        text.add(audience.translator.gettext("(no text)"))
    text.join(_text(post).cut(LIMIT - len(text) - len("\n\n") - len(footer))).add("\n\n").join(footer)
    written, entities = text.build()
    return Outgoing(text=written, entities=entities, buttons=_buttons(alert, audience.translator))


def one_line(text: str, room: int) -> str:
    """Write a foreign name on one line of at most `room` UTF-16 units."""
    return Text().add(" ".join(text.split())).cut(room).build()[0]


def _text(passage: Passage) -> Text:
    return Text().formatted(passage.text, passage.entities())


def _beside(alert: PostAlert, translator: Translator) -> Text:
    """Write what is to be shown of what stands beside the text, each on a line that begins with where it stands."""
    text = Text()
    for number, found in enumerate(alert.beside[:SHOWN_ASIDES]):
        bold = (Style(kind="bold", start=start, end=end) for start, end in found.spans[:ASIDE_SPANS])
        line = Passage(found.aside.text, tuple(bold))
        line = key_sentence(line, found.spans) or line
        text.add("\n" if number else "", f"{aside_title(found.aside.kind, translator)}: ")
        text.join(_text(line).cut(ASIDE_ROOM))
    return text


def _head(alert: PostAlert, audience: Audience) -> Text:
    titles = [one_line(topic_title(name, audience.translator), TOPIC_ROOM) for name in alert.topics]
    more = len(titles) - SHOWN_TOPICS
    topics = ", ".join(titles[:SHOWN_TOPICS]) + (f" +{more}" if more > 0 else "")
    if alert.turned:
        topics = audience.translator.gettext("edited, fits now: {topics}").format(topics=topics)
    title = one_line(alert.title, TITLE_ROOM) or alert.username or str(alert.channel_id)
    text = Text().bold(title).add(f" · {topics}\n")
    if alert.gone_at is not None:
        text.add(no_longer_visible(alert.gone_at, audience, beside=alert.date, part=alert.part), "\n")
    return text


def no_longer_visible(
    gone_at: datetime, audience: Audience, *, beside: datetime, part: tuple[int, int] | None = None
) -> str:
    """Write since when our reader does not see a post, or so many of its items; we do not know why."""
    t, time = audience.translator, moment(gone_at, audience, beside=beside)
    if part is None:
        return t.gettext("No longer visible to our reader since {time}").format(time=time)
    gone, items = part
    line = t.ngettext(
        "{n} of {all} items is no longer visible to our reader, since {time}",
        "{n} of {all} items are no longer visible to our reader, since {time}",
        gone,
    )
    return line.format(n=gone, all=items, time=time)


def _footer(alert: PostAlert, audience: Audience) -> Text:
    gettext, said_at = audience.translator.gettext, alert.date
    facts = [moment(alert.date, audience)]
    if alert.edited and alert.edit_date is not None:
        said_at = alert.edit_date
        facts.append(gettext("edited {time}").format(time=moment(said_at, audience, beside=alert.date)))
    elif alert.edited:
        facts.append(gettext("edited"))
    if audience.now - said_at > LATE:
        facts.append(age(said_at, audience))
    text = Text().add(" · ".join(facts))
    if alert.forward is not None:
        text.add("\n").say(gettext("Forwarded from {name}"), name=_origin(alert.forward, audience.translator))
    if alert.repeats:
        text.add("\n").say(gettext("Also in {links}"), links=_links(alert.repeats))
    return text


def _links(repeats: Sequence[Elsewhere]) -> Text:
    text = Text()
    for number, repeat in enumerate(repeats[:SHOWN_REPEATS]):
        text.add(", " if number else "", link(one_line(repeat.title, TITLE_ROOM), repeat.link))
    more = len(repeats) - SHOWN_REPEATS
    return text.add(f" +{more}") if more > 0 else text


def _origin(forward: Forward, translator: Translator) -> Piece:
    name = one_line(forward.name or "", TITLE_ROOM) or translator.gettext("another channel")
    if forward.channel_id is None or forward.message_id is None:
        return link(name, None)
    return link(name, post_link(forward.channel_id, None, forward.message_id))


def moment(date: datetime, audience: Audience, *, beside: datetime | None = None) -> str:
    """Write a date in the chat's language and time zone; without the day where it is that of the date `beside` it."""
    return show_date(date, audience.time_zone, audience.translator.language, now=audience.now, beside=beside)


def age(date: datetime, audience: Audience) -> str:
    """Write how long ago it was: «2 hours ago»."""
    return format_timedelta(date - audience.now, add_direction=True, locale=audience.translator.language)


def _buttons(alert: PostAlert, translator: Translator) -> tuple[tuple[Button, ...], ...]:
    link = post_link(alert.channel_id, alert.username, alert.message_id)
    mute = Button(text=translator.gettext("Mute here"), data=f"mute:{alert.channel_id}".encode())
    return ((Button(text=translator.gettext("Open"), url=link), mute),)
