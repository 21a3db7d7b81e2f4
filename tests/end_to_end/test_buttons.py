"""The buttons under alerts, tapped on real clients: quotes, snoozes, what was not relevant, and languages."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from telethon import functions
from telethon.tl import types

from bot.sandbox import Channel
from tests.end_to_end.kit import TimedService, labels, timed_service
from tests.kit_service import WAIT_S, Person, Service, link_of
from tests.waiting import until

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)  # a Monday
DRILL = "Учения: условный сбой, сайт банка недоступен, службы готовы."
OTHER_DRILL = "На учениях отработали сбой: сайт порта не работает до вечера."
REAL = "Сбой у оператора связи: абоненты пишут, что сайт не работает."
USUAL = ["Open", "Quote", "Save", "Snooze", "Not relevant", "Who said it first", "Who else?", "Translate"]


async def tap(person: Person, message: types.Message, label: str) -> str | None:
    """Tap a button of a message as it stands now; return the note that pops up."""
    (now,) = await person.client.get_messages(message.chat_id, ids=[message.id])
    answer = await now.click(text=label)
    return answer.message


async def becomes(person: Person, message: types.Message, expected: list[str]) -> None:
    """Wait until a message has these buttons."""
    await _until(lambda: person.client.get_messages(message.chat_id, ids=message.id), lambda m: labels(m) == expected)


async def _until(look: Callable[[], Coroutine[Any, Any, Any]], condition: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - of Telethon
    async with asyncio.timeout(WAIT_S):
        while not condition(found := await look()):  # noqa: ASYNC110 - nobody is told of buttons
            await asyncio.sleep(0.02)
    return found


async def test_a_quote_is_one_block_to_paste_and_a_translation_a_reply(tmp_path: Path) -> None:
    async with timed_service(tmp_path, NOON) as at:
        post = at.channel.post(REAL)
        alert = await at.owner.alert("Сбой у оператора")
        assert labels(alert) == USUAL
        await tap(at.owner, alert, "Quote")
        await at.owner.until(lambda: at.owner.heard[-1].message.startswith("“"))
        quote = at.owner.heard[-1]
        assert quote.message.startswith(
            f"“{REAL}”\n\nAgency, 10 March 2025, 12:00 (UTC)\nhttps://t.me/agency/{post.id}"
        )
        ((entity, block),) = quote.get_entities_text()
        assert isinstance(entity, types.MessageEntityPre)
        assert await tap(at.owner, alert, "Translate") == "The translation comes as a reply to the alert."
        assert (await at.owner.reply(f"[en] {REAL}")).reply_to.reply_to_msg_id == alert.id
        assert block == quote.message
        await becomes(at.owner, alert, USUAL)


async def test_a_snooze_takes_the_place_of_the_buttons_and_ends_by_itself(tmp_path: Path) -> None:
    async with timed_service(tmp_path, NOON) as at:
        at.channel.post(REAL)
        alert = await at.owner.alert("Сбой у оператора")
        await tap(at.owner, alert, "Snooze")
        await becomes(at.owner, alert, ["Channel Agency", "Topic Outages", "Outages in Agency", "Back"])
        await tap(at.owner, alert, "Outages in Agency")
        times = ["1 hour", "8 hours", "Until Monday, 17 Mar, 09:00 UTC", "For good", "Back"]
        await becomes(at.owner, alert, times)
        assert await tap(at.owner, alert, "1 hour") == "Muted in this chat until 10 Mar, 13:00 UTC: Outages in Agency"
        await becomes(at.owner, alert, USUAL)
        shown = await at.owner.asks("/topics")
        assert "Outages in Agency until 10 Mar, 13:00 UTC" in shown.message
        at.channel.post(OTHER_DRILL)
        at.channel.edit(alert_of(alert), REAL + " Чинят.")  # the alerts that are there go on following their posts
        assert (await at.owner.edit("Чинят")).id == alert.id
        await at.go_to(NOON + timedelta(hours=1, minutes=1))
        at.channel.post("Сбой в метро: терминалы оплаты не работают, сайт недоступен.")
        await at.owner.alert("терминалы")
        assert len(at.owner.alerts) == 2


def alert_of(alert: types.Message) -> int:
    """Return the number of the post that an alert tells of."""
    return int((link_of(alert) or "").rpartition("/")[2])


async def test_a_word_that_was_excluded_keeps_its_posts_away_and_no_others(tmp_path: Path) -> None:
    async with timed_service(tmp_path, NOON) as at:
        owner = at.owner
        at.channel.post(OTHER_DRILL)
        await owner.alert("отработали")
        at.channel.post(DRILL)
        alert = await owner.alert("условный")
        await tap(owner, alert, "Not relevant")
        await becomes(owner, alert, ["This channel", "A word in it…", "Just note it", "Back"])
        await tap(owner, alert, "A word in it…")
        offered = await _until(
            lambda: owner.client.get_messages(alert.chat_id, ids=alert.id), lambda m: "Учения" in labels(m)
        )
        assert len(labels(offered)) <= 9
        await tap(owner, alert, "Учения")
        await owner.until(lambda: "in any form?" in owner.heard[-1].message)
        asked = owner.heard[-1]
        assert "1 of them would not have been sent" in asked.message
        assert "отработали" in asked.message
        await becomes(owner, alert, USUAL)
        await tap(owner, asked, "Exclude")
        assert "In this chat" in (await owner.edit("Outages now leaves out posts that say Учения")).message
        at.channel.post("Ночные учения энергетиков: сбой, сайт недоступен всем жителям.")
        at.channel.post(REAL)
        await owner.alert("Сбой у оператора")
        assert len(owner.alerts) == 3
        shown = await owner.asks("/topics")
        assert "Outages: 3 alerts · 33% not relevant" in shown.message
        assert "Posts that say this are left out:\nOutages: учения" in shown.message
        await at.service.stop()
        await at.service.start()  # which reads the built-in topics from their files
        assert "Outages: учения" in (await owner.asks("/topics")).message


async def test_taps_that_no_button_of_ours_sends_are_answered_and_change_nothing(tmp_path: Path) -> None:
    async with timed_service(tmp_path, NOON) as at:
        at.channel.post(REAL)
        alert = await at.owner.alert("Сбой у оператора")
        for data in (b"snooze:1:1:t1:9h", b"exclude:1:1:1:zz", b"\xff\xfe", b"quote:" + b"9" * 50, b"wrong:1:1; DROP"):
            answer = await pressed(at, alert, data)
            assert answer.message == "This button no longer works."
        assert (await pressed(at, alert, b"quote:77:1")).message == "I no longer know this post."
        assert "Nothing is muted" in (await at.owner.asks("/mute")).message


async def pressed(at: TimedService, message: types.Message, data: bytes) -> types.messages.BotCallbackAnswer:
    """Tap a button with any data, as a changed client can, under a message of the bot."""
    kind = types.InlineButtonTypeCallback(data)
    row = types.KeyboardInlineButtonRow([types.KeyboardInlineButton("?", kind)])
    at.owner.account.box[message.id].reply_markup = types.ReplyInlineMarkup([row])
    peer = await at.owner.client.get_input_entity(message.peer_id)
    return await at.owner.client(functions.messages.GetBotCallbackAnswerRequest(peer, message.id, data=data))


async def test_a_tap_under_an_alert_that_the_bot_cannot_edit_any_more_still_counts(tmp_path: Path) -> None:
    async with timed_service(tmp_path, NOON) as at:
        at.channel.post(REAL)
        alert = await at.owner.alert("Сбой у оператора")
        post = f"{at.channel.id}:{alert_of(alert)}"
        ping = await at.owner.asks("/help")  # some message that is no alert
        await at.owner.client.delete_messages(alert.chat_id, [alert.id], revoke=True)
        answer = await pressed(at, ping, f"snooze:{post}:c{at.channel.id}:8h".encode())
        assert answer.message == "Muted in this chat until 10 Mar, 20:00 UTC: Agency"
        assert "Agency" in (await at.owner.asks("/mute")).message


async def in_group(service: Service, person: Person, group: Channel, words: str) -> str:
    """Write in a group, and return the bot's answer."""
    before = max(group.kept.messages, default=0)
    await person.client.send_message(group.marked, words)
    return await from_bot(service, group, after=before)


