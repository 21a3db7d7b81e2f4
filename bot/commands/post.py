"""/post: shows a post with all its versions and files, in pages."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from bot.commands.context import CommandError, Context, ForwardOrigin, Reply, Request, message
from bot.commands.lookup import channel_by_id, offer_following, show_source
from bot.commands.parsing import read_references
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.verdict import verdict
from bot.locales import N_, Translator
from bot.locales.locale import show_size
from bot.models import StoredPost
from bot.models.outgoing import ButtonRows, Outgoing
from bot.parts import are_reworded, common_parts, is_redacted, worded_parts
from bot.rendering.captures import capture_sentence
from bot.rendering.files import file_name, why_left
from bot.rendering.post_text import author_note, comparable_texts, full_text, gone_sentence, show_changes
from bot.store import captures, channels, media, messages, posts
from bot.store.media import FileState, MediaFile
from bot.text.buttons import POST, button
from bot.text.markup import LIMIT, Text, bold, code, join_texts, one_line, units
from bot.text.pages import page_of
from bot.text.references import comment_number, post_number

ROOM = LIMIT - 700  # UTF-16 units of a page below its heading
_NAME = 60  # UTF-16 units of who wrote the post
MOST_ENTITIES = 95  # below the heading; Telegram takes 100
_AROUND = '.,;:!)(«»"'  # that people put around a link
_FILE_NAME = 60  # UTF-16 units of a file's name
_DIGITS = 12  # of a hash: enough to tell files apart


@command(
    "post",
    Section.POSTS,
    3,
    Need.LOOK,
    N_("what a post says, said before, and when"),
    usage=N_("link"),
    reads_replied=True,
)
@example(
    "/post https://t.me/name/123",
    N_(
        "what a post says and said before, word by word, and when; also in reply to an alert or a forwarded post; "
        "tap for a picture"
    ),
)
async def post(request: Request, context: Context) -> Reply:
    """Show a post and its history."""
    t, typed = context.t, request.argument or next(iter(request.links), "")
    if typed:
        items = await linked(typed, context)
    elif request.reply_to is not None:
        items = await replied(request, context)
    else:
        line = t.gettext("Reply with /post to an alert or a forwarded post, or add the link of a post: {example}")
        raise CommandError(line, example=code("/post https://t.me/name/123"))
    return Reply(messages=(await show(items, context),))


@tap("post", Need.LOOK, rf"{POST}(:\d{{1,4}})?")
async def show_page(request: Request, context: Context) -> Reply:
    """Show the post of a button in a message of its own; a page that the button names takes the present place."""
    channel_id, message_id, *number = map(int, request.argument.split(":"))
    items = await stored(channel_id, message_id, context.for_speaker)
    page = await show(items, context, number[0] if number else 0)
    return Reply(edit=page) if number else Reply(messages=(page,))


async def replied(request: Request, context: Context) -> list[StoredPost]:
    """Return the messages of the post that was replied to: of an alert, or forwarded. Raises CommandError."""
    t = context.t
    alerted = await messages.post_of(context.database, context.chat.id, request.reply_to or 0)
    if alerted is not None:
        return await stored(alerted.channel_id, alerted.message_id, context)
    if request.replied_origin is None:
        line = t.gettext("That is not a post. Reply to an alert or to a forwarded post, or write /post and its link.")
        raise CommandError(line)
    found = await find_origin(request.replied_origin, context)
    if not found:
        raise CommandError(t.gettext("This post is not stored."))
    return found


def find_link(text: str, links: Iterable[str], *, sites: bool = False) -> str | None:
    """Return the first link to a post in a text, or behind its words; with `sites` it may be a site's."""
    words = [word.strip(_AROUND) for word in [*text.split(), *links]]
    named = (word for word in words if read_references(word, explicit_only=True).references)
    posted = next((word for word in named if post_number(word)), None)
    return posted or next((word for word in words if sites and word.startswith("http")), None)


async def find_linked(link: str, context: Context) -> list[StoredPost]:
    """Return the messages of the post of a link; none where it is not stored."""
    for channel_id, message_id in await posts.at_link(context.database, link.strip()):
        if found := await _find(channel_id, message_id, context):
            return found
    number, channel = post_number(link), await channels.find(context.database, link, viewer=context.viewer)
    if number is None or channel is None:
        return []
    comment = comment_number(link)
    if comment is not None and channel.comments_in is not None:
        return await _find(channel.comments_in, comment, context)
    return await _find(channel.id, number, context)


