"""Sends everything that the bot sends, alerts and answers; more simply where Telegram refuses how a message looks.

It does not go through `client(request)`: Telethon repeats RANDOM_ID_DUPLICATE for 12 s, and after a FLOOD_WAIT in one
chat it refuses the same request to every other chat. The client's MTProto sender does neither;
`tests/telegram/test_sender.py` pins what we use of it.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import lru_cache, partial, wraps
from typing import Any, TypeVar, cast

import structlog
from telethon import TelegramClient, functions, types
from telethon.tl import TLObject, TLRequest

from bot.errors import TelegramError, Verdict
from bot.models import Entity
from bot.models.outgoing import (
    GENERAL_THREAD,
    Button,
    ButtonRows,
    OfferedPost,
    Outgoing,
    Peer,
    PeerKind,
    Remote,
    Upload,
)
from bot.telegram.convert import MessagePage, from_entities, from_peer, sent_id, to_message_page
from bot.telegram.errors import flood_wait, to_error
from bot.telegram.media import is_refused, to_media, upload, upload_chart
from bot.telegram.rate_limit import Pacing
from bot.telegram.rpc import ANSWER_WITHIN, answer
from bot.telegram.send_queue import AT_ONCE, SendQueue
from bot.telegram.unreadable import ask_by_number
from bot.text.markup import LIMIT, Text, units

log = structlog.get_logger(__name__)

MOST_WAYS = 3  # in which one message is simplified
SHORTEST = 256  # UTF-16 units under which nothing is gained by cutting
LABEL = 20  # characters of a button's text that any server takes

Method = TypeVar("Method", bound=Callable[..., Coroutine[Any, Any, Any]])


def with_fallbacks(method: Method) -> Method:
    """Let a method that takes an `Outgoing` by position send it again, simplified, after such a refusal.

    All else stays, the `random_id` too: Telegram remembers none of what it refused.
    """

    @wraps(method)
    async def sending(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the method
        for _ in range(MOST_WAYS):
            try:
                return await method(*args, **kwargs)
            except TelegramError as error:
                simpler = [_simpler(value, error) if isinstance(value, Outgoing) else value for value in args]
                if None in simpler:
                    raise
                log.warning("a message was refused; sending a simpler one", reason=error.error)
                args = tuple(simpler)
        return await method(*args, **kwargs)

    return cast("Method", sending)


def _simpler(outgoing: Outgoing, error: TelegramError) -> Outgoing | None:
    if outgoing.png is not None and is_refused(error):
        return replace(outgoing, png=None)
    return simplified(outgoing, error.verdict)


def simplified(outgoing: Outgoing, verdict: Verdict) -> Outgoing | None:
    """Return the message without what was refused; None where nothing is left to give up. Pure."""
    simpler, room = outgoing, units(outgoing.text) // 2
    whole = Text().formatted(outgoing.text, outgoing.entities)
    if verdict is Verdict.SHORTEN and room >= SHORTEST:  # a link that stands under the text stays
        text, entities = whole.cut(room).build()
        simpler = replace(outgoing, text=text, entities=entities)
    elif verdict in {Verdict.SHORTEN, Verdict.PLAIN}:
        simpler = replace(outgoing, entities=())
    elif verdict is Verdict.BARE and any(len(button.text) > LABEL for row in outgoing.buttons for button in row):
        simpler = replace(outgoing, buttons=tuple(tuple(map(_shortened, row)) for row in outgoing.buttons))
    elif verdict is Verdict.BARE:  # the links of the buttons go under the text instead
        links = "".join(f"\n{button.url}" for row in outgoing.buttons for button in row if button.url is not None)
        text, entities = whole.cut(LIMIT - units(links)).add(links).build()
        simpler = replace(outgoing, text=text, entities=entities, buttons=())
    return None if simpler == outgoing else simpler


def _shortened(button: Button) -> Button:
    return button if len(button.text) <= LABEL else replace(button, text=f"{button.text[: LABEL - 1].rstrip()}…")


READ_AT_ONCE = 100  # messages by number, Telegram's limit
CAPTION = 1024  # UTF-16 units under a picture, Telegram's limit
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
        self.queue = SendQueue(pacing, monotonic=monotonic)
        self._answer_within = answer_within
        self._monotonic = monotonic
        self._read_from = 0.0  # Telegram wants no messages read before
        self.taken = 0  # messages and edits so far

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
        chart = await self._chart(outgoing)
        text = outgoing if chart is None else _caption(outgoing)
        fields = {
            "peer": from_peer(peer),
            "message": text.text,
            "entities": _entities(text.entities),
            "reply_markup": _markup(text.buttons),
            "reply_to": _reply(peer, reply_to),
            "silent": text.silent,
            "random_id": random_id,
        }
        request: TLRequest
        if chart is None:
            request = functions.messages.SendMessageRequest(no_webpage=True, **fields)
        else:
            request = functions.messages.SendMediaRequest(media=chart, **fields)
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
        """Return the supergroup that a basic group has become; None for other chats. Raises TelegramError."""
        if peer.kind is not PeerKind.GROUP:
            return None
        answer: types.messages.Chats = await self._request(functions.messages.GetChatsRequest([peer.id]))
        new = next((getattr(chat, "migrated_to", None) for chat in answer.chats), None)
        if not isinstance(new, types.InputChannel):
            return None
        return Peer(kind=PeerKind.CHANNEL, id=new.channel_id, access_hash=new.access_hash)

    async def bot_id(self) -> int:
        """Return the id of our bot's account; another bot cannot name the files that it uploaded."""
        me = await self._client.get_me(input_peer=True)
        return int(me.user_id)

    @with_fallbacks
    async def edit(self, peer: Peer, message_id: int, outgoing: Outgoing, *, place: float = AT_ONCE) -> None:
        """Replace all of a message; one that says this already is left alone. Raises TelegramError."""
        chart = await self._chart(outgoing)
        text = outgoing if chart is None else _caption(outgoing)
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer),
            id=message_id,
            message=text.text,
            media=chart,
            entities=_entities(text.entities),
            reply_markup=_markup(text.buttons),
            no_webpage=True,
        )
        await self._to_chat(peer, request, place)

    async def delete(self, peer: Peer, message_id: int) -> None:
        """Delete a message for everybody, also one of somebody else in a private chat. Raises TelegramError."""
        request: TLRequest = functions.messages.DeleteMessagesRequest([message_id], revoke=True)
        if peer.kind is PeerKind.CHANNEL:
            channel = types.InputChannel(peer.id, peer.access_hash)
            request = functions.channels.DeleteMessagesRequest(channel, [message_id])
        await self._request(request)

    async def edit_buttons(self, peer: Peer, message_id: int, buttons: ButtonRows) -> None:
        """Replace the buttons of a message, whose text and media stay. Raises TelegramError."""
        request = functions.messages.EditMessageRequest(
            peer=from_peer(peer), id=message_id, reply_markup=_markup(buttons)
        )
        await self._to_chat(peer, request, AT_ONCE)

    async def answer_callback(self, query_id: int, text: str | None = None) -> None:
        """Answer a tapped button, with a short note where there is a text. Raises TelegramError."""
        await self._request(
            functions.messages.SetBotCallbackAnswerRequest(query_id=query_id, cache_time=0, message=text)
        )

    async def offer(self, query_id: int, posts: Sequence[OfferedPost]) -> None:
        """Answer a search in any chat, for the person who asked alone. Raises TelegramError."""
        results = [
            types.InputBotInlineResult(
                id=post.key,
                type="article",
                title=post.title,
                description=post.description,
                send_message=types.InputBotInlineMessageText(
                    post.message.text, no_webpage=True, entities=_entities(post.message.entities)
                ),
            )
            for post in posts
        ]
        await self._request(
            functions.messages.SetInlineBotResultsRequest(query_id, results=results, cache_time=0, private=True)
        )

    async def read(self, message_ids: Sequence[int], *, channel: Peer | None = None) -> MessagePage:
        """Return our messages among these numbers, `READ_AT_ONCE` at most.

        Private chats and basic groups share one sequence of numbers; each `channel` has its own. Unlike
        histories, bots may ask for it: https://core.telegram.org/method/messages.getMessages. Raises
        TelegramError, at once in a flood wait.
        """
        answers, unknown = await ask_by_number(message_ids, partial(self._read, channel))
        pages = [to_message_page(answer) for answer in answers]
        newest = max([*unknown, *(page.newest_id for page in pages)], default=0)
        return MessagePage(newest_id=newest, own=tuple(own for page in pages for own in page.own))

    async def _read(self, channel: Peer | None, numbers: Sequence[int]) -> types.messages.Messages:
        wanted = [types.InputMessageID(number) for number in numbers]
        request: TLRequest = functions.messages.GetMessagesRequest(wanted)
        if channel is not None:
            address = types.InputChannel(channel.id, channel.access_hash)
            request = functions.channels.GetMessagesRequest(address, wanted)
        wait = self._read_from - self._monotonic()
        if wait > 0:
            raise flood_wait(wait)
        try:
            return await self._request(request)
        except TelegramError as error:
            self._read_from = self._monotonic() + error.retry_after
            raise

    async def _chart(self, outgoing: Outgoing) -> TLObject | None:
        """Upload the chart of a message, if it has one. Raises TelegramError."""
        return None if outgoing.png is None else await upload_chart(self._request, outgoing.png)

    async def _to_chat(self, peer: Peer, request: TLRequest, place: float, *, count: int = 1) -> TLObject | None:
        """Send a request of `count` messages to a chat in its turn; None where its effect already stands."""
        await self.queue.wait(peer, place, count=count)
        try:
            answer = await self._request(request)
        except TelegramError as error:
            if error.verdict is Verdict.DONE:
                self.taken += 1
                return None
            if error.verdict is Verdict.RETRY and error.retry_after:
                self.queue.flood(peer, error)
            raise
        self.taken += 1
        return answer

    async def _request(self, request: TLRequest) -> TLObject | bool:
        """Send one request and return the answer. Raises TelegramError; CONNECTION_LOST where no answer came."""
        try:
            question = self._client._sender.send(request)  # noqa: SLF001 - see the module's first lines
            return await answer(question, within=self._answer_within)
        except Exception as failure:  # what it is, and what it means, `to_error` says
            raise to_error(failure) from failure


def _caption(outgoing: Outgoing) -> Outgoing:
    """Return a message whose text fits under a picture."""
    text, entities = Text().formatted(outgoing.text, outgoing.entities).cut(CAPTION).build()
    return replace(outgoing, text=text, entities=entities)


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

    def convert(button: Button) -> types.KeyboardInlineButton:
        has_link, data = button.url is not None, button.data or b""
        kind = types.InlineButtonTypeUrl(button.url) if has_link else types.InlineButtonTypeCallback(data)
        return types.KeyboardInlineButton(button.text, kind)

    rows = [types.KeyboardInlineButtonRow([convert(button) for button in row]) for row in buttons]
    return _Serialized(types.ReplyInlineMarkup(rows)) if rows else None


def _reply(peer: Peer, reply_to: int | None) -> types.InputReplyToMessage | None:
    topic = None if peer.thread_id == GENERAL_THREAD else peer.thread_id  # that is addressed by naming none
    if reply_to is None and topic is None:
        return None
    return types.InputReplyToMessage(reply_to or topic, top_msg_id=topic if reply_to else None)
