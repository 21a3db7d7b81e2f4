import asyncio
import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from telethon import functions, types
from telethon.errors import FloodWaitError
from telethon.tl.core import RpcResult

from bot.sandbox.faults import Faults, code_of

from .kit import ACCOUNT, GET_STATE, UPDATES, WAIT_S, RawClient, running

PING = functions.PingRequest(7)
CHANNEL = types.InputPeerChannel(55, 1)


def message(peer: object, text: str = "hello") -> functions.messages.SendMessageRequest:
    return functions.messages.SendMessageRequest(peer, text, random_id=1)


async def outcome(client: RawClient, request: object) -> str:
    """Ask, and return the error's name or «ok»."""
    answer = await client.ask(request)
    return answer.error_message if isinstance(answer, types.RpcError) else "ok"


async def pushes(client: RawClient) -> int:
    """Count the pushes that came before the answer to a ping."""
    client.send(PING)
    count = 0
    while not isinstance((received := await client.receive()).message, types.Pong):
        count += isinstance(received.message, types.UpdateShort)
    return count


async def test_pushes_are_dropped_for_one_account_so_many_times() -> None:
    async with running() as parts:
        client, other = await parts.raw(), await parts.raw(account_id=7)
        await client.ask(GET_STATE)
        await other.ask(GET_STATE)
        parts.faults.drop_pushes(account_id=ACCOUNT, times=2)
        for _ in range(5):
            parts.server.push([ACCOUNT, 7], UPDATES)
        assert (await pushes(client), await pushes(other)) == (3, 5)


async def test_a_banned_account_is_told_so_and_hears_nothing_until_faults_are_cleared() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(GET_STATE)
        parts.faults.ban(ACCOUNT)
        parts.server.push([ACCOUNT], UPDATES)
        assert await pushes(client) == 0
        assert await outcome(client, GET_STATE) == "USER_DEACTIVATED_BAN"
        parts.faults.clear()
        assert await outcome(client, GET_STATE) == "ok"


async def test_a_share_of_the_pushes_is_dropped_until_faults_are_cleared() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(GET_STATE)
        parts.faults.drop_pushes(0.3, random=Random(1))  # noqa: S311 - the same each time
        for _ in range(200):
            parts.server.push([ACCOUNT], UPDATES)
        assert 120 < await pushes(client) < 160
        parts.faults.clear()
        for _ in range(20):
            parts.server.push([ACCOUNT], UPDATES)
        assert await pushes(client) == 20


async def test_a_method_is_answered_with_an_error_so_many_times() -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.answer("GetState", "CHANNEL_PRIVATE", times=2)
        assert [await outcome(client, GET_STATE) for _ in range(3)] == ["CHANNEL_PRIVATE"] * 2 + ["ok"]
        assert parts.library.runs == 1
        parts.faults.answer("updates.GetState", "SOMETHING_NEW", code=406, times=None)
        answers = [await client.ask(GET_STATE) for _ in range(3)]
        assert {(each.error_code, each.error_message) for each in answers} == {(406, "SOMETHING_NEW")}
        parts.faults.answer("messages.GetState", "NEVER")
        parts.faults.clear()
        assert await outcome(client, GET_STATE) == "ok"


async def test_a_method_that_nobody_handles_can_be_answered_too() -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.answer("GetAllStickers", "FROZEN_METHOD_INVALID")
        assert await outcome(client, functions.messages.GetAllStickersRequest(0)) == "FROZEN_METHOD_INVALID"
        assert parts.dispatcher.unknown == []


@pytest.mark.parametrize("chat_id", [55, -1000000000055], ids=["bare", "marked"])
async def test_an_error_strikes_one_chat_only(chat_id: int) -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.answer("SendMessage", "CHAT_WRITE_FORBIDDEN", times=None, chat_id=chat_id)
        peers = [CHANNEL, types.InputPeerChannel(56, 1), types.InputPeerUser(7, 1), types.InputPeerChat(8)]
        results = [await outcome(client, message(peer)) for peer in peers]
        assert results == ["CHAT_WRITE_FORBIDDEN", "ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("peer", "chat_id"),
    [(types.InputPeerChat(8), -8), (types.InputPeerChat(8), 8), (types.InputPeerUser(7, 1), 7)],
    ids=["marked group", "bare group", "user"],
)
async def test_every_kind_of_chat_can_be_named(peer: object, chat_id: int) -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.answer("SendMessage", "PEER_FLOOD", chat_id=chat_id)
        assert await outcome(client, message(types.InputPeerSelf())) == "ok"
        assert await outcome(client, message(peer)) == "PEER_FLOOD"


async def test_a_flood_wait_in_one_chat_leaves_others_alone() -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.flood_wait("SendMessage", 17, chat_id=55)
        assert await outcome(client, message(types.InputPeerUser(7, 1))) == "ok"
        assert await outcome(client, message(CHANNEL)) == "FLOOD_WAIT_17"
        assert await outcome(client, message(CHANNEL)) == "ok"


async def test_a_flood_wait_counts_down_on_the_clock() -> None:
    moment = [datetime(2021, 10, 4, 15, 39, tzinfo=UTC)]
    async with running(lambda: moment[0]) as parts:
        client = await parts.raw()
        parts.faults.flood_wait("GetState", 60, times=None)
        assert await outcome(client, GET_STATE) == "FLOOD_WAIT_60"
        moment[0] += timedelta(seconds=59, milliseconds=500)
        assert await outcome(client, GET_STATE) == "FLOOD_WAIT_1"
        moment[0] += timedelta(seconds=1)
        assert await outcome(client, GET_STATE) == "ok"


