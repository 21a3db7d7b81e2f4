"""What becomes of an account's updates while Telegram does not say which of them it missed.

After a gap Telethon drops all that is pushed until it has fetched what lies between (updates.getDifference). Where the
server fails at that, the account would be deaf, though its connection is well. Meanwhile a bot takes what is pushed in
whatever order it comes, and asks for messages by their numbers; where the server does not recover, updates go on from
the present. So handlers may get a message twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from telethon import TelegramClient, events, functions, types
from telethon._updates.messagebox import PtsInfo
from telethon.tl import TLObject, TLRequest

from bot.errors import TelegramError
from bot.telegram.rpc import ask
from bot.telegram.unreadable import ask_by_number

log = structlog.get_logger(__name__)

DEAF_AFTER = 2  # failures in a row …
GIVE_UP_AFTER = 4  # … and when updates go on from the present
LATELY = timedelta(days=1)  # nobody waits for the answer to an older message, which may have been given and forgotten
_AT_ONCE = 100  # messages asked for by their numbers
_NO_TIME = datetime.fromtimestamp(0, UTC)  # the date of updates that say nothing of the place that a client has reached


class MissedUpdates:
    """Knows whether the updates that an account missed can be fetched."""

    def __init__(self, client: TelegramClient) -> None:
        self.failures = 0  # in a row, to fetch the updates of the account; its channels are apart
        self.error: TelegramError | None = None  # the last one
        self.last_message = 0  # the number up to which all messages outside of channels were handled; 0: not known
        self.settled = asyncio.Event()  # clear while the update loop is to ask for updates that the account missed
        self.settled.set()
        self._client = client
        self._has_skipped = False  # since updates could be fetched
        self._failing_channels: set[int] = set()

    @property
    def is_deaf(self) -> bool:
        """Tell whether the account gets no updates that it missed; a single failure says little."""
        return self.failures >= DEAF_AFTER

    def begin_before(self, number: int) -> None:
        """Note the greatest number of a handled message; a few before it may be open."""
        self.last_message = number and max(1, number - _AT_ONCE)

    def fail(self, channel_id: int | None, error: TelegramError) -> None:
        """Note that the updates of the account, or of a channel, could not be fetched."""
        if channel_id is None:
            self.failures, self.error = self.failures + 1, error
            self.settled.set()
        else:
            self._failing_channels.add(channel_id)

    def succeed(self, channel_id: int | None) -> None:
        """Note that the updates of the account, or of a channel, were fetched."""
        if channel_id is None:
            self.failures, self.error, self._has_skipped = 0, None, False
            self.settled.set()
        else:
            self._failing_channels.discard(channel_id)

    def attend(self) -> None:
        """Take care that a bot gets its updates also where those before them cannot be fetched."""
        queue = self._client._updates_queue  # noqa: SLF001 - Telethon has no public name for what is pushed
        put = queue.put_nowait

        def put_unordered(container: TLObject) -> None:
            self._unorder(container)
            put(container)

        queue.put_nowait = put_unordered
        self._client.add_event_handler(self._note, events.Raw())

    async def read(self) -> None:
        """Hand on what was written since the last message that was handled. Raises TelegramError.

        Private chats and basic groups share one sequence of numbers, by which a bot may ask for messages:
        https://core.telegram.org/method/messages.getMessages.
        """
        while self.last_message:
            numbers = range(self.last_message + 1, self.last_message + 1 + _AT_ONCE)
            found, unknown = await ask_by_number(numbers, self._ask)
            there = [each for answer in found for each in answer.messages if not isinstance(each, types.MessageEmpty)]
            if not there and not unknown:
                return
            self.last_message = max([*unknown, *(each.id for each in there)])
            new = [each for each in there if not each.out and each.date > datetime.now(UTC) - LATELY]
            updates = [types.UpdateNewMessage(each, pts=0, pts_count=0) for each in new]
            users, chats = ([each for answer in found for each in getattr(answer, kind)] for kind in ("users", "chats"))
            container = types.Updates(updates, users, chats, date=_NO_TIME, seq=0)
            self._client._updates_queue.put_nowait(container)  # noqa: SLF001 - as above

    async def _ask(self, numbers: Sequence[int]) -> types.messages.Messages:
        wanted = [types.InputMessageID(number) for number in numbers]
        return await ask(self._client(functions.messages.GetMessagesRequest(wanted)))

    async def skip(self) -> bool:
        """Go on from the present; return whether updates could be fetched until lately. Raises TelegramError."""
        is_first, error = not self._has_skipped, self.error
        state = await ask(self._client(functions.updates.GetStateRequest()))
        self._client._message_box.set_state(state)  # noqa: SLF001 - as above
        self._has_skipped = True
        if is_first:
            log.warning("missed updates cannot be fetched; continuing from the present", error=str(error))
        return is_first

    def request(self) -> TLRequest | None:
        """Return a question for missed updates but those of channels; None while the account's place is unknown."""
        place = self._client._message_box.session_state()[0]  # noqa: SLF001 - as above
        if not place["pts"]:
            return None
        return functions.updates.GetDifferenceRequest(pts=place["pts"], date=datetime.now(UTC), qts=place["qts"])

    def _unorder(self, container: TLObject) -> None:
        """Take out of pushed updates what Telethon orders them by, where it would drop them for it.

        A client that has no place yet needs it: the first push tells from where updates go on.
        """
        if self._client._message_box.is_empty():  # noqa: SLF001 - as above
            return
        if self.failures and hasattr(container, "seq"):
            container.seq = 0
            if hasattr(container, "seq_start"):
                container.seq_start = 0
        for update in getattr(container, "updates", None) or [getattr(container, "update", None) or container]:
            place = PtsInfo.from_update(update)
            if place is None:
                continue
            is_of_account = not isinstance(place.entry, int)
            if (self.failures and is_of_account) or place.entry in self._failing_channels:
                update.pts = update.qts = 0

    async def _note(self, update: TLObject) -> None:
        """Note a message that handlers get, unless there may be others before it."""
        is_short = isinstance(update, types.UpdateShortMessage | types.UpdateShortChatMessage)
        if not self.failures and (is_short or isinstance(update, types.UpdateNewMessage)):
            self.last_message = max(self.last_message, (update if is_short else update.message).id)
