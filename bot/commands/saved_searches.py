"""/searches: the searches that this chat has saved, each to be run at a tap."""

from bot.commands import search
from bot.commands.context import CommandError, Context, Reply, Request, message, remembered, show, writes
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.locales import N_
from bot.models.outgoing import Outgoing
from bot.store import saved_searches
from bot.store.database import Reader, Transaction
from bot.text.buttons import button
from bot.text.markup import Text, bold

_ID = r"\d{1,15}"
_LONGEST = 40  # characters of a search on a button


@command("searches", Section.POSTS, 4, Need.LOOK, N_("saved searches"))
@example(
    "/searches",
    N_("the saved searches of this chat, each run with a tap; under its posts is RSS, where the server offers it"),
)
async def searches(request: Request, context: Context) -> Reply:
    """Show the saved searches."""
    return show(request, await _screen(context.database, context))


@tap("store", Need.CHAT, r"[\w-]{1,40}")
@writes
async def store(request: Request, context: Context, tx: Transaction) -> Reply:
    """Save the search of the answer that the button names."""
    own = context.own
    gone = own.gettext("This search is too old. Please send it again.")
    typed = await remembered(tx, context, request.argument, gone)
    if not await saved_searches.save(tx, context.chat.id, typed, now=context.now):
        raise CommandError(own.gettext("This chat has too many saved searches. Remove some in /searches."))
    return Reply(note=own.gettext("Saved. /searches shows it."))


@tap("run", Need.LOOK, _ID)
async def run(request: Request, context: Context) -> Reply:
    """Run a saved search."""
    saved = await saved_searches.get(context.database, context.chat.id, int(request.argument))
    if saved is None:
        raise outdated(context)
    return await search.answer(request, context, saved.typed)


@tap("unstore", Need.CHAT, _ID)
@writes
async def unstore(request: Request, context: Context, tx: Transaction) -> Reply:
    """Forget a saved search, and draw the list again."""
    await saved_searches.drop(tx, context.chat.id, int(request.argument))
    return Reply(edit=await _screen(tx, context))


async def _screen(db: Reader, context: Context) -> Outgoing:
    t, saved = context.t, await saved_searches.of_chat(db, context.chat.id)
    if not saved:
        return message(
            t.gettext("No searches are saved in this chat yet. Under the results of a search, tap «Save this search».")
        )
    text = Text().add(bold(t.gettext("Saved searches")), "\n")
    for number, each in enumerate(saved, start=1):
        text.add(f"\n{number}. ", each.typed[: 2 * _LONGEST])
    rows = [
        (button(f"🔎 {number}. {each.typed}"[:_LONGEST], "run", each.id), button(f"🗑 {number}", "unstore", each.id))
        for number, each in enumerate(saved, start=1)
    ]
    return message(text, tuple(rows))
