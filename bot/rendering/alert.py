"""An alert: what matched in which post, made for a lock screen; and the replies under it. Pure.

First come the topics and the channel; then the sentence that matched, unless the post begins with it, or the part of
the post that matched; then the post, or of a long one the fragments around all matches.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bot.locales import Translator
from bot.locales.locale import Locale, part_title, show_span, topic_title
from bot.models import Forward, ObservedBy, StoredPost
from bot.models.alerts import Alert, AlertChange, Duplicate, GoneItems
from bot.models.links import post_link
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.parts import PartMatch
from bot.rendering.post_text import author_note, channel_name, comparable_texts, full_text, gone_sentence, show_changes
from bot.text.buttons import button
from bot.text.excerpts import GAP, cut_fragments, find_key_sentence
from bot.text.formatted import MOST_ENTITIES, FormattedText, Style
from bot.text.language import language_of
from bot.text.markup import LIMIT, Piece, Text, bold, link, one_line, sendable, units
from bot.text.spans import Span

LATE = timedelta(minutes=10)  # older posts show their age …
AT_ONCE = timedelta(minutes=1)  # … unless the alert came so soon after the post was seen that this says the same
DATED = timedelta(seconds=1)  # Telegram dates posts in whole seconds
NAME_ROOM, TOPIC_ROOM, AUTHOR_ROOM = 60, 30, 40  # UTF-16 units of a foreign name, a topic's title, a signature
LONG = 1000  # UTF-16 units; of a longer post the fragments that matched are shown, or else so much of its beginning
SECTION = "\n\n"  # between the parts that matched, the post, and when it was posted
SHOWN_TOPICS = 3  # in the first line
SHOWN_DUPLICATES = 4
SHOWN_PARTS, PART_ROOM, PART_SPANS = 3, 300, 4  # how many, UTF-16 units and bold words of each
# The formatting of a post that is kept. Telegram finds links and tags by itself; no bot may send mentions by id and
# custom emoji.
KEPT = frozenset({"bold", "italic", "underline", "strike", "spoiler", "code", "pre", "blockquote", "text_url"})


def render_alert(
    alert: Alert, post: StoredPost, locale: Locale, *, duplicates: Sequence[Duplicate] = (), missing_files: int = 0
) -> Outgoing:
    """Write an alert of at most 4,096 UTF-16 units, which says how many files of the post will not follow."""
    t = locale.t
    text = _head(alert, post, locale)
    footer = _footer(alert, post, locale, duplicates=duplicates, missing_files=missing_files).cut(LIMIT // 2)
    parts, (body, spans) = _parts(alert.parts, locale), _marked_post(post, alert.spans)
    room = LIMIT - len(text) - len(footer) - 2 * len(SECTION)
    parts.cut(room // 2 if body.text else room)
    most = MOST_ENTITIES - text.formats - footer.formats - parts.formats
    shown = _body(body, spans, room=room - len(parts), most=most)
    if not shown and not parts:
        shown.add(t.gettext("(no text)"))
    for section in (shown, parts) if spans else (parts, shown):
        if section:
            text.join(section).add(SECTION)
    written, entities = text.join(footer).build()
    is_foreign = language_of(post.whole) != t.language
    buttons = alert_buttons(post.channel_id, post.message_id, post.link, t, is_foreign=is_foreign)
    return Outgoing(text=written, entities=entities, buttons=buttons)


def alert_buttons(channel_id: int, message_id: int, url: str, t: Translator, *, is_foreign: bool) -> ButtonRows:
    """Return the buttons of an alert; their data names the post, `verb:<channel>:<message>`, by which it is found.

    One that `is_foreign`, in another language than the chat's, can be translated.
    """
    post = (channel_id, message_id)
    open_ = Button(text=t.gettext("Open"), url=url)
    quote, save = button(t.gettext("Quote"), "quote", *post), button(t.gettext("Save"), "tocase", *post)
    snooze = button(t.gettext("Snooze"), "snooze", *post)
    wrong = button(t.gettext("Not relevant"), "wrong", *post)
    first = button(t.gettext("Who said it first"), "first", *post)
    others = button(t.gettext("Who else?"), "others", *post)
    translate = ((button(t.gettext("Translate"), "translation", *post),),) if is_foreign else ()
    return ((open_, quote, save), (snooze, wrong), (first, others), *translate)


def _marked_post(post: StoredPost, spans: Iterable[Span]) -> tuple[FormattedText, list[Span]]:
    """Return the post's text with its formatting and its matches in bold, and the matches, sorted."""
    if not post.text.strip():
        return FormattedText(""), []
    marked, found = _marked(post.text, spans)
    own = FormattedText.read(marked.text, post.entities, kinds=KEPT)
    return FormattedText(marked.text, marked.styles + own.styles), found


