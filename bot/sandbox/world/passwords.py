"""The 2FA password: the server's half of https://core.telegram.org/api/srp."""

import os
from dataclasses import dataclass

from telethon import password as srp
from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.protocol.keys import DH_PRIME, G
from bot.sandbox.world.refused import Refused

_P = DH_PRIME.to_bytes(256, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Challenge:
    account_id: int
    algo: TLObject  # with the salts
    verifier: int  # v = g^x
    secret: int  # b
    public: bytes  # B, 256 bytes


class Passwords:
    """Open challenges; each may be answered once."""

    def __init__(self) -> None:
        self._open: dict[int, _Challenge] = {}

    def challenge(self, account_id: int, password: str | None) -> TLObject:
        """Return the account.Password with a challenge, or without one for an account without a password."""
        algo = tl.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            os.urandom(8), os.urandom(16), G, _P
        )
        secure = tl.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000(os.urandom(8))
        if password is None:
            return tl.account.Password(algo, secure, os.urandom(256))
        number = int.from_bytes(os.urandom(7), "big")
        challenge = self._open[number] = _challenge(account_id, password, algo)
        return tl.account.Password(
            algo,
            secure,
            os.urandom(256),
            has_password=True,
            current_algo=algo,
            srp_B=challenge.public,
            srp_id=number,
        )

    def check(self, account_id: int, proof: TLObject) -> None:
        """Check an InputCheckPasswordSRP; raises Refused for a wrong one."""
        if not isinstance(proof, tl.InputCheckPasswordSRP):
            raise Refused("PASSWORD_HASH_INVALID")
        challenge = self._open.pop(proof.srp_id, None)
        if challenge is None or challenge.account_id != account_id:
            raise Refused("SRP_ID_INVALID")
        sane = int.from_bytes(proof.A, "big") in range(1, DH_PRIME)
        if not sane or _expected(challenge, proof.A) != proof.M1:
            raise Refused("PASSWORD_HASH_INVALID")


def _challenge(account_id: int, password: str, algo: TLObject) -> _Challenge:
    verifier = int.from_bytes(srp.compute_digest(algo, password), "big")
    secret = int.from_bytes(os.urandom(256), "big")
    k = int.from_bytes(srp.sha256(_P, srp.big_num_for_hash(G)), "big")
    public = (k * verifier + pow(G, secret, DH_PRIME)) % DH_PRIME
    return _Challenge(
        account_id=account_id, algo=algo, verifier=verifier, secret=secret, public=public.to_bytes(256, "big")
    )


def _expected(challenge: _Challenge, public: bytes) -> bytes:
    """Return the M1 that proves knowledge of the password for this A."""
    a_for_hash = srp.num_bytes_for_hash(public)
    u = int.from_bytes(srp.sha256(a_for_hash, challenge.public), "big")
    shared = pow(int.from_bytes(public, "big") * pow(challenge.verifier, u, DH_PRIME), challenge.secret, DH_PRIME)
    proof: bytes = srp.sha256(
        srp.xor(srp.sha256(_P), srp.sha256(srp.big_num_for_hash(G))),
        srp.sha256(challenge.algo.salt1),
        srp.sha256(challenge.algo.salt2),
        a_for_hash,
        challenge.public,
        srp.sha256(srp.big_num_for_hash(shared)),
    )
    return proof
