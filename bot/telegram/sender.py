"""Sends everything that the bot sends, alerts and answers.

It does not go through `client(request)`: Telethon repeats RANDOM_ID_DUPLICATE for 12 s, and after a FLOOD_WAIT in one
chat it refuses the same request to every other chat. The client's MTProto sender does neither;
`tests/telegram/test_sender.py` pins what we use of it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from telethon import TelegramClient, functions, types
from telethon.tl import TLObject, TLRequest

from bot.errors import TelegramError, Verdict
from bot.models import GENERAL_THREAD, Button, ButtonRows, Entity, Outgoing, Peer, Remote, Upload
from bot.telegram.chat_moves import moved_to
from bot.telegram.convert import from_entities, from_peer
from bot.telegram.errors import flood_wait, to_error
from bot.telegram.fallbacks import with_fallbacks
from bot.telegram.media import to_media, upload
from bot.telegram.rate_limit import Pacing
from bot.telegram.rpc import ANSWER_WITHIN, answer
from bot.telegram.send_queue import AT_ONCE, SendQueue
from bot.telegram.sent_messages import MessagePage, sent_id, to_message_page

READ_AT_ONCE = 100  # messages by number, Telegram's limit
CACHED = 64  # lists of entities, and of buttons, in bytes; a fan-out sends the same to hundreds of chats


class Sender:
    """The only sender of messages; it keeps Telegram's limits and remembers its flood waits, chat by chat."""

    def __init__(
        self,
        client: TelegramClient,
        pacing: Pacing,
        *,
        monotonic: Callable[[], float],
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._client = client
        self._queue = SendQueue(pacing, monotonic=monotonic)
        self._answer_within = answer_within
        self._monotonic = monotonic
        self._read_from = 0.0  # Telegram wants no messages read before

    def delay(self, peer: Peer) -> float:
        """Return the seconds until this chat takes a message, flood waits included, whatever other chats do."""
        return self._queue.delay(peer)

    def has_room(self, peer: Peer, count: int) -> bool:
        """Tell whether so many files may go to a chat: some of a group's messages of a minute are left to texts."""
        return self._queue.has_room(peer, count)

    def dismiss(self) -> None:
        """Cancel whoever waits to send an alert, unless it is on its way."""
        self._queue.dismiss()

    @with_fallbacks
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

        The `place` of an alert is the number of its row; an answer has none and goes first, since a person
        waits for it. A flooded chat is refused at once. Raises TelegramError.
        """
        request = functions.messages.SendMessageRequest(
            peer=from_peer(peer),
            message=outgoing.text,
            entities=_entities(outgoing.entities),
            reply_markup=_markup(outgoing.buttons),
            reply_to=_reply(peer, reply_to),
            silent=outgoing.silent,
            no_webpage=True,
            random_id=random_id,
        )
        return sent_id(await self._to_chat(peer, request, place), random_id)

    @with_fallbacks
    async def send_files(
        self,
        peer: Peer,
        caption: Outgoing,
        files: Sequence[tuple[Remote, int]],
        *,
        reply_to: int | None = None,
        place: float = AT_ONCE,
    ) -> int | None:
        """Send uploaded files, each with its `random_id`: one by itself, several as one album; else like `send`.

        The caption, of at most 1,024 UTF-16 units and without buttons, stands under the first, whose id is returned.
        """
        entities, reply = _entities(caption.entities), _reply(peer, reply_to)
        album = [types.InputSingleMedia(to_media(remote), "", random_id) for remote, random_id in files]
        first = album[0]
        if len(album) == 1:
            request: TLRequest = functions.messages.SendMediaRequest(
                peer=from_peer(peer),
                media=first.media,
                message=caption.text,
                entities=entities,
                reply_to=reply,
                silent=caption.silent,
                random_id=first.random_id,
            )
        else:
            first.message, first.entities = caption.text, entities
            request = functions.messages.SendMultiMediaRequest(
                from_peer(peer), album, silent=caption.silent, reply_to=reply
            )
        return sent_id(await self._to_chat(peer, request, place, count=len(files)), first.random_id)

    async def upload(self, peer: Peer, file: Upload) -> Remote:
        """Upload a file, so that `send_files` can name it. Raises TelegramError, OSError."""
        return await upload(self._request, peer, file)

    async def moved_to(self, peer: Peer) -> Peer | None:
        """Return where a basic group has moved to, if it has. Raises TelegramError."""
        return await moved_to(self._request, peer)

    async def bot_id(self) -> int:
        """Return the id of our bot's account; another bot cannot name the files that it uploaded."""
        me = await self._client.get_me(input_peer=True)
        return int(me.user_id)

    @with_fallbacks
    async def edit(self, peer: Peer, message_id: int, outgoing: Outgoing, *, place: float = AT_ONCE) -> None:
        """Replace text and buttons of a message; one that says this already is left alone. Raises TelegramError."""
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer),
            id=message_id,
            message=outgoing.text,
            entities=_entities(outgoing.entities),
            reply_markup=_markup(outgoing.buttons),
            no_webpage=True,
        )
        await self._to_chat(peer, request, place)

    async def edit_buttons(self, peer: Peer, message_id: int, buttons: ButtonRows, *, place: float = AT_ONCE) -> None:
        """Replace the buttons of a message, whose text and media stay. Raises TelegramError."""
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer), id=message_id, reply_markup=_markup(buttons)
        )
        await self._to_chat(peer, request, place)

    async def answer_callback(self, query_id: int, text: str | None = None, *, alert: bool = False) -> None:
        """Answer a tapped button, with a short note or an alert box where there is a text. Raises TelegramError."""
        await self._request(
            functions.messages.SetBotCallbackAnswerRequest(query_id=query_id, cache_time=0, message=text, alert=alert)
        )

    async def read(self, message_ids: Sequence[int], *, channel: Peer | None = None) -> MessagePage:
        """Return our messages among these numbers, `READ_AT_ONCE` at most.

        Private chats and basic groups share one sequence of numbers; each `channel` has its own. Unlike
        histories, bots may ask for it: https://core.telegram.org/method/messages.getMessages. Raises
        TelegramError, at once in a flood wait.
        """
        wanted = [types.InputMessageID(number) for number in message_ids]
        request: TLRequest = functions.messages.GetMessagesRequest(wanted)
        if channel is not None:
            address = types.InputChannel(channel.id, channel.access_hash)
            request = functions.channels.GetMessagesRequest(address, wanted)
        wait = self._read_from - self._monotonic()
        if wait > 0:
            raise flood_wait(wait)
        try:
            found: types.messages.Messages = await self._request(request)
        except TelegramError as error:
            self._read_from = self._monotonic() + error.retry_after
            raise
        return to_message_page(found)

    async def _to_chat(self, peer: Peer, request: TLRequest, place: float, *, count: int = 1) -> TLObject | None:
        """Send a request of `count` messages to a chat in its turn; None where its effect already stands."""
        await self._queue.wait(peer, place, count=count)
        try:
            return await self._request(request)
        except TelegramError as error:
            if error.verdict is Verdict.DONE:
                return None
            if error.verdict is Verdict.RETRY and error.retry_after:
                self._queue.flood(peer, error)
            raise

    async def _request(self, request: TLRequest) -> TLObject | bool:
        """Send one request and return the answer. Raises TelegramError; CONNECTION_LOST where no answer came."""
        try:
            question = self._client._sender.send(request)  # noqa: SLF001 - see the module's first lines
            return await answer(question, within=self._answer_within)
        except Exception as failure:  # what it is, and what it means, `to_error` says
            raise to_error(failure) from failure


