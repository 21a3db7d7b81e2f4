import asyncio
import logging
import os
import struct
import time
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.network.connection import (
    Connection,
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.network.connection.connection import PacketCodec
from telethon.network.connection.tcpabridged import AbridgedPacketCodec
from telethon.network.connection.tcpfull import FullPacketCodec
from telethon.network.connection.tcpintermediate import IntermediatePacketCodec, RandomizedIntermediatePacketCodec
from telethon.network.connection.tcpobfuscated import ObfuscatedIO

from bot.sandbox.protocol.wire import MAX_PACKET, Wire, WireError

from .kit import GET_STATE, WAIT_S, Running, running


class ObfuscatedIntermediate(ConnectionTcpObfuscated):
    packet_codec = IntermediatePacketCodec


class ObfuscatedPadded(ConnectionTcpObfuscated):
    packet_codec = RandomizedIntermediatePacketCodec


CODECS: dict[str, tuple[bytes, type[PacketCodec]]] = {
    "abridged": (b"\xef", AbridgedPacketCodec),
    "intermediate": (b"\xee" * 4, IntermediatePacketCodec),
    "padded": (b"\xdd" * 4, RandomizedIntermediatePacketCodec),
    "full": (b"", FullPacketCodec),
}
PACKETS = st.lists(st.integers(0, 200).map(lambda blocks: os.urandom(24 + 16 * blocks)), min_size=1, max_size=5)


def packets_of(wire: Wire, *pieces: bytes) -> list[bytes]:
    packets = []
    for piece in pieces:
        wire.feed(piece)
        while (packet := wire.next()) is not None:
            packets.append(packet)
    return packets


@pytest.mark.parametrize("name", CODECS)
@given(packets=PACKETS, cuts=st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_packets_arrive_whole_however_the_stream_is_cut(name: str, packets: list[bytes], cuts: list[int]) -> None:
    tag, codec = CODECS[name]
    encoder = codec(None)
    stream = tag + b"".join(encoder.encode_packet(packet) for packet in packets)
    pieces = []
    for cut in cuts:
        pieces.append(stream[:cut])
        stream = stream[cut:]
    assert packets_of(Wire(), *pieces, stream) == packets


@pytest.mark.parametrize("codec", [AbridgedPacketCodec, IntermediatePacketCodec, RandomizedIntermediatePacketCodec])
def test_an_obfuscated_stream_is_read_byte_by_byte(codec: type[PacketCodec]) -> None:
    header, encrypt, decrypt = ObfuscatedIO.init_header(codec)
    packets = [os.urandom(24 + 16 * blocks) for blocks in (1, 40, 2)]
    stream = bytes(header) + b"".join(encrypt.encrypt(codec(None).encode_packet(packet)) for packet in packets)
    wire = Wire()
    assert packets_of(wire, *(stream[at : at + 1] for at in range(len(stream)))) == packets
    answer = decrypt.encrypt(wire.frame(packets[0]))
    assert packets[0] in answer


@pytest.mark.parametrize(
    "connection",
    [
        ConnectionTcpFull,
        ConnectionTcpAbridged,
        ConnectionTcpIntermediate,
        ConnectionTcpObfuscated,
        ObfuscatedIntermediate,
        ObfuscatedPadded,
    ],
)
async def test_telethon_talks_over_every_transport(connection: type[Connection]) -> None:
    async with running() as parts:
        client = parts.telethon(connection=connection)
        await client.connect()
        assert (await client.get_me()).first_name == "Anna"
        results = await asyncio.gather(*(client(GET_STATE) for _ in range(30)))
        assert len({result.pts for result in results}) == 30


def test_a_request_for_a_quick_acknowledgement_is_read_past() -> None:
    packet = os.urandom(40)
    assert packets_of(Wire(), b"\xef" + bytes([0x80 | 10]) + packet) == [packet]
    assert packets_of(Wire(), b"\xee" * 4 + struct.pack("<I", 0x80000028) + packet) == [packet]


@pytest.mark.parametrize(
    "stream",
    [
        b"\xef\x7f\xff\xff\xff",
        b"\xef\x00",
        b"\xee" * 4 + struct.pack("<I", MAX_PACKET + 1),
        b"\xee" * 4 + b"\xff" * 4,
        b"\xee" * 4 + bytes(4),
        b"\xdd" * 4 + b"\xff" * 4,
        struct.pack("<II", MAX_PACKET + 1, 0),
        struct.pack("<II", 12, 0),
        struct.pack("<III", 16, 0, 5) + bytes(4),
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02" + bytes([1]) * 60,
        b"\x01" * 64,
    ],
    ids=[
        "abridged, huge",
        "abridged, empty",
        "intermediate, huge",
        "intermediate, negative",
        "intermediate, empty",
        "padded, negative",
        "full, huge",
        "full, empty",
        "full, checksum",
        "HTTP",
        "TLS",
        "no transport",
    ],
)
def test_a_stream_that_breaks_its_transport_is_refused(stream: bytes) -> None:
    with pytest.raises(WireError):
        packets_of(Wire(), stream)


def test_a_packet_of_the_full_transport_out_of_turn_is_refused() -> None:
    codec = FullPacketCodec(None)
    first = codec.encode_packet(bytes(40))
    codec.encode_packet(bytes(40))
    with pytest.raises(WireError):
        packets_of(Wire(), first + codec.encode_packet(bytes(40)))


async def torn_down(parts: Running, stream: bytes) -> None:
    """Send a stream, end it, and wait until the server has closed its side."""
    reader, writer = await asyncio.open_connection(parts.server.host, parts.server.port)
    writer.write(stream)
    with suppress(ConnectionError):
        writer.write_eof()
        await asyncio.wait_for(reader.read(), WAIT_S)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def noise(random: Random, valid: bytes) -> bytes:
    """Return bytes that are wrong in one of many ways."""
    kind = random.randrange(4)
    junk = random.randbytes(random.randrange(1, 600))
    if kind == 0:
        return junk
    if kind == 1:
        return random.choice([b"\xef", b"\xee" * 4, b"\xdd" * 4, struct.pack("<II", len(junk) + 12, 0)]) + junk
    if kind == 2:
        return valid[: random.randrange(len(valid))]
    spoiled = bytearray(valid)
    for _ in range(random.randrange(1, 4)):
        spoiled[random.randrange(len(spoiled))] ^= 1 << random.randrange(8)
    return bytes(spoiled)


async def test_bad_bytes_close_their_connection_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    random = Random(2021)  # noqa: S311 - the same noise each time
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        attacker = await parts.raw()
        for _ in range(300):
            packet = attacker.seal(int(time.time()) << 32, 1, bytes(GET_STATE))
            valid = b"\xef" + bytes([len(packet) // 4]) + packet
            await torn_down(parts, noise(random, valid))
        runs = parts.library.runs
        assert (await client(GET_STATE)).pts == runs + 1
        assert len(parts.server.sessions) <= 2
    assert caplog.records == []
    assert parts.dispatcher.crashes == []


async def test_random_bodies_under_a_valid_key_never_break_the_session(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    random = Random(1005)  # noqa: S311 - the same noise each time
    starts = [bytes(GET_STATE), b"\xdc\xf8\xf1\x73", b"\xa1\xcf\x72\x30", b"\x59\xb4\xd6\x62", b"\xa9\x5e\xcd\xc1"]
    async with running() as parts:
        client = await parts.raw()
        for _ in range(500):
            body = random.choice(starts)[: random.randrange(5)] + random.randbytes(random.randrange(60))
            client.send(body + bytes(-len(body) % 4), seqno=client.seqno())
        assert (await client.ask(GET_STATE)).pts == parts.library.runs
    assert caplog.records == []
    assert parts.dispatcher.crashes == []


async def test_an_encrypted_packet_with_a_wrong_length_inside_closes_the_connection() -> None:
    async with running() as parts:
        for length in (-4, 3, 1 << 20):
            client = await parts.raw()
            lying = struct.pack("<qii", client.new_id(), 1, length)
            client.send_packet(client.seal_plain(lying + bytes(GET_STATE)))
            assert await client.closed()
        assert parts.library.runs == 0
