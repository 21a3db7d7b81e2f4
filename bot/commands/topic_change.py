"""A topic that is changed: who may, for whom, what it would find, one question; and the old one kept for a chat."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.commands.context import CommandError, Context, Effect, Reply, Request, change, message
from bot.commands.lookup import LONGEST_NAME, limited_scope, name_chats, show_source, show_topic, topic_by_id
from bot.commands.query_text import TypedQuery, read_query
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need, may_change_made
from bot.commands.undo import undo_button
from bot.locales import Translator
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled, packed, weight
from bot.matching.engine.regex import MOST_IN_ALL
from bot.models import StoredPost
from bot.models.acts import TopicChanged, TopicMade
from bot.models.outgoing import Outgoing
from bot.models.people import EVERYTHING
from bot.models.topics import TopicState
from bot.parts import compact_json
from bot.rendering.post_text import excerpt_post
from bot.rendering.topic_changes import show_topic_change
from bot.search.backtest import midnight
from bot.search.jobs import find_difference
from bot.search.searcher import Hit
from bot.store import access, acts, chats, exclusions, people, subscriptions, topics
from bot.store.access import Restrictable
from bot.store.acts import Rows
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic
from bot.text.buttons import button, name_word
from bot.text.markup import Text, bold, one_line

SEEN = r"[0-9a-f]{8}"  # how a button's data names what a topic looked for when it was asked
_NEW = "0" * 8  # there was no topic
_COMPARED_DAYS, _MOST_POSTS, _MOST_READ = 7, 500, 20_000  # today being one; of each query; versions
_SHOWN, _EXCERPT, _NAME = 3, 140, 40  # posts of each kind and characters of one; of a person's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a topic is to become."""

    topic: Topic  # as it is
    typed: TypedQuery


def seen(topic: Topic | None) -> str:
    """Name what a topic looks for, in a button's data: it is changed by a tap only while that is so."""
    state = None if topic is None else topic.state
    return _NEW if state is None else name_word(compact_json([state.query, state.limits, state.excluded]))


async def read_state(state: TopicState, context: Context) -> TypedQuery:
    """Make a query ready to run that a topic has had. Raises CommandError where it cannot be read any more."""
    return replace(await read_query(state.query, context, excluded=state.excluded), state=state)


async def others_using(db: Reader, topic: Topic, context: Context) -> list[Chat]:
    """Return the other chats that get alerts on a topic."""
    return [chat for chat in await chats.subscribed(db, topic.id) if chat.id != context.chat.id]


def name_users(users: Sequence[Chat], t: Translator) -> str:
    """Say how many other chats use a topic, and which."""
    line = t.ngettext("{n} other chat uses it: {chats}", "{n} other chats use it: {chats}", len(users))
    return line.format(n=len(users), chats=name_chats(users))


def may_change(topic: Topic, context: Context) -> bool:
    """Tell whether who speaks may change a topic."""
    is_author = topic.author is not None and topic.author == context.person_id
    return may_change_made(context.role, is_author=is_author, private=context.private)


def offers_change(topic: Topic, context: Context) -> bool:
    """Tell whether a screen has buttons that change a topic."""
    return context.offers(Need.INSTANCE) or may_change(topic, context)


async def require_may_change(db: Reader, topic: Topic, context: Context) -> None:
    """Raise CommandError, with the sentence on who can, where who speaks may not change a topic."""
    if may_change(topic, context):
        return
    author = None if topic.author is None else await people.get(db, topic.author)
    t, name = context.t, topic_title(topic.name, context.t)
    if author is None:
        raise CommandError(t.gettext("Only owners and editors can change {name}.").format(name=name))
    line = t.gettext("Only {author}, who created {name}, owners and editors can change it.")
    raise CommandError(line.format(name=name, author=one_line(author.name, _NAME)))


async def require_possible(db: Reader, known: Topic | None, typed: TypedQuery, context: Context) -> None:
    """Raise CommandError where a topic cannot look for this."""
    t = context.t
    if known is not None and known.builtin and (known.query, known.limits) != (typed.state.query, typed.state.limits):
        line = t.gettext("{name} is built in. Choose another name for your topic.")
        raise CommandError(line, name=show_topic(known, t))
    own = weight(typed.compiled.query)
    every = [topic for topic in await topics.all_topics(db) if "re:/" in topic.compiled] if own else []
    others = [
        weight(Compiled.from_json(topic.compiled).query) for topic in every if known is None or topic.id != known.id
    ]
    if own + sum(others) > MOST_IN_ALL:
        line = t.gettext("The expressions of all topics together would be too large. Write a narrower one, or words.")
        raise CommandError(line)


