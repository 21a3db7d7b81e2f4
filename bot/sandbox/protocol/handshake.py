"""The key exchange: answers a client's unencrypted requests until both sides have the same new key."""

import os
from collections.abc import Callable
from hashlib import sha1, sha256
from typing import Any

import rsa
from telethon.crypto import AES, AuthKey
from telethon.crypto.rsa import get_byte_array
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import TLObject
from telethon.tl.functions import ReqDHParamsRequest, ReqPqMultiRequest, ReqPqRequest, SetClientDHParamsRequest
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

from bot.sandbox.protocol.keys import DH_PRIME, G
from bot.sandbox.protocol.tl import MalformedError, parse_start

# Telethon looks for a factor in about the square root of the smaller one's steps, and fails in one of as many tries
# where both are alike (then the client would be cut off); Telegram's have 31 bits each.
P, Q = 2053, 0x53911073
KEY_BYTES = 256
_MARGIN = 1 << (2048 - 64)  # g_b must keep so far from both ends: https://core.telegram.org/mtproto/security_guidelines
_SECRET_BYTES = 64  # of our exponent: ample for this group, and four times quicker than 256


class HandshakeError(Exception):
    """A request that breaks the rules of the key exchange."""


class Handshake:
    """The server's half of one key exchange: https://core.telegram.org/mtproto/auth_key.

    `clock` gives seconds since 1970; `is_known` tells whether a key id is already taken.
    `auth_key` is the new key once both sides have it.
    """

    def __init__(self, key: rsa.PrivateKey, clock: Callable[[], float], *, is_known: Callable[[int], bool]) -> None:
        self.auth_key: AuthKey | None = None
        self._key = key
        self._clock = clock
        self._is_known = is_known
        self._nonces = (0, 0)  # the client's, the server's
        self._new_nonce: int | None = None
        self._secret = 0
        self._retry_id = 0

    def answer(self, request: TLObject) -> TLObject:
        """Return the answer to the next request; raises HandshakeError for one that is wrong or out of order."""
        if isinstance(request, ReqPqMultiRequest | ReqPqRequest):
            return self._begin(request.nonce)
        if not isinstance(request, ReqDHParamsRequest | SetClientDHParamsRequest):
            raise HandshakeError(f"{type(request).__name__} without a key")
        if self._nonces != (request.nonce, request.server_nonce) or self._nonces == (0, 0):
            raise HandshakeError("nonces of another exchange")
        if isinstance(request, ReqDHParamsRequest):
            return self._offer(request)
        return self._agree(request)

    def _begin(self, nonce: int) -> ResPQ:
        self._nonces = nonce, int.from_bytes(os.urandom(16), "little", signed=True)
        self._new_nonce, self._retry_id = None, 0
        return ResPQ(*self._nonces, (P * Q).to_bytes(8, "big"), [fingerprint(self._key)])

    def _offer(self, request: ReqDHParamsRequest) -> ServerDHParamsOk:
        if request.public_key_fingerprint != fingerprint(self._key):
            raise HandshakeError("another server's public key")
        inner = self._decrypt_inner(request.encrypted_data)
        if _numbers(inner.pq, inner.p, inner.q, request.p, request.q) != (P * Q, P, Q, P, Q):
            raise HandshakeError("wrong factors")
        if (inner.nonce, inner.server_nonce) != self._nonces:
            raise HandshakeError("encrypted nonces of another exchange")
        self._new_nonce = inner.new_nonce
        self._secret = int.from_bytes(os.urandom(_SECRET_BYTES), "big")
        g_a = get_byte_array(pow(G, self._secret, DH_PRIME))
        data = ServerDHInnerData(*self._nonces, G, get_byte_array(DH_PRIME), g_a, int(self._clock()))
        hashed = sha1(bytes(data)).digest() + bytes(data)  # noqa: S324 - MTProto demands SHA-1
        padded = hashed + os.urandom(-len(hashed) % 16)
        return ServerDHParamsOk(*self._nonces, AES.encrypt_ige(padded, *self._temporary_key()))

    def _agree(self, request: SetClientDHParamsRequest) -> DhGenOk | DhGenRetry | DhGenFail:
        inner = self._decrypt_client_data(request.encrypted_data)
        if (inner.nonce, inner.server_nonce) != self._nonces or inner.retry_id != self._retry_id:
            raise HandshakeError("client data of another exchange")
        g_b = int.from_bytes(inner.g_b, "big")
        key = AuthKey(pow(g_b, self._secret, DH_PRIME).to_bytes(KEY_BYTES, "big"))
        if not _MARGIN <= g_b <= DH_PRIME - _MARGIN:
            return DhGenFail(*self._nonces, key.calc_new_nonce_hash(self._new_nonce, 3))
        # Telethon strips leading zeros of a key, and its string sessions then have the wrong length.
        if key.key[0] == 0 or self._is_known(key.key_id):
            self._retry_id = int.from_bytes(sha1(key.key).digest()[:8], "little", signed=True)  # noqa: S324 - as above
            return DhGenRetry(*self._nonces, key.calc_new_nonce_hash(self._new_nonce, 2))
        self.auth_key = key
        return DhGenOk(*self._nonces, key.calc_new_nonce_hash(self._new_nonce, 1))

    def _temporary_key(self) -> tuple[bytes, bytes]:
        if self._new_nonce is None:
            raise HandshakeError("a step was left out")
        key, iv = generate_key_data_from_nonce(self._nonces[1], self._new_nonce)
        return key, iv

    def _decrypt_client_data(self, encrypted: bytes) -> ClientDHInnerData:
        temporary_key = self._temporary_key()
        if not encrypted or len(encrypted) % 16:
            raise HandshakeError("client data of a wrong length")
        plain = AES.decrypt_ige(encrypted, *temporary_key)
        return _read(plain[20:], plain[:20], (ClientDHInnerData,))

    def _decrypt_inner(self, encrypted: bytes) -> PQInnerData | PQInnerDataDc:
        """Decrypt p_q_inner_data as newer clients (RSA_PAD) or older ones, and Telethon, pad it."""
        if len(encrypted) != KEY_BYTES or (cipher := int.from_bytes(encrypted, "big")) >= self._key.n:
            raise HandshakeError("encrypted data of a wrong length")
        plain = _rsa_decrypt(self._key, cipher).to_bytes(KEY_BYTES, "big")
        kinds = (PQInnerData, PQInnerDataDc)
        if (padded := _without_rsa_pad(plain)) is not None:
            return _read(padded, None, kinds)
        if plain[0]:
            raise HandshakeError("encrypted data without a valid hash")
        return _read(plain[21:], plain[1:21], kinds)


