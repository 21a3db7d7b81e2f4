"""Files that follow alerts, against the embedded server: one, albums, those of edited posts; they are kept by hand."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models import Media, Post
from bot.runtime.clock import utc_now
from bot.sandbox import Message, User
from bot.store import media, outbox
from tests import kit
from tests.delivery.desk import ORDER, SCAN, Desk, at_desk, file_of, gather_soon
from tests.store.kit import gone, post
from tests.waiting import until

ALBUM = 7  # its number


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    gather_soon(monkeypatch)
    async with at_desk(tmp_path) as desk:
        yield desk


def photo(number: int, text: str = "", *, file_id: int | None = None, kind: str = "photo", **fields: object) -> Post:
    """Make an item of the album, whose file has the number of the message unless it is said."""
    what = Media(kind=kind, id=file_id or number)
    return post(number, text, date=utc_now(), grouped_id=ALBUM, media=what, **fields)


async def posts_album(desk: Desk, count: int = 3, *, kind: str = "photo") -> None:
    desk.room.now = utc_now()
    await desk.room.live(*(photo(5 + n, "Сбой" if n == 0 else "", kind=kind) for n in range(count)))


def shown(desk: Desk, messages: Sequence[Message]) -> list[int]:
    """Return the files of messages, as `keeps_each` made them; 0 stands for a text."""
    return [int(file_of(desk, message) or 0) for message in messages]


def got_files(desk: Desk, account: User) -> list[int]:
    """Return the files that somebody got, as `shown`; replies about edits are left out."""
    return shown(desk, [message for message in desk.heard(account) if message.media is not None])


def random_ids(desk: Desk, method: str = "SendMultiMedia") -> list[list[int]]:
    calls = [call.request for call in desk.sandbox.calls if call.name == method]
    return [[item.random_id for item in call.multi_media] for call in calls]


async def until_says(message: Message, words: str) -> None:
    async def reached() -> bool:
        return words in message.text

    await until(reached)


async def test_an_album_follows_its_alert_whole_as_one_reply_without_a_sound(desk: Desk) -> None:
    alice, boris = await desk.reader("Alice"), await desk.reader("Boris", wants=False)
    await posts_album(desk, 10)
    await desk.keeps_each()
    async with desk.at_work():
        alert, *files = await desk.until_heard(alice, 11)
        await desk.until_settled()
    assert shown(desk, files) == list(range(5, 15))
    assert (alert.media, alert.silent) == (None, False)
    assert alert.reply_markup is not None
    assert "more file" not in alert.text
    assert {(m.reply_to, m.silent, m.text, m.reply_markup) for m in files} == {(alert.id, True, "", None)}
    assert len({m.grouped for m in files}) == 1
    assert files[0].grouped is not None
    assert [m.media for m in desk.heard(boris)] == [None]
    assert (desk.calls("UploadMedia"), desk.calls("SendMultiMedia")) == (10, 1)


async def test_uploads_serve_the_albums_of_all_chats(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(5)]
    await posts_album(desk, 4)
    await desk.keeps_each()
    async with desk.at_work():
        for account in readers:
            assert shown(desk, await desk.until_heard(account, 5)) == [0, 5, 6, 7, 8]
    assert (desk.calls("UploadMedia"), desk.calls("SendMedia"), desk.calls("SendMultiMedia")) == (4, 0, 5)
    assert len({number for numbers in random_ids(desk) for number in numbers}) == 20


async def test_an_album_whose_answer_was_lost_is_not_sent_again(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.lose_reply("SendMultiMedia")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice, 4)
        await desk.until_settled()
    assert shown(desk, desk.heard(alice)) == [0, 5, 6, 7]
    first, *again = random_ids(desk)
    assert again
    assert all(numbers == first for numbers in again)


async def test_after_a_crash_before_anything_was_written_down_it_comes_once(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice, 4)
        await desk.until_settled()
    await kit.send_again(desk.room.db)
    async with desk.at_work():
        await desk.until_settled()
    assert shown(desk, desk.heard(alice)) == [0, 5, 6, 7]


async def test_of_an_album_only_the_item_whose_reference_has_expired_is_uploaded_anew(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("SendMultiMedia", "FILE_REFERENCE_1_EXPIRED")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        assert shown(desk, await desk.until_heard(alice, 4)) == [0, 5, 6, 7]
    assert desk.calls("UploadMedia") == 4
    first, second = random_ids(desk)
    assert first == second


async def test_references_that_have_all_expired_are_renewed_one_after_the_other(desk: Desk) -> None:
    alice, boris = await desk.reader("Alice"), await desk.reader("Boris")
    await posts_album(desk, 4)
    await desk.keeps_each()
    hold = desk.sandbox.faults.hold("SendMultiMedia")
    async with desk.at_work():
        await hold.reached()
        desk.sandbox.world.media.expire()
        hold.release()
        for account in (alice, boris):
            await desk.until_heard(account, 5)
        await desk.until_settled()
        await desk.room.live(photo(9))
        await desk.keeps_each()
        for account in (alice, boris):
            assert shown(desk, await desk.until_heard(account, 6)) == [0, 5, 6, 7, 8, 9]


async def test_photos_and_documents_do_not_share_an_album(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.room.now = utc_now()
    kinds = {5: "photo", 6: "photo", 7: "photo", 8: "document", 9: "document"}
    await desk.room.live(*(photo(n, "Сбой" if n == 5 else "", kind=kind) for n, kind in kinds.items()))
    await desk.keeps_each()
    async with desk.at_work():
        assert shown(desk, await desk.until_heard(alice, 6)) == [0, 5, 6, 7, 8, 9]
    assert [len(numbers) for numbers in random_ids(desk)] == [3, 2]


async def test_pages_that_were_kept_in_another_order_come_in_that_of_the_album(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk, 4)
    await desk.keeps_each(most=1)
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.room.db.write(lambda tx: tx.execute("UPDATE media SET attempts = -id WHERE state = 'wanted'"))
        await desk.keeps_each()
        assert shown(desk, await desk.until_heard(alice, 5)) == [0, 5, 6, 7, 8]


async def gives_up(desk: Desk) -> None:
    """Give up the file that is wanted next: it is too large."""
    wanted = await desk.wanted()
    assert wanted is not None
    await desk.room.db.write(lambda tx: media.give_up(tx, wanted.id, media.TOO_LARGE, now=utc_now()))


async def test_what_is_too_large_is_left_out_and_the_alert_says_so(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk, 4)
    await desk.keeps_each(most=2)
    await gives_up(desk)
    await desk.keeps_each()
    async with desk.at_work():
        alert, *files = await desk.until_heard(alice, 4)
    assert shown(desk, files) == [5, 6, 8]
    assert alert.text.endswith("+1 more file in the post")


async def test_an_alert_says_afterwards_that_a_file_is_left_out(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk, 2)
    await desk.keeps_each(most=1)
    async with desk.at_work():
        (alert,) = await desk.until_heard(alice)
        assert "more file" not in alert.text
        await gives_up(desk)
        await until_says(alert, "+1 more file in the post")
        await desk.until_settled()
    assert alert.text.endswith("+1 more file in the post")
    assert shown(desk, desk.heard(alice)) == [0, 5]


async def test_an_alert_that_no_file_follows_says_that_its_file_is_left_out(desk: Desk) -> None:
    alice, boris = await desk.reader("Alice"), await desk.reader("Boris", wants=False)
    await desk.posts(5, ORDER)
    await gives_up(desk)
    async with desk.at_work():
        (alert,), (other,) = await desk.until_heard(alice), await desk.until_heard(boris)
        await desk.until_settled()
    assert alert.media is None
    assert alert.text.endswith("+1 more file in the post")
    assert "more file" not in other.text
    assert alert.edit_date is None


async def test_an_alert_waits_for_no_file_which_follows_it_whenever_it_comes(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work():
        (alert,) = await desk.until_heard(alice)
        await desk.until_settled()
        await desk.keeps()
        _, file = await desk.until_heard(alice, 2)
    assert alert.media is None
    assert (file_of(desk, file), file.reply_to, file.silent) == (SCAN, alert.id, True)
    assert [m.text for m in desk.heard(alice)][1:] == [""]


async def test_files_of_a_post_that_is_gone_follow_as_its_words_do_and_none_are_said_to_be_left_in_it(
    desk: Desk,
) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk)
    async with desk.at_work():
        (alert,) = await desk.until_heard(alice)
        await desk.until_settled()
        await desk.room.live(gone(5, 6, 7))
        await desk.keeps_each(most=2)
        await gives_up(desk)
        heard = await desk.until_heard(alice, 4)  # one says that it is gone
        await desk.until_settled()
    assert shown(desk, [message for message in heard if message.media is not None]) == [5, 6]
    assert "more file" not in alert.text


async def test_an_upload_that_takes_long_holds_up_no_alert(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    hold = desk.sandbox.faults.hold("SaveFilePart")
    async with desk.at_work(wait=0.01):
        (alert,) = await desk.until_heard(alice)
        await hold.reached()
        await desk.posts(6, Media(kind="poll", title="?"), "Другой сбой: поезда стоят")
        _, other = await desk.until_heard(alice, 2)
        assert other.media is None
        hold.release()
        *_, file = await desk.until_heard(alice, 3)
    assert (file_of(desk, file), file.reply_to) == (SCAN, alert.id)
    assert desk.calls("UploadMedia") == 1


async def test_items_that_are_seen_one_by_one_still_make_one_album_and_a_straggler_follows(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.room.now = utc_now()
    await desk.room.live(photo(5, "Сбой"))
    async with desk.at_work():
        (alert,) = await desk.until_heard(alice)
        await desk.room.live(photo(6))
        await desk.room.live(photo(7))
        await desk.keeps_each()
        await desk.until_heard(alice, 4)
        await desk.until_settled()
        await desk.room.live(photo(8))
        await desk.keeps_each()
        _, *files = await desk.until_heard(alice, 5)
    assert shown(desk, files) == [5, 6, 7, 8]
    assert {m.reply_to for m in files} == {alert.id}
    assert [len(numbers) for numbers in random_ids(desk)] == [3]


async def test_a_file_that_comes_while_a_reply_is_on_its_way_gets_a_reply_of_its_own(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.room.now = utc_now()
    await desk.room.live(photo(5, "Сбой"))
    await desk.keeps_each()
    hold = desk.sandbox.faults.hold("SendMedia")
    async with desk.at_work():
        await hold.reached()
        await desk.room.live(photo(6))
        await desk.keeps_each()
        hold.release()
        assert shown(desk, await desk.until_heard(alice, 3)) == [0, 5, 6]
        await desk.until_settled()
    assert desk.calls("SendMultiMedia") == 0


async def test_files_that_were_kept_for_one_chat_follow_the_alert_of_another_that_comes_after_an_edit(
    desk: Desk,
) -> None:
    await desk.reader("Alice")
    boris = await desk.reader("Boris", query="пожар")
    await posts_album(desk, 2)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_settled()
        desk.room.now = utc_now()
        edited_at = utc_now() + timedelta(minutes=1)
        await desk.room.live(photo(5, "Сбой после пожара", edit_date=edited_at))
        await desk.keeps_each()
        assert shown(desk, await desk.until_heard(boris, 3)) == [0, 5, 6]


async def test_where_an_album_is_refused_its_files_come_one_by_one_without_the_one_that_is_wrong(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("SendMultiMedia", "MEDIA_INVALID")
    desk.sandbox.faults.answer("SendMedia", "MEDIA_INVALID")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice, 3)
        await desk.until_settled()
    assert shown(desk, desk.heard(alice)) == [0, 6, 7]
    assert {each.state for each in await kit.states(desk.room.db)} == {"sent"}


async def test_where_an_album_is_refused_and_a_flood_comes_in_between_the_rest_comes_afterwards(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("SendMultiMedia", "MEDIA_INVALID")
    await posts_album(desk, 4)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice, 2)
        desk.sandbox.faults.flood_wait("SendMedia", 1)
        await desk.until_settled()
    assert shown(desk, desk.heard(alice)) == [0, 5, 6, 7, 8]


async def test_where_a_chat_takes_no_media_nothing_follows_and_nobody_is_suspended(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    for method in ("SendMedia", "SendMultiMedia"):
        desk.sandbox.faults.answer(method, "CHAT_SEND_MEDIA_FORBIDDEN", times=None)
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
    assert [m.media for m in desk.heard(alice)] == [None]
    assert (desk.calls("SendMedia"), desk.calls("SendMultiMedia")) == (0, 1)
    assert (await desk.room.db.fetch_all("SELECT suspended FROM chats"))[0]["suspended"] is None


async def test_a_file_that_telegram_refuses_is_uploaded_once_and_no_more(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(3)]
    desk.sandbox.faults.answer("UploadMedia", "PHOTO_INVALID_DIMENSIONS", times=None)
    await posts_album(desk, 1)
    await desk.keeps_each()
    async with desk.at_work():
        for account in readers:
            await desk.until_heard(account)
        await desk.until_settled()
    assert desk.calls("UploadMedia") == 1


async def test_a_file_whose_parts_telegram_has_lost_is_uploaded_anew(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("UploadMedia", "FILE_PART_0_MISSING")
    await posts_album(desk, 1)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice, 2)
        await desk.until_settled()
    assert shown(desk, desk.heard(alice)) == [0, 5]
    assert desk.calls("UploadMedia") == 2


async def test_who_has_deleted_an_alert_gets_no_files_of_it(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work():
        (alert,) = await desk.until_heard(alice)
        await desk.until_settled()
        await delete(desk, alice, alert)
        await desk.keeps()
        await desk.until_settled()
    assert desk.heard(alice) == []


async def delete(desk: Desk, account: User, message: Message) -> None:
    client = desk.sandbox.client(account)
    await client.connect()
    try:
        await client.delete_messages(None, [message.id], revoke=True)
    finally:
        await client.disconnect()


async def test_an_alert_that_is_tried_again_is_followed_by_its_files(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("SendMessage", "MESSAGE_EMPTY")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_settled()
        assert desk.heard(alice) == []
        (alert,) = await outbox.dead_letters(desk.room.db)
        await desk.room.db.write(lambda tx: outbox.try_again(tx, [alert.id], utc_now()))
        await desk.until_settled()
    text, *files = desk.heard(alice)
    assert text.media is None
    assert sorted(shown(desk, files)) == [5, 6, 7]


async def test_who_wants_no_files_any_more_gets_none(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.room.db.write(lambda tx: tx.execute("UPDATE chats SET media = 0"))
        await desk.until_settled()
    assert shown(desk, desk.heard(alice)) == [0]


async def edits(desk: Desk, text: str, *, file_id: int, number: int = 5, minutes: int = 1) -> None:
    """Edit a post, whose file is another one then: the first by itself, others as items of the album."""
    edited_at = utc_now() + timedelta(minutes=minutes)
    item = photo(number, text, file_id=file_id, edit_date=edited_at)
    single = post(number, text, date=item.date, media=item.media, edit_date=edited_at)
    await desk.room.live(single if number == 5 else item)


async def test_a_file_that_an_edit_puts_in_place_of_another_follows_once_and_says_so(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, Media(kind="photo", id=50))
    await desk.keeps_each()
    async with desk.at_work():
        alert, _ = await desk.until_heard(alice, 2)
        for minutes, file_id in enumerate((51, 52, 51), start=1):
            await edits(desk, "Сбой", file_id=file_id, minutes=minutes)
            await desk.keeps_each()
            await desk.until_settled()
    _, *files = desk.heard(alice)
    assert shown(desk, files) == [50, 51, 52]
    assert [message.text for message in files] == ["", *2 * ["The post shows this file now:"]]
    assert {message.reply_to for message in files} == {alert.id}


async def test_the_words_of_an_edit_wait_for_no_file(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, Media(kind="photo", id=50))
    await desk.keeps_each()
    async with desk.at_work():
        alert, _ = await desk.until_heard(alice, 2)
        desk.room.now = utc_now()
        await edits(desk, "Сбой, дополнено", file_id=51)
        await until_says(alert, "дополнено")
        await desk.until_settled()
        assert got_files(desk, alice) == [50]
        await desk.keeps_each()
        await desk.until_settled()
    assert got_files(desk, alice) == [50, 51]


async def test_an_edit_of_the_words_sends_no_file_again(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, Media(kind="photo", id=50))
    await desk.keeps_each()
    async with desk.at_work():
        alert, _ = await desk.until_heard(alice, 2)
        desk.room.now = utc_now()
        await edits(desk, "Сбой, дополнено", file_id=50)
        await desk.keeps_each()
        await until_says(alert, "дополнено")
        await desk.until_settled()
    assert got_files(desk, alice) == [50]


async def test_a_file_that_replaces_one_of_a_post_that_no_longer_matches_follows_too(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, Media(kind="photo", id=50))
    await desk.keeps_each()
    async with desk.at_work():
        await desk.until_heard(alice, 2)
        await edits(desk, "Опровержение: всё работает", file_id=51)
        await desk.keeps_each()
        await desk.until_settled()
    assert got_files(desk, alice) == [50, 51]


async def test_a_later_item_that_is_replaced_follows_and_says_so(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await posts_album(desk)
    await desk.keeps_each()
    async with desk.at_work():
        alert, *_ = await desk.until_heard(alice, 4)
        await desk.until_settled()
        await edits(desk, "", file_id=66, number=6)
        await desk.keeps_each()
        *_, new = await desk.until_heard(alice, 5)
        await desk.until_settled()
    assert shown(desk, [new]) == [66]
    assert (new.text, new.reply_to) == ("The post shows this file now:", alert.id)


async def test_files_of_an_alert_whose_number_is_lost_name_their_post(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
        await kit.lose_numbers(desk.room.db)
        await desk.keeps()
        _, file = await desk.until_heard(alice, 2)
    assert (file.reply_to, file.text) == (None, "Вести")
    assert [entity.url for entity in file.entities] == ["https://t.me/News1001/5"]


async def test_nothing_follows_an_alert_of_days_ago(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
        await kit.age(desk.room.db, timedelta(days=3))
        await desk.keeps()
        await desk.until_settled()
    assert len(desk.heard(alice)) == 1


async def test_nothing_follows_what_a_lost_instance_may_have_told(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
        await desk.room.db.write(
            lambda tx: tx.execute(
                "INSERT INTO restorations (chat_id, alive_at, until) SELECT id, 0, 1 << 60 FROM chats", {}
            )
        )
        await desk.keeps()
        await desk.until_settled()
    assert len(desk.heard(alice)) == 1
