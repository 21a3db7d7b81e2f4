"""Channels of the team's own: who may set them up in private, what counts for them, and what never comes into them."""

from datetime import timedelta

import pytest

from bot.commands import broadcast
from bot.models import Forward
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.store import chats
from bot.store.chats import Chat
from bot.telegram.chat_moves import BroadcastAccess
from tests.commands.kit import ANNA, BORIS, Bot, button, labels, text
from tests.kit_archive import NEWS, OTHER, post

DESK = Peer(kind=PeerKind.CHANNEL, id=8001, access_hash=5)


async def promoted(bot: Bot, person: int = ANNA, **changes: bool) -> None:
    rights = {"was_admin": False, "is_admin": True, "may_post": True, **changes}
    access = BroadcastAccess(peer=DESK, title="Our desk", person_id=person, name="Somebody", **rights)
    await bot.db.write(lambda tx: broadcast.receive(tx, access, now=bot.archive.now))


async def notices(bot: Bot, chat: Chat) -> list[str]:
    rows = await bot.db.fetch_all("SELECT notice FROM messages WHERE chat_id = ? AND kind = 'notice'", (chat.id,))
    return [row["notice"] for row in rows]


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an owner with a channel of the team's own that gets alerts on outages."""
    await bot.pair()
    await bot.archive.follow(NEWS, title="ЦБ РФ")
    await promoted(bot)
    desk = await bot.chat(DESK)
    screen = await bot.taps(f"post_in:{desk.id}:yes".encode())
    await bot.taps(button(screen.edit, "Outages"))
    return bot


async def test_what_is_tapped_and_typed_counts_there_and_stays_in_private(newsroom: Bot) -> None:
    desk = await newsroom.chat(DESK)
    assert await newsroom.topics_of(desk) == ["outages"]
    shown = await newsroom.says("/for our desk")
    settings = await newsroom.taps(button(shown.messages[0], "Settings"))
    assert text(settings).startswith("📣 Our desk\nSettings of this chat")
    quiet = await newsroom.taps(button(settings.edit, "Quiet hours"))
    await newsroom.taps(button(quiet.edit, "Type another"))
    answer = await newsroom.says("22:00-06:30")
    assert text(answer).startswith("📣 Our desk\n")
    desk, anna = await newsroom.chat(DESK), await newsroom.chat(Peer(kind=PeerKind.USER, id=ANNA))
    assert (desk.quiet is not None, anna.quiet) == (True, None)
    back = await newsroom.taps(button(answer.messages[0], "« Our desk"))
    assert "I post alerts in our channel Our desk" in text(back)
    offer = await newsroom.says("/for our desk /track Топливо: бензин")
    await newsroom.taps(button(offer.messages[0], "Save"))
    assert await newsroom.topics_of(desk) == ["outages", "Топливо"]
    assert "Топливо" not in await newsroom.topics_of(anna)
    assert "about all chats" in text(await newsroom.says("/for our desk /follow @rkn_tg"))
    assert "There is no command /pray" in text(await newsroom.says("/for our desk /pray"))
    await newsroom.db.write(lambda tx: tx.execute("UPDATE chats SET title = 'News/24' WHERE broadcast"))
    assert text(await newsroom.says("/for news/24 /storms off")).startswith("📣 News/24\n")
    assert "no channel «nobody» of ours" in (unknown := text(await newsroom.says("/for nobody")))
    assert "News/24: on" in unknown


async def test_a_time_zone_is_asked_for_where_its_owner_has_not_chosen_one(newsroom: Bot) -> None:
    shown = await newsroom.says("/for our desk")
    zones = await newsroom.taps(button(shown.messages[0], "Time zone"))
    await newsroom.taps(button(zones.edit, "Berlin"))
    assert (await newsroom.chat(DESK)).time_zone == "Europe/Berlin"
    assert "Time zone" not in labels((await newsroom.says("/for our desk")).messages[0])


async def test_editors_may_set_it_up_and_readers_may_not(newsroom: Bot) -> None:
    desk = await newsroom.chat(DESK)
    await newsroom.pair(BORIS, Role.READER)
    for data in (f"for:{desk.id}:topic:1:off:setup", f"post_in:{desk.id}:stop"):
        assert "Only owners and editors" in text(await newsroom.taps(data.encode(), person=BORIS))
    assert "Only owners and editors" in text(await newsroom.says("/for our desk", person=BORIS))
    await newsroom.pair(BORIS, Role.EDITOR)
    assert "Our desk" in text(await newsroom.says("/for our desk", person=BORIS))