class _Serialized(TLObject):
    """A TL object of which nothing is left but its bytes."""

    def __init__(self, content: TLObject) -> None:
        self._serialized: bytes = content._bytes()  # noqa: SLF001 - what Telethon itself asks the parts of a request for

    def _bytes(self) -> bytes:
        return self._serialized


@lru_cache(CACHED)
def _entities(entities: tuple[Entity, ...]) -> Sequence[_Serialized]:
    """Return the entities of a text in bytes."""
    return [_Serialized(entity) for entity in from_entities(entities)]


@lru_cache(CACHED)
def _markup(buttons: ButtonRows) -> _Serialized | None:
    """Return the buttons below a text in bytes; None where there are none."""
    rows = [types.KeyboardInlineButtonRow([_button(button) for button in row]) for row in buttons]
    return _Serialized(types.ReplyInlineMarkup(rows)) if rows else None


def _button(button: Button) -> types.KeyboardInlineButton:
    if button.url is not None:
        return types.KeyboardInlineButton(button.text, types.InlineButtonTypeUrl(button.url))
    return types.KeyboardInlineButton(button.text, types.InlineButtonTypeCallback(button.data or b""))


def _reply(peer: Peer, reply_to: int | None) -> types.InputReplyToMessage | None:
    topic = None if peer.thread_id == GENERAL_THREAD else peer.thread_id  # that is addressed by naming none
    if reply_to is None and topic is None:
        return None
    return types.InputReplyToMessage(reply_to or topic, top_msg_id=topic if reply_to else None)