async def from_bot(service: Service, group: Channel, *, after: int) -> str:
    def found() -> list[str]:
        kept = sorted(group.kept.messages.items())
        return [message.text for number, message in kept if number > after and message.sender_id == service.bot.id]

    await until(lambda: bool(found()))
    return found()[0]


async def test_a_group_and_each_person_have_a_language_of_their_own(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    assert "Мой язык с вами: Русский" in (await owner.asks("/language ru")).message
    await until(lambda: any("BotCommandScopePeer" in place for place in service.bot.commands))
    group = service.sandbox.world.add_channel("TimedService", megagroup=True, members=[owner.account, service.bot])
    await owner.client.get_dialogs()
    assert "Темы" in await in_group(service, owner, group, "/start@newsroom_bot")
    assert "I speak English in this group" in await in_group(service, owner, group, "/language@newsroom_bot en")
    await in_group(service, owner, group, "/track@newsroom_bot outages")
    channel.post(REAL)
    await owner.alert("Сбой у оператора")
    alert = await _until(
        lambda: owner.client.get_messages(group.marked, limit=1),
        lambda found: labels(found[0]) == USUAL,
    )
    assert await tap(owner, alert[0], "Not relevant") is None
    await becomes(owner, alert[0], ["This channel", "A word in it…", "Just note it", "Back"])
    assert await tap(owner, alert[0], "Just note it") == "Отмечено. Спасибо!"
    await becomes(owner, alert[0], USUAL)
    before = max(group.kept.messages)
    await tap(owner, alert[0], "Quote")
    assert (await from_bot(service, group, after=before)).startswith("“")
    quote = group.kept.messages[max(group.kept.messages)]
    assert quote.reply_to == alert[0].id
