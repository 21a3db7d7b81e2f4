import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import __version__
from bot.models import Entity, Forward, Media, Observation, ObservedBy
from bot.pipeline.ingest import Result
from bot.store import channels, chats, marks, posts, stats, subscriptions, topics
from bot.store.database import Subject
from bot.store.stats import TopicStats
from tests import kit
from tests.kit import Message
from tests.kit_archive import NEWS, NOON, OTHER, Archive, Gate, ago, gone, post, queued

NOTHING = Result(new=0, edited=0, gone=0, matched=0, alerts=0)
TABLES = ("posts", "versions", "fulltext", "alerts")


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    return archive


async def contents(archive: Archive) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in await archive.db.fetch_all(f"SELECT * FROM {table}")] for table in TABLES]  # noqa: S608 - our own names


class TestStoring:
    async def test_a_post_is_stored_to_the_letter_with_its_evidence(self, archive: Archive) -> None:
        seen = post(
            7,
            "Тёмный лес 🌲",
            entities=(Entity(kind="bold", offset=0, length=6), Entity(kind="text_url", offset=7, length=3, value="x")),
            media=Media(kind="photo", id=2**62),
            forward=Forward(channel_id=OTHER, message_id=3, name=None, date=ago(days=1)),
            reply_to=5,
            author="А. Б.",
            views=10,
            raw=b"\x00\xff evidence",
        )
        assert await archive.live(seen) == replace(NOTHING, new=1)
        stored = await archive.stored(7)
        for name in ("text", "entities", "media", "forward", "reply_to", "author", "date", "edit_date", "grouped_id"):
            assert getattr(stored, name) == getattr(seen, name), name
        assert (stored.channel_title, stored.channel_username, stored.seen_at) == ("Вести", "News1001", NOON)
        row = (await archive.db.fetch_all("SELECT * FROM versions"))[0]
        assert (row["raw"], row["layer"], row["raw_sha256"]) == (seen.raw, 214, hashlib.sha256(seen.raw).digest())
        assert (row["observed_by"], row["reader_id"], row["program"]) == ("live", archive.reader_id, __version__)

    async def test_the_same_observation_twice_is_one(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        batch = (
            post(1, "Сбой в сети", views=5),
            post(2, "Сбои", grouped_id=9),
            post(1, "Сбой в сети устранён", edit_date=ago(minutes=-1)),
            gone(2),
            post(3),
        )
        first = await archive.live(*batch)
        before = await contents(archive)
        again = await archive.live(*batch)
        assert (first, again) == (Result(new=3, edited=1, gone=1, matched=2, alerts=2), NOTHING)
        assert await contents(archive) == before

    async def test_a_new_text_is_a_new_version(self, archive: Archive) -> None:
        await archive.live(post(1, "Раз"))
        archive.now += timedelta(minutes=5)
        result = await archive.live(post(1, "Два", edit_date=archive.now))
        assert result == replace(NOTHING, edited=1)
        versions = await posts.versions(archive.db, NEWS, 1)
        assert [(v.text, v.number, v.seen_at) for v in versions] == [("Раз", 1, NOON), ("Два", 2, archive.now)]
        assert (await archive.stored(1)).text == "Два"

    async def test_counters_alone_are_no_version(self, archive: Archive) -> None:
        await archive.live(post(1, views=1))
        assert await archive.live(post(1, views=900, forwards=3, edit_date=NOON)) == NOTHING
        row = (await archive.db.fetch_all("SELECT views, forwards FROM posts"))[0]
        assert tuple(row) == (900, 3)
        assert len(await posts.versions(archive.db, NEWS, 1)) == 1

    async def test_a_text_that_returns_is_a_version_again(self, archive: Archive) -> None:
        for minute, text in enumerate(("А", "Б", "А")):
            await archive.live(post(1, text, edit_date=NOON + timedelta(minutes=minute) if minute else None))
        assert [v.text for v in await posts.versions(archive.db, NEWS, 1)] == ["А", "Б", "А"]

    async def test_an_old_text_that_comes_late_is_kept_but_does_not_replace_the_new_one(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.sweep(post(1, "Исправлено", edit_date=NOON))
        late = post(1, "Сбой с опечаткой")
        assert await archive.live(late) == replace(NOTHING, stale=1)
        assert await archive.live(late) == NOTHING
        assert (await archive.stored(1)).text == "Исправлено"
        assert [v.text for v in await posts.versions(archive.db, NEWS, 1)] == ["Сбой с опечаткой", "Исправлено"]
        assert await archive.outbox() == []

    async def test_of_two_edits_in_one_second_the_one_that_telegram_shows_is_the_current_one(
        self, archive: Archive
    ) -> None:
        await archive.sweep(post(1, "Раз"))
        first, second = (post(1, text, edit_date=NOON) for text in ("Два", "Три"))
        await archive.sweep(second)
        await archive.sweep(first)  # an answer that was held up on its way
        assert (await archive.stored(1)).text == "Два"
        await archive.live(second)
        assert (await archive.stored(1)).text == "Два"
        await archive.sweep(second)
        assert (await archive.stored(1)).text == "Три"
        assert [v.text for v in await posts.versions(archive.db, NEWS, 1)] == ["Раз", "Три", "Два", "Три"]

    async def test_an_answer_to_a_question_from_before_a_deletion_brings_nothing_back(self, archive: Archive) -> None:
        await archive.sweep(post(1))
        asked_at, archive.now = archive.now, archive.now + timedelta(seconds=1)
        await archive.live(gone(1))
        late = Observation(
            events=(post(1),),
            observed_by=ObservedBy.SWEEP,
            reader_id=archive.reader_id,
            seen_at=archive.now,
            asked_at=asked_at,
        )
        await archive.ingest.store(late)
        assert (await archive.stored(1)).gone_at is not None
        await archive.ingest.store(replace(late, asked_at=archive.now))
        assert (await archive.stored(1)).gone_at is None

    async def test_channels_that_nobody_follows_are_left_out(self, archive: Archive) -> None:
        await archive.live(post(1))
        await archive.db.write(lambda tx: channels.unfollow(tx, NEWS))
        assert await archive.live(post(2), post(1, channel_id=OTHER), gone(1)) == NOTHING
        assert len(await posts.latest(archive.db, limit=9)) == 1

    async def test_row_ids_follow_the_dates_however_late_a_post_comes(self, archive: Archive) -> None:
        await archive.live(*(post(number, date=NOON) for number in range(1, 6)))
        await archive.see(ObservedBy.BACKFILL, *(post(100 + n, date=ago(days=n)) for n in range(1, 4)))
        await archive.live(post(6, date=NOON), post(1, "Правка", edit_date=NOON))
        newest_first = [p.message_id for p in await posts.latest(archive.db, limit=99)]
        assert newest_first == [6, 5, 4, 3, 2, 1, 101, 102, 103]


class TestDeletion:
    async def test_a_deletion_leaves_the_post_stored_with_its_moment(self, archive: Archive) -> None:
        await archive.live(post(1), post(2))
        archive.now += timedelta(hours=1)
        assert await archive.live(gone(1, 77)) == replace(NOTHING, gone=1)
        assert (await archive.stored(1)).gone_at == archive.now
        assert await posts.ids_between(archive.db, NEWS, 1, 9) == {2}

    async def test_a_late_push_does_not_bring_a_deleted_post_back(self, archive: Archive) -> None:
        await archive.live(post(1), gone(1))
        await archive.live(post(1, "Правка", edit_date=NOON))
        stored = await archive.stored(1)
        assert (stored.gone_at, stored.text) == (NOON, "Правка")

    @pytest.mark.parametrize("path", [ObservedBy.SWEEP, ObservedBy.DIFFERENCE, ObservedBy.BACKFILL])
    async def test_reading_it_from_telegram_does(self, archive: Archive, path: ObservedBy) -> None:
        await archive.live(post(1), gone(1))
        await archive.see(path, post(1))
        assert (await archive.stored(1)).gone_at is None

    async def test_an_export_proves_nothing_about_now(self, archive: Archive) -> None:
        await archive.live(post(1), gone(1))
        await archive.see(ObservedBy.IMPORT, post(1))
        assert (await archive.stored(1)).gone_at == NOON

    async def test_events_count_in_their_order(self, archive: Archive) -> None:
        await archive.see(ObservedBy.DIFFERENCE, post(1), gone(1))
        await archive.see(ObservedBy.DIFFERENCE, gone(2), post(2))
        assert [(await archive.stored(i)).gone_at for i in (1, 2)] == [NOON, None]

    @pytest.mark.parametrize(("number", "seen_pts"), [(9, 0), (10, 0), (11, 33)], ids=["below", "at", "above"])
    async def test_a_push_of_what_the_mark_says_is_known_makes_the_channel_suspect(
        self, archive: Archive, number: int, seen_pts: int
    ) -> None:
        await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=10, seen_pts=33, now=NOON))
        await archive.live(post(number))
        assert (await archive.channel()).seen_pts == seen_pts

    async def test_a_push_from_below_the_mark_makes_the_channel_suspect(self, archive: Archive) -> None:
        await archive.sweep(post(10))
        await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=10, seen_pts=33, now=NOON))
        await archive.live(post(10), post(11))
        assert (await archive.channel()).seen_pts == 33
        await archive.live(post(9))
        assert ((await archive.channel()).seen_pts, (await archive.channel()).confirmed_id) == (0, 10)


