import asyncio
import os
import struct
import time
from contextlib import suppress
from hashlib import sha1, sha256

import pytest
import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon import TelegramClient
from telethon.crypto import AES
from telethon.crypto import rsa as telethon_rsa
from telethon.crypto.rsa import get_byte_array
from telethon.helpers import generate_key_data_from_nonce
from telethon.network.mtprotosender import MTProtoSender
from telethon.tl import TLObject
from telethon.tl.functions import PingRequest, ReqDHParamsRequest, ReqPqMultiRequest, SetClientDHParamsRequest
from telethon.tl.types import (
    ClientDHInnerData,
    DhGenFail,
    DhGenOk,
    DhGenRetry,
    PQInnerData,
    PQInnerDataDc,
    ResPQ,
    ServerDHInnerData,
    ServerDHParamsOk,
)

from bot.sandbox.protocol.handshake import DH_PRIME, Handshake, HandshakeError, P, Q
from bot.sandbox.protocol.keys import PRIVATE_KEY, PUBLIC_PEM
from bot.sandbox.protocol.tl import parse, parse_start

from .kit import GET_STATE, WAIT_S, running

FACTORS = {"pq": get_byte_array(P * Q), "p": get_byte_array(P), "q": get_byte_array(Q)}


def sha1_padded(data: bytes) -> bytes:
    """Encrypt as older clients do."""
    block = sha1(data).digest() + data + os.urandom(235 - len(data))  # noqa: S324 - MTProto demands SHA-1
    return pow(int.from_bytes(block, "big"), PRIVATE_KEY.e, PRIVATE_KEY.n).to_bytes(256, "big")


def rsa_padded(data: bytes) -> bytes:
    """Encrypt as newer clients do: RSA_PAD."""
    data += os.urandom(192 - len(data))
    while True:
        key = os.urandom(32)
        encrypted = AES.encrypt_ige(data[::-1] + sha256(key + data).digest(), key, bytes(32))
        block = bytes(a ^ b for a, b in zip(key, sha256(encrypted).digest(), strict=True)) + encrypted
        if (number := int.from_bytes(block, "big")) < PRIVATE_KEY.n:
            return pow(number, PRIVATE_KEY.e, PRIVATE_KEY.n).to_bytes(256, "big")


class Exchange:
    """A client's half of the key exchange, step by step."""

    def __init__(self, *, known: bool = False) -> None:
        self.known = known  # what the server says of every key
        self.server = Handshake(PRIVATE_KEY, time.time, is_known=lambda _: self.known)
        self.nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        self.new_nonce = int.from_bytes(os.urandom(32), "little", signed=True)

    def begin(self) -> ResPQ:
        answer = self.server.answer(ReqPqMultiRequest(self.nonce))
        self.nonces = {"nonce": self.nonce, "server_nonce": answer.server_nonce}
        self.fingerprint = answer.server_public_key_fingerprints[0]
        return answer

    def ask_params(self, encrypted: bytes, **changes: object) -> ServerDHInnerData:
        request = {**self.nonces, "p": FACTORS["p"], "q": FACTORS["q"], "public_key_fingerprint": self.fingerprint}
        answer = self.server.answer(ReqDHParamsRequest(**{**request, **changes}, encrypted_data=encrypted))
        assert isinstance(answer, ServerDHParamsOk)
        self.key_iv = generate_key_data_from_nonce(answer.server_nonce, self.new_nonce)
        plain = AES.decrypt_ige(answer.encrypted_answer, *self.key_iv)
        inner, length = parse_start(plain[20:])
        assert sha1(plain[20 : 20 + length]).digest() == plain[:20]  # noqa: S324 - MTProto demands SHA-1
        assert isinstance(inner, ServerDHInnerData)
        self.g_a = int.from_bytes(inner.g_a, "big")
        return inner

    def inner_data(self, **changes: object) -> PQInnerData:
        return PQInnerData(**{**FACTORS, **self.nonces, "new_nonce": self.new_nonce, **changes})

    def through_params(self) -> ServerDHInnerData:
        self.begin()
        return self.ask_params(sha1_padded(bytes(self.inner_data())))

    def finish(self, g_b: int, *, retry_id: int = 0, **changes: object) -> TLObject:
        inner = bytes(ClientDHInnerData(**{**self.nonces, **changes}, retry_id=retry_id, g_b=get_byte_array(g_b)))
        data = sha1(inner).digest() + inner  # noqa: S324 - MTProto demands SHA-1
        encrypted = AES.encrypt_ige(data + os.urandom(-len(data) % 16), *self.key_iv)
        return self.server.answer(SetClientDHParamsRequest(**self.nonces, encrypted_data=encrypted))

    def secret(self, *, leading_zero: bool = False) -> tuple[int, int]:
        """Return g_b and the shared key for a key with or without a zero in front."""
        while True:
            b = int.from_bytes(os.urandom(8), "big") | 1 << 63
            shared = pow(self.g_a, b, DH_PRIME)
            if (shared >> 2040 == 0) == leading_zero:
                return pow(3, b, DH_PRIME), shared


