"""«Not relevant» under an alert: records the complaint, and mutes the channel or excludes a word.

Each question takes the place of the alert's buttons. A word is excluded only after a message has shown which other
posts would have been missing.
"""

import asyncio
from dataclasses import replace

from bot.commands.alert_buttons import AlertTap, forgotten
from bot.commands.context import CommandError, Context, Effect, Reply, Request, change, writes
from bot.commands.hits import list_posts
from bot.commands.lookup import channel_by_id, limited_scope, queries_of, show_topic, topic_by_id, topics_named
from bot.commands.mute import mute_scope, muted
from bot.commands.mute_scope import MuteScope
from bot.commands.query_text import read_query
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.commands.subscribing import set_exclusion
from bot.commands.topic_change import offers_change, others_using
from bot.commands.undo import undo_button
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled, compile_query, verify
from bot.matching.explain.exclusions import Exclusion, choices, including
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import analyse
from bot.models import StoredPost
from bot.models.outgoing import Outgoing
from bot.models.people import Viewer
from bot.search.jobs import find_overlap
from bot.store import channels, feedback
from bot.store.database import Reader, Transaction
from bot.store.exclusions import ExcludedWord
from bot.store.feedback import AlertedPost, Complaint
from bot.store.topics import Topic
from bot.text.buttons import POST, button, name_word, rows_of
from bot.text.markup import Text, bold

_WORD = rf"{POST}:\d{{1,15}}:[0-9a-f]{{8}}"
_MOST_WORDS, _MOST_TOPICS = 8, 8
_MOST_LOOKED, _MOST_READ = 200, 20_000  # posts on the topic, and versions among which they are sought
_SHOWN = 5  # posts that would have been missing
_LABEL, _NOTE = 30, 120  # characters of a word on a button, and of names in a note


@tap("wrong", Need.CHAT, POST)
async def tapped(request: Request, context: Context) -> Reply:
    """Ask whether the channel or a word was wrong."""
    tap, t = AlertTap.read(request.argument), context.t
    await _alerted(context.database, tap, context)
    channel = tap.button(t.gettext("This channel"), "blame", "channel")
    word = tap.button(t.gettext("A word in it…"), "words")
    note = tap.button(t.gettext("Just note it"), "blame", "note")
    return Reply(buttons=((channel, word), (note,), tap.back(context)))


@tap("blame", Need.CHAT, rf"{POST}:(channel|note)")
@writes
async def blame(request: Request, context: Context, tx: Transaction) -> Reply:
    """Write down that an alert was not relevant; where the channel was wrong, mute its topics there."""
    tap = AlertTap.read(request.argument)
    what = Complaint(tap.chosen[0])
    alerted = await _alerted(tx, tap, context)
    note, said = context.own.gettext("Noted. Thank you."), list[Outgoing]()
    if what is Complaint.CHANNEL:
        channel, alert_topics = (
            await channels.get(tx, alerted.post.channel_id),
            await _topics(tx, alerted, context.viewer),
        )
        for topic in alert_topics if channel else ():
            scope = MuteScope.of(topic, channel, context.t)
            await mute_scope(tx, context, scope, until=None)
            said += [] if request.private else [muted(scope, context, until=None)]
        names = ", ".join(topic_title(topic.name, context.own) for topic in alert_topics)
        line = context.own.gettext("Noted. This chat gets no more alerts on {topics} from this channel.")
        note = line.format(topics=names[:_NOTE])
    await _mark(tx, request, context, alerted, what)
    return Reply(messages=tuple(said), buttons=await tap.usual(tx, context), note=note)


@tap("words", Need.CHAT, rf"{POST}(:\d{{1,15}})?")
async def words(request: Request, context: Context) -> Reply:
    """Offer the words of a post; where its alert names several topics, ask for the topic first."""
    tap = AlertTap.read(request.argument)
    alerted = await _alerted(context.database, tap, context)
    alert_topics = await _topics(context.database, alerted, context.viewer)
    if tap.chosen:
        alert_topics = [topic for topic in alert_topics if topic.id == int(tap.chosen[0])]
    if not alert_topics:
        raise CommandError(context.own.gettext("This topic no longer exists."))
    if len(alert_topics) > 1:
        line, t = context.t.gettext("Topic {name}"), context.t
        labels = ((topic, line.format(name=topic_title(topic.name, t))) for topic in alert_topics)
        rows = [(tap.button(label, "words", topic.id),) for topic, label in labels]
        return Reply(buttons=(*rows, tap.back(context)))
    offered = await asyncio.to_thread(_choices, alerted.post, alert_topics[0], context.inflector)
    if not offered:
        raise CommandError(context.own.gettext("This post has no words to choose from."))
    buttons = [tap.button(each.text[:_LABEL], "word", alert_topics[0].id, name_word(each.word)) for each in offered]
    return Reply(buttons=(*rows_of(buttons, 2), tap.back(context)))


@tap("word", Need.CHAT, _WORD)
async def word(request: Request, context: Context) -> Reply:
    """Show which other posts would be missing if a word were excluded, and offer to exclude the word."""
    tap = AlertTap.read(request.argument)
    alerted, topic, choice = await _chosen(tap, context)
    own = (alerted.post.channel_id, alerted.post.key)
    excluded = await asyncio.to_thread(compile_query, parse(choice.word), context.inflector)
    (query,) = [excluded] if topic.is_feed else await queries_of(context.database, context.chat.id, [topic])
    scope = await limited_scope(context, topic.limits)
    found = await context.ask(find_overlap, query, excluded, but=own, scope=scope, limit=_MOST_LOOKED, most=_MOST_READ)
    missing = found.hits
    marked = await feedback.with_feedback(context.database, [(hit.post.channel_id, hit.post.key) for hit in missing])
    text = _missing_text(topic, choice, found.looked, len(missing), context)
    t, ending = context.t, ""
    if marked:
        line = t.ngettext(
            "{n} of those that would not have been sent is marked not relevant.",
            "{n} of those that would not have been sent are marked not relevant.",
            len(marked),
        )
        ending = line.format(n=len(marked))
    row = (
        tap.button(t.gettext("Exclude"), "exclude", *tap.chosen),
        tap.button(t.gettext("Leave it as it is"), "leave"),
    )
    shown = await list_posts(text, missing[:_SHOWN], context, (row,), ending=ending, numbered=False)
    return Reply(messages=(shown,), buttons=await tap.usual(context.database, context))


