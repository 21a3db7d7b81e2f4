"""Channels that are not followed yet: «Who else writes this?», and channels like one; asked of Telegram by a reader."""

from bot.commands.context import CommandError, Context, Effect, Reply, Request, remembered, writes
from bot.commands.lookup import need_channel
from bot.commands.post import stored
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.commands.search import words_of
from bot.matching.similarity.phrase import phrase_of
from bot.models.enquiries import EnquiryKind, Findings
from bot.models.outgoing import Outgoing
from bot.rendering.findings import render_findings
from bot.store import channels, enquiries, feedback, readers
from bot.store.database import Reader, Transaction
from bot.store.enquiries import Enquiry
from bot.text.buttons import POST


@tap("others", Need.LOOK, POST)
async def others(request: Request, context: Context) -> Effect:
    """Have the public channels looked for that write what the post of the button says."""
    channel_id, message_id = map(int, request.argument.split(":"))
    items = await stored(channel_id, message_id, context)
    post = next((item for item in items if item.whole.strip()), items[0])
    alerted = await feedback.find_alerted(context.database, context.chat.id, channel_id, message_id)
    is_shown = alerted is not None and alerted.post.version_id == post.version_id
    words = phrase_of(post.text if post.text.strip() else post.whole, alerted.spans if alerted and is_shown else ())
    return _asking_for(words, context)


@tap("others_of", Need.LOOK, r"[\w-]{1,40}")
async def others_of_search(request: Request, context: Context) -> Effect:
    """Have the public channels looked for that write the words of the search which the button's answer remembers."""
    gone = context.own.gettext("This search is too old. Please send it again.")
    typed = await remembered(context.database, context, request.argument, gone)
    return _asking_for(await words_of(typed, context), context)


@tap("similar", Need.LOOK, r"\d{1,15}")
@writes
async def similar(request: Request, context: Context, tx: Transaction) -> Reply:
    """Have the channels looked for that are like the one of the button."""
    channel = await need_channel(tx, int(request.argument), context)
    return await _ask(tx, context, EnquiryKind.SIMILAR, channel.id)


@tap("found", Need.LOOK, r"\d{1,15}:\d{1,3}")
async def turn(request: Request, context: Context) -> Reply:
    """Show another page of what was found."""
    enquiry_id, number = map(int, request.argument.split(":"))
    enquiry = await enquiries.get(context.database, enquiry_id, _place(context))
    if enquiry is None or enquiry.answer is None:
        raise outdated(context)
    return Reply(edit=await _page(context.database, enquiry, enquiry.answer, context, number))


def _asking_for(words: str, context: Context) -> Effect:
    """Return the write that has words looked for. Raises CommandError where there are none."""
    if not words:
        raise CommandError(context.own.gettext("There is nothing to look for: the post has no words."))
    return lambda tx: _ask(tx, context, EnquiryKind.POSTS, words)


async def _ask(tx: Transaction, context: Context, kind: EnquiryKind, about: int | str) -> Reply:
    """Have a reader ask, or show the answer that the chat had within the hour. Raises CommandError without a reader."""
    chat_id = _place(context)
    known = await enquiries.answered(tx, chat_id, kind, about, now=context.now)
    if known is not None and known.answer is not None:
        return Reply(messages=(await _page(tx, known, known.answer, context, 0),))
    if not await readers.any_reads(tx):
        raise CommandError(
            context.own.gettext("Only a reader account can ask that, and none can read now: /status says why.")
        )
    await enquiries.ask(tx, chat_id, kind, about, now=context.now, may_follow=context.offers(Need.INSTANCE))
    return Reply(note=context.own.gettext("I am asking Telegram. The answer comes as a message."))


async def _page(db: Reader, enquiry: Enquiry, found: Findings, context: Context, number: int) -> Outgoing:
    channel = None if enquiry.channel_id is None else await need_channel(db, enquiry.channel_id, context)
    return render_findings(
        enquiry.kind,
        (enquiry.words or "") if channel is None else channel.title,
        found,
        context.locale,
        enquiry_id=enquiry.id,
        number=number,
        followed=await channels.followed_among(db, [each.id for each in found.channels], context.viewer),
        may_follow=context.offers(Need.INSTANCE),
    )


def _place(context: Context) -> int:
    """Return the chat in which somebody speaks, perhaps for another one."""
    return (context.home or context.chat).id
