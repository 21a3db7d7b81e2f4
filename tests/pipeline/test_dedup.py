"""Posts that say what a chat has heard join its alert: observations in, rows of the outbox out."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.models import ComparedPost, Forward
from bot.pipeline.decisions.grouping import RoutedAlert
from bot.pipeline.dedup import Duplicates
from bot.pipeline.ingest import Ingest
from bot.store import addresses, chats, subscriptions
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests.kit import Message, alerts_of, duplicates_of, forget, kill, labels
from tests.kit_archive import NEWS, NOON, OTHER, Archive, post
from tests.pipeline.test_grouping import routed

THIRD = 1003
DOWN = "В работе приложения «Заречье Банка» произошёл массовый сбой: клиенты не могут войти и перевести деньги."
REPOST = f"⚡️ Срочно\n\n{DOWN}\n\nПодписаться на «Город»"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    """Follow three channels, with a chat that subscribes to outages."""
    for channel, title in ((NEWS, "Вести"), (OTHER, "Город"), (THIRD, "Край")):
        await archive.follow(channel, title=title)
    await archive.track(await archive.pair(), "сбои", "сбой")
    return archive


@pytest.fixture
async def chat(archive: Archive) -> Chat:
    (found,) = await chats.everyone(archive.db)
    return found


@pytest.fixture
async def alerted(archive: Archive) -> Archive:
    """Have the chat alerted to the first post."""
    await archive.live(post(1, DOWN))
    await archive.send_all()
    return archive


async def publish(
    archive: Archive,
    text: str,
    *,
    channel: int = OTHER,
    after: timedelta = MINUTE,
    number: int = 7,
    **fields: Any,  # noqa: ANN401 - of a Post
) -> list[Message]:
    """Have a channel post something; return what is due for the chat then."""
    archive.now = NOON + after
    await archive.live(post(number, text, channel_id=channel, date=archive.now, **fields))
    return await archive.outbox()


async def want(archive: Archive, priority: str, topic: str = "сбои") -> None:
    sql = """UPDATE subscriptions SET priority = :priority
        WHERE topic_id = (SELECT id FROM topics WHERE name = :topic)"""
    await archive.db.write(lambda tx: tx.execute(sql, {"priority": priority, "topic": topic}))


async def duplicates(archive: Archive) -> list[int]:
    """Return the channels that have joined the first alert, as it is shown."""
    first, *_ = await alerts_of(archive.db)
    return await duplicates_of(archive.db, first.id)


class TestJoining:
    @pytest.mark.parametrize("hours", [0.1, 2, 48])
    async def test_within_48_hours_another_channel_joins_and_the_alert_names_it(
        self, alerted: Archive, hours: float
    ) -> None:
        (edit,) = await publish(alerted, REPOST, after=hours * HOUR)
        assert (edit.label, edit.telegram_id) == ("edit", 101)
        assert [(r.title, r.message_id, r.date) for r in edit.duplicates] == [("Город", 7, NOON + hours * HOUR)]

    @pytest.mark.parametrize(
        ("text", "channel", "hours"),
        [
            (DOWN.replace("Заречье", "Прибой"), OTHER, 0.1),
            ("Днём сбой случился и в метро: поезда стоят на двух линиях", OTHER, 0.1),
            (REPOST, OTHER, 48.1),
            (f"{DOWN} Пишут из пяти городов.", NEWS, 0.1),
        ],
        ids=["another name", "other news", "too late", "of the same channel"],
    )
    async def test_what_is_other_news_is_told_by_itself(
        self, alerted: Archive, text: str, channel: int, hours: float
    ) -> None:
        assert labels(await publish(alerted, text, channel=channel, after=hours * HOUR)) == ["alert"]

    async def test_who_says_what_a_repeat_says_joins_the_first_alert(self, alerted: Archive) -> None:
        await publish(
            alerted, f"{REPOST}\n\nТакже не открывается сайт, сообщают читатели, а банкоматы выдают наличные."
        )
        again = f"{DOWN}\n\nТакже не открывается сайт, сообщают читатели, а банкоматы выдают наличные."
        await publish(alerted, again, channel=THIRD, after=HOUR)
        assert await duplicates(alerted) == [OTHER, THIRD]

    async def test_who_says_what_a_repeat_says_only_since_its_edit_is_told_by_itself(self, alerted: Archive) -> None:
        await publish(alerted, REPOST)
        station = "Сбой на вокзале: табло погасли, поезда идут по расписанию, сказал начальник станции."
        edited = {"date": alerted.now, "edit_date": alerted.now + MINUTE}
        await alerted.live(post(7, station, channel_id=OTHER, **edited))
        await alerted.send_all()
        assert labels(await publish(alerted, f"Срочно. {station}", channel=THIRD, after=HOUR)) == ["alert"]

    async def test_what_comes_together_is_told_once(self, archive: Archive) -> None:
        texts = (DOWN, REPOST, f"{DOWN} Банк чинит.")
        channels = (NEWS, OTHER, THIRD)
        result = await archive.sweep(*(post(7, t, channel_id=c) for t, c in zip(texts, channels, strict=True)))
        assert (result.matched, result.alerts) == (3, 1)
        assert await duplicates(archive) == [OTHER, THIRD]

    async def test_a_post_that_fits_only_since_its_edit_joins_and_one_that_is_edited_later_stays(
        self, alerted: Archive
    ) -> None:
        await publish(alerted, "Ждём подробностей")
        await alerted.live(post(7, REPOST, channel_id=OTHER, date=alerted.now, edit_date=alerted.now + MINUTE))
        assert labels(await alerted.outbox()) == ["edit"]
        await alerted.live(post(7, "Сбой: прочее", channel_id=OTHER, date=alerted.now, edit_date=alerted.now + HOUR))
        assert await duplicates(alerted) == [OTHER]

    async def test_an_alert_whose_post_says_something_else_by_now_is_not_joined(self, alerted: Archive) -> None:
        await alerted.live(post(1, "Сбой устранён, банк снова работает для всех клиентов", edit_date=NOON + MINUTE))
        await alerted.send_all()
        assert labels(await publish(alerted, REPOST)) == ["alert"]

    async def test_an_alert_whose_message_was_deleted_is_not_joined(self, alerted: Archive) -> None:
        (edit,) = await publish(alerted, REPOST)
        await kill(alerted.db, edit, "MESSAGE_ID_INVALID")
        assert labels(await publish(alerted, f"{DOWN} Банк чинит.", channel=THIRD, after=HOUR)) == ["alert"]

    async def test_a_channel_that_says_the_same_again_soon_repeats_itself_and_later_tells_news(
        self, alerted: Archive
    ) -> None:
        assert labels(await publish(alerted, DOWN, channel=NEWS, after=9 * MINUTE)) == ["edit"]
        await alerted.send_all()
        assert labels(await publish(alerted, DOWN, channel=NEWS, number=8, after=HOUR)) == ["alert"]

    async def test_however_many_channels_said_it_before_a_chat_that_heard_of_one_is_told_once(
        self, archive: Archive, chat: Chat
    ) -> None:
        everything = await archive.pair(502)
        await archive.track(everything, "все сбои", "сбой")
        for channel in range(2001, 2009):
            await archive.follow(channel)
            await archive.db.write(lambda tx, c=channel: subscriptions.mute(tx, chat.id, channel_id=c, until=None))
            await publish(archive, f"{DOWN}\n\n@channel{channel}", channel=channel)
        await publish(archive, REPOST, channel=NEWS, after=2 * MINUTE)
        await publish(archive, f"{DOWN}\n\n@city", channel=OTHER, after=3 * MINUTE)
        (last,) = [each for each in await alerts_of(archive.db, chat.id) if each.channel_id == OTHER]
        assert last.duplicate_of is not None

    async def test_what_goes_to_another_forum_thread_is_told_there(self, archive: Archive, chat: Chat) -> None:
        for thread, topic in ((5, "коротко"), (6, "срочно")):
            saved = await archive.track(chat, topic, topic)
            await archive.db.write(lambda tx, i=saved.id, t=thread: addresses.bind_topic(tx, chat.id, i, t))
        text = DOWN.replace("сбой", "отказ")
        await archive.live(post(1, f"Коротко\n\n{text}"))
        await archive.send_all()
        assert labels(await publish(archive, f"Срочно\n\n{text}")) == ["alert"]
        await archive.send_all()
        assert labels(await publish(archive, f"Срочно!\n\n{text}", channel=THIRD)) == ["edit"]

    async def test_chats_that_were_not_told_of_the_first_are_told_of_the_second(self, alerted: Archive) -> None:
        other = await alerted.pair(502)
        await alerted.track(other, "приложения", "приложение")
        await forget(alerted.db, chat_id=other.id)
        due = await publish(alerted, REPOST)
        assert [(alert.chat.id, alert.label) for alert in due] == [(1, "edit"), (2, "alert")]


class TestForwards:
    FORWARD = Forward(channel_id=NEWS, message_id=1, name=None, date=None)

    async def test_one_joins_the_alert_of_its_original(self, alerted: Archive) -> None:
        assert labels(await publish(alerted, "сбой", forward=self.FORWARD)) == ["edit"]

    async def test_one_joins_the_alert_of_another_and_so_does_the_original(self, archive: Archive) -> None:
        assert labels(await publish(archive, "Сбой", forward=self.FORWARD)) == ["alert"]
        await archive.send_all()
        assert labels(await publish(archive, "сбой!", channel=THIRD, forward=self.FORWARD, after=2 * HOUR)) == ["edit"]
        assert labels(await publish(archive, DOWN, channel=NEWS, number=1, after=3 * HOUR)) == ["edit"]
        assert await duplicates(archive) == [THIRD, NEWS]


class TestLoudness:
    async def test_what_would_be_louder_than_the_first_is_told_by_itself(self, archive: Archive, chat: Chat) -> None:
        await archive.track(chat, "банки", "банк")
        await want(archive, "silent")
        await want(archive, "silent", "банки")
        await archive.live(post(1, DOWN))
        await archive.send_all()
        await want(archive, "loud", "банки")
        (alert,) = await publish(archive, REPOST)
        assert (alert.label, alert.silent) == ("alert", False)

    async def test_a_repeat_of_what_waits_for_a_digest_follows_it_and_a_loud_one_does_not_wait(
        self, archive: Archive
    ) -> None:
        await want(archive, "digest")
        await archive.live(post(1, DOWN))
        await publish(archive, REPOST)
        first, second = await alerts_of(archive.db)
        assert first.group is not None
        assert second.duplicate_of == first.id
        await want(archive, "silent")
        due = await publish(archive, f"{DOWN} Банк чинит.", channel=THIRD, after=HOUR)
        assert "alert" in labels(due)


class TestConfirmations:
    async def test_the_second_channel_is_heard_once_where_the_chat_wants_it(self, alerted: Archive, chat: Chat) -> None:
        await alerted.db.write(lambda tx: chats.save(tx, replace(chat, confirmations=True)))
        edit, reply = await publish(alerted, REPOST)
        assert (edit.label, reply.label, reply.reply_to, reply.silent) == ("edit", "reply", 101, False)
        assert reply.change == "confirmed"
        assert reply.post is not None
        assert reply.post.channel_id == OTHER
        await alerted.send_all()
        assert labels(await publish(alerted, f"{DOWN} Банк чинит.", channel=THIRD)) == ["edit"]

    async def test_its_identity_names_what_the_first_post_said_as_it_matched(
        self, alerted: Archive, chat: Chat
    ) -> None:
        await alerted.db.write(lambda tx: chats.save(tx, replace(chat, confirmations=True)))
        await alerted.live(post(1, f"{DOWN} Банк чинит.", edit_date=NOON + MINUTE / 2))
        await alerted.send_all()
        await publish(alerted, REPOST)
        sql = "SELECT subject FROM messages WHERE kind = :kind ORDER BY id DESC LIMIT 1"
        alert = await alerted.db.fetch_value(sql, {"kind": "alert"})
        first = await alerted.db.fetch_value("SELECT hash FROM versions WHERE message_id = 1 AND number = 1")
        assert alert == f"{NEWS}/m1/{first.hex()[:16]}"
        assert await alerted.db.fetch_value(sql, {"kind": "change"}) == f"confirmed/{alert}"

    async def test_the_same_channel_confirms_nothing_and_a_silent_topic_is_confirmed_silently(
        self, alerted: Archive, chat: Chat
    ) -> None:
        await alerted.db.write(lambda tx: chats.save(tx, replace(chat, confirmations=True)))
        assert labels(await publish(alerted, DOWN, channel=NEWS)) == ["edit"]
        await alerted.send_all()
        await want(alerted, "silent")
        edit, reply = await publish(alerted, REPOST)
        assert (edit.label, reply.label, reply.silent) == ("edit", "reply", True)


class TestMemory:
    async def test_it_is_read_from_the_store_after_a_restart(self, alerted: Archive) -> None:
        await publish(alerted, "сбой", forward=Forward(channel_id=55, message_id=9, name=None, date=None))
        await alerted.send_all()
        alerted.ingest = Ingest(alerted.db, lambda: alerted.now)
        forward = Forward(channel_id=55, message_id=9, name=None, date=None)
        assert labels(await publish(alerted, "сбой!", channel=THIRD, forward=forward, after=2 * HOUR)) == ["edit"]
        await alerted.send_all()
        assert labels(await publish(alerted, REPOST, channel=THIRD, number=8, after=3 * HOUR)) == ["edit"]

    async def test_after_a_restart_it_is_read_bit_by_bit_the_latest_first(self, alerted: Archive) -> None:
        for number, town in enumerate(("Твери", "Пскове", "Орле"), 2):
            outage = f"В {town} сбой у оператора: домашний интернет не работает с утра во всех районах города."
            await publish(alerted, outage, channel=NEWS, number=number, after=number * MINUTE)
        await alerted.send_all()
        alerted.ingest = Ingest(alerted.db, lambda: alerted.now, duplicates=Duplicates(read_at_once=1))
        joined = [labels(await publish(alerted, f"Срочно! {outage}", after=HOUR))]  # what came last
        for number in range(8, 11):
            await alerted.send_all()
            joined.append(labels(await publish(alerted, f"Сбой {number}", number=number, after=HOUR)))
        await alerted.send_all()
        assert joined == [["edit"], ["alert"], ["alert"], ["alert"]]
        assert labels(await publish(alerted, REPOST, channel=THIRD, after=2 * HOUR)) == ["edit"]

    async def test_reading_on_does_not_bring_back_what_a_post_said_before(self, alerted: Archive) -> None:
        await publish(alerted, "Сбой в метро: поезда стоят на двух линиях, говорит начальник.", channel=NEWS, number=2)
        words = "Сбой на вокзале: табло погасли, поезда идут по расписанию, сказал начальник станции."
        compared = ComparedPost(channel_id=NEWS, post_key="m1", text=words, date=NOON, origin=(NEWS, 1))
        other = replace(compared, channel_id=OTHER, post_key="m9", text=f"Срочно. {words}", origin=(OTHER, 9))

        async def compare(tx: Transaction) -> list[RoutedAlert]:
            memory = Duplicates(read_at_once=1)  # first the second post, then the first one
            await memory.compare(tx, [routed(said=compared)], now=NOON)
            return await memory.compare(tx, [routed(said=other)], now=NOON)

        assert [each.alike for each in await alerted.db.write(compare)] == [((NEWS, "m1"),)]

    async def test_a_post_whose_transaction_is_rolled_back_is_told_once_and_joined_as_ever(
        self, archive: Archive
    ) -> None:
        async def fail(_: Transaction) -> None:
            raise ValueError("no")

        for text, channel in ((DOWN, NEWS), (REPOST, OTHER)):
            stored = archive.live(post(1, text, channel_id=channel))
            outcomes = await asyncio.gather(stored, archive.db.write(fail), return_exceptions=True)
            assert isinstance(outcomes[1], ValueError)
        assert labels(await archive.outbox()) == ["alert"]
        assert await duplicates(archive) == [OTHER]
