"""The text of a post as messages and lists show it: an excerpt with its matches, all of it, two versions side by side.

Each part of a post that is shown stands on a line of its own, which begins with what it is: «Poll: …».
"""

from collections.abc import Iterable, Sequence

from bot.locales import Translator
from bot.locales.locale import part_title
from bot.matching.similarity.diff import changed_places
from bot.models import TOLD, StoredPost
from bot.parts import Part, PartMatch, Spans, common_parts, split_spans, worded_parts
from bot.text.excerpts import cut_excerpt
from bot.text.markup import Text, one_line
from bot.text.spans import Span

EXCERPT = 280  # characters of a post in a list
NOW, BEFORE = 1200, 600  # UTF-16 units of what a passage says now, and said before
_MOST_PARTS = 3

Wording = tuple[str, Sequence[Part]]  # the text and the parts of one version


def excerpt_post(
    text: str, parts: Sequence[Part], spans: Sequence[Span], t: Translator, *, room: int = EXCERPT
) -> tuple[str, Spans]:
    """Return an excerpt of a post, and the spans in it.

    `spans` are places in the text together with its parts. A post without a text is shown by its parts.
    """
    own, matches = split_spans(text, parts, spans)
    if not text.strip():
        text, matches = "", matches or tuple(PartMatch(part=part, spans=()) for part in parts[:1])
    return add_part_lines(*cut_excerpt(text, own, room=room), matches, t, room=room)


def add_part_lines(
    text: str, spans: Spans, matches: Sequence[PartMatch], t: Translator, *, room: int = EXCERPT
) -> tuple[str, Spans]:
    """Return a text and its spans with a line for each of the first parts in which something was found."""
    for match in matches[:_MOST_PARTS]:
        line, found = cut_excerpt(match.part.text, match.spans, room=room)
        text += ("\n" if text else "") + f"{part_title(match.part.kind, t)}: "
        spans = (*spans, *((len(text) + start, len(text) + end) for start, end in found))
        text += line
    return text, spans


def full_text(text: str, parts: Iterable[Part], t: Translator) -> str:
    """Return the text of a post and its parts, each on a line."""
    lines = (f"{part_title(part.kind, t)}: {part.text}" for part in parts)
    return "\n".join(filter(str.strip, (text, *lines)))


def comparable_texts(before: Wording, after: Wording, t: Translator) -> tuple[str, str]:
    """Return two versions of a post so that their difference shows: with parts only where words in these changed.

    A part that only one version has may still load for the other; where the texts are the same, it was removed.
    """
    old = worded_parts(before[1]) if before[0] == after[0] else common_parts(before[1], after[1])
    new = common_parts(after[1], before[1])
    if sorted(old) == sorted(new):
        return before[0], after[0]
    return full_text(before[0], old, t), full_text(after[0], new, t)


def show_changes(before: str, after: str, t: Translator) -> Text:
    """Write what has changed in a text: each passage as it is now, then on a line of its own as it was before.

    It reads well where formatting is lost: lock screens show none. Changed numbers and names come first.
    """
    text = Text()
    for place in changed_places(before, after):
        text.add("\n" if text else "")
        if place.now:
            text.join(place.now.cut(NOW)).add("\n" if place.before else "")
        if place.before:
            text.say(t.gettext("before: {words}"), words=one_line(place.before, BEFORE))
    return text


def gone_sentence(post: StoredPost, t: Translator) -> str:
    """Return what became of a post that is gone, with a field for our `{time}`; neither says who removed it."""
    if post.gone_by in TOLD:
        return t.gettext("Deleted, Telegram told us {time}")
    return t.gettext("Missing when read again {time}")


def channel_name(post: StoredPost, room: int) -> str:
    """Return the title of a post's channel in at most `room` UTF-16 units; of one without a title its other name."""
    return one_line(post.channel_title, room) or post.channel_username or str(post.channel_id)


def author_note(author: str, title: str, t: Translator) -> str:
    """Return «by NAME» for the author of a post in the channel of this title; empty where nobody is named.

    Anonymous admins of a supergroup bear its name. That says nothing more: any member can call themselves so, too.
    """
    return "" if author in {"", title} else t.gettext("by {name}").format(name=author)
