"""/search and /latest: stored posts in pages, with the words that were found in bold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.commands.context import CommandError, Context, Need, Reply, Request, memory_of, message, say
from bot.commands.keyboards import button
from bot.commands.lookup import find_topic, show_source, topics_of, unknown_name
from bot.commands.query_text import read_query
from bot.commands.registry import Section, command, example, tap
from bot.locales import N_, Translator
from bot.locales.titles import topic_title
from bot.matching.engine.compiled import Compiled
from bot.matching.query.parser import Query
from bot.matching.query.tree import AllOf, Mention
from bot.models import ButtonRows, Outgoing
from bot.models.posts import StoredPost
from bot.rendering.post_text import excerpt_post
from bot.search import Hit, Scope, SearchPage, find_best, find_newest
from bot.search.filters import MESSAGES, FilterError, Order, read
from bot.search.searcher import scope_of
from bot.store import channels, posts
from bot.text.markup import Text, bold, code
from bot.text.spans import merge_spans

PAGE = 5  # posts
_ROW = r"\d{1,18}"  # the number of a row: with more digits it may be more than the store takes
MOST_ROWS = 50_000  # versions looked at for one page: half a second where the words narrow the search, else two
_SHOWN_QUERY = 200  # characters
_SHOWN_VALUE = 60  # characters of a filter that is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedSearch:
    """A search ready to run."""

    key: str  # of the update whose answer remembers it
    typed: str
    query: Compiled | None  # None: no words, so every post in the scope is meant
    scope: Scope
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Where a page begins."""

    before: int | None = None  # a row; None: at the newest
    skip: int = 0  # hits of a ranking that were shown before


@command("search", Section.POSTS, 1, Need.LOOK, N_("find stored posts"), usage=N_("words"))
@example(N_("/search outage bank"), N_("posts with both words, in any form"))
@example(
    N_("/search outage in:@name since:7d"),
    N_("in channels (in:@one, @two or a title), since a day; also until:, order:best, history:yes"),
)
async def search(request: Request, context: Context) -> Reply:
    """Find posts by a query and filters; the first page."""
    if not request.argument:
        return say(_usage(context.t))
    return await answer(request, context, request.argument, heading=_heading(request.argument))


async def answer(request: Request, context: Context, typed: str, *, heading: Text) -> Reply:
    """Answer a typed search with its first page, under a heading."""
    asked = await _understand(request.key, typed, context)
    found = await _find(asked, context, _Start())
    heading.add(await _hint(asked, context), "\n\n")
    if not found.hits and found.before is None:
        return say(heading.add(await _nothing(asked, context)))
    return Reply(messages=(_page(found, asked, _Start(), context, heading),), memory=typed)


@tap("more", Need.LOOK, rf"[\w-]{{1,40}}(:{_ROW}(:\d{{1,3}})?)?")
async def more(request: Request, context: Context) -> Reply:
    """Show the next page; the button names the answer that remembers the search, and where to go on.

    A third part says how many of a ranking were shown: such a search is ordered by the best.
    """
    key, *where = request.argument.split(":")
    asked = await _remembered(key, context)
    before, skip = [*map(int, where), None, None][:2]
    start = _Start(before=before, skip=skip or 0)
    asked = replace(asked, order=Order.NEWEST if skip is None else Order.BEST)
    found = await _find(asked, context, start)
    if not found.hits and found.before is None:
        raise CommandError(context.own.gettext("That was all."))
    return Reply(messages=(_page(found, asked, start, context),))


@tap("order", Need.LOOK, r"[\w-]{1,40}:(newest|best)")
async def reorder(request: Request, context: Context) -> Reply:
    """Show the first page again in another order, in place of the present one."""
    key, _, order = request.argument.partition(":")
    asked = await _remembered(key, context)
    asked = replace(asked, order=Order(order))
    found = await _find(asked, context, _Start())
    labels = {Order.NEWEST: context.t.gettext("the newest first"), Order.BEST: context.t.gettext("the best first")}
    heading = _heading(asked.typed).add(" · ", labels[asked.order], "\n\n")
    return Reply(edit=_page(found, asked, _Start(), context, heading))


def _heading(typed: str) -> Text:
    return Text().add("🔎 ", code(typed[:_SHOWN_QUERY]))


async def _understand(key: str, typed: str, context: Context) -> TypedSearch:
    """Read a typed search. Raises CommandError where it cannot be read."""
    try:
        parts = read(typed, now=context.now, zone=context.chat.time_zone)
        scope = await scope_of(context.database, parts.filters)
    except FilterError as error:
        line = context.t.gettext(MESSAGES[error.code])
        raise CommandError(Text().say(line, value=error.value[:_SHOWN_VALUE])) from None
    if not parts.query:
        return TypedSearch(key=key, typed=typed, query=None, scope=scope, order=Order.NEWEST)
    query = await read_query(parts.query, context, typed=typed)
    return TypedSearch(key=key, typed=typed, query=query.compiled, scope=scope, order=parts.filters.order)


