"""An alert comes in and is brought to where its chat is now: a group may have moved, a thread may have been closed."""

from datetime import datetime

import structlog

from bot.delivery.composer import Courier
from bot.errors import TelegramError, Verdict
from bot.models import GENERAL_THREAD, Clock, Peer
from bot.store import addresses, outbox
from bot.store.alerts import Kind
from bot.store.database import Database
from bot.store.outbox import Alert
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

_ELSEWHERE = {Verdict.SUSPEND, Verdict.UNAUTHORISED}  # also what the shell of a group that moved answers


class Forwarding:
    """Puts alerts through a courier, and at once into the new place where the old one takes nothing more."""

    def __init__(self, database: Database, sender: Sender, courier: Courier, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._courier = courier
        self._clock = clock

    async def put(self, alert: Alert) -> int | None:
        """Do as the courier does. Raises TelegramError where there is no other place, or that one refuses too."""
        while True:
            try:
                return await self._courier.put(alert)
            except TelegramError as error:
                if not await self._has_moved(alert, error):
                    raise
                log.info("an alert goes to another place", alert=alert.id, chat=alert.chat.id, reason=error.error)
                if not await outbox.is_due(self._database, alert.id):  # the new place has had it
                    return None
                alert = await outbox.get(self._database, alert.id)

    async def _has_moved(self, alert: Alert, error: TelegramError) -> bool:
        """Find another place for the alert and write it down; each is left for good, so that there is an end to it."""
        now, thread_id = self._clock(), alert.chat.peer.thread_id
        if _is_closed(error):
            if alert.kind is Kind.EDIT:  # what stands in a closed thread stays as it is
                raise TelegramError(error.error, code=error.code, verdict=Verdict.DROP) from error
            return thread_id not in {None, GENERAL_THREAD} and await self._leave(alert, thread_id or 0, now)
        if error.verdict not in _ELSEWHERE:
            return False
        supergroup = await self._sender.moved_to(alert.chat.peer)
        return supergroup is not None and await self._follow(alert, supergroup)

    async def _leave(self, alert: Alert, thread_id: int, now: datetime) -> bool:
        await self._database.write(lambda tx: addresses.leave_thread(tx, alert.chat, thread_id, now=now))
        return True

    async def _follow(self, alert: Alert, supergroup: Peer) -> bool:
        # False where another told us first; then the row has the new place already.
        await self._database.write(lambda tx: addresses.upgrade(tx, alert.chat.peer.id, supergroup))
        return True


def _is_closed(error: TelegramError) -> bool:
    """Tell whether it is the thread that refuses: one that is gone may only be missed as what a message answers."""
    return error.verdict is Verdict.CLOSED or error.error == UNANSWERABLE
