"""What a handler may use: the store, the present, the chat it speaks in and the language of that chat."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.commands.access import Need, allows
from bot.commands.talk import Reply, Request
from bot.locales import Translator
from bot.locales.locale import Locale
from bot.matching.words.inflection import Inflector
from bot.models.notices import Notice
from bot.store import handled
from bot.store.chats import Chat, Role
from bot.store.database import Database, Transaction
from bot.store.notices import notify

Effect = Callable[[Transaction], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One paired chat at one moment."""

    database: Database  # for questions; what is committed
    now: datetime
    chat: Chat
    role: Role  # of who speaks
    t: Translator  # of the chat's language
    own: Translator  # of the language of who speaks: for the notes over a tapped button, which nobody else sees
    inflector: Inflector  # knows the forms of words; loads its dictionaries at the first query

    def may(self, request: Request, need: Need) -> bool:
        """Tell whether who speaks has the right."""
        return allows(self.role, need, private=request.private)

    @property
    def locale(self) -> Locale:
        """By what messages to the chat are written."""
        return Locale(t=self.t, time_zone=self.chat.time_zone, now=self.now)

    def date(self, moment: datetime) -> str:
        """Write a date as this chat reads it."""
        return self.locale.date(moment)

    @property
    def private(self) -> "Context":
        """The same for what only who speaks will see: in their own language."""
        return replace(self, t=self.own)

    async def once(self, request: Request, effect: Effect) -> Reply:
        """Run an effect and remember its answer in one transaction; where both were done before, only say it again."""
        return await once(self.database, request, effect, now=self.now)

    async def notify(self, tx: Transaction, notice: Notice) -> None:
        """Put a notice for this chat into the outbox."""
        await notify(tx, self.chat, notice, now=self.now)


Handler = Callable[[Request, Context], Awaitable[Reply]]


async def once(database: Database, request: Request, effect: Effect, *, now: datetime) -> Reply:
    """Run an effect and remember its answer in one transaction; where both were done before, only say it again."""

    async def job(tx: Transaction) -> Reply:
        before = await handled.find(tx, request.key)
        if before is not None:
            return Reply.from_json(before)
        reply = await effect(tx)
        await handled.record(tx, request.key, reply.to_json(), now=now)
        return reply

    return await database.write(job)
