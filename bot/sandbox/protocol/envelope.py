"""Encryption of MTProto 2.0 on the server's side: opens a client's packets, and seals packets for it."""

import os
import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from telethon.crypto import AES, AuthKey

_HEADER = struct.Struct("<qqqii")  # salt, session_id, msg_id, seqno, length of the body in bytes
_PREFIX = struct.Struct("<qq")  # salt, session_id
_KEY_ID = struct.Struct("<Q")
_OVERHEAD = 24  # bytes of auth_key_id and msg_key before the encrypted part
_BLOCK = 16
_MIN_PADDING, _MAX_PADDING = 12, 1024
_TO_SERVER, _TO_CLIENT = 0, 8  # «x» of https://core.telegram.org/mtproto/description#defining-aes-key


class BadPacketError(Exception):
    """A packet that was not made with the key it names."""


class Envelope(NamedTuple):
    """A decrypted packet."""

    salt: int
    session_id: int
    msg_id: int
    seqno: int
    body: bytes


def open_packet(key: AuthKey, packet: bytes) -> Envelope:
    """Decrypt a client's packet; raises BadPacketError where the key, the hash or the lengths do not fit."""
    if len(packet) < _OVERHEAD + _HEADER.size or (len(packet) - _OVERHEAD) % _BLOCK:
        raise BadPacketError(f"{len(packet)} bytes are no encrypted packet")
    secret, msg_key = key.key, packet[8:_OVERHEAD]
    plain = AES.decrypt_ige(packet[_OVERHEAD:], *_aes_key(secret, msg_key, _TO_SERVER))
    if sha256(secret[88:120] + plain).digest()[8:24] != msg_key:
        raise BadPacketError("msg_key does not fit the content")
    salt, session_id, msg_id, seqno, length = _HEADER.unpack_from(plain)
    padding = len(plain) - _HEADER.size - length
    if length < 0 or length % 4 or not _MIN_PADDING <= padding <= _MAX_PADDING:
        raise BadPacketError(f"a message of {length} bytes with {padding} of padding")
    return Envelope(salt, session_id, msg_id, seqno, plain[_HEADER.size : _HEADER.size + length])


def seal(key: AuthKey, salt: int, session_id: int, parts: Sequence[bytes]) -> bytes:
    """Encrypt one message (given in parts: header, body, …) for a client."""
    padding = os.urandom(-(sum(map(len, parts)) + _PREFIX.size + _MIN_PADDING) % _BLOCK + _MIN_PADDING)
    plain = b"".join((_PREFIX.pack(salt, session_id), *parts, padding))
    secret = key.key
    msg_key = sha256(secret[96:128] + plain).digest()[8:24]
    return _KEY_ID.pack(key.key_id) + msg_key + bytes(AES.encrypt_ige(plain, *_aes_key(secret, msg_key, _TO_CLIENT)))


def _aes_key(secret: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    """Derive key and initialisation vector."""
    a = sha256(msg_key + secret[x : x + 36]).digest()
    b = sha256(secret[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]