async def _remembered(key: str, context: Context) -> TypedSearch:
    """Read the search of an earlier answer again. Raises CommandError."""
    typed = await memory_of(context.database, key)
    if not typed:
        raise CommandError(context.own.gettext("This search is too old. Please send it again."))
    return await _understand(key, typed, context)


async def _find(asked: TypedSearch, context: Context, start: _Start) -> SearchPage:
    """Return a page of hits, and where the next one begins."""
    if asked.query is None:
        return await _newest_of(asked.scope, context, start)
    if asked.order is Order.BEST:
        best = await find_best(
            context.database, asked.query, asked.scope, limit=PAGE, skip=start.skip, before=start.before
        )
        if best.hits or start.skip:
            return best
    found = await find_newest(
        context.database, asked.query, asked.scope, limit=PAGE + 1, before=start.before, most=MOST_ROWS
    )
    shown = found.hits[:PAGE]
    if len(found.hits) == len(shown):
        return found
    return SearchPage(hits=shown, looked=found.looked, before=shown[-1].post.version_id)


async def _newest_of(scope: Scope, context: Context, start: _Start) -> SearchPage:
    found = await posts.latest(
        context.database,
        limit=PAGE + 1,
        channel_ids=scope.channel_ids,
        before=start.before,
        since=scope.since,
        until=scope.until,
    )
    shown = tuple(Hit(post=post, spans=()) for post in found[:PAGE])
    return SearchPage(hits=shown, looked=len(shown), before=shown[-1].post.id if len(found) > PAGE else None)


def _page(
    found: SearchPage, asked: TypedSearch, start: _Start, context: Context, heading: Text | None = None
) -> Outgoing:
    """Write a page of hits; the first one, which has a heading, offers the other order too."""
    t, rows = context.t, []
    if found.before is not None:
        label = t.gettext("Look further") if found.reached and not found.ranked else t.gettext("More")
        skip = () if asked.order is Order.NEWEST else (start.skip + len(found.hits),)
        rows.append((button(label, "more", asked.key, found.before, *skip),))
    if heading is not None and asked.query is not None and len(found.hits) >= PAGE:
        newest, best = t.gettext("The newest first"), t.gettext("The best first")
        label, other = (newest, Order.NEWEST) if asked.order is Order.BEST else (best, Order.BEST)
        rows.append((button(label, "order", asked.key, other),))
    return list_posts(heading or Text(), found.hits, context, tuple(rows), ending=_reached(found, context))


def _reached(found: SearchPage, context: Context) -> str:
    """Say how far a search came, or a ranking, that stopped before the end."""
    if found.reached is None:
        return ""
    line = context.t.gettext("I have looked through {n} posts, back to {date}. There may be older ones.")
    if found.ranked:
        line = context.t.gettext("These are the best of the {n} newest finds, back to {date}. There may be older ones.")
    count = f"{found.ranked or found.looked:,}".replace(",", "\N{NO-BREAK SPACE}")
    return line.format(n=count, date=context.date(found.reached))


async def _hint(asked: TypedSearch, context: Context) -> str:
    """Tell those who look for a channel's name where its posts are."""
    if asked.query is None or not isinstance(asked.query.query.root, Mention):
        return ""
    channel = await channels.find(context.database, f"@{asked.query.query.root.name}")
    if channel is None:
        return ""
    line = context.t.gettext("These posts mention it. Its own newest posts: {command}")
    return "\n" + line.format(command=f"/latest @{channel.username}")


async def _nothing(asked: TypedSearch, context: Context) -> str:
    t = context.t
    if asked.query is not None and await _is_emptied(asked.query, asked.scope, context):
        return t.gettext("Nothing found. There are posts with these words, but your exclusions leave none of them.")
    if asked.scope != Scope(history=asked.scope.history):
        return t.gettext("Nothing found there. Leave in:, since: and until: out to look through all stored posts.")
    count = (await posts.archive_stats(context.database, context.now)).messages
    line = t.ngettext("Nothing found in the {n} stored post.", "Nothing found in the {n} stored posts.", count)
    return line.format(n=count)


async def _is_emptied(query: Compiled, scope: Scope, context: Context) -> bool:
    """Tell whether a query without its exclusions finds something."""
    root = query.query.root
    if not (isinstance(root, AllOf) and root.without):
        return False
    loose = Compiled(Query(replace(root, without=())), query.forms)
    return bool((await find_newest(context.database, loose, scope, limit=1)).hits)