async def test_taps_in_the_channel_itself_do_nothing(newsroom: Bot) -> None:
    desk = await newsroom.chat(DESK)
    for person in (ANNA, BORIS):
        for data in (b"topics", b"quote:1001:1", f"for:{desk.id}:setup".encode(), b"sum:1:0:new"):
            answer = await newsroom.taps(data, person=person, chat=DESK)
            assert (answer.messages, answer.edit, answer.buttons) == ((), None, None)
    await newsroom.db.write(lambda tx: chats.suspend(tx, desk.id, chats.OFFERED))
    await newsroom.taps(b"topics", chat=DESK)
    assert (await newsroom.chat(DESK)).suspended == chats.OFFERED


async def test_what_is_said_of_the_team_goes_to_the_owners(newsroom: Bot) -> None:
    desk, anna = await newsroom.chat(DESK), await newsroom.chat(Peer(kind=PeerKind.USER, id=ANNA))
    boris = await newsroom.pair(BORIS, Role.EDITOR)
    await newsroom.says("/untrack outages", person=BORIS)
    await newsroom.says("/for our desk /untrack outages", person=BORIS)
    await promoted(newsroom, BORIS, was_admin=True, may_post=False)
    await promoted(newsroom, BORIS, was_admin=True)
    assert await notices(newsroom, desk) == []
    assert {"suspended", "broadcast_resumed"} <= set(await notices(newsroom, anna))
    assert "offered" not in await notices(newsroom, boris)


async def test_what_comes_too_late_is_not_counted_there(newsroom: Bot) -> None:
    archive = newsroom.archive
    anna = await newsroom.chat(Peer(kind=PeerKind.USER, id=ANNA))
    await archive.live(post(1, "Сбой у банка", date=archive.now - timedelta(days=2)))
    rows = await newsroom.db.fetch_all("SELECT chat_id FROM groups WHERE kind = 'late'")
    assert [row["chat_id"] for row in rows] == [anna.id]


async def test_stopping_is_logged_and_undone(newsroom: Bot) -> None:
    shown = await newsroom.says("/for our desk")
    asked = await newsroom.taps(button(shown.messages[0], "Stop posting there"))
    assert "Its readers get no more alerts." in text(asked)
    assert text(await newsroom.taps(button(asked.edit, "No"))).endswith("Nothing was changed.")
    assert (await newsroom.chat(DESK)).suspended is None
    stopped = await newsroom.taps(button(asked.edit, "Stop posting there"))
    assert "I no longer post in Our desk" in text(stopped)
    assert (await newsroom.chat(DESK)).suspended == chats.OFFERED
    await newsroom.taps(button(stopped.edit, "Undo"))
    assert (await newsroom.chat(DESK)).suspended is None


async def test_its_own_posts_and_their_forwards_alert_nobody(newsroom: Bot) -> None:
    archive = newsroom.archive
    await archive.follow(DESK.id, title="Our desk")
    await archive.follow(OTHER, title="Discussion")
    forward = Forward(channel_id=DESK.id, message_id=1, name="Our desk", date=archive.now)
    await archive.live(
        post(1, "Сбой у банка", channel_id=DESK.id), post(1, "Сбой у банка", channel_id=OTHER, forward=forward)
    )
    assert [each for each in await archive.outbox() if each.kind == "alert"] == []
    assert "I also follow this channel" in text(await newsroom.says("/for our desk"))


async def test_a_second_offer_after_a_no_asks_again(newsroom: Bot) -> None:
    desk = await newsroom.chat(DESK)
    shown = await newsroom.says("/for")
    assert labels(shown.messages[0]) == ["Our desk"]
    await newsroom.taps(f"post_in:{desk.id}:stop:sure".encode())
    assert "I post nothing in Our desk" in text(await newsroom.taps(f"post_in:{desk.id}:no".encode()))
    await promoted(newsroom)
    assert (await newsroom.chat(DESK)).suspended == chats.OFFERED
    again = await newsroom.taps(f"post_in:{desk.id}:yes".encode())
    assert "Topics: Outages" in text(again)
