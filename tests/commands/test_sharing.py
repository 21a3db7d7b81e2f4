"""A topic that several chats use is changed by who may, after one question, with a notice, an undo, and a way out."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from bot.commands.context import Reply
from bot.commands.topic_change import free_name
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.rendering.notices import render_notice
from bot.store import chats, exclusions, subscriptions, topics
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.store.exclusions import ExcludedWord
from bot.store.topics import Topic
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, bold_words, button, labels, text
from tests.kit_archive import NEWS, NOON, ago, compiled, post

CLARA = 503
WORDS = {10: "пожар и эвакуация", 11: "проверка охраны в филиале", 12: "кража карт у вкладчиков"}


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an editor’s topic that an owner in private and a group use, too; a reader is there, and some posts."""
    await bot.says("/start", person=ANNA, name="Anna")
    await bot.pair(BORIS, Role.EDITOR)
    await bot.pair(CLARA, Role.READER)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP, title="Newsroom")
    await bot.archive.follow()
    await bot.archive.live(
        post(1, "Банк закрыл отделение", date=ago(days=2)),
        post(2, "Касса закрыта", date=ago(days=2)),
        post(3, "Банк и касса", date=ago(days=1)),
    )
    users = [await bot.chat(peer) for peer in (Peer(kind=PeerKind.USER, id=ANNA), GROUP)]
    await bot.db.write(partial(made, users=[await bot.chat(Peer(kind=PeerKind.USER, id=BORIS)), *users]))
    await bot.archive.send_all()
    return bot


async def made(tx: Transaction, users: Sequence[Chat]) -> None:
    """Make the topic as `/track` would, and subscribe chats to it; the first is its author's."""
    topic = await topics.save(
        tx,
        name="Банки",
        query="банк",
        compiled=compiled("банк").to_json(),
        author=BORIS,
        by=f"Person {BORIS}",
        now=NOON,
    )
    for chat in users:
        await subscriptions.subscribe(tx, chat.id, topic.id, now=NOON)


async def topic_of(bot: Bot, name: str = "Банки") -> Topic:
    topic = await topics.find(bot.db, name)
    assert topic is not None
    return topic


async def changes(bot: Bot, query: str = "касса", *, person: int = BORIS) -> Reply:
    return await bot.tracks(f"Банки: {query}", person=person)


async def notices(bot: Bot) -> list[int]:
    """Return whose chats are about to have a notice of a change."""
    found = [each for each in await bot.archive.outbox() if each.kind == "notice" and each.notice.kind == "act"]
    return [each.chat.peer.id for each in found if each.notice.act.kind == "topic_changed"]