def _missing_text(topic: Topic, choice: Exclusion, looked: int, missing: int, context: Context) -> Text:
    t = context.t
    text = Text().line(
        t.gettext("Should {topic} leave out posts that say {word}, in any form?"),
        topic=show_topic(topic, t),
        word=bold(choice.text),
    )
    if topic.is_feed:  # all of them say the word: others were not looked at
        line = t.ngettext(
            "{n} stored post would not have been sent:", "{n} stored posts would not have been sent:", missing
        )
        return text.say(line, n=missing).add("\n\n")
    if not looked:
        return text.line(t.gettext("No other posts on this topic are stored yet."))
    line = t.ngettext(
        "I checked {n} other post on this topic.", "I checked the last {n} other posts on this topic.", looked
    )
    text.say(line, n=looked).add(" ")
    line = t.ngettext("{n} of them would not have been sent:", "{n} of them would not have been sent:", missing)
    return text.say(line if missing else t.gettext("All of them would have been sent."), n=missing).add("\n\n")


@tap("exclude", Need.CHAT, _WORD)
async def exclude(request: Request, context: Context) -> Effect:
    """Exclude posts with a word from a topic in this chat."""
    tap = AlertTap.read(request.argument)
    alerted, topic, choice = await _chosen(tap, context)
    query = await read_query(choice.word, context)
    excluded = ExcludedWord(topic_id=topic.id, word=choice.word, compiled=query.compiled.to_json())

    async def effect(tx: Transaction) -> Reply:
        await topic_by_id(tx, topic.id, context)  # deleted or kept to another chat in this moment
        act = await set_exclusion(tx, context, topic, excluded, on=True)
        await _mark(tx, request, context, replace(alerted, topics=(topic.name,)), Complaint.WORD, word=choice.word)
        line = context.t.gettext(
            "In this chat, {topic} now leaves out posts that say {word}. /topics can bring them back."
        )
        rows = [] if act is None else [(undo_button(act, context.t),)]
        is_shared = not topic.is_feed and await others_using(tx, topic, context)
        if is_shared and choice.word not in topic.excluded and offers_change(topic, context):
            label = context.t.gettext("Leave out in all chats…")
            rows.append((button(label, "forall", topic.id, name_word(choice.word), "out"),))
        return change(line, tuple(rows), topic=show_topic(topic, context.t), word=bold(choice.text))

    return effect


@tap("leave", Need.CHAT, POST)
@writes
async def leave(request: Request, context: Context, tx: Transaction) -> Reply:
    """Exclude nothing, after all, but record that the alert was not relevant."""
    tap = AlertTap.read(request.argument)
    alerted = await feedback.find_alerted(tx, context.chat.id, tap.channel_id, tap.message_id)
    if alerted is not None:
        await _mark(tx, request, context, alerted, Complaint.NOTE)
    return change(context.t.gettext("No word was excluded. I have noted that the alert was not relevant."))


async def _alerted(db: Reader, tap: AlertTap, context: Context) -> AlertedPost:
    """Return the alert of a tapped button. Raises CommandError where its post is not stored or not seen any more."""
    alerted = await feedback.find_alerted(db, context.chat.id, tap.channel_id, tap.message_id)
    if alerted is None or await channel_by_id(db, tap.channel_id, context.viewer) is None:
        raise forgotten(context)
    return alerted


async def _mark(  # noqa: PLR0913 - who, where, what and why
    tx: Transaction,
    request: Request,
    context: Context,
    alerted: AlertedPost,
    what: Complaint,
    *,
    word: str | None = None,
) -> None:
    await feedback.record(
        tx,
        context.chat.id,
        alerted.post,
        person_id=request.person_id,
        topics=alerted.topics,
        what=what,
        word=word,
        now=context.now,
    )


async def _topics(db: Reader, alerted: AlertedPost, viewer: Viewer) -> list[Topic]:
    """Return the topics of an alert that still exist."""
    return (await topics_named(db, alerted.topics, viewer))[:_MOST_TOPICS]


async def _chosen(tap: AlertTap, context: Context) -> tuple[AlertedPost, Topic, Exclusion]:
    """Return the alert, topic and word that a button's data names. Raises CommandError where one of them is gone."""
    alerted = await _alerted(context.database, tap, context)
    topic = await topic_by_id(context.database, int(tap.chosen[0]), context)
    offered = await asyncio.to_thread(_choices, alerted.post, topic, context.inflector)
    choice = next((each for each in offered if name_word(each.word) == tap.chosen[1]), None)
    if choice is None:
        raise CommandError(context.own.gettext("The post has changed. Please choose the word again."))
    return alerted, topic, choice


def _choices(post: StoredPost, topic: Topic, inflector: Inflector) -> list[Exclusion]:
    """Return words of a post that a topic can exclude, beginning with the words that the topic found."""
    document = analyse(post.whole)
    if topic.is_feed:
        return choices(document, (), inflector, most=_MOST_WORDS)
    spans = verify(including(Compiled.from_json(topic.compiled), topic.query), document) or ()
    return choices(document, spans, inflector, most=_MOST_WORDS)
