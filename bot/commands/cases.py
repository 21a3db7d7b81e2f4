"""/cases: the cases that this chat sees; each with its posts in the order in which they were posted, notes and tags."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.commands.context import CommandError, Context, Reply, Request, change, message, writes
from bot.commands.lookup import may_change_case, need_case, offers_case, show_source, unquoted
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.commands.save import OTHERS_CASE, case_name
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.locales.locale import gone_words
from bot.models.acts import CaseDeleted, CaseNoted, CaseRenamed, PostSaved
from bot.models.outgoing import Button, Outgoing
from bot.rendering.captures import capture_sentence
from bot.rendering.post_text import excerpt_post
from bot.store import acts, captures, cases, posts
from bot.store.acts import Rows
from bot.store.cases import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, Case, CasePost
from bot.store.database import Reader, Transaction
from bot.text.buttons import CHANNEL, POST, button, rows_of
from bot.text.markup import Text, bold, code, one_line
from bot.text.pages import page_of

_PAGE, _LISTED = 6, 20  # posts, and cases, on a page
_LABEL, _NAME = 40, 60  # UTF-16 units of a name on a button, and in a sentence
_NOTE, _TEXT = 200, 140  # of a note, and of a post, in a list
_ITEM = rf"\d{{1,15}}:{POST}"
# How an answer that somebody was asked for is completed: the row of the case, what the answer is, and of which post.
_COMPLETED = re.compile(rf"#(\d{{1,15}}):(name|tags|note)(?::({CHANNEL}):(-?\d{{1,10}}))? (.+)", re.DOTALL)


@command(
    "cases",
    Section.POSTS,
    6,
    Need.LOOK,
    N_("cases: posts that are kept together, and their dossiers"),
    usage=N_("name"),
)
@example("/cases", N_("the cases; tap one for its posts, notes and tags"))
@example(N_("/cases Blackouts"), N_("one case; tap for its dossier: PDF, HTML, Excel, CSV"))
@writes
async def list_cases(request: Request, context: Context, tx: Transaction) -> Reply:
    """List the cases, or show one."""
    t, typed = context.t, request.argument.strip()
    if not typed:
        return Reply(messages=(await _overview(tx, context),))
    if completed := _COMPLETED.fullmatch(typed):
        return await _complete(tx, completed, context)
    case = await cases.find(tx, unquoted(typed), context.viewer)
    if case is None:
        raise CommandError(t.gettext("There is no case «{name}». See /cases."), name=unquoted(typed)[:_NAME])
    return Reply(messages=(await _screen(tx, context, case),))


@tap("cases", Need.LOOK, r"\d{1,3}")
async def turn(request: Request, context: Context) -> Reply:
    """Show a page of the list."""
    return Reply(edit=await _overview(context.database, context, int(request.argument)))


@tap("case", Need.LOOK, r"\d{1,15}:\d{1,4}")
async def show_case(request: Request, context: Context) -> Reply:
    """Show a page of a case."""
    case_id, number = map(int, request.argument.split(":"))
    case = await need_case(context.database, case_id, context)
    return Reply(edit=await _screen(context.database, context, case, number))


@tap("item", Need.LOOK, _ITEM)
async def show_item(request: Request, context: Context) -> Reply:
    """Show one post of a case with what was noted, and what can be done."""
    case, item = await _item(context.database, request.argument, context)
    return Reply(edit=await _item_screen(context.database, context, case, item))


@tap("casename", Need.CHAT, r"\d{1,15}")
@writes
async def ask_name(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask for another name of a case."""
    case = await _changeable(tx, int(request.argument), context)
    line = context.t.gettext("What should the case «{name}» be called?")
    return await _ask(request, tx, context, case, what="name", line=line)