class TestChanging:
    async def test_it_says_for_whom_and_what_it_would_find(self, newsroom: Bot) -> None:
        shown = await newsroom.says("/track Банки: касса", person=BORIS)
        lines = text(shown).splitlines()
        assert lines[:3] == ["Банки", "was: банк", "now: касса"]
        assert lines[3] == "2 other chats use it: Person 501, Newsroom"
        said = text(shown)
        assert "Since 4 Mar it would find 1 more post:\nВести · 8 Mar, 12:00 UTC\nКасса закрыта" in said
        assert "Since 4 Mar it would miss 1 post:\nВести · 8 Mar, 12:00 UTC\nБанк закрыл отделение" in said
        assert {"банк", "касса"} <= set(bold_words(shown.messages[0]))
        assert labels(shown.messages[0])[:2] == ["Change for everybody", "Edit the query"]
        assert (await topic_of(newsroom)).query == "банк"

    async def test_it_is_logged_told_and_undone(self, newsroom: Bot) -> None:
        before = await topic_of(newsroom)
        done = await changes(newsroom)
        assert "2 other chats have been told." in text(done)
        assert await notices(newsroom) == [ANNA, GROUP.id]
        assert (await topic_of(newsroom)).query == "касса"
        assert "changed the topic «Банки»: касса (before: банк)" in text(await newsroom.says("/log"))
        undone = await newsroom.taps(button(done.edit, "Undo"), person=BORIS)
        assert "Undone" in text(undone)
        assert await topic_of(newsroom) == before
        assert [each.number for each in await topics.versions(newsroom.db, before.id)] == [1]

    async def test_what_was_asked_about_something_else_changes_nothing(self, newsroom: Bot) -> None:
        first = await newsroom.says("/track Банки: касса", person=BORIS)
        await changes(newsroom, "кредит", person=ANNA)
        told = await newsroom.taps(button(first.messages[0], "Change for everybody"), person=BORIS)
        assert text(told) == "The topic has been changed since. Please start again."
        assert (await topic_of(newsroom)).query == "кредит"

    async def test_a_tap_that_comes_twice_changes_once(self, newsroom: Bot) -> None:
        shown = await newsroom.says("/track Банки: касса", person=BORIS)
        for _ in "12":
            done = await newsroom.taps(button(shown.messages[0], "Change for everybody"), person=BORIS)
        assert "Банки" in text(done)
        assert await notices(newsroom) == [ANNA, GROUP.id]

    async def test_a_reader_may_not_and_reads_who_can(self, newsroom: Bot) -> None:
        told = text(await newsroom.says("/track Банки: касса", person=CLARA))
        assert told == "Only Person 502, who created Банки, owners and editors can change it."
        shown = await newsroom.says("/track Банки: касса", person=BORIS, chat=GROUP)
        refused = await newsroom.taps(button(shown.messages[0], "Change for everybody"), person=CLARA, chat=GROUP)
        assert "Only owners and editors can do that here" in text(refused)
        assert "can create topics" in text(await newsroom.says("/track Касса: касса", person=CLARA))

    async def test_its_author_may_who_is_a_reader_by_now_and_not_in_a_group(self, newsroom: Bot) -> None:
        await newsroom.taps(f"role:{BORIS}:reader".encode())
        await changes(newsroom)
        assert (await topic_of(newsroom)).query == "касса"
        act = await newsroom.db.fetch_value("SELECT max(id) FROM acts WHERE kind = 'topic_changed'")
        assert "Undone" in text(await newsroom.taps(f"undo:{act}".encode(), person=BORIS))
        refused = await newsroom.says("/track@our_bot Банки: кредит", person=BORIS, chat=GROUP)
        assert "Only owners and editors" in text(refused)

    async def test_editors_may_where_the_author_has_left(self, newsroom: Bot) -> None:
        await newsroom.pair(504, Role.EDITOR)
        await newsroom.taps(f"remove:{BORIS}".encode())
        assert (await topic_of(newsroom)).author == BORIS
        told = text(await newsroom.says("/track Банки: касса", person=CLARA))
        assert told.startswith("Only")
        await changes(newsroom, person=504)
        assert (await topic_of(newsroom)).query == "касса"