async def propose(context: Context, wanted: Change, *data: str | int) -> Outgoing:
    """Ask once whether a topic is to be changed so; `data` is what the button sends, with what was seen.

    Raises CommandError where it cannot be, or who speaks may not.
    """
    db, t, topic = context.database, context.t, wanted.topic
    await require_may_change(db, topic, context)
    await require_possible(db, topic, wanted.typed, context)
    if topic.state == wanted.typed.state:
        raise CommandError(context.own.gettext("It already looks for exactly that."))
    text = Text().line(t.gettext("Change {name}?"), name=show_topic(topic, t))
    text.lines(await describe(wanted, context))
    label = t.gettext("Change for everybody") if await others_using(db, topic, context) else t.gettext("Change")
    row = (button(label, *data, seen(topic)), button(t.gettext("Leave it as it is"), "keep"))
    return message(text, (row,))


async def describe(wanted: Change, context: Context) -> Text:
    """Write what would be different of a topic, for whom, and which posts it would find and no longer find."""
    t, topic = context.t, wanted.topic
    text = show_topic_change(topic.state, wanted.typed.state, t)
    users = await others_using(context.database, topic, context)
    if users:
        text.add(name_users(users, t), "\n")
    return text.lines(await _difference(wanted, context))


async def _difference(wanted: Change, context: Context) -> Text:
    t, zone, topic, typed = context.t, ZoneInfo(context.chat.time_zone), wanted.topic, wanted.typed
    since = midnight(context.now, days=_COMPARED_DAYS, zone=zone)
    words = [each.compiled for each in await exclusions.of_chat(context.database, context.chat.id, topic.id)]
    old = (packed(topic.compiled, words), await limited_scope(context, topic.limits, since=since))
    new = (packed(typed.compiled.to_json(), words), await limited_scope(context, typed.state.limits, since=since))
    found = await context.ask(find_difference, old, new, limit=_MOST_POSTS, most=_MOST_READ)
    day = format_date((found.reached or since).astimezone(zone), "d MMM", locale=t.language)
    if not found.gained and not found.lost:
        return Text().line(t.gettext("Since {day} it would have found the same posts."), day=day)
    text = Text()
    gained = t.ngettext(
        "Since {day} it would find {n} more post:", "Since {day} it would find {n} more posts:", len(found.gained)
    )
    lost = t.ngettext("Since {day} it would miss {n} post:", "Since {day} it would miss {n} posts:", len(found.lost))
    for line, hits in ((gained, found.gained), (lost, found.lost)):
        if hits:
            text.line().line(line, day=day, n=bold(str(len(hits))))
            for hit in hits[:_SHOWN]:
                text.lines(_excerpt(hit.post, hit, context))
    return text


def _excerpt(post: StoredPost, hit: Hit, context: Context) -> Text:
    text = Text().add(show_source(post), " · ", context.date(post.date), "\n")
    return text.marked(*excerpt_post(post.text, post.parts, hit.spans, context.t, room=_EXCERPT)).add("\n")


def changed_since(context: Context) -> CommandError:
    """Say that a topic is not what it was when a change of it was offered."""
    return CommandError(context.own.gettext("The topic has been changed since. Please start again."))


async def carry_out(tx: Transaction, context: Context, wanted: Change) -> tuple[int | None, int]:
    """Change a topic, with a notice to the other chats that use it.

    Return the number of the act, None where it looks for that already, and how many chats have the notice. Raises
    CommandError where somebody has changed the topic since it was read, or who speaks may not.
    """
    topic, typed = await topic_by_id(tx, wanted.topic.id, context), wanted.typed
    if topic.state == typed.state:
        return None, 0
    if topic.state != wanted.topic.state:
        raise changed_since(context)
    await require_may_change(tx, topic, context)
    await require_possible(tx, topic, typed, context)
    users = [chat.id for chat in await others_using(tx, topic, context)]
    act = TopicChanged(topic=topic.name, before=topic.state, after=typed.state)
    rows = (Rows("topics", "id", topic.id), Rows("topic_versions", "topic_id", topic.id))
    async with acts.recorded(
        tx, act, context.actor, *rows, now=context.now, restricted=topic.restricted, concerned=users
    ) as recording:
        await save_topic(tx, context, topic.name, typed)
    return recording.id, len(users)


