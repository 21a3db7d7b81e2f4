"""/stats: what is counted, for whom, and the chart that shows it."""

from datetime import timedelta

from bot.models.people import Role
from bot.store import channel_groups
from bot.store.access import Restrictable, restrict
from tests.commands.kit import BORIS, Bot, button, labels, text
from tests.kit_archive import NOON, OTHER, gone, post

PNG = b"\x89PNG"


async def newsroom(bot: Bot) -> None:
    """Two channels with five posts in a week, of which three are alerts and two are gone."""
    await bot.pair()
    await bot.archive.follow(title="Вести $\\q$ 🦊")
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.tracks("авария: авария")
    for number, text_of in enumerate(("Авария на линии", "Авария в сети", "Тихий день")):
        bot.archive.now = NOON - timedelta(days=2 - number)
        seen = bot.archive.now - timedelta(seconds=4)
        await bot.archive.live(post(number + 1, text_of, date=seen))
        if number == 1:
            album = (post(n, "Авария: фото", channel_id=OTHER, date=seen, grouped_id=77) for n in (8, 9))
            await bot.archive.live(*album)
        await bot.archive.send_all()
    await bot.archive.live(gone(1))
    await bot.archive.sweep(gone(2))
    bot.archive.now += timedelta(minutes=1)


async def test_a_chart_is_a_tap_away_from_any_other(bot: Bot) -> None:
    await newsroom(bot)
    shown = (await bot.says("/stats")).messages[0]
    assert shown.png is not None
    assert shown.png.startswith(PNG)
    lines = shown.text.splitlines()
    assert lines[:3] == ["Posts and alerts · 7 days", "Posts: 4", "Alerts: 3"]
    assert lines[-3:] == [
        "Sat 8 Mar: posts 1, alerts 1",
        "Sun 9 Mar: posts 2, alerts 2",
        "Mon 10 Mar: posts 1, alerts 0",
    ]
    said = {}
    for label in ("Hours", "Topics", "Channels", "Delays", "Deletions"):
        page = (await bot.taps(button(shown, label))).edit
        assert page is not None
        assert page.png is not None
        assert [each for each in labels(page) if each in {"30 days", "1 year", "🌙"}] == ["30 days", "1 year", "🌙"]
        said[label] = page.text.splitlines()[1:]
    assert said["Hours"][0] == "Busiest: Sun 11:00, 2 posts an hour"
    assert said["Topics"] == ["авария: 3; 0 before that"]
    assert said["Channels"] == ["Вести $\\q$ 🦊: posts 3, alerts 2", "Хроника: posts 1, alerts 1"]
    assert said["Delays"][0].startswith("From post to alert: half within ")
    assert said["Deletions"] == [
        "Вести $\\q$ 🦊: deleted 1, missing 1; 2 of them had alerts",
        "10 Mar, 12:00 UTC · deletion told by Telegram · Авария на линии · https://t.me/News1001/1",
        "10 Mar, 12:00 UTC · missing when read again · Авария в сети · https://t.me/News1001/2",
    ]
    dark = (await bot.taps(button(shown, "🌙"))).edit
    assert dark is not None
    assert dark.text == shown.text
    assert dark.png not in {None, shown.png}
    assert "☀️" in labels(dark)
    again = (await bot.taps(button(shown, "Posts and alerts"))).edit  # of a message from before
    assert again is not None
    assert again.png == dark.png
    assert (await bot.says("/stats")).messages[0].png == dark.png
    light = (await bot.says("/theme светлая")) and (await bot.says("/stats")).messages[0]
    assert light.png == shown.png


async def test_a_group_and_what_is_restricted_to_others(bot: Bot) -> None:
    await newsroom(bot)
    group = await bot.db.write(lambda tx: channel_groups.make(tx, "Хроники"))
    await bot.db.write(lambda tx: channel_groups.add(tx, group.id, OTHER))
    shown = (await bot.says("/stats group:хроники")).messages[0]
    assert shown.text.splitlines()[:3] == ["Posts and alerts · 7 days · Хроники", "Posts: 1", "Alerts: 1"]
    assert "● Хроники" in labels(shown)
    assert "There is no group, topic or channel «нет»" in text(await bot.says("/stats нет"))
    await bot.pair(BORIS, Role.READER)
    await bot.db.write(lambda tx: restrict(tx, Restrictable.CHANNEL, OTHER, [1]))
    theirs = f"stats:channels:7:g{group.id}".encode()
    assert "Хроника" not in text(await bot.taps(theirs, person=BORIS))
    assert "Nothing in this time." in text(await bot.taps(theirs, person=BORIS))
    assert (await bot.taps(b"stats:days:7:g99")).note == "This button no longer works."


async def test_charts_of_a_topic_and_of_a_channel(bot: Bot) -> None:
    await newsroom(bot)
    for typed, of, posts, alerts in (
        ("авария", "авария", 3, 3),
        ("@News1001", "Вести $\\q$ 🦊", 3, 2),
        ("вести", "Вести $\\q$ 🦊", 3, 2),  # a word of one title
    ):
        shown = (await bot.says(f"/stats {typed}")).messages[0]
        said = [f"Posts and alerts · 7 days · {of}", f"Posts: {posts}", f"Alerts: {alerts}"]
        assert shown.text.splitlines()[:3] == said
        assert f"● {of}" in labels(shown)
    topic = (await bot.says("/stats Авария")).messages[0]
    said = {label: text(await bot.taps(button(topic, label))) for label in ("Hours", "Channels", "Deletions")}
    assert said["Hours"].splitlines()[1] == "Busiest: Sun 11:00, 2 posts an hour"
    assert said["Channels"].splitlines()[1] == "Вести $\\q$ 🦊: posts 2, alerts 2"
    assert said["Deletions"].splitlines()[1] == "Вести $\\q$ 🦊: deleted 1, missing 1; 2 of them had alerts"
    mistyped = await bot.says("/stats овария")
    assert text(mistyped) == "There is no group, topic or channel «овария». Did you mean one of these?"
    assert text(await bot.taps(button(mistyped.messages[0], "авария"))) == topic.text


async def test_a_chart_is_not_kept_with_the_answer(bot: Bot) -> None:
    await newsroom(bot)
    first = await bot.says("/stats", key="asked")
    again = await bot.says("/stats", key="asked")
    assert first.messages[0].png is not None
    assert again.messages[0].png is None
    assert text(again) == text(first)