def fingerprint(key: rsa.PrivateKey | rsa.PublicKey) -> int:
    """Return the number by which clients choose a public key."""
    parts = (TLObject.serialize_bytes(get_byte_array(number)) for number in (key.n, key.e))
    return int.from_bytes(sha1(b"".join(parts)).digest()[-8:], "little", signed=True)  # noqa: S324 - MTProto demands SHA-1


def _numbers(*texts: bytes) -> tuple[int, ...]:
    """Read big-endian numbers, which some clients write with leading zeros."""
    return tuple(int.from_bytes(text, "big") for text in texts)


def _rsa_decrypt(key: rsa.PrivateKey, cipher: int) -> int:
    """Apply the private key by its two primes, which is three times quicker than by their product."""
    of_p, of_q = pow(cipher, key.exp1, key.p), pow(cipher, key.exp2, key.q)
    return int(of_q + (of_p - of_q) * key.coef % key.p * key.q)


def _without_rsa_pad(plain: bytes) -> bytes | None:
    """Undo RSA_PAD (https://core.telegram.org/mtproto/auth_key, 4.1); None where it is another padding."""
    veiled, encrypted = plain[:32], plain[32:]
    temporary_key = bytes(a ^ b for a, b in zip(veiled, sha256(encrypted).digest(), strict=True))
    hashed = AES.decrypt_ige(encrypted, temporary_key, bytes(32))
    data = hashed[:192][::-1]
    return data if sha256(temporary_key + data).digest() == hashed[192:] else None


def _read(plain: bytes, digest: bytes | None, kinds: tuple[type[TLObject], ...]) -> Any:  # noqa: ANN401 - one of `kinds`
    """Read one object of these kinds, before its padding, and check its SHA-1."""
    try:
        parsed, length = parse_start(plain)
    except MalformedError as error:
        raise HandshakeError("encrypted data that cannot be read") from error
    if digest is not None and sha1(plain[:length]).digest() != digest:  # noqa: S324 - MTProto demands SHA-1
        raise HandshakeError("encrypted data without a valid hash")
    if not isinstance(parsed, kinds):
        raise HandshakeError(f"{type(parsed).__name__} in a key exchange")
    return parsed
