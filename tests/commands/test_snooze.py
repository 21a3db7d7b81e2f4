from datetime import UTC, datetime, timedelta

import pytest

from bot.commands.context import Reply
from bot.models.people import Role
from bot.store import subscriptions
from tests.commands.alerts import USUAL, alerted, key, labels
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, text
from tests.kit_archive import NEWS, NOON, OTHER, post

SNOOZE = f"snooze:{NEWS}:1".encode()
DIFFERENT = {NEWS: "Сбой насосов на водозаборе", OTHER: "У оператора связи сбой: абоненты без звонков"}
MONDAY = datetime(2025, 3, 17, 9, tzinfo=UTC)  # noon of the tests is on a Monday


async def told(bot: Bot) -> list[tuple[int | None, str | None]]:
    return [(alert.channel_id, alert.post_key) for alert in await bot.archive.outbox() if alert.label == "alert"]


async def test_the_choices_take_the_place_of_the_buttons_and_back_restores_them(bot: Bot) -> None:
    await alerted(bot)
    what = await bot.taps(SNOOZE)
    assert (what.edit, what.messages, what.note) == (None, (), None)
    assert labels(what) == ["Channel Вести", "Topic Outages", "Outages in Вести", "Back"]
    times = await bot.taps(key(what, "Outages in Вести"))
    assert labels(times) == ["1 hour", "8 hours", "Until Monday, 17 Mar, 09:00 UTC", "For good", "Back"]
    assert labels(await bot.taps(key(times, "Back"))) == USUAL
    assert await subscriptions.mutes_of(bot.db, 1, NOON) == []


@pytest.mark.parametrize(
    ("what", "silent"),
    [
        ("Channel Вести", {NEWS}),
        ("Topic Outages", {NEWS, OTHER}),
        ("Outages in Вести", {NEWS}),
    ],
)
@pytest.mark.parametrize(("time", "hours"), [("1 hour", 1), ("8 hours", 8)])
async def test_a_snooze_holds_as_long_as_it_says_and_ends_by_itself(
    bot: Bot, what: str, silent: set[int], time: str, hours: int
) -> None:
    await alerted(bot)
    done = await bot.taps(key(await bot.taps(key(await bot.taps(SNOOZE), what)), time))
    assert labels(done) == USUAL
    assert done.note is not None
    assert done.note.startswith("Muted in this chat until 10 Mar, ")
    for channel, words in DIFFERENT.items():
        await bot.archive.live(post(2, words, channel_id=channel))
    assert {channel for channel, name in await told(bot) if name == "m2"} == {NEWS, OTHER} - silent
    bot.archive.now = NOON + timedelta(hours=hours, seconds=1)
    for channel, words in DIFFERENT.items():
        await bot.archive.live(post(3, f"И снова. {words}", channel_id=channel, date=bot.archive.now))
    assert {channel for channel, name in await told(bot) if name == "m3"} == {NEWS, OTHER}


async def test_until_monday_is_nine_in_the_chats_own_time_zone_and_never_today(bot: Bot) -> None:
    await alerted(bot)
    await bot.taps(b"zone:Europe/Moscow")
    times = await bot.taps(key(await bot.taps(SNOOZE), "Channel Вести"))
    done = await bot.taps(key(times, "Until Monday, 17 Mar, 09:00"))
    assert done.note == "Muted in this chat until 17 Mar, 09:00: Вести"
    (mute,) = await subscriptions.mutes_of(bot.db, 1, NOON)
    assert mute.until == MONDAY - timedelta(hours=3)


@pytest.mark.parametrize("minutes", [1, 9 * 60 - 1])
async def test_until_monday_is_the_monday_that_the_button_names_though_it_came_meanwhile(
    bot: Bot, minutes: int
) -> None:
    await alerted(bot)
    await bot.taps(b"zone:Europe/Moscow")
    bot.archive.now = midnight = datetime(2025, 3, 16, 21, tzinfo=UTC)
    bot.archive.now -= timedelta(minutes=1)
    times = await bot.taps(key(await bot.taps(SNOOZE), "Channel Вести"))
    button = key(times, "Until Monday, 17 Mar, 09:00")
    bot.archive.now = midnight + timedelta(minutes=minutes)
    assert (await bot.taps(button)).note == "Muted in this chat until 17 Mar, 09:00: Вести"
    bot.archive.now = midnight + timedelta(hours=9)
    assert (await bot.taps(button)).note == "This button no longer works."


