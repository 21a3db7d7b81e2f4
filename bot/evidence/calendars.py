"""OpenTimestamps (https://opentimestamps.org): calendars bring the hash of a head into a block of Bitcoin.

A calendar sees a blinded hash alone: the SHA-256 of the head's and of random bytes. It promises to bring it into a
block, which takes some hours; till then the proof is *pending*, and proves nothing. What a calendar answers is foreign:
`verify.py`, by which strangers check bundles, reads it before anything else does.
"""

import asyncio
import hashlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog

from bot.errors import install_line
from bot.evidence.stamps import NO_WAY_OUT
from bot.evidence.verify import BITCOIN, OTS, PENDING, attestations, attested
from bot.runtime.proxies import Proxy
from bot.runtime.web import PageFailureError, Transport, carries_web, web_proxy
from bot.settings import Settings
from bot.store import proofs
from bot.store.database import Database
from bot.store.heads import LedgerHead
from bot.store.proofs import GIVE_UP_AFTER, HeadProof

if TYPE_CHECKING:
    from opentimestamps.core.timestamp import Timestamp

log = structlog.get_logger(__name__)

_MISSING = f"OPENTIMESTAMPS_URLS is set, but the package «opentimestamps» is missing. {install_line('ots')}"
ASK_AFTER = timedelta(hours=1)
HOURLY, DAILY = timedelta(minutes=55), timedelta(hours=23)  # with room for a turn of the loop
LATE = timedelta(days=3)
LARGEST = 10_000  # bytes of an answer: real ones have some hundreds
ANSWER_S, UPGRADES_S = 20.0, 120.0  # s for an answer, and for all upgrades of a turn
_HEADERS = {"Accept": "application/vnd.opentimestamps.v1", "Content-Type": "application/octet-stream"}
_OK, _NOT_FOUND = 200, 404


