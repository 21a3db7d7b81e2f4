"""Looking back: a typed search comes in, stored posts go out in pages, with what was found in bold."""

import asyncio
from dataclasses import dataclass, replace

from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.listing import PAGE, listed
from bot.commands.query_text import Understood, refusal, understand
from bot.commands.talk import Reply, Request, Rows, say
from bot.locales import Translator
from bot.matching.engine.compiled import Compiled
from bot.matching.query.parser import Query
from bot.matching.query.tree import AllOf, Mention
from bot.search import Found, Hit, Scope, look, look_for_best
from bot.search.filters import MESSAGES, FilterError, Order, read
from bot.search.scope import scope_of
from bot.store import channels, handled, posts
from bot.text.markup import Text, code

MOST_ROWS = 50_000  # versions looked at for one page: half a second where the words narrow the search, else two
_SHOWN_QUERY = 200  # characters
_SHOWN_VALUE = 60  # characters of a filter that is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search ready to run."""

    typed: str
    query: Compiled | None  # None: no words, so every post in the scope is meant
    scope: Scope
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a page begins."""

    before: int | None = None  # a row; None: at the newest
    skip: int = 0  # hits of a ranking that were shown before


async def search(request: Request, context: Context) -> Reply:
    """Find posts by a query and filters; the first page."""
    if not request.argument:
        return say(_usage(context.t))
    return await answer(request, context, request.argument, heading=_heading(request.argument))


async def answer(request: Request, context: Context, typed: str, *, heading: Text) -> Reply:
    """Answer a typed search with its first page, under a heading."""
    asked = await _understand(typed, context)
    if isinstance(asked, Text):
        return say(asked)
    found = await _find(asked, context, _Place())
    heading.add(await _hint(asked, context), "\n\n")
    if not found.hits and found.before is None:
        return say(heading.add(await _nothing(asked, context)))
    rows = (*_onward(found, asked, request.key, _Place(), context.t), *_orders(found, asked, request.key, context.t))
    return Reply(messages=(listed(heading, found.hits, context, rows, ending=_reached(found, context)),), memory=typed)


async def more(request: Request, context: Context) -> Reply:
    """Show the next page; the button names the answer that remembers the search, and where to go on.

    A third part says how many of a ranking were shown: such a search is ordered by the best.
    """
    key, *where = request.argument.split(":")
    asked = await _remembered(key, context)
    if isinstance(asked, Reply):
        return asked
    before, skip = [*map(int, where), None, None][:2]
    place = _Place(before=before, skip=skip or 0)
    asked = replace(asked, order=Order.NEWEST if skip is None else Order.BEST)
    found = await _find(asked, context, place)
    if not found.hits and found.before is None:
        return Reply(note=context.own.gettext("That was all."))
    rows = _onward(found, asked, key, place, context.t)
    return Reply(messages=(listed(Text(), found.hits, context, rows, ending=_reached(found, context)),))


async def reorder(request: Request, context: Context) -> Reply:
    """Show the first page again in another order, in place of the present one."""
    key, _, order = request.argument.partition(":")
    asked = await _remembered(key, context)
    if isinstance(asked, Reply):
        return asked
    asked = replace(asked, order=Order(order))
    found = await _find(asked, context, _Place())
    rows = (*_onward(found, asked, key, _Place(), context.t), *_orders(found, asked, key, context.t))
    labels = {Order.NEWEST: context.t.gettext("the newest first"), Order.BEST: context.t.gettext("the best first")}
    heading = _heading(asked.typed).add(" · ", labels[asked.order], "\n\n")
    return Reply(edit=listed(heading, found.hits, context, rows, ending=_reached(found, context)))


def _heading(typed: str) -> Text:
    return Text().add("🔎 ", code(typed[:_SHOWN_QUERY]))


async def _understand(typed: str, context: Context) -> Asked | Text:
    """Read a typed search; return a refusal where it cannot be read."""
    try:
        parts = read(typed, now=context.now, zone=context.chat.time_zone)
        scope = await scope_of(context.database, parts.filters)
    except FilterError as error:
        return Text().say(context.t.gettext(MESSAGES[error.code]), value=error.value[:_SHOWN_VALUE])
    if not parts.query:
        return Asked(typed=typed, query=None, scope=scope, order=Order.NEWEST)
    understood = await asyncio.to_thread(understand, parts.query, context.inflector)
    if not isinstance(understood, Understood):
        return refusal(understood, typed, context.t)
    return Asked(typed=typed, query=understood.compiled, scope=scope, order=parts.filters.order)


async def _remembered(key: str, context: Context) -> Asked | Reply:
    kept = await handled.find(context.database, key)
    typed = Reply.from_json(kept).memory if kept is not None else ""
    if not typed:
        return Reply(note=context.own.gettext("This search is too old. Please send it again."))
    asked = await _understand(typed, context)
    return say(asked) if isinstance(asked, Text) else asked


async def _find(asked: Asked, context: Context, place: _Place) -> Found:
    """Return a page of hits, and where the next one begins."""
    if asked.query is None:
        return await _newest_of(asked.scope, context, place)
    if asked.order is Order.BEST:
        best = await look_for_best(
            context.database, asked.query, asked.scope, limit=PAGE, skip=place.skip, before=place.before
        )
        if best.hits or place.skip:
            return best
    found = await look(context.database, asked.query, asked.scope, limit=PAGE + 1, before=place.before, most=MOST_ROWS)
    shown = found.hits[:PAGE]
    if len(found.hits) == len(shown):
        return found
    return Found(hits=shown, looked=found.looked, before=shown[-1].post.version_id)


async def _newest_of(scope: Scope, context: Context, place: _Place) -> Found:
    found = await posts.latest(
        context.database,
        limit=PAGE + 1,
        channel_ids=scope.channel_ids,
        before=place.before,
        since=scope.since,
        until=scope.until,
    )
    shown = tuple(Hit(post=post, spans=()) for post in found[:PAGE])
    return Found(hits=shown, looked=len(shown), before=shown[-1].post.id if len(found) > PAGE else None)


def _onward(found: Found, asked: Asked, key: str, place: _Place, t: Translator) -> Rows:
    if found.before is None:
        return ()
    label = t.gettext("Look further") if found.reached and not found.ranked else t.gettext("More")
    skip = () if asked.order is Order.NEWEST else (place.skip + len(found.hits),)
    return ((button(label, "more", key, found.before, *skip),),)


def _orders(found: Found, asked: Asked, key: str, t: Translator) -> Rows:
    if asked.query is None or len(found.hits) < PAGE:
        return ()
    if asked.order is Order.BEST:
        return ((button(t.gettext("The newest first"), "order", key, Order.NEWEST),),)
    return ((button(t.gettext("The best first"), "order", key, Order.BEST),),)


def _reached(found: Found, context: Context) -> str:
    """Say how far a search came, or a ranking, that stopped before the end."""
    if found.reached is None:
        return ""
    line = context.t.gettext("I have looked through {n} posts, back to {date}. There may be older ones.")
    if found.ranked:
        line = context.t.gettext("These are the best of the {n} newest finds, back to {date}. There may be older ones.")
    count = f"{found.ranked or found.looked:,}".replace(",", "\N{NO-BREAK SPACE}")
    return line.format(n=count, date=context.date(found.reached))


async def _hint(asked: Asked, context: Context) -> str:
    """Tell those who look for a channel's name where its posts are."""
    if asked.query is None or not isinstance(asked.query.query.root, Mention):
        return ""
    channel = await channels.find(context.database, f"@{asked.query.query.root.name}")
    if channel is None:
        return ""
    line = context.t.gettext("These posts mention it. Its own newest posts: {command}")
    return "\n" + line.format(command=f"/latest @{channel.username}")


