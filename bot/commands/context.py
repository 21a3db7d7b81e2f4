"""The values between dispatcher and handlers: `Request` and `Context` in, `Reply` or a write of the store out."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.commands.rights import Need, allows, viewer
from bot.dossier.formats import DossierFormat
from bot.locales import Translator
from bot.locales.locale import Locale
from bot.matching.words.inflection import Inflector
from bot.models.notices import Notice
from bot.models.outgoing import ButtonRows, Outgoing, Peer, PeerKind
from bot.models.people import Role, Viewer
from bot.search.pool import BusyError, Job, OverdueError, Searches
from bot.store import access, chats, handled
from bot.store.access import Restrictable
from bot.store.acts import Actor
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction
from bot.store.fulltext import Scope
from bot.store.notices import notify
from bot.text.markup import Text

_COMMAND = re.compile(r"/(\w{1,32})(?:@(\w+))?(?:[.,:;!]*(?:\s+(.*))?)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardOrigin:
    """The channel that a forwarded post came from."""

    channel_id: int  # bare
    title: str | None = None  # where Telegram told it
    username: str | None = None
    message_id: int | None = None  # of the post there


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One message or one tap that is meant for the bot."""

    key: str  # names the update for good: chat and message id, or the id of the tap
    peer: Peer  # where the answer goes
    person_id: int  # who speaks; 0 for a group's anonymous administrator
    name: str = ""  # of who speaks, as Telegram shows them; empty where it does not say
    username: str | None = None  # likewise, without @
    title: str  # of the chat; a person's name in private
    language: str  # the speaker's, as Telegram says: en, ru, pt-br, …
    command: str  # without slash, in lower case; the verb of a tap; empty for plain words
    argument: str = ""  # what follows, with its line breaks
    links: tuple[str, ...] = ()  # addresses hidden behind words of the argument
    addressed: bool = True  # private, or the bot was named; else it may be meant for another bot
    message_id: int  # of the request, or the message whose button was tapped
    sent_at: datetime | None = None  # None for taps, which Telegram does not date
    origin: ForwardOrigin | None = None  # of a forwarded channel post
    reply_to: int | None = None  # the message of this chat that was answered
    replied: str | None = None  # its text, for the commands that want it; None where it cannot be read
    replied_origin: ForwardOrigin | None = None  # where that message was forwarded from, likewise
    query_id: int | None = None  # of a tap
    forum: bool = False  # the chat has threads; where none is named, it is the general one

    @property
    def private(self) -> bool:
        """Tell whether the chat is one between a person and the bot."""
        return self.peer.kind is PeerKind.USER

    @property
    def tapped(self) -> bool:
        """Tell whether a button was tapped."""
        return self.query_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCommand:
    """A message taken apart."""

    command: str  # in lower case; empty for plain words
    named: bool  # the bot was named: /status@our_bot
    argument: str


