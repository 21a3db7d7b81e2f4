"""The door to the chats: Telegram's updates come in as requests, and replies go out through the sender, chat by chat.

Each chat is served in its own order, and none waits for another. An answer's `random_id` is made from the update; where
that comes again after a crash, it is answered again, and Telegram refuses what it has shown already. What has not been
answered when the process ends comes again: until then the client does not write down that it was heard.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import structlog
from telethon import TelegramClient, errors, events, functions, types

from bot.asides import AsideKind, whole
from bot.commands import menu
from bot.commands.access import Access
from bot.commands.dispatch import Dispatch
from bot.commands.places import take_in
from bot.commands.start import language_of
from bot.commands.talk import Origin, Reply, Request, read_command, say
from bot.errors import FatalError, TelegramError, Verdict
from bot.locales import LANGUAGES, translator
from bot.loops import Health
from bot.models import Clock, Outgoing, Peer, PeerKind
from bot.store import addresses, alerts, answers, chats, meta, subscriptions
from bot.store.database import Database
from bot.telegram import places
from bot.telegram.beside import to_asides
from bot.telegram.convert import from_peer, to_peer, to_text
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

GOES_ROUND = 30.0  # s, though nothing was heard
PATIENCE = 600.0  # s; an answer that Telegram would not take by then is given up
Heard = Any  # an event of Telethon, which has no types: a NewMessage or a CallbackQuery
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # s between attempts


class Router:
    """Hears what the bot is told and says what the handlers answer."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        client: TelegramClient,
        database: Database,
        sender: Sender,
        access: Access,
        clock: Clock,
        *,
        health: Health | None = None,
    ) -> None:
        self._client = client
        self._database = database
        self._sender = sender
        self._clock = clock
        self._health = health or Health()
        self._dispatch = Dispatch(database, access, clock)
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._open = 0  # events that are not answered yet
        self._settled = asyncio.Event()  # set while there is none
        self._settled.set()
        self._turns: WeakValueDictionary[tuple[PeerKind, int], asyncio.Lock] = WeakValueDictionary()
        client.add_event_handler(self.hear, events.NewMessage(incoming=True))
        client.add_event_handler(self.hear, events.CallbackQuery())
        client.add_event_handler(self.hear, events.Raw(places.UPDATES, func=places.may_tell))

    async def hear(self, event: Heard) -> None:
        """Take an event in; `run` answers it."""
        self._open += 1
        self._settled.clear()
        self._heard.put_nowait(event)

    def is_settled(self) -> bool:
        """Tell whether all that was heard is answered."""
        return self._open == 0

    async def settle(self, *, within: float) -> None:
        """Wait until all that was heard is answered, or so many seconds have passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), within)

    async def register_menu(self) -> None:
        """Tell Telegram the commands that it shows in the menu, in each language; English is for all others.

        Where a chat has chosen its language, that is shown, whatever Telegram's is.
        """
        for language in LANGUAGES:
            code = "" if language == LANGUAGES[0] else language
            await self._set_menu(language, types.BotCommandScopeDefault(), code)
        for chat in await chats.with_language(self._database):
            await self._set_menu(chat.language, types.BotCommandScopePeer(from_peer(chat.peer)))

    async def _set_menu(self, language: str, scope: types.TypeBotCommandScope, code: str = "") -> None:
        commands = [types.BotCommand(name, text) for name, text in menu.summaries(translator(language))]
        try:
            await self._client(functions.bots.SetBotCommandsRequest(scope, code, commands))
        except (errors.RPCError, ConnectionError) as error:
            log.warning("Telegram did not take the command menu", language=language, error=str(error))

    async def run(self) -> None:
        """Answer until cancelled; what was heard before waits. Raises FatalError where the bot's session is gone."""
        me = await self._client.get_me()
        now = self._clock()
        await self._database.write(lambda tx: answers.forget(tx, now=now))
        await self._database.write(lambda tx: subscriptions.forget_ended(tx, now=now))
        secret = await self._database.write(lambda tx: meta.secret(tx, alerts.SECRET))
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._health.beat("commands", within=GOES_ROUND * 3)
                    event = await self._next()
                    if isinstance(event, places.UPDATES):  # before what is said in the new place
                        await self._take(event, me, secret)
                    elif event is not None:
                        group.create_task(self._take(event, me, secret))
        except* FatalError as fatal:
            raise fatal.exceptions[0] from None

    async def _next(self) -> Heard | None:
        """Wait for what is heard next; None where it is quiet, to show that somebody waits."""
        try:
            return await asyncio.wait_for(self._heard.get(), GOES_ROUND)
        except TimeoutError:
            return None

    async def _take(self, event: Heard, me: types.User, secret: bytes) -> None:
        """Answer what is meant for us; what goes wrong with it harms no other, and what is cut off stays open."""
        try:
            if isinstance(event, places.UPDATES):
                await self._take_in(event, me.id)
            elif (request := to_request(event, me.username or "")) is not None:
                await self._serve(event, request, secret)
        except FatalError:
            raise
        except Exception:
            log.exception("what was heard could not be answered")
        self._open -= 1
        if self.is_settled():
            self._settled.set()

    async def _take_in(self, update: Heard, bot_id: int) -> None:
        news = places.read(update, bot_id)
        if news is not None:
            await take_in(self._database, news, now=self._clock())

    async def _serve(self, event: Heard, request: Request, secret: bytes) -> None:
        """Answer one request after those that the chat made before; what goes wrong with it harms no other."""
        turn = self._turns.setdefault((request.peer.kind, request.peer.id), asyncio.Lock())
        async with turn:
            if await answers.is_said(self._database, request.key):
                return
            try:
                reply = await self._dispatch.answer(await _with_replied(request, event))
            except FatalError:
                raise
            except Exception:
                log.exception("a command failed", command=request.command)
                t = translator(await language_of(self._database, request))
                reply = say(t.gettext("Something went wrong here. It is in the log; please try again."))
            await self._say(request, reply, secret)
            now = self._clock()
            await self._database.write(lambda tx: answers.said(tx, request.key, now=now))

    async def _say(self, request: Request, reply: Reply, secret: bytes) -> None:
        sender, peer = self._sender, request.peer
        if request.query_id is not None:
            await self._try(request, partial(sender.answer_callback, request.query_id, reply.note))
        if reply.edit is not None:
            await self._try(request, partial(sender.edit, peer, request.message_id, reply.edit))
        if reply.buttons is not None:
            await self._try(request, partial(sender.edit_buttons, peer, request.message_id, reply.buttons))
        if reply.menu is not None:
            await self._set_menu(reply.menu, types.BotCommandScopePeer(from_peer(peer)))
        chat_key = f"{peer.kind}:{peer.id}".encode()
        is_answer = not request.private and (not request.tapped or reply.answers)
        reply_to = request.message_id if is_answer else None
        for number, outgoing in enumerate(reply.messages):
            random_id = alerts.random_id(secret, chat_key, "answer", f"{request.key}/{number}")
            await self._try(request, partial(self._send, peer, outgoing, random_id, reply_to))

    async def _send(self, peer: Peer, outgoing: Outgoing, random_id: int, reply_to: int | None) -> None:
        """Send an answer; where what it answers is gone, by itself. Raises TelegramError."""
        try:
            await self._sender.send(peer, outgoing, random_id=random_id, reply_to=reply_to)
        except TelegramError as error:
            if reply_to is None or error.error != "REPLY_MESSAGE_ID_INVALID":
                raise
            await self._sender.send(peer, outgoing, random_id=random_id)

    async def _try(self, request: Request, send: Callable[[], Awaitable[object]]) -> None:
        """Send until Telegram takes it, it refuses for good, or nobody would wait for it any more."""
        pause, waited = FIRST_PAUSE, 0.0
        while True:
            try:
                await send()
            except TelegramError as error:
                wait = max(error.retry_after, pause)
                if error.verdict is not Verdict.RETRY or waited + wait > PATIENCE:
                    await self._refused(request, error)
                    return
                waited, pause = waited + wait, min(pause * 2, LONGEST_PAUSE)
                await asyncio.sleep(wait)
            else:
                return

    async def _refused(self, request: Request, error: TelegramError) -> None:
        if error.verdict is Verdict.DONE:
            return
        if error.verdict is Verdict.FATAL:
            raise FatalError(f"The bot's session is gone: {error}. Check TELEGRAM_BOT_TOKEN and start again.")
        log.warning("an answer was refused", command=request.command, error=error.error)
        if error.verdict is not Verdict.SUSPEND:
            return
        chat = await chats.by_peer(self._database, request.peer.kind, request.peer.id)
        if chat is not None:
            now = self._clock()
            await self._database.write(lambda tx: addresses.suspend(tx, chat, error.error, now=now))


