"""What nobody can do to others without a question, a notice and an undo, by any path; and what shows nobody else."""

import asyncio
import json
from collections.abc import Coroutine
from datetime import timedelta

import pytest

from bot.commands.context import Reply
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.schedule import Every
from bot.store import channels, follows
from bot.store.follows import FollowRequest, FollowState
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, button, text
from tests.commands.test_acts import notices
from tests.kit_archive import NEWS, OTHER, Gate, post, queued

CLARA, DENIS = 503, 504
HIDDEN = "Тайный канал"


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an owner, two editors and a reader, a group, and two channels."""
    await bot.says("/start", person=ANNA, name="Anna")
    await bot.pair(BORIS, Role.EDITOR)
    await bot.pair(CLARA, Role.READER)
    await bot.pair(DENIS, Role.EDITOR)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    await bot.archive.follow(NEWS)
    await bot.archive.follow(OTHER, title="Город")
    await bot.archive.send_all()
    return bot


def private(person: int) -> Peer:
    return Peer(kind=PeerKind.USER, id=person)


async def open_requests(bot: Bot) -> list[FollowRequest]:
    return [each for each in await follows.all_follows(bot.db) if each.state is FollowState.WANTED]


def shown(reply: Reply) -> str:
    return json.dumps(json.loads(reply.to_json()), ensure_ascii=False)


async def at_once(bot: Bot, *asked: Coroutine[object, object, Reply]) -> list[Reply]:
    """Answer requests that were all read before the first of them is carried out, in this order."""
    gate = Gate()
    writer = asyncio.create_task(bot.db.write(gate))
    await gate.entered.wait()
    tasks = []
    for number, each in enumerate(asked, start=1):
        tasks.append(asyncio.create_task(each))
        await queued(bot.db, number)
    gate.opened.set()
    await writer
    return list(await asyncio.gather(*tasks))


async def rows(bot: Bot, *tables: str) -> dict[str, list[tuple[object, ...]]]:
    return {each: list(map(tuple, await bot.db.fetch_all(f"SELECT * FROM {each}"))) for each in tables}  # noqa: S608


async def number(bot: Bot, table: str, name: str) -> int:
    found = await bot.db.fetch_value(f"SELECT id FROM {table} WHERE name = :name", {"name": name})  # noqa: S608
    return int(found)


class TestButtonsOfWhatIsGone:
    """A number is given once, so that no old button means another thing, and what was deleted can come back."""

    async def test_a_topic(self, newsroom: Bot) -> None:
        await newsroom.tracks("Банки: банк", person=BORIS)
        topic = await number(newsroom, "topics", "Банки")
        deleted = await newsroom.taps(f"drop:{topic}:sure".encode(), person=BORIS)
        await newsroom.tracks("Нефть: нефть", person=DENIS)
        assert "no longer exists" in text(await newsroom.taps(f"drop:{topic}:sure".encode(), person=BORIS))
        await newsroom.taps(button(deleted.edit, "Undo"), person=BORIS)
        assert {"Банки", "Нефть"} <= {row["name"] for row in await newsroom.db.fetch_all("SELECT name FROM topics")}

    async def test_a_group_of_channels(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @news1001 group:Банки", person=BORIS)
        group = await number(newsroom, "channel_groups", "Банки")
        deleted = await newsroom.taps(f"ungroup:{group}:sure".encode(), person=BORIS)
        await newsroom.says("/follow @news1002 group:Город", person=DENIS)
        assert "This group no longer exists." in text(
            await newsroom.taps(f"ungroup:{group}:sure".encode(), person=BORIS)
        )
        assert "Undone" in text(await newsroom.taps(button(deleted.edit, "Undo"), person=BORIS))

    @pytest.mark.parametrize("table", ["follows", "invitations", "saved_searches", "mutes", "acts"])
    async def test_what_else_has_a_button_or_an_undo(self, newsroom: Bot, table: str) -> None:
        sql = await newsroom.db.fetch_value("SELECT sql FROM sqlite_schema WHERE name = :name", {"name": table})
        assert "id INTEGER PRIMARY KEY AUTOINCREMENT" in sql


class TestRequests:
    async def test_that_of_another_chat_is_withdrawn_after_a_question_and_with_an_undo(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @wanted", person=DENIS)
        before = await rows(newsroom, "follows")
        asked = await newsroom.says("/unfollow @wanted", person=BORIS)
        assert text(asked).startswith("This also ends @wanted for 1 other chat. Unfollow?")
        assert await rows(newsroom, "follows") == before
        done = await newsroom.taps(button(asked.messages[0], "Unfollow"), person=BORIS)
        assert "I have stopped trying to follow @wanted." in text(done)
        assert await notices(newsroom, DENIS) == [("unfollow", False)]
        await newsroom.taps(button(done.edit, "Undo"), person=BORIS)
        assert await rows(newsroom, "follows") == before

    async def test_a_private_one_of_another_chat_is_not_there(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @wanted private", person=DENIS)
        assert "I do not follow a channel called" in text(await newsroom.says("/unfollow @wanted", person=BORIS))
        assert [each.reference for each in await open_requests(newsroom)] == ["@wanted"]


class TestWhatIsHidden:
    @pytest.fixture
    async def secret(self, newsroom: Bot) -> Bot:
        """Let an editor keep a channel to himself."""
        await newsroom.db.write(lambda tx: channels.rename(tx, NEWS, title=HIDDEN, username="Secret_News"))
        await newsroom.taps(f"only:c{NEWS}:sure".encode(), person=BORIS)
        return newsroom

    async def test_a_question_about_a_group_names_no_topic_of_others(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @news1001 group:Банки", person=BORIS)
        preview = await newsroom.says("/track Тайна: тайна in:Банки", person=BORIS)
        await newsroom.taps(button(preview.messages[0], "this chat only"), person=BORIS)
        group = await number(newsroom, "channel_groups", "Банки")
        assert "Тайна" in shown(await newsroom.taps(f"ungroup:{group}".encode(), person=BORIS))
        assert "Тайна" not in shown(await newsroom.taps(f"ungroup:{group}".encode(), person=DENIS))

    async def test_no_log_or_notice_says_into_which_group_it_was_put(self, secret: Bot) -> None:
        await secret.says("/follow @news1002 group:Банки", person=BORIS)
        await secret.tracks("Деньги: банк in:Банки", person=DENIS)
        group = await number(secret, "channel_groups", "Банки")
        await secret.taps(f"ingroup:{group}:{NEWS}:on:0".encode(), person=BORIS)
        await secret.says("/follow @secret_news group:Банки", person=BORIS)
        log = text(await secret.says("/log", person=DENIS))
        assert "Банки" in log
        assert HIDDEN not in log
        assert "secret_news" not in log
        assert [notice for notice in await notices(secret, DENIS) if notice[0] == "grouped"] == []

    async def test_no_act_before_it_became_private_names_it(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @wanted", person=BORIS)
        await newsroom.db.write(lambda tx: channels.rename(tx, NEWS, title=HIDDEN, username="Wanted"))
        await newsroom.taps(f"only:c{NEWS}:sure".encode(), person=BORIS)
        assert "wanted" not in text(await newsroom.says("/log", person=DENIS))

    async def test_every_post_of_it_is_a_topic_of_those_alone_who_find_it(self, secret: Bot) -> None:
        await secret.taps(f"every:{NEWS}:on".encode(), person=BORIS)
        topic = int(await secret.db.fetch_value("SELECT max(id) FROM topics"))
        assert HIDDEN in shown(await secret.taps(f"about:{topic}".encode(), person=BORIS))
        for person in (CLARA, DENIS):
            for verb in (f"about:{topic}", f"topic:{topic}:on:topics", f"prio:{topic}", f"mute:t{topic}"):
                assert HIDDEN not in shown(await secret.taps(verb.encode(), person=person)), verb

    async def test_no_log_says_who_gets_every_post_of_it(self, newsroom: Bot) -> None:
        await newsroom.taps(f"every:{NEWS}:on".encode(), person=BORIS, chat=GROUP)
        await newsroom.taps(f"only:c{NEWS}:sure".encode(), person=BORIS, chat=GROUP)
        assert "Вести" not in text(await newsroom.says("/log", person=DENIS))

    async def test_an_old_alert_offers_no_words_of_it(self, newsroom: Bot) -> None:
        await newsroom.archive.live(post(7, "сбой на заводе", date=newsroom.archive.now))
        assert "завод" in shown(await newsroom.taps(f"words:{NEWS}:7".encode(), person=CLARA))
        await newsroom.taps(f"only:c{NEWS}:sure".encode(), person=BORIS)
        assert text(await newsroom.taps(f"words:{NEWS}:7".encode(), person=CLARA)) == "I no longer know this post."

    async def test_the_newest_posts_do_not_know_its_name(self, secret: Bot) -> None:
        answers = [
            text(await secret.says(f"/latest {name}", person=DENIS)) for name in ("@secret_news", HIDDEN, str(NEWS))
        ]
        assert all(answer.startswith("There is no channel or topic") for answer in answers)

    async def test_what_it_belongs_to_is_asked_and_told_before_all_find_it(self, secret: Bot) -> None:
        clara = (await secret.chat(private(CLARA))).id
        await secret.taps(f"share:c{NEWS}:{clara}:on".encode(), person=BORIS)
        asked = await secret.taps(f"open:c{NEWS}".encode(), person=BORIS)
        assert "Open Тайный канал to everybody?" in text(asked)
        assert HIDDEN not in text(await secret.says("/channels", person=DENIS))
        opened = await secret.taps(button(asked.edit, "Open to everybody"), person=BORIS)
        assert HIDDEN in text(await secret.says("/channels", person=DENIS))
        assert [kind for kind, _ in await notices(secret, CLARA)] == ["access"] * 3
        await secret.taps(button(opened.edit, "Undo"), person=BORIS)
        assert HIDDEN not in text(await secret.says("/log", person=DENIS))

    async def test_it_is_taken_from_a_person_with_an_undo(self, secret: Bot) -> None:
        clara = (await secret.chat(private(CLARA))).id
        await secret.taps(f"share:c{NEWS}:{clara}:on".encode(), person=BORIS)
        taken = await secret.taps(f"share:c{NEWS}:{clara}:off".encode(), person=BORIS)
        await secret.taps(button(taken.edit, "Undo"), person=BORIS)
        assert HIDDEN in text(await secret.says("/channels", person=CLARA))

    async def test_a_request_that_is_tried_again_stays_private(self, newsroom: Bot) -> None:
        await newsroom.says("/follow @wanted1 @wanted2 private", person=BORIS)
        for wish in await open_requests(newsroom):
            await newsroom.db.write(lambda tx, wish=wish: follows.refuse(tx, wish.id, reason="USERNAME_INVALID"))
        await newsroom.taps(f"retry:{int(newsroom.archive.now.timestamp() * 1000)}".encode(), person=BORIS)
        assert len(await open_requests(newsroom)) == 2
        for said in ("/channels", "/log"):
            assert "wanted" in text(await newsroom.says(said, person=BORIS)), said
            assert "wanted" not in text(await newsroom.says(said, person=DENIS)), said

    async def test_what_is_built_in_is_kept_from_nobody(self, newsroom: Bot) -> None:
        assert "belongs to everybody" in text(await newsroom.says("/private utilities", person=BORIS))
        assert await newsroom.db.fetch_value("SELECT count(*) FROM topics WHERE restricted") == 0


class TestGroupsOfChannels:
    @pytest.fixture
    async def used(self, newsroom: Bot) -> Bot:
        """Let another chat have a topic that is limited to a group."""
        await newsroom.says("/follow @news1001 @news1002 group:Банки", person=BORIS)
        await newsroom.tracks("Деньги: банк in:Банки", person=DENIS)
        return newsroom

    async def test_what_takes_a_channel_from_others_is_asked(self, used: Bot) -> None:
        group = await number(used, "channel_groups", "Банки")
        before = await rows(used, "channel_group_members")
        asked = await used.taps(f"ingroup:{group}:{NEWS}:off:0".encode(), person=BORIS)
        assert "That concerns 1 other chat" in text(asked)
        assert await rows(used, "channel_group_members") == before
        done = await used.taps(button(asked.edit, "Take it out"), person=BORIS)
        assert await rows(used, "channel_group_members") != before
        await used.taps(button(done.edit, "Undo"), person=BORIS)
        assert await rows(used, "channel_group_members") == before

    async def test_another_name_is_undone_row_by_row(self, used: Bot) -> None:
        tables = ("channel_groups", "topics", "topic_versions")
        before = await rows(used, *tables)
        done = await used.says("/groups Банки: Кредит", person=BORIS)
        assert await rows(used, *tables) != before
        await used.taps(button(done.messages[0], "Undo"), person=BORIS)
        assert await rows(used, *tables) == before


class TestChannels:
    @pytest.mark.parametrize("path", ["typed", "tapped"])
    async def test_how_one_is_followed_is_in_the_log_and_can_be_undone(self, newsroom: Bot, path: str) -> None:
        await newsroom.says("/follow @news1001 fast", person=DENIS)
        before = await newsroom.archive.channel()
        newsroom.archive.now += timedelta(minutes=1)
        if path == "typed":
            await newsroom.says("/follow @news1001 slow join:no", person=BORIS)
        else:
            await newsroom.taps(f"how:{NEWS}:slow".encode(), person=BORIS)
        assert await newsroom.archive.channel() != before
        log = await newsroom.says("/log")
        assert "changed the options of Вести: slow" in text(log).splitlines()[2]
        await newsroom.taps(button(log.messages[0], "Undo"))
        assert await newsroom.archive.channel() == before

    async def test_what_somebody_else_asked_for_is_not_kept_to_one_chat_unasked(self, newsroom: Bot) -> None:
        for person in (ANNA, BORIS, CLARA, DENIS):
            for name in ("outages", "sovereignty"):
                await newsroom.says(f"/untrack {name}", person=person)
        denis = (await newsroom.chat(private(DENIS))).id
        await newsroom.db.write(lambda tx: tx.execute("UPDATE follows SET chat_id = :id", {"id": denis}))
        assert "1 other chat will no longer get it" in text(await newsroom.says("/private @news1001", person=BORIS))


class TestGroupChats:
    @pytest.fixture
    async def alerted(self, newsroom: Bot) -> Bot:
        await newsroom.says("/track@our_bot outages", chat=GROUP)
        await newsroom.archive.live(post(7, "сбой связи", date=newsroom.archive.now))
        await newsroom.archive.send_all()
        return newsroom

    @pytest.mark.parametrize("tapped", [f"snooze:{NEWS}:7:c{NEWS}:8h", f"blame:{NEWS}:7:channel"])
    async def test_a_tap_that_silences_all_is_said_to_all_with_a_way_back(self, alerted: Bot, tapped: str) -> None:
        answer = await alerted.taps(tapped.encode(), person=BORIS, chat=GROUP)
        assert "Muted in this chat" in answer.messages[0].text
        assert "Вести" in answer.messages[0].text
        await alerted.taps(button(answer.messages[0], "Unmute"), person=ANNA, chat=GROUP)
        assert await rows(alerted, "mutes") == {"mutes": []}

    async def test_alone_with_a_person_a_note_does(self, alerted: Bot) -> None:
        answer = await alerted.taps(f"snooze:{NEWS}:7:c{NEWS}:8h".encode(), person=BORIS)
        assert answer.messages == ()

    @pytest.mark.parametrize("said", ["/here@our_bot", "/here@our_bot outages"])
    async def test_where_alerts_go_is_in_the_log(self, alerted: Bot, said: str) -> None:
        await alerted.says(said, person=BORIS, chat=GROUP, forum=True)
        assert said.replace("@our_bot", "") in text(await alerted.says("/log@our_bot", chat=GROUP))

    async def test_a_mute_that_is_ended_among_the_topics_is_in_the_log(self, alerted: Bot) -> None:
        await alerted.says("/mute@our_bot @news1001", person=BORIS, chat=GROUP)
        await alerted.taps(f"wake:c{NEWS}".encode(), person=BORIS, chat=GROUP)
        assert "/unmute Вести" in text(await alerted.says("/log@our_bot", chat=GROUP))

    async def test_that_it_gets_every_post_is_in_the_log(self, newsroom: Bot) -> None:
        await newsroom.says("/follow@our_bot @news1001 all", person=BORIS, chat=GROUP)
        assert "/follow @news1001 all" in text(await newsroom.says("/log@our_bot", chat=GROUP))

    async def test_of_two_who_set_it_at_once_neither_undoes_the_other(self, newsroom: Bot) -> None:
        await at_once(
            newsroom,
            newsroom.says("/quiet@our_bot 23:00-07:00", chat=GROUP),
            newsroom.says("/digest@our_bot hourly", person=BORIS, chat=GROUP),
        )
        group = await newsroom.chat(GROUP)
        assert group.quiet is not None
        assert group.digests.every is Every.HOUR

    async def test_an_answer_that_is_not_understood_says_how_to_stop(self, newsroom: Bot) -> None:
        await newsroom.taps(b"type:quiet")
        assert text(await newsroom.says("сбой банка")).endswith("\n/cancel stops this.")
        await newsroom.says("/follow @news1001 group:Банки")
        group = await number(newsroom, "channel_groups", "Банки")
        await newsroom.taps(f"regroup:{group}".encode())
        await newsroom.taps(f"ungroup:{group}:sure".encode(), person=BORIS)
        assert "no longer exists" in text(await newsroom.says("Кредит"))


class TestTeam:
    async def test_nobody_is_answered_who_is_removed_in_this_moment(self, newsroom: Bot) -> None:
        await newsroom.taps(f"role:{DENIS}:owner:sure".encode())
        removed, changed = await at_once(
            newsroom,
            newsroom.taps(f"remove:{DENIS}:sure".encode()),
            newsroom.taps(f"role:{BORIS}:reader".encode(), person=DENIS),
        )
        assert "has been removed" in text(removed)
        assert text(changed) == "This bot is private. Ask its owner for an invitation."
        assert await newsroom.db.fetch_value("SELECT role FROM people WHERE id = :id", {"id": BORIS}) == "editor"

    @pytest.mark.parametrize("tapped", ["drop:{}:sure", "only:t{}:sure"])
    async def test_nobody_subscribes_to_what_goes_in_this_moment(self, newsroom: Bot, tapped: str) -> None:
        await newsroom.tracks("Банки: банк", person=BORIS)
        topic = await number(newsroom, "topics", "Банки")
        _, subscribed = await at_once(
            newsroom,
            newsroom.taps(tapped.format(topic).encode(), person=BORIS),
            newsroom.says("/track Банки", person=CLARA),
        )
        assert text(subscribed) == "This topic no longer exists."

    @pytest.mark.parametrize("tapped", [f"role:{DENIS}:editor:sure", f"handover:{ANNA}:sure"])
    async def test_no_link_brings_ownership_back(self, newsroom: Bot, tapped: str) -> None:
        await newsroom.taps(f"role:{DENIS}:owner:sure".encode())
        await newsroom.taps(b"link:owner:1:7d", person=DENIS)
        by = DENIS if "handover" in tapped else ANNA
        await newsroom.taps(tapped.encode(), person=by)
        assert await newsroom.db.fetch_value("SELECT count(*) FROM invitations") == 0


class TestLongNames:
    async def test_no_button_holds_more_than_telegram_takes(self, newsroom: Bot) -> None:
        for each in range(12):
            await newsroom.archive.follow(2000 + each, title="😀" * 25)
        for said in (f"/channels {'😀' * 30}", f"https://t.me/+{'h' * 60}"):
            reply = await newsroom.says(said)
            data = [each.data for row in reply.messages[0].buttons for each in row]
            assert all(len(each or b"") <= 64 for each in data), said

    async def test_a_search_names_only_so_many_places(self, newsroom: Bot) -> None:
        answer = text(await newsroom.says(f"/search сбой {' '.join(f'in:@news{n}' for n in range(300))}"))
        assert answer == "Name at most 50 channels or groups after in:. A channel group can hold many."
