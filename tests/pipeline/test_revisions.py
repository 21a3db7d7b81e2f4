"""Alerts follow their posts: observations in, rows of the outbox out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.models import Media, ObservedBy
from bot.parts import Part, PartKind
from bot.store import chats, posts, subscriptions, topics
from bot.store.chats import Chat, Edits
from tests import kit
from tests.kit import Message
from tests.store.kit import NEWS, NOON, OTHER, Newsroom, ago, gone, newsroom, post

DOWN, UP = "Утром сбой в банке", "Сбой в банке устранён"
LATER = NOON + timedelta(minutes=5)


class Desk:
    """A newsroom with a chat that subscribes to outages, and what becomes of its alerts."""

    def __init__(self, room: Newsroom, chat: Chat) -> None:
        self.room = room
        self.chat = chat

    async def due(self) -> list[Message]:
        return await self.room.outbox()

    async def labels(self) -> list[str]:
        return await self.room.labels()

    async def deliver(self) -> None:
        await self.room.send_all()

    async def wants(self, edits: Edits) -> None:
        await self.room.db.write(lambda tx: chats.save(tx, replace(self.chat, edits=edits)))

    async def edit(self, text: str, *, minutes: int = 5, **fields: Any) -> list[Message]:  # noqa: ANN401 - of a Post
        """Edit the post that was alerted; return what the chat is to be sent."""
        await self.room.live(post(1, text, edit_date=NOON + timedelta(minutes=minutes), **fields))
        return await self.due()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.follow(OTHER, title="Город")
        chat = await room.pair()
        await room.track(chat, "сбои", "сбой")
        await room.live(post(1, DOWN))
        desk = Desk(room, chat)
        await desk.deliver()
        yield desk


class TestEdits:
    async def test_other_words_edit_the_alert_and_are_told_in_a_reply(self, desk: Desk) -> None:
        edit, change = await desk.edit(UP)
        assert (edit.label, change.label) == ("edit", "reply")
        assert edit.post is not None
        assert (edit.post.text, edit.spans, edit.is_edited) == (UP, [[0, 4]], True)
        assert change.change == "edited"
        assert not change.silent
        assert edit.telegram_id == change.reply_to == 101

    @pytest.mark.parametrize(
        ("edits", "text", "told"),
        [
            (Edits.WORDS, "Утром СБОЙ, в банке!", None),
            (Edits.ALL, "Утром СБОЙ, в банке!", "silent"),
            (Edits.WORDS, UP, "loud"),
            (Edits.ALL, UP, "loud"),
            (Edits.NONE, UP, None),
        ],
    )
    async def test_a_chat_chooses_which_edits_it_is_told_of(
        self, desk: Desk, edits: Edits, text: str, told: str | None
    ) -> None:
        await desk.wants(edits)
        edit, *changes = await desk.edit(text)
        assert edit.is_edit
        assert ["silent" if change.silent else "loud" for change in changes] == ([told] if told else [])

    async def test_a_typo_by_which_the_topic_is_lost_is_no_typo(self, desk: Desk) -> None:
        topic = await desk.room.track(desk.chat, "банки", "=банкетке")
        await desk.room.live(post(2, "Потоп в банкетке"))
        await desk.deliver()
        await desk.room.live(post(2, "Потоп в банкетки", edit_date=LATER))
        assert topic
        assert await desk.labels() == ["edit", "reply"]

    async def test_formatting_and_media_alone_only_edit_the_alert(self, desk: Desk) -> None:
        await desk.wants(Edits.ALL)
        await desk.edit(DOWN, media=Media(kind="photo", id=7))
        assert await desk.labels() == ["edit"]

    async def test_a_text_that_returns_is_told_again(self, desk: Desk) -> None:
        for minutes, text in ((5, UP), (6, DOWN), (7, UP)):
            await desk.edit(text, minutes=minutes)
            assert await desk.labels() == ["edit", "reply"]
            await desk.deliver()

    async def test_of_two_edits_in_one_second_the_one_that_telegram_shows_is_told_and_shown(self, desk: Desk) -> None:
        await desk.edit(UP)
        await desk.deliver()
        await desk.edit("Сбой в банке: подробности")
        await desk.deliver()
        for _ in range(2):
            await desk.room.sweep(post(1, UP, edit_date=LATER))
            edit, change = await desk.due()
            assert edit.post is not None
            assert (edit.label, edit.post.text, change.label) == ("edit", UP, "reply")
        await desk.deliver()

    async def test_the_same_observation_again_tells_nothing_new(self, desk: Desk) -> None:
        await desk.edit(UP)
        await desk.deliver()
        await desk.edit(UP)
        await desk.room.sweep(post(1, UP, edit_date=LATER))
        assert await desk.due() == []

    async def test_a_wording_from_before_changes_no_alert(self, desk: Desk) -> None:
        await desk.edit(UP)
        await desk.deliver()
        await desk.edit("Утром сбой, подробности позже", minutes=1)
        assert await desk.due() == []

    async def test_an_import_changes_no_alert(self, desk: Desk) -> None:
        await desk.room.see(ObservedBy.IMPORT, post(1, UP, edit_date=LATER))
        assert await desk.due() == []

    async def test_a_topic_that_it_fits_only_now_joins_the_alert_and_is_told(self, desk: Desk) -> None:
        await desk.room.track(desk.chat, "вода", "вода")
        edit, change = await desk.edit("Утром сбой в банке и нет воды")
        assert edit.topics == ["сбои", "вода"]
        assert change.joined == ["вода"]

    async def test_a_post_that_fits_only_now_is_a_new_alert_that_says_so(self, desk: Desk) -> None:
        await desk.room.live(post(2, "Плановые работы", date=ago(days=3)))
        await desk.room.live(post(2, "Плановые работы: сбой", date=ago(days=3), edit_date=NOON))
        (alert,) = await desk.due()
        assert (alert.label, alert.is_edited, alert.fits_since_edit) == ("alert", True, True)

    async def test_who_no_longer_subscribes_or_has_muted_is_not_told_but_not_left_with_old_words(
        self, desk: Desk
    ) -> None:
        db, chat = desk.room.db, desk.chat
        await db.write(lambda tx: subscriptions.mute(tx, chat.id, channel_id=NEWS, until=None))
        await desk.edit(UP)
        assert await desk.labels() == ["edit"]
        await desk.deliver()
        (topic,) = await topics.all_topics(db)
        await db.write(lambda tx: subscriptions.unmute(tx, chat.id, channel_id=NEWS))
        await db.write(lambda tx: subscriptions.unsubscribe(tx, chat.id, topic.id))
        await desk.room.live(gone(1))
        assert await desk.labels() == ["edit"]

    async def test_a_suspended_chat_and_an_alert_that_was_never_sent_are_left_alone(self, desk: Desk) -> None:
        await desk.room.db.write(lambda tx: chats.suspend(tx, desk.chat.id, "USER_IS_BLOCKED"))
        await desk.edit(UP)
        await desk.room.db.write(lambda tx: chats.resume(tx, desk.chat.id))
        assert await desk.due() == []
        await desk.room.live(post(2, "Ночью сбой в сети"))
        (alert,) = await desk.due()
        await kit.kill(desk.room.db, alert, "MESSAGE_TOO_LONG")
        await desk.room.live(post(2, "Сеть снова работает", edit_date=LATER))
        assert await desk.due() == []

    async def test_counters_write_nothing_but_counters(self, desk: Desk) -> None:
        tables = ("versions", "alerts", "fulltext")

        async def contents() -> list[list[tuple[Any, ...]]]:
            return [[tuple(r) for r in await desk.room.db.fetch_all(f"SELECT * FROM {name}")] for name in tables]  # noqa: S608 - our own names

        before = await contents()
        await desk.edit(DOWN, views=900, forwards=3)
        assert await contents() == before
        (row,) = await desk.room.db.fetch_all("SELECT views, forwards, gone_at FROM posts")
        assert tuple(row) == (900, 3, None)


class TestDisappearance:
    async def test_it_edits_the_alert_and_is_told_with_its_moment(self, desk: Desk) -> None:
        desk.room.now = LATER
        await desk.room.live(gone(1))
        edit, change = await desk.due()
        assert (edit.label, change.label) == ("edit", "reply")
        assert edit.gone_at == change.gone_at == LATER
        assert change.post is not None
        assert change.post.text == DOWN

    async def test_a_post_that_comes_back_is_visible_again_and_its_next_loss_is_told_too(self, desk: Desk) -> None:
        await desk.edit(UP)
        await desk.deliver()
        for minutes in (6, 8):
            desk.room.now = NOON + timedelta(minutes=minutes)
            await desk.room.live(gone(1))
            edit, change = await desk.due()
            assert (edit.label, change.label) == ("edit", "reply")
            assert edit.gone_at == change.gone_at == desk.room.now
            await desk.deliver()
            await desk.room.sweep(post(1, UP, edit_date=LATER))
            (edit,) = await desk.due()
            assert (edit.label, edit.gone_at) == ("edit", None)
            await desk.deliver()

    async def test_a_chat_may_not_want_to_be_told(self, desk: Desk) -> None:
        await desk.wants(Edits.NONE)
        await desk.room.live(gone(1))
        assert await desk.labels() == ["edit"]

    async def test_it_bears_the_same_identity_after_a_restored_backup(self, desk: Desk) -> None:
        await desk.room.live(gone(1))
        (_, change) = await desk.due()
        await kit.forget_changes(desk.room.db)
        desk.room.now = LATER
        await desk.room.live(gone(1))
        (_, again) = await desk.due()
        assert again.random_id == change.random_id


class TestRepeats:
    async def test_the_same_text_within_an_hour_joins_the_earlier_alert(self, desk: Desk) -> None:
        result = await desk.room.live(post(7, f"{DOWN.upper()}!", channel_id=OTHER, date=NOON + timedelta(minutes=59)))
        assert (result.matched, result.alerts) == (1, 0)
        (edit,) = await desk.due()
        assert (edit.label, edit.telegram_id) == ("edit", 101)
        assert [(r.channel_id, r.title, r.message_id) for r in edit.duplicates] == [(OTHER, "Город", 7)]

    @pytest.mark.parametrize(
        ("text", "minutes"), [("Утром сбой в вузе", 1), (DOWN, 61), (DOWN, -61)], ids=["other", "later", "before"]
    )
    async def test_what_says_something_else_or_was_posted_hours_apart_is_told_anew(
        self, desk: Desk, text: str, minutes: int
    ) -> None:
        await desk.room.live(post(7, text, channel_id=OTHER, date=NOON + timedelta(minutes=minutes)))
        assert await desk.labels() == ["alert"]

    async def test_of_texts_that_come_together_the_first_is_told_and_names_the_others(self, desk: Desk) -> None:
        same = "Вечером сбой связи"
        dates = (NOON, NOON + timedelta(minutes=10), NOON + timedelta(hours=3), NOON + timedelta(hours=3))
        desk.room.now = dates[-1]
        result = await desk.room.sweep(*(post(10 + n, same, channel_id=OTHER, date=d) for n, d in enumerate(dates)))
        assert (result.matched, result.alerts) == (4, 2)
        told = [alert for alert in await desk.due() if alert.label == "alert"]
        assert [[repeat.message_id for repeat in alert.duplicates] for alert in told] == [[11], [13]]

    async def test_it_is_stored_once_however_often_it_is_seen(self, desk: Desk) -> None:
        for _ in range(2):
            await desk.room.live(post(7, DOWN, channel_id=OTHER))
        (edit,) = await desk.due()
        assert len(edit.duplicates) == 1

    async def test_an_edit_or_a_loss_of_the_repeat_is_told_under_the_alert_it_joined(self, desk: Desk) -> None:
        await desk.room.live(post(7, DOWN, channel_id=OTHER))
        await desk.deliver()
        await desk.room.live(post(7, UP, channel_id=OTHER, edit_date=LATER), gone(7, channel_id=OTHER))
        assert [(a.label, a.reply_to) for a in await desk.due()] == [
            ("reply", 101)
        ] * 2  # its message shows no word of it

    async def test_it_joins_no_alert_that_can_no_longer_be_edited_or_says_something_else(self, desk: Desk) -> None:
        await kit.lose_numbers(desk.room.db)
        await desk.room.live(post(7, DOWN, channel_id=OTHER))
        assert await desk.labels() == ["alert"]
        await desk.deliver()
        await desk.room.live(post(7, UP, channel_id=OTHER, edit_date=LATER))
        await desk.deliver()
        await desk.room.live(post(8, DOWN, channel_id=OTHER))
        assert await desk.labels() == ["alert"]


class TestAlbums:
    async def test_later_items_join_and_only_the_item_with_the_words_is_followed(self, desk: Desk) -> None:
        room = desk.room
        await room.live(post(20, "", grouped_id=5, media=Media(kind="photo", id=1)))
        await room.live(post(21, "Днём сбой в метро", grouped_id=5))
        assert await desk.labels() == ["alert"]
        await desk.deliver()
        await room.live(post(22, "", grouped_id=5), post(20, "", grouped_id=5, media=Media(kind="photo", id=2)))
        await room.live(gone(20))
        assert await desk.due() == []
        await room.live(post(21, "Метро снова работает после сбоя", grouped_id=5, edit_date=LATER))
        assert await desk.labels() == ["edit", "reply"]

    async def test_an_edit_of_another_item_is_told_though_the_alert_does_not_show_it(self, desk: Desk) -> None:
        room = desk.room
        await room.live(post(20, "Днём сбой в метро", grouped_id=5), post(21, "Фото со станции", grouped_id=5))
        await desk.deliver()
        for minutes, words in ((5, "Фото со станции!"), (6, "Фото со станции: снова сбой"), (7, "Фото")):
            edited = post(21, words, grouped_id=5, edit_date=NOON + timedelta(minutes=minutes))
            await room.live(edited)
            await room.sweep(edited)
        told = await desk.due()
        assert {alert.label for alert in told} == {"reply"}
        assert [alert.post and alert.post.text for alert in told] == ["Фото со станции: снова сбой", "Фото"]
        assert {alert.reply_to for alert in told} == {102}

    async def test_while_items_are_left_the_post_is_gone_in_part_and_its_end_is_told_too(self, desk: Desk) -> None:
        room = desk.room
        await room.live(*(post(n, "Днём сбой в метро" if n == 20 else "", grouped_id=5) for n in (20, 21, 22)))
        await desk.deliver()
        told = []
        for number in (20, 21, 22):
            room.now += timedelta(minutes=1)
            await room.live(gone(number))
            told.append([(alert.label, alert.items_gone, alert.gone_at) for alert in await desk.due()])
            await desk.deliver()
        first, last = NOON + timedelta(minutes=1), NOON + timedelta(minutes=3)
        assert told == [
            [("edit", (1, 3), first), ("reply", (1, 3), first)],
            [("edit", (2, 3), first)],
            [("edit", None, last), ("reply", None, last)],
        ]

    async def test_an_album_that_is_gone_at_once_is_told_once(self, desk: Desk) -> None:
        await desk.room.live(post(20, "Днём сбой в метро", grouped_id=5), post(21, "", grouped_id=5))
        await desk.deliver()
        await desk.room.live(gone(21, 20))
        assert [(alert.label, alert.items_gone) for alert in await desk.due()] == [("edit", None), ("reply", None)]


def preview(*texts: str) -> tuple[Part, ...]:
    return tuple(Part(kind=PartKind.PREVIEW, text=text) for text in texts)


class TestWordsBesideTheText:
    @pytest.mark.parametrize(
        ("kind", "before", "after"),
        [
            (PartKind.PREVIEW, ["Банк: сбой"], ["Банк: опровержение"]),
            (PartKind.TO_DO, ["Дела", "Сбой"], ["Дела", "Сбой", "Отчёт"]),
        ],
    )
    async def test_that_change_are_told_like_an_edit(
        self, desk: Desk, kind: PartKind, before: list[str], after: list[str]
    ) -> None:
        old, new = (tuple(Part(kind=kind, text=text) for text in texts) for texts in (before, after))
        await desk.room.live(post(5, "Смотрите", parts=old))
        await desk.deliver()
        await desk.room.sweep(post(5, "Смотрите", parts=new))
        edit, change = await desk.due()
        assert (edit.label, change.label) == ("edit", "reply")
        assert change.post is not None
        assert change.post.parts == new
        (first, _) = await posts.versions(desk.room.db, NEWS, 5)
        assert (change.before, first.parts) == (first.version_id, old)
        await desk.deliver()
        await desk.room.sweep(post(5, "Смотрите", parts=new))
        assert await desk.due() == []

    async def test_that_only_load_are_no_change_even_after_an_edit(self, desk: Desk) -> None:
        await desk.room.live(post(1, DOWN, parts=preview("Банк")))
        await desk.edit("Утром СБОЙ, в банке!")
        await desk.room.live(post(1, "Утром СБОЙ, в банке!", edit_date=LATER, parts=preview("Банк")))
        assert await desk.labels() == ["edit"]

    async def test_that_change_as_the_chat_is_not_to_be_told_only_edit_the_alert(self, desk: Desk) -> None:
        await desk.wants(Edits.NONE)
        await desk.room.live(post(5, "Смотрите", parts=preview("Сбой")))
        await desk.deliver()
        await desk.room.sweep(post(5, "Смотрите", parts=preview("Опровержение")))
        assert await desk.labels() == ["edit"]

    @pytest.mark.parametrize(("edits", "told"), [(Edits.WORDS, True), (Edits.ALL, True), (Edits.NONE, False)])
    async def test_that_an_edit_removes_with_the_match_are_told_like_an_edit(
        self, desk: Desk, edits: Edits, *, told: bool
    ) -> None:
        await desk.wants(edits)
        await desk.room.live(post(5, "Смотрите", parts=preview("Сбой")))
        await desk.deliver()
        await desk.room.sweep(post(5, "Смотрите", edit_date=LATER))
        assert await desk.labels() == (["edit", "reply"] if told else ["edit"])

    async def test_that_an_edit_removes_without_the_match_are_no_news(self, desk: Desk) -> None:
        await desk.room.live(post(5, "Сбой", parts=preview("Банк")))
        await desk.deliver()
        await desk.room.sweep(post(5, "Сбой", edit_date=LATER))
        assert await desk.labels() == ["edit"]

    async def test_stay_in_the_alert_of_a_post_without_text_though_they_match_no_more(self, desk: Desk) -> None:
        before, after = (Part(kind=PartKind.POLL, text=text) for text in ("Был ли сбой?", "Есть ли связь?"))
        await desk.room.live(post(5, "", parts=(before,)))
        await desk.deliver()
        await desk.room.sweep(post(5, "", parts=(after,)))
        edit, _ = await desk.due()
        assert edit.parts == [["poll", "Есть ли связь?", []]]

    async def test_of_a_button_under_an_alert_are_brought_up_to_date_without_a_version(self, desk: Desk) -> None:
        first, second = (Part(kind=PartKind.BUTTON, text=f"Сбой {n}") for n in (1, 2))
        await desk.room.live(post(5, "Смотрите", parts=(first,)))
        await desk.deliver()
        await desk.room.live(post(5, "Смотрите", parts=(second,)))
        (edit,) = await desk.due()
        assert (edit.label, edit.parts) == ("edit", [["button", "Сбой 2", [[0, 4]]]])
        assert len(await posts.versions(desk.room.db, NEWS, 5)) == 1
