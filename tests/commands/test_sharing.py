"""A topic that several chats use is changed by who may, after one question, with a notice, an undo, and a way out."""

import pytest

from bot.commands.changing import free_name
from bot.commands.context import Reply
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Peer, PeerKind
from bot.models.people import Role
from bot.rendering.notices import render_notice
from bot.store import subscriptions, topics
from bot.store.topics import Topic
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, bold_words, button, labels, text
from tests.kit_archive import ago, post

CLARA = 503


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
    await bot.tracks("Банки: банк", person=BORIS)
    await bot.says("/track Банки", person=ANNA)
    await bot.says("/track@our_bot Банки", chat=GROUP)
    await bot.archive.send_all()
    return bot


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
        assert labels(shown.messages[0])[:2] == ["Change for everybody", "Change"]
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
        assert "now gets alerts on Банки" in text(done)
        assert await notices(newsroom) == [ANNA, GROUP.id]

    async def test_a_reader_may_not_and_reads_who_can(self, newsroom: Bot) -> None:
        told = text(await newsroom.says("/track Банки: касса", person=CLARA))
        assert told == "Only Person 502, who created Банки, owners and editors can change it."
        shown = await newsroom.says("/track Банки: касса", person=BORIS)
        refused = await newsroom.taps(button(shown.messages[0], "Change for everybody"), person=CLARA)
        assert "owners and editors can change it" in text(refused)
        assert "can create topics" in text(await newsroom.says("/track Касса: касса", person=CLARA))

    async def test_its_author_may_who_is_a_reader_by_now_and_not_in_a_group(self, newsroom: Bot) -> None:
        await newsroom.taps(f"role:{BORIS}:reader".encode())
        await changes(newsroom)
        assert (await topic_of(newsroom)).query == "касса"
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

    async def test_ok_takes_the_buttons_away(self, newsroom: Bot) -> None:
        assert (await newsroom.taps(b"ok", chat=GROUP)).buttons == ()


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
