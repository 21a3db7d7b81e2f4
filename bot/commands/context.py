"""What a handler may use: the store, the present, the chat it speaks in and the language of that chat."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.commands.access import Need, allows
from bot.commands.talk import Reply, Request
from bot.locales import Translator
from bot.locales.figures import show_date
from bot.matching.words.inflection import Inflector
from bot.store import alerts, handled
from bot.store.chats import Chat, Role
from bot.store.database import Database, Transaction

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

    def date(self, moment: datetime) -> str:
        """Write a date as this chat reads it."""
        return show_date(moment, self.chat.time_zone, self.t.language, now=self.now)

    @property
    def private(self) -> "Context":
        """The same for what only who speaks will see: in their own language."""
        return replace(self, t=self.own)

    async def once(self, request: Request, effect: Effect) -> Reply:
        """Run an effect and remember its answer in one transaction; where both were done before, only say it again."""
        return await once(self.database, request, effect, now=self.now)

    async def notify(self, tx: Transaction, subject: str, payload: Mapping[str, object]) -> None:
        """Put a notice for this chat into the outbox; `subject` tells it from all others."""
        await alerts.notify(tx, self.chat, subject=subject, payload=dict(payload), now=self.now)


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
