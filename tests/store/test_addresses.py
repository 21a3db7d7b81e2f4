from dataclasses import replace
from datetime import timedelta

import pytest

from bot.models import Media
from bot.models.notices import ThreadClosed
from bot.models.outgoing import GENERAL_THREAD, Peer, PeerKind
from bot.models.people import Role
from bot.store import addresses, attachments, chats, messages, people, subscriptions
from bot.store.addresses import OF_CHATS, Binding
from bot.store.chats import Chat
from tests import kit
from tests.kit import Message, State
from tests.kit_archive import NOON, Archive, ago, post

GROUP = Peer(kind=PeerKind.GROUP, id=4001)
SUPERGROUP = Peer(kind=PeerKind.CHANNEL, id=1501, access_hash=77)
LATER = NOON + timedelta(minutes=1)


async def pair(archive: Archive, peer: Peer, title: str = "Desk") -> Chat:
    return await archive.db.write(lambda tx: chats.pair(tx, peer, title=title, language="en", now=archive.now))


async def tell(
    archive: Archive, chat: Chat, *names: str, thread_id: int | None = None, follows: Message | None = None
) -> list[Message]:
    """Put notices into the outbox and return them."""
    reply_to = None if follows is None else follows.id
    rows = await kit.put(
        archive.db, [kit.notice(chat, name, thread_id=thread_id, reply_to=reply_to) for name in names], archive.now
    )
    found = {message.id: message for message in await archive.outbox()}
    return [found[row] for row in rows]


async def upgrade(archive: Archive) -> bool:
    return await archive.db.write(lambda tx: addresses.upgrade(tx, GROUP.id, SUPERGROUP))


def threads(due: list[Message]) -> dict[str, int | None]:
    return {alert.name: alert.thread_id for alert in due}


