"""Found posts for any chat: whoever is paired types the bot's name and words in it, and chooses one to send."""

from bot.commands.context import Context, message
from bot.commands.lookup import show_source
from bot.commands.search import find_posts
from bot.models.outgoing import OfferedPost
from bot.rendering.post_text import channel_name, excerpt_post
from bot.text.markup import LIMIT, Text, one_line

SHORTEST = 3  # characters of a search: each letter that is typed may ask anew
MOST = 10  # posts
_DESCRIPTION = 120  # UTF-16 units
_ROOM = LIMIT - 300  # characters of a post, below its heading
_NAME = 60  # UTF-16 units of a channel's title


async def offer(typed: str, context: Context) -> tuple[OfferedPost, ...]:
    """Find the newest posts of a typed search, with filters as in /search. Raises CommandError."""
    if len(typed.strip()) < SHORTEST:
        return ()
    t, offered = context.t, list[OfferedPost]()
    for hit in await find_posts(typed, context, limit=MOST):
        post, date = hit.post, context.date(hit.post.date)
        excerpt, _ = excerpt_post(post.text, post.parts, hit.spans, t)
        whole, _ = excerpt_post(post.text, post.parts, (), t, room=_ROOM)
        text = Text().add(show_source(post), " · ", date, "\n", whole or t.gettext("(no text)"))
        offered.append(
            OfferedPost(
                key=str(post.version_id),
                title=f"{channel_name(post, _NAME)} · {date}",
                description=one_line(excerpt, _DESCRIPTION),
                message=message(text),
            )
        )
    return tuple(offered)
