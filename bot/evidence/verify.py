"""Check a bundle of channelwatch. It needs Python 3.9 and OpenSSL 3, and nothing of channelwatch.

    python3 verify.py BUNDLE [--key SHA256] [--ca AUTHORITY.pem]... [--block HEIGHT=ROOT]...

--key: the SHA-256 of a public key that you got from the newsroom in another way than with this bundle.
--ca: certificates of authorities of time that you trust, from their own websites.
--block: the height and the Merkle root of a block of Bitcoin, from a node or an explorer that you trust.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import heapq
import io
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator  # noqa: TC003 - plain to read
from datetime import datetime, timedelta, timezone
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

OPENSSL = shutil.which("openssl") or "openssl"
MANIFEST = "manifest-sha256.txt"
PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]+)\n-----END PUBLIC KEY-----\n")
ED25519 = bytes.fromhex("302a300506032b6570032100")  # what stands before the 32 bytes of a key (RFC 8410)
OTS = b"\0OpenTimestamps\0\0Proof\0" + bytes.fromhex("bf89e2e884e89294 01 08")  # version 1, of a SHA-256
PENDING, BITCOIN = "83dfe30d2ef90c8e", "0588960d73d71901"  # kinds of attestations of OpenTimestamps
OF_VERSIONS = {"version", "addition", "file", "withheld", "redaction"}  # kinds of lines
LARGEST_OTS, DEEPEST, LONGEST = 1 << 16, 250, 4096  # bytes of a proof, operations one after the other, bytes of each

Row = tuple[tuple[int, int, int], str, Any]  # of a version: its channel, message and number, the file, what it says

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError)


class BundleCheck:
    """Finds what is wrong with a bundle, each in one line."""

    def __init__(
        self, bundle: Path, key: str | None, authorities: list[str], blocks: dict[int, str] | None = None
    ) -> None:
        self.bundle = bundle
        self.data = bundle / "data"
        self.key = key
        self.authorities = authorities
        self.blocks = blocks or {}  # Merkle roots of blocks of Bitcoin that are known by another way
        self.named_blocks: set[int] = set()
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.media: dict[str, str] = {}  # the SHA-256 that files have, by the one that is their name
        self.ends: dict[Path, dict[str, Any]] = {}  # heads
        self.links: dict[int, str] = {}  # hashes of the ledger where there is a head, by sequence
        self.places: list[tuple[int, int, int, int]] = []  # of lines about a version: its key, and where in the ledger
        self.pages: dict[tuple[Any, ...], None] = {}  # that were captured, as the ledger has them
        self.keys: dict[str, Path] = {}  # files of public keys, by their SHA-256
        self.key_order: list[str] = []
        self.last_sequence = self.lines = self.versions = 0

    def fault(self, words: str) -> None:
        self.faults.append(words)

    def run(self) -> bool:
        steps = (
            *(self.bag, self.key_files, self.manifest_signature, self.head_files, self.chain),
            *(self.heads, self.proofs, self.messages, self.captures),
        )
        for step in steps:
            try:
                step()
            except UNREADABLE as error:
                self.fault(f"{step.__name__.replace('_', ' ')}: cannot be read ({type(error).__name__}: {error})")
        return not self.faults

    def bag(self) -> None:
        """Compare each file with the manifests of the bag."""
        listed = set()
        for manifest in (MANIFEST, "tagmanifest-sha256.txt"):
            for line in lines_of(self.bundle / manifest):
                digest, _, name = line.partition("  ")
                if manifest == MANIFEST:  # the key has signed this one alone
                    listed.add(name)
                path = self.bundle / name
                if not path.is_file():
                    self.fault(f"{name}: the file is missing")
                    continue
                show(name)
                found = sha256_of(path)
                if found != digest:
                    self.fault(f"{name}: the file was changed")
                if name.startswith("data/media/"):
                    self.media[path.name] = found
        for path in sorted(self.data.rglob("*")):
            name = path.relative_to(self.bundle).as_posix()
            if path.is_file() and name not in listed:
                self.fault(f"{name}: the file was added")

    def key_files(self) -> None:
        """Follow the keys: each has signed that the next one follows it."""
        before, alone, since = "", "", list[str]()
        for path in sorted((self.data / "keys").glob("*.pem")):
            public = public_of(path)
            name = hashlib.sha256(public).hexdigest()
            self.keys[name] = path
            self.key_order.append(name)
            signed = path.with_suffix(".handover.txt")
            if not before:
                before = name
                since.append(name)
                continue
            if not signed.is_file():
                alone, since = f"{path.name}: no key before it has signed that this one follows", []
            else:
                words = f"channelwatch: the key {name} follows the key {before}\n"
                old, both = self.keys[before], signed.read_text("utf-8") == words
                if not both or not is_signed(old, path.with_suffix(".handover.sig"), signed):
                    self.fault(f"{path.name}: the key before it has not signed that this one follows")
                if not is_signed(path, path.with_suffix(".acceptance.sig"), signed):
                    self.fault(f"{path.name}: it has not signed that it follows the key before it")
            before = name
            since.append(name)
        self.named_key(alone, since)

    def named_key(self, alone: str, since: list[str]) -> None:
        """Look for the key that is known by another way, among those since one was made without the one before it."""
        if alone and self.key and self.key.lower() in since:
            self.notes.append(f"{alone}: the key that you named was made anew where that was lost")
        elif alone:
            self.fault(f"{alone}; if that was lost, name the newsroom's present one with --key")
        if not self.keys:
            self.fault("keys: there is none")
        elif self.key and self.key.lower() not in self.keys:
            self.fault(f"keys: none of them is the one you named; the last one is {self.key_order[-1]}")
        elif not self.key:
            self.notes.append(f"signed by the key {self.key_order[-1]}: ask the newsroom if it is theirs")

    def manifest_signature(self) -> None:
        """Check that the key has signed the list of all files."""
        if self.key_order and not is_signed(
            self.keys[self.key_order[-1]], self.bundle / f"{MANIFEST}.sig", self.bundle / MANIFEST
        ):
            self.fault(f"{MANIFEST}: the key has not signed this list of files")

    def head_files(self) -> None:
        """Read the heads."""
        for path in sorted((self.data / "heads").glob("*.json")):
            self.ends[path] = json.loads(path.read_text("utf-8"))

    def chain(self) -> None:
        """Follow the ledger from its first line here to the last."""
        previous, expected, wanted = "", 0, {head["sequence"] for head in self.ends.values()}
        for place, row in placed_lines_of(self.data / "ledger.tsv"):
            number, digest, link, text = row.split("\t", 3)
            sequence = int(number)
            if not previous:
                expected = sequence
            elif sequence != expected:
                self.fault(f"ledger.tsv: line {expected} is missing, moved, or line {sequence} was added")
                return
            elif hashlib.sha256((previous + digest).encode()).hexdigest() != link:
                self.fault(f"ledger.tsv: line {sequence} does not follow from the line before it")
                return
            elif text != "-":
                self.line(sequence, digest, text, place)
            if sequence in wanted:
                self.links[sequence] = link
            previous, expected, self.last_sequence, self.lines = link, sequence + 1, sequence, self.lines + 1
            if sequence % 10_000 == 0:
                show(f"ledger.tsv: {sequence:,} lines")

    def line(self, sequence: int, digest: str, text: str, place: int) -> None:
        """Compare a line that is shown with its hash, and note where it stands."""
        line = json.loads(text)
        if hashlib.sha256(text.encode()).hexdigest() != digest or line["sequence"] != sequence:
            self.fault(f"ledger.tsv: line {sequence} was changed")
        if line["kind"] == "capture":
            self.pages[capture_of(line)] = None
        elif line["kind"] in OF_VERSIONS and line["message"] is not None:
            self.places.append((*key_of(line), place))

    def heads(self) -> None:
        """Check the signatures and the stamps of heads."""
        stamped, last = 0, 0
        for path, head in self.ends.items():
            last = max(last, head["sequence"])
            if self.links.get(head["sequence"]) != head["hash"]:
                self.fault(f"{path.name}: it is not the head of this ledger")
            key = self.keys.get(head["key"])
            if key is None:
                self.fault(f"{path.name}: its key is not in the bundle")
            elif not is_signed(key, path.with_suffix(".sig"), path):
                self.fault(f"{path.name}: the signature is not of the key {head['key']}")
            for stamp in sorted(path.parent.glob(f"{path.stem}.*.tsr")):
                stamped += 1
                self.stamp(path, stamp)
        if last != self.last_sequence:
            self.fault(f"heads: none is signed for the last line of the ledger, {self.last_sequence}")
        if not stamped and not any((self.data / "heads").glob("*.ots")):
            self.notes.append("no authority of time has stamped it: only the newsroom says since when it stands")

    def stamp(self, path: Path, stamp: Path) -> None:
        asked = ["ts", "-reply", "-in", str(stamp), "-text"]
        words = openssl(*asked)[1].rpartition("TST info:")[2]  # nobody has signed what stands before it
        time = re.search(r"^Time stamp: (.*)", words, re.MULTILINE)
        dump = "".join(re.findall(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]){1,16})", words, re.MULTILINE))
        if re.sub(r"[^0-9a-f]", "", dump)[:64] != sha256_of(path):
            self.fault(f"{stamp.name}: it is the stamp of something else")
            return
        said = f"{path.name} was there at {time.group(1) if time else '?'}, says {stamp.name}"
        if not self.authorities:
            self.notes.append(f"{said}; not checked: name the certificate of the authority with --ca")
            return
        for authority in self.authorities:
            if openssl("ts", "-verify", "-data", str(path), "-in", str(stamp), "-CAfile", authority)[0]:
                self.notes.append(f"{said}, checked")
                return
        self.fault(f"{stamp.name}: none of the authorities that you trust has made it")

    def proofs(self) -> None:
        """Follow each proof of OpenTimestamps from the hash of its head to the block of Bitcoin that shall hold it."""
        for path in sorted((self.data / "heads").glob("*.ots")):
            if not path.with_suffix("").is_file():
                self.fault(f"{path.name}: it is the proof of a head that is not here")
                continue
            try:
                found = attestations(path.read_bytes(), bytes.fromhex(sha256_of(path.with_suffix(""))))
            except ValueError as error:
                self.fault(f"{path.name}: {error}")
                continue
            blocks = [(int(height), message[::-1].hex()) for kind, height, message in found if kind == BITCOIN]
            for height, root in blocks:
                self.block(path, height, root)
            if not blocks:
                self.notes.append(f"{path.name} is pending: it proves nothing yet; README.txt says how to complete it")
        for height in sorted(set(self.blocks) - self.named_blocks):
            self.fault(f"heads: no proof leads to the block {height} of Bitcoin that you named")

    def block(self, path: Path, height: int, root: str) -> None:
        self.named_blocks.add(height)
        said = f"{path.stem} was there when block {height} of Bitcoin was made, says {path.name}"
        if height not in self.blocks:
            self.notes.append(f"{said}; not checked: does that block have the Merkle root {root}? See README.txt")
        elif self.blocks[height] != root:
            self.fault(f"{path.name}: it leads to the Merkle root {root}, which is not the one of block {height}")
        else:
            self.notes.append(f"{said}, checked")

    def messages(self) -> None:
        """Compare what is said of each version by the ledger, versions.jsonl, raw.tsv and files.jsonl side by side."""
        before: tuple[int, ...] = ()  # the last version of which anything is said
        last: tuple[int, ...] = ()  # the last one that is in versions.jsonl
        rows = heapq.merge(
            *(self.lines_of_versions(), self.records("versions.jsonl"), self.raws(), self.records("files.jsonl")),
            key=itemgetter(0),
        )
        for key, group in groupby(rows, key=itemgetter(0)):
            name, found = named(*key), dict[str, list[Any]]()
            for _, file, row in group:
                found.setdefault(file, []).append(row)
            lines, versions = found.get("ledger.tsv", []), found.get("versions.jsonl", [])
            if key < before or len(versions) > 1:
                self.fault(f"{name}: it stands twice, or not in its place")
            channel, message, number = key
            if versions and number > 1 and last != (channel, message, number - 1):
                self.fault(f"{named(channel, message, number - 1)}: it is left out")
            if not versions:
                self.fault(f"{name}: {next(iter(found))} has a line of it, versions.jsonl has not")
            for version in versions:
                self.version(name, version, lines)
            self.raw_bytes(name, lines, set(found.get("raw.tsv", [])))
            self.files(name, lines, found.get("files.jsonl", []))
            before, last = key, key if versions else last
            self.versions += bool(versions)
            if self.versions % 10_000 == 0:
                show(f"versions.jsonl: {self.versions:,} versions")

    def lines_of_versions(self) -> Iterator[Row]:
        """Yield the lines of the ledger about versions."""
        self.places.sort()
        with (self.data / "ledger.tsv").open("rb") as file:
            for channel, message, number, place in self.places:
                file.seek(place)
                yield (channel, message, number), "ledger.tsv", json.loads(file.readline().split(b"\t", 3)[3])

    def records(self, name: str) -> Iterator[Row]:
        for text in lines_of(self.data / name):
            record = json.loads(text)
            yield key_of(record), name, record

    def raws(self) -> Iterator[Row]:
        """Yield the SHA-256 of the bytes of versions."""
        for row in lines_of(self.data / "raw.tsv"):
            channel, message, number, sha256, content = row.split("\t")
            key = int(channel), int(message), int(number)
            if sha256_in(content) != sha256:
                self.fault(f"{named(*key)}: its bytes {sha256} in raw.tsv were changed")
            yield key, "raw.tsv", sha256

    def version(self, name: str, version: dict[str, Any], every: list[dict[str, Any]]) -> None:
        lines = [line for line in every if line["kind"] in {"version", "addition"}]
        if not lines:
            self.fault(f"{name}: the ledger has no line of it")
            return
        if version["redacted_at"] is not None:
            self.redaction(name, every, version)
        elif content_of(version) != lines[-1]["content"]:
            self.fault(f"{name}: its text, formatting or media is not what the ledger names")
        if (version["raw_sha256"], version["seen_at"]) != (lines[0]["sha256"], lines[0]["seen_at"]):
            self.fault(f"{name}: its bytes or its time are not those that the ledger names")
        if (version["edit_date"] or version["date"]) not in {line["date"] for line in lines}:
            self.fault(f"{name}: Telegram's time is not the one that the ledger names")
        if version["source"] != lines[0]["source"]:
            self.fault(f"{name}: how it was seen is not what the ledger names")
        for time in ("date", "edit_date", "seen_at", "redacted_at"):
            if version[f"{time}_utc"] != in_words(version[time]):
                self.fault(f"{name}: {time}_utc says another time than {time}")

    def redaction(self, what: str, every: list[dict[str, Any]], version: dict[str, Any] | None = None) -> None:
        """Look for the line of what was removed, which nobody can leave out, and for words in its place."""
        lines = [line for line in every if line["kind"] == "redaction"]
        if not lines:
            self.fault(f"{what}: it is said to be redacted, and the ledger has no line of that")
            return
        reason = lines[-1]["detail"]
        self.notes.append(f"{what} was redacted, its words and bytes are not here: {reason}")
        if version is None:
            return
        if (version["redaction"], version["redacted_at"]) != (reason, lines[-1]["seen_at"]):
            self.fault(f"{what}: it was redacted for another reason, or at another time, than the ledger names")
        beside = {kind for kind, *_ in version["parts"]} - {"redaction"}
        if version["text"] or version["entities"] or version["media"] or beside:
            self.fault(f"{what}: it is said to be redacted, and has words all the same: the ledger does not name them")

    def raw_bytes(self, name: str, lines: list[dict[str, Any]], found: set[str]) -> None:
        """Look for the bytes that lines name, which are gone where the version is redacted, and for others."""
        told = dict.fromkeys(line["sha256"] for line in lines if line["kind"] in {"version", "addition", "withheld"})
        if not any(line["kind"] == "redaction" for line in lines):
            for sha256 in told.keys() - found:
                self.fault(f"{name}: its bytes {sha256} are missing in raw.tsv")
        elif found:
            self.fault(f"{name}: it was redacted, and raw.tsv has bytes of it all the same")
        for sha256 in found - told.keys():
            self.fault(f"{name}: the ledger does not name its bytes {sha256} in raw.tsv")

    def files(self, name: str, lines: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
        """Look for each file that the ledger names."""
        reasons = {each["sha256"]: each["reason"] for each in entries}
        told = dict.fromkeys(line["sha256"] for line in lines if line["kind"] == "file")
        for entry in entries:
            if entry["state"] == "kept" and entry["sha256"] not in told:
                self.fault(f"{name}: the ledger has no line of its file {entry['sha256']}")
        for sha256 in told:
            reason = reasons.get(sha256)
            if reason == "redacted":
                self.redaction(f"{name}: its file {sha256}", lines)
            elif reason:
                why = "it was removed to make room" if reason == "pruned" else reason
                self.notes.append(f"{name}: its file {sha256} is not here: {why}")
            elif sha256 not in self.media:
                self.fault(f"{name}: its file media/{sha256} is missing")
            elif self.media[sha256] != sha256:
                self.fault(f"{name}: its file media/{sha256} was changed")

    def captures(self) -> None:
        """Compare each page that was captured, its time and address, with its line, wherever it stands."""
        folder, known = self.data / "captures", {sha256 for _, _, sha256, *_ in self.pages}
        for path in sorted(folder.glob("*.html")):
            if sha256_of(path) != path.stem:
                self.fault(f"captures/{path.name}: the page was changed")
            elif path.stem not in known:
                self.fault(f"captures/{path.name}: the ledger has no line of this page")
        for channel, message, sha256, *_ in self.pages:
            if not (folder / f"{sha256}.html").is_file():
                self.notes.append(f"channel {channel}, message {message}: its page {sha256} is not here")
        if self.pages or folder.is_dir():
            self.listed_captures(folder / "pages.jsonl")
            self.records_of_pages(folder / "pages.warc")

    def listed_captures(self, path: Path) -> None:
        every = [json.loads(text) for text in lines_of(path)]
        listed = {(*(page[name] for name in ("channel", "message", "sha256", "at", "url")),) for page in every}
        for channel, message, sha256, *_ in sorted(self.pages.keys() - listed):
            self.fault(f"pages.jsonl: it does not name the page {sha256} of channel {channel}, message {message}")
        for channel, message, sha256, *_ in listed - self.pages.keys():
            if sha256 is not None:
                where = f"channel {channel}, message {message}"
                self.fault(
                    f"pages.jsonl: the ledger has no such line of the page {sha256} of {where}, its time and address"
                )

    def records_of_pages(self, path: Path) -> None:
        """Look for the one record of each page that is here."""
        left = Counter(page[2:] for page in self.pages)  # hashes, times and addresses
        try:
            for kind, *record in records_of(path):
                sha256, date, address = record
                if left[sha256, date, address]:
                    left[sha256, date, address] -= 1
                elif kind != "warcinfo":
                    words = f"{sha256} from {address}, {date}"
                    self.fault(f"pages.warc: it has the page {words} twice, or the ledger has no line of that")
        except (ValueError, KeyError, OverflowError, MemoryError) as error:
            self.fault(f"pages.warc: {error or 'it cannot be read'}")
        for sha256, date, address in left.elements():
            if (path.parent / f"{sha256}.html").is_file():
                self.fault(f"pages.warc: the page {sha256} from {address}, {date}, is not in it")


def placed_lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file and where they begin; a post may hold other signs that end lines (U+2028, U+0085)."""
    place = 0
    with path.open("rb") as file:
        for line in file:
            if line != b"\n":
                yield place, line.decode("utf-8").rstrip("\n")
            place += len(line)


