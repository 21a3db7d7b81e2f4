"""What a start writes into the store before anything runs: topics, the channels of the settings, a pairing link."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog

from bot import __version__
from bot.errors import SettingsError
from bot.matching.engine.compiled import Compiled
from bot.matching.explain.exclusions import compile_excluding, including
from bot.matching.query.refusals import QueryError
from bot.matching.topics import TopicFile, builtin_topics, check_examples
from bot.matching.words.inflection import Inflector
from bot.models.acts import PersonRemoved
from bot.models.people import Role
from bot.settings import Settings, printable
from bot.store import acts, chats, follows, invitations, meta, outbox, people, topics
from bot.store.database import Database, Transaction
from bot.text.references import any_reference

log = structlog.get_logger(__name__)


async def take_over_topics(tx: Transaction, own: Iterable[TopicFile], *, now: datetime) -> None:
    """Bring the built-in topics up to date; an operator's own file replaces ours of the same name.

    Raises TopicError where one of these does not find what its examples say.
    """
    inflector = Inflector()
    filed = {topic.name.casefold(): topic for topic in (*builtin_topics(), *own)}
    taken = await topics.take_over(
        tx,
        [
            topics.FiledTopic(name=topic.name, query=topic.query, limits=topic.limits, on_by_default=topic.default)
            for topic in filed.values()
        ],
        lambda query, excluded: _expand(query, excluded, inflector),
        now=now,
        program=f"{__version__} {'with' if inflector.has_ukrainian else 'without'} Ukrainian",
    )
    for name in taken:
        log.warning("a topic that was made in the chat has this name; the file is not used", topic=name)
    for topic in own:
        stored = await topics.find(tx, topic.name)
        if stored is not None and stored.builtin:
            # People may well have left out a word of an example.
            check_examples(topic, including(Compiled.from_json(stored.compiled), topic.query))


def _expand(query: str, excluded: Sequence[str], inflector: Inflector) -> str:
    try:
        return compile_excluding(query, excluded, inflector).to_json()
    except QueryError:  # a file's query has grown so that there is no room for the words
        log.warning("a topic is too long to exclude more words", words=excluded)
        return compile_excluding(query, (), inflector).to_json()


async def request_channels(database: Database, settings: Settings, now: datetime) -> None:
    """At the very first start, request the channels of the settings. Raises SettingsError for one that is none."""

    async def job(tx: Transaction) -> None:
        if await meta.get(tx, "first_started_at") is None:
            await meta.put(tx, "first_started_at", now.isoformat())
            await meta.secret(tx, outbox.SECRET)  # on the disk before anything is sent under a number made with it
            for reference in settings.channels:
                await follows.request(tx, reference_of(reference), chat_id=None, now=now)

    await database.write(job)


def reference_of(reference: str) -> str:
    """Return the normal reference of a channel in the settings. Raises SettingsError."""
    found = any_reference(reference)
    if found is None:
        raise SettingsError(
            f"CHANNELS: «{printable(reference)}» is not a channel; write @name, t.me/name, t.me/+invite or https://site.ru/rss"
        )
    return found


async def take_over_owners(database: Database, settings: Settings, now: datetime) -> None:
    """Make those owners whom the settings name; those whom they no longer name, and nobody else has let in, go."""

    async def job(tx: Transaction) -> bool:
        for gone in await people.take_over(tx, settings.owner_ids, now=now):
            await acts.record(tx, PersonRemoved(person=gone.called, role=gone.role), acts.SERVER, now=now)
        everybody = await people.everybody(tx)
        return bool(everybody) and all(person.role is not Role.OWNER for person in everybody)

    if await database.write(job):
        log.warning("there is no owner left; on the server, run: channelwatch invite --role owner")


async def pairing_link(database: Database, settings: Settings, username: str, *, now: datetime) -> str | None:
    """Return a new pairing link; None where a chat is paired, or the settings name an owner."""

    async def job(tx: Transaction) -> str | None:
        await meta.put(tx, "bot_username", username)
        if settings.owner_ids or await chats.everyone(tx):
            return None
        return (await invitations.make(tx, role=Role.OWNER, now=now)).token

    token = await database.write(job)
    return token and f"https://t.me/{username}?start={token}"
