from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.store import subscriptions, topics
from bot.store.database import Subject
from tests.kit_archive import NEWS, NOON, Archive


class TestTopics:
    async def test_a_name_is_one_whatever_its_case(self, archive: Archive) -> None:
        topic = await archive.track(None, "Сбои связи", "сбой")
        again = await archive.track(None, "СБОИ  СВЯЗИ", "авария")
        assert (again.id, again.query) == (topic.id, "авария")
        assert await topics.all_topics(archive.db) == [again]
        assert await topics.find(archive.db, " сбои связи ") == again
        assert await topics.find(archive.db, "сбои") is None

    async def test_deleting_takes_subscriptions_and_mutes_along(self, archive: Archive) -> None:
        chat = await archive.pair()
        topic = await archive.track(chat, "сбои", "сбой")
        await archive.db.write(lambda tx: subscriptions.mute(tx, chat.id, topic_id=topic.id, until=None))
        assert await topics.subscribed_chats(archive.db, topic.id) == [chat.id]
        deleted = [await archive.db.write(lambda tx: topics.delete(tx, topic.id)) for _ in range(2)]
        assert deleted == [True, False]
        assert await topics.all_topics(archive.db) == []
        assert await subscriptions.of_chat(archive.db, chat.id) == []
        assert await subscriptions.mutes_of(archive.db, chat.id, NOON) == []

    async def test_built_in_topics_follow_the_program_and_leave_what_people_made(self, archive: Archive) -> None:
        own = await archive.track(None, "Outages", "мой запрос")
        expanded: list[str] = []

        async def start(queries: dict[str, str]) -> None:
            def expand(query: str, _: Sequence[str]) -> str:
                expanded.append(query)
                return f'"{query}"'

            filed = [topics.FiledTopic(name=name, query=query, on_by_default=False) for name, query in queries.items()]
            await archive.db.write(lambda tx: topics.take_over(tx, filed, expand, now=NOON))

        await start({"blocking": "блок*", "outages": "сбой"})
        await start({"blocking": "запрет", "outages": "сбой"})
        builtin, users = await topics.all_topics(archive.db)
        assert (builtin.name, builtin.query, builtin.compiled, builtin.builtin) == (
            "blocking",
            "запрет",
            '"запрет"',
            True,
        )
        assert users == own
        revision = archive.db.changes.revision(Subject.TOPICS)
        expanded.clear()
        await start({"blocking": "запрет"})
        assert (expanded, archive.db.changes.revision(Subject.TOPICS)) == ([], revision)
        assert await archive.db.write(lambda tx: topics.delete(tx, builtin.id)) is False
        await archive.db.write(lambda tx: tx.execute("UPDATE meta SET value = '0.0.0' WHERE key LIKE 'builtin%'"))
        await start({"blocking": "запрет"})
        assert expanded == ["запрет"]

    async def test_a_topic_whose_file_comes_back_is_the_files_again_with_its_subscriptions(
        self, archive: Archive
    ) -> None:
        async def start(**queries: str) -> list[str]:
            filed = [topics.FiledTopic(name=name, query=query, on_by_default=False) for name, query in queries.items()]
            return await archive.db.write(
                lambda tx: topics.take_over(tx, filed, lambda query, _: f'"{query}"', now=NOON)
            )

        chat = await archive.pair()
        await start(fuel="бензин", roads="дорога")
        (fuel, _) = await topics.all_topics(archive.db)
        await archive.db.write(lambda tx: subscriptions.subscribe(tx, chat.id, fuel.id, now=NOON))
        await start()
        await start()
        assert [topic.builtin for topic in await topics.all_topics(archive.db)] == [False, False]
        await archive.track(None, "Roads", "моя дорога")
        assert await start(Fuel="топливо", roads="дорога") == ["roads"]
        found = await topics.find(archive.db, "fuel")
        assert found == replace(fuel, name="Fuel", query="топливо", compiled='"топливо"')
        assert await topics.subscribed_chats(archive.db, fuel.id) == [chat.id]
        await start(Fuel="топливо")
        assert (await topics.find(archive.db, "roads")).query == "моя дорога"

    async def test_a_topic_whose_file_comes_back_unchanged_is_the_files_again(self, archive: Archive) -> None:
        filed = [topics.FiledTopic(name="fuel", query="бензин", on_by_default=True)]
        for files in (filed, [], filed):
            await archive.db.write(
                lambda tx, files=files: topics.take_over(tx, files, lambda query, _: query, now=NOON)
            )
        (fuel,) = await topics.all_topics(archive.db)
        assert fuel.builtin

    async def test_a_topic_left_behind_may_be_deleted_and_made_anew_in_the_chat(self, archive: Archive) -> None:
        filed = [topics.FiledTopic(name="fuel", query="бензин", on_by_default=True)]
        for files in (filed, []):
            await archive.db.write(
                lambda tx, files=files: topics.take_over(tx, files, lambda query, _: query, now=NOON)
            )
        (fuel,) = await topics.all_topics(archive.db)
        assert await archive.db.write(lambda tx: topics.delete(tx, fuel.id))
        own = await archive.track(None, "fuel", "моё")
        assert await archive.db.write(lambda tx: topics.take_over(tx, filed, lambda query, _: query, now=NOON)) == [
            "fuel"
        ]
        assert await topics.all_topics(archive.db) == [own]


