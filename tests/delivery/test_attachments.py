"""Files that follow alerts, against the embedded server: one, albums, those of edited posts; they are kept by hand."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.models import Media, Post
from bot.models.files import FileReason
from bot.runtime.clock import utc_now
from bot.sandbox import Message, User
from bot.store import media, outbox
from tests import kit
from tests.delivery.kit import ORDER, SCAN, DeliveringBot
from tests.kit_archive import gone, post
from tests.waiting import until

ALBUM = 7  # its number


def photo(number: int, text: str = "", *, file_id: int | None = None, kind: str = "photo", **fields: object) -> Post:
    """Make an item of the album, whose file has the number of the message unless it is said."""
    what = Media(kind=kind, id=file_id or number)
    return post(number, text, date=utc_now(), grouped_id=ALBUM, media=what, **fields)


async def posts_album(bot: DeliveringBot, count: int = 3, *, kind: str = "photo") -> None:
    bot.archive.now = utc_now()
    await bot.archive.live(*(photo(5 + n, "Сбой" if n == 0 else "", kind=kind) for n in range(count)))


def shown(bot: DeliveringBot, messages: Sequence[Message]) -> list[int]:
    """Return the files of messages, as `keeps_each` made them; 0 stands for a text."""
    return [int(bot.file_of(message) or 0) for message in messages]


def got_files(bot: DeliveringBot, account: User) -> list[int]:
    """Return the files that somebody got, as `shown`; replies about edits are left out."""
    return shown(bot, [message for message in bot.received(account) if message.media is not None])


def random_ids(bot: DeliveringBot, method: str = "SendMultiMedia") -> list[list[int]]:
    calls = [call.request for call in bot.sandbox.calls if call.name == method]
    return [[item.random_id for item in call.multi_media] for call in calls]


async def until_says(message: Message, words: str) -> None:
    async def reached() -> bool:
        return words in message.text

    await until(reached)


async def test_an_album_follows_its_alert_whole_as_one_reply_without_a_sound(bot: DeliveringBot) -> None:
    alice, boris = await bot.reader("Alice"), await bot.reader("Boris", wants=False)
    await posts_album(bot, 10)
    await bot.keeps_each()
    async with bot.with_files():
        alert, *files = await bot.until_received(alice, 11)
        await bot.until_idle()
    assert shown(bot, files) == list(range(5, 15))
    assert (alert.media, alert.silent) == (None, False)
    assert alert.reply_markup is not None
    assert "more file" not in alert.text
    assert {(m.reply_to, m.silent, m.text, m.reply_markup) for m in files} == {(alert.id, True, "", None)}
    assert len({m.grouped for m in files}) == 1
    assert files[0].grouped is not None
    assert [m.media for m in bot.received(boris)] == [None]
    assert (bot.calls("UploadMedia"), bot.calls("SendMultiMedia")) == (10, 1)


async def test_uploads_serve_the_albums_of_all_chats(bot: DeliveringBot) -> None:
    readers = [await bot.reader(f"Reader {number}") for number in range(5)]
    await posts_album(bot, 4)
    await bot.keeps_each()
    async with bot.with_files():
        for account in readers:
            assert shown(bot, await bot.until_received(account, 5)) == [0, 5, 6, 7, 8]
    assert (bot.calls("UploadMedia"), bot.calls("SendMedia"), bot.calls("SendMultiMedia")) == (4, 0, 5)
    assert len({number for numbers in random_ids(bot) for number in numbers}) == 20


async def test_an_album_whose_answer_was_lost_is_not_sent_again(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.lose_reply("SendMultiMedia")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice, 4)
        await bot.until_idle()
    assert shown(bot, bot.received(alice)) == [0, 5, 6, 7]
    first, *again = random_ids(bot)
    assert again
    assert all(numbers == first for numbers in again)


async def test_after_a_crash_before_anything_was_written_down_it_comes_once(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice, 4)
        await bot.until_idle()
    await kit.send_again(bot.archive.db)
    async with bot.with_files():
        await bot.until_idle()
    assert shown(bot, bot.received(alice)) == [0, 5, 6, 7]


async def test_of_an_album_only_the_item_whose_reference_has_expired_is_uploaded_anew(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer("SendMultiMedia", "FILE_REFERENCE_1_EXPIRED")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        assert shown(bot, await bot.until_received(alice, 4)) == [0, 5, 6, 7]
    assert bot.calls("UploadMedia") == 4
    first, second = random_ids(bot)
    assert first == second


async def test_references_that_have_all_expired_are_renewed_one_after_the_other(bot: DeliveringBot) -> None:
    alice, boris = await bot.reader("Alice"), await bot.reader("Boris")
    await posts_album(bot, 4)
    await bot.keeps_each()
    hold = bot.sandbox.faults.hold("SendMultiMedia")
    async with bot.with_files():
        await hold.reached()
        bot.sandbox.world.media.expire()
        hold.release()
        for account in (alice, boris):
            await bot.until_received(account, 5)
        await bot.until_idle()
        await bot.archive.live(photo(9))
        await bot.keeps_each()
        for account in (alice, boris):
            assert shown(bot, await bot.until_received(account, 6)) == [0, 5, 6, 7, 8, 9]


async def test_photos_and_documents_do_not_share_an_album(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.archive.now = utc_now()
    kinds = {5: "photo", 6: "photo", 7: "photo", 8: "document", 9: "document"}
    await bot.archive.live(*(photo(n, "Сбой" if n == 5 else "", kind=kind) for n, kind in kinds.items()))
    await bot.keeps_each()
    async with bot.with_files():
        assert shown(bot, await bot.until_received(alice, 6)) == [0, 5, 6, 7, 8, 9]
    assert [len(numbers) for numbers in random_ids(bot)] == [3, 2]


@pytest.mark.parametrize(
    ("kinds", "refused"),
    [(["photo", "document", "photo"], False), (["photo", "photo", "photo"], True)],
    ids=["they share no album", "the album is refused"],
)
async def test_files_that_come_one_by_one_make_no_sound(bot: DeliveringBot, kinds: list[str], *, refused: bool) -> None:
    alice = await bot.reader("Alice")
    if refused:
        bot.sandbox.faults.answer("SendMultiMedia", "MEDIA_INVALID")
    bot.archive.now = utc_now()
    await bot.archive.live(*(photo(5 + n, "" if n else "Сбой", kind=kind) for n, kind in enumerate(kinds)))
    await bot.keeps_each()
    async with bot.with_files():
        alert, *files = await bot.until_received(alice, 4)
    assert bot.calls("SendMedia") == 3
    assert [message.silent for message in (alert, *files)] == [False, True, True, True]


async def test_pages_that_were_kept_in_another_order_come_in_that_of_the_album(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot, 4)
    await bot.keeps_each(most=1)
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.archive.db.write(lambda tx: tx.execute("UPDATE media SET attempts = -id WHERE state = 'wanted'"))
        await bot.keeps_each()
        assert shown(bot, await bot.until_received(alice, 5)) == [0, 5, 6, 7, 8]


async def gives_up(bot: DeliveringBot) -> None:
    """Give up the file that is wanted next: it is too large."""
    wanted = await bot.wanted()
    assert wanted is not None
    await bot.archive.db.write(lambda tx: media.give_up(tx, wanted.id, FileReason.TOO_LARGE, now=utc_now()))


async def test_what_is_too_large_is_left_out_and_the_alert_says_so(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot, 4)
    await bot.keeps_each(most=2)
    await gives_up(bot)
    await bot.keeps_each()
    async with bot.with_files():
        alert, *files = await bot.until_received(alice, 4)
    assert shown(bot, files) == [5, 6, 8]
    assert alert.text.endswith("+1 more file in the post")


async def test_an_alert_says_afterwards_that_a_file_is_left_out(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot, 2)
    await bot.keeps_each(most=1)
    async with bot.with_files():
        (alert,) = await bot.until_received(alice)
        assert "more file" not in alert.text
        await gives_up(bot)
        await until_says(alert, "+1 more file in the post")
        await bot.until_idle()
    assert alert.text.endswith("+1 more file in the post")
    assert shown(bot, bot.received(alice)) == [0, 5]


async def test_an_alert_that_no_file_follows_says_that_its_file_is_left_out(bot: DeliveringBot) -> None:
    alice, boris = await bot.reader("Alice"), await bot.reader("Boris", wants=False)
    await bot.posts(5, ORDER)
    await gives_up(bot)
    async with bot.with_files():
        (alert,), (other,) = await bot.until_received(alice), await bot.until_received(boris)
        await bot.until_idle()
    assert alert.media is None
    assert alert.text.endswith("+1 more file in the post")
    assert "more file" not in other.text
    assert alert.edit_date is None


async def test_an_alert_waits_for_no_file_which_follows_it_whenever_it_comes(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    async with bot.with_files():
        (alert,) = await bot.until_received(alice)
        await bot.until_idle()
        await bot.keeps()
        _, file = await bot.until_received(alice, 2)
    assert alert.media is None
    assert (bot.file_of(file), file.reply_to, file.silent) == (SCAN, alert.id, True)
    assert [m.text for m in bot.received(alice)][1:] == [""]


async def test_files_of_a_post_that_is_gone_follow_as_its_words_do_and_none_are_said_to_be_left_in_it(
    bot: DeliveringBot,
) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot)
    async with bot.with_files():
        (alert,) = await bot.until_received(alice)
        await bot.until_idle()
        await bot.archive.live(gone(5, 6, 7))
        await bot.keeps_each(most=2)
        await gives_up(bot)
        heard = await bot.until_received(alice, 4)  # one says that it is gone
        await bot.until_idle()
    assert shown(bot, [message for message in heard if message.media is not None]) == [5, 6]
    assert "more file" not in alert.text


async def test_an_upload_that_takes_long_holds_up_no_alert(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    await bot.keeps()
    hold = bot.sandbox.faults.hold("SaveFilePart")
    async with bot.with_files(wait=0.01):
        (alert,) = await bot.until_received(alice)
        await hold.reached()
        await bot.posts(6, Media(kind="poll", title="?"), "Другой сбой: поезда стоят")
        _, other = await bot.until_received(alice, 2)
        assert other.media is None
        hold.release()
        *_, file = await bot.until_received(alice, 3)
    assert (bot.file_of(file), file.reply_to) == (SCAN, alert.id)
    assert bot.calls("UploadMedia") == 1


async def test_items_that_are_seen_one_by_one_still_make_one_album_and_a_straggler_follows(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.archive.now = utc_now()
    await bot.archive.live(photo(5, "Сбой"))
    async with bot.with_files():
        (alert,) = await bot.until_received(alice)
        await bot.archive.live(photo(6))
        await bot.archive.live(photo(7))
        await bot.keeps_each()
        await bot.until_received(alice, 4)
        await bot.until_idle()
        await bot.archive.live(photo(8))
        await bot.keeps_each()
        _, *files = await bot.until_received(alice, 5)
    assert shown(bot, files) == [5, 6, 7, 8]
    assert {m.reply_to for m in files} == {alert.id}
    assert [len(numbers) for numbers in random_ids(bot)] == [3]


async def test_a_file_that_comes_while_a_reply_is_on_its_way_gets_a_reply_of_its_own(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.archive.now = utc_now()
    await bot.archive.live(photo(5, "Сбой"))
    await bot.keeps_each()
    hold = bot.sandbox.faults.hold("SendMedia")
    async with bot.with_files():
        await hold.reached()
        await bot.archive.live(photo(6))
        await bot.keeps_each()
        hold.release()
        assert shown(bot, await bot.until_received(alice, 3)) == [0, 5, 6]
        await bot.until_idle()
    assert bot.calls("SendMultiMedia") == 0


async def test_files_that_were_kept_for_one_chat_follow_the_alert_of_another_that_comes_after_an_edit(
    bot: DeliveringBot,
) -> None:
    await bot.reader("Alice")
    boris = await bot.reader("Boris", query="пожар")
    await posts_album(bot, 2)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_idle()
        bot.archive.now = utc_now()
        edited_at = utc_now() + timedelta(minutes=1)
        await bot.archive.live(photo(5, "Сбой после пожара", edit_date=edited_at))
        await bot.keeps_each()
        assert shown(bot, await bot.until_received(boris, 3)) == [0, 5, 6]


async def test_where_an_album_is_refused_its_files_come_one_by_one_without_the_one_that_is_wrong(
    bot: DeliveringBot,
) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer("SendMultiMedia", "MEDIA_INVALID")
    bot.sandbox.faults.answer("SendMedia", "MEDIA_INVALID")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice, 3)
        await bot.until_idle()
    assert shown(bot, bot.received(alice)) == [0, 6, 7]
    assert {each.state for each in await kit.states(bot.archive.db)} == {"sent"}


async def test_where_an_album_is_refused_and_a_flood_comes_in_between_the_rest_comes_afterwards(
    bot: DeliveringBot,
) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer("SendMultiMedia", "MEDIA_INVALID")
    await posts_album(bot, 4)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice, 2)
        bot.sandbox.faults.flood_wait("SendMedia", 1)
        await bot.until_idle()
    assert shown(bot, bot.received(alice)) == [0, 5, 6, 7, 8]


async def test_where_a_chat_takes_no_media_nothing_follows_and_nobody_is_suspended(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    for method in ("SendMedia", "SendMultiMedia"):
        bot.sandbox.faults.answer(method, "CHAT_SEND_MEDIA_FORBIDDEN", times=None)
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
    assert [m.media for m in bot.received(alice)] == [None]
    assert (bot.calls("SendMedia"), bot.calls("SendMultiMedia")) == (0, 1)
    assert (await bot.archive.db.fetch_all("SELECT suspended FROM chats"))[0]["suspended"] is None


async def test_a_file_that_telegram_refuses_is_uploaded_once_and_no_more(bot: DeliveringBot) -> None:
    readers = [await bot.reader(f"Reader {number}") for number in range(3)]
    bot.sandbox.faults.answer("UploadMedia", "PHOTO_INVALID_DIMENSIONS", times=None)
    await posts_album(bot, 1)
    await bot.keeps_each()
    async with bot.with_files():
        for account in readers:
            await bot.until_received(account)
        await bot.until_idle()
    assert bot.calls("UploadMedia") == 1


async def test_a_file_whose_parts_telegram_has_lost_is_uploaded_anew(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer("UploadMedia", "FILE_PART_0_MISSING")
    await posts_album(bot, 1)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice, 2)
        await bot.until_idle()
    assert shown(bot, bot.received(alice)) == [0, 5]
    assert bot.calls("UploadMedia") == 2


async def test_who_has_deleted_an_alert_gets_no_files_of_it(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    async with bot.with_files():
        (alert,) = await bot.until_received(alice)
        await bot.until_idle()
        await delete(bot, alice, alert)
        await bot.keeps()
        await bot.until_idle()
    assert bot.received(alice) == []


async def delete(bot: DeliveringBot, account: User, message: Message) -> None:
    client = bot.sandbox.client(account)
    await client.connect()
    try:
        await client.delete_messages(None, [message.id], revoke=True)
    finally:
        await client.disconnect()


async def test_an_alert_that_is_tried_again_is_followed_by_its_files(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer("SendMessage", "MESSAGE_EMPTY")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_idle()
        assert bot.received(alice) == []
        (alert,) = await outbox.dead_letters(bot.archive.db)
        await bot.archive.db.write(lambda tx: outbox.try_again(tx, [alert.id], utc_now()))
        await bot.until_idle()
    text, *files = bot.received(alice)
    assert text.media is None
    assert sorted(shown(bot, files)) == [5, 6, 7]


async def test_who_wants_no_files_any_more_gets_none(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.archive.db.write(lambda tx: tx.execute("UPDATE chats SET media = 0"))
        await bot.until_idle()
    assert shown(bot, bot.received(alice)) == [0]


async def edits(bot: DeliveringBot, text: str, *, file_id: int, number: int = 5, minutes: int = 1) -> None:
    """Edit a post, whose file is another one then: the first by itself, others as items of the album."""
    edited_at = utc_now() + timedelta(minutes=minutes)
    item = photo(number, text, file_id=file_id, edit_date=edited_at)
    single = post(number, text, date=item.date, media=item.media, edit_date=edited_at)
    await bot.archive.live(single if number == 5 else item)


async def test_a_file_that_an_edit_puts_in_place_of_another_follows_once_and_says_so(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, Media(kind="photo", id=50))
    await bot.keeps_each()
    async with bot.with_files():
        alert, _ = await bot.until_received(alice, 2)
        for minutes, file_id in enumerate((51, 52, 51), start=1):
            await edits(bot, "Сбой", file_id=file_id, minutes=minutes)
            await bot.keeps_each()
            await bot.until_idle()
    _, *files = bot.received(alice)
    assert shown(bot, files) == [50, 51, 52]
    assert [message.text for message in files] == ["", *2 * ["The post shows this file now:"]]
    assert {message.reply_to for message in files} == {alert.id}


async def test_the_words_of_an_edit_wait_for_no_file(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, Media(kind="photo", id=50))
    await bot.keeps_each()
    async with bot.with_files():
        alert, _ = await bot.until_received(alice, 2)
        bot.archive.now = utc_now()
        await edits(bot, "Сбой, дополнено", file_id=51)
        await until_says(alert, "дополнено")
        await bot.until_idle()
        assert got_files(bot, alice) == [50]
        await bot.keeps_each()
        await bot.until_idle()
    assert got_files(bot, alice) == [50, 51]


async def test_an_edit_of_the_words_sends_no_file_again(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, Media(kind="photo", id=50))
    await bot.keeps_each()
    async with bot.with_files():
        alert, _ = await bot.until_received(alice, 2)
        bot.archive.now = utc_now()
        await edits(bot, "Сбой, дополнено", file_id=50)
        await bot.keeps_each()
        await until_says(alert, "дополнено")
        await bot.until_idle()
    assert got_files(bot, alice) == [50]


async def test_a_file_that_replaces_one_of_a_post_that_no_longer_matches_follows_too(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, Media(kind="photo", id=50))
    await bot.keeps_each()
    async with bot.with_files():
        await bot.until_received(alice, 2)
        await edits(bot, "Опровержение: всё работает", file_id=51)
        await bot.keeps_each()
        await bot.until_idle()
    assert got_files(bot, alice) == [50, 51]


async def test_a_later_item_that_is_replaced_follows_and_says_so(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await posts_album(bot)
    await bot.keeps_each()
    async with bot.with_files():
        alert, *_ = await bot.until_received(alice, 4)
        await bot.until_idle()
        await edits(bot, "", file_id=66, number=6)
        await bot.keeps_each()
        *_, new = await bot.until_received(alice, 5)
        await bot.until_idle()
    assert shown(bot, [new]) == [66]
    assert (new.text, new.reply_to) == ("The post shows this file now:", alert.id)


async def test_files_of_an_alert_whose_number_is_lost_name_their_post(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
        await kit.lose_numbers(bot.archive.db)
        await bot.keeps()
        _, file = await bot.until_received(alice, 2)
    assert (file.reply_to, file.text) == (None, "Вести")
    assert [entity.url for entity in file.entities] == ["https://t.me/News1001/5"]


async def test_nothing_follows_an_alert_of_days_ago(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
        await kit.age(bot.archive.db, timedelta(days=3))
        await bot.keeps()
        await bot.until_idle()
    assert len(bot.received(alice)) == 1


@pytest.mark.parametrize(
    ("until", "count"), [("1 << 60", 1), ("(SELECT date FROM versions)", 2)], ids=["before the start", "at the start"]
)
async def test_nothing_follows_what_a_lost_instance_may_have_told(bot: DeliveringBot, until: str, count: int) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
        await bot.archive.db.write(
            lambda tx: tx.execute(
                f"INSERT INTO restorations (chat_id, alive_at, until) SELECT id, 0, {until} FROM chats",  # noqa: S608 - our own
                {},
            )
        )
        await bot.keeps()
        await bot.until_idle()
    assert len(bot.received(alice)) == count


async def test_all_files_of_a_long_post_follow_its_alert_and_replace_none(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    files = (("photo", 51), ("photo", 52), ("document", 53))
    await bot.posts(5, Media(kind="photo", id=51, files=files))
    await bot.keeps_each()
    async with bot.with_files():
        alert, *_ = await bot.until_received(alice, 4)
        await edits(bot, "Сбой, дополнено", file_id=52)  # of which one is left
        await bot.until_idle()
    _, *messages = bot.received(alice)
    files_of_alert = [message for message in messages if message.media is not None]
    assert shown(bot, files_of_alert) == [51, 52, 53]
    assert {(message.reply_to, message.text) for message in files_of_alert} == {(alert.id, "")}
