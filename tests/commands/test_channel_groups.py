"""Channel groups: made as channels are followed or by taps, named in searches, mutes and topics; and feeds."""

from dataclasses import replace

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Media
from bot.models.notices import NOTICES
from bot.models.people import Role
from bot.rendering.acts import describe_act
from bot.rendering.groups import render_page
from bot.store import channel_groups, channels, follows, groups
from bot.store.channel_groups import Directory
from bot.store.channels import ResolvedChannel
from tests.commands.kit import ANNA, BORIS, Bot, button, labels, text
from tests.kit_archive import NEWS, NOON, OTHER, post


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Follow two channels."""
    await bot.pair()
    await bot.archive.follow(NEWS, title="ЦБ РФ")
    await bot.archive.follow(OTHER, title="Новости города")
    return bot


async def members(bot: Bot, name: str) -> list[str]:
    directory = await Directory.load(bot.db)
    group = await channel_groups.find(bot.db, name)
    return [] if group is None else [channel.title for channel in directory.members(group.id)]


async def alerted(bot: Bot) -> list[str]:
    return [each.post_key for each in await bot.archive.outbox() if each.kind == "alert"]


@pytest.mark.parametrize(
    ("typed", "names", "inside"),
    [
        ("@News1001 @News1002 group:Регуляторы", ["Регуляторы"], ["Новости города", "ЦБ РФ"]),
        ("@News1001 group:регуляторы group:«Крупные банки»", ["Регуляторы", "крупные банки"], ["ЦБ РФ"]),
        ('group:"крупные банки"\n@News1001\n@News1002', ["крупные банки"], ["Новости города", "ЦБ РФ"]),
        ("@News1001 группа:Регуляторы\n@News1002", ["Регуляторы"], ["Новости города", "ЦБ РФ"]),
        ("@News1001\n@News1002 group:МИД", ["мид"], ["Новости города", "ЦБ РФ"]),
        ("@News1001 group:МИД\n@News1002 group:Город", ["мид"], ["ЦБ РФ"]),
    ],
)
async def test_followed_channels_join_groups(newsroom: Bot, typed: str, names: list[str], inside: list[str]) -> None:
    answer = text(await newsroom.says(f"/follow {typed}"))
    assert "Added to the group " in answer
    for name in names:
        assert await members(newsroom, name) == inside


async def test_a_channel_that_is_not_followed_yet_joins_once_it_is(newsroom: Bot) -> None:
    names = " ".join(f"@channel{number}" for number in range(40))
    await newsroom.says(f"/follow {names} group:Регуляторы all")
    wishes = await follows.all_follows(newsroom.db)
    assert len([each for each in wishes if each.channel_groups and each.feeds]) == 40
    assert "Not checked yet: 40." in text(await newsroom.says("/groups Регуляторы"))
    await newsroom.db.write(
        lambda tx: tx.execute("UPDATE follows SET reference = '1003' WHERE reference = '@channel7'")
    )
    await newsroom.archive.follow(1003, title="Седьмой")
    assert await members(newsroom, "регуляторы") == ["Седьмой"]
    await newsroom.archive.live(post(1, "Что угодно", channel_id=1003))
    assert await alerted(newsroom) == ["m1"]


async def test_channels_go_in_and_out_by_taps(newsroom: Bot) -> None:
    shown = await newsroom.says("/groups Регуляторы")
    page = await newsroom.taps(button(shown.messages[0], "Create it"))
    page = await newsroom.taps(button(page.edit, "▫️ ЦБ РФ"))
    assert await members(newsroom, "Регуляторы") == ["ЦБ РФ"]
    page = await newsroom.taps(button(page.edit, "✅ ЦБ РФ"))
    assert await members(newsroom, "Регуляторы") == []
    listed = await newsroom.says("/groups")
    assert "Регуляторы · 0" in labels(listed.messages[0])


async def test_what_hits_others_is_told_and_undone(newsroom: Bot) -> None:
    boris = await newsroom.pair(BORIS, Role.READER)
    await newsroom.says("/follow @News1001 group:Регуляторы")
    await newsroom.tracks("Топливо: бензин in:регуляторы")
    await newsroom.says("/track Топливо", person=BORIS)
    group = await channel_groups.find(newsroom.db, "регуляторы")
    assert group is not None
    changed = await newsroom.taps(f"ingroup:{group.id}:{OTHER}:on:0".encode())
    assert "added Новости города to the channel group «Регуляторы»" in await told(newsroom, boris.id)
    await newsroom.taps(button(changed.edit, "Undo"))
    assert await members(newsroom, "Регуляторы") == ["ЦБ РФ"]
    asked = await newsroom.taps(f"ingroup:{group.id}:{NEWS}:off:0".encode())
    assert "Take ЦБ РФ out of «Регуляторы»? That concerns 1 other chat" in text(asked)
    await newsroom.taps(button(asked.edit, "Take it out"))
    assert await members(newsroom, "Регуляторы") == []
    await newsroom.taps(f"ingroup:{group.id}:{NEWS}:on:c".encode())
    await newsroom.says("/groups регуляторы: Надзор")
    assert "in:Надзор" in text(await newsroom.says("/topics"))
    asked = await newsroom.taps(f"ungroup:{group.id}".encode())
    assert "Топливо is limited to it" in text(asked)
    assert "1 other chat" in text(asked)
    gone = await newsroom.taps(button(asked.edit, "Delete"))
    assert "there is no channel or group «Надзор» yet" in text(await newsroom.says("/topics"))
    await newsroom.taps(button(gone.edit, "Undo"))
    assert await members(newsroom, "Надзор") == ["ЦБ РФ"]


async def told(bot: Bot, chat_id: int) -> str:
    rows = await bot.db.fetch_all("SELECT body FROM messages WHERE chat_id = ? AND notice = 'act'", (chat_id,))
    notices = [NOTICES.validate_json(row["body"]) for row in rows]
    return "\n".join(describe_act(each.act, each.name, translator("en")) for each in notices)  # type: ignore[union-attr]


async def test_readers_see_groups_and_change_none(newsroom: Bot) -> None:
    await newsroom.pair(BORIS, Role.READER)
    await newsroom.says("/follow @News1001 group:Регуляторы")
    shown = await newsroom.says("/groups регуляторы", person=BORIS)
    assert labels(shown.messages[0]) == ["Send every post", "Mute", "All groups"]
    assert "There is no group «Банки»" in text(await newsroom.says("/groups Банки", person=BORIS))


async def test_searches_and_mutes_know_groups(newsroom: Bot) -> None:
    await newsroom.says("/follow @News1001 group:Регуляторы")
    await newsroom.tracks("Топливо: бензин")
    await newsroom.archive.live(post(1, "Бензина нет"), post(1, "Бензин есть, город", channel_id=OTHER))
    found = text(await newsroom.says("/search бензин in:регуляторы"))
    assert "ЦБ РФ" in found
    assert "Новости города" not in found
    offered = await newsroom.dispatch.offer(ANNA, "бензин in:регуляторы")
    assert [each.title.partition(" · ")[0] for each in offered] == ["ЦБ РФ"]
    assert "Muted in this chat: group «Регуляторы»" in text(await newsroom.says("/mute регуляторы"))
    before = len(await alerted(newsroom))
    await newsroom.archive.live(post(2, "Совсем нет бензина"), post(2, "Бензин кончился и там", channel_id=OTHER))
    assert len(await alerted(newsroom)) == before + 1
    assert "group «Регуляторы»" in text(await newsroom.says("/topics"))
    assert "No longer muted: group «Регуляторы»" in text(await newsroom.says("/unmute регуляторы"))


async def test_every_post_comes_until_it_is_switched_off(newsroom: Bot) -> None:
    await newsroom.says("/follow @News1001 all")
    await newsroom.archive.live(post(1, "Что угодно"), post(2, ""), post(1, "Другое", channel_id=OTHER))
    assert await alerted(newsroom) == ["m1"]
    topics = await newsroom.says("/topics")
    assert "✅ All posts: ЦБ РФ" in labels(topics.messages[0])
    await newsroom.taps(button(topics.messages[0], "✅ All posts: ЦБ РФ"))
    await newsroom.archive.live(post(3, "И ещё что-то"))
    assert await alerted(newsroom) == ["m1"]
    assert "All posts" not in text(await newsroom.says("/topics"))


async def test_a_group_has_a_feed_too(newsroom: Bot) -> None:
    await newsroom.says("/follow @News1002 group:Город")
    await newsroom.says("/follow group:Город all")
    await newsroom.archive.live(post(1, "Что угодно"), post(1, "Другое", channel_id=OTHER))
    assert await alerted(newsroom) == ["m1"]
    shown = await newsroom.says("/groups город")
    await newsroom.taps(button(shown.messages[0], "Stop sending every post"))
    await newsroom.archive.live(post(2, "Третье", channel_id=OTHER))
    assert await alerted(newsroom) == ["m1"]


async def test_a_digest_gathers_the_channels_of_a_group(newsroom: Bot) -> None:
    archive = newsroom.archive
    await newsroom.says("/follow @News1001 group:Регуляторы")
    await newsroom.tracks("Топливо: бензин")
    await newsroom.says("/priority Топливо digest")
    await archive.live(post(1, "Бензин в городе кончился", channel_id=OTHER), post(1, "Бензина нет"))
    group_id = await newsroom.db.fetch_value("SELECT id FROM groups")
    locale = Locale(t=translator("en"), time_zone="UTC", now=NOON)
    shown = render_page(await groups.get(newsroom.db, group_id), 0, locale)
    lines = [line for line in shown.text.splitlines() if line.startswith("Топливо")]
    assert lines == ["Топливо · Регуляторы", "Топливо"]


async def test_latest_and_searches_know_what_a_name_means(newsroom: Bot) -> None:
    await newsroom.says('/follow @News1001 group:"новости города"')
    await newsroom.archive.live(post(1, "Бензина нет"), post(1, "Бензин есть, город", channel_id=OTHER))
    found = text(await newsroom.says('/search бензин in:"новости города"'))
    assert "«новости города» is the group here; for the channel write in:@News1002." in found
    assert "Бензин есть" not in found
    assert "Бензина нет" in text(await newsroom.says("/latest новости города"))


async def test_a_limit_that_finds_nothing_is_told_in_topics(newsroom: Bot) -> None:
    await newsroom.tracks("Топливо: бензин in:@News1001")
    await newsroom.says("/unfollow @News1001")
    assert "⚠️ Топливо: none of its channels is followed now" in text(await newsroom.says("/topics"))


async def test_a_renamed_channel_takes_topics_and_its_feed_along(newsroom: Bot) -> None:
    await newsroom.tracks("Топливо: бензин in:@News1001")
    await newsroom.says("/follow @News1001 all")
    old = ResolvedChannel(id=NEWS, kind="broadcast", title="ЦБ РФ", username="News1001")
    new = ResolvedChannel(id=NEWS, kind="broadcast", title="Банк России", username="cbr")
    await newsroom.db.write(lambda tx: channels.rename(tx, NEWS, title=new.title, username=new.username))
    await newsroom.db.write(lambda tx: channel_groups.follow_channel(tx, old, new))
    shown = await newsroom.says("/topics")
    assert "бензин in:@cbr" in text(shown)
    assert "✅ All posts: Банк России" in labels(shown.messages[0])


async def test_every_post_with_something_in_it_comes_once(newsroom: Bot) -> None:
    await newsroom.says("/follow @News1001 all")
    archive, photo = newsroom.archive, Media(kind="photo", id=5, title="")
    await archive.live(post(1, "", media=photo), post(2, "", media=replace(photo, id=6)), post(3, ""))
    assert await alerted(newsroom) == ["m1", "m2"]  # without words nothing says the same
    await archive.live(post(4, "", media=photo, grouped_id=9), post(5, "Подпись к альбому", media=photo, grouped_id=9))
    shown = [each for each in await archive.outbox() if each.kind == "alert"][-1]
    assert (shown.post_key, (await archive.stored(5)).text) == ("g9", "Подпись к альбому")
    await archive.live(post(6, "Второй пост"), post(7, "Второй пост"))
    assert await alerted(newsroom) == ["m1", "m2", "g9", "m6"]  # the same words join


async def test_a_topic_and_every_post_make_one_alert(newsroom: Bot) -> None:
    await newsroom.says("/follow @News1001 all")
    await newsroom.tracks("Топливо: бензин")
    await newsroom.archive.live(post(1, "Бензина нет"))
    (topics,) = [row["topics"] for row in await newsroom.db.fetch_all("SELECT topics FROM alerts")]
    assert topics == '["Топливо","* ЦБ РФ"]'
    assert "All posts: ЦБ РФ" in text(await newsroom.says("/post https://t.me/News1001/1"))
    assert "✅ All posts: ЦБ РФ" in text(await newsroom.taps(f"why:{NEWS}:1".encode()))
