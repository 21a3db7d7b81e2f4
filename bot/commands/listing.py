"""Posts in a list: what was found comes in; a message with a link, a date and an excerpt of each goes out."""

from collections.abc import Sequence

from bot.commands.context import Context
from bot.commands.lookup import show_source
from bot.commands.talk import Rows, message
from bot.models import Outgoing
from bot.rendering.post_excerpt import shown
from bot.search import Hit
from bot.text.markup import Text

PAGE = 5  # posts


def listed(text: Text, hits: Sequence[Hit], context: Context, rows: Rows, *, ending: str = "") -> Outgoing:
    """Append posts to a text, what was found in bold; `ending` is said after them."""
    for hit in hits:
        post = hit.post
        text.add(show_source(post), " · ", context.date(post.date))
        if not post.current:
            earlier = context.t.gettext("earlier wording, {date}")
            text.add(" · ", earlier.format(date=context.date(post.edit_date or post.date)))
        if post.gone_at is not None:
            text.add(" · ", context.t.gettext("no longer visible"))
        words, marks = shown(post.text, post.asides, hit.spans, context.t)
        text.add("\n").marked(words or context.t.gettext("(no text)"), marks).add("\n\n")
    return message(text.add(ending), rows)
