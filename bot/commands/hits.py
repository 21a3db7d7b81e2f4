"""Found posts as a message: a list in pages of five, each with where and when, and the found words in bold."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.commands.context import Context, message
from bot.commands.lookup import show_source
from bot.locales import Translator
from bot.locales.locale import gone_words
from bot.models import StoredPost
from bot.models.outgoing import ButtonRows, Outgoing
from bot.rendering.post_text import excerpt_post
from bot.search.searcher import Hit, SearchPage
from bot.store import posts
from bot.text.buttons import button
from bot.text.markup import Text, one_line

PAGE = 5  # posts
ROW = r"\d{1,18}"  # the number of a row: with more digits it may be more than the store takes
_LONGEST_ORIGIN = 40  # UTF-16 units of the name of a forwarded post's author


def cut(page: SearchPage) -> SearchPage:
    """Leave the hits of a page that fit, and count them all; the next page begins after the last version shown."""
    if len(page.hits) <= PAGE:
        return replace(page, found=len(page.hits))
    before = page.hits[PAGE - 1].post.version_id
    return SearchPage(hits=page.hits[:PAGE], examined=page.examined, before=before, found=len(page.hits))


def next_label(page: SearchPage, t: Translator) -> str:
    """Return the words on the button that shows the next page."""
    return t.gettext("Search further back") if page.reached and not page.skip else t.gettext("More")


def reach_line(page: SearchPage, context: Context) -> str:
    """Return a line on how far a search came that stopped before the oldest post; empty for a complete one."""
    if page.reached is None:
        return ""
    line = context.t.gettext("I searched {n} posts, back to {date}. There may be older ones.")
    if page.ranked:
        line = context.t.gettext(
            "These are the best of the {n} newest results, back to {date}. There may be older ones."
        )
    count = f"{page.ranked or page.examined:,}".replace(",", "\N{NO-BREAK SPACE}")
    return line.format(n=count, date=context.date(page.reached))


async def list_posts(  # noqa: PLR0913 - a list, and what stands around it
    text: Text, hits: Sequence[Hit], context: Context, rows: ButtonRows, *, ending: str = "", numbered: bool = True
) -> Outgoing:
    """Append posts to a text, what is to be known of each, the found words in bold, and then the `ending`.

    Where they are `numbered`, a button with the number of each shows all of it.
    """
    data = [(hit.post.channel_id, hit.post.message_id) for hit in hits] if numbered else []
    numbers = tuple(button(f"{number}", "post", *post) for number, post in enumerate(data, start=1))
    versions = await posts.count_versions(context.database, [hit.post for hit in hits])
    for number, hit in enumerate(hits, start=1):
        post = hit.post
        text.add(f"{number}. " if numbered else "", show_source(post), " · ", context.date(post.date))
        for note in _notes(post, versions[post.channel_id, post.message_id], context):
            text.add(" · ", note)
        words, marks = excerpt_post(post.text, post.parts, hit.spans, context.t)
        text.add("\n").marked(words or context.t.gettext("(no text)"), marks).add("\n\n")
    return message(text.add(ending), (numbers, *rows) if numbers else rows)


def _notes(post: StoredPost, versions: int, context: Context) -> Iterator[str]:
    """Yield where a post comes from, how it was edited, and whether it is gone."""
    t = context.t
    if post.forward is not None:
        yield "↪ " + (one_line(post.forward.name or "", _LONGEST_ORIGIN) or t.gettext("another channel"))
    if not post.is_current:
        yield t.gettext("earlier wording, {date}").format(date=context.date(post.edit_date or post.date))
    if versions > 1:
        yield "✏️ " + t.ngettext("{n} version", "{n} versions", versions).format(n=versions)
    elif post.edit_date is not None:
        yield "✏️ " + t.gettext("edited")
    if post.gone_at is not None:
        yield "🗑 " + gone_words(post, t)
