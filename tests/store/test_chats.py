from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.store import chats, invitations, people
from bot.store.database import Subject
from tests.kit_archive import NOON, Archive


async def test_a_chat_keeps_its_key_and_settings_when_it_is_paired_again(archive: Archive) -> None:
    chat = await archive.pair(501, language="ru")
    assert (len(chat.key), chat.language, chat.time_zone, chat.paired_at) == (16, "ru", "UTC", NOON)
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, time_zone="Europe/Moscow", language="en")))
    await archive.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
    suspended = await chats.get(archive.db, chat.id)
    assert suspended == replace(chat, time_zone="Europe/Moscow", language="en", suspended="USER_IS_BLOCKED")
    peer = Peer(kind=PeerKind.USER, id=501, access_hash=-9)
    again = await archive.db.write(lambda tx: chats.pair(tx, peer, title="Новое имя", language="ru", now=archive.now))
    assert again == replace(suspended, suspended=None, title="Новое имя", peer=peer)
    assert await chats.by_peer(archive.db, PeerKind.USER, 501) == again
    assert archive.db.changes.revision(Subject.CHATS) == 4


async def test_a_person_and_a_group_may_share_a_number(archive: Archive) -> None:
    person = await archive.pair(501)
    peer = Peer(kind=PeerKind.CHANNEL, id=501, access_hash=3, thread_id=4)
    group = await archive.db.write(lambda tx: chats.pair(tx, peer, title="Редакция", language="en", now=archive.now))
    assert person.key != group.key
    assert await chats.everyone(archive.db) == [person, group]
    assert await chats.by_peer(archive.db, PeerKind.GROUP, 501) is None


async def test_an_owner_is_never_made_less(archive: Archive) -> None:
    for role in (Role.READER, Role.EDITOR, Role.OWNER, Role.READER):
        await archive.db.write(lambda tx, role=role: people.admit(tx, 1, role, NOON))
    assert await people.role_of(archive.db, 1) == Role.OWNER
    assert await people.role_of(archive.db, 2) is None


async def test_a_stranger_is_told_once(archive: Archive) -> None:
    told = [await archive.db.write(lambda tx: people.turn_away(tx, 9, NOON)) for _ in range(3)]
    assert told == [True, False, False]


class TestInvitations:
    async def test_a_link_lets_in_as_many_as_it_says(self, archive: Archive) -> None:
        token = await self.make(archive, role=Role.EDITOR, uses=2)
        assert await self.redeem(archive, "another") is None
        assert [await self.redeem(archive, token) for _ in range(3)] == [Role.EDITOR, Role.EDITOR, None]

    async def test_a_link_dies_when_its_time_is_over(self, archive: Archive) -> None:
        short, long = await self.make(archive), await self.make(archive, life=timedelta(days=7))
        archive.now += timedelta(minutes=15)
        assert [await self.redeem(archive, short), await self.redeem(archive, long)] == [None, Role.OWNER]

    async def test_links_live_side_by_side(self, archive: Archive) -> None:
        old, new = await self.make(archive), await self.make(archive, role=Role.READER)
        assert [await self.redeem(archive, old), await self.redeem(archive, new)] == [Role.OWNER, Role.READER]

    async def test_a_withdrawn_link_lets_nobody_in(self, archive: Archive) -> None:
        token = await self.make(archive)
        (link,) = await invitations.live(archive.db, NOON)
        assert await archive.db.write(lambda tx: invitations.withdraw(tx, link.id)) == link
        assert await self.redeem(archive, token) is None

    async def test_the_file_holds_no_token(self, archive: Archive) -> None:
        token = await self.make(archive)
        (row,) = await archive.db.fetch_all("SELECT * FROM invitations")
        assert token.encode() not in b"".join(str(value).encode() for value in row)
        assert len(row["token_sha256"]) == 32

    async def make(self, archive: Archive, role: Role = Role.OWNER, **options: Any) -> str:  # noqa: ANN401 - of any kind
        return (await archive.db.write(lambda tx: invitations.make(tx, role=role, now=NOON, **options))).token

    async def redeem(self, archive: Archive, token: str) -> Role | None:
        found = await invitations.find(archive.db, token, archive.now)
        if found is None:
            return None
        await archive.db.write(lambda tx: invitations.use(tx, found))
        return found.role
