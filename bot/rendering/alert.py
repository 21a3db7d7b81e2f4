"""A post that matched comes in, the message that tells a chat of it goes out. Pure.

It is made for a lock screen: on what, whose post; the sentence that matched, unless the post begins with it, or the
line beside the post that matched; the post, or of a long one the passages around all that matched.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.locales import Translator
from bot.locales.figures import show_span
from bot.locales.locale import Locale
from bot.locales.titles import part_title, topic_title
from bot.models import Button, Entity, Forward, Outgoing, post_link
from bot.parts import PartMatch
from bot.rendering.post_text import author_note
from bot.text.excerpts import GAP, cut_fragments, find_key_sentence
from bot.text.formatted import MOST_ENTITIES, FormattedText, Style
from bot.text.markup import LIMIT, Piece, Text, alert_buttons, bold, link, one_line, sendable, units

LATE = timedelta(minutes=10)  # older posts show their age …
AT_ONCE = timedelta(minutes=1)  # … unless they were told so soon after we saw them that this says the same
DATED = timedelta(seconds=1)  # Telegram dates posts in whole seconds
TITLE_ROOM, TOPIC_ROOM, AUTHOR_ROOM = 60, 30, 40  # UTF-16 units of the channel's title, a topic's, a signature
LONG = 1000  # UTF-16 units; of a longer post the passages that matched are shown, or else so much of its beginning
SECTION = "\n\n"  # between what matched beside a post, the post, and when it was posted
SHOWN_TOPICS = 3  # in the first line
SHOWN_REPEATS = 4  # posts that say the same
SHOWN_PARTS, PART_ROOM, PART_SPANS = 3, 300, 4  # beside a post: how many, UTF-16 units and bold words of each
# What a post may bring along. Telegram finds links and tags by itself; no bot may send mentions by id and custom emoji.
KEPT = frozenset({"bold", "italic", "underline", "strike", "spoiler", "code", "pre", "blockquote", "text_url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another post that says the same."""

    name: str  # of its channel: @username, or its title
    link: str
    date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAlert:
    """All that an alert says."""

    channel_id: int
    title: str
    username: str | None
    message_id: int
    date: datetime
    edit_date: datetime | None = None
    seen_at: datetime | None = None  # when what is shown reached us
    author: str | None = None  # who wrote it, where that is known
    text: str
    entities: tuple[Entity, ...] = ()
    forward: Forward | None = None
    topics: tuple[str, ...]  # names
    spans: tuple[tuple[int, int], ...]  # Python characters of the text, sorted
    part_matches: tuple[
        PartMatch, ...
    ] = ()  # what matched beside the text; where nothing does and there is none, all of it
    edited: bool = False  # the post was changed: before the chat was told of it, and so it was told, or since
    turned: bool = False  # it was told because it fits only since it was edited
    gone_at: datetime | None = None  # no longer visible to our reader since then
    part: tuple[int, int] | None = None  # of an album: how many of its items are gone, where others are left
    repeats: tuple[Elsewhere, ...] = ()
    more: int = 0  # files of the post that do not follow the alert: too large, or refused