def list_posts(text: Text, hits: Sequence[Hit], context: Context, rows: ButtonRows, *, ending: str = "") -> Outgoing:
    """Append posts to a text, what was found in bold; `ending` is said after them."""
    for hit in hits:
        post = hit.post
        text.add(show_source(post), " · ", context.date(post.date))
        if not post.is_current:
            earlier = context.t.gettext("earlier wording, {date}")
            text.add(" · ", earlier.format(date=context.date(post.edit_date or post.date)))
        if post.gone_at is not None:
            text.add(" · ", context.t.gettext("no longer visible"))
        words, marks = excerpt_post(post.text, post.parts, hit.spans, context.t)
        text.add("\n").marked(words or context.t.gettext("(no text)"), marks).add("\n\n")
    return message(text.add(ending), rows)


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


@command("latest", Section.POSTS, 2, Need.LOOK, N_("the newest posts"), usage=N_("@name"))
@example("/latest", N_("the newest posts of all channels"))
@example(N_("/latest @name"), N_("those of one channel, or of a topic"))
async def latest(request: Request, context: Context) -> Reply:
    """Show the newest posts of all channels, of one, or on a topic."""
    if not request.argument:
        return await _latest(context, channel_id=None, before=None)
    channel = await channels.find(context.database, request.argument)
    if channel is not None:
        return await _latest(context, channel_id=channel.id, before=None)
    topic = None if request.argument.startswith("@") else await find_topic(context.database, request.argument)
    if topic is not None:
        heading = Text().add(bold(topic_title(topic.name, context.t)))
        return await answer(request, context, topic.query, heading=heading)
    raise CommandError(unknown_name(request.argument, context.t))


@tap("latest", Need.LOOK, rf"\d{{1,15}}:{_ROW}")
async def more_latest(request: Request, context: Context) -> Reply:
    """Show the next page of the newest posts; the button says of which channel, 0 for all, and before which row."""
    channel_id, before = map(int, request.argument.split(":"))
    return await _latest(context, channel_id=channel_id or None, before=before)


@tap("seen", Need.LOOK, rf"\d{{1,15}}(:{_ROW})?")
async def seen(request: Request, context: Context) -> Reply:
    """List what this chat would have been alerted to in the stored posts of a channel; a page at a time."""
    number, _, before = request.argument.partition(":")
    found = await _would_have(context, int(number), before=int(before) if before else None)
    if not found:
        if before:
            raise CommandError(context.own.gettext("That was all."))
        return say(context.t.gettext("Nothing that I have stored of it fits the topics of this chat."))
    return _latest_page(found, context, "seen", number)


async def _latest(context: Context, *, channel_id: int | None, before: int | None) -> Reply:
    channel_ids = None if channel_id is None else [channel_id]
    found = await posts.latest(context.database, channel_ids=channel_ids, limit=PAGE + 1, before=before)
    if not found:
        return say(context.t.gettext("There are no posts here yet."))
    hits = [Hit(post=post, spans=()) for post in found]
    return _latest_page(hits, context, "latest", channel_id or 0, place=lambda post: post.id)


def _latest_page(
    found: Sequence[Hit],
    context: Context,
    verb: str,
    key: str | int,
    *,
    place: Callable[[StoredPost], int] = lambda post: post.version_id,
) -> Reply:
    """Write a page of posts; where there is one more, a button asks for those after the `place` of the last."""
    shown = found[:PAGE]
    onward = button(context.t.gettext("More"), verb, key, place(shown[-1].post))
    return Reply(messages=(list_posts(Text(), shown, context, ((onward,),) if len(found) > PAGE else ()),))


async def _would_have(context: Context, channel_id: int, *, before: int | None) -> list[Hit]:
    """Return up to a page and one of posts in which a topic of this chat is found, newest first; an album once."""
    found: dict[str, Hit] = {}
    for topic in await topics_of(context.database, context.chat.id):
        query, scope = Compiled.from_json(topic.compiled), Scope(channel_ids=(channel_id,))
        for hit in (await find_newest(context.database, query, scope, limit=PAGE + 1, before=before)).hits:
            found[hit.post.key] = _joined(found.get(hit.post.key), hit)
    return sorted(found.values(), key=lambda hit: hit.post.version_id, reverse=True)[: PAGE + 1]


def _joined(one: Hit | None, other: Hit) -> Hit:
    """Put together what two topics found in the same message; of two messages of an album the later one stands."""
    if one is None or one.post.version_id != other.post.version_id:
        return max(one or other, other, key=lambda hit: hit.post.version_id)
    return Hit(post=one.post, spans=merge_spans([*one.spans, *other.spans]))
