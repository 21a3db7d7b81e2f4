"""The comments on a channel's posts, in a chat: asked for, alerted to, as private as the channel, ended with it."""

from bot.models import Forward, StoredPost
from bot.models.people import Role, Viewer
from bot.store import channels, comments, enquiries, follows, posts, readers
from bot.store.access import Restrictable, hidden
from bot.store.channels import Access, ResolvedChannel
from bot.store.database import Transaction
from tests.commands.kit import BORIS, Bot, button, labels, text
from tests.kit import messages, send_all
from tests.kit_archive import NEWS, NOON, OTHER, post


async def discussed(bot: Bot) -> None:
    """Follow a channel with its comments, as a reader would."""
    await bot.pair()
    channel = await bot.archive.follow(title="Вести")
    group = ResolvedChannel(id=OTHER, kind="supergroup", title="Вести чат", username=None)

    async def job(tx: Transaction) -> None:
        await comments.follow(tx, group, channel, now=channel.followed_at or NOON)
        await channels.set_access(tx, bot.archive.reader_id, OTHER, Access.POLLED, access_hash=7, now=NOON)

    await bot.db.write(job)


async def stored(bot: Bot, message_id: int) -> StoredPost:
    (found,) = await posts.current(bot.db, OTHER, [message_id])
    return found


async def test_comments_are_asked_for_by_a_word_or_a_switch_and_ended_by_them(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    assert "with the comments on its posts" in text(await bot.says(f"/follow @News{NEWS} comments"))
    asked = await enquiries.next_due(bot.db, bot.archive.reader_id, bot.archive.now, leads=False)
    assert asked is not None
    assert (asked.kind, asked.channel_id) == ("comments", NEWS)
    await bot.says(f"/follow @News{NEWS} безкомментариев")
    assert await enquiries.next_due(bot.db, bot.archive.reader_id, bot.archive.now, leads=False) is None
    screen = (await bot.taps(f"channel:{NEWS}".encode())).edit
    answer = await bot.taps(button(screen, "▫️ Comments"))
    assert answer.note == "I am looking for its comments and will report."
    await bot.db.write(lambda tx: readers.lose(tx, bot.archive.reader_id, "SESSION_REVOKED", now=NOON))
    assert "Only a reader account" in text(await bot.taps(button(screen, "▫️ Comments")))
    asked_for = text(await bot.says("/follow @unknown_yet comments"))
    assert "Comments can be read by a reader account only" in asked_for
    (wish,) = [each for each in await follows.all_follows(bot.db) if each.reference == "@unknown_yet"]
    assert wish.options.typed() == "comments"


async def test_an_alert_names_the_post_that_is_commented_on_as_soon_as_it_is_known(bot: Bot) -> None:
    await discussed(bot)
    await bot.archive.live(post(9, "Сбой?", channel_id=OTHER, root=5, author="Анна"))
    (message,) = [each for each in await messages(bot.db, bot.archive.now) if each.kind == "alert"]
    assert message.post is not None
    assert message.post.link == f"https://t.me/c/{OTHER}/9"
    await send_all(bot.db, bot.archive.now, bot.archive.now)
    copy = post(5, "Сбой в Саратове", channel_id=OTHER, copy_of=(NEWS, 77))
    assert (await bot.archive.live(copy)).new == 0
    (edit,) = await messages(bot.db, bot.archive.now)
    assert edit.label == "edit"
    assert edit.post is not None
    assert edit.post.link == f"https://t.me/News{NEWS}/77?comment=9"
    again = await bot.archive.live(copy)  # an edit of the post, say
    assert (again.new, await messages(bot.db, bot.archive.now)) == (0, [edit])
    other = post(6, "Сбой в другом канале", channel_id=OTHER, copy_of=(4711, 1))  # forwarded by hand, from elsewhere
    assert (await bot.archive.live(other)).new == 1
    assert "Сбой?" in text(await bot.says('/search сбой in:"Вести чат"'))
    await send_all(bot.db, bot.archive.now, bot.archive.now)
    words = "Массовый сбой у оператора связи: абоненты трёх областей не могут дозвониться"
    await bot.archive.live(post(78, words))
    await bot.archive.live(post(10, words, channel_id=OTHER, root=5))
    joined = [each.link for alert in await messages(bot.db, bot.archive.now) for each in alert.duplicates]
    assert joined == [f"https://t.me/News{NEWS}/77?comment=10"]


async def test_comments_belong_to_those_whom_the_channel_belongs_to_and_end_with_it(bot: Bot) -> None:
    await discussed(bot)
    boris = await bot.pair(BORIS, Role.EDITOR)
    shown = await bot.taps(f"channel:{OTHER}".encode())
    assert "comments on a channel" in text(shown)
    assert not {"Comments", "Similar channels"} & set(labels(shown.edit))
    kept = await bot.says("/private Вести", person=BORIS)
    kept = await bot.taps(button(kept.messages[0], "Only here"), person=BORIS) if "Only here" in str(kept) else kept
    viewer = await bot.chat((await bot.pair(503)).peer)
    assert await hidden(bot.db, Restrictable.CHANNEL, Viewer(chat_id=viewer.id)) == (NEWS, OTHER)
    assert await hidden(bot.db, Restrictable.CHANNEL, Viewer(chat_id=boris.id)) == ()
    asked = await bot.says("/unfollow Вести")
    ended = await bot.taps(button(asked.messages[0], "Unfollow"))
    assert await channels.followed(bot.db) == []
    await bot.taps(button(ended.edit, "Undo"))
    assert {each.id: each.comments_in for each in await channels.followed(bot.db)} == {NEWS: OTHER, OTHER: None}


async def test_a_group_that_was_followed_for_itself_knows_its_posts_from_then(bot: Bot) -> None:
    await bot.archive.follow(OTHER, title="Вести чат")
    origin = Forward(channel_id=NEWS, message_id=77, name=None, date=NOON)
    await bot.archive.live(post(5, "Погода", channel_id=OTHER, forward=origin))
    await bot.archive.live(post(9, "Будет ли дождь?", channel_id=OTHER, root=5))
    await discussed(bot)
    assert (await stored(bot, 9)).link == f"https://t.me/News{NEWS}/77?comment=9"