@pytest.mark.parametrize("kind", ["p_q_inner_data", "p_q_inner_data_dc"])
@pytest.mark.parametrize("pad", [sha1_padded, rsa_padded])
def test_both_sides_get_the_same_key_by_either_padding(kind: str, pad: object) -> None:
    assert callable(pad)
    exchange = Exchange()
    exchange.begin()
    data = {**FACTORS, **exchange.nonces, "new_nonce": exchange.new_nonce}
    inner = PQInnerData(**data) if kind == "p_q_inner_data" else PQInnerDataDc(**data, dc=2)
    offer = exchange.ask_params(pad(bytes(inner)))
    assert (offer.g, int.from_bytes(offer.dh_prime, "big")) == (3, DH_PRIME)
    assert abs(offer.server_time - time.time()) < 5
    g_b, shared = exchange.secret()
    answer = exchange.finish(g_b)
    assert isinstance(answer, DhGenOk)
    key = exchange.server.auth_key
    assert key is not None
    assert key.key == shared.to_bytes(256, "big")
    assert answer.new_nonce_hash1 == key.calc_new_nonce_hash(exchange.new_nonce, 1)


def test_factors_may_have_leading_zeros() -> None:
    exchange = Exchange()
    pq = exchange.begin().pq
    assert len(pq) == 8
    factors = {"p": P.to_bytes(4, "big"), "q": Q.to_bytes(4, "big")}
    exchange.ask_params(sha1_padded(bytes(exchange.inner_data(pq=pq, **factors))), **factors)


@pytest.mark.parametrize("leading_zero", [True, False], ids=["leading zero", "key taken"])
def test_a_key_that_will_not_do_is_tried_again(*, leading_zero: bool) -> None:
    exchange = Exchange(known=not leading_zero)
    exchange.through_params()
    g_b, shared = exchange.secret(leading_zero=leading_zero)
    assert isinstance(exchange.finish(g_b), DhGenRetry)
    assert exchange.server.auth_key is None
    exchange.known = False
    aux_hash = sha1(shared.to_bytes(256, "big")).digest()[:8]  # noqa: S324 - MTProto demands SHA-1
    retry_id = int.from_bytes(aux_hash, "little", signed=True)
    assert isinstance(exchange.finish(exchange.secret()[0], retry_id=retry_id), DhGenOk)


@pytest.mark.parametrize("g_b", [1, 2, DH_PRIME - 1, DH_PRIME - 2], ids=["1", "2", "prime - 1", "prime - 2"])
def test_a_weak_share_of_the_key_fails_the_exchange(g_b: int) -> None:
    exchange = Exchange()
    exchange.through_params()
    assert isinstance(exchange.finish(g_b), DhGenFail)
    assert exchange.server.auth_key is None


@pytest.mark.parametrize(
    "changes", [{"p": b"\x03"}, {"q": b"\x05"}, {"public_key_fingerprint": 1}, {"nonce": 1}, {"server_nonce": 1}]
)
def test_wrong_parameters_end_the_exchange(changes: dict[str, object]) -> None:
    exchange = Exchange()
    exchange.begin()
    with pytest.raises(HandshakeError):
        exchange.ask_params(sha1_padded(bytes(exchange.inner_data())), **changes)


@pytest.mark.parametrize("changes", [{"p": b"\x03"}, {"pq": b"\x0f"}, {"nonce": 1}, {"server_nonce": 1}])
def test_wrong_encrypted_parameters_end_the_exchange(changes: dict[str, object]) -> None:
    exchange = Exchange()
    exchange.begin()
    with pytest.raises(HandshakeError):
        exchange.ask_params(rsa_padded(bytes(exchange.inner_data(**changes))))


