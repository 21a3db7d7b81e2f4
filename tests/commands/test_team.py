"""The team: /team, links, roles, removal, handing over; and what each of them undoes."""

from datetime import timedelta

import pytest

from bot.commands.context import Reply
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.store import addresses, invitations, people
from bot.store.chats import REMOVED
from tests.commands.kit import ANNA, BORIS, EVE, GROUP, Bot, button, text

CLARA = 503
BORIS_CHAT = Peer(kind=PeerKind.USER, id=BORIS)


@pytest.fixture
async def team(bot: Bot) -> Bot:
    """Anna, an owner by a link, with Boris, an editor."""
    await bot.db.write(lambda tx: people.take_over(tx, [], now=bot.archive.now))
    await bot.pair(ANNA, Role.OWNER)
    await bot.pair(BORIS, Role.EDITOR)
    await bot.archive.send_all()
    return bot


async def opens(bot: Bot, person: int, *labels: str) -> Reply:
    """Tap from /team through these buttons."""
    reply = await bot.says("/team", person=person)
    for label in labels:
        shown = reply.edit or reply.messages[-1]
        reply = await bot.taps(button(shown, label), person=person)
    return reply


async def notices(bot: Bot, person: int) -> list[str]:
    """Return the acts that a person's chat is about to be told of."""
    return [
        message.notice.act.kind
        for message in await bot.archive.outbox()
        if message.kind == "notice" and message.chat.peer.id == person and message.notice.kind == "act"
    ]


async def test_it_shows_everybody_with_role_and_when_they_were_seen(team: Bot) -> None:
    await team.says("/help", person=BORIS, name="Boris")
    shown = text(await team.says("/team"))
    assert "2 people in the team" in shown
    assert "Boris · editor · since 10 Mar, 12:00 UTC · last seen 10 Mar, 12:00 UTC" in shown


@pytest.mark.parametrize("person", [BORIS, EVE])
async def test_it_is_the_owners_alone(team: Bot, person: int) -> None:
    assert "2 people" not in text(await team.says("/team", person=person))
    assert await people.role_of(team.db, BORIS) is Role.EDITOR
    await team.taps(f"remove:{ANNA}:sure".encode(), person=person)
    assert await people.role_of(team.db, ANNA) is Role.OWNER


async def test_it_is_not_shown_in_a_group(team: Bot) -> None:
    await team.says("/start@our_bot", chat=GROUP)
    assert text(await team.says("/team", chat=GROUP)) == "Only owners can do that, in a private chat with me."


async def test_a_link_is_made_by_taps_and_lets_in_whom_it_says(team: Bot) -> None:
    made = await opens(team, ANNA, "Invite somebody", "editor", "5 people", "7 days", "Create link")
    (link,) = await invitations.live(team.db, team.archive.now)
    assert (link.role, link.uses, link.made_by) == (Role.EDITOR, 5, ANNA)
    assert link.expires_at == team.archive.now + timedelta(days=7)
    welcome = await team.says(f"/start {text(made).split()[-1].rpartition('=')[2]}", person=CLARA, name="Clara")
    assert "You are an editor: you can follow channels" in text(welcome)
    assert await notices(team, ANNA) == ["join"]
    assert await notices(team, CLARA) == []


async def test_a_link_that_gives_somebody_nothing_is_not_used_up(team: Bot) -> None:
    made = await opens(team, ANNA, "Invite somebody", "Create link")
    link = text(made).split()[-1]
    await team.says(f"/start {link}", person=ANNA)  # to see whether it works
    await team.says(f"/start {link}", person=CLARA)
    assert await people.role_of(team.db, CLARA) is Role.READER


async def test_a_withdrawn_link_lets_nobody_in(team: Bot) -> None:
    made = await opens(team, ANNA, "Invite somebody", "Create link")
    await team.taps(button(made.messages[0], "Withdraw this link"))
    assert "private" in text(await team.says(f"/start {text(made).split()[-1]}", person=EVE))


async def test_links_are_numbered_so_that_the_right_one_is_withdrawn(team: Bot) -> None:
    for role in ("reader", "editor"):
        await opens(team, ANNA, "Invite somebody", role, "Create link")
    shown = await team.says("/team")
    number = next(line[0] for line in text(shown).splitlines() if ". editor: 0 of 1 used" in line)
    await team.taps(button(shown.messages[0], f"Withdraw link {number}"))
    assert [link.role for link in await invitations.live(team.db, team.archive.now)] == [Role.READER]


async def test_a_role_is_changed_told_and_taken_back(team: Bot) -> None:
    changed = await opens(team, ANNA, f"Person {BORIS}", "reader")
    assert await people.role_of(team.db, BORIS) is Role.READER
    assert changed.menus_of == (BORIS,)
    assert await notices(team, BORIS) == ["role"]
    await team.taps(button(changed.edit, "Undo"))
    assert await people.role_of(team.db, BORIS) is Role.EDITOR
    assert await notices(team, BORIS) == ["role", "role"]