def to_request(event: Heard, username: str) -> Request | None:
    """Read a message or a tap; None where it is not meant for a bot of this name."""
    if isinstance(event, events.CallbackQuery.Event):
        return _to_tap(event)
    message = event.message
    peer = _to_peer(event.input_chat, message.peer_id, message.reply_to)
    private = peer.kind is PeerKind.USER
    said = read_command(message.message or "", username, alone=private)
    if said is None or message.post or (not said.command and not private):
        return None
    return Request(
        key=f"{peer.kind}-{peer.id}-{f'g{message.grouped_id}' if message.grouped_id else message.id}",
        peer=peer,
        person_id=_person(message.from_id or message.peer_id),
        title=_title(event.chat),
        language=_language(event.sender),
        command=said.command,
        argument=said.argument,
        links=_links(message.entities),
        addressed=private or said.named,
        message_id=message.id,
        said_at=message.date,
        origin=_origin(message),
        reply_to=answered(message.reply_to),
        forum=bool(getattr(event.chat, "forum", False)) or peer.thread_id is not None,
    )


async def _with_replied(request: Request, event: Heard) -> Request:
    """Fetch what a message answers, where its command wants that."""
    command = menu.BY_NAME.get(request.command)
    if command is None or not command.reads_replied or request.reply_to is None:
        return request
    try:
        # Telethon asks for «what this message answers»: a bot may see that, not any message of a chat by its number.
        message = await event.message.get_reply_message()
    except (errors.RPCError, ConnectionError) as error:
        log.warning("what was replied to could not be read", error=str(error))
        return request
    return request if message is None else replace(request, replied=_whole(message))


