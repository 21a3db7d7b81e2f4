"""Topics that are limited to channels and channel groups."""

import pytest

from bot.store import channel_groups, topics
from tests.commands.kit import Bot, button, text
from tests.kit_archive import NEWS, OTHER, compiled, post


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Follow two channels, one of which is in the group «регуляторы»."""
    archive = bot.archive
    await bot.pair()
    await archive.follow(NEWS, title="ЦБ РФ")
    await archive.follow(OTHER, title="Новости города")
    group = await bot.db.write(lambda tx: channel_groups.make(tx, "Регуляторы"))
    await bot.db.write(lambda tx: channel_groups.add(tx, group.id, NEWS))
    return bot


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("in:регуляторы", "the group «Регуляторы» (1 channel)"),
        ("in:@news1001", "Only in: ЦБ РФ"),
        ('in:"цб"', "channels with «цб» in their titles (ЦБ РФ)"),
        ("in:РЕГУЛЯТОРЫ|@News1001", "the group «Регуляторы» (1 channel), ЦБ РФ"),
        ("в:«регуляторы» in:@news1001", "the group «Регуляторы» (1 channel), ЦБ РФ"),
    ],
)
async def test_a_topic_is_limited(newsroom: Bot, typed: str, shown: str) -> None:
    archive = newsroom.archive
    offered = await newsroom.says(f"/track Топливо: бензин {typed}")
    assert any(line.endswith(shown) for line in text(offered).splitlines())
    assert shown in text(await newsroom.taps(button(offered.messages[0], "Save")))
    await archive.live(post(1, "Нет бензина"), post(1, "Бензина нет", channel_id=OTHER))
    assert [each.channel_id for each in await archive.outbox() if each.kind == "alert"] == [NEWS]
    assert "бензин in:" in text(await newsroom.says("/topics"))


async def test_an_unknown_limit_is_refused(newsroom: Bot) -> None:
    assert "There is no channel or group «банки»" in text(await newsroom.says("/track Топливо: бензин in:банки"))


async def test_the_limit_is_changed_by_track_again(newsroom: Bot) -> None:
    await newsroom.tracks("Топливо: бензин in:регуляторы")
    again = await newsroom.says("/track Топливо: бензин")
    assert "was: бензин in:Регуляторы" in text(again)
    await newsroom.taps(button(again.messages[0], "Save"))
    await newsroom.archive.live(post(1, "Бензина нет", channel_id=OTHER))
    assert len([each for each in await newsroom.archive.outbox() if each.kind == "alert"]) == 1


async def test_members_count_at_once_and_explanations_know_the_limit(newsroom: Bot) -> None:
    archive = newsroom.archive
    await newsroom.tracks("Топливо: бензин in:регуляторы")
    await archive.live(post(1, "Бензина нет", channel_id=OTHER))
    assert "limited to other channels" in text(await newsroom.says("/post https://t.me/News1002/1"))
    assert "limited to other channels" in text(await newsroom.taps(f"why:{OTHER}:1".encode()))
    (group,) = await channel_groups.every(newsroom.db)
    await newsroom.db.write(lambda tx: channel_groups.add(tx, group.id, OTHER))
    await archive.live(post(2, "Бензина нет и сегодня", channel_id=OTHER))
    assert [each.post_key for each in await archive.outbox() if each.kind == "alert"] == ["m2"]


async def test_a_name_of_a_group_and_a_channel_means_the_group_and_says_so(newsroom: Bot) -> None:
    group = await newsroom.db.write(lambda tx: channel_groups.make(tx, "Новости города"))
    await newsroom.db.write(lambda tx: channel_groups.add(tx, group.id, NEWS))
    shown = text(await newsroom.says('/track Топливо: бензин in:"новости города"'))
    assert "is the group here; for the channel write in:@News1002" in shown


async def test_a_file_may_limit_its_topic_to_what_is_not_there_yet(newsroom: Bot) -> None:
    filed = topics.FiledTopic(name="Топливо", query="бензин", on_by_default=False, limits=("банки", "@news1001"))
    await newsroom.db.write(
        lambda tx: topics.take_over(tx, [filed], lambda query, _: compiled(query).to_json(), now=newsroom.archive.now)
    )
    await newsroom.says("/track Топливо")
    shown = text(await newsroom.says("/topics"))
    assert "Топливо: in:банки in:@news1001" in shown
    assert "⚠️ Топливо: there is no channel or group «банки» yet." in shown
    archive = newsroom.archive
    await archive.live(post(1, "Бензина нет"), post(1, "Бензин пропал", channel_id=OTHER))
    group = await newsroom.db.write(lambda tx: channel_groups.make(tx, "Банки"))
    await newsroom.db.write(lambda tx: channel_groups.add(tx, group.id, OTHER))
    await archive.live(post(2, "Где бензин, неизвестно", channel_id=OTHER))
    assert [each.channel_id for each in await archive.outbox() if each.kind == "alert"] == [NEWS, OTHER]
    assert "there is no channel" not in text(await newsroom.says("/topics"))
