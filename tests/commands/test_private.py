"""What is restricted to a chat does not exist for any other: no command, tap, search, notice or alert shows it."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from bot.commands.context import Reply
from bot.models.notices import ChannelRegained
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role, Viewer
from bot.monitoring.daily_report import DailyReports
from bot.store import access, channels, follows
from bot.store.access import Restrictable
from bot.store.channels import Access, ResolvedChannel
from bot.store.notices import notify_followers
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, button, text
from tests.kit_archive import NEWS, OTHER, post

CLARA, DENIS = 503, 504
HIDDEN_TITLE = "Тайный канал"
WORDS = "сбой на секретном объекте"


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an owner, an editor and a reader; the editor keeps a channel and a topic to himself."""
    await bot.says("/start", person=ANNA)
    await bot.pair(BORIS, Role.EDITOR)
    await bot.pair(CLARA, Role.READER)
    await bot.pair(DENIS, Role.EDITOR)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    await bot.archive.follow(NEWS)
    await bot.archive.follow(OTHER)
    await bot.db.write(lambda tx: channels.rename(tx, NEWS, title=HIDDEN_TITLE, username="secret_news"))
    await bot.tracks("Объекты: объект", person=BORIS)
    await restrict(bot, "c1001")
    topic = await bot.db.fetch_value("SELECT id FROM topics WHERE name = 'Объекты'")
    await restrict(bot, f"t{topic}")
    await bot.archive.live(
        post(7, WORDS, date=bot.archive.now), post(8, "сбой связи", channel_id=OTHER, date=bot.archive.now)
    )
    await bot.archive.send_all()
    return bot


async def restrict(bot: Bot, thing: str) -> None:
    await bot.taps(f"only:{thing}:sure".encode(), person=BORIS)


def shown(reply: Reply) -> str:
    return json.dumps(json.loads(reply.to_json()), ensure_ascii=False)


# What somebody else may type or forge to come upon it.
TYPED = [
    "/search сбой",
    "/search сбой order:best",
    "/search объекте in:@secret_news",
    "/search since:7d",
    "/search объекте since:7d history:yes",
    "/latest",
    "/latest @secret_news",
    "/latest Объекты",
    "/post https://t.me/secret_news/7",
    f"/post https://t.me/c/{NEWS}/7",
    "/channels",
    "/topics",
    "/status",
    "/test объект",
    "/track Объекты",
    "/track Проба: объекте",
    "/untrack Объекты",
    "/mute @secret_news",
    "/mute Объекты",
    "/mute Объекты @secret_news",
    "/unmute @secret_news",
    "/unfollow @secret_news",
    f"/unfollow {NEWS}",
    "/priority Объекты loud",
    "/private @secret_news",
    "/private",
    "/log",
    "/start",
]
TAPPED = [
    f"post:{NEWS}:7",
    f"quote:{NEWS}:7",
    f"latest:{NEWS}:99999999999999",
    f"seen:{NEWS}",
    f"snooze:{NEWS}:7",
    f"snooze:{NEWS}:7:c{NEWS}",
    f"wrong:{NEWS}:7",
    f"mute:c{NEWS}",
    f"unmute:c{NEWS}",
    f"wake:c{NEWS}",
    f"only:c{NEWS}",
    f"open:c{NEWS}",
    "topic:4:on:topics",
    "topic:4:off:setup",
    "prio:4",
    "drop:4",
    "only:t4",
    "mute:t4",
    "list:0",
]


@pytest.mark.parametrize("chat", ["private", "group"])
async def test_nobody_else_comes_upon_it(newsroom: Bot, chat: str) -> None:
    speakers = {"private": (CLARA, DENIS), "group": (ANNA, BORIS)}[chat]
    where: dict[str, Any] = {"chat": GROUP} if chat == "group" else {}
    for said, person in product([*TYPED, *TAPPED], speakers):
        newsroom.archive.now += timedelta(minutes=1)  # nobody is told that this is too fast
        if said.startswith("/"):
            command, _, rest = said.partition(" ")
            typed = said if chat == "private" else f"{command}@our_bot {rest}".strip()
            answer = await newsroom.says(typed, person=person, **where)
        else:
            answer = await newsroom.taps(said.encode(), person=person, **where)
        assert HIDDEN_TITLE not in shown(answer), said
        assert "секретном" not in shown(answer), said
        is_echoed = "Объекты" in said  # what somebody typed may be repeated to them
        assert is_echoed or "Объекты" not in shown(answer), said
        assert await access.chats_of(newsroom.db, Restrictable.CHANNEL, NEWS) == [await boris(newsroom)], said


async def boris(bot: Bot) -> int:
    return (await bot.chat(Peer(kind=PeerKind.USER, id=BORIS))).id


@pytest.mark.parametrize("person", [ANNA, BORIS])
async def test_whom_it_belongs_to_and_owners_in_private_find_it(newsroom: Bot, person: int) -> None:
    for said, words in (
        ("/search секретном", "секретном"),
        ("/latest @secret_news", "секретном"),
        ("/channels", HIDDEN_TITLE),
        ("/topics", "Объекты"),
        ("/private", "Объекты"),
        (f"/post https://t.me/c/{NEWS}/7", "секретном"),
    ):
        assert words in shown(await newsroom.says(said, person=person)), said


async def test_only_its_chat_is_alerted_to_it(newsroom: Bot) -> None:
    await newsroom.says("/track outages", person=ANNA)
    await newsroom.says("/track outages", person=BORIS)
    await newsroom.archive.live(post(9, "Новый сбой там же", date=newsroom.archive.now))
    alerted = {message.chat.peer.id for message in await newsroom.archive.outbox() if message.kind == "alert"}
    assert alerted == {BORIS}