async def save_topic(tx: Transaction, context: Context, name: str, typed: TypedQuery) -> Topic:
    """Make a topic, or let the one of this name look for something else; who speaks did that."""
    return await topics.save(
        tx,
        name=name,
        query=typed.state.query,
        limits=typed.state.limits,
        excluded=typed.state.excluded,
        compiled=typed.compiled.to_json(),
        author=context.person_id or None,
        by=context.name,
        now=context.now,
    )


def effect_of(context: Context, wanted: Change, asked: str) -> Effect:
    """Return the write that changes a topic, if it still looks for what was `asked` about, and the answer."""

    async def effect(tx: Transaction) -> Reply:
        if seen(wanted.topic) != asked and wanted.topic.state != wanted.typed.state:
            raise changed_since(context)
        act, count = await carry_out(tx, context, wanted)
        text = Text().line(context.t.gettext("{name} has been changed."), name=show_topic(wanted.topic, context.t))
        text.lines(show_topic_change(wanted.topic.state, wanted.typed.state, context.t)).lines(
            notified(count, context.t)
        )
        return change(text, () if act is None else ((undo_button(act, context.t),),))

    return effect


def notified(count: int, t: Translator) -> Text:
    """Say how many chats have a notice of a change."""
    line = t.ngettext("{n} other chat has been told.", "{n} other chats have been told.", count)
    return Text().line(line, n=count) if count else Text()


def free_name(name: str, chat: str, taken: Sequence[str]) -> str:
    """Return a name for a topic of a chat's own that nothing else has: «Banks (Newsroom)», «Banks (Newsroom) 2»."""
    title = " ".join(chat.replace(":", " ").split())[: LONGEST_NAME // 2]
    used, number = {" ".join(each.casefold().split()) for each in taken}, 1
    while True:
        ending = f" ({title})" if number == 1 else f" ({title}) {number}"
        own = name[: LONGEST_NAME - len(ending)].rstrip() + ending
        if " ".join(own.casefold().split()) not in used:
            return own
        number += 1


@tap("ours", Need.CHAT, r"\d{1,15}")
async def keep_ours(request: Request, context: Context) -> Effect:
    """Make the chat a topic of its own of what a topic looked for before it was changed; all that it has goes along."""
    own, logged = context.own, await acts.get(context.database, int(request.argument))
    if logged is None or not isinstance(logged.act, TopicChanged) or context.chat.id not in logged.concerned:
        raise outdated(context)
    if logged.undone_at is not None:
        raise CommandError(own.gettext("This has already been undone: the topic is as it was."))
    act = logged.act
    typed = await read_state(act.before, context)

    async def effect(tx: Transaction) -> Reply:
        topic = await topics.find(tx, act.topic)
        if topic is None or context.chat.id not in await topics.subscribed_chats(tx, topic.id):
            line = own.gettext("This chat no longer gets alerts on {name}.")
            raise CommandError(line.format(name=topic_title(act.topic, own)))
        await require_possible(tx, None, typed, context)
        taken = [each.name for each in await topics.all_topics(tx, EVERYTHING)]
        name = free_name(topic_title(topic.name, context.t), context.chat.title, taken)
        made = TopicMade(topic=name, query=act.before.source)
        await acts.record(tx, made, context.actor, now=context.now, restricted=topic.restricted)
        kept = await save_topic(tx, context, name, typed)
        await subscriptions.move(tx, context.chat.id, topic, kept)
        if topic.restricted:
            await access.restrict(tx, Restrictable.TOPIC, kept.id, [context.chat.id])
        text = Text().line(context.t.gettext("This chat now has its own topic: {name}"), name=bold(name))
        text.line(context.t.gettext("It looks for what {name} used to look for."), name=show_topic(topic, context.t))
        return change(text, ((button(context.t.gettext("About it"), "about", kept.id),),))

    return effect


@tap("ok", Need.CHAT)
async def accept(_: Request, __: Context) -> Reply:
    """Take the buttons of a notice away."""
    return Reply(buttons=())