async def test_telethon_understands_the_flood_wait() -> None:
    async with running() as parts:
        client = parts.telethon(flood_sleep_threshold=0)
        await client.connect()
        parts.faults.flood_wait("GetState", 17)
        with pytest.raises(FloodWaitError) as caught:
            await client(GET_STATE)
        assert caught.value.seconds == 17


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("CHANNEL_PRIVATE", 400),
        ("SESSION_REVOKED", 401),
        ("CHAT_WRITE_FORBIDDEN", 403),
        ("AUTH_KEY_DUPLICATED", 406),
        ("FLOOD_WAIT_3", 420),
        ("SLOWMODE_WAIT_5", 420),
        ("RANDOM_ID_DUPLICATE", 500),
        ("NOBODY_KNOWS", 400),
    ],
)
def test_an_error_comes_with_the_code_that_telegram_gives_it(error: str, code: int) -> None:
    assert code_of(error) == code


async def test_a_held_reply_waits_until_it_is_released() -> None:
    async with running() as parts:
        client = await parts.raw()
        hold = parts.faults.hold("GetState")
        msg_id = client.send(GET_STATE)
        await asyncio.wait_for(hold.reached(), WAIT_S)
        assert (parts.library.runs, hold.held) == (1, 1)
        assert await outcome(client, functions.account.UpdateStatusRequest(offline=True)) == "ok"
        hold.release()
        assert (await client.result(msg_id)).pts == 1
        assert (await client.ask(GET_STATE)).pts == 2


async def test_clearing_faults_releases_what_is_held() -> None:
    async with running() as parts:
        client = await parts.raw()
        hold = parts.faults.hold("UpdateStatus")
        msg_id = client.send(functions.account.UpdateStatusRequest(offline=True))
        await asyncio.wait_for(hold.reached(), WAIT_S)
        parts.faults.clear()
        assert await client.result(msg_id) is True


async def test_a_lost_reply_was_handled_and_telethon_asks_again() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        before = parts.library.runs
        parts.faults.lose_reply("GetState")
        assert (await asyncio.wait_for(client(GET_STATE), WAIT_S)).pts == before + 2


async def test_a_lost_reply_is_there_when_the_session_comes_back() -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.lose_reply("GetState")
        msg_id = client.send(GET_STATE)
        assert await client.closed()
        await client.connect()
        client.send(PING)
        assert (await client.result(msg_id)).pts == 1
        assert parts.library.runs == 1


async def test_a_cut_connection_is_made_again_by_telethon() -> None:
    async with running() as parts:
        client, raw = parts.telethon(), await parts.raw(account_id=7)
        await client.connect()
        await raw.ask(GET_STATE)
        before = parts.library.runs
        parts.server.cut(ACCOUNT)
        assert (await asyncio.wait_for(client(GET_STATE), WAIT_S)).pts == before + 1
        assert (await raw.ask(GET_STATE)).pts == before + 2
        parts.server.cut()
        assert await raw.closed()


async def test_pushes_while_a_client_is_away_are_lost() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(GET_STATE)
        parts.server.cut(ACCOUNT)
        assert await client.closed()
        parts.server.push([ACCOUNT], UPDATES)
        await client.connect()
        assert await pushes(client) == 0
        parts.server.push([ACCOUNT], UPDATES)
        assert await pushes(client) == 1


async def test_a_black_hole_reads_and_neither_acts_nor_answers() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(GET_STATE)
        parts.faults.unanswered = True
        client.send(GET_STATE)
        parts.server.push([ACCOUNT], UPDATES)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.receive(), 0.05)
        assert parts.library.runs == 1
        parts.faults.clear()
        assert (await client.ask(GET_STATE)).pts == 2


@pytest.mark.parametrize("seconds", [200, -4000, 86_400])
async def test_telethon_adapts_to_a_clock_that_differs(seconds: float) -> None:
    async with running() as parts:
        parts.faults.skew(seconds)
        client = parts.telethon()
        await client.connect()
        assert (await client.get_me()).first_name == "Anna"
        assert abs(parts.server.clock() - time.time() - seconds) < 1


async def test_telethon_adapts_when_the_clock_is_set_meanwhile() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        for seconds in (1000, -1000, 0):
            parts.faults.skew(seconds)
            before = parts.library.runs
            results = await asyncio.wait_for(asyncio.gather(*(client(GET_STATE) for _ in range(5))), WAIT_S)
            assert sorted(result.pts for result in results) == list(range(before + 1, before + 6))


async def test_verbs_add_up() -> None:
    faults = Faults()
    faults.answer("GetState", "A")
    faults.flood_wait("GetState", 3)
    faults.lose_reply("GetState")
    names = ("GetState", "updates.GetState")
    seen = [faults.refusal(names, GET_STATE) for _ in range(3)]
    assert [refusal and refusal.message for refusal in seen] == ["A", "FLOOD_WAIT_3", None]
    assert [faults.loses_reply(names, GET_STATE) for _ in range(2)] == [True, False]


async def test_two_answers_are_lost_where_two_are_due() -> None:
    async with running() as parts:
        client = await parts.raw()
        parts.faults.lose_reply("GetState", times=2)
        for _ in range(2):
            client.send(GET_STATE)
            assert await client.closed()
            await client.connect()
        last = client.send(GET_STATE)
        received = await client.wait_for(RpcResult, last)
        assert received.message.error is None
        assert parts.library.runs == 3
