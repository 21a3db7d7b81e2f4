"""Authorities of time of our own, behind HTTP: OpenSSL's, and a calendar of OpenTimestamps by its library."""

import asyncio
import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp, cat_sha256d, make_merkle_tree

OPENSSL = shutil.which("openssl") or "openssl"
CONFIG = """
[tsa]
default_tsa = here
[here]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[signer]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
"""


def openssl(folder: Path, *words: str, given: bytes | None = None) -> bytes:
    done = subprocess.run([OPENSSL, *words], cwd=folder, input=given, capture_output=True, check=True)  # noqa: S603 - ours
    return done.stdout


def make_authority(folder: Path) -> Path:
    """Make the keys and certificates of an authority; return the certificate that people trust."""
    folder.mkdir()
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, "req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=Test CA")
    openssl(folder, "req", *ec, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test TSA")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "tsa.cnf", "-extensions", "signer", "-days", "3650")
    openssl(folder, "x509", "-req", "-in", "tsa.csr", *signed, "-out", "tsa.pem")
    return folder / "ca.pem"


async def reply(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
    writer.write(body)
    await writer.drain()
    writer.close()


class Authority:
    """Answers queries, or refuses them with an HTTP status."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.status = 200
        self.queries = 0
        self.url = ""

    def answer(self, query: bytes) -> bytes:
        (self._folder / "query").write_bytes(query)
        reply = ("-reply", "-config", "tsa.cnf", "-queryfile", "query", "-signer", "tsa.pem", "-inkey", "tsa.key")
        openssl(self._folder, "ts", *reply, "-out", "reply")
        return (self._folder / "reply").read_bytes()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-length"))
        query = await reader.readexactly(length)
        self.queries += 1
        await reply(writer, self.status, await asyncio.to_thread(self.answer, query) if self.status == 200 else b"")


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """Run an authority, whose folder `make_authority` has made."""
    serving = Authority(folder)
    server = await asyncio.start_server(serving.take, "127.0.0.1", 0)
    serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/tsa"
    async with server:
        yield serving


class Calendar:
    """Takes hashes, and brings them into a block as calendars of OpenTimestamps do, when it is told to."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: bytes | None = None  # to everything, if any
        self.hangs = False
        self.connections = 0
        self.asked: list[str] = []
        self.url = ""
        self.submitted: list[bytes] = []
        self._promised: dict[bytes, Timestamp] = {}
        self._mined: dict[bytes, Timestamp] = {}

    def mine(self, height: int) -> str:
        """Bring everything that was promised into a block; return its Merkle root as explorers show it."""
        commitments = [Timestamp(message) for message in self._promised]
        others = [Timestamp(os.urandom(32)) for _ in range(2)]
        tip = make_merkle_tree([each.ops.add(OpSHA256()) for each in commitments] + others)
        transaction = cat_sha256d(tip.ops.add(OpPrepend(b"\1\0\0\0" + os.urandom(60))), b"\0\0\0\0")
        root = cat_sha256d(cat_sha256d(os.urandom(32), transaction), os.urandom(32))
        root.attestations.add(BitcoinBlockHeaderAttestation(height))
        self._mined |= {each.msg: each for each in commitments}
        self._promised = {}
        return bytes(root.msg[::-1]).hex()

    def respond(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append(path)
        if self.status != 200 or self.answer is not None:
            return self.status, self.answer or b""
        if path == "/digest":
            self.submitted.append(body)
            tree = Timestamp(body)
            promise = tree.ops.add(OpPrepend(b"time")).ops.add(OpAppend(hashlib.sha256(body).digest()[:8]))
            promise.attestations.add(PendingAttestation(self.url))
            self._promised[promise.msg] = promise
            return 200, written(tree)
        found = self._mined.get(bytes.fromhex(path.rpartition("/")[2]))
        return (404, b"Pending confirmation in Bitcoin blockchain") if found is None else (200, written(found))

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = [line.split(":")[1] for line in head.lower().splitlines() if line.startswith("content-length")]
        if self.hangs:
            await reader.read()
            writer.close()
            return
        status, body = self.respond(head.split()[1], await reader.readexactly(int(*length)) if length else b"")
        await reply(writer, status, body)


def written(tree: Timestamp) -> bytes:
    context = BytesSerializationContext()
    tree.serialize(context)
    return bytes(context.getbytes())


@asynccontextmanager
async def calendar() -> AsyncIterator[Calendar]:
    serving = Calendar()
    server = await asyncio.start_server(serving.take, "127.0.0.1", 0)
    serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield serving


def key_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("evidence*"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