def render_post(alert: PostAlert, locale: Locale) -> Outgoing:
    """Write an alert that Telegram takes as one message, with valid entities."""
    text, footer = _head(alert, locale), _footer(alert, locale).cut(LIMIT // 2)
    beside, (post, spans) = _beside(alert, locale.t), _passage(alert)
    room = LIMIT - len(text) - len(footer) - 2 * len(SECTION)
    beside.cut(room // 2 if post.text else room)
    most = MOST_ENTITIES - text.formats - footer.formats - beside.formats
    body = _body(post, spans, room=room - len(beside), most=most)
    if not body and not beside:
        body.add(locale.t.gettext("(no text)"))
    for section in (body, beside) if spans else (beside, body):
        if section:
            text.join(section).add(SECTION)
    written, entities = text.join(footer).build()
    return Outgoing(text=written, entities=entities, buttons=_buttons(alert, locale.t))


def _passage(alert: PostAlert) -> tuple[FormattedText, list[tuple[int, int]]]:
    """Read the post's text with its formatting and the words that matched; they are sorted, none is out of place."""
    if not alert.text.strip():
        return FormattedText(""), []
    post, spans = _marked(alert.text, alert.spans)
    return FormattedText(
        post.text, post.styles + FormattedText.read(post.text, alert.entities, kinds=KEPT).styles
    ), spans


def _marked(text: str, spans: Iterable[tuple[int, int]]) -> tuple[FormattedText, list[tuple[int, int]]]:
    found = sorted((start, end) for start, end in spans if 0 <= start < end <= len(text))
    styles = (Style(kind="bold", start=start, end=end, is_match=True) for start, end in found)
    return FormattedText(sendable(text), tuple(styles)), found


def _body(post: FormattedText, spans: Sequence[tuple[int, int]], *, room: int, most: int) -> Text:
    """Write a post, the sentence that matched before it, in so many units and with so many entities."""
    shown, short = post, min(room, LONG)
    if units(post.text) <= short and (sentence := find_key_sentence(post, spans)) is not None:
        shown = FormattedText.joined((sentence, FormattedText(GAP), post))
        short = room
    if units(shown.text) <= short or not spans:
        return _text(shown, most).cut(short)
    return _text(cut_fragments(post, spans[:most], room=room), most).cut(room)


def _text(passage: FormattedText, most: int = MOST_ENTITIES) -> Text:
    return Text().formatted(passage.text, passage.entities(most))


def _beside(alert: PostAlert, translator: Translator) -> Text:
    """Write what is to be shown of what stands beside the text, each on a line that begins with where it stands."""
    text = Text()
    for number, found in enumerate(alert.part_matches[:SHOWN_PARTS]):
        line, spans = _marked(found.part.text, found.spans[:PART_SPANS])
        line = find_key_sentence(line, spans) or line
        text.add("\n" if number else "", f"{part_title(found.part.kind, translator)}: ")
        text.join(_text(line).cut(PART_ROOM))
    return text


def _head(alert: PostAlert, locale: Locale) -> Text:
    titles = [one_line(topic_title(name, locale.t), TOPIC_ROOM) for name in alert.topics]
    more = len(titles) - SHOWN_TOPICS
    topics = bold(", ".join(filter(None, titles[:SHOWN_TOPICS])) + (f" +{more}" if more > 0 else ""))
    says = locale.t.gettext("edited, now matches: {topics}") if alert.turned else "{topics}"
    title = one_line(alert.title, TITLE_ROOM) or alert.username or str(alert.channel_id)
    url = post_link(alert.channel_id, alert.username, alert.message_id)
    text = Text().say(says, topics=topics).add(" · ", link(title, url), "\n")
    if alert.gone_at is not None:
        text.add(no_longer_visible(alert.gone_at, locale, relative_to=alert.date, part=alert.part), "\n")
    return text


def no_longer_visible(
    gone_at: datetime, locale: Locale, *, relative_to: datetime, part: tuple[int, int] | None = None
) -> str:
    """Write since when our reader does not see a post, or so many of its items; we do not know why."""
    t, time = locale.t, locale.date(gone_at, relative_to=relative_to)
    if part is None:
        return t.gettext("No longer visible to our reader since {time}").format(time=time)
    gone, items = part
    line = t.ngettext(
        "{n} of {all} items is no longer visible to our reader, since {time}",
        "{n} of {all} items are no longer visible to our reader, since {time}",
        gone,
    )
    return line.format(n=gone, all=items, time=time)


def _footer(alert: PostAlert, locale: Locale) -> Text:
    gettext = locale.t.gettext
    text = Text().add(" · ".join(_facts(alert, locale)))
    if alert.more:
        line = locale.t.ngettext("+{n} more file in the post", "+{n} more files in the post", alert.more)
        text.add("\n", line.format(n=alert.more))
    if alert.forward is not None:
        text.add("\n").say(gettext("Forwarded from {name}"), name=_origin(alert.forward, locale.t))
    if alert.repeats:
        text.add("\n").say(gettext("Also in {links}"), links=_links(alert, locale))
    return text


def _facts(alert: PostAlert, locale: Locale) -> Iterator[str]:
    """Say when it was posted and by whom, when edited, how long after that we saw it, and how old it was by then."""
    gettext, said_at = locale.t.gettext, alert.date
    yield locale.date(alert.date, relative_to=locale.now)
    author, title = (one_line(name, AUTHOR_ROOM) for name in (alert.author or "", alert.title))
    if said := author_note(author, title, locale.t):
        yield said
    if alert.edited and alert.edit_date is not None:
        said_at = alert.edit_date
        yield gettext("edited {time}").format(time=locale.date(said_at, relative_to=alert.date))
    elif alert.edited:
        yield gettext("edited")
    seen_at = alert.seen_at or said_at
    if seen_at - said_at >= DATED and not (alert.edited and alert.edit_date is None):
        seconds = (seen_at - said_at) // DATED
        yield gettext("seen after {time}").format(time=show_span(seconds, locale.t))
    if locale.now - said_at > LATE and (seen_at == said_at or locale.now - seen_at > AT_ONCE):
        yield locale.ago(said_at)


def _links(alert: PostAlert, locale: Locale) -> Text:
    """Name the channels that say the same, and when they did: «@b 12:03, @c 12:05»."""
    text = Text()
    for number, repeat in enumerate(alert.repeats[:SHOWN_REPEATS]):
        time = locale.date(repeat.date, relative_to=alert.date)
        text.add(", " if number else "", link(one_line(repeat.name, TITLE_ROOM), repeat.link), f" {time}")
    more = len(alert.repeats) - SHOWN_REPEATS
    return text.add(f" +{more}") if more > 0 else text


def _origin(forward: Forward, translator: Translator) -> Piece:
    name = one_line(forward.name or "", TITLE_ROOM) or translator.gettext("another channel")
    if forward.channel_id is None or forward.message_id is None:
        return link(name, None)
    return link(name, post_link(forward.channel_id, None, forward.message_id))


def _buttons(alert: PostAlert, translator: Translator) -> tuple[tuple[Button, ...], ...]:
    return alert_buttons(alert.channel_id, alert.username, alert.message_id, translator)
