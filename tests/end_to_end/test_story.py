"""A newsroom runs it from the phone: everything a first week asks for, by taps and with ordinary clients.

Taps are named by their verbs, so that the story is the same in each language.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from telethon.tl import types as tl

from bot.runtime.clock import utc_now
from bot.sandbox import Channel
from bot.sources import account
from tests.end_to_end.kit import labels
from tests.kit_service import Person, Service, running_service
from tests.waiting import until

GROUPS = {"МИД": 8, "регуляторы": 8, "Зв'язок": 8, "energy desk": 8, "платформи": 8}
DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."
FUEL = "В трёх областях дефицит бензина, на заправках очереди."
OIL = "Нехватка керосина: аэропорт отменил двадцать рейсов."
LAST_WEEK = "Министр назвал перебои с бензином временными и обещал поставки."
# Words by which each language is told from the others: of the first screen, and of the question for the team.
WELCOME = {"en": "Time zone", "ru": "Часовой пояс", "uk": "Часовий пояс"}


def verbs(message: tl.Message) -> list[str]:
    """Return the data of the buttons under a message."""
    rows = message.reply_markup.rows if isinstance(message.reply_markup, tl.ReplyInlineMarkup) else []
    return [button.type.data.decode() for row in rows for button in row.buttons if hasattr(button.type, "data")]


async def tap(person: Person, message: tl.Message, verb: str, *, sure: bool = False) -> tl.Message:
    """Tap the first button whose data begin with a verb, and return what the bot shows then: anew or in its place."""
    found = [data for data in verbs(message) if data.startswith(verb) and (not sure or data.endswith("sure"))]
    assert found, (verb, verbs(message), message.message)
    before = len(person.heard), len(person.edited)
    await message.click(data=found[0].encode())
    await person.until(lambda: (len(person.heard), len(person.edited)) != before)
    return person.edited[-1] if len(person.edited) > before[1] else person.heard[-1]


async def joins(service: Service, owner: Person, name: str, role: str, language: str) -> Person:
    """Let the owner make a link by taps, and somebody new open it."""
    team = await owner.asks("/team")
    choosing = await tap(owner, team, "invite")
    if role != "reader":  # which is chosen already
        choosing = await tap(owner, choosing, f"invite:{role}")
    made = await tap(owner, choosing, f"link:{role}")
    person = await service.person(name, language=language)
    screen = await person.asks(f"/start {made.message.rpartition('=')[2].strip()}")
    assert WELCOME[language] in screen.message
    await owner.message(name)
    return person


async def follows_forty(service: Service, person: Person, channels: list[Channel]) -> None:
    """Paste the channels of each group at once; each paste is one message that fills in."""
    rest = iter(channels)
    for group, count in GROUPS.items():
        pasted = "\n".join(f"@{next(rest).username}" for _ in range(count))
        before = len(person.heard)
        await person.says(f'/follow group:"{group}"\n{pasted}')
        await person.until(lambda before=before: len(person.heard) > before)  # type: ignore[misc]
    async with service.archive() as db:

        async def all_are_followed() -> bool:
            return (
                await db.fetch_value(
                    """SELECT count(*) FROM channel_group_members m
                    JOIN channels c ON c.id = m.channel_id WHERE c.followed_at IS NOT NULL"""
                )
                == 40
            )

        await until(all_are_followed)
    await person.asks("/ping")
    assert len([each for each in person.heard if "outlet_" in each.message]) == len(GROUPS)


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
async def test_a_newsroom_runs_it_from_the_phone(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "NAMES", 1000)  # forty names take a minute and a half at the pace that Telegram likes
    async with running_service(tmp_path) as service:
        await play(service, language)


async def play(service: Service, language: str) -> None:
    world = service.sandbox.world
    channels = [
        world.add_channel(f"Вестник {number}", username=f"outlet_{number}", members=[service.reader])
        for number in range(40)
    ]
    channels[0].post(LAST_WEEK, date=utc_now() - timedelta(days=6))
    owner = await service.person("Anna", language=language)
    assert service.ready is not None
    assert service.ready.invitation is not None
    screen = await owner.asks(f"/start {service.ready.invitation.rpartition('=')[2]}")
    assert WELCOME[language] in screen.message
    await tap(owner, screen, "place")

    editor = await joins(service, owner, "Boris", "editor", language)
    await follows_forty(service, editor, channels)

    await share_a_topic(owner, editor, channels)
    # last week's statement, by free words
    found = await editor.asks("министр перебои")
    assert "outlet_0" in found.message or "Вестник 0" in found.message
    assert "бензином временными" in found.message
    await post_into_a_channel(service, owner, channels[20])
    for person in (owner, editor):
        await person.alert("массовый сбой")

    # a reader may look, and hurts nobody
    reader = await joins(service, owner, "Clara", "reader", language)
    assert "бензином временными" in (await reader.asks("министр перебои")).message
    assert not verbs(await reader.asks("/unfollow @outlet_9"))
    assert not verbs(await reader.asks("/team"))
    await hand_over(owner, editor)


async def share_a_topic(owner: Person, editor: Person, channels: list[Channel]) -> None:
    """Let an editor change a topic of a group of channels that an owner uses, and the owner keep the old one."""
    await tap(editor, await editor.asks("/track Fuel: бензин ~6 дефицит|очередь in:регуляторы"), "save")
    await owner.asks("/track Fuel")
    channels[0].post(FUEL)
    channels[9].post(FUEL.replace("трёх", "пяти"))
    await owner.alert("пяти областях")
    await editor.alert("пяти областях")
    assert not any("трёх областях" in each.message for each in owner.alerts)

    changed = await editor.asks("/track Fuel: керосин ~6 нехватка in:регуляторы")
    assert "Anna" in changed.message
    before = len(owner.heard)
    done = await tap(editor, changed, "save")
    assert any(data.startswith("undo") for data in verbs(done))
    await owner.until(lambda: any("керосин" in each.message for each in owner.heard[before:]))
    told = next(each for each in owner.heard[before:] if "керосин" in each.message)
    await tap(owner, told, "ours")
    channels[9].post(OIL)
    channels[10].post(FUEL.replace("трёх", "семи"))
    await editor.alert("керосина")
    await owner.alert("семи областях")
    assert not any("керосина" in each.message for each in owner.alerts)


async def post_into_a_channel(service: Service, owner: Person, source: Channel) -> None:
    """Let an owner send alerts on outages into a channel of the team's own."""
    desk = service.sandbox.world.add_channel("Our desk", username="ourdesk")
    before = len(owner.heard)
    desk.promote(service.bot, by=owner.account)
    await owner.until(lambda: any("Our desk" in each.message for each in owner.heard[before:]))
    offered = next(each for each in owner.heard[before:] if "Our desk" in each.message)
    screen = await tap(owner, offered, "post_in")
    async with service.archive() as db:
        outages = await db.fetch_value("SELECT id FROM topics WHERE name = 'outages'")
    await tap(owner, screen, next(data for data in verbs(screen) if f"topic:{outages}:on" in data))
    source.post(DOWN)
    await until(lambda: any("массовый сбой" in each.text for each in desk.kept.oldest_first() if each.action is None))


async def hand_over(owner: Person, editor: Person) -> None:
    """Let the editor be the owner in two taps, and the owner an editor."""
    team = await owner.asks("/team")
    boris = next(data for data, label in zip(verbs(team), labels(team), strict=True) if label == "Boris")
    asked = await tap(owner, await tap(owner, team, boris), "handover")
    await tap(owner, asked, "handover", sure=True)
    await editor.says("/team")  # they are told of their role meanwhile
    await editor.until(lambda: any(data.startswith("invite") for each in editor.heard for data in verbs(each)))
    assert not verbs(await owner.asks("/team"))
