"""What people do that concerns others: it is asked once, told, in the log, and undone within ten minutes."""

from datetime import timedelta
from typing import Any

import pytest

from bot.commands.context import Reply
from bot.models.people import Role
from bot.store import channels
from tests.commands.kit import ANNA, BORIS, EVE, GROUP, Bot, button, text
from tests.kit_archive import NEWS, post

CLARA = 503


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an owner, an editor and a reader who gets alerts in Russian; one channel is followed."""
    await bot.says("/start", person=ANNA, name="Anna")
    await bot.pair(BORIS, Role.EDITOR)
    await bot.pair(CLARA, Role.READER, language="ru")
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    await bot.archive.follow(NEWS)
    await bot.archive.send_all()
    return bot


async def notices(bot: Bot, person: int) -> list[tuple[str, bool]]:
    """Return the acts of which a person's chat is about to have a notice, and whether they are undone."""
    return [
        (message.notice.act.kind, message.notice.undone)
        for message in await bot.archive.outbox()
        if message.kind == "notice" and message.chat.peer.id == person and message.notice.kind == "act"
    ]


class TestUnfollowing:
    async def unfollows(self, bot: Bot, person: int = BORIS) -> Reply:
        asked = await bot.says("/unfollow @news1001", person=person)
        return await bot.taps(button(asked.messages[0], "Unfollow"), person=person)

    async def test_what_ends_alerts_of_others_is_asked_once(self, newsroom: Bot) -> None:
        asked = await newsroom.says("/unfollow @news1001", person=BORIS)
        assert text(asked).startswith("This also ends Вести for 2 other chats. Unfollow?\n")
        assert (await newsroom.archive.channel()).followed_at is not None
        done = await newsroom.taps(button(asked.messages[0], "Unfollow"), person=BORIS)
        assert "I no longer follow" in text(done)
        assert (await newsroom.archive.channel()).followed_at is None

    async def test_what_nobody_else_receives_is_not_asked(self, newsroom: Bot) -> None:
        for person in (ANNA, BORIS, CLARA):
            for name in ("outages", "sovereignty"):
                await newsroom.says(f"/untrack {name}", person=person)
        assert "I no longer follow" in text(await newsroom.says("/unfollow @news1001", person=BORIS))

    async def test_it_can_be_left_alone(self, newsroom: Bot) -> None:
        asked = await newsroom.says("/unfollow @news1001", person=BORIS)
        assert text(await newsroom.taps(button(asked.messages[0], "Keep it"), person=BORIS)) == ("Nothing was changed.")
        assert (await newsroom.archive.channel()).followed_at is not None

    async def test_the_chats_that_it_hits_have_a_notice(self, newsroom: Bot) -> None:
        await self.unfollows(newsroom)
        assert [await notices(newsroom, each) for each in (ANNA, CLARA, BORIS)] == [
            [("unfollow", False)],
            [("unfollow", False)],
            [],
        ]

    @pytest.mark.parametrize("person", [ANNA, BORIS])
    async def test_it_is_undone_by_who_did_it_or_an_owner(self, newsroom: Bot, person: int) -> None:
        before = await newsroom.archive.channel()
        done = await self.unfollows(newsroom)
        newsroom.archive.now += timedelta(minutes=9)
        undone = await newsroom.taps(button(done.edit, "Undo"), person=person)
        assert text(undone) == f"Undone: Person {BORIS}: unfollowed Вести; no new posts from there"
        assert await newsroom.archive.channel() == before
        assert (await notices(newsroom, CLARA))[-1] == ("unfollow", True)
        await newsroom.archive.live(post(9, "сбой связи", date=newsroom.archive.now))
        assert "alert" in await newsroom.archive.labels()

    async def test_nobody_else_undoes_it(self, newsroom: Bot) -> None:
        await newsroom.pair(504, Role.EDITOR)
        done = await self.unfollows(newsroom)
        assert "Only the person who did this" in text(await newsroom.taps(button(done.edit, "Undo"), person=504))

    async def test_its_readers_leave_it_only_once_nobody_can_undo_it(self, newsroom: Bot) -> None:
        archive = newsroom.archive
        await archive.db.write(
            lambda tx: channels.set_access(tx, archive.reader_id, NEWS, channels.Access.JOINED, now=archive.now)
        )
        await self.unfollows(newsroom)
        assert await channels.unwanted(archive.db, archive.reader_id, archive.now + timedelta(minutes=9)) == []
        late = archive.now + timedelta(minutes=10)
        assert [each.id for each in await channels.unwanted(archive.db, archive.reader_id, late)] == [NEWS]


