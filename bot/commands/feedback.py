"""«Not relevant» under an alert: taps come in, what was wrong is written down, and the like of it stays away.

What is asked takes the place of the alert's buttons. A word is excluded only after a message has shown what else would
have been missing.
"""

import asyncio
from collections.abc import Sequence

from bot.commands.alert_buttons import POST, Tapped, forgotten
from bot.commands.context import Context, Need, Reply, Request, Rows, change
from bot.commands.keyboards import name_word, rows_of
from bot.commands.lookup import both_scope, find_topic, show_topic
from bot.commands.mute import silence
from bot.commands.query_text import refusal
from bot.commands.search import listed
from bot.locales.titles import topic_title
from bot.matching.engine.compiled import Compiled, compile_query, verify
from bot.matching.explain.exclusions import Exclusion, choices, compile_excluding, including
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import analyse
from bot.search import Hit, find_newest
from bot.store import channels, feedback, topics
from bot.store.database import Reader, Transaction
from bot.store.feedback import Alerted, What
from bot.store.posts import StoredPost
from bot.store.topics import Topic
from bot.text.markup import Text, bold

BLAME = rf"{POST}:(channel|note)"
WORDS = rf"{POST}(:\d{{1,15}})?"
WORD = rf"{POST}:\d{{1,15}}:[0-9a-f]{{8}}"
_MOST_WORDS, _MOST_TOPICS = 8, 8
_MOST_LOOKED, _MOST_READ = 200, 20_000  # posts on the topic, and versions among which they are sought
_SHOWN = 5  # posts that would have been missing
_LABEL, _NOTE = 30, 120  # characters of a word on a button, and of names in a note


async def tapped(request: Request, context: Context) -> Reply:
    """Ask what was wrong."""
    tap, t = Tapped.read(request.argument), context.t
    told = await _told(context.database, tap, context)
    if told is None:
        return forgotten(context)
    channel = tap.button(t.gettext("This channel"), "blame", "channel")
    word = tap.button(t.gettext("A word in it…"), "words")
    note = tap.button(t.gettext("Just note it"), "blame", "note")
    first = (channel, word) if context.may(request, Need.INSTANCE) else (channel,)
    return Reply(buttons=(first, (note,), tap.back(context)))


async def blame(request: Request, context: Context) -> Reply:
    """Write down that an alert was not relevant; where the channel was wrong, mute its topics there."""
    tap = Tapped.read(request.argument)
    what = What(tap.chosen[0])

    async def effect(tx: Transaction) -> Reply:
        told = await _told(tx, tap, context)
        if told is None:
            return forgotten(context)
        note = context.own.gettext("Noted. Thank you.")
        if what is What.CHANNEL:
            note = await _mute_there(tx, told, context)
        person = request.person_id
        await feedback.mark(
            tx, context.chat.id, told.post, person_id=person, topics=told.topics, what=what, now=context.now
        )
        return Reply(buttons=await tap.usual(tx, context), note=note)

    return await context.once(request, effect)


async def _mute_there(tx: Transaction, told: Alerted, context: Context) -> str:
    channel = await channels.get(tx, told.post.channel_id)
    found = await _topics(tx, told)
    for topic in found:
        if channel is not None:
            await silence(tx, context, both_scope(topic, channel, context.t), until=None)
    names = ", ".join(topic_title(topic.name, context.own) for topic in found)
    line = context.own.gettext("Noted. From this channel nothing comes here any more on {topics}.")
    return line.format(topics=names[:_NOTE])


async def words(request: Request, context: Context) -> Reply:
    """Offer the words of a post; where it came for several topics, ask for which first."""
    tap = Tapped.read(request.argument)
    told = await _told(context.database, tap, context)
    if told is None:
        return forgotten(context)
    found = await _topics(context.database, told)
    if tap.chosen:
        found = [topic for topic in found if topic.id == int(tap.chosen[0])]
    if not found:
        return Reply(note=context.own.gettext("This topic is gone."))
    if len(found) > 1:
        return Reply(buttons=_topic_rows(tap, found, context))
    offered = await asyncio.to_thread(_choices, told.post, found[0], context.inflector)
    if not offered:
        return Reply(note=context.own.gettext("This post has no words to choose from."))
    buttons = [tap.button(each.shown[:_LABEL], "word", found[0].id, name_word(each.word)) for each in offered]
    return Reply(buttons=(*rows_of(buttons, 2), tap.back(context)))


def _topic_rows(tap: Tapped, found: Sequence[Topic], context: Context) -> Rows:
    line = context.t.gettext("Topic {name}")
    rows = [(tap.button(line.format(name=topic_title(topic.name, context.t)), "words", topic.id),) for topic in found]
    return (*rows, tap.back(context))


