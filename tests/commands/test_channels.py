from bot.store import channels, follows, readers
from bot.store.channels import Access
from bot.store.database import Transaction
from bot.store.follows import FollowState
from tests.commands.kit import Bot, button, text
from tests.store.kit import NEWS, OTHER


async def test_following_says_for_each_what_happens(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow()
    await desk.says("/follow @mintsifry")
    told = text(await desk.says("/follow @News1001 @mintsifry t.me/rkn_tg https://t.me/+AbCdEfGhIjKl Минцифры"))
    assert told.splitlines() == [
        "I look at these now and tell you how each went: @rkn_tg, t.me/+AbCdEfGhIjKl",
        "Asked for already, I am at it: @mintsifry",
        "Followed already: @news1001",
    ]


async def test_the_chat_that_asked_is_the_one_to_be_told(desk: Bot) -> None:
    chat = await desk.pair()
    await desk.says("/follow @rkn_tg")
    assert [follow.chat_id for follow in await follows.all_follows(desk.db)] == [chat.id]


async def test_what_is_no_channel_is_named(desk: Bot) -> None:
    await desk.pair()
    told = text(await desk.says("/follow https://example.org"))
    assert told == "No channel: https://example.org\nWrite @name or a link such as t.me/name."
    assert "/follow @MID_Russia" in text(await desk.says("/follow"))


async def test_a_refused_channel_is_tried_again(desk: Bot) -> None:
    await desk.pair()
    await desk.says("/follow @nobody_here")
    await desk.db.write(lambda tx: _refuse(tx, "USERNAME_NOT_OCCUPIED"))
    assert "@nobody_here: could not be followed. There is no channel by this name." in text(
        await desk.says("/channels")
    )
    assert "I try again: @nobody_here" in text(await desk.says("/follow @nobody_here"))


async def test_a_whole_list_of_links_behind_words_is_followed(desk: Bot) -> None:
    await desk.pair()
    await desk.says("/follow\nМИД\nРКН", links=("https://t.me/MID_Russia", "https://t.me/rkn_tg"))
    assert [follow.reference for follow in await follows.all_follows(desk.db)] == ["@mid_russia", "@rkn_tg"]


async def test_unfollowing_keeps_the_posts_and_says_so(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow(title="Вести недели")
    assert (
        text(await desk.says("/unfollow Вести недели")) == "I no longer follow Вести недели. Its posts stay searchable."
    )
    assert await channels.followed(desk.db) == []
    assert "I follow no channel «@News1001»" in text(await desk.says("/unfollow @News1001"))


async def test_a_list_to_unfollow_may_hold_titles_and_each_is_answered_for(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow(NEWS, title="Вести недели")
    await desk.room.follow(OTHER, title="Хроника")
    told = text(await desk.says("/unfollow Вести недели, @news1002\nМИД"))
    assert told.splitlines() == [
        "I no longer follow Вести недели. Its posts stay searchable.",
        "I no longer follow Хроника. Its posts stay searchable.",
        "I follow no channel «МИД». See /channels.",
    ]


async def test_a_wish_that_is_not_fulfilled_can_be_withdrawn(desk: Bot) -> None:
    await desk.pair()
    await desk.says("/follow @rkn_tg")
    assert text(await desk.says("/unfollow @rkn_tg")) == "I no longer try to follow @rkn_tg."
    assert await follows.all_follows(desk.db) == []


async def test_the_list_shows_how_each_channel_is_read(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow(NEWS, title="Вести")
    await desk.room.follow(OTHER, title="Хроника")
    await desk.says("/follow @rkn_tg")
    await desk.db.write(lambda tx: channels.set_mark(tx, NEWS, confirmed_id=9, seen_pts=9, now=desk.room.now))
    reader_id = await desk.db.write(lambda tx: readers.register(tx, 42, desk.room.now))
    await desk.db.write(
        lambda tx: channels.set_access(tx, reader_id, OTHER, Access.LOST, reason="CHANNEL_PRIVATE", now=desk.room.now)
    )
    shown = await desk.says("/channels")
    assert text(shown).splitlines() == [
        "I follow 2 channels.",
        "What Telegram does not push I find within 1 min; it is slow with large channels.",
        "",
        "Вести: joined, seconds",
        "Хроника: ⚠️ no longer readable. It is private. Send me its invite link: https://t.me/+…",
        "@rkn_tg: waiting to be looked at",
    ]
    assert "https://t.me/News1001" in [entity.value for entity in shown.messages[0].entities]


async def test_a_long_list_is_turned_page_by_page(desk: Bot) -> None:
    await desk.pair()
    names = [f"@channel_{number:03}" for number in range(70)]
    await desk.says("/follow " + " ".join(names))
    first = await desk.says("/channels")
    second = await desk.taps(button(first.messages[0], "2 ›"))
    third = await desk.taps(button(second.edit, "3 ›"))
    shown = [word.rstrip(":") for page in (first, second, third) for word in text(page).split() if word[0] == "@"]
    assert shown == names
    assert "@channel_030" in text(await desk.taps(button(third.edit, "‹ 2")))


async def test_nothing_followed_yet_tells_how_to_begin(desk: Bot) -> None:
    await desk.pair()
    assert "/follow @MID_Russia" in text(await desk.says("/channels"))


async def _refuse(tx: Transaction, reason: str) -> None:
    wish = (await follows.all_follows(tx))[0]
    assert wish.state is FollowState.WANTED
    await follows.refuse(tx, wish.id, reason=reason)
