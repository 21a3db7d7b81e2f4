"""What comes in are proofs of knowing a 2FA password; what goes out is whether they are right.

The server half of core.telegram.org/api/srp.
"""

import os
from dataclasses import dataclass

from telethon import password as srp
from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.refused import Refused

_G = 3
_PRIME = int(  # the group that Telegram's own servers use; Telethon knows it to be good
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
_P = _PRIME.to_bytes(256, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Challenge:
    account_id: int
    algo: TLObject  # with the salts
    verifier: int  # v = g^x
    secret: int  # b
    public: bytes  # B, 256 bytes


class Passwords:
    """The challenges that are open; each may be answered once."""

    def __init__(self) -> None:
        self._open: dict[int, _Challenge] = {}

    def challenge(self, account_id: int, password: str | None) -> TLObject:
        """Return the account.Password that a client proves its password by, or that there is none."""
        algo = tl.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            os.urandom(8), os.urandom(16), _G, _P
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
        """Accept an InputCheckPasswordSRP; raises Refused for a wrong one."""
        if not isinstance(proof, tl.InputCheckPasswordSRP):
            raise Refused("PASSWORD_HASH_INVALID")
        challenge = self._open.pop(proof.srp_id, None)
        if challenge is None or challenge.account_id != account_id:
            raise Refused("SRP_ID_INVALID")
        sane = int.from_bytes(proof.A, "big") in range(1, _PRIME)
        if not sane or _expected(challenge, proof.A) != proof.M1:
            raise Refused("PASSWORD_HASH_INVALID")


def _challenge(account_id: int, password: str, algo: TLObject) -> _Challenge:
    verifier = int.from_bytes(srp.compute_digest(algo, password), "big")
    secret = int.from_bytes(os.urandom(256), "big")
    k = int.from_bytes(srp.sha256(_P, srp.big_num_for_hash(_G)), "big")
    public = (k * verifier + pow(_G, secret, _PRIME)) % _PRIME
    return _Challenge(
        account_id=account_id, algo=algo, verifier=verifier, secret=secret, public=public.to_bytes(256, "big")
    )


def _expected(challenge: _Challenge, public: bytes) -> bytes:
    """Return M1, which only somebody who knows the password can compute from this A."""
    a_for_hash = srp.num_bytes_for_hash(public)
    u = int.from_bytes(srp.sha256(a_for_hash, challenge.public), "big")
    shared = pow(int.from_bytes(public, "big") * pow(challenge.verifier, u, _PRIME), challenge.secret, _PRIME)
    proof: bytes = srp.sha256(
        srp.xor(srp.sha256(_P), srp.sha256(srp.big_num_for_hash(_G))),
        srp.sha256(challenge.algo.salt1),
        srp.sha256(challenge.algo.salt2),
        a_for_hash,
        challenge.public,
        srp.sha256(srp.big_num_for_hash(shared)),
    )
    return proof
