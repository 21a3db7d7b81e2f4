from datetime import UTC, datetime, timedelta

import pytest

from bot.commands.context import Reply
from bot.models import Button
from bot.store import subscriptions
from bot.store.chats import Role
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, text
from tests.store.kit import NEWS, NOON, OTHER, post

SNOOZE = f"snooze:{NEWS}:1".encode()
DIFFERENT = {NEWS: "Сбой насосов на водозаборе", OTHER: "У оператора связи сбой: абоненты без звонков"}
MONDAY = datetime(2025, 3, 17, 9, tzinfo=UTC)  # noon of the tests is on a Monday


def labels(reply: Reply) -> list[str]:
    return [button.text for row in reply.buttons or () for button in row]


def key(reply: Reply, label: str) -> Button:
    return next(button for row in reply.buttons or () for button in row if button.text == label)


async def alerted(desk: Bot, words: str = "Сбой") -> None:
    await desk.pair()
    await desk.room.follow(title="Вести")
    await desk.room.follow(OTHER, title="Новости")
    await desk.room.live(post(1, words))


async def told(desk: Bot) -> list[tuple[int | None, str | None]]:
    return [(alert.channel_id, alert.post_key) for alert in await desk.room.outbox() if alert.label == "alert"]


async def test_the_choices_take_the_place_of_the_buttons_and_back_restores_them(desk: Bot) -> None:
    await alerted(desk)
    what = await desk.taps(SNOOZE)
    assert (what.edit, what.messages, what.note) == (None, (), None)
    assert labels(what) == ["Channel Вести", "Topic Outages", "Outages in Вести", "Back"]
    times = await desk.taps(key(what, "Outages in Вести"))
    assert labels(times) == ["1 hour", "8 hours", "Until Monday, 17 Mar, 09:00 UTC", "For good", "Back"]
    assert labels(await desk.taps(key(times, "Back"))) == ["Open", "Quote", "Snooze", "Not relevant"]
    assert await subscriptions.mutes_of(desk.db, 1, NOON) == []


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
    desk: Bot, what: str, silent: set[int], time: str, hours: int
) -> None:
    await alerted(desk)
    done = await desk.taps(key(await desk.taps(key(await desk.taps(SNOOZE), what)), time))
    assert labels(done) == ["Open", "Quote", "Snooze", "Not relevant"]
    assert done.note is not None
    assert done.note.startswith("Muted here until 10 Mar, ")
    for channel, words in DIFFERENT.items():
        await desk.room.live(post(2, words, channel_id=channel))
    assert {channel for channel, name in await told(desk) if name == "m2"} == {NEWS, OTHER} - silent
    desk.room.now = NOON + timedelta(hours=hours, seconds=1)
    for channel, words in DIFFERENT.items():
        await desk.room.live(post(3, f"И снова. {words}", channel_id=channel, date=desk.room.now))
    assert {channel for channel, name in await told(desk) if name == "m3"} == {NEWS, OTHER}


async def test_until_monday_is_nine_in_the_chats_own_time_zone_and_never_today(desk: Bot) -> None:
    await alerted(desk)
    await desk.taps(b"zone:Europe/Moscow")
    times = await desk.taps(key(await desk.taps(SNOOZE), "Channel Вести"))
    done = await desk.taps(key(times, "Until Monday, 17 Mar, 09:00"))
    assert done.note == "Muted here until 17 Mar, 09:00: Вести"
    (mute,) = await subscriptions.mutes_of(desk.db, 1, NOON)
    assert mute.until == MONDAY - timedelta(hours=3)


@pytest.mark.parametrize("minutes", [1, 9 * 60 - 1])
async def test_until_monday_is_the_monday_that_the_button_names_though_it_came_meanwhile(
    desk: Bot, minutes: int
) -> None:
    await alerted(desk)
    await desk.taps(b"zone:Europe/Moscow")
    desk.room.now = midnight = datetime(2025, 3, 16, 21, tzinfo=UTC)
    desk.room.now -= timedelta(minutes=1)
    times = await desk.taps(key(await desk.taps(SNOOZE), "Channel Вести"))
    button = key(times, "Until Monday, 17 Mar, 09:00")
    desk.room.now = midnight + timedelta(minutes=minutes)
    assert (await desk.taps(button)).note == "Muted here until 17 Mar, 09:00: Вести"
    desk.room.now = midnight + timedelta(hours=9)
    assert (await desk.taps(button)).note == "This button no longer works."


async def test_whoever_may_look_at_an_alert_gets_its_buttons_back(desk: Bot) -> None:
    await alerted(desk)
    await desk.pair(BORIS, Role.READER)
    await desk.says("/start@our_bot", chat=GROUP)
    back = key(await desk.taps(SNOOZE, chat=GROUP), "Back")
    assert labels(await desk.taps(back, person=BORIS, chat=GROUP)) == ["Open", "Quote", "Snooze", "Not relevant"]


