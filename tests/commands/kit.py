"""A real store and the dispatch, driven by what people say: `says` and `taps`."""

from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from bot.commands.context import Reply, Request, read_command
from bot.commands.dispatch import Dispatch
from bot.models.outgoing import Button, Outgoing, Peer, PeerKind
from bot.models.people import Role
from bot.store import chats, invitations, people, subscriptions, topics
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests.kit_archive import Archive, InProcess, compiled

ANNA, BORIS, EVE = 501, 502, 666  # an owner, somebody else, a stranger
GROUP = Peer(kind=PeerKind.CHANNEL, id=9001, access_hash=3)
BUILTIN = {"outages": "сбой|outage", "utilities": "электричество", "sovereignty": "импортозамещение"}


class Bot:
    """The bot without Telegram, driven by what people say and tap."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.db = archive.db
        self.dispatch = Dispatch(archive.db, InProcess(archive.db), lambda: self.archive.now, burst=10_000)
        self._numbers = count(1)
        self.last_message = 0  # that was said or tapped

    async def says(self, words: str, *, person: int = ANNA, chat: Peer | None = None, **changes: Any) -> Reply:  # noqa: ANN401 - fields of a Request
        said = read_command(words, "our_bot")
        assert said is not None
        number = self.last_message = next(self._numbers)
        request = Request(
            key=f"m-{number}",
            peer=chat or Peer(kind=PeerKind.USER, id=person),
            person_id=person,
            title=f"Person {person}",
            language="en",
            command=said.command,
            argument=said.argument,
            addressed=chat is None or said.named,
            message_id=number,
            sent_at=self.archive.now,
        )
        return await self.dispatch.answer(replace(request, **changes)) or Reply()

    async def taps(  # noqa: PLR0913 - what a tap may have
        self,
        button: Button | bytes,
        *,
        person: int = ANNA,
        chat: Peer | None = None,
        key: str | None = None,
        message_id: int | None = None,
        language: str = "en",
    ) -> Reply:
        data = button if isinstance(button, bytes) else button.data
        assert data is not None
        assert len(data) <= 64
        verb, _, argument = data.decode().partition(":")
        number = self.last_message = next(self._numbers)
        request = Request(
            key=key or f"tap-{number}",
            peer=chat or Peer(kind=PeerKind.USER, id=person),
            person_id=person,
            title="",
            language=language,
            command=verb,
            argument=argument,
            message_id=message_id or number,
            query_id=number,
        )
        return await self.dispatch.answer(request) or Reply()

    async def tracks(self, topic: str, *, person: int = ANNA) -> Reply:
        """Send `/track NAME: QUERY` and save what is shown."""
        shown = await self.says(f"/track {topic}", person=person)
        (save,) = [
            each for row in shown.messages[0].buttons for each in row if (each.data or b"").startswith(b"save:")
        ][:1]
        return await self.taps(save, person=person)

    async def pair(self, person: int = ANNA, role: Role = Role.OWNER, *, language: str = "en") -> Chat:
        """Pair a private chat by a link, as a person would."""
        token = (await self.db.write(lambda tx: invitations.make(tx, role=role, now=self.archive.now))).token
        await self.says(f"/start {token}", person=person, language=language)
        return await self.chat(Peer(kind=PeerKind.USER, id=person))

    async def chat(self, peer: Peer) -> Chat:
        chat = await chats.by_peer(self.db, peer.kind, peer.id)
        assert chat is not None
        return chat

    async def own_menus(self) -> list[Chat]:
        return await chats.with_own_menu(self.db)

    async def topics_of(self, chat: Chat) -> list[str]:
        return [subscription.topic for subscription in await subscriptions.of_chat(self.db, chat.id)]


def text(reply: Reply) -> str:
    """Return all that is said."""
    outgoing = [*reply.messages, *([reply.edit] if reply.edit else [])]
    return "\n".join([*(message.text for message in outgoing), *([reply.note] if reply.note else [])])


def button(outgoing: Outgoing | None, label: str) -> Button:
    """Return the button with these words in its label."""
    assert outgoing is not None
    found = [button for row in outgoing.buttons for button in row if label in button.text]
    assert found, [button.text for row in outgoing.buttons for button in row]
    return found[0]


def labels(outgoing: Outgoing | None) -> list[str]:
    """Return what the buttons say, but for those that only number the posts of a list."""
    assert outgoing is not None
    return [button.text for row in outgoing.buttons for button in row if not button.text.isdecimal()]


def bold_words(outgoing: Outgoing) -> list[str]:
    raw = outgoing.text.encode("utf-16-le")
    return [
        raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in outgoing.entities if e.kind == "bold"
    ]


async def bring_topics(tx: Transaction, now: datetime) -> None:
    filed = [
        topics.FiledTopic(name=name, query=query, on_by_default=name != "utilities") for name, query in BUILTIN.items()
    ]
    await topics.take_over(tx, filed, lambda query, _: compiled(query).to_json(), now=now)


async def bot_of(archive: Archive) -> Bot:
    await archive.db.write(lambda tx: bring_topics(tx, archive.now))
    await archive.db.write(lambda tx: people.take_over(tx, [ANNA], now=archive.now))
    return Bot(archive)