def read_command(text: str, username: str, *, alone: bool = False) -> ParsedCommand | None:
    """Take a message apart; return None where the message names another bot than `username`.

    Where the bot is `alone` with a person, nobody else can be meant: `/follow@name` only lacks its space.
    """
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return ParsedCommand(command="", named=False, argument=text.strip())
    command, argument = found[1].lower(), (found[3] or "").strip()
    if found[2] and found[2].lower() != username.lower():
        return (
            ParsedCommand(command=command, named=False, argument=f"@{found[2]} {argument}".strip()) if alone else None
        )
    return ParsedCommand(command=command, named=found[2] is not None, argument=argument)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOrder:
    """A dossier that somebody wants as a file."""

    case_id: int
    format: DossierFormat
    viewer: int | None  # the chat whose eyes see it; None: those of an owner
    language: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderingOrder:
    """A picture of a post that somebody wants."""

    channel_id: int
    message_id: int
    language: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The whole answer to one request; empty where there is none."""

    messages: tuple[Outgoing, ...] = ()  # new ones, in order; in a group they reply to the request's message
    edit: Outgoing | None = None  # takes the place of the message whose button was tapped
    buttons: ButtonRows | None = None  # take the place of that message's buttons alone
    note: str | None = None  # a short word over the tapped button, for who tapped alone
    menu: str | None = None  # the language in which Telegram's menu shows the commands here from now on
    menus_of: tuple[int, ...] = ()  # people whose menus change, since they may do more or less
    fleeting: bool = False  # it is not recorded: whoever asks again is answered anew
    secret: bool = False  # it holds a key: once it is delivered, nothing of it is kept
    forgets: bool = False  # the message that it answers holds a secret: it is deleted first, where Telegram lets us
    progress: datetime | None = None  # the first message shows how what was asked for at this moment goes on
    order: FileOrder | RenderingOrder | None = None  # a file that takes a while: it follows by itself
    memory: str = ""  # what a tap on these buttons will need and 64 bytes do not hold

    def to_json(self) -> str:
        """Return the reply as the store keeps it: a chart is not kept, its text says the same."""
        edit = None if self.edit is None else replace(self.edit, png=None)
        messages = tuple(replace(each, png=None) for each in self.messages)
        return _REPLY.dump_json(replace(self, messages=messages, edit=edit)).decode()

    @staticmethod
    def from_json(written: str) -> "Reply":
        """Read what `to_json` wrote."""
        return _REPLY.validate_json(written)


_REPLY = TypeAdapter(Reply)


def message(text: Text | str, rows: ButtonRows = (), **values: object) -> Outgoing:
    """Make a message that fits into Telegram's limits; `values` fill the fields of a sentence."""
    words, entities = _filled(text, values).cut().build()
    return Outgoing(text=words, entities=entities, buttons=rows)


def failure(t: Translator) -> str:
    """Return what a person reads about an error of ours."""
    return t.gettext("Something went wrong. It has been logged; please try again.")


def forgetting(reply: Reply) -> Reply:
    """Answer a message that holds a secret: it is deleted, and nothing of the answer is kept."""
    return replace(reply, forgets=True, secret=True)


def say(text: Text | str, rows: ButtonRows = (), **values: object) -> Reply:
    """Answer with one new message."""
    return Reply(messages=(message(text, rows, **values),))


def change(text: Text | str, rows: ButtonRows = (), **values: object) -> Reply:
    """Answer a tap by changing the message under which the button stands."""
    return Reply(edit=message(text, rows, **values))


def show(request: Request, screen: Outgoing) -> Reply:
    """Answer with a screen: a tap changes the message under which the button stands."""
    return Reply(edit=screen) if request.tapped else Reply(messages=(screen,))


class CommandError(Exception):
    """A request that cannot be fulfilled; `text` is the sentence that its author reads, `values` fill its fields."""

    def __init__(self, text: Text | str, **values: object) -> None:
        self.text = _filled(text, values)
        super().__init__(self.text.build()[0])

    def reply(self, request: Request) -> Reply:
        """Answer a message with a message, and a tap with a note over its button, if the sentence is short enough."""
        fits = request.tapped and len(self.text) <= _LONGEST_NOTE
        return Reply(note=str(self)) if fits else say(self.text)


def _filled(text: Text | str, values: Mapping[str, object]) -> Text:
    if isinstance(text, Text):
        return text
    return Text().say(text, **values) if values else Text().add(text)