class TestTopics:
    async def made(self, bot: Bot) -> int:
        await bot.tracks("Банки: банк", person=BORIS)
        await bot.says("/track Банки", person=CLARA)
        return int(await bot.db.fetch_value("SELECT id FROM topics WHERE name = 'Банки'"))

    async def test_a_deleted_topic_comes_back_with_all_that_hung_on_it(self, newsroom: Bot) -> None:
        topic = await self.made(newsroom)
        await newsroom.says("/priority Банки silent", person=CLARA)
        await newsroom.says("/mute Банки 8h", person=CLARA)
        rows = {
            table: await newsroom.db.fetch_all(f"SELECT * FROM {table}")  # noqa: S608 - our own names
            for table in ("topics", "subscriptions", "mutes")
        }
        deleted = await newsroom.taps(f"drop:{topic}:sure".encode(), person=BORIS)
        assert await notices(newsroom, CLARA) == [("topic_deleted", False)]
        await newsroom.taps(button(deleted.edit, "Undo"), person=BORIS)
        for table, before in rows.items():
            after = await newsroom.db.fetch_all(f"SELECT * FROM {table}")  # noqa: S608 - likewise
            assert list(map(tuple, after)) == list(map(tuple, before)), table

    async def test_it_does_not_come_back_under_a_name_that_is_taken(self, newsroom: Bot) -> None:
        topic = await self.made(newsroom)
        deleted = await newsroom.taps(f"drop:{topic}:sure".encode(), person=BORIS)
        await newsroom.tracks("Банки: кредит", person=BORIS)
        assert "changed since" in text(await newsroom.taps(button(deleted.edit, "Undo"), person=BORIS))
        assert await newsroom.db.fetch_value("SELECT query FROM topics WHERE name = 'Банки'") == "кредит"

    async def test_a_group_gets_a_topic_back(self, newsroom: Bot) -> None:
        await newsroom.says("/track@our_bot outages", chat=GROUP)
        ended = await newsroom.says("/untrack@our_bot outages", person=BORIS, chat=GROUP)
        await newsroom.taps(button(ended.messages[0], "Undo"), person=BORIS, chat=GROUP)
        assert await newsroom.topics_of(await newsroom.chat(GROUP)) == ["outages"]


