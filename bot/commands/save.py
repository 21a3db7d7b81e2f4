"""/save: a post goes into a case, from under an alert, in reply to a post, or by its link."""

from bot.commands import post as post_screen
from bot.commands.context import CommandError, Context, Effect, Reply, Request, change, message, show, writes
from bot.commands.lookup import LONGEST_NAME, may_change_case, need_case, offers_case, show_source, unquoted
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.models import StoredPost
from bot.models.acts import CaseOpened, PostSaved
from bot.models.outgoing import Outgoing
from bot.rendering.captures import capture_sentence
from bot.store import acts, captures, cases
from bot.store.acts import Rows
from bot.store.cases import Case
from bot.store.database import Reader, Transaction
from bot.text.buttons import POST, button, rows_of
from bot.text.channel_names import spelt
from bot.text.markup import Text, bold, code, one_line
from bot.text.pages import page_of

OTHERS_CASE = N_("Only owners and editors can change the case of somebody else. Give yours another name.")
_NUMBER = 16  # characters of a number that somebody may have typed
_PAGE = 8  # cases
_CASE, _SAVED = "📁", "✅"
_LABEL = 40  # UTF-16 units of a name on a button


@command("save", Section.POSTS, 5, Need.CHAT, N_("save a post in a case"), usage=N_("case"), reads_replied=True)
@example(
    N_("/save Blackouts"),
    N_("in reply to an alert or a forwarded post: saved in this case, which is opened if there is none"),
)
@example("/save https://t.me/name/123", N_("a post by its link; then tap the case"))
async def save(request: Request, context: Context) -> Reply | Effect:
    """Save a post in the case that is named, and open that where there is none; without a name, offer the cases."""
    post, name = await _read(request, context)
    if not name:
        return Reply(messages=(await _choice(context.database, post, context),))

    async def effect(tx: Transaction) -> Reply:
        case = await cases.find(tx, name, context.viewer)
        return await (_open_with(tx, name, post, context) if case is None else _put(request, tx, case, post, context))

    return effect


async def _read(request: Request, context: Context) -> tuple[StoredPost, str]:
    """Return the post that is to be saved, and the name of a case or nothing. Raises CommandError.

    Whoever is asked for a name completes `=channel:message`.
    """
    t, typed = context.t, request.argument
    if typed.startswith("="):
        numbers, _, name = typed[1:].partition(" ")
        channel_id, _, message_id = numbers.partition(":")
        if channel_id.lstrip("-").isdecimal() and message_id.lstrip("-").isdecimal():
            found = await post_screen.stored(int(channel_id[:_NUMBER]), int(message_id[:_NUMBER]), context)
            return found[0], unquoted(name)
    link = post_screen.find_link(typed, request.links, sites=True)
    if link is not None:
        return (await post_screen.linked(link, context))[0], unquoted(typed.replace(link, ""))
    if request.reply_to is not None:
        return (await post_screen.replied(request, context))[0], unquoted(typed)
    line = t.gettext("Reply with /save to an alert or a forwarded post, or add the link of a post: {example}")
    raise CommandError(line, example=code("/save https://t.me/name/123"))


@tap("tocase", Need.CHAT, rf"{POST}(:\d{{1,3}})?")
async def choose(request: Request, context: Context) -> Reply:
    """Offer the cases for a post in a message of its own; a page that the button names takes the present place."""
    channel_id, message_id, *number = map(int, request.argument.split(":"))
    items = await post_screen.stored(channel_id, message_id, context)
    page = await _choice(context.database, items[0], context, number[0] if number else 0)
    return Reply(edit=page) if number else Reply(messages=(page,))


@tap("into", Need.CHAT, rf"{POST}:\d{{1,15}}")
async def put_into(request: Request, context: Context) -> Reply | Effect:
    """Save a post in the case of a button."""
    channel_id, message_id, case_id = map(int, request.argument.split(":"))
    items = await post_screen.stored(channel_id, message_id, context)

    async def effect(tx: Transaction) -> Reply:
        return await _put(request, tx, await need_case(tx, case_id, context), items[0], context)

    return effect


