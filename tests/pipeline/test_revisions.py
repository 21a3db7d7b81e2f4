"""Alerts follow their posts: observations in, rows of the outbox out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.models import Media, ObservedBy
from bot.models.alerts import Edits
from bot.parts import Part, PartKind
from bot.pipeline.decisions.revisions import RINGS_APART
from bot.store import chats, posts, subscriptions, topics
from bot.store.chats import Chat
from tests import kit
from tests.kit import Message
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, gone, post

DOWN, UP = "Утром сбой в банке", "Сбой в банке устранён"
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    """Add a chat that subscribes to outages, and has been alerted to one."""
    await archive.follow()
    await archive.follow(OTHER, title="Город")
    await archive.track(await archive.pair(), "сбои", "сбой")
    await archive.live(post(1, DOWN))
    await archive.send_all()
    archive.now += RINGS_APART
    return archive


@pytest.fixture
async def chat(archive: Archive) -> Chat:
    (found,) = await chats.everyone(archive.db)
    return found


async def want(archive: Archive, chat: Chat, edits: Edits) -> None:
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, edits=edits)))


async def reword(archive: Archive, text: str, *, minutes: int = 5, **fields: Any) -> list[Message]:  # noqa: ANN401 - of a Post
    """Edit the post that was alerted; return what the chat is to be sent."""
    await archive.live(post(1, text, edit_date=NOON + timedelta(minutes=minutes), **fields))
    return await archive.outbox()


class TestEdits:
    async def test_other_words_edit_the_alert_and_are_told_in_a_reply(self, archive: Archive) -> None:
        edit, change = await reword(archive, UP)
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
        self, archive: Archive, chat: Chat, edits: Edits, text: str, told: str | None
    ) -> None:
        await want(archive, chat, edits)
        edit, *changes = await reword(archive, text)
        assert edit.is_edit
        assert ["silent" if change.silent else "loud" for change in changes] == ([told] if told else [])

    async def test_a_typo_by_which_the_topic_is_lost_is_no_typo(self, archive: Archive, chat: Chat) -> None:
        topic = await archive.track(chat, "банки", "=банкетке")
        await archive.live(post(2, "Потоп в банкетке"))
        await archive.send_all()
        await archive.live(post(2, "Потоп в банкетки", edit_date=LATER))
        assert topic
        assert await archive.labels() == ["edit", "reply"]

    async def test_formatting_and_media_alone_only_edit_the_alert(self, archive: Archive, chat: Chat) -> None:
        await want(archive, chat, Edits.ALL)
        await reword(archive, DOWN, media=Media(kind="photo", id=7))
        assert await archive.labels() == ["edit"]

    async def test_a_text_that_returns_is_told_again(self, archive: Archive) -> None:
        for minutes, text in ((5, UP), (6, DOWN), (7, UP)):
            await reword(archive, text, minutes=minutes)
            assert await archive.labels() == ["edit", "reply"]
            await archive.send_all()

    async def test_of_two_edits_in_one_second_the_one_that_telegram_shows_is_told_and_shown(
        self, archive: Archive
    ) -> None:
        await reword(archive, UP)
        await archive.send_all()
        await reword(archive, "Сбой в банке: подробности")
        await archive.send_all()
        for _ in range(2):
            await archive.sweep(post(1, UP, edit_date=LATER))
            edit, change = await archive.outbox()
            assert edit.post is not None
            assert (edit.label, edit.post.text, change.label) == ("edit", UP, "reply")
        await archive.send_all()

    async def test_the_same_observation_again_tells_nothing_new(self, archive: Archive) -> None:
        await reword(archive, UP)
        await archive.send_all()
        await reword(archive, UP)
        await archive.sweep(post(1, UP, edit_date=LATER))
        assert await archive.outbox() == []

    async def test_a_wording_from_before_changes_no_alert(self, archive: Archive) -> None:
        await reword(archive, UP)
        await archive.send_all()
        await reword(archive, "Утром сбой, подробности позже", minutes=1)
        assert await archive.outbox() == []

    async def test_an_import_changes_no_alert(self, archive: Archive) -> None:
        await archive.see(ObservedBy.IMPORT, post(1, UP, edit_date=LATER))
        assert await archive.outbox() == []

    async def test_a_topic_that_it_fits_only_now_joins_the_alert_and_is_told(
        self, archive: Archive, chat: Chat
    ) -> None:
        await archive.track(chat, "вода", "вода")
        edit, change = await reword(archive, "Утром сбой в банке и нет воды")
        assert edit.topics == ["сбои", "вода"]
        assert change.joined == ["вода"]

    async def test_a_post_that_fits_only_now_is_a_new_alert_that_says_so(self, archive: Archive) -> None:
        await archive.live(post(2, "Плановые работы", date=ago(days=3)))
        await archive.live(post(2, "Плановые работы: сбой", date=ago(days=3), edit_date=NOON))
        (alert,) = await archive.outbox()
        assert (alert.label, alert.is_edited, alert.fits_since_edit) == ("alert", True, True)

    async def test_who_no_longer_subscribes_or_has_muted_is_not_told_but_not_left_with_old_words(
        self, archive: Archive, chat: Chat
    ) -> None:
        db = archive.db
        await db.write(lambda tx: subscriptions.mute(tx, chat.id, channel_id=NEWS, until=None))
        await reword(archive, UP)
        assert await archive.labels() == ["edit"]
        await archive.send_all()
        (topic,) = await topics.all_topics(db)
        await db.write(lambda tx: subscriptions.unmute(tx, chat.id, channel_id=NEWS))
        await db.write(lambda tx: subscriptions.unsubscribe(tx, chat.id, topic.id))
        await archive.live(gone(1))
        assert await archive.labels() == ["edit"]

    async def test_a_suspended_chat_and_an_alert_that_was_never_sent_are_left_alone(
        self, archive: Archive, chat: Chat
    ) -> None:
        await archive.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
        await reword(archive, UP)
        await archive.db.write(lambda tx: chats.resume(tx, chat.id))
        assert await archive.outbox() == []
        await archive.live(post(2, "Ночью сбой в сети"))
        (alert,) = await archive.outbox()
        await kit.kill(archive.db, alert, "MESSAGE_TOO_LONG")
        await archive.live(post(2, "Сеть снова работает", edit_date=LATER))
        assert await archive.outbox() == []

    async def test_counters_write_nothing_but_counters(self, archive: Archive) -> None:
        tables = ("versions", "alerts", "fulltext")

        async def contents() -> list[list[tuple[Any, ...]]]:
            return [[tuple(r) for r in await archive.db.fetch_all(f"SELECT * FROM {name}")] for name in tables]  # noqa: S608 - our own names

        before = await contents()
        await reword(archive, DOWN, views=900, forwards=3)
        assert await contents() == before
        (row,) = await archive.db.fetch_all("SELECT views, forwards, gone_at FROM posts")
        assert tuple(row) == (900, 3, None)


class TestDisappearance:
    async def test_it_edits_the_alert_and_is_told_with_its_moment(self, archive: Archive) -> None:
        archive.now = LATER
        await archive.live(gone(1))
        edit, change = await archive.outbox()
        assert (edit.label, change.label) == ("edit", "reply")
        assert edit.gone_at == change.gone_at == LATER
        assert change.post is not None
        assert change.post.text == DOWN

    async def test_a_post_that_comes_back_is_visible_again_and_its_next_loss_is_told_too(
        self, archive: Archive
    ) -> None:
        await reword(archive, UP)
        await archive.send_all()
        for minutes in (16, 18):
            archive.now = NOON + timedelta(minutes=minutes)
            await archive.live(gone(1))
            edit, change = await archive.outbox()
            assert (edit.label, change.label) == ("edit", "reply")
            assert edit.gone_at == change.gone_at == archive.now
            await archive.send_all()
            await archive.sweep(post(1, UP, edit_date=LATER))
            (edit,) = await archive.outbox()
            assert (edit.label, edit.gone_at) == ("edit", None)
            await archive.send_all()

    async def test_a_chat_may_not_want_to_be_told(self, archive: Archive, chat: Chat) -> None:
        await want(archive, chat, Edits.NONE)
        await archive.live(gone(1))
        assert await archive.labels() == ["edit"]

    async def test_it_bears_the_same_identity_after_a_restored_backup(self, archive: Archive) -> None:
        await archive.live(gone(1))
        (_, change) = await archive.outbox()
        await kit.forget_changes(archive.db)
        archive.now = LATER
        await archive.live(gone(1))
        (_, again) = await archive.outbox()
        assert again.random_id == change.random_id


class TestRepeats:
    async def test_the_same_text_within_an_hour_joins_the_earlier_alert(self, archive: Archive) -> None:
        result = await archive.live(post(7, f"{DOWN.upper()}!", channel_id=OTHER, date=NOON + timedelta(minutes=59)))
        assert (result.matched, result.alerts) == (1, 0)
        (edit,) = await archive.outbox()
        assert (edit.label, edit.telegram_id) == ("edit", 101)
        assert [(r.channel_id, r.title, r.message_id) for r in edit.duplicates] == [(OTHER, "Город", 7)]

    @pytest.mark.parametrize(
        ("text", "minutes"), [("Утром сбой в вузе", 1), (DOWN, 61), (DOWN, -61)], ids=["other", "later", "before"]
    )
    async def test_what_says_something_else_or_was_posted_hours_apart_is_told_anew(
        self, archive: Archive, text: str, minutes: int
    ) -> None:
        await archive.live(post(7, text, channel_id=OTHER, date=NOON + timedelta(minutes=minutes)))
        assert await archive.labels() == ["alert"]

    async def test_of_texts_that_come_together_the_first_is_told_and_names_the_others(self, archive: Archive) -> None:
        same = "Вечером сбой связи"
        dates = (NOON, NOON + timedelta(minutes=10), NOON + timedelta(hours=3), NOON + timedelta(hours=3))
        archive.now = dates[-1]
        result = await archive.sweep(*(post(10 + n, same, channel_id=OTHER, date=d) for n, d in enumerate(dates)))
        assert (result.matched, result.alerts) == (4, 2)
        told = [alert for alert in await archive.outbox() if alert.label == "alert"]
        assert [[repeat.message_id for repeat in alert.duplicates] for alert in told] == [[11], [13]]

    async def test_it_is_stored_once_however_often_it_is_seen(self, archive: Archive) -> None:
        for _ in range(2):
            await archive.live(post(7, DOWN, channel_id=OTHER))
        (edit,) = await archive.outbox()
        assert len(edit.duplicates) == 1

    async def test_an_edit_or_a_loss_of_the_repeat_is_told_under_the_alert_it_joined(self, archive: Archive) -> None:
        await archive.live(post(7, DOWN, channel_id=OTHER))
        await archive.send_all()
        await archive.live(post(7, UP, channel_id=OTHER, edit_date=LATER), gone(7, channel_id=OTHER))
        assert [(a.label, a.reply_to) for a in await archive.outbox()] == [
            ("reply", 101)
        ] * 2  # its message shows no word of it

    async def test_it_joins_no_alert_that_can_no_longer_be_edited_or_says_something_else(
        self, archive: Archive
    ) -> None:
        await kit.lose_numbers(archive.db)
        await archive.live(post(7, DOWN, channel_id=OTHER))
        assert await archive.labels() == ["alert"]
        await archive.send_all()
        await archive.live(post(7, UP, channel_id=OTHER, edit_date=LATER))
        await archive.send_all()
        await archive.live(post(8, DOWN, channel_id=OTHER))
        assert await archive.labels() == ["alert"]


class TestAlbums:
    async def test_later_items_join_and_only_the_item_with_the_words_is_followed(self, archive: Archive) -> None:
        await archive.live(post(20, "", grouped_id=5, media=Media(kind="photo", id=1)))
        await archive.live(post(21, "Днём сбой в метро", grouped_id=5))
        assert await archive.labels() == ["alert"]
        await archive.send_all()
        await archive.live(post(22, "", grouped_id=5), post(20, "", grouped_id=5, media=Media(kind="photo", id=2)))
        await archive.live(gone(20))
        assert await archive.outbox() == []
        await archive.live(post(21, "Метро снова работает после сбоя", grouped_id=5, edit_date=LATER))
        assert await archive.labels() == ["edit", "reply"]

    async def test_an_edit_of_another_item_is_told_though_the_alert_does_not_show_it(self, archive: Archive) -> None:
        await archive.live(post(20, "Днём сбой в метро", grouped_id=5), post(21, "Фото со станции", grouped_id=5))
        await archive.send_all()
        for minutes, words in ((5, "Фото со станции!"), (6, "Фото со станции: снова сбой"), (7, "Фото")):
            edited = post(21, words, grouped_id=5, edit_date=NOON + timedelta(minutes=minutes))
            await archive.live(edited)
            await archive.sweep(edited)
        told = await archive.outbox()
        assert {alert.label for alert in told} == {"reply"}
        assert [alert.post and alert.post.text for alert in told] == ["Фото со станции: снова сбой", "Фото"]
        assert {alert.reply_to for alert in told} == {102}

    async def test_while_items_are_left_the_post_is_gone_in_part_and_its_end_is_told_too(
        self, archive: Archive
    ) -> None:
        await archive.live(*(post(n, "Днём сбой в метро" if n == 20 else "", grouped_id=5) for n in (20, 21, 22)))
        await archive.send_all()
        told, begun = [], archive.now
        for number in (20, 21, 22):
            archive.now += timedelta(minutes=1)
            await archive.see(ObservedBy.SWEEP if number == 21 else ObservedBy.LIVE, gone(number))
            told.append([(alert.label, alert.items_gone, alert.gone_at) for alert in await archive.outbox()])
            await archive.send_all()
        first, last = begun + timedelta(minutes=1), begun + timedelta(minutes=3)
        assert told == [
            [("edit", (1, 0, 3), first), ("reply", (1, 0, 3), first)],
            [("edit", (1, 1, 3), first)],
            [("edit", None, last), ("reply", None, last)],
        ]

    async def test_an_album_that_is_gone_at_once_is_told_once(self, archive: Archive) -> None:
        await archive.live(post(20, "Днём сбой в метро", grouped_id=5), post(21, "", grouped_id=5))
        await archive.send_all()
        await archive.live(gone(21, 20))
        assert [(alert.label, alert.items_gone) for alert in await archive.outbox()] == [
            ("edit", None),
            ("reply", None),
        ]


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
        self, archive: Archive, kind: PartKind, before: list[str], after: list[str]
    ) -> None:
        old, new = (tuple(Part(kind=kind, text=text) for text in texts) for texts in (before, after))
        await archive.live(post(5, "Смотрите", parts=old))
        await archive.send_all()
        await archive.sweep(post(5, "Смотрите", parts=new))
        edit, change = await archive.outbox()
        assert (edit.label, change.label) == ("edit", "reply")
        assert change.post is not None
        assert change.post.parts == new
        (first, _) = await posts.versions(archive.db, NEWS, 5)
        assert (change.before, first.parts) == (first.version_id, old)
        await archive.send_all()
        await archive.sweep(post(5, "Смотрите", parts=new))
        assert await archive.outbox() == []

    async def test_that_only_load_are_no_change_even_after_an_edit(self, archive: Archive) -> None:
        await archive.live(post(1, DOWN, parts=preview("Банк")))
        await reword(archive, "Утром СБОЙ, в банке!")
        await archive.live(post(1, "Утром СБОЙ, в банке!", edit_date=LATER, parts=preview("Банк")))
        assert await archive.labels() == ["edit"]

    async def test_that_change_as_the_chat_is_not_to_be_told_only_edit_the_alert(
        self, archive: Archive, chat: Chat
    ) -> None:
        await want(archive, chat, Edits.NONE)
        await archive.live(post(5, "Смотрите", parts=preview("Сбой")))
        await archive.send_all()
        await archive.sweep(post(5, "Смотрите", parts=preview("Опровержение")))
        assert await archive.labels() == ["edit"]

    @pytest.mark.parametrize(("edits", "told"), [(Edits.WORDS, True), (Edits.ALL, True), (Edits.NONE, False)])
    async def test_that_an_edit_removes_with_the_match_are_told_like_an_edit(
        self, archive: Archive, chat: Chat, edits: Edits, *, told: bool
    ) -> None:
        await want(archive, chat, edits)
        await archive.live(post(5, "Смотрите", parts=preview("Сбой")))
        await archive.send_all()
        await archive.sweep(post(5, "Смотрите", edit_date=LATER))
        assert await archive.labels() == (["edit", "reply"] if told else ["edit"])

    async def test_that_an_edit_removes_without_the_match_are_no_news(self, archive: Archive) -> None:
        await archive.live(post(5, "Сбой", parts=preview("Банк")))
        await archive.send_all()
        await archive.sweep(post(5, "Сбой", edit_date=LATER))
        assert await archive.labels() == ["edit"]

    async def test_stay_in_the_alert_of_a_post_without_text_though_they_match_no_more(self, archive: Archive) -> None:
        before, after = (Part(kind=PartKind.POLL, text=text) for text in ("Был ли сбой?", "Есть ли связь?"))
        await archive.live(post(5, "", parts=(before,)))
        await archive.send_all()
        await archive.sweep(post(5, "", parts=(after,)))
        edit, _ = await archive.outbox()
        assert edit.parts == [["poll", "Есть ли связь?", []]]

    async def test_of_a_button_under_an_alert_are_brought_up_to_date_without_a_version(self, archive: Archive) -> None:
        first, second = (Part(kind=PartKind.BUTTON, text=f"Сбой {n}") for n in (1, 2))
        await archive.live(post(5, "Смотрите", parts=(first,)))
        await archive.send_all()
        await archive.live(post(5, "Смотрите", parts=(second,)))
        (edit,) = await archive.outbox()
        assert (edit.label, edit.parts) == ("edit", [["button", "Сбой 2", [[0, 4]]]])
        assert len(await posts.versions(archive.db, NEWS, 5)) == 1


class TestSounds:
    async def loud(self, archive: Archive) -> list[bool]:
        """Send what is due; return which of it rings."""
        found = [not each.silent for each in await archive.outbox() if not each.is_edit]
        await archive.send_all()
        return found

    async def test_a_post_that_is_edited_and_then_deleted_rings_once(self, archive: Archive) -> None:
        await archive.live(post(2, "Сбой в метро"))
        assert await self.loud(archive) == [True]
        archive.now += timedelta(minutes=1)
        await archive.live(post(2, "Сбой в метро устранён", edit_date=LATER))
        assert await self.loud(archive) == [False]
        archive.now += timedelta(minutes=1)
        await archive.live(gone(2))
        assert await self.loud(archive) == [False]

    async def test_so_it_does_where_all_of_that_is_learned_at_once(self, archive: Archive) -> None:
        await archive.live(post(1, UP, edit_date=LATER), gone(1))
        assert await self.loud(archive) == [True, False]

    async def test_what_comes_later_rings_again(self, archive: Archive) -> None:
        await reword(archive, UP)
        assert await self.loud(archive) == [True]
        archive.now += RINGS_APART
        await archive.live(gone(1))
        assert await self.loud(archive) == [True]

    async def test_a_topic_that_joins_rings_at_once(self, archive: Archive, chat: Chat) -> None:
        await reword(archive, UP)
        await archive.send_all()
        await archive.track(chat, "вода", "вода")
        await reword(archive, f"{UP}, отключена вода", minutes=6)
        assert await self.loud(archive) == [True]
