"""Messages of ours come in, requests to Telegram go out: everything that the bot sends, alert or answer, passes here.

Not through `client(request)`: Telethon repeats RANDOM_ID_DUPLICATE for 12 s, and after a FLOOD_WAIT in one chat it
refuses the same request to every other chat. The client's MTProto sender does neither; `tests/telegram/test_sender.py`
pins what we use of it.
"""

import asyncio
from collections.abc import Callable

from telethon import TelegramClient, functions, types
from telethon.tl import TLObject, TLRequest

from bot.errors import TelegramError, Verdict
from bot.models import Button, Outgoing, Peer
from bot.telegram.convert import from_entities, from_peer
from bot.telegram.failures import CONNECTION_LOST, to_error
from bot.telegram.pacing import Pacing

ANSWER_WITHIN = 20.0  # s; Telegram answers a send in well under one
GENERAL_TOPIC = 1  # of a forum: it is addressed by naming no topic


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
        self._pacing = pacing
        self._monotonic = monotonic
        self._answer_within = answer_within

    def delay(self, peer: Peer) -> float:
        """Say how many seconds this chat has to wait for its turn, flood waits included."""
        now = self._monotonic()
        return self._pacing.ready_at(peer, now) - now

    async def send(self, peer: Peer, outgoing: Outgoing, *, random_id: int, reply_to: int | None = None) -> int | None:
        """Send a message once its turn has come; return its id, None where the same `random_id` was sent before.

        A chat that is flooded is refused at once. Raises TelegramError.
        """
        request = functions.messages.SendMessageRequest(
            peer=from_peer(peer),
            message=outgoing.text,
            entities=from_entities(outgoing.entities),
            reply_markup=_markup(outgoing),
            reply_to=_reply(peer, reply_to),
            silent=outgoing.silent,
            no_webpage=True,
            random_id=random_id,
        )
        updates = await self._to_chat(peer, request)
        return None if updates is None else sent_id(updates, random_id)

    async def edit(self, peer: Peer, message_id: int, outgoing: Outgoing) -> None:
        """Replace text and buttons of a message; one that says this already is left alone. Raises TelegramError."""
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer),
            id=message_id,
            message=outgoing.text,
            entities=from_entities(outgoing.entities),
            reply_markup=_markup(outgoing),
            no_webpage=True,
        )
        await self._to_chat(peer, request)

    async def answer_callback(self, query_id: int, text: str | None = None, *, alert: bool = False) -> None:
        """Answer a tapped button, with a short note or an alert box where there is a text. Raises TelegramError."""
        await self._request(
            functions.messages.SetBotCallbackAnswerRequest(query_id=query_id, cache_time=0, message=text, alert=alert)
        )

    async def _to_chat(self, peer: Peer, request: TLRequest) -> TLObject | None:
        """Send a request to a chat in its turn; None where its effect already stands."""
        await self._turn(peer)
        try:
            return await self._request(request)
        except TelegramError as error:
            if error.verdict is Verdict.DONE:
                return None
            if error.verdict is Verdict.RETRY and error.retry_after:
                self._pacing.flooded(peer, self._monotonic() + error.retry_after)
            raise

    async def _turn(self, peer: Peer) -> None:
        now = self._monotonic()
        flooded = self._pacing.flooded_until(peer) - now
        if flooded > 0:
            error = f"FLOOD_WAIT_{flooded:.0f}"
            raise TelegramError(error, code=420, verdict=Verdict.RETRY, retry_after=flooded)
        await self._until(self._pacing.take_chat(peer, now))
        await self._until(self._pacing.take_total(self._monotonic()))

    async def _until(self, at: float) -> None:
        wait = at - self._monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _request(self, request: TLRequest) -> TLObject | bool:
        """Send one request and wait for its answer. Raises TelegramError; where no answer came, one that says so."""
        try:
            answer = self._client._sender.send(request)  # noqa: SLF001 - see the module's first lines
        except ConnectionError as error:
            raise to_error(error) from error
        try:
            # Not `wait_for`: Telethon cancels what is pending when it disconnects; that must not look like our own end.
            await asyncio.wait({answer}, timeout=self._answer_within)
        finally:
            answer.cancel()  # does nothing once it is there
        if answer.cancelled():
            raise TelegramError(CONNECTION_LOST, code=0, verdict=Verdict.RETRY)
        if failure := answer.exception():
            raise to_error(failure) from failure
        return answer.result()


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


def _reply(peer: Peer, reply_to: int | None) -> types.InputReplyToMessage | None:
    topic = None if peer.thread_id == GENERAL_TOPIC else peer.thread_id
    if reply_to is None and topic is None:
        return None
    return types.InputReplyToMessage(reply_to or topic, top_msg_id=topic if reply_to else None)


def _markup(outgoing: Outgoing) -> types.ReplyInlineMarkup | None:
    rows = [types.KeyboardInlineButtonRow([_button(button) for button in row]) for row in outgoing.buttons]
    return types.ReplyInlineMarkup(rows) if rows else None


def _button(button: Button) -> types.KeyboardInlineButton:
    if button.url is not None:
        return types.KeyboardInlineButton(button.text, types.InlineButtonTypeUrl(button.url))
    return types.KeyboardInlineButton(button.text, types.InlineButtonTypeCallback(button.data or b""))