def test_a_foreign_retry_id_ends_the_exchange() -> None:
    exchange = Exchange()
    exchange.through_params()
    with pytest.raises(HandshakeError):
        exchange.finish(exchange.secret()[0], retry_id=5)


def test_steps_out_of_turn_end_the_exchange() -> None:
    exchange = Exchange()
    exchange.begin()
    with pytest.raises(HandshakeError):
        exchange.server.answer(SetClientDHParamsRequest(**exchange.nonces, encrypted_data=bytes(64)))
    with pytest.raises(HandshakeError):
        exchange.server.answer(PingRequest(1))
    with pytest.raises(HandshakeError):
        Exchange().server.answer(SetClientDHParamsRequest(0, 0, encrypted_data=bytes(64)))


@settings(max_examples=30)
@given(st.binary(max_size=300) | st.binary(min_size=256, max_size=256))
def test_random_encrypted_data_ends_the_exchange(data: bytes) -> None:
    exchange = Exchange()
    exchange.begin()
    with pytest.raises(HandshakeError):
        exchange.ask_params(data)
    exchange.through_params()
    with pytest.raises(HandshakeError):
        exchange.server.answer(SetClientDHParamsRequest(**exchange.nonces, encrypted_data=data))


def test_the_public_key_is_one_that_clients_can_load() -> None:
    key = rsa.PublicKey.load_pkcs1(PUBLIC_PEM.encode())
    assert (key.n.bit_length(), key.e) == (2048, 65537)


async def test_an_unmodified_client_gets_a_key_and_keeps_it() -> None:
    async with running() as parts:
        telethon_rsa.add_key(PUBLIC_PEM, old=False)
        session = parts.session()
        client = TelegramClient(session, 1, "hash")
        await client.connect()
        assert not await client.is_user_authorized()
        await client.disconnect()
        (auth,) = parts.server.auths
        assert auth.key.key == session.auth_key.key
        auth.account_id = 42
        again = TelegramClient(session, 1, "hash")
        parts.clients.append(again)
        await again.connect()
        assert await again.is_user_authorized()
        assert len(parts.server.auths) == 1


async def test_the_client_learns_the_servers_time_in_the_exchange() -> None:
    async with running() as parts:
        telethon_rsa.add_key(PUBLIC_PEM, old=False)
        parts.faults.skew(5000)
        client = TelegramClient(parts.session(), 1, "hash")
        parts.clients.append(client)
        await client.connect()
        assert isinstance(client._sender, MTProtoSender)  # noqa: SLF001 - the offset is not public
        assert abs(client._sender._state.time_offset - 5000) <= 1  # noqa: SLF001 - as above


async def test_a_broken_exchange_closes_its_connection_and_nothing_else() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        bodies = [
            b"",
            b"\x01" * 8,
            bytes(PingRequest(1)),
            bytes(SetClientDHParamsRequest(1, 2, b"x")),
            bytes(GET_STATE),
        ]
        for body in bodies:
            reader, writer = await asyncio.open_connection(parts.server.host, parts.server.port)
            packet = struct.pack("<qqi", 0, int(time.time()) << 32, len(body)) + body
            writer.write(b"\xef" + bytes([len(packet) // 4]) + packet)
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
            writer.close()
        assert (await client(GET_STATE)).pts == parts.library.runs


async def test_the_answer_in_clear_is_a_plain_message() -> None:
    async with running() as parts:
        reader, writer = await asyncio.open_connection(parts.server.host, parts.server.port)
        body = bytes(ReqPqMultiRequest(77))
        packet = struct.pack("<qqi", 0, int(time.time()) << 32, len(body)) + body
        writer.write(b"\xef" + bytes([len(packet) // 4]) + packet)
        length = (await reader.readexactly(1))[0] * 4
        answer = await reader.readexactly(length)
        key_id, msg_id, size = struct.unpack_from("<qqi", answer)
        assert (key_id, msg_id % 4, size) == (0, 1, length - 20)
        assert parse(answer[20:]).nonce == 77
        writer.close()
        await writer.wait_closed()