async def test_removal_ends_alerts_answers_and_links_at_once(team: Bot) -> None:
    await team.db.write(
        lambda tx: invitations.make(tx, role=Role.READER, now=team.archive.now, made_by=BORIS, life=timedelta(days=1))
    )
    await team.says("/start@our_bot", person=BORIS, chat=GROUP)
    asked = await opens(team, ANNA, f"Person {BORIS}", "Remove")
    assert "stop working at once" in text(asked)
    assert await people.role_of(team.db, BORIS) is Role.EDITOR
    await team.taps(button(asked.edit, "Remove"))
    assert (await team.chat(BORIS_CHAT)).suspended == REMOVED
    assert await invitations.live(team.db, team.archive.now) == []
    assert "private" in text(await team.says("/status", person=BORIS))
    assert await team.says("/status@our_bot", person=BORIS, chat=GROUP) == Reply()
    assert (await team.chat(GROUP)).suspended is None


async def test_the_chat_of_somebody_who_was_removed_is_resumed_by_a_link_alone(team: Bot) -> None:
    asked = await opens(team, ANNA, f"Person {BORIS}", "Remove")
    await team.taps(button(asked.edit, "Remove"))
    chat = await team.chat(BORIS_CHAT)
    assert chat.suspended == REMOVED
    await team.db.write(lambda tx: addresses.resume(tx, chat.id, now=team.archive.now))
    assert (await team.chat(BORIS_CHAT)).suspended == REMOVED
    await team.pair(BORIS, Role.READER)
    assert (await team.chat(BORIS_CHAT)).suspended is None


async def test_a_removal_is_undone_within_ten_minutes(team: Bot) -> None:
    asked = await opens(team, ANNA, f"Person {BORIS}", "Remove")
    removed = await team.taps(button(asked.edit, "Remove"))
    team.archive.now += timedelta(minutes=9)
    await team.taps(button(removed.edit, "Undo"))
    assert await people.role_of(team.db, BORIS) is Role.EDITOR
    assert "No channels are followed yet" in text(await team.says("/status", person=BORIS))


async def test_after_ten_minutes_nothing_is_undone(team: Bot) -> None:
    changed = await opens(team, ANNA, f"Person {BORIS}", "reader")
    team.archive.now += timedelta(minutes=10)
    assert "Too late" in text(await team.taps(button(changed.edit, "Undo")))
    assert await people.role_of(team.db, BORIS) is Role.READER


async def test_what_was_changed_since_is_not_undone(team: Bot) -> None:
    changed = await opens(team, ANNA, f"Person {BORIS}", "reader")
    await opens(team, ANNA, f"Person {BORIS}", "owner", "Yes")
    assert "changed since" in text(await team.taps(button(changed.edit, "Undo")))
    assert await people.role_of(team.db, BORIS) is Role.OWNER


@pytest.mark.parametrize("data", [f"remove:{ANNA}:sure", f"role:{ANNA}:reader:sure"])
async def test_the_last_owner_stays(team: Bot, data: str) -> None:
    assert "Make somebody an owner first" in text(await team.taps(data.encode()))
    assert await people.role_of(team.db, ANNA) is Role.OWNER


async def test_an_owner_who_cannot_be_reached_does_not_count(team: Bot) -> None:
    await team.db.write(lambda tx: people.take_over(tx, [777], now=team.archive.now))
    assert "Make somebody an owner first" in text(await team.taps(f"remove:{ANNA}:sure".encode()))


async def test_an_owner_by_the_settings_is_only_changed_there(team: Bot) -> None:
    await team.db.write(lambda tx: people.take_over(tx, [BORIS], now=team.archive.now))
    assert await people.role_of(team.db, BORIS) is Role.OWNER
    assert "OWNER_IDS" in text(await team.taps(f"remove:{BORIS}:sure".encode()))
    await team.db.write(lambda tx: people.take_over(tx, [], now=team.archive.now))
    assert await people.role_of(team.db, BORIS) is Role.EDITOR  # as he was before


async def test_who_was_only_named_by_the_settings_goes_with_them(team: Bot) -> None:
    await team.db.write(lambda tx: people.take_over(tx, [CLARA], now=team.archive.now))
    await team.says("/start", person=CLARA)
    (gone,) = await team.db.write(lambda tx: people.take_over(tx, [], now=team.archive.now))
    assert (gone.id, await people.role_of(team.db, CLARA)) == (CLARA, None)


async def test_the_bot_is_handed_over_in_two_taps(team: Bot) -> None:
    handed = await opens(team, ANNA, f"Person {BORIS}", "Hand over the bot", "Hand over")
    assert text(handed) == f"Person {BORIS} is now an owner, and you are an editor."
    assert [await people.role_of(team.db, each) for each in (ANNA, BORIS)] == [Role.EDITOR, Role.OWNER]
    assert set(handed.menus_of) == {ANNA, BORIS}


async def test_who_is_in_the_team_again_in_another_way_gets_alerts_again(team: Bot) -> None:
    asked = await opens(team, ANNA, f"Person {BORIS}", "Remove")
    await team.taps(button(asked.edit, "Remove"))
    await team.db.write(lambda tx: people.take_over(tx, [BORIS], now=team.archive.now))
    await team.says("/status", person=BORIS)
    assert (await team.chat(BORIS_CHAT)).suspended is None
