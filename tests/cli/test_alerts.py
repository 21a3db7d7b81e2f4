"""`alerts --dead`, beside a store that may be open, also in another process."""

from datetime import timedelta
from pathlib import Path

from bot.models.outgoing import Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.store import addresses, chats
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests import kit
from tests.kit import Message, State
from tests.kit_archive import NOON, Archive, open_archive, post
from tests.shell import spawned, typed


async def pair(archive: Archive, number: int, title: str) -> Chat:
    peer = Peer(kind=PeerKind.USER, id=number)
    return await archive.db.write(lambda tx: chats.pair(tx, peer, title=title, language="en", now=NOON))


async def kill(archive: Archive, chat: Chat, reason: str) -> Message:
    """Let a post be told to a chat, and the alert die."""
    (alert,) = [alert for alert in await archive.outbox() if alert.chat.id == chat.id]
    await kit.kill(archive.db, alert, reason)
    return alert


async def prepared(archive: Archive) -> tuple[Message, Message]:
    """Tell two people of a post; both alerts die, one of them with its chat."""
    alice, ivan = await pair(archive, 1, "Alice\n\x1b[31m"), await pair(archive, 2, "Ivan")
    await archive.follow(title="Вести")
    for chat in (alice, ivan):
        await archive.track(chat, "outages", "сбой")
    await archive.live(post(5, "Утром случился сбой"))
    bad = await kill(archive, alice, "ENTITY_BOUNDS_INVALID")
    blocked = await kill(archive, ivan, "USER_IS_BLOCKED")
    await archive.db.write(lambda tx: chats.suspend(tx, ivan.id, "USER_IS_BLOCKED"))
    return bad, blocked


async def test_dead_alerts_are_listed_with_all_that_is_known(tmp_path: Path) -> None:
    assert (await typed(tmp_path / "data", "alerts", "--dead"))[0] == 1  # there is no database yet
    async with open_archive(tmp_path) as archive:
        assert (await typed(tmp_path / "data", "alerts", "--dead"))[1] == "No alerts have failed.\n"
        bad, blocked = await prepared(archive)
    code, out, err = await typed(tmp_path / "data", "alerts", "--dead")
    assert (code, err) == (0, "")
    first, second, summary = out.splitlines()
    date = f"{NOON:%Y-%m-%d %H:%M} UTC"
    replaced = "\N{REPLACEMENT CHARACTER}"
    assert first == f"{bad.id}  {date}  Alice {replaced}[31m  https://t.me/News1001/5  ENTITY_BOUNDS_INVALID"
    assert second == f"{blocked.id}  {date}  Ivan  https://t.me/News1001/5  USER_IS_BLOCKED (suspended)"
    assert summary == "2 failed, 1 of them in suspended chats; --retry tries the others again."


async def test_dead_alerts_are_tried_again_beside_a_running_service_and_those_of_suspended_chats_are_not(
    archive: Archive,
    tmp_path: Path,
) -> None:
    bad, blocked = await prepared(archive)
    code, out, err = await spawned(tmp_path / "data", "alerts", "--dead", "--retry")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Will be tried again within half a minute: 1"
    assert out.splitlines()[1].startswith("Skipped in suspended chats: 1;")
    assert await kit.state_of(archive.db, bad) == State(state="due")
    (again,) = await kit.messages(archive.db, utc_now())
    assert (again.id, again.random_id) == (bad.id, bad.random_id)
    assert (await kit.state_of(archive.db, blocked)).state == "dead"


async def test_only_those_asked_for_are_tried_again(archive: Archive, tmp_path: Path) -> None:
    bad, blocked = await prepared(archive)
    _, out, _ = await typed(tmp_path / "data", "alerts", "--dead", "--retry", blocked.id, 999)
    assert out.splitlines()[:2] == ["Will be tried again within half a minute: 0", "Not failed: 999"]
    assert (await kit.state_of(archive.db, bad)).state == "dead"


async def test_wrong_use_is_told(tmp_path: Path) -> None:
    for words in (["alerts"], ["alerts", "--dead", "5"]):
        assert (await typed(tmp_path / "data", *words))[0] == 2
    code, out, _ = await typed(tmp_path / "data", "alerts", "--help")
    assert code == 0
    assert "Example: channelwatch alerts --dead --retry" in out


async def test_a_chat_that_comes_back_is_told_once_what_it_has_missed(archive: Archive) -> None:
    _, blocked = await prepared(archive)

    async def job(tx: Transaction) -> None:
        for minute in range(2):
            await addresses.resume(tx, blocked.chat.id, now=NOON + timedelta(minutes=minute))

    await archive.db.write(job)
    (notice,) = [alert for alert in await archive.outbox() if alert.label == "notice"]
    assert notice.chat.suspended is None
    assert notice.notice.alerts == 1
    assert (await kit.state_of(archive.db, blocked)).state == "dead"
    await archive.db.write(lambda tx: chats.suspend(tx, blocked.chat.id, "USER_IS_BLOCKED"))
    await archive.db.write(lambda tx: addresses.resume(tx, blocked.chat.id, now=NOON + timedelta(hours=1)))
    (again,) = [alert for alert in await archive.outbox() if alert.label == "notice"]
    assert again.notice.alerts == 0  # but for the notice itself, which this one repeats
