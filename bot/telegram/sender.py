"""Messages of ours come in, requests to Telegram go out: everything that the bot sends, alert or answer, passes here.

Not through `client(request)`: Telethon repeats RANDOM_ID_DUPLICATE for 12 s, and after a FLOOD_WAIT in one chat it
refuses the same request to every other chat. The client's MTProto sender does neither; `tests/telegram/test_sender.py`
pins what we use of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from telethon import TelegramClient, functions, types
from telethon.tl import TLObject, TLRequest

from bot.buttons import Rows
from bot.errors import TelegramError, Verdict
from bot.models import GENERAL_THREAD, Button, Enclosure, Outgoing, Peer, PeerKind, Remote
from bot.telegram.convert import from_peer, to_peer
from bot.telegram.failures import CONNECTION_LOST, to_error
from bot.telegram.gate import Gate
from bot.telegram.media import to_media, upload
from bot.telegram.pacing import Pacing
from bot.telegram.places import moved_to
from bot.telegram.plainer import in_plainer_ways
from bot.telegram.turns import AT_ONCE
from bot.telegram.written import entities_of, markup_of

ANSWER_WITHIN = 20.0  # s; Telegram answers a send in well under one

READ_AT_ONCE = 100  # messages by number, Telegram's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A message of ours as it stands in a chat."""

    kind: PeerKind  # of the chat
    peer_id: int  # bare id of the chat
    message_id: int
    date: datetime
    edited: datetime | None  # when its text was changed last
    text: str
    has_media: bool  # a file is shown with it
    buttons: tuple[Button, ...]
    links: tuple[str, ...] = ()  # behind words of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What lies at some numbers."""

    newest_id: int  # of what is there, whoever wrote it; 0 where there is nothing
    own: tuple[Own, ...]


class Sender:
    """The only one who sends; it keeps Telegram's limits and remembers its flood waits, chat by chat."""

    def __init__(
        self,
        client: TelegramClient,
        pacing: Pacing,
        *,
        monotonic: Callable[[], float],
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._client = client
        self._gate = Gate(pacing, monotonic=monotonic)
        self._answer_within = answer_within
        self._monotonic = monotonic
        self._read_from = 0.0  # Telegram wants no messages read before

    def delay(self, peer: Peer) -> float:
        """Say how many seconds it is until this chat takes a message, flood waits included, whatever other chats do."""
        return self._gate.delay(peer)

    def dismiss(self) -> None:
        """Let no alert wait for its turn any longer: who brings one is cancelled, unless it is on its way."""
        self._gate.dismiss()

    @in_plainer_ways
    async def send(
        self,
        peer: Peer,
        outgoing: Outgoing,
        *,
        random_id: int,
        reply_to: int | None = None,
        place: float = AT_ONCE,
    ) -> int | None:
        """Send a message once its turn has come; return its id, None where the same `random_id` was sent before.

        The `place` of an alert is the number of its row; what has none goes first, since a person waits for it. A chat
        that is flooded is refused at once. Raises TelegramError.
        """
        request = functions.messages.SendMessageRequest(
            peer=from_peer(peer),
            message=outgoing.text,
            entities=entities_of(outgoing.entities),
            reply_markup=markup_of(outgoing.buttons),
            reply_to=_reply(peer, reply_to),
            silent=outgoing.silent,
            no_webpage=True,
            random_id=random_id,
        )
        updates = await self._to_chat(peer, request, place)
        return None if updates is None else sent_id(updates, random_id)

    @in_plainer_ways
    async def send_media(
        self, peer: Peer, outgoing: Outgoing, remote: Remote, *, random_id: int, place: float = AT_ONCE
    ) -> int | None:
        """Send a file that was uploaded, with a text of at most 1,024 UTF-16 units; else like `send`."""
        request = functions.messages.SendMediaRequest(
            peer=from_peer(peer),
            media=to_media(remote),
            message=outgoing.text,
            entities=entities_of(outgoing.entities),
            reply_markup=markup_of(outgoing.buttons),
            reply_to=_reply(peer, None),
            silent=outgoing.silent,
            random_id=random_id,
        )
        updates = await self._to_chat(peer, request, place)
        return None if updates is None else sent_id(updates, random_id)

    async def upload(self, peer: Peer, enclosure: Enclosure) -> Remote:
        """Bring a file to Telegram, for `send_media` to name it. Raises TelegramError, OSError."""
        return await upload(self._request, peer, enclosure)

    async def moved_to(self, peer: Peer) -> Peer | None:
        """Ask Telegram where a basic group has moved to, if it has. Raises TelegramError."""
        return await moved_to(self._request, peer)

    async def bot_id(self) -> int:
        """Return the id of our bot's account: another one cannot name what it has uploaded."""
        me = await self._client.get_me(input_peer=True)
        return int(me.user_id)

    @in_plainer_ways
    async def edit(self, peer: Peer, message_id: int, outgoing: Outgoing, *, place: float = AT_ONCE) -> None:
        """Replace text and buttons of a message; one that says this already is left alone. Raises TelegramError."""
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer),
            id=message_id,
            message=outgoing.text,
            entities=entities_of(outgoing.entities),
            reply_markup=markup_of(outgoing.buttons),
            no_webpage=True,
        )
        await self._to_chat(peer, request, place)

    async def edit_buttons(self, peer: Peer, message_id: int, buttons: Rows, *, place: float = AT_ONCE) -> None:
        """Replace the buttons of a message, whose text and media stay. Raises TelegramError."""
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer), id=message_id, reply_markup=markup_of(buttons)
        )
        await self._to_chat(peer, request, place)

    async def answer_callback(self, query_id: int, text: str | None = None, *, alert: bool = False) -> None:
        """Answer a tapped button, with a short note or an alert box where there is a text. Raises TelegramError."""
        await self._request(
            functions.messages.SetBotCallbackAnswerRequest(query_id=query_id, cache_time=0, message=text, alert=alert)
        )

    async def read(self, message_ids: Sequence[int], *, channel: Peer | None = None) -> Page:
        """Read the messages of ours at these numbers, `READ_AT_ONCE` at most. Raises TelegramError.

        Private chats and basic groups share one sequence of numbers; each `channel` has its own. Unlike histories, bots
        may ask for it: https://core.telegram.org/method/messages.getMessages. In a flood wait it is refused at once.
        """
        wanted = [types.InputMessageID(number) for number in message_ids]
        request: TLRequest = functions.messages.GetMessagesRequest(wanted)
        if channel is not None:
            address = types.InputChannel(channel.id, channel.access_hash)
            request = functions.channels.GetMessagesRequest(address, wanted)
        wait = self._read_from - self._monotonic()
        if wait > 0:
            raise TelegramError(f"FLOOD_WAIT_{wait:.0f}", code=420, verdict=Verdict.RETRY, retry_after=wait)
        try:
            answer: types.messages.Messages = await self._request(request)
        except TelegramError as error:
            self._read_from = self._monotonic() + error.retry_after
            raise
        there = [message for message in answer.messages if not isinstance(message, types.MessageEmpty)]
        own = [_own(message) for message in there if isinstance(message, types.Message) and message.out]
        return Page(newest_id=max((message.id for message in there), default=0), own=tuple(own))

    async def _to_chat(self, peer: Peer, request: TLRequest, place: float) -> TLObject | None:
        """Send a request to a chat in its turn; None where its effect already stands."""
        await self._gate.wait(peer, place)
        try:
            return await self._request(request)
        except TelegramError as error:
            if error.verdict is Verdict.DONE:
                return None
            if error.verdict is Verdict.RETRY and error.retry_after:
                self._gate.refused(peer, error)
            raise

    async def _request(self, request: TLRequest) -> TLObject | bool:
        """Send one request and wait for its answer. Raises TelegramError; where no answer came, one that says so."""
        try:
            answer = self._client._sender.send(request)  # noqa: SLF001 - see the module's first lines
        except ConnectionError as error:
            raise to_error(error) from error
        alarm = asyncio.get_running_loop().call_later(self._answer_within, answer.cancel)
        try:
            return await answer
        except asyncio.CancelledError:
            # Telethon cancels what is pending when it disconnects, as the alarm does; that is not our own end.
            if not answer.cancelled() or _is_ending():
                raise
            raise TelegramError(CONNECTION_LOST, code=0, verdict=Verdict.RETRY) from None
        except Exception as failure:  # what it is, and what it means, `to_error` says
            raise to_error(failure) from failure
        finally:
            alarm.cancel()