async def find_origin(origin: ForwardOrigin, context: Context) -> list[StoredPost]:
    """Return the messages of a forwarded post; none where it is not stored."""
    return [] if origin.message_id is None else await _find(origin.channel_id, origin.message_id, context)


async def linked(text: str, context: Context) -> list[StoredPost]:
    """Return the messages of the post to which a text holds a link. Raises CommandError."""
    if found := await find_linked(text, context):
        return found
    number, t = post_number(text), context.t
    if number is None:
        raise CommandError(t.gettext("That is not a link to a post. A link looks like this: https://t.me/name/123"))
    channel = await channels.find(context.database, text, viewer=context.viewer)
    if channel is not None:
        return await stored(channel.id, number, context)
    unknown = t.gettext("I do not follow the channel of this post.")
    if "/c/" in text:
        raise CommandError(unknown)
    numbered = t.gettext(
        "An imported channel cannot be found by name; its posts have links such as "
        "https://t.me/c/1234567890/123, which /search shows."
    )
    raise CommandError(f"{unknown} {numbered}")


async def stored(channel_id: int, message_id: int, context: Context) -> list[StoredPost]:
    """Return the messages of the post to which a message belongs. Raises CommandError."""
    found = await _find(channel_id, message_id, context)
    if not found:
        raise CommandError(context.t.gettext("This post is not stored."))
    return found


async def _find(channel_id: int, message_id: int, context: Context) -> list[StoredPost]:
    is_seen = await channel_by_id(context.database, channel_id, context.viewer) is not None
    found = await posts.current(context.database, channel_id, [message_id]) if is_seen else []
    return await posts.by_key(context.database, channel_id, found[0].key) if found else []


async def show(items: Sequence[StoredPost], context: Context, number: int = 0) -> Outgoing:
    """Write a page of a post with all its versions, and on the first why it alerted this chat or did not."""
    files = await media.of_versions(context.database, [item.version_id for item in items])
    kept = [_file_line(file, context.t) for file in files]
    capture = await captures.of_post(context.database, items[0].channel_id, items[0].message_id)
    if capture is not None:
        kept.append(Text().add(capture_sentence(capture, context.date, context.t)))
    blocks = [*_texts(items, context.t), *([join_texts(kept, "\n")] if kept else []), *await _history(items, context)]
    page, text = page_of(_packed(blocks), number, 1), _heading(items, context)
    if not page.number:
        text.join(await verdict(items, context)).line()
    turns = page.turns("post", items[0].channel_id, items[0].message_id)
    return message(text.add("\n").join(page.items[0]), (*turns, *await _rows(items[0], context)))


async def _rows(first: StoredPost, context: Context) -> ButtonRows:
    """Offer to explain a post, to find others like it, and to follow its channel where nobody does."""
    t, channel = context.t, await channel_by_id(context.database, first.channel_id, context.viewer)
    data = (first.channel_id, first.message_id)
    rows: ButtonRows = (
        (button(t.gettext("Why it matches or not"), "why", *data), button(t.gettext("More like this"), "like", *data)),
        (button(t.gettext("Who said it first"), "first", *data),),
        (button(t.gettext("Save"), "tocase", *data), button(t.gettext("Picture"), "picture", *data)),
    )
    if channel is None or channel.followed_at is not None:
        return rows
    reference = f"@{channel.username}" if channel.username else str(channel.id)
    return (*rows, *offer_following(reference, channel.title or reference, context))


def _heading(items: Sequence[StoredPost], context: Context) -> Text:
    """Name the post, with its link and date, and since when it is gone."""
    first, t = items[0], context.t
    author, title = (one_line(name, _NAME) for name in (first.author or "", first.channel_title))
    facts = [context.date(first.date), *filter(None, [author_note(author, title, t)])]
    text = Text().add(show_source(first), " · ", " · ".join(facts), "\n")
    if any(item.is_part for item in items):
        text.line(t.gettext("This is the beginning of a long post; the rest could not be loaded yet"))
    for became in dict.fromkeys(gone_sentence(item, t) for item in items if item.gone_at is not None):
        gone = [item.gone_at for item in items if item.gone_at is not None and gone_sentence(item, t) == became]
        if len(gone) < len(items):
            text.say(t.gettext("{n} of {all} items"), n=len(gone), all=len(items)).add(" · ")
        text.line(became, time=context.date(max(gone)))
    return text


