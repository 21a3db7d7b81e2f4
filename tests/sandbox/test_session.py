import asyncio

import pytest
from telethon import functions, types
from telethon.errors import AuthKeyNotFound

from bot.sandbox.protocol import inbox
from bot.sandbox.protocol.salts import LIFETIME_S, PERIOD_S

from .kit import GET_STATE, WAIT_S, RawClient, container, gzipped, running

PING = functions.PingRequest(7)


async def refused(client: RawClient, msg_id: int) -> int:
    """Wait for the notice that a message was refused, and return its code."""
    notice = (await client.wait_for(types.BadMsgNotification)).message
    assert notice.bad_msg_id == msg_id
    code: int = notice.error_code
    return code


async def test_the_first_message_opens_a_session() -> None:
    async with running() as parts:
        client = await parts.raw()
        msg_id = client.send(GET_STATE)
        created = (await client.receive()).message
        assert isinstance(created, types.NewSessionCreated)
        assert (created.first_msg_id, created.server_salt) == (msg_id, client.salt)
        assert (await client.result(msg_id)).pts == 1


@pytest.mark.parametrize(
    ("after_s", "code"), [(-290, None), (25, None), (-310, 16), (40, 17)], ids=["old", "ahead", "too old", "too far"]
)
async def test_a_msg_id_outside_the_time_window_is_refused(after_s: float, code: int | None) -> None:
    async with running() as parts:
        client = await parts.raw()
        msg_id = client.send(GET_STATE, msg_id=client.new_id(after_s=after_s))
        if code is None:
            assert (await client.result(msg_id)).pts == 1
        else:
            assert await refused(client, msg_id) == code
            assert parts.library.runs == 0


async def test_a_msg_id_that_is_not_divisible_by_four_is_refused() -> None:
    async with running() as parts:
        client = await parts.raw()
        assert await refused(client, client.send(GET_STATE, msg_id=client.new_id() + 2)) == 18


async def test_a_refused_message_opens_no_session() -> None:
    async with running() as parts:
        client = await parts.raw()
        client.send(GET_STATE, msg_id=client.new_id(after_s=-400))
        assert isinstance((await client.receive()).message, types.BadMsgNotification)


@pytest.mark.parametrize(
    ("step_s", "seqno", "code"),
    [(1, 3, 32), (1, 5, 32), (1, 6, 35), (-1, 7, 33), (-1, 5, 33), (1, 7, None), (-1, 3, None)],
    ids=["lower", "equal", "even", "higher", "equal and earlier", "right", "right and earlier"],
)
async def test_seqnos_must_grow_with_msg_ids(step_s: float, seqno: int, code: int | None) -> None:
    async with running() as parts:
        client = await parts.raw()
        first = client.new_id(after_s=-10)
        await client.result(client.send(GET_STATE, msg_id=first, seqno=5))
        second = client.send(GET_STATE, msg_id=client.new_id(after_s=-10 + step_s), seqno=seqno)
        if code is None:
            assert (await client.result(second)).pts == 2
        else:
            assert await refused(client, second) == code


async def test_acknowledgements_are_even_and_requests_odd() -> None:
    async with running() as parts:
        client = await parts.raw()
        assert await refused(client, client.send(types.MsgsAck([1]), seqno=1)) == 34
        assert await refused(client, client.send(GET_STATE, seqno=2)) == 35


async def test_a_container_with_its_gzip_is_taken_apart() -> None:
    async with running() as parts:
        client = await parts.raw()
        first, second, third = client.new_id(), client.new_id(), client.new_id()
        body = container((first, 1, gzipped(GET_STATE)), (second, 3, GET_STATE), (third, 4, types.MsgsAck([5])))
        client.send(gzipped(body), seqno=4)
        assert [(await client.result(msg_id)).pts for msg_id in (first, second)] == [1, 2]