class TestKeepingTheOldOne:
    async def offered(self, bot: Bot, chat_id: int = GROUP.id) -> bytes:
        """Change the topic; return the button of the notice that a chat gets."""
        await changes(bot)
        (notice,) = [
            each for each in await bot.archive.outbox() if each.kind == "notice" and each.chat.peer.id == chat_id
        ]
        shown = render_notice(notice.notice, Locale(t=translator("en"), time_zone="UTC", now=bot.archive.now))
        assert shown.text.splitlines() == [
            f"Person {BORIS} changed the topic «Банки» for everybody.",
            "was: банк",
            "now: касса",
        ]
        assert labels(shown) == ["Keep the old one for us", "OK"]
        return button(shown, "Keep").data or b""

    async def test_the_chat_has_a_topic_of_its_own_with_all_that_it_had(self, newsroom: Bot) -> None:
        for words in ("/priority Банки digest", "/mute Банки @news1001 8h"):
            await newsroom.says(words.replace(" ", "@our_bot ", 1), chat=GROUP)
        await newsroom.archive.live(post(9, "Банк ограблен", date=newsroom.archive.now))
        data = await self.offered(newsroom)
        kept = await newsroom.taps(data, chat=GROUP)
        assert "now has its own topic: Банки (Newsroom)" in text(kept)
        chat = await newsroom.chat(GROUP)
        found = [(each.topic, each.priority) for each in await subscriptions.of_chat(newsroom.db, chat.id)]
        assert ("Банки (Newsroom)", "digest") in found
        assert "Банки" not in [name for name, _ in found]
        own = await topic_of(newsroom, "Банки (Newsroom)")
        assert (own.query, own.author) == ("банк", ANNA)
        (mute,) = await subscriptions.mutes_of(newsroom.db, chat.id, newsroom.archive.now)
        assert mute.topic_id == own.id
        assert "Банки" in await newsroom.topics_of(await newsroom.chat(Peer(kind=PeerKind.USER, id=ANNA)))

    async def test_a_second_tap_does_nothing(self, newsroom: Bot) -> None:
        data = await self.offered(newsroom)
        await newsroom.taps(data, chat=GROUP)
        assert text(await newsroom.taps(data, chat=GROUP)) == "This chat no longer gets alerts on Банки."
        assert len([each for each in await topics.all_topics(newsroom.db) if each.name.startswith("Банки (")]) == 1

    async def test_what_waits_comes_under_its_name(self, newsroom: Bot) -> None:
        await newsroom.says("/priority@our_bot Банки digest", chat=GROUP)
        await newsroom.archive.live(post(9, "Банк ограблен", date=newsroom.archive.now))
        await newsroom.taps(await self.offered(newsroom), chat=GROUP)
        await newsroom.archive.live(post(10, "Банк закрыт навсегда", date=newsroom.archive.now))
        chat = await newsroom.chat(GROUP)
        rows = await newsroom.db.fetch_all("SELECT topics, group_id FROM alerts WHERE chat_id = :id", {"id": chat.id})
        assert {row["topics"] for row in rows} == {'["Банки (Newsroom)"]'}
        assert len({row["group_id"] for row in rows}) == 1

    async def test_a_reader_in_private_may_and_is_its_author(self, newsroom: Bot) -> None:
        await newsroom.says("/track Банки", person=CLARA)
        data = await self.offered(newsroom, CLARA)
        await newsroom.taps(data, person=CLARA)
        assert (await topic_of(newsroom, "Банки (Person 503)")).author == CLARA

    async def test_it_is_offered_to_those_only_who_had_the_notice(self, newsroom: Bot) -> None:
        data = await self.offered(newsroom)
        assert text(await newsroom.taps(data, person=BORIS)) == "This button no longer works."

    async def test_after_an_undo_there_is_nothing_to_keep(self, newsroom: Bot) -> None:
        shown = await newsroom.says("/track Банки: касса", person=BORIS)
        done = await newsroom.taps(button(shown.messages[0], "Change for everybody"), person=BORIS)
        await newsroom.taps(button(done.edit, "Undo"), person=BORIS)
        act = await newsroom.db.fetch_value("SELECT id FROM acts WHERE kind = 'topic_changed'")
        assert "already been undone" in text(await newsroom.taps(f"ours:{act}".encode(), chat=GROUP))

    async def test_an_owner_keeps_it_for_the_teams_own_channel(self, newsroom: Bot) -> None:
        peer, now = Peer(kind=PeerKind.CHANNEL, id=9005, access_hash=4), newsroom.archive.now
        desk = await newsroom.db.write(lambda tx: chats.offer(tx, peer, title="Desk", now=now))
        topic = await topic_of(newsroom)
        await newsroom.db.write(lambda tx: chats.resume(tx, desk.id))
        await newsroom.db.write(lambda tx: subscriptions.subscribe(tx, desk.id, topic.id, now=now))
        await newsroom.says("/untrack Банки", person=ANNA)
        await changes(newsroom)
        found = [
            each for each in await newsroom.archive.outbox() if each.kind == "notice" and each.chat.peer.id == ANNA
        ]
        shown = render_notice(found[-1].notice, Locale(t=translator("en"), time_zone="UTC", now=now))
        assert labels(shown) == ["Keep the old one for Desk", "OK"]
        await newsroom.taps(button(shown, "Desk"))
        assert await newsroom.topics_of(desk) == ["Банки (Desk)"]
        assert desk.peer.id not in await notices(newsroom)

    async def test_ok_takes_the_buttons_away(self, newsroom: Bot) -> None:
        assert (await newsroom.taps(b"ok", chat=GROUP)).buttons == ()