class TestLog:
    async def test_it_says_who_did_what_newest_first(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @rkn_tg", person=BORIS, name="Boris")
        newsroom.archive.now += timedelta(minutes=1)
        await newsroom.says("/quiet@our_bot 23:00-07:00", chat=GROUP, name="Anna")
        lines = text(await newsroom.says("/log")).splitlines()[2:]
        assert "Anna: «Person 501» – /quiet 23:00-07:00" in lines[0]
        assert "Boris: asked to follow @rkn_tg" in lines[1]

    async def test_it_is_narrowed_by_person_and_day(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @rkn_tg", person=BORIS, name="Boris")
        newsroom.archive.now += timedelta(days=1)
        await newsroom.says("/follow @mid_ru", name="Anna")
        assert "@mid_ru" not in text(await newsroom.says("/log Boris"))
        assert "@rkn_tg" in text(await newsroom.says("/log boris"))
        assert "@mid_ru" not in text(await newsroom.says("/log yesterday"))
        everything = await newsroom.says("/log")
        today = await newsroom.taps(button(everything.messages[0], "Today"))
        assert "@mid_ru" in text(today)
        assert "@rkn_tg" not in text(today)
        assert "neither a person in the team nor a day" in text(await newsroom.says("/log whenever"))

    async def test_it_has_pages(self, newsroom: Bot) -> None:
        for number in range(20):
            await newsroom.says(f"/follow @channel{number:02}")
        first = await newsroom.says("/log")
        assert "@channel19" in text(first)
        assert "@channel04" not in text(first)
        assert "@channel04" in text(await newsroom.taps(button(first.messages[0], "Older")))

    async def test_a_group_reads_what_was_done_there(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @rkn_tg")
        await newsroom.says("/quiet@our_bot 23:00-07:00", chat=GROUP)
        shown = text(await newsroom.says("/log@our_bot", chat=GROUP))
        assert "/quiet" in shown
        assert "@rkn_tg" not in shown

    async def test_what_is_fresh_is_undone_from_it(self, newsroom: Bot) -> None:
        await newsroom.taps(f"role:{BORIS}:reader".encode())
        shown = await newsroom.says("/log")
        await newsroom.taps(button(shown.messages[0], "Undo"))
        assert f"undone by Person {ANNA}" in text(await newsroom.says("/log")).replace("Anna", f"Person {ANNA}")


class TestFloods:
    async def refusals(self, bot: Bot, count: int, **where: Any) -> list[str]:  # noqa: ANN401 - fields of a Request
        return [text(await bot.says("/ping", **where)) for _ in range(count)]

    def is_soon_too_much(self, newsroom: Bot) -> None:
        searches = newsroom.dispatch._searches  # noqa: SLF001 - the same
        newsroom.dispatch = type(newsroom.dispatch)(newsroom.db, searches, lambda: newsroom.archive.now, burst=3)

    async def test_what_was_written_over_a_minute_is_no_flood_when_it_comes_at_once(self, newsroom: Bot) -> None:
        self.is_soon_too_much(newsroom)
        began = newsroom.archive.now - timedelta(minutes=1)
        written = [began + timedelta(seconds=2 * number) for number in range(20)]
        answers = [text(await newsroom.says("/ping", person=BORIS, sent_at=moment)) for moment in written]
        assert not any("Too many" in answer for answer in answers)

    async def test_a_flood_is_answered_once_and_costs_no_write(self, newsroom: Bot) -> None:
        self.is_soon_too_much(newsroom)
        await self.refusals(newsroom, 3, person=BORIS)
        rows = await newsroom.db.fetch_value("SELECT count(*) FROM handled")
        changes = await newsroom.db.write(lambda tx: tx.fetch_value("SELECT total_changes()"))
        answers = await self.refusals(newsroom, 20, person=BORIS)
        assert answers == [
            "Too many messages at once. Wait a minute; until then I will not answer.",
            *[""] * 19,
        ]
        assert await newsroom.db.fetch_value("SELECT count(*) FROM handled") == rows
        assert await newsroom.db.write(lambda tx: tx.fetch_value("SELECT total_changes()")) == changes
        newsroom.archive.now += timedelta(seconds=2)
        assert "I follow" in text(await newsroom.says("/status", person=BORIS))

    async def test_others_are_answered_meanwhile(self, newsroom: Bot) -> None:
        for _ in range(30):
            await newsroom.taps(b"list:0", person=EVE, chat=GROUP)
        assert "Я слежу" in text(await newsroom.says("/status", person=CLARA))

    async def test_a_stranger_in_a_group_gets_a_private_note_without_a_write(self, newsroom: Bot) -> None:
        changes = await newsroom.db.write(lambda tx: tx.fetch_value("SELECT total_changes()"))
        answer = await newsroom.taps(b"list:0", person=EVE, chat=GROUP)
        assert answer == Reply(note="This bot is private. Ask its owner for an invitation.", fleeting=True)
        assert await newsroom.db.write(lambda tx: tx.fetch_value("SELECT total_changes()")) == changes

    async def test_an_anonymous_administrator_is_told_how_to_speak(self, newsroom: Bot) -> None:
        for words in ("/status", "/start@our_bot"):
            answer = await newsroom.says(words, person=0, chat=GROUP)
            assert "Remain anonymous" in text(answer)
        assert await newsroom.says("/weather", person=0, chat=GROUP) == Reply()