class TestUpgrade:
    async def test_the_row_keeps_all_but_its_address(self, archive: Archive) -> None:
        chat = await pair(archive, GROUP)
        topic = await archive.track(chat, "outages", "сбой")
        await archive.db.write(lambda tx: subscriptions.mute(tx, chat.id, channel_id=5, until=None))
        (waiting,) = await tell(archive, chat, "waiting")
        assert await upgrade(archive)
        moved = await chats.by_peer(archive.db, PeerKind.CHANNEL, SUPERGROUP.id)
        assert moved is not None
        assert (moved.id, moved.key, moved.peer) == (chat.id, chat.key, SUPERGROUP)
        assert [each.topic_id for each in await subscriptions.of_chat(archive.db, chat.id)] == [topic.id]
        assert len(await subscriptions.mutes_of(archive.db, chat.id, NOON)) == 1
        (alert,) = await archive.outbox()
        assert (alert.random_id, alert.chat.peer) == (waiting.random_id, SUPERGROUP)

    async def test_it_happens_once_and_only_to_chats_of_ours(self, archive: Archive) -> None:
        assert not await upgrade(archive)
        await pair(archive, GROUP)
        assert await upgrade(archive)
        assert not await upgrade(archive)

    async def test_a_message_of_the_old_group_is_no_message_of_the_new_one(self, archive: Archive) -> None:
        chat = await pair(archive, GROUP)
        (told,) = await tell(archive, chat, "told")
        await archive.send(told, 9)
        await upgrade(archive)
        assert await kit.telegram_ids(archive.db, chat.id) == [None]

    async def test_a_group_that_had_been_given_up_is_written_to_again(self, archive: Archive) -> None:
        chat = await pair(archive, GROUP)
        await archive.db.write(lambda tx: chats.suspend(tx, chat.id, "PEER_ID_INVALID"))
        await upgrade(archive)
        moved = await chats.get(archive.db, chat.id)
        assert moved is not None
        assert moved.suspended is None

    async def test_a_supergroup_that_was_paired_meanwhile_is_joined_to_the_older_row(self, archive: Archive) -> None:
        chat = await pair(archive, GROUP)
        outages = await archive.track(chat, "outages", "сбой")
        twin = await pair(archive, SUPERGROUP, "Desk anew")
        water = await archive.track(twin, "water", "вода")
        await archive.db.write(lambda tx: subscriptions.subscribe(tx, twin.id, outages.id, now=NOON))
        mine, both = await tell(archive, chat, "mine", "both")
        theirs, seen = await tell(archive, twin, "theirs", "both")
        await archive.send(seen, 12)
        (follower,) = await tell(archive, twin, "follower", follows=seen)
        assert await upgrade(archive)
        assert [each.id for each in await chats.everyone(archive.db)] == [chat.id]
        assert {each.topic_id for each in await subscriptions.of_chat(archive.db, chat.id)} == {outages.id, water.id}
        found = await archive.outbox()
        assert [(each.id, each.chat.id, each.reply_to) for each in found] == [
            (mine.id, chat.id, None),
            (theirs.id, chat.id, None),
            (follower.id, chat.id, 12),
        ]
        assert await kit.state_of(archive.db, both) == State(state="sent", telegram_id=12)  # the new place has had it
        assert len(await kit.states(archive.db)) == 4

    async def test_nothing_that_belongs_to_a_chat_or_an_alert_is_forgotten(self, archive: Archive) -> None:
        rows = await archive.db.fetch_all(
            """SELECT m.name AS name, f."from" AS via, f."table" AS parent
            FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
            WHERE m.type = 'table' AND f."table" IN ('chats', 'alerts', 'groups', 'messages')"""
        )
        # No group is a target; the older row keeps its fallback, as all that it has chosen.
        chats_own = {*OF_CHATS, "alerts", "groups", "messages", "targets", "chats"}
        assert {row["name"] for row in rows if row["parent"] == "chats"} == chats_own
        assert {(row["name"], row["via"]) for row in rows if row["parent"] in {"alerts", "messages", "groups"}} == {
            ("alerts", "duplicate_of"),
            ("alerts", "group_id"),
            ("messages", "alert_id"),
            ("messages", "carries"),
            ("messages", "group_id"),
            ("messages", "reply_to"),
            ("attachments", "alert_id"),
            ("attachments", "reply_id"),
        }

    async def test_a_group_that_holds_more_than_the_newer_row_was_sent_is_edited(self, archive: Archive) -> None:
        await archive.follow()
        chat = await pair(archive, GROUP)
        topic = await archive.track(chat, "outages", "сбой")
        await archive.sweep(post(5, "Сбой в банке", date=ago(days=2)))
        twin = await pair(archive, SUPERGROUP, "Desk anew")
        await archive.db.write(lambda tx: subscriptions.subscribe(tx, twin.id, topic.id, now=NOON))
        await archive.sweep(post(6, "Сбой в метро", date=ago(days=2)))
        mine, theirs = await archive.outbox()
        assert (mine.kind, theirs.kind, mine.name) == ("late", "late", theirs.name)
        await archive.send(theirs, 12)
        assert await upgrade(archive)
        (edit,) = await archive.outbox()
        assert (edit.id, edit.label, edit.telegram_id) == (mine.id, "edit", 12)
        assert (await kit.contents(archive.db, edit)).channels == (("Вести", 2),)

    async def test_files_that_the_newer_row_has_had_are_not_sent_again(self, archive: Archive) -> None:
        await archive.follow()
        pairs = [await pair(archive, GROUP), await pair(archive, SUPERGROUP, "Desk anew")]
        for chat in pairs:
            await archive.track(chat, "outages", "сбой")
            await archive.db.write(lambda tx, chat=chat: chats.save(tx, replace(chat, media=True)))  # type: ignore[misc]
        await archive.live(post(5, "Сбой", media=Media(kind="photo", id=5)))
        mine, theirs = await archive.outbox()
        alert = (await messages.get(archive.db, mine.id)).alert
        assert alert is not None

        await archive.send(theirs, 12)
        await kit.send_files(archive.db, archive.reader_id, NOON)
        assert await upgrade(archive)
        await archive.db.write(lambda tx: attachments.enqueue_for_alert(tx, alert, now=NOON))
        assert await archive.outbox() == []