class TestExclusions:
    async def excluded(self, bot: Bot) -> Reply:
        """Let an editor find an alert not relevant, for a word; return the answer."""
        await bot.archive.live(post(9, "Банк на учениях", date=bot.archive.now))
        for step in ("wrong", "words"):
            asked = await bot.taps(f"{step}:{NEWS}:9".encode(), person=BORIS)
        (word,) = [each for row in asked.buttons or () for each in row if each.text == "учениях"]
        shown = await bot.taps(word, person=BORIS)
        return await bot.taps(button(shown.messages[0], "Exclude"), person=BORIS)

    async def alerted(self, bot: Bot, message_id: int) -> int:
        return (
            await bot.archive.live(post(message_id, f"Банк проводит учения: {WORDS[message_id]}", date=bot.archive.now))
        ).alerts

    async def test_a_word_holds_in_one_chat_until_it_is_made_to_hold_in_all(self, newsroom: Bot) -> None:
        done = await self.excluded(newsroom)
        assert await self.alerted(newsroom, 10) == 2
        asked = await newsroom.taps(button(done.edit, "Leave out in all chats"), person=BORIS)
        assert text(asked).splitlines()[:3] == [
            "Change Банки?",
            "Now left out in all chats: учениях",
            "2 other chats use it: Person 501, Newsroom",
        ]
        changed = await newsroom.taps(button(asked.messages[0], "Change for everybody"), person=BORIS)
        assert "2 other chats have been told." in text(changed)
        assert await notices(newsroom) == [ANNA, GROUP.id]
        assert await self.alerted(newsroom, 11) == 0
        assert "in all chats «Банки» leaves out: учениях" in text(await newsroom.says("/log"))
        await newsroom.taps(button(changed.edit, "Undo"), person=BORIS)
        assert await self.alerted(newsroom, 12) == 2

    async def test_it_is_brought_back_for_all_from_the_topic(self, newsroom: Bot) -> None:
        asked = await newsroom.taps(button((await self.excluded(newsroom)).edit, "Leave out"), person=BORIS)
        await newsroom.taps(button(asked.messages[0], "Change for everybody"), person=BORIS)
        screen = await newsroom.says("/topics Банки", person=ANNA)
        assert "Left out in all chats: учениях" in text(screen)
        asked = await newsroom.taps(button(screen.messages[0], "Bring back «учениях» in all chats"), person=ANNA)
        assert "Since 4 Mar it would find 1 more post:" in text(asked)
        await newsroom.taps(button(asked.messages[0], "Change for everybody"), person=ANNA)
        assert (await topic_of(newsroom)).excluded == ()
        assert await self.alerted(newsroom, 12) == 2  # the editor's own chat still leaves it out

    async def test_a_word_of_a_built_in_topic_holds_for_all_and_notices_stay_small(self, newsroom: Bot) -> None:
        for person in (ANNA, BORIS, CLARA):
            await newsroom.says("/track outages", person=person)
        topic = await topic_of(newsroom, "outages")
        word = ExcludedWord(topic_id=topic.id, word="учения", compiled=compiled("учения").to_json())
        chat = await newsroom.chat(Peer(kind=PeerKind.USER, id=BORIS))
        await newsroom.db.write(lambda tx: exclusions.add(tx, chat.id, word))
        screen = await newsroom.says("/topics outages", person=BORIS)
        assert "Built in." in text(screen)
        asked = await newsroom.taps(button(screen.messages[0], "Leave out «учения» in all chats"), person=BORIS)
        await newsroom.taps(button(asked.messages[0], "Change for everybody"), person=BORIS)
        found = [each.notice.act for each in await newsroom.archive.outbox() if each.kind == "notice"]
        assert [(each.before.query, each.after.excluded) for each in found] == [("", ("учения",))] * 2
        act = await newsroom.db.fetch_value("SELECT max(id) FROM acts WHERE kind = 'topic_changed'")
        await newsroom.taps(f"ours:{act}".encode(), person=CLARA)
        kept = await topic_of(newsroom, "Outages (Person 503)")
        assert (kept.query, kept.excluded, kept.builtin) == (topic.query, (), False)

    async def test_the_old_one_is_kept_with_its_words(self, newsroom: Bot) -> None:
        asked = await newsroom.taps(button((await self.excluded(newsroom)).edit, "Leave out"), person=BORIS)
        await newsroom.taps(button(asked.messages[0], "Change for everybody"), person=BORIS)
        act = await newsroom.db.fetch_value("SELECT max(id) FROM acts WHERE kind = 'topic_changed'")
        await newsroom.taps(f"ours:{act}".encode(), chat=GROUP)
        assert (await topic_of(newsroom, "Банки (Newsroom)")).excluded == ()
        assert await self.alerted(newsroom, 10) == 1

    async def test_a_chats_own_words_are_why_a_post_did_not_come_and_go_along(self, newsroom: Bot) -> None:
        await self.excluded(newsroom)
        await self.alerted(newsroom, 10)
        shown = text(await newsroom.says("/post https://t.me/News1001/10", person=BORIS))
        assert "it matches Банки, but says учениях, which this chat excludes." in shown
        assert "excluded by: учениях" in text(await newsroom.taps(f"why:{NEWS}:10".encode(), person=BORIS))
        await changes(newsroom, person=ANNA)
        number = await newsroom.db.fetch_value("SELECT max(id) FROM acts WHERE kind = 'topic_changed'")
        await newsroom.taps(f"ours:{number}".encode(), person=BORIS)
        screen = await newsroom.says("/topics Банки (Person 502)", person=BORIS)
        assert "Left out in this chat: учениях" in text(screen)
        back = await newsroom.taps(button(screen.messages[0], "Bring back «учениях»"), person=BORIS)
        assert "Left out" not in text(back)

    async def test_a_group_has_its_words_in_the_log_and_an_undo(self, newsroom: Bot) -> None:
        await newsroom.archive.live(post(9, "Банк на учениях", date=newsroom.archive.now))
        (word,) = [
            each
            for row in (await newsroom.taps(f"words:{NEWS}:9".encode(), chat=GROUP)).buttons or ()
            for each in row
            if each.text == "учениях"
        ]
        shown = await newsroom.taps(word, chat=GROUP)
        done = await newsroom.taps(button(shown.messages[0], "Exclude"), chat=GROUP)
        assert "«учениях»" in text(await newsroom.says("/log"))
        await newsroom.taps(button(done.edit, "Undo"), chat=GROUP)
        assert await self.alerted(newsroom, 10) == 3

    async def test_a_reader_is_not_offered_what_holds_for_all(self, newsroom: Bot) -> None:
        await newsroom.says("/track Банки", person=CLARA)
        screen = await newsroom.says("/topics Банки", person=CLARA)
        assert "3 other chats use it." in text(screen)
        assert [label for label in labels(screen.messages[0]) if "all chats" in label or "Delete" in label] == []
        topic = await topic_of(newsroom)
        for data in (f"drop:{topic.id}:sure", f"revert:{topic.id}:1"):
            refused = text(await newsroom.taps(data.encode(), person=CLARA))
            assert "owners and editors can change it" in refused, data