async def test_notices_about_it_go_to_its_chat_alone(newsroom: Bot) -> None:
    notice = ChannelRegained(event="1", channel=HIDDEN_TITLE)
    await newsroom.db.write(lambda tx: notify_followers(tx, NEWS, notice, now=newsroom.archive.now))
    assert [message.chat.peer.id for message in await newsroom.archive.outbox()] == [BORIS]


async def test_no_daily_report_of_others_names_it(newsroom: Bot) -> None:
    for person in (BORIS, CLARA):
        await newsroom.says("/receipt 08:00", person=person)
    newsroom.archive.now += timedelta(days=1)
    await DailyReports(newsroom.db, clock=lambda: newsroom.archive.now).send_due()
    reports = {message.chat.peer.id: str(message.notice) for message in await newsroom.archive.outbox()}
    assert {person: "secret_news" in report for person, report in reports.items()} == {BORIS: True, CLARA: False}


async def test_an_alert_that_was_sent_before_says_no_more_of_its_post(newsroom: Bot) -> None:
    await newsroom.taps(f"open:c{NEWS}".encode(), person=BORIS)
    await newsroom.says("/track outages", person=CLARA)
    await newsroom.archive.live(post(9, "Новый сбой там же", date=newsroom.archive.now))
    await newsroom.archive.send_all()
    await restrict(newsroom, f"c{NEWS}")
    edited = replace(post(9, "Сбой устранён тайно", date=newsroom.archive.now), edit_date=newsroom.archive.now)
    await newsroom.archive.live(edited)
    concerned = {message.chat.peer.id for message in await newsroom.archive.outbox() if message.kind != "notice"}
    assert CLARA not in concerned


async def test_what_others_lose_is_asked_told_and_taken_back(newsroom: Bot) -> None:
    await newsroom.says("/track outages", person=CLARA)
    asked = await newsroom.says("/private @news1002", person=BORIS)
    assert "will no longer get it" in text(asked)
    done = await newsroom.taps(button(asked.messages[0], "Only here"), person=BORIS)
    notices = [m.chat.peer.id for m in await newsroom.archive.outbox() if m.kind == "notice"]
    assert CLARA in notices
    assert "сбой связи" not in text(await newsroom.says("/latest", person=CLARA))
    await newsroom.taps(button(done.edit, "Undo"), person=BORIS)
    assert "сбой связи" in text(await newsroom.says("/latest", person=CLARA))


async def test_it_is_shared_with_a_person_by_a_tap(newsroom: Bot) -> None:
    screen = await newsroom.says("/private @secret_news", person=BORIS)
    await newsroom.taps(button(screen.messages[0], f"Person {CLARA}"), person=BORIS)
    assert "секретном" in text(await newsroom.says("/latest", person=CLARA))


async def test_a_topic_is_private_from_the_start(newsroom: Bot) -> None:
    shown = await newsroom.says("/track Завод: завод", person=BORIS)
    await newsroom.taps(button(shown.messages[0], "this chat only"), person=BORIS)
    assert "завод" in text(await newsroom.says("/topics", person=BORIS))
    for words in ("/topics", "/log", "/track Завод"):
        assert "завод" not in text(await newsroom.says(words, person=DENIS))


async def test_a_name_that_others_have_is_taken(newsroom: Bot) -> None:
    assert "name is taken" in text(await newsroom.says("/track Объекты: завод", person=DENIS))
    assert "объект" in text(await newsroom.says("/topics", person=BORIS))


class TestFollowing:
    async def follows(self, bot: Bot, words: str, person: int = BORIS) -> str:
        return text(await bot.says(f"/follow {words}", person=person))

    async def settles(self, bot: Bot, number: int) -> None:
        wish = await follows.oldest_due(bot.db, bot.archive.now, by_name=True)
        assert wish is not None
        found = ResolvedChannel(id=number, kind="broadcast", title="Найден", username="found")
        await bot.db.write(
            lambda tx: follows.settle(
                tx,
                wish.id,
                channel=found,
                reader_id=bot.archive.reader_id,
                access_hash=1,
                access=Access.POLLED,
                now=bot.archive.now,
            )
        )

    async def test_a_channel_is_private_from_the_start(self, newsroom: Bot) -> None:
        assert "for this chat only" in await self.follows(newsroom, "@found private")
        assert "found" not in text(await newsroom.says("/channels", person=CLARA))
        await self.settles(newsroom, 5)
        assert await access.hidden(newsroom.db, Restrictable.CHANNEL, Viewer(chat_id=await boris(newsroom))) == ()
        assert "Найден" not in text(await newsroom.says("/channels", person=CLARA))

    async def test_who_asks_for_it_too_shares_it(self, newsroom: Bot) -> None:
        await self.follows(newsroom, "@found private")
        await self.follows(newsroom, "@found", person=DENIS)
        await self.settles(newsroom, 5)
        assert "Найден" in text(await newsroom.says("/channels", person=DENIS))
        assert "Найден" not in text(await newsroom.says("/channels", person=CLARA))

    async def test_a_number_proves_no_right_to_it(self, newsroom: Bot) -> None:
        assert "by number" in await self.follows(newsroom, str(NEWS), person=DENIS)
        assert HIDDEN_TITLE not in text(await newsroom.says("/channels", person=DENIS))
        assert "Already followed" in await self.follows(newsroom, "@secret_news", person=DENIS)
        assert HIDDEN_TITLE in text(await newsroom.says("/channels", person=DENIS))

    async def test_what_is_everybodys_stays_so_until_somebody_says_otherwise(self, newsroom: Bot) -> None:
        assert "Already followed for everybody" in await self.follows(newsroom, "@news1002 private")
        assert await access.hidden(newsroom.db, Restrictable.CHANNEL, Viewer(chat_id=0)) == (NEWS,)
