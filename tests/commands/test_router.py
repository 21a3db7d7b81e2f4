"""The bot in a real client against the embedded server, and people who write to it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import structlog
from telethon import TelegramClient, events, functions, types

from bot.commands import dossier, registry, router
from bot.commands.context import FileOrder
from bot.commands.dossier import Dossiers
from bot.commands.router import Router
from bot.commands.updates import answered
from bot.dossier import assembly
from bot.dossier.formats import DossierFormat
from bot.locales import PHONES, translator
from bot.models.outgoing import PeerKind
from bot.models.people import Role
from bot.sandbox import Sandbox, User
from bot.store import cases, chats, follows, invitations, people, readers, team
from bot.store.acts import SERVER
from bot.store.chats import Chat
from bot.store.database import Database, Subject
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests.commands.kit import bring_topics
from tests.delivery.kit import worker_of
from tests.kit_archive import Archive, InProcess, post
from tests.kit_bot import EmbeddedServer, Events, embedded_server
from tests.kit_service import Person
from tests.waiting import WAIT_S, until

UNPACED = Rates(total=10_000, chat=10_000, group=10_000)


class RunningRouter:
    """Router and outbox of a bot, and its owner."""

    def __init__(self, server: EmbeddedServer, folder: Path) -> None:
        self.sandbox: Sandbox = server.sandbox
        self.server = server
        self.folder = folder
        self.shift = timedelta()
        self.bot = self.sandbox.world.add_bot("42:token", "Watcher", "our_bot")
        self.anna = self.sandbox.world.add_user("Anna", language="en")
        self.db: Database
        self.client: TelegramClient
        self.router: Router
        self._tasks: list[asyncio.Task[None]] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    async def start(self) -> None:
        self.db = await Database.open(self.folder / "bot.db")
        await self.db.write(lambda tx: bring_topics(tx, self.now()))
        await self.db.write(lambda tx: people.take_over(tx, [self.anna.id], now=self.now()))
        self.client = self.sandbox.client(self.bot)
        sender = Sender(self.client, Pacing(UNPACED), monotonic=monotonic)
        worker = worker_of(self.db, sender, clock=self.now)
        self.router = Router(
            self.client,
            self.db,
            sender,
            searches=InProcess(self.db),
            dossiers=Dossiers(sender, InProcess(self.db), self.folder / "media", clock=self.now),
            clock=self.now,
        )
        await self.client.connect()
        self._tasks = [asyncio.create_task(self.router.run()), asyncio.create_task(worker.run())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.disconnect()
        await self.db.close()

    async def person(self, account: User | None = None) -> Person:
        """Bring somebody with a phone; by default the owner."""
        user = account or self.anna
        person = Person(user, await self.server.client(user), self.bot)
        await person.client.get_dialogs()
        return person

    async def paired(self) -> Person:
        """Bring the owner, who has sent /start."""
        anna = await self.person()
        await anna.asks("/start")
        return anna

    async def admitted(self, name: str, role: Role, **account: str) -> Person:
        """Bring somebody who opens a pairing link."""
        person = await self.person(self.sandbox.world.add_user(name, **account))  # type: ignore[arg-type]
        token = (await self.db.write(lambda tx: invitations.make(tx, role=role, now=self.now()))).token
        await person.asks(f"/start {token}")
        return person

    async def chat(self, user: User) -> Chat:
        chat = await chats.by_peer(self.db, PeerKind.USER, user.id)
        assert chat is not None
        return chat


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningRouter]:
    async with embedded_server() as server:
        running = RunningRouter(server, tmp_path)
        await running.start()
        try:
            yield running
        finally:
            await running.stop()


def texts(person: Person, since: int = 0) -> list[str]:
    """Return the first line of each message that a person got."""
    return [message.message.partition("\n")[0] for message in person.heard[since:]]


async def test_a_person_sends_commands_and_presses_buttons(running: RunningRouter) -> None:
    anna = await running.person()
    edited = Events(anna.client, events.MessageEdited())
    welcome = await anna.asks("/start")
    assert texts(anna) == ["Channelwatch"]
    assert isinstance(welcome.entities[0], types.MessageEntityBold)
    await welcome.click(text="Русский")
    assert "Часовой пояс" in (await edited.next()).raw_text
    assert "channelwatch" in (await anna.asks("/status")).message


async def test_the_menu_is_registered_in_each_language(running: RunningRouter) -> None:
    await running.router.menus.register()
    for language in PHONES:
        request = functions.bots.GetBotCommandsRequest(types.BotCommandScopeDefault(), language)
        assert [command.command for command in await running.client(request)] == [
            name for name, _ in registry.menu(translator("en"), Role.READER)
        ]


@pytest.mark.parametrize(
    ("scope", "role"), [(types.BotCommandScopeChats, Role.READER), (types.BotCommandScopeChatAdmins, Role.EDITOR)]
)
async def test_groups_are_shown_what_may_be_done_there(running: RunningRouter, scope: type, role: Role) -> None:
    await running.router.menus.register()
    shown = await running.client(functions.bots.GetBotCommandsRequest(scope(), "ru"))
    names = [name for name, _ in registry.menu(translator("ru"), role, private=False)]
    assert [command.command for command in shown] == names


async def test_a_menu_that_telegram_refuses_does_not_stop_the_start(running: RunningRouter) -> None:
    running.sandbox.faults.answer("SetBotCommands", "BOT_COMMAND_INVALID", code=400, times=3 * len(PHONES))
    await running.router.menus.register()
    assert sum(call.name == "SetBotCommands" for call in running.sandbox.calls) == 3 * len(PHONES)


async def test_an_answer_does_not_wait_for_the_menu_of_its_language(running: RunningRouter) -> None:
    anna = await running.person()
    await anna.asks("/start")
    hold = running.sandbox.faults.hold("SetBotCommands")
    assert "русск" in (await anna.asks("/language ru")).message.lower()
    await hold.reached()
    hold.release()


async def test_a_ping_is_timed_through_the_outbox(running: RunningRouter) -> None:
    anna = await running.paired()
    assert (await anna.asks("/ping")).message.startswith("Pong.")


async def test_a_stranger_is_told_once(running: RunningRouter) -> None:
    eve = await running.person(running.sandbox.world.add_user("Eve"))
    assert "private" in (await eve.asks("/status")).message
    await eve.says("/search сбой")
    await running.paired()  # answered after whatever Eve could hear
    assert len(eve.heard) == 1


async def test_a_pairing_link_works_in_the_chat(running: RunningRouter) -> None:
    boris = await running.admitted("Boris", Role.EDITOR, language="be")
    assert "Часовой пояс" in boris.heard[0].message
    chat = await running.chat(boris.account)
    assert (chat.title, chat.language) == ("Boris", "ru")


@pytest.mark.parametrize("kind", ["supergroup", "basic group"])
async def test_a_group_is_paired_and_answered_under_the_command(running: RunningRouter, kind: str) -> None:
    members = [running.anna, running.bot]
    world = running.sandbox.world
    room = (
        world.add_channel("Newsroom", megagroup=True, members=members)
        if kind == "supergroup"
        else world.add_group("Newsroom", members)
    )
    anna = await running.person()
    for words in ("/start@our_bot", "/status@other_bot", "just talking"):
        await anna.client.send_message(room.marked, words)
    asked = await anna.client.send_message(room.marked, "/status@our_bot")
    await anna.until(lambda: len(anna.heard) == 2)
    assert texts(anna) == ["Channelwatch", "No channels are followed yet."]
    assert {message.chat_id for message in anna.heard} == {room.marked}
    assert anna.heard[1].reply_to_msg_id == asked.id


async def test_a_forwarded_post_is_offered_with_the_channels_name(running: RunningRouter) -> None:
    news = running.sandbox.world.add_channel("Vesti", username="vesti_news", members=[running.anna])
    post = news.post("Outage")
    anna = await running.paired()
    await anna.client.forward_messages("our_bot", post.id, "vesti_news")
    await anna.until(lambda: len(anna.heard) == 2)
    assert anna.heard[1].message == "This is from Vesti, which I do not follow.\nIt matches Outages."
    await anna.heard[1].click(text="Follow @vesti_news")
    await anna.until(lambda: len(anna.heard) == 3)
    assert "@vesti_news" in anna.heard[2].message
    assert [wish.reference for wish in await follows.all_follows(running.db)] == ["@vesti_news"]


async def test_a_reply_is_held_against_what_it_answers(running: RunningRouter) -> None:
    anna = await running.paired()
    for words, answer in (
        ("Сбой в банке", "✅ Outages: Сбой"),
        ("Погода", "▫️ Outages: none of it was found"),
    ):
        said = await anna.client.send_message("our_bot", words)
        await anna.until(lambda said=said: anna.heard[-1].id > said.id)  # type: ignore[misc]
        before = len(anna.heard)
        await anna.client.send_message("our_bot", "/explain", reply_to=said.id)
        await anna.until(lambda before=before: len(anna.heard) > before)  # type: ignore[misc]
        assert answer in anna.heard[-1].message


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (None, None),
        (types.MessageReplyHeader(reply_to_msg_id=5), 5),
        (types.MessageReplyHeader(reply_to_msg_id=5, reply_to_top_id=2, forum_topic=True), 5),
        (types.MessageReplyHeader(reply_to_msg_id=2, forum_topic=True), None),
        (types.MessageReplyHeader(reply_to_msg_id=5, reply_to_peer_id=types.PeerChannel(7)), None),
        (types.MessageReplyStoryHeader(types.PeerUser(1), 5), None),
    ],
    ids=["none", "message", "message of a forum topic", "forum topic", "other chat", "story"],
)
def test_a_reply_names_a_message_of_the_same_chat(header: types.TypeMessageReplyHeader, number: int | None) -> None:
    assert answered(header) == number


async def test_what_a_reply_answers_is_asked_for_only_by_commands_that_want_it(running: RunningRouter) -> None:
    anna = await running.paired()
    welcome = anna.heard[-1]
    await anna.client.send_message("our_bot", "/status", reply_to=welcome.id)
    await anna.until(lambda: len(anna.heard) == 2)
    assert "GetMessages" not in {call.name for call in running.sandbox.calls}


async def test_a_reply_whose_message_telegram_does_not_give_is_one_plain_line(running: RunningRouter) -> None:
    anna = await running.paired()
    said = await anna.client.send_message("our_bot", "Сбой")
    await anna.until(lambda: len(anna.heard) == 2)
    running.sandbox.faults.answer("GetMessages", "MSG_ID_INVALID", code=400)
    await anna.client.send_message("our_bot", "/explain", reply_to=said.id)
    await anna.until(lambda: len(anna.heard) == 3)
    assert anna.heard[-1].message.startswith("I cannot see the message you replied to.")


async def test_in_a_group_a_reply_is_read_although_the_bot_hears_commands_only(running: RunningRouter) -> None:
    room = running.sandbox.world.add_channel("Newsroom", megagroup=True, members=[running.anna, running.bot])
    anna = await running.person()
    await anna.client.send_message(room.marked, "/start@our_bot")
    await anna.until(lambda: len(anna.heard) == 1)
    said = await anna.client.send_message(room.marked, "В банках сбой")
    await anna.client.send_message(room.marked, "/explain@our_bot сбой ~2 банк", reply_to=said.id)
    await anna.until(lambda: len(anna.heard) == 2)
    assert "✅ It matches." in anna.heard[-1].message


async def test_in_a_group_a_reply_to_a_question_is_its_answer(running: RunningRouter) -> None:
    room = running.sandbox.world.add_channel("Newsroom", megagroup=True, members=[running.anna, running.bot])
    anna = await running.person()
    await anna.client.send_message(room.marked, "/start@our_bot")
    await anna.client.send_message(room.marked, "/settings@our_bot")
    await anna.until(lambda: len(anna.heard) == 2)
    for label, shown in (("Quiet hours", "No quiet hours"), ("Type another", "Reply to this message")):
        (screen,) = await anna.client.get_messages(room.marked, ids=[anna.heard[1].id])
        await screen.click(text=label)
        await anna.edit(shown)
    await anna.client.send_message(room.marked, "21:30-7")  # among themselves
    await anna.client.send_message(room.marked, "22-6", reply_to=screen.id)
    await anna.until(lambda: len(anna.heard) == 3)
    assert "22:00–06:00" in anna.heard[-1].message


async def test_a_pasted_list_with_hidden_links_is_followed(running: RunningRouter) -> None:
    anna = await running.paired()
    await anna.asks("/follow\n[МИД](https://t.me/MID_Russia)\n@rkn_tg")
    wishes = await follows.all_follows(running.db)
    assert sorted(wish.reference for wish in wishes) == ["@mid_russia", "@rkn_tg"]


async def test_an_answer_whose_reply_was_lost_is_not_doubled(running: RunningRouter) -> None:
    anna = await running.paired()
    running.sandbox.faults.lose_reply("SendMessage")
    anna.account.sends(running.bot, "/follow @rkn_tg")  # not through her client, whose reply would be lost instead
    await anna.until(lambda: len(anna.heard) == 2)
    await running.client.get_me()  # the bot is connected again
    await anna.asks("/status")
    assert len(anna.heard) == 3
    sent = [
        call.request.random_id for call in running.sandbox.calls if "@rkn_tg" in getattr(call.request, "message", "")
    ]
    assert len(sent) == 2
    assert len(set(sent)) == 1


async def test_a_command_that_is_delivered_again_is_answered_once(running: RunningRouter) -> None:
    """Its effect stays one, and an answer that has arrived is not sent again."""
    updates: list[Any] = []
    running.client.add_event_handler(lambda event: _keep(updates, event), events.NewMessage(incoming=True))
    anna = await running.paired()
    await anna.asks("/follow @rkn_tg")
    before = sum(call.name == "SendMessage" for call in running.sandbox.calls)
    await running.router.receive(updates[-1])
    await anna.asks("/channels")
    assert len(anna.heard) == 3
    assert sum(call.name == "SendMessage" for call in running.sandbox.calls) == before + 2  # Anna's is one


async def test_a_flooded_chat_gets_its_answer_later_and_holds_up_nobody(running: RunningRouter) -> None:
    boris = await running.admitted("Boris", Role.READER)
    anna = await running.paired()
    running.sandbox.faults.flood_wait("SendMessage", 2, chat_id=boris.account.id)
    started = monotonic()
    await boris.says("/status")
    await anna.asks("/status")
    assert len(boris.heard) == 1
    await boris.until(lambda: len(boris.heard) == 2)
    assert monotonic() - started >= 1.9


async def test_an_answer_that_telegram_would_take_only_in_an_hour_is_given_up(running: RunningRouter) -> None:
    boris = await running.admitted("Boris", Role.READER)
    running.sandbox.faults.answer("SendMessage", "FLOOD_WAIT_3600", code=420, chat_id=boris.account.id)
    await boris.says("/status")
    await boris.says("/help")  # its turn comes once the answer to the first is given up
    async with asyncio.timeout(WAIT_S):
        while len(await running.db.fetch_all("SELECT key FROM handled")) < len(["/start", "/status", "/help"]):
            await running.client.get_me()
    assert len(boris.heard) == 1


async def test_an_answer_at_which_the_server_fails_holds_up_no_other_and_comes_once(
    running: RunningRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "IN_TURN", 0.2)
    anna = await running.paired()
    running.sandbox.faults.answer("SendMessage", "INTERNAL", code=500, words="/untrack", times=1)
    with structlog.testing.capture_logs() as logs:
        await anna.says("/help")
        await anna.says("/mute")
        await anna.message("/untrack")
    assert ["Nothing is muted" in text for text in texts(anna, 1)] == [True, False]
    assert [line["error"] for line in logs if "retried separately" in line["event"]] == ["INTERNAL"]
    assert not [line for line in logs if line["event"] == "an answer was refused"]


@pytest.mark.parametrize(("times", "label"), [(3, "▫️ Power, water, he…"), (6, None)])
async def test_an_answer_at_which_the_server_fails_again_and_again_is_sent_more_simply(
    times: int, label: str | None, running: RunningRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "FIRST_PAUSE", 0.01)
    anna = await running.person()
    running.sandbox.faults.answer("SendMessage", "INTERNAL", code=500, chat_id=anna.account.id, times=times)
    rows = getattr((await anna.asks("/start")).reply_markup, "rows", [])
    labels = [button.text for row in rows for button in row.buttons]
    assert (label in labels) if label else not labels


async def test_an_answer_of_which_nothing_is_known_holds_up_no_other_and_comes_once(
    running: RunningRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "IN_TURN", 0.2)
    anna = await running.paired()
    hold = running.sandbox.faults.hold("SendMessage", times=1)
    anna.account.sends(running.bot, "/help")  # not through her client, whose reply would be held instead
    await hold.reached()
    await anna.asks("/mute")
    running.sandbox.server.cut(running.bot.id)
    await anna.asks("/status")
    await until(running.router.is_settled)
    assert len(anna.heard) == 4


async def test_a_note_at_which_the_server_fails_does_not_hold_up_what_a_tap_changes(
    running: RunningRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "IN_TURN", 0.2)
    anna = await running.person()
    welcome = await anna.asks("/start")
    running.sandbox.faults.answer("SetBotCallbackAnswer", "INTERNAL", code=500, times=None)
    tapping = asyncio.create_task(welcome.click(text="Русский"))
    await until(lambda: "Часовой пояс" in anna.account.inbox(running.bot)[-1].text)
    tapping.cancel()


async def test_a_late_edit_does_not_undo_a_later_one(running: RunningRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "IN_TURN", 0.2)
    anna = await running.person()
    welcome = await anna.asks("/start")
    running.sandbox.faults.answer("EditMessage", "INTERNAL", code=500, times=1)
    await welcome.click(text="Русский")
    await welcome.click(text="● English")
    await until(running.router.is_settled)
    shown = anna.account.inbox(running.bot)[-1]
    assert "Time zone" in shown.text


async def test_a_chat_that_blocks_the_bot_is_suspended_until_it_writes_again(running: RunningRouter) -> None:
    anna = await running.paired()
    since = running.db.changes.revision(Subject.CHATS)
    running.sandbox.faults.answer("SendMessage", "USER_IS_BLOCKED", code=400, chat_id=anna.account.id)
    await anna.says("/help")
    await running.db.changes.wait(Subject.CHATS, since, timeout=WAIT_S)
    assert (await running.chat(anna.account)).suspended == "USER_IS_BLOCKED"
    await anna.says("/status")
    await anna.message("No channels are followed yet")
    await anna.message("I can write here again.")
    assert (await running.chat(anna.account)).suspended is None


async def test_what_was_written_while_the_bot_was_away_is_not_carried_out(running: RunningRouter) -> None:
    anna = await running.paired()
    running.shift = timedelta(minutes=11)
    for n in range(31):
        await anna.says("/follow @rkn_tg" if not n else f"/status {n}")
    await anna.message("I was away. Please send /follow again, and anything else you wrote in the meantime.")
    running.shift = timedelta()
    await anna.says("/mute")
    await anna.message("Nothing is muted")
    assert sum("I was away" in message.message for message in anna.heard) == 1
    assert await follows.all_follows(running.db) == []


async def test_a_command_that_fails_says_so_and_the_next_one_works(running: RunningRouter) -> None:
    anna = await running.paired()
    await running.db.write(lambda tx: tx.execute("ALTER TABLE mutes RENAME TO elsewhere"))
    assert "Something went wrong" in (await anna.asks("/mute")).message
    await running.db.write(lambda tx: tx.execute("ALTER TABLE elsewhere RENAME TO mutes"))
    assert "Nothing is muted" in (await anna.asks("/mute")).message


async def test_an_anonymous_administrator_is_a_stranger(running: RunningRouter) -> None:
    room = running.sandbox.world.add_channel("Newsroom", megagroup=True, members=[running.anna, running.bot])
    anna = await running.person()
    await anna.client.send_message(room.marked, "/start@our_bot")
    await anna.until(lambda: len(anna.heard) == 1)
    room.post("/status@our_bot")
    await anna.client.send_message(room.marked, "/topics@our_bot")
    await anna.until(
        lambda: (
            "Topics of this chat, with their alerts in the last 30 days. Tap one to switch it on or off." in texts(anna)
        )
    )
    assert "No channels are followed yet." not in texts(anna)


async def _keep(updates: list[Any], event: Any) -> None:  # noqa: ANN401 - Telethon has no types
    updates.append(event)


async def test_a_team_is_invited_and_somebody_removed_with_taps(running: RunningRouter) -> None:
    anna = await running.paired()
    edits = Events(anna.client, events.MessageEdited())
    await (await anna.asks("/team")).click(text="Invite somebody")
    await (await edits.next()).click(text="editor")
    await (await edits.next()).click(text="Create link")
    await anna.until(lambda: "Pass it on" in anna.heard[-1].message)
    token = anna.heard[-1].message.split()[-1]
    await until(running.router.is_settled)
    assert not any(token in row["answer"] for row in await running.db.fetch_all("SELECT answer FROM handled"))
    boris = await running.person(running.sandbox.world.add_user("Boris", language="en"))
    assert "You are an editor" in (await boris.asks(f"/start {token}")).message
    await anna.until(lambda: "Boris: joined as editor, by a link from Anna" in anna.heard[-1].message)
    await (await anna.asks("/team")).click(text="Boris")
    await (await edits.next()).click(text="Remove")
    await (await edits.next()).click(text="Remove")
    assert "Boris has been removed." in (await edits.next()).raw_text
    await boris.message("removed from the team")
    assert "private" in (await boris.asks("/status")).message
    await until(running.router.is_settled)
    assert f"user_id={boris.account.id}" not in str(running.bot.commands)  # the menu is a stranger's again


async def test_a_role_that_is_changed_on_the_server_changes_the_menu(
    running: RunningRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "GOES_ROUND", 0.05)  # from the next change of a chat on
    boris = await running.admitted("Boris", Role.READER)
    own = f"user_id={boris.account.id}"
    person = await people.get(running.db, boris.account.id)
    assert person is not None
    await running.db.write(lambda tx: team.set_role(tx, person, Role.EDITOR, SERVER, now=running.now()))
    await until(lambda: own in str(running.bot.commands))
    await running.db.write(lambda tx: team.remove(tx, person, SERVER, now=running.now()))
    await boris.message("removed from the team")
    await until(lambda: own not in str(running.bot.commands))


async def test_strangers_and_masks_in_a_group_are_told_what_to_do(running: RunningRouter) -> None:
    eve_account = running.sandbox.world.add_user("Eve", language="en")
    members = [running.anna, eve_account, running.bot]
    room = running.sandbox.world.add_channel("Newsroom", megagroup=True, members=members)
    anna, eve = await running.person(), await running.person(eve_account)
    await anna.client.send_message(room.marked, "/start@our_bot")
    answer = await (await eve.message("Channelwatch")).click(text="Test alert")
    assert answer.message == "This bot is private. Ask its owner for an invitation."
    room.post("/status@our_bot")  # in the name of the group
    await anna.until(lambda: "Remain anonymous" in anna.heard[-1].message)


async def test_found_posts_are_offered_in_any_chat_to_who_is_paired(running: RunningRouter) -> None:
    anna = await running.paired()
    archive = Archive(running.db)
    archive.now = running.now()
    archive.reader_id = await running.db.write(lambda tx: readers.register(tx, 42, running.now()))
    await archive.follow(since=running.now() - timedelta(days=1))
    await archive.live(post(7, "Сбой в банке", date=running.now()))
    (offered,) = await anna.client.inline_query("our_bot", "сбой банк", entity="me")
    assert offered.title.startswith("Вести · ")
    assert offered.description == "Сбой в банке"
    assert offered.message.message.startswith("Вести · ")
    assert offered.message.message.endswith("Сбой в банке")
    assert offered.message.entities[0].url == "https://t.me/News1001/7"
    for words in ("сб", "бегемот", "сбой ("):
        assert list(await anna.client.inline_query("our_bot", words, entity="me")) == []
    eve = await running.person(running.sandbox.world.add_user("Eve", language="en"))
    assert list(await eve.client.inline_query("our_bot", "сбой", entity="me")) == []


async def test_a_dossier_that_is_too_large_or_for_which_there_is_no_room_is_answered(
    running: RunningRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await running.paired()
    chat = await running.chat(running.anna)
    case_id = await running.db.write(lambda tx: cases.make(tx, "Дело", author_id=1, author="", now=running.now()))
    sender = running.router._sender  # noqa: SLF001 - that of the service
    dossiers = Dossiers(sender, InProcess(running.db), running.folder / "media", clock=running.now)
    order = FileOrder(case_id=case_id, format=DossierFormat.HTML, viewer=chat.id, language="en", time_zone="UTC")
    monkeypatch.setattr(assembly, "MOST_ON_PAPER", -1)
    monkeypatch.setattr(dossier, "LARGEST", 0)
    for number, how in enumerate((DossierFormat.PDF, DossierFormat.HTML), start=1):
        await dossiers.bring(replace(order, format=how), chat.peer, random_id=number, reply_to=None)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    await dossiers.bring(order, chat.peer, random_id=3, reply_to=None)
    await until(lambda: len(texts(anna)) == 4)
    for said, expected in zip(
        texts(anna, 1), ("A PDF holds 500 posts, fewer", "The file takes ", "Something went wrong."), strict=True
    ):
        assert said.startswith(expected)