def lines_of(path: Path) -> Iterator[str]:
    return (line for _, line in placed_lines_of(path))


def records_of(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield the kind of each record of a WARC file, the SHA-256 of the page in it, its time and its address."""
    with path.open("rb") as file:
        while first := file.readline():
            if first != b"WARC/1.1\r\n":
                raise ValueError("something else stands between its records")
            fields: dict[str, str] = {}
            while (line := file.readline()) not in {b"\r\n", b""}:
                name, _, value = line.decode("utf-8").partition(":")
                if name.lower() in fields:
                    raise ValueError(f"a record has {name} twice")
                fields[name.lower()] = value.strip()
            block = take(file, int(fields["content-length"]))
            if file.read(4) != b"\r\n\r\n":
                raise ValueError("a record goes on after its end")
            digest = hashlib.sha256(block.partition(b"\r\n\r\n")[2]).hexdigest()
            yield fields["warc-type"], digest, fields["warc-date"], fields.get("warc-target-uri", "")


def capture_of(line: dict[str, Any]) -> tuple[Any, ...]:
    """Return of which message a captured page is, its SHA-256, its time and its address."""
    return line["channel"], line["message"], line["sha256"], in_words(line["seen_at"]), line["detail"]


def key_of(record: dict[str, Any]) -> tuple[int, int, int]:
    return record["channel"], record["message"], record["number"]


def in_words(moment: int | None) -> str | None:
    """Return a time in milliseconds as versions.jsonl writes it in words."""
    if moment is None:
        return None
    shown = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=moment)  # noqa: UP017 - Python 3.9
    return shown.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def named(channel: int, message: int, number: int) -> str:
    return f"channel {channel}, message {message}, version {number}"


def content_of(version: dict[str, Any]) -> str:
    """Return the SHA-256 of what a reader sees: text, formatting, media."""
    seen = [version["text"], version["entities"]]
    media = version["media"]
    if media is not None and media[0] != "web_page":
        seen.append([media[0], media[1], media[2], *media[3]])
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_in(content: str) -> str:
    """Return the SHA-256 of bytes in base64; nothing for what is none."""
    try:
        return hashlib.sha256(base64.b64decode(content, validate=True)).hexdigest()
    except ValueError:
        return ""


def public_of(path: Path) -> bytes:
    """Return the 32 bytes of an Ed25519 key in a PEM file (RFC 8410). Raises ValueError if it holds anything else.

    OpenSSL skips what stands around a key: it would check signatures by another key than the one that is named.
    """
    found = PEM.fullmatch(path.read_bytes())
    der = base64.b64decode(found.group(1), validate=True) if found else b""
    if not der.startswith(ED25519) or len(der) != len(ED25519) + 32:
        raise ValueError(f"{path.name} is no public key alone")
    return der[len(ED25519) :]


def attestations(proof: bytes, digest: bytes) -> list[tuple[str, str, bytes]]:
    """Follow a file of OpenTimestamps: kinds of what attests a digest, a height or an address, the message it attests.

    Raises ValueError, whose text names what is wrong.
    """
    if len(proof) > LARGEST_OTS:
        raise ValueError(f"it is larger than {LARGEST_OTS} bytes")
    if not proof.startswith(OTS):
        raise ValueError("it is no file of OpenTimestamps")
    if proof[len(OTS) :][: len(digest)] != digest:
        raise ValueError("it is the proof of something else")
    return attested(proof[len(OTS) + len(digest) :], digest)


def attested(tree: bytes, digest: bytes) -> list[tuple[str, str, bytes]]:
    """Follow the operations alone. Those that no way to a block of Bitcoin needs are unknown here."""
    rest, found, unfinished = io.BytesIO(tree), [], [(digest, 1)]
    while unfinished:
        message, depth = unfinished.pop()
        tag = take(rest, 1)
        if tag == b"\xff":  # another operation or attestation of the same message follows after this one
            unfinished.append((message, depth))
            tag = take(rest, 1)
        if tag == b"\0":
            found.append((*attestation(take(rest, 8).hex(), message, take(rest, number(rest))), message))
            continue
        if tag == b"\x08":
            message = hashlib.sha256(message).digest()
        elif tag in {b"\xf0", b"\xf1"}:
            word = take(rest, number(rest) or 1 << 30)  # one without a word does nothing: it is no operation
            message = message + word if tag == b"\xf0" else word + message
        else:
            raise ValueError(f"it has an operation that is not known here, 0x{tag.hex()}")
        if len(message) > LONGEST or depth >= DEEPEST:
            raise ValueError("it has too many operations one after the other, or too long ones")
        unfinished.append((message, depth + 1))
    if rest.read(1):
        raise ValueError("something stands after its end")
    return found


def attestation(kind: str, message: bytes, payload: bytes) -> tuple[str, str]:
    """Return what attests a message: a block of Bitcoin by its height, a calendar by its address."""
    rest, value = io.BytesIO(payload), ""
    if kind == BITCOIN:
        value = str(number(rest))
    elif kind == PENDING:
        value = take(rest, number(rest)).decode("ascii", "replace")
    if kind in {BITCOIN, PENDING} and rest.read(1):
        raise ValueError("something stands after the end of an attestation")
    if kind == BITCOIN and len(message) != 32:  # noqa: PLR2004 - bytes of a Merkle root
        raise ValueError("what it leads to is no Merkle root")
    if kind == PENDING and not re.fullmatch(r"https?://[A-Za-z0-9._:/-]{1,990}", value):
        raise ValueError("it names a calendar that is no web address")
    return kind, value


def take(rest: BinaryIO, count: int) -> bytes:
    found = rest.read(count)
    if len(found) != count:
        raise ValueError("its end is missing")
    return found


def number(rest: io.BytesIO) -> int:
    """Read a number: seven bits in each byte, the lowest first, the eighth says that more follow."""
    value = 0
    for shift in range(0, 28, 7):
        (byte,) = take(rest, 1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the eighth bit
            return value
    raise ValueError("it has a number that is too large")


def is_signed(key: Path, signature: Path, text: Path) -> bool:
    """Have OpenSSL say whether a file has a key's signature."""
    if not signature.is_file():
        return False
    check = ["pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", str(text), "-sigfile", str(signature)]
    return openssl(*check)[0]


def show(words: str) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{words}")


def openssl(*words: str) -> tuple[bool, str]:
    done = subprocess.run([OPENSSL, *words], capture_output=True, text=True, errors="replace")
    return done.returncode == 0, done.stdout


def openssl_version() -> str:
    """Return what OpenSSL says of itself; that of a Mac is LibreSSL, which cannot check these signatures."""
    try:
        return openssl("version")[1].strip()
    except OSError:
        return ""


def block_of(written: str) -> tuple[int, str]:
    height, _, root = written.lower().partition("=")
    if not re.fullmatch(r"[0-9]{1,8}", height) or not re.fullmatch(r"[0-9a-f]{64}", root):
        raise argparse.ArgumentTypeError("write HEIGHT=ROOT, such as 800000= and 64 hexadecimal digits")
    return int(height), root


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", help="SHA-256 of the newsroom's public key")
    parser.add_argument("--ca", action="append", default=[], type=Path, help="certificate of an authority of time, PEM")
    parser.add_argument("--block", action="append", default=[], type=block_of, help="HEIGHT=ROOT of a block of Bitcoin")
    given = parser.parse_args()
    if not re.match("OpenSSL [3-9]", version := openssl_version()):
        print(f"Nothing was checked: this needs OpenSSL 3 or newer, and here is {version or 'none'}.")
        return 2
    authorities = [str(path.resolve()) for path in given.ca]
    check = BundleCheck(given.bundle.resolve(), given.key, authorities, dict(given.block))
    is_good = check.run()
    show("")
    for fault in check.faults:
        print(f"WRONG  {fault}")
    for note in check.notes:
        print(f"note   {note}")
    print(f"{'GOOD' if is_good else 'NOT GOOD'}: {check.versions} versions, {check.lines - 1} lines of the ledger")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
