"""Takes messages and taps from Telegram, and sends the replies of the handlers, chat by chat.

Each person is served in their own order in each chat, and nobody waits for another: a group goes on while one of its
members searches. An answer that does not get through for some seconds is tried again apart from the others. An answer's
`random_id` is made from the update; where that comes again after a crash, it is answered again, and Telegram refuses
what it has shown already. What has not been answered when the process ends comes again: until then the client does not
write down that it came.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from weakref import WeakValueDictionary

import structlog
from telethon import events, types

from bot.commands import broadcast
from bot.commands.context import Reply, Request, failure, say
from bot.commands.dispatch import Dispatch
from bot.commands.dossier import Dossiers
from bot.commands.menus import CommandMenus
from bot.commands.setup import language_of
from bot.commands.updates import BotEvent, to_request, with_replied
from bot.errors import FatalError, TelegramError, Verdict
from bot.locales import translator
from bot.models import Clock
from bot.models.outgoing import Outgoing, Peer, PeerKind
from bot.models.people import Role
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.search.pool import Searches
from bot.store import addresses, chats, handled, meta, outbox, people, progress, threads
from bot.store.chats import Chat
from bot.store.database import Database, Subject
from bot.telegram import chat_moves
from bot.telegram.chat_moves import BroadcastAccess, ChatMoved, ChatNews, ThreadNamed
from bot.telegram.client import Client
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.forums import thread_title
from bot.telegram.rpc import ask
from bot.telegram.sender import Sender, simplified

log = structlog.get_logger(__name__)

GOES_ROUND = 30.0  # s, though nothing comes
IN_TURN = 5.0  # s that an answer holds up those after it for who asked in its chat
PATIENCE = 600.0  # s; an answer that Telegram would not take by then is given up
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # s between attempts
SERVER_ERROR = 500  # the code of an error that is not ours; after so many, how the answer looks may be too much for it:
SIMPLER_AFTER = 3


class Router:
    """Brings requests to the dispatcher, and its replies to the chats."""

    def __init__(  # noqa: PLR0913 - the parts that it brings together
        self,
        client: Client,
        database: Database,
        sender: Sender,
        *,
        searches: Searches,
        dossiers: Dossiers,
        clock: Clock,
    ) -> None:
        self._dossiers = dossiers
        self._client = client
        self._database = database
        self._sender = sender
        self._clock = clock
        self.menus = CommandMenus(client, database)
        self._dispatch = Dispatch(database, searches, clock)
        self._events: asyncio.Queue[BotEvent] = asyncio.Queue()
        self._unanswered = 0  # events that are not answered yet
        self._settled = asyncio.Event()  # set while there is none
        self._settled.set()
        self._nameless: set[Peer] = set()  # threads whose title was asked for
        self._failing: dict[str, str] = {}  # by request, the error that its answer last met
        self._edits: dict[tuple[PeerKind, int, int], str] = {}  # by chat and message, the request that edits it last
        self._turns: WeakValueDictionary[tuple[PeerKind, int, int], asyncio.Lock] = WeakValueDictionary()
        client.add_event_handler(self.receive, events.NewMessage(incoming=True))
        client.add_event_handler(self.receive, events.CallbackQuery())
        client.add_event_handler(self.receive, events.InlineQuery())
        client.add_event_handler(self.receive, events.Raw(chat_moves.UPDATES, func=chat_moves.is_relevant))

    async def receive(self, event: BotEvent) -> None:
        """Queue an event, which `run` answers."""
        self._unanswered += 1
        self._settled.clear()
        self._events.put_nowait(event)

    def is_settled(self) -> bool:
        """Tell whether every event is answered."""
        return self._unanswered == 0

    async def settle(self, *, within: float) -> None:
        """Wait until every event is answered, or so many seconds have passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), within)

    async def run(self, beat: Beat = no_beat) -> None:
        """Answer events until cancelled, also earlier ones. Raises FatalError where the bot's session is gone."""
        me = await ask(self._client.get_me())
        secret = await self._database.write(lambda tx: meta.secret(tx, outbox.SECRET))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_roles())
                while True:
                    beat(GOES_ROUND + TURN)
                    event = None
                    with suppress(TimeoutError):  # it is quiet
                        event = await asyncio.wait_for(self._events.get(), GOES_ROUND)
                    if isinstance(event, chat_moves.UPDATES):  # before what is said in the new place
                        await self._take(event, me, secret)
                    elif event is not None:
                        group.create_task(self._take(event, me, secret))
        except* FatalError as fatal:
            raise fatal.exceptions[0] from None

    async def _take(self, event: BotEvent, me: types.User, secret: bytes) -> None:
        """Answer one event that is meant for us; a failure is logged, and a cancelled event stays open."""
        try:
            if isinstance(event, chat_moves.UPDATES):
                if (news := chat_moves.read(event, me.id)) is not None:
                    await self._follow_move(news)
            elif isinstance(event, events.InlineQuery.Event):
                await self._offer(event)
            elif (request := to_request(event, me.username or "")) is not None:
                await self._serve(event, request, secret)
                await self._learn_thread(request.peer)
        except FatalError:
            raise
        except Exception:
            log.exception("an update could not be answered")
        self._unanswered -= 1
        if self.is_settled():
            self._settled.set()

    async def _offer(self, event: events.InlineQuery.Event) -> None:
        """Offer found posts to somebody who types our name in any chat; what comes too late is not wanted any more."""
        offered = await self._dispatch.offer(event.query.user_id, event.text)
        try:
            await self._sender.offer(event.query.query_id, offered)
        except TelegramError as error:
            if error.verdict is Verdict.FATAL:
                raise _gone(error) from None
            log.info("an offer of posts was not taken", error=error.error)

    async def _follow_move(self, news: ChatNews) -> None:
        """Follow a paired group that became a supergroup, resume a paired chat that takes messages again, and so on."""
        if isinstance(news, BroadcastAccess):
            await self._database.write(lambda tx: broadcast.receive(tx, news, now=self._clock()))
            return
        if isinstance(news, ThreadNamed):
            await self._database.write(lambda tx: threads.set_title(tx, news.peer, news.thread_id, news.title))
            return
        if isinstance(news, ChatMoved):
            if await self._database.write(lambda tx: addresses.upgrade(tx, news.group_id, news.to)):
                log.info("a group became a supergroup and is followed", group=news.group_id, supergroup=news.to.id)
            return
        chat = await chats.by_peer(self._database, news.peer.kind, news.peer.id)
        if chat is not None:
            now = self._clock()
            await self._database.write(lambda tx: addresses.resume(tx, chat.id, now=now))

    async def _learn_thread(self, peer: Peer) -> None:
        """Ask once for the title of a thread in which somebody wrote to us, and which was there before us."""
        number = peer.thread_id
        if number is None or peer in self._nameless or not await threads.lacks_title(self._database, peer):
            return
        self._nameless.add(peer)
        try:
            title = await thread_title(self._client, peer)
        except TelegramError as error:
            log.info("a thread has no title for us", error=error.error)
            return
        if title is not None:
            await self._database.write(lambda tx: threads.set_title(tx, peer, number, title))

    async def _serve(self, event: BotEvent, request: Request, secret: bytes) -> None:
        """Answer one request after its author's earlier ones there; a failure is logged and answered with an excuse."""
        turn = self._turns.setdefault((request.peer.kind, request.peer.id, request.person_id), asyncio.Lock())
        async with turn:
            if await handled.is_delivered(self._database, request.key):
                return
            try:
                reply = await self._dispatch.answer(request, partial(with_replied, event=event))
            except FatalError:
                raise
            except Exception:
                log.exception("a command failed", command=request.command)
                t = translator(await language_of(self._database, request))
                reply = say(failure(t))
            if reply is None:  # a stranger makes us ask Telegram for nothing
                return
            saying = asyncio.create_task(self._answer(request, reply, secret))
            try:
                await asyncio.wait({saying}, timeout=IN_TURN)
            except asyncio.CancelledError:
                saying.cancel()
                raise
        try:
            if not saying.done() and (error := self._failing.get(request.key)) is not None:
                log.warning("an answer is retried separately; its chat continues", command=request.command, error=error)
            await saying
        finally:
            saying.cancel()

    async def _answer(self, request: Request, reply: Reply, secret: bytes) -> None:
        """Bring an answer to its chat, however long it takes, and mark it as delivered."""
        place = _place(request)
        self._edits[place] = request.key
        try:
            await self._say(request, reply, secret)
        finally:
            self._failing.pop(request.key, None)
            if self._edits.get(place) == request.key:
                del self._edits[place]
        if reply.fleeting:
            return
        now = self._clock()
        kept = Reply().to_json() if reply.secret else None
        await self._database.write(lambda tx: handled.mark_delivered(tx, request.key, now=now, answer=kept))

    async def _say(self, request: Request, reply: Reply, secret: bytes) -> None:
        sender, peer = self._sender, request.peer
        if request.query_id is not None:
            answer = partial(sender.answer_callback, request.query_id, reply.note)
            await self._try(request, answer, patience=IN_TURN)  # the phone gives it up soon, and the reply is to come
        if reply.forgets and not request.tapped:
            with suppress(TelegramError):
                await sender.delete(peer, request.message_id)
        if reply.edit is not None:
            await self._try(request, partial(self._edit, request), reply.edit)
        if reply.buttons is not None:
            await self._try(request, partial(sender.edit_buttons, peer, request.message_id, reply.buttons))
        chat_key = f"{peer.kind}:{peer.id}".encode()
        # In a group it answers what was said or tapped, and so stands in the same thread.
        reply_to = None if request.private else request.message_id
        for number, outgoing in enumerate(reply.messages):
            random_id = outbox.random_id(secret, chat_key, "answer", f"{request.key}/{number}")
            send = partial(self._send, peer, random_id=random_id, reply_to=reply_to)
            message_id = await self._try(request, send, outgoing)
            if isinstance(message_id, int) and reply.progress is not None and number == 0:
                adopt = partial(progress.adopt, peer=peer, asked_at=reply.progress, message_id=message_id)
                await self._database.write(adopt)
        if reply.order is not None:
            random_id = outbox.random_id(secret, chat_key, "answer", f"{request.key}/file")
            bring = partial(self._dossiers.bring, reply.order, peer, random_id=random_id, reply_to=reply_to)
            await self._try(request, bring)
        if reply.menu is not None:  # last, as are those of others: nobody waits for it
            await self.menus.show(peer, reply.menu)
        await self.menus.show_people(reply.menus_of)

    async def _keep_roles(self) -> None:
        """Show roles that changed, also on the server, until cancelled. Raises FatalError."""
        while True:
            since = self._database.changes.revision(Subject.CHATS)
            try:
                await self._show_roles()
            except FatalError:
                raise
            except Exception:
                log.exception("roles that have changed could not be shown")
            await self._database.changes.wait(Subject.CHATS, since, timeout=GOES_ROUND)

    async def _show_roles(self) -> None:
        """Let the menus follow the roles that have changed, also on the server; tell who was removed, once."""
        for news in await people.role_news(self._database):
            chat, role = news.chat, news.role
            await self._database.write(partial(people.show_role, person_id=chat.peer.id, role=role))
            if role is not Role.READER or news.shown is not None:  # by itself Telegram shows what readers may do
                await self.menus.show(chat.peer, chat.language)
            if role is None:
                await self._take_leave(chat)

    async def _take_leave(self, chat: Chat) -> None:
        t = translator(chat.language)
        line = t.gettext(
            "You have been removed from the team: you get no more alerts or answers. An owner can invite you again."
        )
        try:
            await self._sender.send(chat.peer, Outgoing(text=line), random_id=secrets.randbits(63))
        except TelegramError as error:
            log.info("somebody who was removed could not be told", error=error.error)

    async def _edit(self, request: Request, outgoing: Outgoing) -> None:
        """Replace what somebody tapped, unless a later tap has replaced it already. Raises TelegramError."""
        if self._edits.get(_place(request)) == request.key:
            await self._sender.edit(request.peer, request.message_id, outgoing)

    async def _send(self, peer: Peer, outgoing: Outgoing, *, random_id: int, reply_to: int | None) -> int | None:
        """Send an answer as a reply, or by itself where the message to reply to is gone; return its id, if it is known.

        Raises TelegramError.
        """
        try:
            return await self._sender.send(peer, outgoing, random_id=random_id, reply_to=reply_to)
        except TelegramError as error:
            if reply_to is None or error.error != UNANSWERABLE:
                raise
            return await self._sender.send(peer, outgoing, random_id=random_id)

    async def _try(
        self,
        request: Request,
        send: Callable[..., Awaitable[object]],
        outgoing: Outgoing | None = None,
        *,
        patience: float = PATIENCE,
    ) -> object:
        """Send until Telegram takes the answer or refuses it for good, or so many seconds are over.

        Return what sending returned; None where it was given up.
        """
        clock = asyncio.get_running_loop().time
        pause, end, failures = FIRST_PAUSE, clock() + patience, 0
        while True:
            try:
                return await (send() if outgoing is None else send(outgoing))
            except TelegramError as error:
                wait = max(error.retry_after, pause)
                if error.verdict is not Verdict.RETRY or clock() + wait > end:
                    await self._refused(request, error)
                    return None
                self._failing[request.key] = error.error
                failures += error.code >= SERVER_ERROR
                if outgoing is not None and failures and failures % SIMPLER_AFTER == 0:
                    outgoing = simplified(outgoing, Verdict.BARE) or outgoing
                pause = min(pause * 2, LONGEST_PAUSE)
                await asyncio.sleep(wait)

    async def _refused(self, request: Request, error: TelegramError) -> None:
        if error.verdict is Verdict.DONE:
            return
        if error.verdict is Verdict.FATAL:
            raise _gone(error)
        log.warning("an answer was refused", command=request.command, error=error.error)
        if error.verdict is not Verdict.SUSPEND:
            return
        chat = await chats.by_peer(self._database, request.peer.kind, request.peer.id)
        if chat is not None:
            now = self._clock()
            await self._database.write(lambda tx: addresses.suspend(tx, chat, error.error, now=now))


def _gone(error: TelegramError) -> FatalError:
    return FatalError(f"The bot's session is gone: {error}. Check TELEGRAM_BOT_TOKEN and start again.")


def _place(request: Request) -> tuple[PeerKind, int, int]:
    return request.peer.kind, request.peer.id, request.message_id
