"""Posts that say what a chat has heard join its alert: observations in, rows of the outbox out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.models import Forward
from bot.pipeline.ingest import Ingest
from bot.store import addresses, chats, subscriptions
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests.kit import Message, alerts_of, duplicates_of, forget, labels
from tests.store.kit import NEWS, NOON, OTHER, Newsroom, newsroom, post

THIRD = 1003
DOWN = "В работе приложения «Заречье Банка» произошёл массовый сбой: клиенты не могут войти и перевести деньги."
REPOST = f"⚡️ Срочно\n\n{DOWN}\n\nПодписаться на «Город»"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Desk:
    """A newsroom that follows three channels, with a chat that was told of the first post."""

    def __init__(self, room: Newsroom, chat: Chat) -> None:
        self.room = room
        self.chat = chat

    async def hears(
        self,
        text: str,
        *,
        channel: int = OTHER,
        after: timedelta = MINUTE,
        **fields: Any,  # noqa: ANN401 - of a Post
    ) -> list[Message]:
        """Have a channel post something; return what is due for the chat then."""
        self.room.now = NOON + after
        number = fields.pop("number", 7)
        await self.room.live(post(number, text, channel_id=channel, date=self.room.now, **fields))
        return await self.due()

    async def due(self) -> list[Message]:
        return await self.room.outbox()

    async def deliver(self) -> None:
        await self.room.send_all()

    async def wants(self, priority: str, topic: str = "сбои") -> None:
        sql = """UPDATE subscriptions SET priority = :priority
            WHERE topic_id = (SELECT id FROM topics WHERE name = :topic)"""
        await self.room.db.write(lambda tx: tx.execute(sql, {"priority": priority, "topic": topic}))

    async def duplicates(self) -> list[int]:
        """Return the channels that have joined the first alert, as it is shown."""
        first, *_ = await alerts_of(self.room.db)
        return await duplicates_of(self.room.db, first.id)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Desk]:
    async with newsroom(tmp_path) as room:
        for channel, title in ((NEWS, "Вести"), (OTHER, "Город"), (THIRD, "Край")):
            await room.follow(channel, title=title)
        chat = await room.pair()
        await room.track(chat, "сбои", "сбой")
        yield Desk(room, chat)


@pytest.fixture
async def desk(empty: Desk) -> Desk:
    await empty.room.live(post(1, DOWN))
    await empty.deliver()
    return empty


class TestJoining:
    @pytest.mark.parametrize("hours", [0.1, 2, 48])
    async def test_within_48_hours_another_channel_joins_and_the_alert_names_it(self, desk: Desk, hours: float) -> None:
        (edit,) = await desk.hears(REPOST, after=hours * HOUR)
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
        self, desk: Desk, text: str, channel: int, hours: float
    ) -> None:
        assert labels(await desk.hears(text, channel=channel, after=hours * HOUR)) == ["alert"]

    async def test_who_says_what_a_repeat_says_joins_the_first_alert(self, desk: Desk) -> None:
        await desk.hears(f"{REPOST}\n\nТакже не открывается сайт, сообщают читатели, а банкоматы выдают наличные.")
        again = f"{DOWN}\n\nТакже не открывается сайт, сообщают читатели, а банкоматы выдают наличные."
        await desk.hears(again, channel=THIRD, after=HOUR)
        assert await desk.duplicates() == [OTHER, THIRD]

    async def test_who_says_what_a_repeat_says_only_since_its_edit_is_told_by_itself(self, desk: Desk) -> None:
        await desk.hears(REPOST)
        station = "Сбой на вокзале: табло погасли, поезда идут по расписанию, сказал начальник станции."
        edited = {"date": desk.room.now, "edit_date": desk.room.now + MINUTE}
        await desk.room.live(post(7, station, channel_id=OTHER, **edited))
        await desk.deliver()
        assert labels(await desk.hears(f"Срочно. {station}", channel=THIRD, after=HOUR)) == ["alert"]

    async def test_what_comes_together_is_told_once(self, empty: Desk) -> None:
        texts = (DOWN, REPOST, f"{DOWN} Банк чинит.")
        channels = (NEWS, OTHER, THIRD)
        result = await empty.room.sweep(*(post(7, t, channel_id=c) for t, c in zip(texts, channels, strict=True)))
        assert (result.matched, result.alerts) == (3, 1)
        assert await empty.duplicates() == [OTHER, THIRD]

    async def test_a_post_that_fits_only_since_its_edit_joins_and_one_that_is_edited_later_stays(
        self, desk: Desk
    ) -> None:
        await desk.hears("Ждём подробностей")
        await desk.room.live(post(7, REPOST, channel_id=OTHER, date=desk.room.now, edit_date=desk.room.now + MINUTE))
        assert labels(await desk.due()) == ["edit"]
        await desk.room.live(
            post(7, "Сбой: прочее", channel_id=OTHER, date=desk.room.now, edit_date=desk.room.now + HOUR)
        )
        assert await desk.duplicates() == [OTHER]

    async def test_an_alert_whose_post_says_something_else_by_now_is_not_joined(self, desk: Desk) -> None:
        await desk.room.live(post(1, "Сбой устранён, банк снова работает для всех клиентов", edit_date=NOON + MINUTE))
        await desk.deliver()
        assert labels(await desk.hears(REPOST)) == ["alert"]

    async def test_a_channel_that_says_the_same_again_soon_repeats_itself_and_later_tells_news(
        self, desk: Desk
    ) -> None:
        assert labels(await desk.hears(DOWN, channel=NEWS, after=9 * MINUTE)) == ["edit"]
        await desk.deliver()
        assert labels(await desk.hears(DOWN, channel=NEWS, number=8, after=HOUR)) == ["alert"]

    async def test_however_many_channels_said_it_before_a_chat_that_heard_of_one_is_told_once(
        self, empty: Desk
    ) -> None:
        everything = await empty.room.pair(502)
        await empty.room.track(everything, "все сбои", "сбой")
        for channel in range(2001, 2009):
            await empty.room.follow(channel)
            await empty.room.db.write(
                lambda tx, c=channel: subscriptions.mute(tx, empty.chat.id, channel_id=c, until=None)
            )
            await empty.hears(f"{DOWN}\n\n@channel{channel}", channel=channel)
        await empty.hears(REPOST, channel=NEWS, after=2 * MINUTE)
        await empty.hears(f"{DOWN}\n\n@city", channel=OTHER, after=3 * MINUTE)
        (last,) = [each for each in await alerts_of(empty.room.db, empty.chat.id) if each.channel_id == OTHER]
        assert last.duplicate_of is not None

    async def test_what_goes_to_another_forum_thread_is_told_there(self, empty: Desk) -> None:
        for thread, topic in ((5, "коротко"), (6, "срочно")):
            saved = await empty.room.track(empty.chat, topic, topic)
            await empty.room.db.write(lambda tx, i=saved.id, t=thread: addresses.bind_topic(tx, empty.chat.id, i, t))
        text = DOWN.replace("сбой", "отказ")
        await empty.room.live(post(1, f"Коротко\n\n{text}"))
        await empty.deliver()
        assert labels(await empty.hears(f"Срочно\n\n{text}")) == ["alert"]
        await empty.deliver()
        assert labels(await empty.hears(f"Срочно!\n\n{text}", channel=THIRD)) == ["edit"]

    async def test_chats_that_were_not_told_of_the_first_are_told_of_the_second(self, desk: Desk) -> None:
        other = await desk.room.pair(502)
        await desk.room.track(other, "приложения", "приложение")
        await forget(desk.room.db, chat_id=other.id)
        due = await desk.hears(REPOST)
        assert [(alert.chat.id, alert.label) for alert in due] == [(1, "edit"), (2, "alert")]


class TestForwards:
    FORWARD = Forward(channel_id=NEWS, message_id=1, name=None, date=None)

    async def test_one_joins_the_alert_of_its_original(self, desk: Desk) -> None:
        assert labels(await desk.hears("сбой", forward=self.FORWARD)) == ["edit"]

    async def test_one_joins_the_alert_of_another_and_so_does_the_original(self, empty: Desk) -> None:
        assert labels(await empty.hears("Сбой", forward=self.FORWARD)) == ["alert"]
        await empty.deliver()
        assert labels(await empty.hears("сбой!", channel=THIRD, forward=self.FORWARD, after=2 * HOUR)) == ["edit"]
        assert labels(await empty.hears(DOWN, channel=NEWS, number=1, after=3 * HOUR)) == ["edit"]
        assert await empty.duplicates() == [THIRD, NEWS]


class TestLoudness:
    async def test_what_would_be_louder_than_the_first_is_told_by_itself(self, empty: Desk) -> None:
        await empty.room.track(empty.chat, "банки", "банк")
        await empty.wants("silent")
        await empty.wants("silent", "банки")
        await empty.room.live(post(1, DOWN))
        await empty.deliver()
        await empty.wants("loud", "банки")
        (alert,) = await empty.hears(REPOST)
        assert (alert.label, alert.silent) == ("alert", False)

    async def test_a_repeat_of_what_waits_for_a_digest_follows_it_and_a_loud_one_does_not_wait(
        self, empty: Desk
    ) -> None:
        await empty.wants("digest")
        await empty.room.live(post(1, DOWN))
        await empty.hears(REPOST)
        first, second = await alerts_of(empty.room.db)
        assert first.group is not None
        assert second.duplicate_of == first.id
        await empty.wants("silent")
        due = await empty.hears(f"{DOWN} Банк чинит.", channel=THIRD, after=HOUR)
        assert "alert" in labels(due)


class TestConfirmations:
    async def test_the_second_channel_is_heard_once_where_the_chat_wants_it(self, desk: Desk) -> None:
        await desk.room.db.write(lambda tx: chats.save(tx, replace(desk.chat, confirmations=True)))
        edit, reply = await desk.hears(REPOST)
        assert (edit.label, reply.label, reply.reply_to, reply.silent) == ("edit", "reply", 101, False)
        assert reply.change == "confirmed"
        assert reply.post is not None
        assert reply.post.channel_id == OTHER
        await desk.deliver()
        assert labels(await desk.hears(f"{DOWN} Банк чинит.", channel=THIRD)) == ["edit"]

    async def test_the_same_channel_confirms_nothing_and_a_silent_topic_is_confirmed_silently(self, desk: Desk) -> None:
        await desk.room.db.write(lambda tx: chats.save(tx, replace(desk.chat, confirmations=True)))
        assert labels(await desk.hears(DOWN, channel=NEWS)) == ["edit"]
        await desk.deliver()
        await desk.wants("silent")
        edit, reply = await desk.hears(REPOST)
        assert (edit.label, reply.label, reply.silent) == ("edit", "reply", True)


class TestMemory:
    async def test_it_is_read_from_the_store_after_a_restart(self, desk: Desk) -> None:
        await desk.hears("сбой", forward=Forward(channel_id=55, message_id=9, name=None, date=None))
        await desk.deliver()
        desk.room.ingest = Ingest(desk.room.db, lambda: desk.room.now)
        forward = Forward(channel_id=55, message_id=9, name=None, date=None)
        assert labels(await desk.hears("сбой!", channel=THIRD, forward=forward, after=2 * HOUR)) == ["edit"]
        await desk.deliver()
        assert labels(await desk.hears(REPOST, channel=THIRD, number=8, after=3 * HOUR)) == ["edit"]

    async def test_after_a_restart_it_is_read_bit_by_bit_the_latest_first(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.pipeline.dedup.READ_AT_ONCE", 1)
        for number, town in enumerate(("Твери", "Пскове", "Орле"), 2):
            outage = f"В {town} сбой у оператора: домашний интернет не работает с утра во всех районах города."
            await desk.hears(outage, channel=NEWS, number=number, after=number * MINUTE)
        await desk.deliver()
        desk.room.ingest = Ingest(desk.room.db, lambda: desk.room.now)
        joined = [labels(await desk.hears(f"Срочно! {outage}", after=HOUR))]  # what came last
        for number in range(8, 11):
            await desk.deliver()
            joined.append(labels(await desk.hears(f"Сбой {number}", number=number, after=HOUR)))
        await desk.deliver()
        assert joined == [["edit"], ["alert"], ["alert"], ["alert"]]
        assert labels(await desk.hears(REPOST, channel=THIRD, after=2 * HOUR)) == ["edit"]

    async def test_a_post_whose_transaction_is_rolled_back_is_told_once_and_joined_as_ever(self, empty: Desk) -> None:
        async def fail(_: Transaction) -> None:
            raise ValueError("no")

        for text, channel in ((DOWN, NEWS), (REPOST, OTHER)):
            stored = empty.room.live(post(1, text, channel_id=channel))
            outcomes = await asyncio.gather(stored, empty.room.db.write(fail), return_exceptions=True)
            assert isinstance(outcomes[1], ValueError)
        assert labels(await empty.due()) == ["alert"]
        assert await empty.duplicates() == [OTHER]
