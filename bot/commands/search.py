"""/search: stored posts that a query finds, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.commands.context import CommandError, Context, Reply, Request, remembered, say
from bot.commands.hits import PAGE, ROW, cut, list_posts, next_label, reach_line
from bot.commands.limits import show_namesakes
from bot.commands.past import STEP, Past, past_of
from bot.commands.query_text import read_query
from bot.commands.registry import Section, command, example, tap
from bot.commands.rewriting import or_rows
from bot.commands.rights import Need
from bot.commands.syndication import SyndicatedKind, news_buttons
from bot.locales import N_, Translator
from bot.matching.engine.compiled import Compiled
from bot.matching.query.tree import AllOf, Mention, Query
from bot.matching.similarity.phrase import phrase_of_query
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.search.filters import MESSAGES, FilterError, Order, read, read_limits
from bot.search.pool import WITHIN
from bot.search.searcher import Hit, SearchPage, find_best, find_newest, latest_page, places_of, scope_of
from bot.store import channels, posts, saved_searches
from bot.store.fulltext import Scope
from bot.text.buttons import button
from bot.text.markup import Text, code

MOST_COUNTED = 50  # posts that a search finds
MOST_ROWS = 50_000  # versions looked at for one page: half a second where the words narrow the search, else two
_SHOWN_QUERY = 200  # characters
_SHOWN_VALUE = 60  # characters of a filter that is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """A search ready to run."""

    key: str  # of the update whose answer remembers it
    typed: str
    query: Compiled | None  # None: no words, so every post in the scope is meant
    scope: Scope
    order: Order
    before: int | None = None  # the row before which the page begins; None: at the newest
    skip: int = 0  # hits of a ranking that were shown before
    ranked: int | None = None  # hits that were ranked then; None: all that there are
    note: Text | None = None  # what a name behind `in:` means that could mean two things


@command("search", Section.POSTS, 1, Need.LOOK, N_("find stored posts"), usage=N_("words"))
@example(N_("/search outage bank"), N_("posts with both words, in any form"))
@example(
    N_("/search outage in:@name since:7d"),
    N_("in channels (in:@one, a group, a word of the title), since a day; also until:, order:best, history:yes"),
)
async def search(request: Request, context: Context) -> Reply:
    """Find posts by a query and filters; the first page."""
    if not request.argument:
        t = context.t
        line, first = t.gettext("Write what to look for, for example: {example}"), t.gettext("/search outage bank")
        text = Text().line(line, example=code(first))
        line = t.gettext(
            "Narrow it down with {place}, {start}, {end}. {history} also finds earlier versions of edited posts."
        )
        examples = {
            "place": code(t.gettext("in:@channel")),
            "start": code(t.gettext("since:7d")),
            "end": code(t.gettext("until:2026-01-31")),
            "history": code(t.gettext("history:yes")),
        }
        return say(text.say(line, **examples))
    return await answer(request, context, request.argument)


async def answer(
    request: Request, context: Context, typed: str, *, heading: Text | None = None, comfort: str = ""
) -> Reply:
    """Answer a typed search with its first page, under a heading; the comfort is for who finds nothing."""
    terms = await _read_terms(request.key, typed, context)
    page, track = await _find(terms, context), _track_row(terms, context) if heading is None else ()
    heading = (heading or _heading(typed)).add(_total(page, context.t), await _hint(terms, context), "\n")
    heading.join(terms.note or Text()).add("\n")
    rewritten, past = or_rows(request, typed), await _past(terms, context)
    saved = await saved_searches.find(context.database, context.chat.id, typed)
    news = () if saved is None else (await news_buttons(context.database, SyndicatedKind.SEARCH, saved.id, context),)
    saving = () if saved else ((button(context.t.gettext("Save this search"), "store", request.key),),)
    if not page.hits and page.before is None:
        text = heading.add(await _nothing(terms, context, past), "\n", past.line)
        text.add("\n" if comfort else "", comfort)
        others = () if terms.query is None else ((button(context.t.gettext("Who else?"), "others_of", request.key),),)
        return replace(say(text, (*past.rows, *rewritten, *track, *saving, *others, *news)), memory=typed)
    shown = await _page(page, terms, context, heading, past=past)
    return Reply(messages=(replace(shown, buttons=(*shown.buttons, *saving, *news, *rewritten)),), memory=typed)


def _track_row(terms: SearchTerms, context: Context) -> ButtonRows:
    """Offer to make a topic of a search that finds nothing yet, where it can be one: a topic has no dates."""
    typed = terms.typed
    words = read(typed, now=context.now, zone=context.chat.time_zone).query
    if terms.query is None or words.split() != read_limits(typed).query.split() or not context.offers(Need.INSTANCE):
        return ()
    return ((button(context.t.gettext("Track this"), "name", terms.key),),)


async def find_posts(typed: str, context: Context, *, limit: int) -> Sequence[Hit]:
    """Return the newest posts of a typed search. Raises CommandError where it cannot be read, or answered in time."""
    terms = await _read_terms("", typed, context)
    if terms.query is None:
        return (await _find(terms, context)).hits
    return (await context.ask(find_newest, terms.query, terms.scope, limit=limit, most=MOST_ROWS)).hits


@tap("more", Need.LOOK, rf"[\w-]{{1,40}}(:{ROW}(:\d{{1,3}}(:\d{{1,3}})?)?)?")
async def more(request: Request, context: Context) -> Reply:
    """Show the next page; the button names the answer that remembers the search, and where to go on.

    A third part says how many of a ranking were shown, for such a search is ordered by the best; a fourth, of how many.
    """
    key, *where = request.argument.split(":")
    terms = await _recall_terms(key, context)
    before, skip, ranked = [*map(int, where), None, None, None][:3]
    order = Order.NEWEST if skip is None else Order.BEST
    terms = replace(terms, order=order, before=before, skip=skip or 0, ranked=ranked)
    page = await _find(terms, context)
    if not page.hits and page.before is None:
        raise CommandError(context.own.gettext("That is all."))
    past = await _past(terms, context) if page.before is None else None
    return Reply(messages=(await _page(page, terms, context, past=past),))


@tap("order", Need.LOOK, r"[\w-]{1,40}:(newest|best)")
async def reorder(request: Request, context: Context) -> Reply:
    """Show the first page again in another order, in place of the present one."""
    key, _, order = request.argument.partition(":")
    terms = replace(await _recall_terms(key, context), order=Order(order))
    page = await _find(terms, context)
    labels = {Order.NEWEST: context.t.gettext("the newest first"), Order.BEST: context.t.gettext("the best first")}
    heading = _heading(terms.typed).add(" · ", labels[terms.order], _total(page, context.t), "\n\n")
    return Reply(edit=await _page(page, terms, context, heading, past=await _past(terms, context)))


async def words_of(typed: str, context: Context) -> str:
    """Return the words that a typed search demands. Raises CommandError where it cannot be read."""
    terms = await _read_terms("", typed, context)
    return "" if terms.query is None else phrase_of_query(terms.query.query.root)


def _heading(typed: str) -> Text:
    return Text().add("🔎 ", code(typed[:_SHOWN_QUERY]))


async def _read_terms(key: str, typed: str, context: Context) -> SearchTerms:
    """Read a typed search. Raises CommandError where it cannot be read."""
    try:
        parts = read(typed, now=context.now, zone=context.chat.time_zone)
        scope = await scope_of(context.database, parts.filters, context.viewer)
        places = await places_of(context.database, parts.filters, context.viewer) if parts.filters.channels else []
    except FilterError as error:
        line = context.t.gettext(MESSAGES[error.code])
        raise CommandError(line, value=error.value[:_SHOWN_VALUE]) from None
    note = show_namesakes(zip((each.text for each in parts.filters.channels), places, strict=True), context.t)
    if not parts.query:
        return SearchTerms(key=key, typed=typed, query=None, scope=scope, order=Order.NEWEST, note=note)
    query = await read_query(parts.query, context, typed=typed)
    return SearchTerms(key=key, typed=typed, query=query.compiled, scope=scope, order=parts.filters.order, note=note)


async def _recall_terms(key: str, context: Context) -> SearchTerms:
    """Read the search of an earlier answer again. Raises CommandError."""
    gone = context.own.gettext("This search is too old. Please send it again.")
    typed = await remembered(context.database, context, key, gone)
    return await _read_terms(key, typed, context)


async def _past(terms: SearchTerms, context: Context) -> Past:
    """Describe the archive beside a search; one that only ends somewhere means the time before that."""
    scope = terms.scope
    since = scope.until - STEP if scope.since is None and scope.until is not None else scope.since
    return await past_of(context, scope.channel_ids, since=since)


async def _find(terms: SearchTerms, context: Context) -> SearchPage:
    """Return a page of hits, and where the next one begins."""
    if terms.query is None:
        return await latest_page(context.database, terms.scope, limit=PAGE, before=terms.before)
    asked = (terms.query, terms.scope)
    if terms.order is Order.BEST:
        options: dict[str, object] = {"skip": terms.skip, "before": terms.before, "ranked": terms.ranked}
        if terms.ranked is not None:  # as many shall be found again, even if it was quicker the first time
            options["within"] = 2 * WITHIN
        return await context.ask(find_best, *asked, limit=PAGE, **options)
    limit = (PAGE if terms.before else MOST_COUNTED) + 1
    return cut(await context.ask(find_newest, *asked, limit=limit, before=terms.before, most=MOST_ROWS))


def _total(page: SearchPage, t: Translator) -> str:
    """Return how many posts a search finds, as far as its first page knows; empty where it does not."""
    found = page.ranked or page.found
    if not found:
        return ""
    line = t.ngettext("{n} found", "{n} found", found)
    if page.found > MOST_COUNTED:
        line, found = t.gettext("more than {n} found"), MOST_COUNTED
    elif page.reached is not None:
        line = t.gettext("{n} or more found")
    return " · " + line.format(n=found)


async def _page(
    page: SearchPage, terms: SearchTerms, context: Context, heading: Text | None = None, *, past: Past | None = None
) -> Outgoing:
    """Write a page of hits; the first one, which has a heading, offers the other order, and who said its top hit first.

    The first and the last one say how far back the archive reaches.
    """
    t = context.t
    rows: list[tuple[Button, ...]] = []
    if page.before is not None:
        rows.append((button(next_label(page, t), "more", terms.key, page.before, *_ranking(page, terms)),))
    if heading is not None and terms.query is not None and len(page.hits) >= PAGE:
        newest, best = t.gettext("Newest first"), t.gettext("Best first")
        label, other = (newest, Order.NEWEST) if terms.order is Order.BEST else (best, Order.BEST)
        rows.append((button(label, "order", terms.key, other),))
    if heading is not None and terms.query is not None and page.hits:
        top = page.hits[0].post
        others = button(t.gettext("Who else?"), "others_of", terms.key)
        rows.append((button(t.gettext("Who said it first"), "first", top.channel_id, top.message_id), others))
    endings = [reach_line(page, context), past.line if past is not None else ""]
    if past is not None and page.before is None:
        rows += past.rows
    return await list_posts(heading or Text(), page.hits, context, tuple(rows), ending="\n".join(filter(None, endings)))


def _ranking(page: SearchPage, terms: SearchTerms) -> tuple[int, ...]:
    """Return what a button says of a ranking: how many were shown and, where it ended early, of how many."""
    if terms.order is Order.NEWEST:
        return ()
    return (page.skip, page.ranked) if page.skip and page.reached else (page.skip,)


async def _hint(terms: SearchTerms, context: Context) -> str:
    """Return a line that points from a search for a channel's name to the channel's own posts; empty for others."""
    if terms.query is None or not isinstance(terms.query.query.root, Mention):
        return ""
    channel = await channels.find(context.database, f"@{terms.query.query.root.name}", viewer=context.viewer)
    if channel is None:
        return ""
    line = context.t.gettext("These posts mention it. For its own newest posts: {command}")
    return "\n" + line.format(command=f"/latest @{channel.username}")


async def _nothing(terms: SearchTerms, context: Context, past: Past) -> str:
    t, root = context.t, terms.query.query.root if terms.query else None
    if terms.query is not None and isinstance(root, AllOf) and root.without:
        loose = Compiled(Query(replace(root, without=())), terms.query.forms)
        if (await context.ask(find_newest, loose, terms.scope, limit=1)).hits:
            return t.gettext("Nothing found. Some posts have these words, but your exclusions rule all of them out.")
    if past.is_short:
        return t.gettext("Nothing found in the stored posts.")
    if terms.scope != Scope(history=terms.scope.history, hidden=terms.scope.hidden):
        return t.gettext("Nothing found there. Leave out in:, since: and until: to search all stored posts.")
    count = (await posts.archive_stats(context.database, context.now)).messages
    line = t.ngettext("Nothing found in {n} stored post.", "Nothing found in {n} stored posts.", count)
    return line.format(n=count)
