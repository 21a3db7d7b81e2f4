"""Messages go to targets, chats outside Telegram: each once, for nothing can be changed there."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot import targets as ways
from bot.delivery.message_writer import ANSWERS, MessageWriter, delivery_of, is_silent
from bot.errors import TargetError, Verdict
from bot.models import Clock
from bot.models.alerts import GroupKind, MessageKind
from bot.models.outgoing import Outgoing
from bot.models.targets import TargetMessage, short_id
from bot.store import fallbacks, groups, messages, targets
from bot.store.database import Database
from bot.store.messages import Message
from bot.store.outbox import Delivery
from bot.targets import TargetKind


class SendToTarget(Protocol):
    """Brings a message to an address. Raises TargetError."""

    async def __call__(self, kind: TargetKind, url: str, message: TargetMessage, /, *, within: float) -> None:
        """Send a message once, within so many seconds."""


class TargetComposer:
    """Writes messages and brings them to targets."""

    def __init__(
        self, database: Database, *, clock: Clock, within: float = ways.WITHIN, send: SendToTarget = ways.send
    ) -> None:
        self._database = database
        self._writer = MessageWriter(database)
        self._clock = clock
        self._within = within
        self._send = send

    async def close(self) -> None:
        """Nothing is left open."""

    async def put(self, message: Message) -> Delivery | None:
        """Send a message to a target: once, but for a storm, whose end it is told as well.

        What else changes of a message that was sent comes as messages of its own, or not at all. None where nothing is
        to be done now. Raises TargetError.
        """
        if message.kind is MessageKind.FALLBACK:
            return await self._put_carried(message)
        now = self._clock()
        if message.is_sent and message.due_at > now:  # a storm goes on that was to be over
            return None
        if message.kind in ANSWERS:  # what it answers may have been sent since it was read
            message = await messages.get(self._database, message.id)
        is_over = message.is_sent and await self._is_over(message, now)
        if message.kind is MessageKind.FILES or (message.is_sent and not is_over):
            return delivery_of(message, None, now)
        outgoing = replace(await self._writer.write(message, now), silent=is_silent(message, now))
        await self._bring(message, _for_target(message, outgoing))
        return delivery_of(message, message.random_id, now)

    async def _put_carried(self, message: Message) -> Delivery | None:
        """Send what waits for a chat of Telegram; nothing that has left by then, nor a post that the target has."""
        now, carried = self._clock(), await messages.get(self._database, message.carries or 0)
        if not await messages.is_due(self._database, carried.id) or carried.is_sent:
            return delivery_of(message, None, now)
        if not await fallbacks.is_there(self._database, message.chat.id, carried):
            public = replace(carried, chat=replace(carried.chat, broadcast=True))  # whose buttons are links
            outgoing = await self._writer.write(public, now)
            await self._bring(message, replace(_for_target(carried, outgoing), id=short_id(message.random_id)))
        return delivery_of(message, message.random_id, now)

    async def _bring(self, message: Message, outgoing: TargetMessage) -> None:
        address = await targets.url_of(self._database, message.chat.id)
        if address is None:
            raise TargetError("REMOVED", code=0, verdict=Verdict.SUSPEND)
        kind, url = address
        await self._send(TargetKind(kind), url, outgoing, within=self._within)

    async def _is_over(self, message: Message, now: datetime) -> bool:
        if message.group is not GroupKind.STORM:
            return False
        return (await groups.storm(self._database, message.group_id or 0, now=now)).is_over


def _for_target(message: Message, outgoing: Outgoing) -> TargetMessage:
    """Address a message to a target: a storm's end has an id of its own, and names the storm's beginning."""
    own, about = short_id(message.random_id), message.answered_id
    return TargetMessage(
        id=f"{own}-end" if message.is_sent else own,
        about=own if message.is_sent else None if about is None else short_id(about),
        kind=message.kind.value,
        created_at=message.created_at,
        outgoing=outgoing,
        topics=() if message.alert is None else message.alert.topics,
        post=message.post,
    )