@tap("newcase", Need.CHAT, POST)
@writes
async def new_case(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask for the name of a case that is to be opened with the post of the button."""
    t, named = context.t, request.argument
    text = await ask(tx, request, context, "save", before=f"={named} ", subject=t.gettext("New case"))
    heading = Text().line(t.gettext("What should the case be called?"))
    return change(heading.join(text), ((button(t.gettext("Back"), "tocase", named, 0),),))


async def _choice(db: Reader, post: StoredPost, context: Context, number: int = 0) -> Outgoing:
    """Draw the cases that a post may go into, those used last first, with a mark at those that it is in."""
    t, data = context.t, (post.channel_id, post.message_id)
    inside = await cases.with_post(db, post.channel_id, post.key, context.viewer)
    found = [each for each in await cases.every(db, context.viewer) if offers_case(each, context)]
    text = Text().line(t.gettext("Save the post of {channel} in which case?"), channel=show_source(post))
    if not found:
        line = t.gettext("A case keeps posts under a name, with all their versions and files. You have none yet.")
        text.line(line)
    page, to = page_of(found, number, _PAGE), ("into", *data)
    offered = [
        button(f"{_SAVED if case.id in inside else _CASE} {one_line(case.name, _LABEL)} · {case.posts}", *to, case.id)
        for case in page.items
    ]
    new = (button(t.gettext("New case"), "newcase", *data),)
    return message(text, (*rows_of(offered, 1), *page.turns("tocase", *data), new))


def case_name(typed: str, context: Context) -> str:
    """Return the name of a case as it is stored. Raises CommandError where it cannot be one."""
    name, t = unquoted(typed), context.t
    if not 0 < len(name) <= LONGEST_NAME or name.startswith(("#", "=")):
        line = t.gettext("The name of a case has 1 to {n} characters and does not begin with # or =.")
        raise CommandError(line, n=LONGEST_NAME)
    return name


async def _open_with(tx: Transaction, typed: str, post: StoredPost, context: Context) -> Reply:
    """Open a case of this name with a post in it. Raises CommandError."""
    name, by = case_name(typed, context), context.actor
    rows = (Rows("cases", "folded", spelt(name)), Rows("case_posts", "channel_id", post.channel_id))
    async with acts.recorded(tx, CaseOpened(case=name), by, *rows, now=context.now) as recording:
        number = await cases.make(tx, name, author_id=context.person_id, author=context.name, now=context.now)
        await cases.add(tx, number, post, chat_id=context.chat.id, name=context.name, now=context.now)
    case = await need_case(tx, number, context)
    line = context.t.gettext("Opened the case «{name}» and saved the post in it.")
    text = Text().say(line, name=bold(name))
    return Reply(messages=(await _done(tx, text, case, post, context, undo=recording.id),))


async def _put(request: Request, tx: Transaction, case: Case, post: StoredPost, context: Context) -> Reply:
    """Save a post in a case, and say so with what can be done next. Raises CommandError."""
    t, name = context.t, bold(case.name)
    if not may_change_case(case, context):
        raise CommandError(t.gettext(OTHERS_CASE))
    if case.id in await cases.with_post(tx, post.channel_id, post.key, context.viewer):
        text = Text().say(t.gettext("It is already in the case «{name}»."), name=name)
        return show(request, await _done(tx, text, case, post, context))
    if case.posts >= cases.MOST_POSTS:
        line = t.gettext("The case «{name}» is full: it has {n} posts. Open another one.")
        raise CommandError(line, name=name, n=case.posts)
    act = PostSaved(case=case.name, post=post.link, names=(post.channel_title,))
    rows, is_restricted = Rows("case_posts", "case_id", case.id), await cases.is_restricted(tx, case, post.channel_id)
    async with acts.recorded(tx, act, context.actor, rows, now=context.now, restricted=is_restricted) as recording:
        await cases.add(tx, case.id, post, chat_id=context.chat.id, name=context.name, now=context.now)
    count = case.posts + 1
    line = t.ngettext("Saved in the case «{name}»: {n} post.", "Saved in the case «{name}»: {n} posts.", count)
    text = Text().say(line, name=name, n=count)
    return show(request, await _done(tx, text, case, post, context, undo=recording.id))


async def _done(  # noqa: PLR0913 - what was done, with what
    tx: Transaction, text: Text, case: Case, post: StoredPost, context: Context, *, undo: int | None = None
) -> Outgoing:
    """Write how the saving of a post ended, and what becomes of its page, with what can be done next."""
    t = context.t
    capture = await captures.of_post(tx, post.channel_id, post.message_id)
    if capture is not None:
        text.add("\n", capture_sentence(capture, context.date, t))
    note = button(t.gettext("Note"), "casenote", case.id, post.channel_id, post.message_id)
    rows = ((button(t.gettext("Open the case"), "case", case.id, 0), note),)
    return message(text, rows if undo is None else (*rows, (undo_button(undo, t),)))
