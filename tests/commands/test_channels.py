from bot.store import channels, follows, readers
from bot.store.channels import Access
from bot.store.database import Transaction
from bot.store.follows import FollowState
from tests.commands.kit import Bot, button, text
from tests.kit_archive import NEWS, OTHER


async def test_following_says_for_each_what_happens(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.says("/follow @mintsifry")
    told = text(await bot.says("/follow @News1001 @mintsifry t.me/rkn_tg https://t.me/+AbCdEfGhIjKl Минцифры"))
    assert told.splitlines() == [
        "I am checking these and will report on each: @rkn_tg, t.me/+AbCdEfGhIjKl",
        "Already requested, still working on: @mintsifry",
        "Already followed: @news1001",
    ]


async def test_the_chat_that_asked_is_the_one_to_be_told(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.says("/follow @rkn_tg")
    assert [follow.chat_id for follow in await follows.all_follows(bot.db)] == [chat.id]


async def test_what_is_no_channel_is_named(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow https://example.org"))
    assert told == "Not a channel: https://example.org\nWrite @name or a link such as t.me/name."
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
    await bot.db.write(lambda tx: channels.set_mark(tx, NEWS, confirmed_id=9, seen_pts=9, now=bot.archive.now))
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
    names = [f"@channel_{number:03}" for number in range(70)]
    await bot.says("/follow " + " ".join(names))
    first = await bot.says("/channels")
    second = await bot.taps(button(first.messages[0], "2 ›"))
    third = await bot.taps(button(second.edit, "3 ›"))
    shown = [word.rstrip(":") for page in (first, second, third) for word in text(page).split() if word[0] == "@"]
    assert shown == names
    assert "@channel_030" in text(await bot.taps(button(third.edit, "‹ 2")))


async def test_nothing_followed_yet_tells_how_to_begin(bot: Bot) -> None:
    await bot.pair()
    assert "/follow @MID_Russia" in text(await bot.says("/channels"))


async def _refuse(tx: Transaction, reason: str) -> None:
    wish = (await follows.all_follows(tx))[0]
    assert wish.state is FollowState.WANTED
    await follows.refuse(tx, wish.id, reason=reason)
