"""`alerts --dead`, beside a store that may be open, also in another process."""

from datetime import timedelta
from pathlib import Path

from bot.models import Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.store import addresses, chats
from bot.store.chats import Chat
from bot.store.database import Transaction
from tests import kit
from tests.kit import Message, State
from tests.shell import spawned, typed
from tests.store.kit import NOON, Newsroom, newsroom, post


async def pair(room: Newsroom, number: int, title: str) -> Chat:
    peer = Peer(kind=PeerKind.USER, id=number)
    return await room.db.write(lambda tx: chats.pair(tx, peer, title=title, language="en", now=NOON))


async def kill(room: Newsroom, chat: Chat, reason: str) -> Message:
    """Let a post be told to a chat, and the alert die."""
    (alert,) = [alert for alert in await room.outbox() if alert.chat.id == chat.id]
    await kit.kill(room.db, alert, reason)
    return alert


async def prepared(room: Newsroom) -> tuple[Message, Message]:
    """Tell two people of a post; both alerts die, one of them with its chat."""
    alice, ivan = await pair(room, 1, "Alice\n\x1b[31m"), await pair(room, 2, "Ivan")
    await room.follow(title="Вести")
    for chat in (alice, ivan):
        await room.track(chat, "outages", "сбой")
    await room.live(post(5, "Утром случился сбой"))
    bad = await kill(room, alice, "ENTITY_BOUNDS_INVALID")
    blocked = await kill(room, ivan, "USER_IS_BLOCKED")
    await room.db.write(lambda tx: chats.suspend(tx, ivan.id, "USER_IS_BLOCKED"))
    return bad, blocked


async def test_dead_alerts_are_listed_with_all_that_is_known(tmp_path: Path) -> None:
    assert (await typed(tmp_path / "data", "alerts", "--dead"))[0] == 1  # there is no database yet
    async with newsroom(tmp_path) as room:
        assert (await typed(tmp_path / "data", "alerts", "--dead"))[1] == "No alert is dead.\n"
        bad, blocked = await prepared(room)
    code, out, err = await typed(tmp_path / "data", "alerts", "--dead")
    assert (code, err) == (0, "")
    first, second, summary = out.splitlines()
    date = f"{NOON:%Y-%m-%d %H:%M} UTC"
    replaced = "\N{REPLACEMENT CHARACTER}"
    assert first == f"{bad.id}  {date}  Alice {replaced}[31m  https://t.me/News1001/5  ENTITY_BOUNDS_INVALID"
    assert second == f"{blocked.id}  {date}  Ivan  https://t.me/News1001/5  USER_IS_BLOCKED (suspended)"
    assert summary == "2 dead, 1 of them in suspended chats; --retry tries the others again."


async def test_dead_alerts_are_tried_again_beside_a_running_service_and_those_of_suspended_chats_are_not(
    tmp_path: Path,
) -> None:
    async with newsroom(tmp_path) as room:
        bad, blocked = await prepared(room)
        code, out, err = await spawned(tmp_path / "data", "alerts", "--dead", "--retry")
        assert (code, err) == (0, "")
        assert out.splitlines()[0] == "Tried again within half a minute: 1"
        assert out.splitlines()[1].startswith("Left alone in suspended chats: 1;")
        assert await kit.state_of(room.db, bad) == State(state="due")
        (again,) = await kit.messages(room.db, utc_now())
        assert (again.id, again.random_id) == (bad.id, bad.random_id)
        assert (await kit.state_of(room.db, blocked)).state == "dead"


async def test_only_those_asked_for_are_tried_again(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        bad, blocked = await prepared(room)
        _, out, _ = await typed(tmp_path / "data", "alerts", "--dead", "--retry", blocked.id, 999)
        assert out.splitlines()[:2] == ["Tried again within half a minute: 0", "Not dead: 999"]
        assert (await kit.state_of(room.db, bad)).state == "dead"


async def test_wrong_use_is_told(tmp_path: Path) -> None:
    for words in (["alerts"], ["alerts", "--dead", "5"]):
        assert (await typed(tmp_path / "data", *words))[0] == 2
    code, out, _ = await typed(tmp_path / "data", "alerts", "--help")
    assert code == 0
    assert "Example: channelwatch alerts --dead --retry" in out


async def test_a_chat_that_comes_back_is_told_once_what_it_has_missed(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        _, blocked = await prepared(room)

        async def job(tx: Transaction) -> None:
            for minute in range(2):
                await addresses.resume(tx, blocked.chat.id, now=NOON + timedelta(minutes=minute))

        await room.db.write(job)
        (notice,) = [alert for alert in await room.outbox() if alert.label == "notice"]
        assert notice.chat.suspended is None
        assert notice.notice.alerts == 1
        assert (await kit.state_of(room.db, blocked)).state == "dead"
        await room.db.write(lambda tx: chats.suspend(tx, blocked.chat.id, "USER_IS_BLOCKED"))
        await room.db.write(lambda tx: addresses.resume(tx, blocked.chat.id, now=NOON + timedelta(hours=1)))
        (again,) = [alert for alert in await room.outbox() if alert.label == "notice"]
        assert again.notice.alerts == 0  # but for the notice itself, which this one repeats