class TestHistory:
    async def test_it_says_who_made_what_of_it_and_brings_it_back(self, newsroom: Bot) -> None:
        newsroom.archive.now += timedelta(minutes=5)
        await changes(newsroom, "касса", person=ANNA)
        newsroom.archive.now += timedelta(minutes=5)
        await changes(newsroom, "касса|кредит")
        topic = await topic_of(newsroom)
        shown = await newsroom.taps(f"history:{topic.id}:0".encode(), person=ANNA)
        assert text(shown).splitlines() == [
            "History of Банки",
            "",
            "3 · 10 Mar, 12:10 UTC · Person 502",
            "was: касса",
            "now: касса|кредит",
            "",
            "2 · 10 Mar, 12:05 UTC · Person 501",
            "was: банк",
            "now: касса",
            "",
            "1 · 10 Mar, 12:00 UTC · Person 502",
            "Looking for: банк",
        ]
        assert labels(shown.edit) == ["Bring back 2", "Bring back 1", "Банки"]
        asked = await newsroom.taps(button(shown.edit, "Bring back 1"), person=ANNA)
        assert "2 other chats use it: Person 502, Newsroom" in text(asked)
        done = await newsroom.taps(button(asked.messages[0], "Change for everybody"), person=ANNA)
        assert "Банки has been changed.\nwas: касса|кредит\nnow: банк" in text(done)
        assert (await topic_of(newsroom)).query == "банк"
        await newsroom.taps(button(done.edit, "Undo"), person=ANNA)
        assert [each.number for each in await topics.versions(newsroom.db, topic.id)] == [3, 2, 1]

    async def test_it_has_pages(self, newsroom: Bot) -> None:
        for number in range(6):
            await changes(newsroom, f"банк{number}")
        topic = await topic_of(newsroom)
        first = await newsroom.taps(f"history:{topic.id}:0".encode())
        assert "7 · " in text(first)
        second = await newsroom.taps(button(first.edit, "›"))
        assert "Looking for: банк" in text(second)
        assert "7 · " in text(await newsroom.taps(button(second.edit, "‹")))

    async def test_a_built_in_topic_has_one_too(self, newsroom: Bot) -> None:
        topic = await topic_of(newsroom, "outages")
        shown = await newsroom.taps(f"history:{topic.id}:0".encode(), person=ANNA)
        assert text(shown).splitlines()[2:] == ["1 · 10 Mar, 12:00 UTC · from its file", "Looking for: сбой|outage"]
        assert labels(shown.edit) == ["Outages"]

    async def test_a_deleted_topic_comes_back_with_its_history(self, newsroom: Bot) -> None:
        await changes(newsroom)
        topic = await topic_of(newsroom)
        deleted = await newsroom.taps(f"drop:{topic.id}:sure".encode(), person=BORIS)
        assert await topics.versions(newsroom.db, topic.id) == []
        await newsroom.taps(button(deleted.edit, "Undo"), person=BORIS)
        assert [each.query for each in await topics.versions(newsroom.db, topic.id)] == ["касса", "банк"]

    async def test_a_topic_is_found_from_the_list(self, newsroom: Bot) -> None:
        screen = await newsroom.says("/topics", person=BORIS)
        listed = await newsroom.taps(button(screen.messages[0], "in detail"), person=BORIS)
        shown = await newsroom.taps(button(listed.edit, "Банки"), person=BORIS)
        assert text(shown).splitlines() == [
            "Банки",
            "Looking for: банк",
            "Created by Person 502.",
            "2 other chats use it: Person 501, Newsroom",
            "Alerts here: with sound",
        ]
        off = await newsroom.taps(button(shown.edit, "Switch off here"), person=BORIS)
        assert "This chat gets no alerts on it." in text(off)
        assert "Топик" not in text(await newsroom.taps(button(off.edit, "All topics"), person=BORIS))


@pytest.mark.parametrize(
    ("chat", "taken", "name"),
    [
        ("Newsroom", [], "Банки (Newsroom)"),
        ("Desk: night", [], "Банки (Desk night)"),
        ("Newsroom", ["банки  (newsroom)"], "Банки (Newsroom) 2"),
        ("А" * 80, [], "Банки (" + "А" * 32 + ")"),
    ],
)
def test_the_name_of_a_kept_topic_is_free(chat: str, taken: list[str], name: str) -> None:
    assert free_name("Банки", chat, taken) == name
    assert len(free_name("Б" * 64, chat, taken)) <= 64