def _marked(text: str, spans: Iterable[Span]) -> tuple[FormattedText, list[Span]]:
    found = sorted((start, end) for start, end in spans if 0 <= start < end <= len(text))
    styles = (Style(kind="bold", start=start, end=end, is_match=True) for start, end in found)
    return FormattedText(sendable(text), tuple(styles)), found


def _body(post: FormattedText, spans: Sequence[Span], *, room: int, most: int) -> Text:
    """Write a post, the sentence that matched before it, in `room` UTF-16 units with `most` entities at most."""
    shown, short = post, min(room, LONG)
    if units(post.text) <= short and (sentence := find_key_sentence(post, spans)) is not None:
        shown = FormattedText.joined((sentence, FormattedText(GAP), post))
        short = room
    if units(shown.text) <= short or not spans:
        return _to_text(shown, most).cut(short)
    return _to_text(cut_fragments(post, spans[:most], room=room), most).cut(room)


def _to_text(formatted: FormattedText, most: int = MOST_ENTITIES) -> Text:
    return Text().formatted(formatted.text, formatted.entities(most))


def _parts(matches: Sequence[PartMatch], locale: Locale) -> Text:
    """Write the first parts that matched, each on a line that begins with what it is."""
    text = Text()
    for number, match in enumerate(matches[:SHOWN_PARTS]):
        line, spans = _marked(match.part.text, match.spans[:PART_SPANS])
        text.add("\n" if number else "", f"{part_title(match.part.kind, locale.t)}: ")
        text.join(_to_text(find_key_sentence(line, spans) or line).cut(PART_ROOM))
    return text


def _head(alert: Alert, post: StoredPost, locale: Locale) -> Text:
    t = locale.t
    titles = [one_line(topic_title(name, t), TOPIC_ROOM) for name in alert.topics]
    more = len(titles) - SHOWN_TOPICS
    topics = bold(", ".join(filter(None, titles[:SHOWN_TOPICS])) + (f" +{more}" if more > 0 else ""))
    line = t.gettext("edited, now matches: {topics}") if alert.fits_since_edit else "{topics}"
    text = Text().say(line, topics=topics).add(" · ").join(_place(post, t)).add("\n")
    if alert.gone_at is not None:
        text.add(_gone_line(post, alert.gone_at, alert.gone_items, locale, relative_to=post.date), "\n")
    return text


def _place(post: StoredPost, t: Translator) -> Text:
    """Name the channel of a post, or what a comment is about, with the link to the message."""
    if post.commented is None:
        place = t.gettext("story of {channel}") if post.message_id < 0 else "{channel}"
        return Text().say(place, channel=link(channel_name(post, NAME_ROOM), post.link))
    is_under_post = post.commented.message_id is not None
    line = t.gettext("comment under {channel}") if is_under_post else t.gettext("in the comments of {channel}")
    name = one_line(post.commented.title, NAME_ROOM) or post.commented.username or str(post.commented.channel_id)
    return Text().say(line, channel=link(name, post.link))


def _gone_line(
    post: StoredPost, gone_at: datetime, items: GoneItems | None, locale: Locale, *, relative_to: datetime
) -> str:
    """Write since when our reader does not see a post, or how many items of how many; nobody knows why."""
    t, time = locale.t, locale.at(gone_at, relative_to=relative_to)
    if items is None:
        return gone_sentence(post, t).format(time=time)
    told, missing, every = items
    counts = (t.gettext("deletion told by Telegram"), told), (t.gettext("missing when read again"), missing)
    shown = ", ".join(f"{words} – {n}" for words, n in counts if n)
    return t.gettext("Of {all} items: {counts}; noticed {time}").format(all=every, counts=shown, time=time)


