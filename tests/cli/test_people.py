"""The team on the command line: people, links and the log of what was done."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models.people import EVERYTHING, Role
from bot.store import acts, invitations, people
from bot.store.chats import REMOVED
from tests.cli.test_cli import typed
from tests.kit_archive import Archive, open_archive

ANNA, BORIS = 501, 502


@pytest.fixture
async def newsroom(tmp_path: Path) -> AsyncIterator[Archive]:
    """Make an instance with an owner who can be reached and an editor."""
    async with open_archive(tmp_path) as archive:
        for number, role, name in ((ANNA, Role.OWNER, "Anna"), (BORIS, Role.EDITOR, "Борис")):
            await archive.db.write(lambda tx, n=number, r=role, m=name: people.admit(tx, n, r, archive.now, name=m))
            await archive.pair(number)
        yield archive


async def test_people_are_listed(newsroom: Archive, tmp_path: Path) -> None:
    code, out, err = await typed(tmp_path / "data", "people")
    assert (code, err) == (0, "")
    assert out.splitlines() == ["501  Anna  owner  2025-03-10  never", "502  Борис  editor  2025-03-10  never"]
    assert newsroom.db is not None


async def test_a_role_is_changed_and_somebody_removed(newsroom: Archive, tmp_path: Path) -> None:
    code, out, _ = await typed(tmp_path / "data", "people", "борис", "--role", "reader")
    assert (code, out) == (0, "Борис is now reader.\n")
    assert await people.role_of(newsroom.db, BORIS) is Role.READER
    code, _, _ = await typed(tmp_path / "data", "people", "502", "--remove")
    assert code == 0
    assert await people.role_of(newsroom.db, BORIS) is None
    suspended = await newsroom.db.fetch_value("SELECT suspended FROM chats WHERE telegram_id = 502")
    assert suspended == REMOVED


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("people", "anna", "--remove"), 1, "nobody else is an owner who can be reached"),
        (("people", "501", "--role", "editor"), 1, "nobody else is an owner who can be reached"),
        (("people", "eve", "--remove"), 2, "nobody in the team is called «eve»"),
        (("people", "--remove"), 2, "say who"),
        (("people", "anna", "--remove", "--role", "reader"), 2, "cannot be combined"),
        (("invite", "--for", "1m"), 2, "from 15m to 7d"),
        (("invite", "--uses", "0"), 2, "greater than or equal to 1"),
        (("log", "--day", "yesterday"), 2, "2026-01-31"),
    ],
)
async def test_a_mistake_is_one_clear_line(
    newsroom: Archive, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    ended, _, err = await typed(tmp_path / "data", *words)
    assert ended == code
    assert said in " ".join(err.replace("│", " ").split())
    assert await people.role_of(newsroom.db, ANNA) is Role.OWNER


async def test_an_invitation_makes_a_reader_and_voids_nothing(newsroom: Archive, tmp_path: Path) -> None:
    for _ in range(2):
        code, out, err = await typed(tmp_path / "data", "invite", "--uses", "5", "--for", "7d")
        assert code == 0
    assert out.startswith("/start ")
    assert out.count("\n") == 1
    assert "Lets 5 people join as reader" in err
    assert "Earlier links still valid: 1." in err
    made = await invitations.live(newsroom.db, newsroom.now)
    assert [(link.role, link.uses) for link in made] == [(Role.READER, 5)] * 2
    assert made[0].expires_at - made[0].made_at == timedelta(days=7)


async def test_the_log_shows_what_was_done_on_the_server_too(newsroom: Archive, tmp_path: Path) -> None:
    await typed(tmp_path / "data", "people", "502", "--role", "reader")
    code, out, _ = await typed(tmp_path / "data", "log")
    assert code == 0
    assert out.rstrip().endswith("UTC On the server: Борис is now reader, no longer editor")
    (act,) = await acts.latest(newsroom.db, EVERYTHING, limit=5)
    assert act.person_id is None
    _, out, _ = await typed(tmp_path / "data", "log", "--day", "2020-01-01")
    assert out == "Nothing has been done yet.\n"
