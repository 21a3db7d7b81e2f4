"""Posts in a list: what was found comes in; a message with a link, a date and an excerpt of each goes out."""

from collections.abc import Sequence

from bot.commands.context import Context
from bot.commands.excerpt import excerpt
from bot.commands.talk import Rows, message
from bot.locales import Translator
from bot.markup import Text, link
from bot.models import Outgoing
from bot.search import Hit
from bot.store.posts import StoredPost

PAGE = 5  # posts
_TITLE = 60  # characters of a channel's title


def listed(text: Text, hits: Sequence[Hit], context: Context, rows: Rows, *, ending: str = "") -> Outgoing:
    """Append posts to a text, what was found in bold; `ending` is said after them."""
    for hit in hits:
        post = hit.post
        text.add(link(" ".join(post.channel_title.split())[:_TITLE], post.link), " · ", context.date(post.date))
        if not post.current:
            earlier = context.t.gettext("earlier wording, {date}")
            text.add(" · ", earlier.format(date=context.date(post.edit_date or post.date)))
        if post.gone_at is not None:
            text.add(" · ", context.t.gettext("no longer visible"))
        text.add("\n").marked(*excerpt(_words(post, context.t), hit.spans)).add("\n\n")
    return message(text.add(ending), rows)


def _words(post: StoredPost, t: Translator) -> str:
    return post.text if post.text.strip() else t.gettext("(no text)")