async def test_for_good_is_for_good_and_listed_with_the_others(desk: Bot) -> None:
    await alerted(desk)
    times = await desk.taps(key(await desk.taps(SNOOZE), "Outages in Вести"))
    assert (await desk.taps(key(times, "For good"))).note == "Muted here for good: Outages in Вести"
    await desk.says("/mute @News1002 2d")
    shown = await desk.says("/topics")
    assert "\n\nMuted here:\nOutages in Вести for good\nНовости until 12 Mar, 12:00 UTC" in text(shown)
    rows = [button for row in shown.messages[0].buttons for button in row]
    woken = await desk.taps(next(button for button in rows if button.text == "Unmute Outages in Вести"))
    assert woken.edit is not None
    assert "Muted here:\nНовости until" in woken.edit.text


async def test_of_several_topics_one_is_chosen(desk: Bot) -> None:
    await desk.pair()
    await desk.tracks("Пожары: пожар")
    await desk.room.follow(title="Вести")
    await desk.room.live(post(1, "Сбой и пожар"))
    what = await desk.taps(SNOOZE)
    assert labels(what) == [
        *("Channel Вести", "Topic Outages", "Outages in Вести", "Topic Пожары", "Пожары in Вести", "Back")
    ]
    await desk.taps(key(await desk.taps(key(what, "Topic Пожары")), "8 hours"))
    await desk.room.live(post(2, "Второй сбой и пожар"))
    (alert,) = [alert for alert in await desk.room.outbox() if alert.post_key == "m2"]
    assert alert.topics == ["outages"]


async def test_mutes_that_have_ended_are_cleared_away_when_another_begins(desk: Bot) -> None:
    await alerted(desk)
    await desk.says("/mute outages 1h")
    desk.room.now = NOON + timedelta(hours=2)
    await desk.says("/mute @News1002 1h")
    rows = await desk.db.fetch_all("SELECT channel_id FROM mutes")
    assert [row["channel_id"] for row in rows] == [OTHER]


async def test_an_alert_that_nobody_remembers_can_still_silence_its_channel(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow(title="Вести")
    assert labels(await desk.taps(f"snooze:{NEWS}:99".encode())) == ["Channel Вести", "Back"]
    assert (await desk.taps(b"snooze:77:99")).note == "I no longer know this post."
    assert (await desk.taps(f"snooze:{NEWS}:99:t99:8h".encode())).note == "I no longer know this post."


async def test_readers_snooze_for_themselves_and_not_for_a_group(desk: Bot) -> None:
    await alerted(desk)
    await desk.says("/start@our_bot", person=ANNA, chat=GROUP)
    await desk.pair(BORIS, Role.READER)
    assert (await desk.taps(SNOOZE, person=BORIS, chat=GROUP)).note == "Only owners and editors can do that here."
    assert "Channel Вести" in labels(await desk.taps(SNOOZE, person=BORIS))


@pytest.mark.parametrize(
    "data",
    [
        *(b"snooze:", b"snooze:x:1", b"snooze:1:1:c", b"snooze:1:1:c5:9h", b"snooze:1:1:t1:8h:8h", b"snooze:-1:1"),
        *(b"quote:1", b"wrong:1:2:3", b"blame:1:1:word", b"word:1:1:1:XYZ", b"exclude:1:1:1:0", b"words:1:1:x"),
        *(b"wake:c", b"wake:t1c", b"include:1:zzzzzzzz", b"back:1", b"leave:", b"language:russian"),
        b"snooze:" + b"1" * 16 + b":1",
    ],
)
async def test_data_that_no_button_of_ours_has_does_nothing(desk: Bot, data: bytes) -> None:
    await desk.pair()
    assert await desk.taps(data) == Reply(note="This button no longer works.")


@pytest.mark.parametrize(
    "data",
    [
        *(b"quote:1001:1", b"wrong:1001:1", b"blame:1001:1:channel", b"words:1001:1", b"word:1001:1:1:00000000"),
        *(b"exclude:1001:1:1:00000000", b"leave:1001:1", b"back:1001:1", b"wake:t99c1001", b"include:99:00000000"),
        b"quote:999999999999999:9999999999",
    ],
)
async def test_buttons_of_what_is_not_there_any_more_harm_nothing(desk: Bot, data: bytes) -> None:
    await desk.pair()
    reply = await desk.taps(data)
    assert reply.note or reply.edit or reply.buttons
    assert await desk.db.fetch_all("SELECT 1 FROM mutes UNION ALL SELECT 1 FROM feedback") == []