def _footer(
    alert: Alert, post: StoredPost, locale: Locale, *, duplicates: Sequence[Duplicate], missing_files: int
) -> Text:
    t = locale.t
    text = Text().add(" · ".join(_facts(alert, post, locale)))
    if post.is_part:
        text.add("\n", t.gettext("This is the beginning of a long post; the rest could not be loaded yet"))
    if missing_files:
        line = t.ngettext("+{n} more file in the post", "+{n} more files in the post", missing_files)
        text.add("\n", line.format(n=missing_files))
    if post.forward is not None:
        text.add("\n").say(t.gettext("Forwarded from {name}"), name=_origin(post.forward, t))
    if duplicates:
        text.add("\n").say(t.gettext("Also in {links}"), links=_links(duplicates, post.date, locale))
    return text


def _facts(alert: Alert, post: StoredPost, locale: Locale) -> Iterator[str]:
    """Yield when it was posted and by whom, when edited, how long after that it was seen, and its age by then."""
    t, dated_at = locale.t, post.date
    yield locale.date(post.date, relative_to=locale.now)
    author, title = one_line(post.author or "", AUTHOR_ROOM), one_line(post.channel_title, AUTHOR_ROOM)
    if note := author_note(author, title, t):
        yield note
    if alert.is_edited and post.edit_date is not None:
        dated_at = post.edit_date
        yield t.gettext("edited {time}").format(time=locale.date(dated_at, relative_to=post.date))
    elif alert.is_edited:
        yield t.gettext("edited")
    delay = post.seen_at - dated_at
    if delay >= DATED and not (alert.is_edited and post.edit_date is None):
        yield t.gettext("seen after {time}").format(time=show_span(delay // DATED, t))
    if post.observed_by == ObservedBy.PAGE:
        yield t.gettext("through the web page")
    if locale.now - dated_at > LATE and (not delay or locale.now - post.seen_at > AT_ONCE):
        yield locale.ago(dated_at)


def _links(duplicates: Sequence[Duplicate], date: datetime, locale: Locale) -> Text:
    """Name the channels that say the same, and when they did: «@b 12:03, @c 12:05»."""
    text = Text()
    for number, each in enumerate(duplicates[:SHOWN_DUPLICATES]):
        name = f"@{each.username}" if each.username else one_line(each.title, NAME_ROOM)
        text.add(", " if number else "", link(name, each.link), f" {locale.date(each.date, relative_to=date)}")
    more = len(duplicates) - SHOWN_DUPLICATES
    return text.add(f" +{more}") if more > 0 else text


def _origin(forward: Forward, t: Translator) -> Piece:
    name = one_line(forward.name or "", NAME_ROOM) or t.gettext("another channel")
    if forward.channel_id is None or forward.message_id is None:
        return link(name, None)
    return link(name, post_link(forward.channel_id, None, forward.message_id))


def render_change(change: AlertChange, post: StoredPost, before: StoredPost | None, locale: Locale) -> Outgoing:
    """Write what an edit has changed from the version `before`, or the whole post where it is gone, with its link."""
    t = locale.t
    text = Text().add(link(channel_name(post, NAME_ROOM), post.link), " · ")
    if change.gone_at is not None:
        text.add(_gone_line(post, change.gone_at, change.gone_items, locale, relative_to=locale.now), "\n")
        text.add(full_text(post.text, post.parts, t) or t.gettext("(no text)"))
    else:
        line = t.gettext("edited") if post.edit_date is None else t.gettext("edited {time}")
        if post.observed_by == ObservedBy.PAGE:
            line = f"{line} · {t.gettext('through the web page')}"
        time = "" if post.edit_date is None else locale.date(post.edit_date, relative_to=locale.now)
        text.line(line, time=time)
        if change.joined:
            titles = [one_line(topic_title(name, t), TOPIC_ROOM) for name in change.joined]
            text.line(t.gettext("Now also: {topics}"), topics=", ".join(titles))
        old = (before.text, before.parts) if before is not None else ("", ())
        text.join(show_changes(*comparable_texts(old, (post.text, post.parts), t), t))
    written, entities = text.cut().build()
    history = button(t.gettext("History"), "post", post.channel_id, post.message_id)
    return Outgoing(text=written, entities=entities, buttons=((history,),))


def render_confirmation(post: StoredPost, locale: Locale) -> Outgoing:
    """Write that the post of a second channel says what the alert says."""
    name = f"@{post.channel_username}" if post.channel_username else channel_name(post, NAME_ROOM)
    text, time = locale.t.gettext("Confirmed by {channel}, {time}"), locale.date(post.date, relative_to=locale.now)
    written, entities = Text().say(text, channel=link(name, post.link), time=time).build()
    return Outgoing(text=written, entities=entities)
