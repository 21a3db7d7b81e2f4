from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import subscriptions, topics
from bot.store.database import Subject

from .kit import NEWS, NOON, Newsroom, newsroom


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as room:
        yield room


class TestTopics:
    async def test_a_name_is_one_whatever_its_case(self, room: Newsroom) -> None:
        topic = await room.track(None, "Сбои связи", "сбой")
        again = await room.track(None, "СБОИ  СВЯЗИ", "авария")
        assert (again.id, again.query) == (topic.id, "авария")
        assert await topics.all_topics(room.db) == [again]
        assert await topics.find(room.db, " сбои связи ") == again
        assert await topics.find(room.db, "сбои") is None

    async def test_deleting_takes_subscriptions_and_mutes_along(self, room: Newsroom) -> None:
        chat = await room.pair()
        topic = await room.track(chat, "сбои", "сбой")
        await room.db.write(lambda tx: subscriptions.mute(tx, chat.id, topic_id=topic.id, until=None))
        assert await topics.users(room.db, topic.id) == [chat.id]
        deleted = [await room.db.write(lambda tx: topics.delete(tx, topic.id)) for _ in range(2)]
        assert deleted == [True, False]
        assert await topics.all_topics(room.db) == []
        assert await subscriptions.of_chat(room.db, chat.id) == []
        assert await subscriptions.mutes_of(room.db, chat.id, NOON) == []

    async def test_built_in_topics_follow_the_program_and_leave_what_people_made(self, room: Newsroom) -> None:
        own = await room.track(None, "Outages", "мой запрос")
        expanded: list[str] = []

        async def start(queries: dict[str, str]) -> None:
            def expand(query: str, _: Sequence[str]) -> str:
                expanded.append(query)
                return f'"{query}"'

            filed = [topics.Filed(name=name, query=query, on_by_default=False) for name, query in queries.items()]
            await room.db.write(lambda tx: topics.take_over(tx, filed, expand, now=NOON))

        await start({"blocking": "блок*", "outages": "сбой"})
        await start({"blocking": "запрет", "outages": "сбой"})
        builtin, users = await topics.all_topics(room.db)
        assert (builtin.name, builtin.query, builtin.compiled, builtin.builtin) == (
            "blocking",
            "запрет",
            '"запрет"',
            True,
        )
        assert users == own
        revision = room.db.changes.revision(Subject.TOPICS)
        expanded.clear()
        await start({"blocking": "запрет"})
        assert (expanded, room.db.changes.revision(Subject.TOPICS)) == ([], revision)
        assert await room.db.write(lambda tx: topics.delete(tx, builtin.id)) is False
        await room.db.write(lambda tx: tx.execute("UPDATE meta SET value = '0.0.0' WHERE key LIKE 'builtin%'"))
        await start({"blocking": "запрет"})
        assert expanded == ["запрет"]

    async def test_a_topic_whose_file_comes_back_is_the_files_again_with_its_subscriptions(
        self, room: Newsroom
    ) -> None:
        async def start(**queries: str) -> list[str]:
            filed = [topics.Filed(name=name, query=query, on_by_default=False) for name, query in queries.items()]
            return await room.db.write(lambda tx: topics.take_over(tx, filed, lambda query, _: f'"{query}"', now=NOON))

        chat = await room.pair()
        await start(fuel="бензин", roads="дорога")
        (fuel, _) = await topics.all_topics(room.db)
        await room.db.write(lambda tx: subscriptions.subscribe(tx, chat.id, fuel.id, now=NOON))
        await start()
        await start()
        assert [topic.builtin for topic in await topics.all_topics(room.db)] == [False, False]
        await room.track(None, "Roads", "моя дорога")
        assert await start(Fuel="топливо", roads="дорога") == ["roads"]
        found = await topics.find(room.db, "fuel")
        assert found == replace(fuel, name="Fuel", query="топливо", compiled='"топливо"')
        assert await topics.users(room.db, fuel.id) == [chat.id]
        await start(Fuel="топливо")
        assert (await topics.find(room.db, "roads")).query == "моя дорога"

    async def test_a_topic_whose_file_comes_back_unchanged_is_the_files_again(self, room: Newsroom) -> None:
        filed = [topics.Filed(name="fuel", query="бензин", on_by_default=True)]
        for files in (filed, [], filed):
            await room.db.write(lambda tx, files=files: topics.take_over(tx, files, lambda query, _: query, now=NOON))
        (fuel,) = await topics.all_topics(room.db)
        assert fuel.builtin

    async def test_a_topic_left_behind_may_be_deleted_and_made_anew_in_the_chat(self, room: Newsroom) -> None:
        filed = [topics.Filed(name="fuel", query="бензин", on_by_default=True)]
        for files in (filed, []):
            await room.db.write(lambda tx, files=files: topics.take_over(tx, files, lambda query, _: query, now=NOON))
        (fuel,) = await topics.all_topics(room.db)
        assert await room.db.write(lambda tx: topics.delete(tx, fuel.id))
        own = await room.track(None, "fuel", "моё")
        assert await room.db.write(lambda tx: topics.take_over(tx, filed, lambda query, _: query, now=NOON)) == ["fuel"]
        assert await topics.all_topics(room.db) == [own]


