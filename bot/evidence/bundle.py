"""A bundle: a folder after BagIt (RFC 8493) with what is stored of messages and what proves it, for strangers.

`verify.py` beside this file goes along; `texts/` says in plain words what a bundle proves and how to check it.
"""

import hashlib
import json
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from bot.dossier.assembly import MOST_PICTURES, drawn
from bot.dossier.contents import ShownPictures, messages_of
from bot.dossier.rendering import PostRendering, renderings_of
from bot.errors import SettingsError
from bot.evidence import capture
from bot.evidence.bag import alone_in, opened, write_manifests
from bot.evidence.coverage import channel_coverage
from bot.evidence.moments import exact
from bot.evidence.signing_key import PrivateKey, handover_text
from bot.locales import translator
from bot.models.links import post_link
from bot.store import captures, evidence, heads, ledger, proofs
from bot.store.blobs import Blobs
from bot.store.database import Reader
from bot.store.evidence import MessageKeys, MessageSet, VersionEvidence
from bot.store.heads import LedgerHead, pem
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.proofs import HeadProof
from bot.store.rows import maybe_ms, to_ms

_AT_ONCE, _LINES = 500, 2000  # messages, and lines of the ledger
_ALBUM = 10  # messages at most
_ABOUT_ALL = {LineKind.KEY, LineKind.ACCOUNT_LOST, LineKind.ACCOUNT_BACK, LineKind.BACKUP_RESTORED}
_GAPS = {LineKind.GAP, LineKind.GAP_FILLED}
_CHANNEL_WITHHELD = (LineKind.WITHHELD, None)  # of no message
_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
_TEXTS = Path(__file__).with_name("texts")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRequest:
    """What a bundle is to hold, in the words of whoever asked, and why."""

    query: str
    case: str | None
    channels: tuple[str, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContent:
    """What a bundle holds."""

    messages: int
    versions: int
    files: int
    stamps: int
    proofs: int  # of OpenTimestamps
    pending: int  # of these, which prove nothing yet


class Bundle:
    """Writes a bundle piece by piece; it has its name once it is whole."""

    def __init__(self, place: Path, db: Reader, signed: Reader, media: Path) -> None:
        """Take messages from `db`, which stands still by a transaction, heads and stamps from `signed`, which goes on.

        The transaction ends as soon as it can: SQLite's log grows until then.
        """
        if place.exists():
            raise SettingsError(f"{place} is there already: name another folder")
        if not place.parent.is_dir():
            raise SettingsError(f"there is no folder {place.parent} for it: make that, or name another")
        self._place = place
        self._folder = place.with_name(f"{place.name}.part")
        self._data = self._folder / "data"
        self._db = db
        self._signed = signed
        self._blobs = Blobs(media)
        self._messages = MessageSet(db)
        self._versions = self._files = 0

    async def collect(self, pages: AsyncIterator[MessageKeys]) -> int:
        """Note the messages that it is to hold; return how many. Raises SettingsError for none."""
        async for page in pages:
            await self._messages.add(page)
        if not self._messages.count:
            raise SettingsError("nothing was found: there is nothing to bundle")
        return self._messages.count

    async def write(
        self, request: BundleRequest, show: Callable[[int], None], *, head: LedgerHead, key: PrivateKey
    ) -> BundleContent:
        """Write everything about the messages, as the ledger stood at a signed head; show how many are written.

        `key` is the present one, which signed that head, or follows the one that did.
        """
        with alone_in(self._folder):
            for name in ("media", "heads", "keys"):
                (self._data / name).mkdir(parents=True)
            await self._put_messages(show)
            renderings = await self._renderings()
            await self._put_coverage(request, head.signed_at)
            await self._db.fetch_all("COMMIT")  # what follows never changes, and the log of the database may be long
            self._put_renderings(renderings)
            first = await self._put_ledger(head)
            every = [each for each in await heads.since(self._signed, first) if each.sequence <= head.sequence]
            every = [each for each in every if each.id <= head.id]  # none of a key that came meanwhile
            proven = await proofs.of_heads(self._signed, [each.id for each in every])
            stamps = await self._put_heads(every, head, proven)
            await self._put_keys(key)
            self._put_texts()
            asked = " ".join([request.case or request.query, *request.channels])
            write_manifests(self._folder, asked or "all messages", made_at=head.signed_at, key=key)
            self._folder.rename(self._place)
        return BundleContent(
            messages=self._messages.count,
            versions=self._versions,
            files=self._files,
            stamps=stamps,
            proofs=len(proven),
            pending=sum(proof.block is None for proof in proven.values()),
        )

    async def _put_messages(self, show: Callable[[int], None]) -> None:
        done, last = 0, None
        with (
            opened(self._data / "versions.jsonl") as versions,
            opened(self._data / "raw.tsv") as raws,
            opened(self._data / "files.jsonl") as files,
            capture.PageWriter(self._data / "captures", self._blobs) as pages,
        ):
            while part := await self._messages.after(last, most=_AT_ONCE):
                additions = await evidence.additions_of(self._db, part)
                for version in await evidence.versions_of(self._db, part):
                    key = version.channel_id, version.message_id, version.number
                    _put_raw(raws, version, additions.get(key, {}))
                    _put_line(versions, _version_record(version))
                    self._versions += 1
                for file in await evidence.files_of(self._db, part):
                    self._put_file(file)
                    _put_line(files, file)
                pages.put(await captures.of_messages(self._db, part))
                done, last = done + len(part), part[-1]
                show(done)

    def _put_file(self, file: dict[str, Any]) -> None:
        if file["state"] != "kept":
            return
        source = self._blobs.path(bytes.fromhex(file["sha256"]))
        if source.exists():
            shutil.copyfile(source, self._data / "media" / file["sha256"])
            self._files += 1
        else:
            file["reason"] = "it is not on the disk"

    async def _renderings(self) -> list[tuple[str, PostRendering]]:
        """Return what pictures of the versions of the first posts show."""
        shown, t, pictures = list[tuple[str, PostRendering]](), translator("en"), ShownPictures(self._blobs)
        left = dict.fromkeys(await self._messages.after(None, most=_ALBUM * MOST_PICTURES))
        while left and len(shown) < MOST_PICTURES:
            messages = await messages_of(self._db, *next(iter(left)), pictures)
            shown += renderings_of(messages, t, "UTC")
            for versions in messages:
                left.pop((versions[0].post.channel_id, versions[0].post.message_id), None)
        return shown[:MOST_PICTURES]

    def _put_renderings(self, shown: Sequence[tuple[str, PostRendering]]) -> None:
        (self._data / "renderings").mkdir()
        for name, picture in drawn(shown):
            (self._data / "renderings" / f"{name}.png").write_bytes(picture)

    async def _put_ledger(self, head: LedgerHead) -> int:
        """Write the ledger from the first line about these messages to the head; return the sequence before it.

        Of what is about other messages only the hash is shown, which the chain needs.
        """
        channels = await self._messages.channels()
        first = await self._messages.first_line(head.sequence)
        with opened(self._data / "ledger.tsv") as file:
            done = first - 1
            file.write(f"{done}\t-\t{(await ledger.hash_of(self._db, done)).hex()}\t-\n")
            while lines := await ledger.lines(self._db, after=done, most=min(_LINES, head.sequence - done)):
                about, done = await self._messages.lines(lines[0].sequence, lines[-1].sequence), lines[-1].sequence
                for line in lines:
                    is_shown = line.sequence in about or _is_of_channels(line.entry, channels)
                    digest = hashlib.sha256(line.text.encode()).hexdigest()
                    shown = line.text if is_shown else "-"
                    file.write(f"{line.sequence}\t{digest}\t{line.hash.hex()}\t{shown}\n")
        return first - 1

    async def _put_heads(self, every: Sequence[LedgerHead], newest: LedgerHead, proven: Mapping[int, HeadProof]) -> int:
        """Write those heads that are stamped or have a proof, and the newest; return how many stamps there are."""
        stamps = await heads.stamps(self._signed, [head.id for head in every])
        stamped = {stamp.head_id for stamp in stamps if stamp.reply is not None}
        count = 0
        for head in every:
            if head.id != newest.id and head.id not in stamped and head.id not in proven:
                continue
            name = f"{head.sequence:010}-{head.id}"
            (self._data / "heads" / f"{name}.json").write_text(head.text, encoding="utf-8")
            (self._data / "heads" / f"{name}.sig").write_bytes(head.signature)
            if head.id in proven:
                (self._data / "heads" / f"{name}.json.ots").write_bytes(proven[head.id].file or b"")
            mine = [stamp for stamp in stamps if stamp.head_id == head.id and stamp.reply is not None]
            for number, stamp in enumerate(mine, start=1):
                (self._data / "heads" / f"{name}.{number}.tsr").write_bytes(stamp.reply or b"")
                (self._data / "heads" / f"{name}.{number}.url").write_text(f"{stamp.authority}\n", encoding="utf-8")
                count += 1
        return count

    async def _put_keys(self, last: PrivateKey) -> None:
        """Write the keys up to the one that signs this: another may have followed it meanwhile."""
        before = None
        for key in await heads.keys(self._signed):
            path = self._data / "keys" / f"{key.id:04}.pem"
            path.write_text(pem(key.public), encoding="ascii")
            if before is not None and key.handover is not None and key.acceptance is not None:
                path.with_suffix(".handover.txt").write_bytes(handover_text(before.public, key.public))
                path.with_suffix(".handover.sig").write_bytes(key.handover)
                path.with_suffix(".acceptance.sig").write_bytes(key.acceptance)
            if key.public == last.public:
                return
            before = key

    async def _put_coverage(self, request: BundleRequest, now: datetime) -> None:
        coverage = await channel_coverage(self._db, await self._messages.channels(), now=now)
        asked = {
            "query": request.query,
            "case": request.case,
            "channels": request.channels,
            "since": exact(request.since),
            "until": exact(request.until),
        }
        with opened(self._data / "coverage.json") as file:
            json.dump({"asked": asked, "at": exact(now), "channels": coverage}, file, ensure_ascii=False, indent=1)

    def _put_texts(self) -> None:
        for path in (*sorted(_TEXTS.glob("*.txt")), Path(__file__).with_name("verify.py")):
            shutil.copyfile(path, self._data / path.name)


def _put_raw(file: TextIO, version: VersionEvidence, additions: Mapping[bytes, bytes]) -> None:
    """Write the bytes of a version that is not redacted, those with which it came first."""
    raws = {} if version.redacted_at is not None else {version.raw_sha256: version.raw, **additions}
    key = f"{version.channel_id}\t{version.message_id}\t{version.number}"
    file.writelines(f"{key}\t{sha256.hex()}\t{b64encode(raw).decode()}\n" for sha256, raw in raws.items())


def _is_of_channels(entry: LedgerEntry, channels: Collection[int]) -> bool:
    """Tell whether a line is about one of some channels as a whole, or about all."""
    is_of_one = entry.kind in _GAPS or (entry.kind, entry.message_id) == _CHANNEL_WITHHELD
    return entry.kind in _ABOUT_ALL or (is_of_one and entry.channel_id in channels)


def _put_line(file: TextIO, record: object) -> None:
    file.write(_JSON.encode(record) + "\n")


def _version_record(version: VersionEvidence) -> dict[str, object]:
    """Return a version as strangers read it: times in milliseconds and in words."""
    return {
        "channel": version.channel_id,
        "channel_title": version.channel_title,
        "message": version.message_id,
        "number": version.number,
        "album": version.grouped_id,
        "link": post_link(version.channel_id, version.channel_username, version.message_id, version.link),
        "date": to_ms(version.date),
        "date_utc": exact(version.date),
        "edit_date": maybe_ms(version.edit_date),
        "edit_date_utc": exact(version.edit_date),
        "seen_at": to_ms(version.seen_at),
        "seen_at_utc": exact(version.seen_at),
        "source": version.observed_by,
        "reader": version.reader_id,
        "program": version.program,
        "text": version.text,
        "entities": json.loads(version.entities),
        "media": None if version.media is None else json.loads(version.media),
        "parts": json.loads(version.parts),
        "author": version.author,
        "forward": None if version.forward is None else json.loads(version.forward),
        "reply_to": version.reply_to,
        "reply_channel": version.reply_channel,
        "withheld": None if version.withheld is None else json.loads(version.withheld),
        "redacted_at": maybe_ms(version.redacted_at),
        "redacted_at_utc": exact(version.redacted_at),
        "redaction": version.redaction,
        "raw_sha256": version.raw_sha256.hex(),
        "raw_format": version.raw_format,
        "layer": version.layer,
    }