class CalendarError(Exception):
    """A calendar gave nothing that can be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarAnswer:
    """What a calendar gave for a message: the operations that follow from there on, or why it gave none."""

    url: str
    message: bytes
    tree: bytes | None = None
    reason: str | None = None  # None without a tree: it is not in a block yet
    nonce: bytes = b""


def is_installed() -> bool:
    """Say whether the extra is there."""
    return importlib.util.find_spec("opentimestamps") is not None


def calendars_of(settings: Settings) -> tuple[str, ...]:
    """Return the calendars that may be asked: none past a proxy that does not carry that, or without the extra."""
    return settings.calendars if is_installed() and carries_web(settings) else ()


def warning_of(settings: Settings) -> str | None:
    """Say why authorities or calendars that are set are not asked, and what to do about it."""
    if not carries_web(settings) and (settings.authorities or settings.calendars):
        return NO_WAY_OUT
    return _MISSING if settings.wants_calendars and not is_installed() else None


def is_upgrade_due(proof: HeadProof, now: datetime) -> bool:
    """Tell whether to ask calendars for what they promised: each hour for a day, then each day, for a month."""
    if not proof.promises or proof.submitted_at is None:
        return False
    age = now - proof.submitted_at
    pause = HOURLY if age < timedelta(days=1) else DAILY
    return ASK_AFTER <= age < GIVE_UP_AFTER and now - proof.tried_at >= pause


def is_late(proof: HeadProof, now: datetime) -> bool:
    """Tell whether somebody shall know that a block took so long: some hours are usual."""
    return proof.submitted_at is not None and now - proof.submitted_at >= LATE


class Calendars:
    """Submits heads to calendars, and asks these for their blocks; one that fails keeps nobody waiting."""

    def __init__(self, database: Database, urls: Sequence[str], *, proxy: Proxy | None) -> None:
        self._database = database
        self.urls = [url.rstrip("/") for url in urls]
        self._proxy = proxy

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Self:
        """Make them by the settings."""
        return cls(database, calendars_of(settings), proxy=web_proxy(settings))

    async def submit(self, head: LedgerHead, now: datetime) -> HeadProof | None:
        """Submit a head, unless a calendar has it; return its proof, or why there is none. None: nobody is asked."""
        if not self.urls:
            return None
        known = await proofs.of_heads(self._database, [head.id])
        if known:
            return known[head.id]
        digest = hashlib.sha256(head.text.encode()).digest()
        async with self._transport() as transport:
            answers = await asyncio.gather(*(self._submitted(transport, url, digest) for url in self.urls))
        file, refused = stamped(digest, [answer for answer in answers if answer.tree is not None])
        proof = HeadProof(
            head_id=head.id,
            file=file,
            submitted_at=None if file is None else now,
            tried_at=now,
            promises=promises_of(file),
            block=block_of(file),
            reason=_reasons([*answers, *refused]),
        )
        await self._database.write(lambda tx: proofs.put(tx, proof))
        return proof

    async def upgrade(self, promised: Sequence[HeadProof], now: datetime) -> list[HeadProof]:
        """Ask for the blocks of proofs, in order and as far as time goes; return these proofs as they are then.

        A calendar that fails is not asked again in this turn.
        """
        failed: dict[str, str] = {}
        done: list[HeadProof] = []
        if not self.urls or not promised:
            return done
        try:
            async with asyncio.timeout(UPGRADES_S), self._transport() as transport:
                for proof in promised:
                    found = await self._upgraded(transport, proof, failed, now)
                    await self._database.write(partial(proofs.put, proof=found))
                    done.append(found)
        except TimeoutError:
            log.warning("calendars of OpenTimestamps are slow: the rest is asked for later")
        return done

    def _transport(self) -> Transport:
        return Transport.open(self._proxy, headers=_HEADERS, at_once=len(self.urls))

    async def _submitted(self, transport: Transport, url: str, digest: bytes) -> CalendarAnswer:
        nonce = os.urandom(16)  # one for each: they cannot tell that their hashes are of the same head
        message = hashlib.sha256(digest + nonce).digest()
        try:
            tree = await self._asked(transport, f"{url}/digest", message, message)
        except CalendarError as error:
            return CalendarAnswer(url=url, message=message, reason=str(error))
        return CalendarAnswer(url=url, message=message, tree=tree, nonce=nonce)

    async def _upgraded(
        self, transport: Transport, proof: HeadProof, failed: dict[str, str], now: datetime
    ) -> HeadProof:
        """Return a proof with what calendars have added; those that fail are added to `failed`, with the reason."""
        assert proof.file is not None  # noqa: S101 - it has promises
        answers = []
        for kind, url, message in contents_of(proof.file):
            if kind != PENDING:
                continue
            answer = CalendarAnswer(url=url, message=message, reason=failed.get(url))
            if answer.reason is None:
                answer = await self._looked_up(transport, url, message)
            if answer.reason is not None:
                failed[url] = answer.reason
            answers.append(answer)
        file, refused = upgraded(proof.file, [answer for answer in answers if answer.tree is not None])
        reason = _reasons([*(answer for answer in answers if answer.tree is None), *refused])
        return replace(proof, file=file, promises=promises_of(file), block=block_of(file), tried_at=now, reason=reason)

    async def _looked_up(self, transport: Transport, url: str, message: bytes) -> CalendarAnswer:
        if not self._is_trusted(url):
            return CalendarAnswer(url=url, message=message, reason="it is not in OPENTIMESTAMPS_URLS")
        try:
            tree = await self._asked(transport, f"{url}/timestamp/{message.hex()}", message, None)
        except CalendarError as error:
            return CalendarAnswer(url=url, message=message, reason=str(error))
        return CalendarAnswer(url=url, message=message, tree=tree)

    async def _asked(self, transport: Transport, url: str, message: bytes, body: bytes | None) -> bytes | None:
        """Return the operations that a calendar gives for a message; None where it has none that it was asked for.

        Raises CalendarError.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await (transport.get(url) if body is None else transport.post(url, body))
        except PageFailureError as error:
            raise CalendarError(error.reason) from None
        except TimeoutError:
            raise CalendarError("no answer in time") from None
        if answer.status == _NOT_FOUND and body is None:
            return None
        if answer.status != _OK:
            raise CalendarError(f"it answered with HTTP {answer.status}")
        if len(answer.body) > LARGEST:
            raise CalendarError(f"its answer is larger than {LARGEST} bytes")
        try:
            found = attested(answer.body, message)
        except ValueError as error:
            raise CalendarError(f"its answer cannot be used: {error}") from None
        for kind, value, _ in found:
            if kind not in {PENDING, BITCOIN}:
                raise CalendarError("its answer cannot be used: it has an attestation of another kind")
            if kind == PENDING and not self._is_trusted(value):
                raise CalendarError(f"it refers to a calendar that is not in OPENTIMESTAMPS_URLS: {value[:100]}")
        return answer.body

    def _is_trusted(self, url: str) -> bool:
        """Say whether a calendar that another one named may be asked: an answer sends us nowhere else."""
        from opentimestamps.calendar import DEFAULT_CALENDAR_WHITELIST  # noqa: PLC0415 - an extra

        return url in self.urls or url in DEFAULT_CALENDAR_WHITELIST