async def test_whoever_may_look_at_an_alert_gets_its_buttons_back(bot: Bot) -> None:
    await alerted(bot)
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    back = key(await bot.taps(SNOOZE, chat=GROUP), "Back")
    assert labels(await bot.taps(back, person=BORIS, chat=GROUP)) == USUAL


async def test_for_good_is_for_good_and_listed_with_the_others(bot: Bot) -> None:
    await alerted(bot)
    times = await bot.taps(key(await bot.taps(SNOOZE), "Outages in Вести"))
    assert (await bot.taps(key(times, "For good"))).note == "Muted in this chat for good: Outages in Вести"
    await bot.says("/mute @News1002 2d")
    shown = await bot.says("/topics")
    assert "\n\nMuted in this chat:\nOutages in Вести for good\nНовости until 12 Mar, 12:00 UTC" in text(shown)
    rows = [button for row in shown.messages[0].buttons for button in row]
    woken = await bot.taps(next(button for button in rows if button.text == "Unmute Outages in Вести"))
    assert woken.edit is not None
    assert "Muted in this chat:\nНовости until" in woken.edit.text


async def test_of_several_topics_one_is_chosen(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Пожары: пожар")
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой и пожар"))
    what = await bot.taps(SNOOZE)
    assert labels(what) == [
        *("Channel Вести", "Topic Outages", "Outages in Вести", "Topic Пожары", "Пожары in Вести", "Back")
    ]
    await bot.taps(key(await bot.taps(key(what, "Topic Пожары")), "8 hours"))
    await bot.archive.live(post(2, "Второй сбой и пожар"))
    (alert,) = [alert for alert in await bot.archive.outbox() if alert.post_key == "m2"]
    assert alert.topics == ["outages"]


async def test_mutes_that_have_ended_are_cleared_away_when_another_begins(bot: Bot) -> None:
    await alerted(bot)
    await bot.says("/mute outages 1h")
    bot.archive.now = NOON + timedelta(hours=2)
    await bot.says("/mute @News1002 1h")
    rows = await bot.db.fetch_all("SELECT channel_id FROM mutes")
    assert [row["channel_id"] for row in rows] == [OTHER]


async def test_an_alert_that_nobody_remembers_can_still_silence_its_channel(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    assert labels(await bot.taps(f"snooze:{NEWS}:99".encode())) == ["Channel Вести", "Back"]
    assert (await bot.taps(b"snooze:77:99")).note == "I no longer know this post."
    assert (await bot.taps(f"snooze:{NEWS}:99:t99:8h".encode())).note == "I no longer know this post."


async def test_readers_snooze_for_themselves_and_not_for_a_group(bot: Bot) -> None:
    await alerted(bot)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    await bot.pair(BORIS, Role.READER)
    assert (await bot.taps(SNOOZE, person=BORIS, chat=GROUP)).note == "Only owners and editors can do that here."
    assert "Channel Вести" in labels(await bot.taps(SNOOZE, person=BORIS))


@pytest.mark.parametrize(
    "data",
    [
        *(b"snooze:", b"snooze:x:1", b"snooze:1:1:c", b"snooze:1:1:c5:9h", b"snooze:1:1:t1:8h:8h", b"snooze:--1:1"),
        *(b"quote:1", b"wrong:1:2:3", b"blame:1:1:word", b"word:1:1:1:XYZ", b"exclude:1:1:1:0", b"words:1:1:x"),
        *(b"wake:c", b"wake:t1c", b"include:1:zzzzzzzz", b"back:1", b"leave:", b"language:russian"),
        b"snooze:" + b"1" * 16 + b":1",
    ],
)
async def test_data_that_no_button_of_ours_has_does_nothing(bot: Bot, data: bytes) -> None:
    await bot.pair()
    assert await bot.taps(data) == Reply(note="This button no longer works.")


@pytest.mark.parametrize(
    "data",
    [
        *(b"quote:1001:1", b"wrong:1001:1", b"blame:1001:1:channel", b"words:1001:1", b"word:1001:1:1:00000000"),
        *(b"exclude:1001:1:1:00000000", b"leave:1001:1", b"back:1001:1", b"wake:t99c1001", b"include:99:00000000"),
        b"quote:999999999999999:9999999999",
    ],
)
async def test_buttons_of_what_is_not_there_any_more_harm_nothing(bot: Bot, data: bytes) -> None:
    await bot.pair()
    reply = await bot.taps(data)
    assert reply.note or reply.edit or reply.buttons
    assert await bot.db.fetch_all("SELECT 1 FROM mutes UNION ALL SELECT 1 FROM feedback") == []