def sent_id(updates: types.TypeUpdates, random_id: int) -> int | None:
    """Find the id of the message that was sent with `random_id` in what Telegram answered."""
    if isinstance(updates, types.UpdateShortSentMessage):
        return int(updates.id)
    found = getattr(updates, "updates", ())
    for update in found:
        if isinstance(update, types.UpdateMessageID) and update.random_id == random_id:
            return int(update.id)
    # A server may leave the pair out; what answers one message is about that message.
    new = [u.message.id for u in found if isinstance(u, types.UpdateNewMessage | types.UpdateNewChannelMessage)]
    return int(new[0]) if len(new) == 1 else None


def _own(message: types.Message) -> Own:
    peer = to_peer(message.peer_id)
    rows = message.reply_markup.rows if isinstance(message.reply_markup, types.ReplyInlineMarkup) else ()
    return Own(
        kind=peer.kind,
        peer_id=peer.id,
        message_id=message.id,
        date=message.date,
        edited=None if message.edit_hide else message.edit_date,  # what is hidden may be somebody's reaction
        text=message.message,
        has_media=isinstance(message.media, types.MessageMediaPhoto | types.MessageMediaDocument),
        buttons=tuple(
            Button(text=button.text, url=getattr(button.type, "url", None), data=getattr(button.type, "data", None))
            for row in rows
            for button in row.buttons
        ),
        links=tuple(e.url for e in message.entities or () if isinstance(e, types.MessageEntityTextUrl)),
    )


def _reply(peer: Peer, reply_to: int | None) -> types.InputReplyToMessage | None:
    topic = None if peer.thread_id == GENERAL_THREAD else peer.thread_id  # that is addressed by naming none
    if reply_to is None and topic is None:
        return None
    return types.InputReplyToMessage(reply_to or topic, top_msg_id=topic if reply_to else None)


def _is_ending() -> bool:
    """Say whether the present task is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
