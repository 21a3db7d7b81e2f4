"""Decides who may speak and which handler answers a request; effect and reply are committed together, once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.commands import inline, plain, registry, setup
from bot.commands.context import CommandError, Context, Effect, Reply, Request, reply_of, say
from bot.commands.flood import Admission, Buckets
from bot.commands.questions import closing, completed, ends, is_answer
from bot.commands.rights import REFUSALS
from bot.locales import Translator, translator
from bot.matching.words.inflection import Inflector
from bot.models import Clock
from bot.models.outgoing import OfferedPost, PeerKind
from bot.search.pool import Searches
from bot.store import addresses, chats, handled, people, questions
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.store.people import Person
from bot.store.questions import Question
from bot.text.markup import Text

Complete = Callable[[Request], Awaitable[Request]]
BURST, EACH = 60, timedelta(seconds=1)  # what a person may ask at once, and when it is one more
STRANGERS_BURST, STRANGERS_EACH = 10, timedelta(minutes=1)
STALE = timedelta(minutes=10)  # nobody waits for the answer to an older command any more


async def _as_it_is(request: Request) -> Request:
    return request


class _RoleChangedError(Exception):
    """The speaker may do more, or less, than when their request came."""


class Dispatch:
    """Finds the role of the speaker and the chat, and lets the right handler answer."""

    def __init__(self, database: Database, searches: Searches, clock: Clock, *, burst: int = BURST) -> None:
        self._database = database
        self._searches = searches
        self._clock = clock
        self._buckets = Buckets(burst=burst, each=EACH)
        self._strangers = Buckets(burst=STRANGERS_BURST, each=STRANGERS_EACH)
        self._inflector = Inflector()
        self._excused: dict[tuple[PeerKind, int], datetime] = {}  # chats that were asked to send their commands again

    async def answer(self, request: Request, complete: Complete = _as_it_is) -> Reply | None:
        """Return the reply, after its effect is committed; a repeated request gets the recorded reply and no effect.

        `complete` reads from Telegram what the request replies to, once it is known that its author may ask. None for
        a stranger who has been turned away before: nothing is to be sent, not even the answer to a tap.
        """
        now = self._clock()
        is_talk = not request.private and not request.command and not request.tapped
        if is_talk and not await questions.waits_for_reply(
            self._database, request.peer, request.person_id, request.reply_to
        ):
            return None
        person = await people.get(self._database, request.person_id)
        refused = self._hold_back(request, now, is_known=person is not None)
        if refused is not None:
            return refused if refused != Reply() else None
        try:
            return await self._commit(request, await self._handle(request, person, complete, now), person, now)
        except CommandError as error:
            return await self._commit(request, await self._refuse(request, error, now), person, now)
        except _RoleChangedError:
            return await self.answer(request, complete)
        except setup.StrangerError:
            # The answer is not recorded: strangers may write as much as they like.
            return await self._turn_away(request, now)

    async def _refuse(self, request: Request, error: CommandError, now: datetime) -> Reply | Effect:
        """Answer a request that cannot be fulfilled; it ends an open question all the same, unless it answers that."""
        chat = await chats.by_peer(self._database, request.peer.kind, request.peer.id)
        if chat is None:
            return error.reply(request)
        question = await questions.open_to(self._database, chat.id, request.person_id, now)
        t = translator(chat.language)
        if question is not None and ends(question, request):
            return closing(error.reply(request), question, request, t)
        if question is not None and is_answer(question, request):  # perhaps a search of somebody who forgot
            return say(Text().join(error.text).add("\n", t.gettext("/cancel stops this.")))
        return error.reply(request)

    async def offer(self, person_id: int, typed: str) -> tuple[OfferedPost, ...]:
        """Return the posts offered to a person who searches in any chat; none for strangers and in floods."""
        now = self._clock()
        person = await people.get(self._database, person_id)
        chat = await chats.by_peer(self._database, PeerKind.USER, person_id)
        if person is None or chat is None or self._buckets.take(person_id, now) is not Admission.GRANTED:
            return ()
        try:
            return await inline.offer(typed, self._context(person, chat, translator(chat.language), now))
        except CommandError:  # the words are not typed to the end yet
            return ()

    def _hold_back(self, request: Request, now: datetime, *, is_known: bool) -> Reply | None:
        """Return the answer to somebody who asks too much: an empty one after the first; None where it is not so."""
        buckets = self._buckets if is_known else self._strangers
        asked_at = now if request.sent_at is None else min(request.sent_at, now)  # a minute of talk may come at once
        admission = buckets.take(request.person_id or (request.peer.kind, request.peer.id), asked_at)
        if admission is Admission.GRANTED:
            return None
        is_meant = request.tapped or request.addressed or request.command in registry.commands()
        if admission is Admission.IGNORED or not is_known or not is_meant:
            return Reply()
        t = translator(setup.spoken(request.language))
        line = t.gettext("Too many messages at once. Wait a minute; until then I will not answer.")
        return Reply(note=line, fleeting=True) if request.tapped else replace(say(line), fleeting=True)

    async def _turn_away(self, request: Request, now: datetime) -> Reply | None:
        """Answer a stranger: a tap by a note, a private message once, and who speaks in the name of a group."""
        t = translator(setup.spoken(request.language))
        if request.tapped:
            line = t.gettext("This bot is private. Ask its owner for an invitation.")
            return Reply(note=line, fleeting=True)
        if not request.person_id and not request.private:
            return None if request.command not in registry.commands() else replace(say(_unmask(t)), fleeting=True)
        if not request.private or await people.is_turned_away(self._database, request.person_id):
            return None
        await self._database.write(lambda tx: people.turn_away(tx, request.person_id, now))
        return replace(say(t.gettext("This bot is private. Ask its owner for an invitation.")), fleeting=True)

    async def _commit(self, request: Request, answer: Reply | Effect, person: Person | None, now: datetime) -> Reply:
        """Carry out an effect and record the reply in one transaction; a reply that is recorded already stands.

        Raises _RoleChangedError where the speaker was removed, or given another role, while the answer was made.
        """

        async def job(tx: Transaction) -> Reply:
            recorded = await handled.answer_to(tx, request.key)
            if recorded is not None:
                return Reply.from_json(recorded)
            by_now = await people.get(tx, request.person_id)
            if (person and person.role) is not (by_now and by_now.role):
                raise _RoleChangedError
            if not _is_stale(request, now):
                await _resume(tx, request, now)
            await _see(tx, request, now)
            reply = await reply_of(tx, answer)
            if request.command == "start":  # a newcomer is there only now
                await _see(tx, request, now)
            await handled.record(tx, request.key, reply.to_json(), peer=request.peer, now=now)
            return reply

        return await self._database.write(job)

    async def _handle(
        self, request: Request, person: Person | None, complete: Complete, now: datetime
    ) -> Reply | Effect:
        """Let the handler of the request answer, if the speaker may. Raises StrangerError and CommandError."""
        is_start = request.command == "start" and not request.tapped
        if person is None and not (is_start and await setup.invitation_of(self._database, request, now)):
            raise setup.StrangerError
        chat = await chats.by_peer(self._database, request.peer.kind, request.peer.id)
        own = translator(await setup.language_of(self._database, request, chat))
        if chat is not None and chat.broadcast:  # what it bears are links; only a changed client sends more
            raise CommandError(own.gettext("This button no longer works."))
        if person is not None and _is_stale(request, now):
            return self._ask_again(request, own, now)
        if is_start:
            return partial(setup.enter, request, now)
        if chat is None or person is None:
            return _ask_to_start(request, own)
        context = self._context(person, chat, own, now)
        context = replace(context, person_id=request.person_id, name=_name(request) or person.called)
        question = await questions.open_to(self._database, chat.id, person.id, now)
        if question is None:
            return await _answer(request, complete, context)
        return await _answer_awaited(question, request, complete, context)

    def _context(self, person: Person, chat: Chat, own: Translator, now: datetime) -> Context:
        return Context(
            database=self._database,
            searches=self._searches,
            now=now,
            chat=chat,
            person_id=person.id,
            name=person.called,
            role=person.role,
            t=translator(chat.language),
            own=own,
            inflector=self._inflector,
        )

    def _ask_again(self, request: Request, own: Translator, now: datetime) -> Reply:
        """Ask a chat once for all that is stale; talk in groups and what may be meant for another bot get no answer."""
        self._excused = {chat: at for chat, at in self._excused.items() if now - at <= STALE}
        chat = (request.peer.kind, request.peer.id)
        if not request.addressed or not (request.command or request.private) or chat in self._excused:
            return Reply()
        self._excused[chat] = now
        if not request.command:
            return say(own.gettext("I was away. Please send it again, and anything else you wrote in the meantime."))
        line = own.gettext("I was away. Please send /{command} again, and anything else you wrote in the meantime.")
        return say(line, command=request.command)


async def _see(tx: Transaction, request: Request, now: datetime) -> None:
    await people.see(tx, request.person_id, name=_name(request), username=request.username, now=now)


def _name(request: Request) -> str:
    """Return the name of the speaker; empty where Telegram does not say."""
    return request.name or (request.title if request.private else "")


def _unmask(t: Translator) -> str:
    return t.gettext(
        "You are writing in the name of the group, so I cannot see who you are. Switch off «Remain "
        "anonymous» in your admin rights, or write to me in private."
    )


def _is_stale(request: Request, now: datetime) -> bool:
    return request.sent_at is not None and now - request.sent_at > STALE


def _ask_to_start(request: Request, own: Translator) -> Reply:
    """Answer a command in a chat that is not paired, if it is meant for this bot."""
    is_meant = request.addressed and request.command and not request.tapped
    return say(own.gettext("Send /start first; then I can write to this chat.")) if is_meant else Reply()


async def _resume(tx: Transaction, request: Request, now: datetime) -> None:
    """Resume the chat of a request if it is suspended: a chat that writes to us can be written to."""
    chat = await chats.by_peer(tx, request.peer.kind, request.peer.id)
    if chat is not None and not chat.broadcast:
        await addresses.resume(tx, chat.id, now=now)


async def _answer_awaited(question: Question, request: Request, complete: Complete, context: Context) -> Reply | Effect:
    """Answer a request of somebody whose next message is awaited: that one, a command in its place, or neither."""
    if is_answer(question, request):
        request = completed(question, request)
    elif not ends(question, request):
        return await _answer(request, complete, context)
    return closing(await _answer(request, complete, context), question, request, context.t)


async def _answer(request: Request, complete: Complete, context: Context) -> Reply | Effect:
    return await (_tapped(request, context) if request.tapped else _typed(request, complete, context))


async def _typed(request: Request, complete: Complete, context: Context) -> Reply | Effect:
    if not request.command or request.origin is not None:  # a group talks among itself
        return await plain.answer(request, context) if request.private else Reply()
    command = registry.commands().get(request.command)
    if command is None or command.handler is None:
        return say(registry.unknown(request.command, context)) if request.addressed else Reply()
    if not context.may(command.need):
        raise CommandError(context.t.gettext(REFUSALS[command.need]))
    return await command.handler(await complete(request) if command.reads_replied else request, context)


async def _tapped(request: Request, context: Context) -> Reply | Effect:
    tap = registry.taps().get(request.command)
    if tap is None or not tap.argument.fullmatch(request.argument):
        raise registry.outdated(context)
    if not context.may(tap.need):
        raise CommandError(context.own.gettext(REFUSALS[tap.need]))
    return await tap.handler(request, context)