async def word(request: Request, context: Context) -> Reply:
    """Show what else would have been missing without a word, and offer to exclude it."""
    tap = Tapped.read(request.argument)
    chosen = await _chosen(tap, context)
    if isinstance(chosen, Reply):
        return chosen
    told, topic, choice = chosen
    found = await find_newest(
        context.database, Compiled.from_json(topic.compiled), limit=_MOST_LOOKED + 1, most=_MOST_READ
    )
    others = [hit for hit in found.hits if (hit.post.channel_id, hit.post.key) != (told.post.channel_id, told.post.key)]
    others = others[:_MOST_LOOKED]
    missing = await asyncio.to_thread(_with_word, others, choice.word, context.inflector)
    marked = await feedback.marked(context.database, [(hit.post.channel_id, hit.post.key) for hit in missing])
    text = _told_of_missing(topic, choice, len(others), len(missing), context)
    rows = (
        (
            tap.button(context.t.gettext("Exclude"), "exclude", *tap.chosen),
            tap.button(context.t.gettext("Leave it"), "leave"),
        ),
    )
    preview = listed(text, missing[:_SHOWN], context, rows, ending=_told_of_marks(len(marked), context))
    return Reply(messages=(preview,), buttons=await tap.usual(context.database, context))


def _told_of_missing(topic: Topic, choice: Exclusion, looked: int, missing: int, context: Context) -> Text:
    t = context.t
    text = Text().line(
        t.gettext("{topic} without posts that say {word}, in any form?"),
        topic=show_topic(topic, t),
        word=bold(choice.shown),
    )
    if not looked:
        return text.line(t.gettext("No other posts on this topic are stored yet."))
    line = t.ngettext(
        "I looked at {n} other post on this topic.", "I looked at the last {n} other posts on this topic.", looked
    )
    text.say(line, n=looked).add(" ")
    line = t.ngettext("{n} of them would not have come:", "{n} of them would not have come:", missing)
    return text.say(line if missing else t.gettext("All of them would have come."), n=missing).add("\n\n")


def _told_of_marks(marked: int, context: Context) -> str:
    if not marked:
        return ""
    line = context.t.ngettext(
        "{n} of those that would not have come is marked not relevant.",
        "{n} of those that would not have come are marked not relevant.",
        marked,
    )
    return line.format(n=marked)


async def exclude(request: Request, context: Context) -> Reply:
    """Let a topic leave out posts with a word."""
    tap = Tapped.read(request.argument)
    chosen = await _chosen(tap, context)
    if isinstance(chosen, Reply):
        return chosen
    told, topic, choice = chosen
    left_out = tuple(dict.fromkeys((*topic.excluded, choice.word)))
    try:
        compiled = await asyncio.to_thread(compile_excluding, topic.query, left_out, context.inflector)
    except QueryError as error:
        return change(refusal(error, topic.query, context.t))

    async def effect(tx: Transaction) -> Reply:
        if not await topics.leave_out(tx, topic, left_out, compiled.to_json()):
            return Reply(note=context.own.gettext("The topic has just been changed. Please tap again."))
        await feedback.mark(
            tx,
            context.chat.id,
            told.post,
            person_id=request.person_id,
            topics=(topic.name,),
            what=What.WORD,
            word=choice.word,
            now=context.now,
        )
        line = context.t.gettext("{topic} leaves out posts that say {word} from now on. /topics can bring them back.")
        return change(Text().say(line, topic=show_topic(topic, context.t), word=bold(choice.shown)))

    return await context.once(request, effect)


async def leave(request: Request, context: Context) -> Reply:
    """Exclude nothing, after all; that the alert was not relevant is written down."""
    tap = Tapped.read(request.argument)

    async def effect(tx: Transaction) -> Reply:
        told = await _told(tx, tap, context)
        if told is not None:
            await feedback.mark(
                tx,
                context.chat.id,
                told.post,
                person_id=request.person_id,
                topics=told.topics,
                what=What.NOTE,
                now=context.now,
            )
        return change(context.t.gettext("No word is excluded. That the alert was not relevant is noted."))

    return await context.once(request, effect)


async def _told(db: Reader, tap: Tapped, context: Context) -> Alerted | None:
    return await feedback.alerted(db, context.chat.id, tap.channel_id, tap.message_id)


async def _topics(db: Reader, told: Alerted) -> list[Topic]:
    """Return the topics of an alert that are still there."""
    found = [await find_topic(db, name) for name in told.topics]
    return [topic for topic in found if topic is not None][:_MOST_TOPICS]


async def _chosen(tap: Tapped, context: Context) -> tuple[Alerted, Topic, Exclusion] | Reply:
    """Return what the data of a button with a word names, or say why that is not possible."""
    told = await _told(context.database, tap, context)
    topic = await topics.get(context.database, int(tap.chosen[0]))
    if told is None:
        return forgotten(context)
    if topic is None:
        return Reply(note=context.own.gettext("This topic is gone."))
    offered = await asyncio.to_thread(_choices, told.post, topic, context.inflector)
    choice = next((each for each in offered if name_word(each.word) == tap.chosen[1]), None)
    if choice is None:
        return Reply(note=context.own.gettext("The post has changed. Please choose the word again."))
    return told, topic, choice


def _choices(post: StoredPost, topic: Topic, inflector: Inflector) -> list[Exclusion]:
    """Offer words of a post, those first by which a topic found it."""
    document = analyse(post.whole)
    found = verify(including(Compiled.from_json(topic.compiled), topic.query), document) or ()
    return choices(document, found, inflector, most=_MOST_WORDS)


def _with_word(hits: Sequence[Hit], said: str, inflector: Inflector) -> list[Hit]:
    """Return those of some posts that say a word, and where."""
    query = compile_query(parse(said), inflector)
    found = [(hit, verify(query, analyse(hit.post.whole))) for hit in hits]
    return [Hit(post=hit.post, spans=spans) for hit, spans in found if spans is not None]