class TestThreads:
    @pytest.fixture
    async def desk(self, archive: Archive) -> Chat:
        return await pair(archive, SUPERGROUP)

    async def test_an_alert_goes_to_the_thread_of_its_topic_and_others_to_the_chats_own(
        self, archive: Archive, desk: Chat
    ) -> None:
        await archive.follow()
        outages, water = await archive.track(desk, "outages", "сбой"), await archive.track(desk, "water", "вода")
        await archive.db.write(lambda tx: addresses.bind_chat(tx, desk.id, 30))
        assert await archive.db.write(lambda tx: addresses.bind_topic(tx, desk.id, outages.id, 40))
        await archive.live(post(1, "сбой"), post(2, "вода"), post(3, "вода, а в ней сбой"))
        await tell(archive, desk, "notice")
        found = {alert.post_key or alert.name: alert.thread_id for alert in await archive.outbox()}
        assert found == {"m1": 40, "m2": 30, "m3": 40, "notice": 30}
        assert await addresses.bindings(archive.db, desk.id) == [Binding(topic="outages", thread_id=40)]
        await archive.db.write(lambda tx: subscriptions.unsubscribe(tx, desk.id, water.id))
        assert not await archive.db.write(lambda tx: addresses.bind_topic(tx, desk.id, water.id, 40))

    async def test_what_waits_for_the_chats_own_thread_moves_with_it(self, archive: Archive, desk: Chat) -> None:
        await tell(archive, desk, "own")
        await tell(archive, desk, "apart", thread_id=40)
        await archive.db.write(lambda tx: addresses.bind_chat(tx, desk.id, 30))
        assert threads(await archive.outbox()) == {"own": 30, "apart": 40}
        await archive.db.write(lambda tx: addresses.bind_chat(tx, desk.id, None))
        assert threads(await archive.outbox()) == {"own": None, "apart": 40}

    async def test_a_reply_goes_where_the_alert_went(self, archive: Archive, desk: Chat) -> None:
        (told,) = await tell(archive, desk, "told", thread_id=40)
        await archive.send(told, 9)
        await tell(archive, desk, "reply", follows=told)
        (reply,) = await archive.outbox()
        assert (reply.thread_id, reply.reply_to) == (40, 9)

    async def test_a_message_in_the_general_thread_is_answered_there_also_where_the_thread_is_named(
        self, archive: Archive, desk: Chat
    ) -> None:
        (told,) = await tell(archive, desk, "told")
        await archive.send(told, 9)
        (reply,) = await tell(archive, desk, "reply", thread_id=GENERAL_THREAD, follows=told)
        assert reply.reply_to == 9

    async def test_pairing_again_leaves_the_thread_as_it_was_chosen(self, archive: Archive, desk: Chat) -> None:
        await archive.db.write(lambda tx: addresses.bind_chat(tx, desk.id, 30))
        again = await pair(archive, SUPERGROUP)
        assert again.peer.thread_id == 30

    async def test_a_closed_thread_is_left_and_the_chat_is_told_once(self, archive: Archive, desk: Chat) -> None:
        outages = await archive.track(desk, "outages", "сбой")
        await archive.db.write(lambda tx: addresses.bind_topic(tx, desk.id, outages.id, 40))
        (told,) = await tell(archive, desk, "told", thread_id=40)
        await archive.send(told, 9)
        await tell(archive, desk, "waiting", thread_id=40)
        await tell(archive, desk, "reply", follows=told)
        for _ in range(2):
            await archive.db.write(lambda tx: addresses.leave_thread(tx, desk, 40, now=LATER))
        found = await archive.outbox()
        assert [each.notice.topics for each in found if isinstance(each.notice, ThreadClosed)] == [("outages",)]
        assert {each.thread_id for each in found} == {None}
        (reply,) = [each for each in found if each.name == "reply"]
        assert reply.reply_to is None  # that message stands in the closed thread
        assert await addresses.bindings(archive.db, desk.id) == []

    async def test_the_closed_thread_of_a_whole_chat_gives_way_to_the_general_one(
        self, archive: Archive, desk: Chat
    ) -> None:
        await archive.db.write(lambda tx: addresses.bind_chat(tx, desk.id, 30))
        await archive.db.write(lambda tx: addresses.leave_thread(tx, desk, 30, now=LATER))
        (notice,) = await archive.outbox()
        assert (notice.notice.topics, notice.thread_id) == ((), None)


class TestSuspension:
    async def test_owners_are_told_once_of_a_group_and_never_of_a_person(self, archive: Archive) -> None:
        owner, desk, reader = await archive.pair(501), await pair(archive, SUPERGROUP), await archive.pair(502)
        await archive.db.write(lambda tx: people.admit(tx, 501, Role.OWNER, NOON))

        async def suspend(chat: Chat) -> None:
            await archive.db.write(lambda tx: addresses.suspend(tx, chat, "CHAT_WRITE_FORBIDDEN", now=LATER))

        await suspend(desk)
        await suspend(desk)
        await suspend(reader)
        (notice,) = await archive.outbox()
        assert notice.chat.id == owner.id
        assert (notice.notice.chat, notice.notice.reason) == ("Desk", "CHAT_WRITE_FORBIDDEN")
        for chat in (desk, reader):
            current = await chats.get(archive.db, chat.id)
            assert current is not None
            assert current.suspended == "CHAT_WRITE_FORBIDDEN"