class TestChanges:
    async def test_only_what_changed_is_read(self, archive: Archive) -> None:
        first, second = await archive.track(None, "сбои", "сбой"), await archive.track(None, "банки", "банк")
        everything = await topics.changed(archive.db, 0)
        assert (everything.saved, everything.gone) == ([first, second], [])
        assert await topics.changed(archive.db, everything.number) == replace(everything, saved=[])
        first = await archive.track(None, "Сбои", "авария")
        later = await topics.changed(archive.db, everything.number)
        assert (later.saved, later.gone) == ([first], [])
        assert later.number > everything.number

    async def test_a_deleted_topic_is_told_of(self, archive: Archive) -> None:
        topic = await archive.track(None, "сбои", "сбой")
        before = await topics.changed(archive.db, 0)
        await archive.db.write(lambda tx: topics.delete(tx, topic.id))
        after = await topics.changed(archive.db, before.number)
        assert (after.saved, after.gone) == ([], [topic.id])


class TestSubscriptions:
    async def test_subscribing_twice_is_once(self, archive: Archive) -> None:
        chat = await archive.pair()
        topic = await archive.track(None, "сбои", "сбой")
        new = [
            await archive.db.write(lambda tx: subscriptions.subscribe(tx, chat.id, topic.id, now=NOON)) for _ in "12"
        ]
        assert new == [True, False]
        (subscription,) = await subscriptions.of_chat(archive.db, chat.id)
        assert (subscription.topic, subscription.priority) == ("сбои", "loud")
        ended = [await archive.db.write(lambda tx: subscriptions.unsubscribe(tx, chat.id, topic.id)) for _ in "12"]
        assert ended == [True, False]

    async def test_a_mute_replaces_the_one_of_its_scope_only(self, archive: Archive) -> None:
        chat = await archive.pair()
        hour = NOON + timedelta(hours=1)
        for scope, until in (({}, hour), ({"channel_id": NEWS}, None), ({}, None), ({"channel_id": NEWS}, hour)):
            await archive.db.write(
                lambda tx, scope=scope, until=until: subscriptions.mute(tx, chat.id, until=until, **scope)
            )
        found = [(mute.channel_id, mute.until) for mute in await subscriptions.mutes_of(archive.db, chat.id, NOON)]
        assert found == [(None, None), (NEWS, hour)]
        assert [mute.channel_id for mute in await subscriptions.mutes_of(archive.db, chat.id, hour)] == [None]
        ended = [await archive.db.write(lambda tx: subscriptions.unmute(tx, chat.id)) for _ in "12"]
        assert ended == [True, False]
        assert [mute.channel_id for mute in await subscriptions.mutes_of(archive.db, chat.id, NOON)] == [NEWS]


class TestExclusions:
    async def test_built_in_topics_keep_them_when_their_files_are_read_again(self, archive: Archive) -> None:
        expanded: list[tuple[str, tuple[str, ...]]] = []

        def expand(query: str, excluded: Sequence[str]) -> str:
            expanded.append((query, tuple(excluded)))
            return f"{query} without {list(excluded)}"

        async def start(query: str) -> None:
            filed = [topics.FiledTopic(name="outages", query=query, on_by_default=True)]
            await archive.db.write(lambda tx: topics.take_over(tx, filed, expand, now=NOON))

        await start("сбой")
        (topic,) = await topics.all_topics(archive.db)
        words = ("учения",)
        await archive.db.write(
            lambda tx: topics.save(tx, name=topic.name, query=topic.query, excluded=words, compiled="anew", now=NOON)
        )
        await start("сбой")
        assert (await topics.all_topics(archive.db))[0].compiled == "anew"
        await start("сбой|авария")
        assert expanded == [("сбой", ()), ("сбой|авария", ("учения",))]
        assert (await topics.all_topics(archive.db))[0].excluded == ("учения",)

    async def test_each_version_of_a_topic_is_kept_once(self, archive: Archive) -> None:
        topic = await archive.track(None, "Банки", "банк")
        for query, words in (("банк", ()), ("банк|касса", ()), ("банк|касса", ("учения",)), ("банк", ())):
            await archive.db.write(
                lambda tx, query=query, words=words: topics.save(
                    tx, name="Банки", query=query, excluded=words, compiled="", by="Анна", now=NOON
                )
            )
        found = [(each.number, each.query, each.excluded) for each in await topics.versions(archive.db, topic.id)]
        assert found == [(4, "банк", ()), (3, "банк|касса", ("учения",)), (2, "банк|касса", ()), (1, "банк", ())]