async def test_a_container_that_breaks_the_rules_is_refused_as_a_whole() -> None:
    async with running() as parts:
        client = await parts.raw()
        inner, later = client.new_id(), client.new_id(after_s=5)
        bad = [
            container((later, 1, GET_STATE)),
            container((inner, 9, GET_STATE)),
            container((inner, 0, container())),
            container((inner, 1, GET_STATE))[:-4],
            container()[:4] + (5000).to_bytes(4, "little"),
            container()[:4],
        ]
        for body in bad:
            assert await refused(client, client.send(body, seqno=8)) == 64
        assert await refused(client, client.send(container((inner, 1, GET_STATE)), seqno=3)) == 34
        assert parts.library.runs == 0


async def test_a_container_is_refused_when_its_msg_id_comes_again() -> None:
    async with running() as parts:
        client = await parts.raw()
        inner = client.new_id()
        outer = client.send(container((inner, 1, GET_STATE)), seqno=2)
        await client.result(inner)
        client.send(container((inner, 1, GET_STATE)), msg_id=outer, seqno=2)
        assert await refused(client, outer) == 19


async def test_an_old_request_is_repeated_in_a_new_container() -> None:
    async with running() as parts:
        client = await parts.raw()
        old = client.new_id(after_s=-3000)
        client.send(container((old, 1, GET_STATE)), seqno=2)
        assert (await client.result(old)).pts == 1