def _texts(items: Iterable[StoredPost], t: Translator) -> Iterator[Text]:
    """Yield the present text of a post in stretches that fit on a page."""
    text = "\n\n".join(filter(None, (full_text(item.text, item.parts, t) for item in items)))
    while units(text) > ROOM:
        stretch = text.encode("utf-16-le", "surrogatepass")[: 2 * ROOM].decode("utf-16-le", "ignore")
        stretch = stretch.rsplit(maxsplit=1)[0] if any(map(str.isspace, stretch.strip())) else stretch
        yield Text().add(stretch)
        text = text[len(stretch) :]
    yield Text().add(text if text.strip() else t.gettext("(no text)"))


async def _history(items: Iterable[StoredPost], context: Context) -> list[Text]:
    """Return the changes of each version with the time it was seen, newest first."""
    first, changed = [], []
    for item in items:
        versions = await posts.versions(context.database, item.channel_id, item.message_id)
        first.append(versions[0])
        changed += list(pairwise(versions))
    changed.sort(key=lambda pair: (pair[1].seen_at, pair[1].number), reverse=True)
    t = context.t
    history = [_step(before, after, context) for before, after in changed]
    seen = t.gettext("First seen {time}").format(time=context.date(min(version.seen_at for version in first)))
    if not changed:
        seen += ". " + t.gettext("It has not changed since.")
    return [*history, Text().add(seen)]


def _step(before: StoredPost, after: StoredPost, context: Context) -> Text:
    t = context.t
    seen = context.date(after.seen_at)
    is_removed = after.text == before.text and common_parts(before.parts, after.parts) != worded_parts(before.parts)
    is_same = (after.edit_date, after.text) == (before.edit_date, before.text)  # an edit on a web page has no date
    if is_removed or (is_same and are_reworded(before.parts, after.parts)):
        text = Text().add(bold(t.gettext("Changed outside the text, seen {seen}").format(seen=seen))).add("\n")
        old, new = (full_text("", worded_parts(each.parts), t) for each in (before, after))
        return text.join(show_changes(old, new, t)).cut(ROOM)
    heading = t.gettext("Edited {edited}, seen {seen}")
    edited = context.date(after.edit_date or after.seen_at)
    text = Text().add(bold(heading.format(edited=edited, seen=seen))).add("\n")
    if is_redacted((*before.parts, *after.parts)):  # there is nothing to compare
        return text.say(t.gettext("before: {words}"), words=full_text(before.text, before.parts, t)).cut(ROOM)
    old, new = comparable_texts((before.text, before.parts), (after.text, after.parts), t)
    if old == new:
        return text.add(t.gettext("Only the formatting or the media changed."))
    return text.join(show_changes(old, new, t)).cut(ROOM)


def _packed(blocks: Iterable[Text]) -> list[Text]:
    """Put as many blocks on each page as fit."""
    pages: list[Text] = []
    entities = 0
    for block in blocks:
        count = len(block.build()[1])
        if pages and len(pages[-1]) + len(block) + 2 <= ROOM and entities + count <= MOST_ENTITIES:
            pages[-1].add("\n\n").join(block)
            entities += count
        else:
            pages.append(Text().join(block))
            entities = count
    return pages


def _file_line(file: MediaFile, t: Translator) -> Text:
    name = file_name(file.name, file.kind, t, most=_FILE_NAME)
    if file.state is FileState.KEPT and file.sha256 is not None:
        line = t.gettext("File kept: {name}, {size}, SHA-256 {hash}")
        return Text().say(line, name=name, size=show_size(file.size or 0, t), hash=code(file.sha256.hex()[:_DIGITS]))
    if file.state is FileState.WANTED:
        return Text().say(t.gettext("File not kept yet: {name}"), name=name)
    return Text().say(t.gettext("File not kept: {name}; {why}"), name=name, why=why_left(file.reason or "", t))