_LONGEST_NOTE = 200  # UTF-16 units; Telegram takes no more


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One paired chat at one moment."""

    database: Database  # for questions that are quick; what is committed
    searches: Searches  # for those that read many posts, or run somebody's query
    now: datetime
    chat: Chat
    home: Chat | None = None  # where somebody speaks for that chat; None: there itself
    person_id: int  # who speaks
    name: str  # of who speaks
    role: Role  # of who speaks
    t: Translator  # of the chat's language
    own: Translator  # of the language of who speaks: for the notes over a tapped button, which nobody else sees
    inflector: Inflector  # knows the forms of words; loads its dictionaries at the first query

    @property
    def private(self) -> bool:
        """Tell whether the chat is one between a person and the bot."""
        return self.chat.peer.kind is PeerKind.USER

    @property
    def is_owner(self) -> bool:
        """Tell whether an owner speaks, wherever that is."""
        return self.role is Role.OWNER

    def may(self, need: Need) -> bool:
        """Tell whether who speaks has the right."""
        return allows(self.role, need, private=self.private)

    def offers(self, need: Need) -> bool:
        """Tell whether a screen has buttons for it: a group's has those of its editors, whoever had it drawn."""
        return allows(self.role if self.private else Role.EDITOR, need, private=self.private)

    @property
    def viewer(self) -> Viewer:
        """Whoever looks: what others shall not see does not exist in this chat."""
        return viewer(self.role, chat_id=self.chat.id, private=self.private)

    @property
    def actor(self) -> Actor:
        """Who acts, for the log."""
        return Actor(person_id=self.person_id, name=self.name, chat_id=self.chat.id)

    @property
    def locale(self) -> Locale:
        """Language, time zone and present moment, by which messages to the chat are written."""
        return Locale(t=self.t, time_zone=self.chat.time_zone, now=self.now)

    async def scope(self, channel_ids: Sequence[int] | None = None, *, since: datetime | None = None) -> Scope:
        """Return the posts that this chat sees of some channels, or of all."""
        hidden = await access.hidden(self.database, Restrictable.CHANNEL, self.viewer)
        return Scope(channel_ids=channel_ids, hidden=hidden, since=since)

    async def ask(self, job: Job[T], *arguments: Any, **options: Any) -> T:  # noqa: ANN401 - a job's own arguments
        """Let a search process answer a question. Raises CommandError where there is no answer in time."""
        try:
            return await self.searches.run(job, *arguments, who=self.person_id or self.chat.id, **options)
        except BusyError:
            line = self.t.gettext("Many people are searching right now. Please send it again in a minute.")
        except OverdueError:
            line = self.t.gettext("That takes too long. Narrow it down with since: or in:, or write a simpler query.")
        raise CommandError(line)

    def date(self, moment: datetime) -> str:
        """Write a date in the language and time zone of the chat."""
        return self.locale.date(moment)

    @property
    def for_speaker(self) -> "Context":
        """The context for answers that only the speaker will see: in the language of the speaker."""
        return replace(self, t=self.own)

    async def notify(self, tx: Transaction, notice: Notice) -> None:
        """Put a notice for this chat into the outbox."""
        await notify(tx, self.chat, notice, now=self.now)


async def remembered(db: Reader, context: Context, key: str, gone: str | None = None) -> str:
    """Return what the answer to an update in this chat remembers, by the key of its request.

    Raises CommandError, with the sentence `gone` if there is one, where it is forgotten or was given in another chat.
    """
    recorded = await handled.answer_in(db, (context.home or context.chat).peer, key)
    memory = Reply.from_json(recorded).memory if recorded is not None else ""
    if not memory:
        raise CommandError(gone or context.own.gettext("This is too old. Please send the command again."))
    return memory


# The write that carries a request out and returns the answer: the dispatcher runs it in the transaction that records
# the answer, so that both happen once or not at all.
Effect = Callable[[Transaction], Awaitable[Reply]]
Handler = Callable[[Request, Context], Awaitable[Reply | Effect]]


async def reply_of(tx: Transaction, answer: Reply | Effect) -> Reply:
    """Return the reply of an answer, once its effect is carried out."""
    return answer if isinstance(answer, Reply) else await answer(tx)


def writes(handler: Callable[[Request, Context, Transaction], Awaitable[Reply]]) -> Handler:
    """Make a handler of a function that reads and writes in the transaction which records the reply.

    The chat is as it is then: of two who change its settings at once, neither undoes what the other has chosen.
    """

    @wraps(handler)
    async def answer(request: Request, context: Context) -> Effect:
        async def effect(tx: Transaction) -> Reply:
            chat = await chats.get(tx, context.chat.id)
            return await handler(request, replace(context, chat=chat or context.chat), tx)

        return effect

    return answer
