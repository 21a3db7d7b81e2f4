"""Stamps of RFC 3161: an authority of time signs that a head was there when it says; it sees nothing but a hash."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from bot.runtime.proxies import Proxy
from bot.runtime.web import PageFailureError, Transport, carries_web, web_proxy
from bot.settings import Settings
from bot.store import heads
from bot.store.database import Database
from bot.store.heads import HeadStamp, LedgerHead

_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_OK = 200


NO_WAY_OUT = (
    "TELEGRAM_PROXY carries no HTTP, as no MTProxy does: the ledger is signed, but neither stamped nor brought into "
    "Bitcoin; a socks5://… or http://… proxy carries that too"
)


class StampRefusedError(Exception):
    """An authority gave no stamp; the text says why."""


def authorities_of(settings: Settings) -> tuple[str, ...]:
    """Return the authorities that may be asked: none past a proxy that does not carry that."""
    return settings.authorities if carries_web(settings) else ()


class Stamper:
    """Asks authorities, each by its URL, for stamps; one that fails keeps nobody waiting."""

    def __init__(self, database: Database, authorities: Sequence[str], *, proxy: Proxy | None) -> None:
        self._database = database
        self._authorities = authorities
        self._proxy = proxy

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Self:
        """Make one by the settings."""
        return cls(database, authorities_of(settings), proxy=web_proxy(settings))

    async def stamp(self, head: LedgerHead, now: datetime) -> list[HeadStamp]:
        """Ask each authority that has not stamped a head yet; return what each answered, or why it did not."""
        done = {stamp.authority: stamp for stamp in await heads.stamps(self._database, [head.id]) if stamp.reply}
        found = []
        for authority in self._authorities:
            if authority in done:
                found.append(done[authority])
                continue
            stamp = await self._ask(head, authority, now)
            await self._database.write(lambda tx, stamp=stamp: heads.put_stamp(tx, stamp))  # type: ignore[misc]
            found.append(stamp)
        return found

    async def _ask(self, head: LedgerHead, authority: str, now: datetime) -> HeadStamp:
        transport = None
        try:
            transport = Transport.open(self._proxy, headers=_HEADERS)
            reply, stamped_at = await _request(transport, authority, head.text.encode())
        except (PageFailureError, StampRefusedError) as error:
            return HeadStamp(
                head_id=head.id, authority=authority, reply=None, stamped_at=None, tried_at=now, reason=str(error)
            )
        finally:
            if transport is not None:
                await transport.close()
        return HeadStamp(
            head_id=head.id, authority=authority, reply=reply, stamped_at=stamped_at, tried_at=now, reason=None
        )


async def _request(transport: Transport, authority: str, text: bytes) -> tuple[bytes, datetime]:
    """Return the stamp of a text and its time. Raises PageFailureError, StampRefusedError."""
    from rfc3161_client import (  # noqa: PLC0415 - once a day
        HashAlgorithm,
        PKIStatus,
        TimestampRequestBuilder,
        decode_timestamp_response,
    )

    asked = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = await transport.post(authority, asked.as_bytes())
    if answer.status != _OK:
        raise StampRefusedError(f"it answered with HTTP {answer.status}")
    try:
        stamp = decode_timestamp_response(answer.body)
        status = stamp.status
    except ValueError:
        raise StampRefusedError("its answer is no stamp of RFC 3161") from None
    if status not in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}:
        raise StampRefusedError(f"it refused: {'; '.join(stamp.status_string) or status}")
    token = stamp.tst_info
    if token.message_imprint.message != hashlib.sha256(text).digest() or token.nonce != asked.nonce:
        raise StampRefusedError("its stamp is of something else")
    return answer.body, token.gen_time
