"""Who said first what a post says and how it spread, and more posts like it: buttons under alerts and posts."""

from bot.charts.spread import show_spread
from bot.commands.context import Context, Reply, Request, message, remembered, say
from bot.commands.hits import list_posts
from bot.commands.lookup import show_source
from bot.commands.post import stored
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.commands.stats import theme_button, theme_of, with_chart
from bot.locales.locale import show_span
from bot.models import PostKey, StoredPost
from bot.models.outgoing import ButtonRows, Theme
from bot.search.alike import Alike, find_like, find_spread, wording
from bot.search.searcher import Hit
from bot.text.buttons import POST, button
from bot.text.markup import Text, bold
from bot.text.pages import page_of

_PAGE = 20  # posts
_MOST_LIKE = 5  # posts, each with its text


@tap("first", Need.LOOK, rf"{POST}(:\d{{1,3}})?")
async def spread(request: Request, context: Context) -> Reply:
    """List the posts that say the same as that of the button, the oldest first, each with its delay."""
    channel_id, message_id, *turned = request.argument.split(":")
    post = await _post_of(channel_id, message_id, context)
    found = await context.ask(find_spread, post, await context.scope())
    t, first = context.t, found.posts[0]
    text = Text().add(bold(t.gettext("Who said it first")), "\n\n")
    if len(found.posts) == 1:
        text.line(t.gettext("No other stored post from within three days says the same."))
        return say(text.join(_ending(found, context)))
    page = page_of(found.posts, int(turned[0]) if turned else 0, _PAGE)
    for number, each in enumerate(page.items, start=page.start + 1):
        after = show_span((each.date - first.date).total_seconds(), t)
        when = context.date(each.date) if each is first else f"+{after}"
        text.add(f"{number}. ", show_source(each), f" · {when}", " · ↪" if each.forward else "")
        text.add(" ◀" if (each.channel_id, each.key) == (post.channel_id, post.key) else "", "\n")
    row = (
        button(t.gettext("Show the first post"), "post", first.channel_id, first.message_id),
        button(t.gettext("As a chart"), "spread", channel_id, message_id),
    )
    turns = page.turns("first", channel_id, message_id)
    screen = message(text.add("\n").join(_ending(found, context)), (*turns, row))
    return Reply(edit=screen) if turned else Reply(messages=(screen,))


@tap("spread", Need.LOOK, rf"{POST}(:({'|'.join(Theme)}))?")
async def spread_chart(request: Request, context: Context) -> Reply:
    """Show how fast the posts that say the same followed the first one, as a chart below the list."""
    channel_id, message_id, *chosen = request.argument.split(":")
    post = await _post_of(channel_id, message_id, context)
    found = await context.ask(find_spread, post, await context.scope())
    chart, text = show_spread(found.posts, context.locale)
    theme = await theme_of(chosen, context)
    row = (theme_button(theme, "spread", channel_id, message_id),)
    screen = await with_chart(chart, text.join(_ending(found, context)), theme, (row,), context)
    return Reply(edit=screen) if chosen else Reply(messages=(screen,))


@tap("like", Need.LOOK, POST)
async def like(request: Request, context: Context) -> Reply:
    """Show the posts that are most like that of the button."""
    channel_id, message_id = request.argument.split(":")
    post = await _post_of(channel_id, message_id, context)
    return await like_text(wording(post), context, but=(post.channel_id, post.key))


@tap("alike", Need.LOOK, r"[\w-]{1,40}")
async def alike(request: Request, context: Context) -> Reply:
    """Show the posts that are most like the forwarded text which the answer of the button remembers."""
    gone = context.own.gettext("This button no longer works.")
    text = await remembered(context.database, context, request.argument, gone)
    return await like_text(text, context)


async def like_text(text: str, context: Context, *, but: PostKey | None = None, rows: ButtonRows = ()) -> Reply:
    """Show the posts that are most like a text, without the one that says it."""
    t, found = context.t, await context.ask(find_like, text, await context.scope(), limit=_MOST_LIKE, but=but)
    ending, _ = _ending(found, context).build()
    if not found.posts:
        line = t.gettext("No other stored post is similar.") if but else t.gettext("No stored post is similar.")
        return say(Text().add(line, "\n", ending), rows)
    heading = Text().add(bold(t.gettext("More like this")), "\n\n")
    hits = [Hit(post=each, spans=()) for each in found.posts]
    return Reply(messages=(await list_posts(heading, hits, context, rows, ending=ending),))


async def _post_of(channel_id: str, message_id: str, context: Context) -> StoredPost:
    """Return the message with the text of the post that a button names. Raises CommandError."""
    items = await stored(int(channel_id), int(message_id), context)
    return next((item for item in items if item.whole.strip()), items[0])


def _ending(found: Alike, context: Context) -> Text:
    if found.reached is None:
        return Text()
    line = context.t.gettext("I searched back to {date} only; there may be older ones.")
    return Text().say(line, date=context.date(found.reached))