async def _nothing(asked: Asked, context: Context) -> str:
    t = context.t
    if asked.query is not None and await _is_emptied(asked.query, asked.scope, context):
        return t.gettext("Nothing found. There are posts with these words, but your exclusions leave none of them.")
    if asked.scope != Scope(history=asked.scope.history):
        return t.gettext("Nothing found there. Leave in:, since: and until: out to look through all stored posts.")
    count = (await posts.statistics(context.database, context.now)).messages
    line = t.ngettext("Nothing found in the {n} stored post.", "Nothing found in the {n} stored posts.", count)
    return line.format(n=count)


async def _is_emptied(query: Compiled, scope: Scope, context: Context) -> bool:
    """Tell whether a query without its exclusions finds something."""
    root = query.query.root
    if not (isinstance(root, AllOf) and root.without):
        return False
    loose = Compiled(Query(replace(root, without=())), query.forms)
    return bool((await look(context.database, loose, scope, limit=1)).hits)


def _usage(t: Translator) -> Text:
    text = Text().line(
        t.gettext("Write what to look for, for example: {example}"), example=code(t.gettext("/search outage bank"))
    )
    narrow = t.gettext("Narrow it with {place}, {start}, {end}. {history} also finds what posts said before an edit.")
    return text.say(
        narrow,
        place=code(t.gettext("in:@channel")),
        start=code(t.gettext("since:7d")),
        end=code(t.gettext("until:2026-01-31")),
        history=code(t.gettext("history:yes")),
    )