class TestChanges:
    async def test_only_what_changed_is_read(self, room: Newsroom) -> None:
        first, second = await room.track(None, "сбои", "сбой"), await room.track(None, "банки", "банк")
        everything = await topics.changed(room.db, 0)
        assert (everything.saved, everything.gone) == ([first, second], [])
        assert await topics.changed(room.db, everything.number) == replace(everything, saved=[])
        first = await room.track(None, "Сбои", "авария")
        later = await topics.changed(room.db, everything.number)
        assert (later.saved, later.gone) == ([first], [])
        assert later.number > everything.number

    async def test_a_deleted_topic_is_told_of(self, room: Newsroom) -> None:
        topic = await room.track(None, "сбои", "сбой")
        before = await topics.changed(room.db, 0)
        await room.db.write(lambda tx: topics.delete(tx, topic.id))
        after = await topics.changed(room.db, before.number)
        assert (after.saved, after.gone) == ([], [topic.id])


class TestSubscriptions:
    async def test_subscribing_twice_is_once(self, room: Newsroom) -> None:
        chat = await room.pair()
        topic = await room.track(None, "сбои", "сбой")
        new = [await room.db.write(lambda tx: subscriptions.subscribe(tx, chat.id, topic.id, now=NOON)) for _ in "12"]
        assert new == [True, False]
        (subscription,) = await subscriptions.of_chat(room.db, chat.id)
        assert (subscription.topic, subscription.priority, subscription.channels) == ("сбои", "loud", None)
        ended = [await room.db.write(lambda tx: subscriptions.unsubscribe(tx, chat.id, topic.id)) for _ in "12"]
        assert ended == [True, False]

    async def test_a_mute_replaces_the_one_of_its_scope_only(self, room: Newsroom) -> None:
        chat = await room.pair()
        hour = NOON + timedelta(hours=1)
        for scope, until in (({}, hour), ({"channel_id": NEWS}, None), ({}, None), ({"channel_id": NEWS}, hour)):
            await room.db.write(
                lambda tx, scope=scope, until=until: subscriptions.mute(tx, chat.id, until=until, **scope)
            )
        found = [(mute.channel_id, mute.until) for mute in await subscriptions.mutes_of(room.db, chat.id, NOON)]
        assert found == [(None, None), (NEWS, hour)]
        assert [mute.channel_id for mute in await subscriptions.mutes_of(room.db, chat.id, hour)] == [None]
        ended = [await room.db.write(lambda tx: subscriptions.unmute(tx, chat.id)) for _ in "12"]
        assert ended == [True, False]
        assert [mute.channel_id for mute in await subscriptions.mutes_of(room.db, chat.id, NOON)] == [NEWS]


class TestExclusions:
    async def test_built_in_topics_keep_them_when_their_files_are_read_again(self, room: Newsroom) -> None:
        expanded: list[tuple[str, tuple[str, ...]]] = []

        def expand(query: str, excluded: Sequence[str]) -> str:
            expanded.append((query, tuple(excluded)))
            return f"{query} without {list(excluded)}"

        async def start(query: str) -> None:
            filed = [topics.Filed(name="outages", query=query, on_by_default=True)]
            await room.db.write(lambda tx: topics.take_over(tx, filed, expand, now=NOON))

        await start("сбой")
        (topic,) = await topics.all_topics(room.db)
        assert await room.db.write(lambda tx: topics.leave_out(tx, topic, ("учения",), "anew"))
        await start("сбой")
        assert (await topics.all_topics(room.db))[0].compiled == "anew"
        await start("сбой|авария")
        assert expanded == [("сбой", ()), ("сбой|авария", ("учения",))]
        assert (await topics.all_topics(room.db))[0].excluded == ("учения",)

    async def test_who_read_an_older_topic_changes_nothing(self, room: Newsroom) -> None:
        topic = await room.track(None, "Банки", "банк")
        assert await room.db.write(lambda tx: topics.leave_out(tx, topic, ("учения",), "one"))
        assert not await room.db.write(lambda tx: topics.leave_out(tx, topic, ("реклама",), "two"))
        assert await topics.get(room.db, topic.id) == replace(topic, excluded=("учения",), compiled="one")