class TestAlerts:
    async def test_a_post_that_matches_raises_an_alert_with_its_spans(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        revision = archive.db.changes.revision(Subject.ALERTS)
        assert await archive.live(post(1, "У банка сбои.")) == replace(NOTHING, new=1, matched=1, alerts=1)
        (alert,) = await archive.outbox()
        assert alert.post == await archive.stored(1)
        assert (alert.topics, alert.spans, alert.parts, alert.is_edited) == (["сбои"], [[8, 12]], [], False)
        assert (alert.chat, alert.channel_id, alert.post_key, alert.silent) == (chat, NEWS, "m1", False)
        assert archive.db.changes.revision(Subject.ALERTS) > revision

    async def test_two_topics_are_one_alert(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.track(chat, "банки", '"сбой банка"')
        assert (await archive.live(post(1, "Сбой банка"))).alerts == 1
        (alert,) = await archive.outbox()
        assert (sorted(alert.topics), alert.spans) == (["банки", "сбои"], [[0, 10]])

    async def test_each_chat_hears_of_its_own_topics(self, archive: Archive) -> None:
        first, second = await archive.pair(501), await archive.pair(502)
        await archive.track(first, "сбои", "сбой")
        await archive.track(second, "банки", "банк")
        await archive.track(None, "никому", "банк")
        assert (await archive.live(post(1, "Сбой банка"))).alerts == 2
        assert {a.chat.id: a.topics for a in await archive.outbox()} == {
            first.id: ["сбои"],
            second.id: ["банки"],
        }

    async def test_an_album_is_one_alert_also_when_it_comes_in_parts(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.track(chat, "банки", "банк")
        await archive.live(
            post(1, "Сбой", grouped_id=5), post(2, "", grouped_id=5), post(3, "У банка сбой", grouped_id=5)
        )
        await archive.live(post(4, "И ещё сбой", grouped_id=5))
        (alert,) = await archive.outbox()
        assert (alert.post_key, alert.topics, alert.spans) == ("g5", ["сбои", "банки"], [[0, 4]])
        assert [p.message_id for p in await posts.by_key(archive.db, NEWS, "g5")] == [1, 2, 3, 4]

    async def test_an_edit_that_now_matches_raises_one_alert(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.live(post(1, "Работы"))
        archive.now += timedelta(minutes=1)
        assert (await archive.live(post(1, "Работы: сбой", edit_date=archive.now))).alerts == 1
        assert (await archive.live(post(1, "Работы: сбой!", edit_date=archive.now + timedelta(seconds=1)))).alerts == 0
        (alert,) = await archive.outbox()
        assert alert.label == "alert"
        assert alert.is_edited is True
        assert alert.post is not None
        assert alert.post.text == "Работы: сбой!"

    async def test_an_edit_of_what_matched_before_is_no_news_for_a_chat_that_came_later(self, archive: Archive) -> None:
        await archive.track(None, "сбои", "сбой")
        await archive.live(post(1, "Сбои"))
        await archive.track(await archive.pair(), "сбои", "сбой")
        assert (await archive.live(post(1, "Сбой", edit_date=NOON))).alerts == 0

    async def test_a_post_that_was_deleted_in_the_same_batch_is_told_all_the_same(self, archive: Archive) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        assert (await archive.live(post(1, "Сбой"), gone(1))).alerts == 1
        alert, *_ = await archive.outbox()
        assert alert.post is not None
        assert alert.gone_at == alert.post.gone_at == NOON

    async def test_an_edit_of_a_post_that_is_gone_raises_none(self, archive: Archive) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.live(post(1, "Работы"), gone(1))
        assert (await archive.live(post(1, "Сбой", edit_date=NOON))).alerts == 0

    @pytest.mark.parametrize(
        ("muted", "expected"),
        [
            ({"channel_id": NEWS, "until": None}, ["Б"]),
            ({"topic": True, "until": None}, []),
            ({"channel_id": NEWS, "topic": True, "until": None}, ["Б"]),
            ({"until": NOON + timedelta(minutes=1)}, []),
            ({"until": NOON}, ["А", "Б"]),
        ],
        ids=["channel", "topic", "both", "everything for a while", "over"],
    )
    async def test_what_is_muted_is_not_told(
        self, archive: Archive, muted: dict[str, object], expected: list[str]
    ) -> None:
        chat = await archive.pair()
        topic = await archive.track(chat, "сбои", "сбой")
        await archive.follow(OTHER, title="Б")
        topic_id = topic.id if muted.pop("topic", False) else None
        await archive.db.write(lambda tx: subscriptions.mute(tx, chat.id, topic_id=topic_id, **muted))  # type: ignore[arg-type]
        await archive.live(post(1, "Сбой А"), post(1, "Сбой Б", channel_id=OTHER))
        assert [a.post.text[-1] for a in await archive.outbox() if a.post] == expected

    async def test_a_muted_topic_leaves_the_other_in_the_alert(self, archive: Archive) -> None:
        chat = await archive.pair()
        topic = await archive.track(chat, "сбои", "сбой")
        await archive.track(chat, "банки", "банк")
        await archive.db.write(lambda tx: subscriptions.mute(tx, chat.id, topic_id=topic.id, until=None))
        await archive.live(post(1, "Сбой банка"))
        (alert,) = await archive.outbox()
        assert (alert.topics, alert.spans) == (["банки"], [[5, 10]])

    async def test_a_suspended_chat_is_told_nothing_until_it_is_resumed(self, archive: Archive) -> None:
        chat, other = await archive.pair(501), await archive.pair(502)
        await archive.track(chat, "сбои", "сбой")
        await archive.track(other, "сбои", "сбой")
        await archive.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
        assert (await archive.live(post(1, "Сбой"))).alerts == 1
        await archive.db.write(lambda tx: chats.resume(tx, chat.id))
        assert (await archive.live(post(2, "Снова сбой"))).alerts == 2

    async def test_one_loud_topic_makes_the_alert_loud(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.db.write(lambda tx: tx.execute("UPDATE subscriptions SET priority = 'silent'"))
        await archive.track(chat, "банки", "банк")
        await archive.live(post(1, "Сбой"), post(2, "Сбой банка"))
        assert {a.post_key: a.silent for a in await archive.outbox()} == {"m1": True, "m2": False}

    async def test_topics_come_and_go_while_it_runs(self, archive: Archive) -> None:
        chat = await archive.pair()
        assert (await archive.live(post(1, "Сбой"))).matched == 0
        topic = await archive.track(chat, "сбои", "сбой")
        assert (await archive.live(post(2, "Сбой"))).alerts == 1
        await archive.track(chat, "сбои", "авария")
        assert (await archive.live(post(3, "Сбой"), post(4, "Авария"))).alerts == 1
        await archive.db.write(lambda tx: topics.delete(tx, topic.id))
        assert (await archive.live(post(5, "Авария"))).matched == 0


class TestAge:
    async def test_posts_from_before_the_following_are_stored_in_silence(self, archive: Archive) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.follow(OTHER, since=ago(hours=1))
        batch = [post(n, "Сбой", channel_id=OTHER, date=ago(hours=n)) for n in (2, 1)]
        assert await archive.see(ObservedBy.BACKFILL, *batch) == replace(NOTHING, new=2, matched=1, alerts=1)
        assert [a.post_key for a in await archive.outbox()] == ["m1"]

    async def test_a_post_from_before_the_following_brings_nothing_even_where_an_edit_makes_it_fit(
        self, archive: Archive
    ) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.follow(OTHER, since=ago(hours=1))
        before = ago(hours=2)
        await archive.see(ObservedBy.BACKFILL, post(1, channel_id=OTHER, date=before))
        result = await archive.live(post(1, "Сбой", channel_id=OTHER, date=before, edit_date=NOON))
        assert (result.edited, result.alerts) == (1, 0)

    async def test_following_again_counts_anew(self, archive: Archive) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.db.write(lambda tx: channels.unfollow(tx, NEWS))
        await archive.follow(since=NOON)
        assert (await archive.sweep(post(1, "Сбой", date=ago(minutes=1)))).alerts == 0

    async def test_posts_too_old_for_an_alarm_are_summed_up_in_one_notice_per_chat(self, archive: Archive) -> None:
        chat, other = await archive.pair(501), await archive.pair(502)
        for listener in (chat, other):
            await archive.track(listener, "сбои", "сбой")
        old = [post(n, "Сбой", date=ago(days=2)) for n in range(1, 4)]
        album = [post(n, "Сбой", date=ago(days=2), grouped_id=8) for n in (4, 5)]
        await archive.sweep(*old)
        archive.now += timedelta(seconds=9)
        assert (await archive.sweep(*old, *album, post(6, "Сбой", date=ago(hours=23)))).alerts == 2
        notices = [a for a in await archive.outbox() if a.label == "late"]
        assert sorted(a.chat.id for a in notices) == [chat.id, other.id]
        for notice in notices:
            assert notice.name == "late:2025-03-10T12"
            assert await counted(archive, notice) == (("Вести", 4),)
            assert notice.due_at == NOON + timedelta(minutes=1)

    async def test_posts_of_many_channels_are_summed_up_in_the_same_notice(self, archive: Archive) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.follow(OTHER, title="Город")
        for channel_id in (NEWS, OTHER, NEWS):
            await archive.sweep(post(channel_id + archive.now.second, "Сбой", channel_id=channel_id, date=ago(days=2)))
            archive.now += timedelta(seconds=9)
        (notice,) = await archive.outbox()
        assert await counted(archive, notice) == (("Вести", 2), ("Город", 1))

    async def test_what_comes_after_the_notice_was_sent_is_added_to_it_for_the_rest_of_the_hour(
        self, archive: Archive
    ) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.sweep(post(1, "Сбой", date=ago(days=2)))
        (notice,) = await archive.outbox()
        archive.now += timedelta(minutes=2)
        await archive.send(notice, 1)
        await archive.sweep(post(2, "Сбой", date=ago(days=2)))
        await archive.sweep(post(3, "Сбой", date=ago(days=2)))
        (edit,) = await archive.outbox()
        assert (edit.label, edit.telegram_id, edit.due_at) == ("edit", 1, archive.now + timedelta(minutes=1))
        assert await counted(archive, edit) == (("Вести", 3),)
        archive.now += timedelta(hours=1)
        await archive.sweep(post(4, "Сбой", date=ago(days=2)))
        assert [a.name for a in await archive.outbox() if a.label == "late"] == ["late:2025-03-10T13"]

    @pytest.mark.parametrize("message_id", [None, 1], ids=["its number is unknown", "it was deleted"])
    async def test_what_comes_after_a_notice_that_cannot_be_edited_is_counted_in_another_one(
        self, archive: Archive, message_id: int | None
    ) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.sweep(post(1, "Сбой", date=ago(days=2)))
        (notice,) = await archive.outbox()
        await archive.send(notice, message_id)
        await archive.sweep(post(2, "Сбой", date=ago(days=2)))
        for edit in await archive.outbox():
            if edit.is_edit:
                await kit.kill(archive.db, edit, "MESSAGE_ID_INVALID")
                await archive.sweep(post(3, "Сбой", date=ago(days=2)))
        (another,) = await archive.outbox()
        assert another.name == "late:2025-03-10T12/2"
        assert await counted(archive, another) == (("Вести", 1),)

    async def test_a_post_that_was_only_counted_is_told_once_an_edit_makes_it_news(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.track(chat, "банки", "банк")
        await archive.sweep(post(1, "Сбой", date=ago(days=2)))
        await archive.live(post(1, "Сбой, снова", date=ago(days=2), edit_date=NOON))
        (notice,) = await archive.outbox()
        assert await stats.topic_stats(archive.db, chat.id, ago(days=1)) == {}
        await archive.live(post(1, "Сбой в банке", date=ago(days=2), edit_date=NOON))
        alert, counting = await archive.outbox()
        assert (alert.label, alert.post_key, counting.id) == ("alert", "m1", notice.id)
        assert await stats.topic_stats(archive.db, chat.id, ago(days=1)) == {"банки": TopicStats(alerts=1)}

    async def test_a_post_that_was_told_is_not_counted_when_an_old_edit_of_it_is_found(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        await archive.track(chat, "банки", "банк")
        await archive.live(post(1, "Сбой"))
        archive.now += timedelta(days=3)
        await archive.sweep(post(1, "Сбой в банке", edit_date=NOON + timedelta(hours=1)))
        assert await archive.labels() == ["alert", "reply"]

    async def test_news_that_say_what_was_only_counted_are_told(self, archive: Archive) -> None:
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.follow(OTHER)
        await archive.sweep(post(1, "Сбой во всех банках города", date=ago(hours=25)))
        await archive.live(post(2, "Сбой во всех банках города", channel_id=OTHER))
        assert await archive.labels() == ["alert", "late"]


async def counted(archive: Archive, late: Message) -> tuple[tuple[str, int], ...]:
    return (await kit.contents(archive.db, late)).channels


async def test_observations_that_come_at_once_are_all_stored(archive: Archive) -> None:
    await archive.track(await archive.pair(), "сбои", "сбой")
    results = await asyncio.gather(*(archive.live(post(n % 20, f"Сбой {n % 20}")) for n in range(60)))
    assert sum(result.new for result in results) == sum(result.alerts for result in results) == 20


async def test_a_topic_may_go_after_the_topics_were_read_and_before_the_posts_are_written(archive: Archive) -> None:
    topic = await archive.track(await archive.pair(), "сбои", "сбой")
    await archive.live(post(1))
    gate = Gate()
    writing = asyncio.create_task(archive.db.write(gate))
    await gate.entered.wait()
    deleting = asyncio.create_task(archive.db.write(lambda tx: topics.delete(tx, topic.id)))
    await queued(archive.db, 1)
    storing = asyncio.create_task(archive.live(*(post(n, f"Сбой {n}") for n in range(2, 12))))
    await queued(archive.db, 2)
    gate.opened.set()
    await asyncio.gather(writing, deleting)
    assert (await storing).new == 10
    assert (await archive.live(post(999, "Сбой"))).matched == 0
