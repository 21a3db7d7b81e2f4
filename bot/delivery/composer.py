"""A message is written for its chat and sent, or edited to show what is wanted by now.

It is brought to where the chat is by then: a group may have moved, a forum thread may have been closed.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from bot.charts.jobs import draw
from bot.charts.weekly import chart_of
from bot.delivery import message_lookup
from bot.delivery.attachments import Attachments
from bot.delivery.message_writer import ANSWERS, MessageWriter, delivery_of, is_silent
from bot.errors import TelegramError, Verdict
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Clock
from bot.models.alerts import GroupKind, MessageKind
from bot.models.outgoing import GENERAL_THREAD, Outgoing
from bot.search.pool import SearchError, Searches
from bot.store import addresses, fallbacks, messages
from bot.store.database import Database
from bot.store.messages import Message
from bot.store.outbox import Delivery
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.sender import Sender

DRAW_WITHIN = 15.0  # s for a process that has yet to load what draws; else it takes a part of one
log = structlog.get_logger(__name__)

_ELSEWHERE = {Verdict.SUSPEND, Verdict.UNAUTHORISED}  # also what the shell of a group that moved answers


class Composer:
    """Writes messages and brings them to their chats."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        files: Attachments,
        *,
        clock: Clock,
        searches: Searches | None = None,
    ) -> None:
        self._database = database
        self._sender = sender
        self._files = files
        self._clock = clock
        self._searches = searches  # whose processes draw charts, too; None: notices come without them
        self._writer = MessageWriter(database)

    async def close(self) -> None:
        """Give up what is on its way to Telegram."""
        await self._files.close()

    async def put(self, message: Message) -> Delivery | None:
        """Send or edit a message, at once in the new place where the old one takes nothing more.

        None where nothing is to be done now. Raises TelegramError where there is no other place, or that one refuses
        too, and NotYetError.
        """
        while True:
            try:
                return await self._put(message)
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
        # A thread that is gone may only be missed as what a message answers.
        if error.verdict is Verdict.CLOSED or error.error == UNANSWERABLE:
            if message.is_sent:  # what stands in a closed thread stays as it is
                raise TelegramError(error.error, code=error.code, verdict=Verdict.DROP) from error
            if thread_id in {None, GENERAL_THREAD}:
                return False
            await self._database.write(lambda tx: addresses.leave_thread(tx, message.chat, thread_id or 0, now=now))
            return True
        supergroup = await self._sender.moved_to(message.chat.peer) if error.verdict in _ELSEWHERE else None
        if supergroup is None:
            return False
        # Where another message was first, the chat's row has the new place already.
        await self._database.write(lambda tx: addresses.upgrade(tx, message.chat.peer.id, supergroup))
        return True

    async def _put(self, message: Message) -> Delivery | None:
        if message.is_sent or message.kind in ANSWERS:  # what it answers, or shows, may have changed since it was read
            message = await messages.get(self._database, message.id)
            if message.sent_revision == message.revision:
                return None
        if message.is_sent:
            return await self._edit(message)
        if message.kind is MessageKind.FILES:
            return delivery_of(message, await self._files.send(message), self._clock())
        if message.group is GroupKind.FALLBACK:
            await self._settle(message)
            if not await messages.is_due(self._database, message.id):
                return None
            message = await messages.get(self._database, message.id)
        return await self._send(message)

    async def _settle(self, summary: Message) -> None:
        """Take out of a summary what its chat shows: what Telegram had taken before a crash, or without an answer.

        A summary of nothing is deleted.
        """
        now, held = self._clock(), await fallbacks.members(self._database, summary.group_id or 0)
        written = []
        for message_id, alert_ids in held.items():
            carried = await messages.get(self._database, message_id)
            written.append((carried, await self._writer.write_as_it_was(carried, summary, alert_ids, now)))
        try:
            shown = await message_lookup.find_all(self._database, self._sender, written)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                raise
            log.warning("what a chat had before an outage cannot be checked", chat=summary.chat.id, reason=error.error)
            return
        for each, telegram_id in shown:
            await self._database.write(partial(fallbacks.found, message=each, telegram_id=telegram_id, now=now))

    async def _send(self, message: Message) -> Delivery:
        now = self._clock()
        outgoing = replace(await self._writer.write(message, now), silent=is_silent(message, now))
        outgoing = replace(outgoing, png=await self._drawn(message, now))
        telegram_id = await self._answer(message, outgoing)
        if telegram_id is not None:
            return delivery_of(message, telegram_id, now)
        # Telegram had taken it before a crash, when perhaps an earlier revision was wanted.
        telegram_id = await message_lookup.find(self._database, self._sender, message, outgoing)
        found = delivery_of(message, telegram_id, now)
        return found if telegram_id is None else replace(found, revision=1)

    async def _drawn(self, message: Message, now: datetime) -> bytes | None:
        """Draw the chart of a notice; None where it has none, or cannot be drawn now: its words say the same."""
        if message.kind is not MessageKind.NOTICE or self._searches is None:
            return None
        chat = message.chat
        locale = Locale(t=translator(chat.language), time_zone=chat.time_zone, now=now)
        chart = chart_of(message.notice, locale)
        if chart is None:
            return None
        try:
            return await self._searches.run(draw, chart, chat.theme, who=f"report {chat.id}", within=DRAW_WITHIN)
        except SearchError as error:
            log.warning("a notice goes without its chart", message=message.id, reason=str(error))
            return None

    async def _edit(self, message: Message) -> Delivery | None:
        now = self._clock()
        if message.due_at > now:  # a storm goes on that was to be over
            return None
        if message.telegram_id is not None:  # else nobody knows where it is
            outgoing = await self._writer.write(message, now)
            await self._sender.edit(message.chat.peer, message.telegram_id, outgoing, place=message.id)
        return delivery_of(message, None, now)  # its id stays, unless the chat has moved meanwhile

    async def _answer(self, message: Message, outgoing: Outgoing) -> int | None:
        """Send a message, as a reply where it answers one; not so where that is unknown or deleted."""
        peer, random_id, place = message.chat.peer, message.random_id, message.id
        try:
            return await self._sender.send(peer, outgoing, random_id=random_id, reply_to=message.reply_to, place=place)
        except TelegramError as error:
            if error.error != UNANSWERABLE or message.reply_to is None:
                raise
            return await self._sender.send(peer, outgoing, random_id=random_id, place=place)