def _whole(message: types.Message) -> str:
    """Return all that a reader sees of a message, but for buttons, which are ours."""
    return whole(to_text(message), (aside for aside in to_asides(message) if aside.kind != AsideKind.BUTTON))


def _to_tap(event: events.CallbackQuery.Event) -> Request | None:
    query = event.query
    if not isinstance(query, types.UpdateBotCallbackQuery) or query.data is None:
        return None
    verb, _, argument = query.data.decode("utf-8", "replace").partition(":")
    return Request(
        key=f"tap-{query.query_id}",
        peer=_to_peer(event.input_chat, query.peer, None),
        person_id=query.user_id,
        title=_title(event.chat),
        language=_language(event.sender),
        command=verb,
        argument=argument,
        message_id=query.msg_id,
        query_id=query.query_id,
    )


def _to_peer(
    known: types.TypeInputPeer | None, peer: types.TypePeer, reply: types.TypeMessageReplyHeader | None
) -> Peer:
    """Address the chat; where Telethon has not met it, with a zero access hash, as Telegram allows bots."""
    thread = None
    if reply is not None and getattr(reply, "forum_topic", None):  # a reply to a story has none
        thread = reply.reply_to_top_id or reply.reply_to_msg_id
    return to_peer(peer, access_hash=getattr(known, "access_hash", 0), thread_id=thread)


def answered(header: types.TypeMessageReplyHeader | None) -> int | None:
    """Return the message of the same chat that is answered; each message of a forum topic names the topic's first."""
    if not isinstance(header, types.MessageReplyHeader) or header.reply_to_peer_id is not None:
        return None
    if header.forum_topic and header.reply_to_top_id is None:
        return None
    number: int | None = header.reply_to_msg_id
    return number


def _person(peer: types.TypePeer) -> int:
    return peer.user_id if isinstance(peer, types.PeerUser) else 0


def _title(chat: types.TypeChat | types.TypeUser | None) -> str:
    names = (getattr(chat, "title", None) or getattr(chat, "first_name", None), getattr(chat, "last_name", None))
    return " ".join(name for name in names if name)


def _language(sender: types.TypeUser | types.TypeChat | None) -> str:
    return getattr(sender, "lang_code", None) or LANGUAGES[0]


def _links(entities: Iterable[types.TypeMessageEntity] | None) -> tuple[str, ...]:
    return tuple(entity.url for entity in entities or () if isinstance(entity, types.MessageEntityTextUrl))


def _origin(message: types.Message) -> Origin | None:
    forward = message.fwd_from
    if forward is None or not isinstance(forward.from_id, types.PeerChannel):
        return None
    channel = message.forward.chat if message.forward else None
    return Origin(
        channel_id=forward.from_id.channel_id,
        title=getattr(channel, "title", None),
        username=getattr(channel, "username", None),
    )
