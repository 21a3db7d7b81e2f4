"""Targets: what owners do with them in a chat, and that their addresses are seen nowhere."""

from datetime import timedelta

import pytest

from bot.models.acts import UNDO_WITHIN
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.store import targets
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, button, labels, text
from tests.kit_archive import NEWS, post

SECRET = "tk-topsecret"  # noqa: S105 - what must not be seen


async def dump(bot: Bot) -> str:
    """Return all that the database holds, but for the one table of secrets."""
    names = await bot.db.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'target_urls'")
    rows = [await bot.db.fetch_all(f"SELECT * FROM {each['name']}") for each in names]  # noqa: S608 - our own
    return str([[tuple(row) for row in table] for table in rows])


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    await bot.pair()
    await bot.archive.follow(NEWS, title="ЦБ РФ")
    return bot


async def test_a_target_is_added_set_tested_and_removed_by_taps(newsroom: Bot) -> None:
    added = await newsroom.says(f"/targets add Duty ntfy://{SECRET}@localhost/topic")
    assert added.forgets
    assert SECRET not in text(added)
    screen = added.messages[-1]
    assert "Duty · ntfy\nnot used yet\nTopics: none yet" in screen.text
    shown = await newsroom.taps(button(screen, "Outages"))
    (duty,) = await targets.everyone(newsroom.db, newsroom.archive.now)
    assert await newsroom.topics_of(duty.chat) == ["outages"]
    quiet = await newsroom.says("/for duty /quiet 22:00-06:00")
    assert text(quiet).startswith("📣 Duty\n")
    assert "Quiet hours" in text(quiet)
    await newsroom.archive.live(post(1, "Сбой", date=newsroom.archive.now))
    await newsroom.taps(button(shown.edit, "Test alert"))
    (duty,) = await targets.everyone(newsroom.db, newsroom.archive.now)
    assert duty.waiting == 2
    paused = await newsroom.taps(button(shown.edit, "Pause"))
    assert "⏸ paused" in text(paused)
    assert "Duty: " not in text(await newsroom.taps(button(paused.edit, "Switch on")))
    asked = await newsroom.taps(button(paused.edit, "Remove"))
    removed = await newsroom.taps(button(asked.edit, "Remove"))
    assert await targets.everyone(newsroom.db, newsroom.archive.now) == []
    await newsroom.db.write(lambda tx: targets.forget_removed(tx, now=newsroom.archive.now))
    await newsroom.taps(button(removed.edit, "Undo"))
    assert len(await targets.everyone(newsroom.db, newsroom.archive.now)) == 1
    await newsroom.taps(button(asked.edit, "Remove"))
    later = newsroom.archive.now + UNDO_WITHIN + timedelta(seconds=1)
    assert await targets.url_of(newsroom.db, duty.chat.id) is not None
    await newsroom.db.write(lambda tx: targets.forget_removed(tx, now=later))
    assert await targets.url_of(newsroom.db, duty.chat.id) is None
    assert "added the target «Duty» (ntfy)" in text(await newsroom.says("/log"))
    assert SECRET not in await dump(newsroom)


async def test_a_webhook_gets_a_secret_that_is_shown_once(newsroom: Bot) -> None:
    asked = await newsroom.says("/targets add Desk")
    assert "Send me the address" in text(asked)
    added = await newsroom.says("https://example.org/tk-topsecret")
    assert added.forgets
    assert added.secret
    assert "whsec_" in added.messages[0].text
    assert SECRET not in text(added)
    assert "Desk · webhook" in added.messages[-1].text
    assert "whsec_" not in text(await newsroom.says("/targets"))
    again = await newsroom.says("/targets add DESK https://example.org/")
    assert "already" in text(again)


@pytest.mark.parametrize("before", ["", "/fallback "])
async def test_an_address_where_none_is_read_is_deleted_and_not_repeated(newsroom: Bot, before: str) -> None:
    said = await newsroom.says(f"{before}ntfy://ntfy.sh/{SECRET}")
    assert said.forgets
    assert "There is no target «ntfy://…»: owners see and add them with /targets." in text(said)
    assert SECRET not in await dump(newsroom)


@pytest.mark.parametrize("typed", ["Desk ", "Desk:", ""])
async def test_an_address_behind_for_is_deleted_and_not_repeated(newsroom: Bot, typed: str) -> None:
    said = await newsroom.says(f"/for {typed}ntfy://tk/{SECRET}")
    assert said.forgets
    assert "://…»" in text(said)
    assert "/tk" not in text(said)
    assert SECRET not in await dump(newsroom)


async def test_what_may_have_been_meant_for_an_address_is_no_name(newsroom: Bot) -> None:
    await newsroom.says("/targets add Night desk")
    again = await newsroom.says("ntfy.sh/tk-topsecret")
    assert again.forgets
    assert "That is no address" in text(again)
    added = await newsroom.says("ntfy://ntfy.sh/tk-topsecret")
    assert added.messages[-1].text.startswith("Night desk · ntfy")
    assert SECRET not in await dump(newsroom)


@pytest.mark.parametrize("typed", ["nonsense://tk-topsecret", "/targets add X https://u:tk-topsecret@h/", "tgram://x"])
async def test_a_wrong_address_is_deleted_too(newsroom: Bot, typed: str) -> None:
    said = typed if typed.startswith("/") else f"/targets add X {typed}"
    refused = await newsroom.says(said)
    assert refused.forgets
    assert SECRET not in text(refused)
    assert await targets.everyone(newsroom.db, newsroom.archive.now) == []


async def test_owners_alone_see_targets(newsroom: Bot) -> None:
    await newsroom.says("/targets add Duty ntfy://localhost/topic")
    (duty,) = await targets.everyone(newsroom.db, newsroom.archive.now)
    await newsroom.pair(BORIS, Role.EDITOR)
    assert "no channel" in text(await newsroom.says("/for duty", person=BORIS))
    for data in (f"for:{duty.chat.id}:setup", f"for:{duty.chat.id}:topic:1:on:setup", f"target:{duty.chat.id}:pause"):
        assert "Duty" not in text(await newsroom.taps(data.encode(), person=BORIS))
    assert (await targets.everyone(newsroom.db, newsroom.archive.now)) == [duty]


async def test_an_owner_chooses_the_fallback_of_a_chat(newsroom: Bot) -> None:
    await newsroom.says("/targets add Duty ntfy://localhost/topic")
    anna = await newsroom.chat(Peer(kind=PeerKind.USER, id=ANNA))
    settings = await newsroom.says("/settings")
    opened = await newsroom.taps(button(settings.messages[0], "While Telegram is down"))
    shown = await newsroom.says("/fallback")
    assert opened.edit == shown.messages[0]
    assert "nowhere, they wait" in text(shown)
    chosen = await newsroom.taps(button(shown.messages[0], "Duty"))
    assert "● Duty" in labels(chosen.edit)
    fallback = await targets.fallback_of(newsroom.db, anna.id)
    assert fallback is not None
    assert fallback.title == "Duty"
    await newsroom.pair(BORIS, Role.EDITOR)
    await newsroom.says("/start", chat=GROUP)
    assert "Only owners" in text(await newsroom.says("/fallback duty", person=BORIS, chat=GROUP))
    assert "Duty" in text(await newsroom.says("/fallback duty", chat=GROUP))
    await newsroom.says("/fallback off")
    assert await targets.fallback_of(newsroom.db, anna.id) is None
    assert "no target «x»" in text(await newsroom.says("/fallback x"))
