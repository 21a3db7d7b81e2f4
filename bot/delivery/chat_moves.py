"""Messages are brought to where their chats are now: a group may have moved, a thread may have been closed."""

import structlog

from bot.delivery.composer import Composer
from bot.errors import TelegramError, Verdict
from bot.models import GENERAL_THREAD, Clock
from bot.store import addresses, messages
from bot.store.database import Database
from bot.store.messages import Message
from bot.store.outbox import Delivery
from bot.telegram.rpc import UNANSWERABLE
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

_ELSEWHERE = {Verdict.SUSPEND, Verdict.UNAUTHORISED}  # also what the shell of a group that moved answers


class ChatMoves:
    """Sends messages, and at once into the new place where the old one takes nothing more."""

    def __init__(self, database: Database, sender: Sender, composer: Composer, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._composer = composer
        self._clock = clock

    async def put(self, message: Message) -> Delivery | None:
        """Do as the composer does. Raises TelegramError where there is no other place, or that one refuses too."""
        while True:
            try:
                return await self._composer.put(message)
            except TelegramError as error:
                if not await self._has_moved(message, error):
                    raise
                log.info(
                    "a message goes to another place", message=message.id, chat=message.chat.id, reason=error.error
                )
                if not await messages.is_due(self._database, message.id):  # the new place has had it
                    return None
                message = await messages.get(self._database, message.id)

    async def _has_moved(self, message: Message, error: TelegramError) -> bool:
        """Find another place for a message and write it down; each is left for good, so that there is an end to it."""
        now, thread_id = self._clock(), message.chat.peer.thread_id
        if _is_closed(error):
            if message.is_sent:  # what stands in a closed thread stays as it is
                raise TelegramError(error.error, code=error.code, verdict=Verdict.DROP) from error
            if thread_id in {None, GENERAL_THREAD}:
                return False
            await self._database.write(lambda tx: addresses.leave_thread(tx, message.chat, thread_id or 0, now=now))
            return True
        if error.verdict not in _ELSEWHERE:
            return False
        supergroup = await self._sender.moved_to(message.chat.peer)
        if supergroup is None:
            return False
        # Where another message was first, the chat's row has the new place already.
        await self._database.write(lambda tx: addresses.upgrade(tx, message.chat.peer.id, supergroup))
        return True


def _is_closed(error: TelegramError) -> bool:
    """Tell whether it is the thread that refuses: one that is gone may only be missed as what a message answers."""
    return error.verdict is Verdict.CLOSED or error.error == UNANSWERABLE
