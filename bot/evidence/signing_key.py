"""The key that signs heads: Ed25519, in a file of ours alone beside the database, never in it."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bot.errors import ChannelwatchError
from bot.runtime.private_files import FILE_MODE, flush_names, restrict, write_private
from bot.store import heads, ledger
from bot.store.database import Database, Transaction
from bot.store.heads import LedgerHead, fingerprint
from bot.store.transaction import Tip

log = structlog.get_logger(__name__)

FILE = "evidence.key"
_NEXT = "evidence.key.next"  # of a rotation that is not written down yet, or was cut off


class KeyFileError(ChannelwatchError):
    """The file of the key cannot be used; the text says what to do. Alerts do not need it."""


def is_signed_by(public: bytes, signature: bytes, text: bytes) -> bool:
    """Tell whether a signature is of this key and text."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def handover_text(old: bytes, new: bytes) -> bytes:
    """Return what both keys sign where one follows the other."""
    return f"channelwatch: the key {fingerprint(new)} follows the key {fingerprint(old)}\n".encode()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The key itself; never shown."""

    _key: Ed25519PrivateKey

    def __repr__(self) -> str:
        """Show the public half only."""
        return f"PrivateKey({fingerprint(self.public)})"

    @classmethod
    def make(cls) -> Self:
        """Make a new one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one from a file. Raises KeyFileError."""
        key = cls.read_whole(path)
        if key is None:
            raise KeyFileError(f"{path} holds no key of ours: put it back from a backup, or move it away for a new one")
        return key

    @classmethod
    def read_whole(cls, path: Path) -> Self | None:
        """Read one from a file; None where it is none, or was not written to its end. Raises KeyFileError."""
        restrict(path, FILE_MODE)
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            line = f"{path} cannot be read: {error.strerror}. Check its owner and its permissions."
            raise KeyFileError(line) from error
        except (ValueError, TypeError):
            return None
        return cls(key) if isinstance(key, Ed25519PrivateKey) else None

    @property
    def public(self) -> bytes:
        """The half that everybody may see."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, text: bytes) -> bytes:
        """Sign a text."""
        return self._key.sign(text)

    def write(self, path: Path) -> None:
        """Write it to a new file of ours alone, on the disk for good."""
        write_private(path, self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Signer:
    """Signs the end of the ledger; the key is made at its first use."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._path = folder / FILE
        self._next = folder / _NEXT

    async def sign(self, now: datetime, end: Tip | None = None) -> LedgerHead:
        """Sign the ledger as far as it reaches, or up to an end that it had; an equal head is not signed again.

        Raises KeyFileError.
        """
        async with self._alone():
            return await self._sign(now, end)

    async def _sign(self, now: datetime, end: Tip | None = None) -> LedgerHead:
        key = await self._present(now)

        async def job(tx: Transaction) -> LedgerHead:
            newest, tip = await heads.last(tx), end or await ledger.tip(tx)
            key_id = next(known.id for known in await heads.keys(tx) if known.public == key.public)
            if newest is not None and (newest.sequence, newest.key_id) == (tip.sequence, key_id):
                return newest
            text = heads.write_head(tip, key.public, now)
            return await heads.add(tx, tip, text, signature=key.sign(text.encode()), key_id=key_id, now=now)

        return await self._database.write(job)

    async def key(self, now: datetime) -> PrivateKey:
        """Return the present key; it is made and written down where there is none. Raises KeyFileError."""
        async with self._alone():
            return await self._present(now)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep other processes, and others here, from making or changing the key meanwhile."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    async def _present(self, now: datetime) -> PrivateKey:
        known = await heads.keys(self._database)
        if self._next.exists():  # a rotation was cut off: it holds if it was written down
            following = PrivateKey.read_whole(self._next)
            if known and following is not None and known[-1].public == following.public:
                self._take_next()
            else:
                self._next.unlink()
        if not self._path.exists():
            if known:
                log.warning("the key that signed the ledger is not here; a new one signs from now on", file=FILE)
            PrivateKey.make().write(self._next)  # a disk that is full leaves no half of a key
            self._take_next()
        key = PrivateKey.read(self._path)
        if key.public in {each.public for each in known[:-1]}:
            line = (
                "holds an earlier key, which another has followed: put that one back, or move this away for a new one"
            )
            raise KeyFileError(f"{self._path} {line}")
        if not known or known[-1].public != key.public:
            await self._add(key, None, now)
        return key

    async def rotate(self, now: datetime) -> PrivateKey:
        """Let a new key take the place of the present one: each signs that one follows the other."""
        async with self._alone():
            old, new = await self._present(now), PrivateKey.make()
            await self._sign(now)
            new.write(self._next)
            await self._add(new, old, now)
            self._take_next()
            await self._sign(now)
        return new

    def _take_next(self) -> None:
        self._next.replace(self._path)
        flush_names(self._path.parent)

    async def _add(self, key: PrivateKey, old: PrivateKey | None, now: datetime) -> None:
        text = b"" if old is None else handover_text(old.public, key.public)
        handover, acceptance = (None, None) if old is None else (old.sign(text), key.sign(text))
        await self._database.write(
            lambda tx: heads.add_key(tx, key.public, handover=handover, acceptance=acceptance, now=now)
        )
