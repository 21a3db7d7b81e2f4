"""An authority of time of our own: OpenSSL's, behind HTTP."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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
        body = await asyncio.to_thread(self.answer, query) if self.status == 200 else b""
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """Run an authority, whose folder `make_authority` has made."""
    serving = Authority(folder)
    server = await asyncio.start_server(serving.take, "127.0.0.1", 0)
    serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/tsa"
    async with server:
        yield serving


def key_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("evidence*"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