async def test_an_id_below_all_that_is_remembered_is_refused() -> None:
    async with running() as parts:
        client = await parts.raw()
        first = client.new_id()
        for _ in range(3):
            acks = [(client.new_id(), 0, types.MsgsAck([])) for _ in range(inbox.REMEMBERED // 3)]
            client.send(container(*acks), seqno=0)
        assert await refused(client, client.send(GET_STATE, msg_id=first)) == 20


async def test_a_wrong_salt_is_answered_with_the_right_one() -> None:
    async with running() as parts:
        client = await parts.raw()
        client.salt = 0
        msg_id = client.send(GET_STATE)
        bad = (await client.receive()).message
        assert isinstance(bad, types.BadServerSalt)
        assert (bad.bad_msg_id, bad.error_code) == (msg_id, 48)
        client.salt = bad.new_server_salt
        assert (await client.ask(GET_STATE)).pts == 1


async def test_salts_that_were_announced_become_valid_in_their_time() -> None:
    async with running() as parts:
        client = await parts.raw()
        client.send(functions.GetFutureSaltsRequest(3))
        salts = (await client.wait_for(types.FutureSalts)).message.salts
        begins = [s.valid_since.timestamp() for s in salts]
        assert [begin - begins[0] for begin in begins] == [0, PERIOD_S, 2 * PERIOD_S]
        assert [s.valid_until.timestamp() - LIFETIME_S for s in salts] == begins
        assert [parts.server.salts.accepts(s.salt) for s in salts] == [True, False, False]
        parts.faults.skew(PERIOD_S)
        assert [parts.server.salts.accepts(s.salt) for s in salts] == [True, True, False]
        parts.faults.skew(2 * PERIOD_S)
        assert [parts.server.salts.accepts(s.salt) for s in salts] == [False, True, True]


async def test_telethon_goes_on_when_salts_are_rotated() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        before = parts.library.runs
        parts.server.salts.rotate()
        results = await asyncio.gather(*(client(GET_STATE) for _ in range(20)))
        assert sorted(result.pts for result in results) == list(range(before + 1, before + 21))


async def test_pings_are_answered_at_once_and_repeated() -> None:
    async with running() as parts:
        client = await parts.raw(introduced=False)
        msg_id = client.new_id()
        for _ in range(2):
            client.send(PING, msg_id=msg_id, seqno=1)
            pong = (await client.wait_for(types.Pong)).message
            assert (pong.msg_id, pong.ping_id) == (msg_id, 7)


async def test_the_connection_is_cut_when_its_time_runs_out() -> None:
    async with running() as parts:
        client = await parts.raw()
        client.send(functions.PingDelayDisconnectRequest(1, 60))
        client.send(functions.PingDelayDisconnectRequest(2, 0))
        assert (await client.wait_for(types.Pong)).message.ping_id == 1
        assert await client.closed()


async def test_the_server_tells_what_became_of_messages() -> None:
    async with running() as parts:
        client = await parts.raw()
        before, first = client.new_id(after_s=-20), client.send(GET_STATE)
        await client.result(first)
        running_one = client.send(functions.help.GetNearestDcRequest())
        asked = [before, first, running_one, client.new_id(after_s=20)]
        msg_id = client.send(types.MsgsStateReq(asked), seqno=client.seqno(content=False))
        info = (await client.wait_for(types.MsgsStateInfo)).message
        assert info.req_msg_id == msg_id
        states = [ord(char) for char in info.info]
        assert [states[0], states[1] & 0b1000111, states[2] & 0b1000111, states[3]] == [2, 64 | 4, 4, 3]


async def test_sessions_of_the_same_key_can_be_destroyed() -> None:
    async with running() as parts:
        client = await parts.raw()
        other = RawClient(parts.server, client.key)
        parts.raw_clients.append(await other.connect())
        await other.ask(GET_STATE)
        await client.ask(GET_STATE)
        for kind in (types.DestroySessionOk, types.DestroySessionNone):
            client.send(functions.DestroySessionRequest(other.session_id))
            assert isinstance((await client.wait_for(kind)).message, kind)
        client.send(functions.DestroySessionRequest(client.session_id))
        await client.wait_for(types.DestroySessionNone)
        other.send(PING)
        assert isinstance((await other.receive()).message, types.NewSessionCreated)


async def test_what_changes_nothing_is_ignored() -> None:
    async with running() as parts:
        client = await parts.raw()
        client.send(types.HttpWait(1, 1, 1), seqno=0)
        client.send(types.MsgsAllInfo([1], b"x"), seqno=0)
        client.send(types.MsgsStateInfo(1, b"x"), seqno=0)
        await client.ask(GET_STATE)
        assert parts.dispatcher.unknown == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"\x01\x02\x03\x04", "INPUT_METHOD_INVALID_67305985"),
        (bytes(types.InputPeerSelf()), "INPUT_METHOD_INVALID_2107670217"),
        (bytes(functions.users.GetUsersRequest([])) + bytes(4), "INPUT_REQUEST_TOO_LONG"),
        (bytes(functions.PingRequest(1))[:-4], "INPUT_FETCH_ERROR"),
        (bytes(functions.users.GetUsersRequest([types.InputUserSelf()]))[:-4] + b"abcd", "INPUT_CONSTRUCTOR_INVALID"),
        (gzipped(b"x" * (1 << 25)), "INPUT_FETCH_ERROR"),
        (gzipped(GET_STATE)[:-8], "INPUT_FETCH_ERROR"),
    ],
    ids=["constructor", "no function", "too long", "truncated", "inner constructor", "gzip bomb", "half a gzip"],
)
async def test_a_message_that_cannot_be_read_is_an_error_that_the_test_sees(body: bytes, error: str) -> None:
    async with running() as parts:
        client = await parts.raw()
        answer = await client.ask(body)
        assert (answer.error_code, answer.error_message) == (400, error)
        assert parts.dispatcher.unknown == [error]
        assert (await client.ask(GET_STATE)).pts == 1


async def test_an_unknown_key_is_refused_as_telegram_does() -> None:
    async with running() as parts:
        client = parts.telethon()
        parts.server._auths.clear()  # noqa: SLF001 - the server has lost its keys
        with pytest.raises(AuthKeyNotFound):
            await asyncio.wait_for(client.connect(), WAIT_S)
        with pytest.raises(AuthKeyNotFound):
            await asyncio.wait_for(client.disconnected, WAIT_S)