def contents_of(file: bytes | None) -> list[tuple[str, str, bytes]]:
    """Return what attests a proof's digest, as `verify.py` reads it. Raises ValueError for what is no proof."""
    if file is None:
        return []
    return attestations(file, file[len(OTS) : len(OTS) + hashlib.sha256().digest_size])


def promises_of(file: bytes | None) -> int:
    """Count the promises of calendars in a proof that are not kept yet."""
    return sum(kind == PENDING for kind, _, _ in contents_of(file))


def block_of(file: bytes | None) -> int | None:
    """Return the height of the first block of Bitcoin that a proof leads to; None: it is pending."""
    return min((int(value) for kind, value, _ in contents_of(file) if kind == BITCOIN), default=None)


def stamped(digest: bytes, answers: Sequence[CalendarAnswer]) -> tuple[bytes | None, list[CalendarAnswer]]:
    """Return a proof of what calendars answered to blinded hashes, None for no use of any, and those of no use."""
    from opentimestamps.core.op import OpAppend, OpSHA256  # noqa: PLC0415 - an extra
    from opentimestamps.core.timestamp import Timestamp  # noqa: PLC0415 - likewise

    file, refused = None, []
    for answer in answers:
        root = Timestamp(digest) if file is None else _read(file)
        root.ops.add(OpAppend(answer.nonce)).ops.add(OpSHA256()).merge(_tree(answer))
        try:
            file = _written(root)
        except ValueError as error:
            refused.append(_of_no_use(answer, error))
    return file, refused


def upgraded(file: bytes, answers: Sequence[CalendarAnswer]) -> tuple[bytes, list[CalendarAnswer]]:
    """Return a proof with what calendars answered to their promises, and the answers of no use."""
    from opentimestamps.core.notary import PendingAttestation  # noqa: PLC0415 - an extra

    refused = []
    for answer in answers:
        root = _read(file)
        promise, nodes = PendingAttestation(answer.url), [root]
        while nodes:
            node = nodes.pop()
            nodes.extend(node.ops.values())
            if node.msg == answer.message and promise in node.attestations:
                node.attestations.discard(promise)
                node.merge(_tree(answer))
        try:
            file = _written(root)
        except ValueError as error:
            refused.append(_of_no_use(answer, error))
    return file, refused


def _of_no_use(answer: CalendarAnswer, error: ValueError) -> CalendarAnswer:
    return replace(answer, reason=f"its answer cannot be used: with what is there {error}")


def _tree(answer: CalendarAnswer) -> "Timestamp":
    from opentimestamps.core.serialize import BytesDeserializationContext  # noqa: PLC0415 - an extra
    from opentimestamps.core.timestamp import Timestamp  # noqa: PLC0415 - likewise

    return Timestamp.deserialize(BytesDeserializationContext(answer.tree), answer.message)


def _read(file: bytes) -> "Timestamp":
    from opentimestamps.core.serialize import BytesDeserializationContext  # noqa: PLC0415 - an extra
    from opentimestamps.core.timestamp import DetachedTimestampFile  # noqa: PLC0415 - likewise

    return DetachedTimestampFile.deserialize(BytesDeserializationContext(file)).timestamp


def _written(root: "Timestamp") -> bytes:
    """Return a file that `verify.py` and others' tools read. Raises ValueError for one that they would not."""
    from opentimestamps.core.op import OpSHA256  # noqa: PLC0415 - an extra
    from opentimestamps.core.serialize import BytesSerializationContext  # noqa: PLC0415 - likewise
    from opentimestamps.core.timestamp import DetachedTimestampFile  # noqa: PLC0415 - likewise

    context = BytesSerializationContext()
    DetachedTimestampFile(OpSHA256(), root).serialize(context)
    file = bytes(context.getbytes())
    contents_of(file)
    return file


def _reasons(answers: Sequence[CalendarAnswer]) -> str | None:
    return "; ".join(f"{answer.url}: {answer.reason}" for answer in answers if answer.reason is not None) or None