@tap("casetags", Need.CHAT, r"\d{1,15}")
@writes
async def ask_tags(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask for the tags of a case."""
    case = await _changeable(tx, int(request.argument), context)
    line = context.t.gettext("Which tags does «{name}» have? Write words with commas between; a dash removes all.")
    return await _ask(request, tx, context, case, what="tags", line=line)


@tap("casenote", Need.CHAT, rf"\d{{1,15}}|{_ITEM}")
@writes
async def ask_note(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask for the note of a case, or of a post in it."""
    number, _, post = request.argument.partition(":")
    case = await _changeable(tx, int(number), context)
    line = context.t.gettext("What is to be noted in «{name}»? A dash removes the note.")
    if post:
        await _item(tx, request.argument, context)
        line = context.t.gettext("What is to be noted about this post in «{name}»? A dash removes the note.")
    return await _ask(request, tx, context, case, what=f"note:{post}" if post else "note", line=line)


async def _ask(  # noqa: PLR0913 - what is asked for, and where
    request: Request, tx: Transaction, context: Context, case: Case, *, what: str, line: str
) -> Reply:
    text = await ask(tx, request, context, "cases", before=f"#{case.id}:{what} ", subject=case.name)
    heading = Text().line(line, name=bold(one_line(case.name, _NAME)))
    return change(heading.join(text), ((button(context.t.gettext("Back"), "case", case.id, 0),),))


async def _complete(tx: Transaction, completed: re.Match[str], context: Context) -> Reply:
    """Take an answer: a name, tags or a note of a case, or the note of a post in it. Raises CommandError."""
    number, what, channel_id, message_id, typed = completed.groups()
    case, t = await _changeable(tx, int(number), context), context.t
    rows = Rows("case_posts", "case_id", case.id) if channel_id else Rows("cases", "id", case.id)
    written = "" if typed.strip() in {"-", "–", "—"} else typed.strip()
    act: CaseRenamed | CaseNoted = CaseNoted(case=case.name, what="note", text=written)
    if what == "name":
        act = CaseRenamed(before=case.name, case=case_name(typed, context))
        other = await cases.find(tx, act.case, context.viewer)
        if other is not None and other.id != case.id:
            raise CommandError(t.gettext("There is already a case «{name}»."), name=other.name)
    elif what == "tags":
        tags = _tags(written, context)
        act = CaseNoted(case=case.name, what="tags", text=", ".join(tags))
    elif len(written) > LONGEST_NOTE:
        raise CommandError(t.gettext("A note has at most {n} characters."), n=LONGEST_NOTE)
    is_restricted = case.restricted
    if channel_id and isinstance(act, CaseNoted):
        post = await posts.current(tx, int(channel_id), [int(message_id)])
        act = replace(act, names=tuple(each.channel_title for each in post))
        is_restricted = await cases.is_restricted(tx, case, int(channel_id))
    async with acts.recorded(tx, act, context.actor, rows, now=context.now, restricted=is_restricted) as recording:
        if isinstance(act, CaseRenamed):
            await cases.rename(tx, case.id, act.case)
        elif what == "tags":
            await cases.set_tags(tx, case.id, tags)
        elif channel_id:
            await cases.annotate(tx, case.id, int(channel_id), int(message_id), written)
        else:
            await cases.set_note(tx, case.id, written)
    case = await need_case(tx, case.id, context)
    if channel_id:
        item = (await _item(tx, f"{case.id}:{channel_id}:{message_id}", context))[1]
        return Reply(messages=(await _item_screen(tx, context, case, item, undo=recording.id),))
    return Reply(messages=(await _screen(tx, context, case, undo=recording.id),))


def _tags(typed: str, context: Context) -> list[str]:
    """Return tags as they are stored. Raises CommandError."""
    tags = list(dict.fromkeys(tag for each in typed.split(",") if (tag := unquoted(each).lstrip("#").strip())))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        line = context.t.gettext("A case has at most {n} tags of {m} characters.")
        raise CommandError(line, n=MOST_TAGS, m=LONGEST_TAG)
    return tags


@tap("outof", Need.CHAT, _ITEM)
@writes
async def take_out(request: Request, context: Context, tx: Transaction) -> Reply:
    """Take a post out of a case; it stays stored."""
    case, item = await _item(tx, request.argument, context)
    case = await _changeable(tx, case.id, context)
    post = await posts.current(tx, item.channel_id, [item.message_id])
    act = PostSaved(case=case.name, post=post[0].link, names=(post[0].channel_title,), removed=True)
    is_restricted = await cases.is_restricted(tx, case, item.channel_id)
    rows = Rows("case_posts", "case_id", case.id)
    async with acts.recorded(
        tx, act, context.actor, rows, now=context.now, restricted=is_restricted, concerned=[item.chat_id]
    ) as recording:
        await cases.take_out(tx, case.id, item.channel_id, item.message_id)
    screen = await _screen(tx, context, await need_case(tx, case.id, context), undo=recording.id)
    return Reply(edit=screen, note=context.own.gettext("Taken out of the case."))


@tap("uncase", Need.CHAT, r"\d{1,15}(:sure)?")
@writes
async def delete(request: Request, context: Context, tx: Transaction) -> Reply:
    """Delete a case, once that is asked; its posts stay stored."""
    number, _, sure = request.argument.partition(":")
    t, case = context.t, await _changeable(tx, int(number), context)
    others = set(await cases.chats_of(tx, case.id)) - {context.chat.id}
    if not sure:
        line = t.gettext("Delete the case «{name}» with its notes? Its posts stay in the archive.")
        text = Text().line(line, name=bold(one_line(case.name, _NAME)))
        if others:
            line = t.ngettext("That concerns {n} other chat.", "That concerns {n} other chats.", len(others))
            text.line(line, n=len(others))
        row = (button(t.gettext("Delete"), "uncase", case.id, "sure"), button(t.gettext("Keep it"), "case", case.id, 0))
        return change(text, (row,))
    rows = [Rows(table, "case_id", case.id) for table in ("case_access", "case_posts")]
    async with acts.recorded(
        tx,
        CaseDeleted(case=case.name),
        context.actor,
        *rows,
        Rows("cases", "id", case.id),
        now=context.now,
        restricted=case.restricted,
        concerned=others,
    ) as recording:
        await cases.delete(tx, case.id)
    undo = (undo_button(recording.id, t),)
    return change(t.gettext("The case «{name}» has been deleted."), (undo,), name=case.name)


async def _changeable(db: Reader, case_id: int, context: Context) -> Case:
    """Return a case that who speaks may change. Raises CommandError."""
    case = await need_case(db, case_id, context)
    if not may_change_case(case, context):
        raise CommandError(context.own.gettext(OTHERS_CASE))
    return case


async def _item(db: Reader, data: str, context: Context) -> tuple[Case, CasePost]:
    """Return a case and the post of it that a button names. Raises CommandError."""
    case_id, channel_id, message_id = map(int, data.split(":"))
    case = await need_case(db, case_id, context)
    item = await cases.post_of(db, case.id, channel_id, message_id, context.viewer)
    if item is None:
        raise outdated(context)
    return case, item


async def _overview(db: Reader, context: Context, number: int = 0) -> Outgoing:
    t, found = context.t, await cases.every(db, context.viewer)
    if not found:
        line = t.gettext("No cases yet. Tap «Save» under an alert or a post, or reply to it: {example}")
        return message(Text().say(line, example=code(t.gettext("/save Blackouts"))))
    page = page_of(found, number, _LISTED)
    text = Text().line(t.gettext("Cases, those used last first:"))
    opening = [
        button(f"{'🔒' if each.restricted else '📁'} {one_line(each.name, _LABEL)} · {each.posts}", "case", each.id, 0)
        for each in page.items
    ]
    return message(text, (*rows_of(opening, 1), *page.turns("cases")))


async def _screen(db: Reader, context: Context, case: Case, number: int = 0, *, undo: int | None = None) -> Outgoing:
    """Draw a page of a case: its posts in the order in which they were posted, each to be opened at a tap."""
    t, text = context.t, _heading(case, context)
    if kept := await captures.count_kept(db, case.id, context.viewer):
        text.line(t.gettext("Public pages kept: {n} of {all}"), n=kept, all=case.posts)
    found = await cases.posts_of(db, case.id, context.viewer)
    page = page_of(found, number, _PAGE)
    for place, item in enumerate(page.items, start=page.start + 1):
        text.line().add(f"{place}. ").lines(await _line(db, item, context))
    if not found:
        text.line().line(t.gettext("There are no posts in it. «Save» under a post puts one in."))
    numbers = tuple(
        button(f"{place}", "item", case.id, item.channel_id, item.message_id)
        for place, item in enumerate(page.items, start=page.start + 1)
    )
    rows: list[tuple[Button, ...]] = [numbers] if numbers else []
    rows += page.turns("case", case.id)
    if found:
        rows.append((button(t.gettext("Dossier as a file"), "dossier", case.id),))
    if offers_case(case, context):
        rows.append((button(t.gettext("Note"), "casenote", case.id), button(t.gettext("Tags"), "casetags", case.id)))
        rename = button(t.gettext("Rename"), "casename", case.id)
        rows.append((rename, button(t.gettext("Delete"), "uncase", case.id)))
    if context.offers(Need.INSTANCE):
        label = t.gettext("Who sees it") if case.restricted else t.gettext("Keep it to this chat")
        rows.append((button(label, "only", f"k{case.id}"),))
    rows.append((button(t.gettext("All cases"), "cases", 0),))
    return message(text, (*rows, *(() if undo is None else ((undo_button(undo, t),),))))


def _heading(case: Case, context: Context) -> Text:
    t = context.t
    count = t.ngettext("{n} post", "{n} posts", case.posts).format(n=case.posts)
    text = Text().add("🔒 " if case.restricted else "📁 ", bold(one_line(case.name, _NAME)), f" · {count}\n")
    if case.tags:
        text.add(" ".join(f"#{tag.replace(' ', '_')}" for tag in case.tags), "\n")
    if case.note:
        text.add(case.note, "\n")
    author = one_line(case.author, _NAME) or t.gettext("On the server")
    return text.line(t.gettext("Opened {date} by {name}"), date=context.date(case.created_at), name=author)


async def _line(db: Reader, item: CasePost, context: Context) -> Text:
    """Write a post of a case in a few lines: when and where, what it says now, what became of it, and its note."""
    t, (row,) = context.t, await posts.current(db, item.channel_id, [item.message_id])
    items = await posts.by_key(db, item.channel_id, row.key)
    first = next((each for each in items if each.text.strip()), items[0])
    versions = await posts.count_versions(db, items)
    text = Text().add(context.date(first.date), " · ", show_source(first))
    became = gone_words(first, t) if all(each.gone_at for each in items) else ""
    text.add(*_marks(max(versions.values()), became=became), "\n")
    words, _ = excerpt_post(first.text, first.parts, (), t, room=_TEXT)
    text.add(words or t.gettext("(no text)"), "\n")
    return text.add("📝 ", one_line(item.note, _NOTE), "\n") if item.note else text


def _marks(versions: int, *, became: str) -> Iterable[str]:
    if versions > 1:
        yield f" · ✏️ {versions}"
    if became:
        yield f" · 🗑 {became}"


async def _item_screen(
    db: Reader, context: Context, case: Case, item: CasePost, *, undo: int | None = None
) -> Outgoing:
    t, text = context.t, Text().line("📁 {name}", name=bold(one_line(case.name, _NAME)))
    text.lines(await _line(db, replace(item, note=""), context))
    if item.note:
        text.add("📝 ", item.note, "\n")
    name = one_line(item.name, _NAME) or t.gettext("On the server")
    text.line().line(t.gettext("Saved {date} by {name}"), date=context.date(item.added_at), name=name)
    capture = await captures.of_post(db, item.channel_id, item.message_id)
    if capture is not None:
        text.add(capture_sentence(capture, context.date, t), "\n")
    data = (item.channel_id, item.message_id)
    show, picture = button(t.gettext("Show the post"), "post", *data), button(t.gettext("Picture"), "picture", *data)
    rows: list[tuple[Button, ...]] = [(show, picture)]
    if offers_case(case, context):
        note = button(t.gettext("Note"), "casenote", case.id, *data)
        rows.append((note, button(t.gettext("Take it out"), "outof", case.id, *data)))
    rows.append((button(t.gettext("Back"), "case", case.id, 0),))
    return message(text, (*rows, *(() if undo is None else ((undo_button(undo, t),),))))
