from datetime import timedelta
from functools import partial

import pytest

from bot.commands.context import Reply
from bot.models import Withholding
from bot.models.people import Role
from bot.store import channels, follows, marks, page_readings, readers, subscriptions, unreadable
from bot.store.channels import Access
from bot.store.database import Transaction
from bot.store.follows import FollowState
from tests.commands.kit import BORIS, Bot, button, labels, text
from tests.kit_archive import NEWS, OTHER, post
from tests.kit_clock import NOON


async def test_following_says_for_each_what_happens(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.says("/follow @mintsifry")
    told = text(await bot.says("/follow @News1001 @mintsifry t.me/rkn_tg https://t.me/+AbCdEfGhIjKl Минцифры"))
    assert told.splitlines() == [
        "I follow 0 of 3 channels…",
        "",
        "… @mintsifry, @rkn_tg, t.me/+AbCdEfGhIjKl",
        "",
        "Already requested, still working on: @mintsifry",
        "Already followed: @news1001",
    ]


async def test_the_chat_that_asked_is_the_one_to_be_told(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.says("/follow @rkn_tg")
    assert [follow.chat_id for follow in await follows.all_follows(bot.db)] == [chat.id]


async def test_what_is_no_channel_is_named(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow ftp://example.org"))
    assert told == "Not a channel: ftp://example.org\nWrite @name or a link such as t.me/name."
    assert "/follow @MID_Russia" in text(await bot.says("/follow"))


async def test_a_refused_channel_is_tried_again(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/follow @nobody_here")
    await bot.db.write(lambda tx: _refuse(tx, "USERNAME_NOT_OCCUPIED"))
    assert "@nobody_here: could not be followed. There is no channel with this name." in text(
        await bot.says("/channels")
    )
    assert "trying again: @nobody_here" in text(await bot.says("/follow @nobody_here"))


async def test_a_whole_list_of_links_behind_words_is_followed(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/follow\nМИД\nРКН", links=("https://t.me/MID_Russia", "https://t.me/rkn_tg"))
    assert [follow.reference for follow in await follows.all_follows(bot.db)] == ["@mid_russia", "@rkn_tg"]


async def test_unfollowing_keeps_the_posts_and_says_so(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести недели")
    assert (
        text(await bot.says("/unfollow Вести недели")) == "I no longer follow Вести недели. Its posts stay searchable."
    )
    assert await channels.followed(bot.db) == []
    assert "I do not follow a channel called «@News1001»" in text(await bot.says("/unfollow @News1001"))


async def test_a_list_to_unfollow_may_hold_titles_and_each_is_answered_for(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(NEWS, title="Вести недели")
    await bot.archive.follow(OTHER, title="Хроника")
    told = text(await bot.says("/unfollow Вести недели, @news1002\nМИД"))
    assert told.splitlines() == [
        "I no longer follow Вести недели. Its posts stay searchable.",
        "I no longer follow Хроника. Its posts stay searchable.",
        "I do not follow a channel called «МИД». See /channels.",
    ]


async def test_a_wish_that_is_not_fulfilled_can_be_withdrawn(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/follow @rkn_tg")
    assert text(await bot.says("/unfollow @rkn_tg")) == "I have stopped trying to follow @rkn_tg."
    assert await follows.all_follows(bot.db) == []


async def test_the_list_shows_how_each_channel_is_read(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(NEWS, title="Вести")
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.says("/follow @rkn_tg")
    await bot.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=9, seen_pts=9, now=bot.archive.now))
    reader_id = await bot.db.write(lambda tx: readers.register(tx, 42, bot.archive.now))
    await bot.db.write(
        lambda tx: channels.set_access(tx, reader_id, OTHER, Access.LOST, reason="CHANNEL_PRIVATE", now=bot.archive.now)
    )
    shown = await bot.says("/channels")
    assert text(shown).splitlines() == [
        "I follow 2 channels.",
        "What Telegram does not push, I find within 1 min; Telegram is slow with large channels.",
        "",
        "Вести: joined, seconds",
        "Хроника: ⚠️ no longer readable. It is private. Send me its invite link: https://t.me/+…",
        "@rkn_tg: waiting to be looked at",
    ]
    assert "https://t.me/News1001" in [entity.value for entity in shown.messages[0].entities]


async def test_a_long_list_is_turned_page_by_page(bot: Bot) -> None:
    await bot.pair()
    names = [f"@channel_{number:03}" for number in range(25)]
    await bot.says("/follow " + " ".join(names))
    first = await bot.says("/channels")
    second = await bot.taps(button(first.messages[0], "›"))
    third = await bot.taps(button(second.edit, "›"))
    assert labels(third.edit) == ["‹", "3/3", "Find a channel"]
    shown = [word.rstrip(":") for page in (first, second, third) for word in text(page).split() if word[0] == "@"]
    assert shown == names
    assert "@channel_010" in text(await bot.taps(button(third.edit, "‹")))
    assert "@channel_024" in text(await bot.taps(b"list:9999"))


async def test_a_word_finds_channels_and_stays_while_pages_are_turned(bot: Bot) -> None:
    await bot.pair()
    for number in range(1, 13):
        await bot.archive.follow(NEWS + number, title=f"Министерство {number:02}")
    await bot.archive.follow(OTHER + 100, title="Хроника")
    found = await bot.says("/channels МИНИСТ")
    assert "12 channels with «минист»" in text(found)
    turned = await bot.taps(button(found.messages[0], "›"))
    assert labels(turned.edit) == ["Министерство 11", "Министерство 12", "‹", "2/2", "All channels", "Find a channel"]
    asked = await bot.taps(button(turned.edit, "Find a channel"))
    assert "Which word" in text(asked)
    assert labels((await bot.says("хрон")).messages[0]) == ["Хроника", "All channels", "Find a channel"]


async def opened(bot: Bot, **who: int) -> Reply:
    """Open the screen of the one channel that is followed."""
    listed = await bot.says("/channels", **who)
    return await bot.taps(button(listed.messages[0], "Вести"), **who)


async def test_the_screen_of_a_channel_shows_what_it_brought_here(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(NEWS, title="Вести")
    await bot.archive.live(post(1, "Сбой"), post(2, "Погода"))
    bot.archive.now += timedelta(days=8)
    await bot.archive.live(post(3, "Нет связи: сбой в другом городе", date=bot.archive.now))
    said = text(await opened(bot))
    assert "Last post: 18 Mar, 12:00 UTC" in said
    assert "Alerts in this chat: 1 in 7 days, 2 in 30 days" in said
    assert "hides" not in said
    where = (Withholding("ios-all-ru", "copyright", "Sorry"),)
    await bot.db.write(partial(channels.set_withheld, channel_id=NEWS, found=where, reader_id=None, now=NOON))
    line = (
        "⚠️ Telegram hides this channel: iOS, all apps, Russia – copyright («Sorry»). Seen so since 10 Mar, 12:00 UTC."
    )
    assert line in text(await opened(bot)).splitlines()
    assert "hides these in some apps or countries: «Вести». /channels says" in text(await bot.says("/status"))


async def test_each_action_redraws_the_screen(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = await bot.pair()
    await bot.archive.follow(NEWS, title="Вести")
    screen = await opened(bot)
    muted = await bot.taps(button(screen.edit, "Mute 8 h"))
    assert "Muted in this chat until 10 Mar, 20:00 UTC." in text(muted)
    assert [each.channel_id for each in await subscriptions.mutes_of(bot.db, chat.id, bot.archive.now)] == [NEWS]
    assert "Muted" not in text(await bot.taps(button(muted.edit, "Unmute")))
    fast = await bot.taps(button(screen.edit, "Fast"))
    assert (await channels.followed(bot.db))[0].fast
    await bot.taps(button(fast.edit, "No longer fast"))
    never = await bot.taps(button(fast.edit, "Never join"))
    assert not (await channels.followed(bot.db))[0].may_join
    assert button(never.edit, "May join")
    monkeypatch.setenv("PATH", "/nowhere")
    read = await bot.taps(button(never.edit, "Read pictures"))
    assert "The program that reads pictures is not on the server yet" in text(read)
    assert (await channels.followed(bot.db))[0].ocr
    assert "How: text in its pictures is no longer read." in text(await bot.says(f"/follow @News{NEWS} ocr:no"))
    assert "Вести" in text(await bot.taps(button(screen.edit, "All channels")))


async def test_unfollowing_on_the_screen_asks_once_and_can_be_undone(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.archive.follow(NEWS, title="Вести")
    asked = await bot.taps(button((await opened(bot)).edit, "Unfollow"), key="tap-stop")
    assert "This also ends Вести for 1 other chat. Unfollow?\nPerson 502" in text(asked)
    assert "Alerts in this chat" in text(await bot.taps(button(asked.edit, "Keep it")))
    done = await bot.taps(button(asked.edit, "Unfollow"))
    assert await channels.followed(bot.db) == []
    assert "I no longer follow" in (await bot.taps(f"channel:{NEWS}".encode())).note
    await bot.taps(button(done.edit, "Undo"))
    assert [each.id for each in await channels.followed(bot.db)] == [NEWS]


async def test_a_reader_sees_no_buttons_that_they_may_not_tap(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.archive.follow(NEWS, title="Вести")
    assert labels((await opened(bot, person=BORIS)).edit) == [
        *("Newest posts", "Similar channels", "Mute 8 h", "7 days", "For good", "Send every post"),
        "All channels",
    ]


@pytest.mark.parametrize("data", [b"channel:77", b"hush:77:on", b"how:77:fast", b"stop:77"])
async def test_a_button_of_a_channel_that_is_not_there_says_so(bot: Bot, data: bytes) -> None:
    await bot.pair()
    assert (await bot.taps(data)).note == "This button no longer works."


async def test_nothing_followed_yet_tells_how_to_begin(bot: Bot) -> None:
    await bot.pair()
    assert "/follow @MID_Russia" in text(await bot.says("/channels"))


async def _refuse(tx: Transaction, reason: str) -> None:
    wish = (await follows.all_follows(tx))[0]
    assert wish.state is FollowState.WANTED
    await follows.refuse(tx, wish.id, reason=reason)


async def test_what_is_read_through_its_page_says_so(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(NEWS, title="Вести")

    async def job(tx: Transaction) -> None:
        await page_readings.begin(tx, [NEWS], now=bot.archive.now)
        await page_readings.set_read(tx, NEWS, last_id=9, gap_below=30, now=bot.archive.now)
        await unreadable.put_hidden(tx, NEWS, [31], now=bot.archive.now)

    await bot.db.write(job)
    assert "🌐 through its web page, up to 1 min late; older posts are still being read; 1 post is not" in text(
        await bot.says("/channels")
    )
    assert "so I have read its web page since 10 Mar, 12:00 UTC." in text(await opened(bot))
    assert "Since 10 Mar, 12:00 UTC 1 channel is read through its web page" in text(await bot.says("/status"))
    await bot.db.write(lambda tx: page_readings.set_trouble(tx, NEWS, "taken_over", now=bot.archive.now))
    listed = text(await bot.says("/channels"))
    assert "⚠️ not read now, as no reader account can read it; Its name belongs to another channel now" in listed


async def test_a_channel_can_be_compared_with_its_page(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(NEWS, title="Вести")
    screen = await bot.taps(button((await opened(bot)).edit, "Compare with web page"))
    assert "Each hour I compare it with its web page" in text(screen)
    assert "How: no longer compared with its web page." in text(await bot.says(f"/follow @News{NEWS} witness:no"))
