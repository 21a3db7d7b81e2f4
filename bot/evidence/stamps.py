"""Stamps of RFC 3161: an authority of time signs that a head was there when it says; it sees nothing but a hash."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bot.runtime.proxies import Proxy
from bot.runtime.web import PageFailureError, Transport, carries_web
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


async def stamp_head(
    database: Database, head: LedgerHead, authorities: Sequence[str], *, proxy: Proxy | None, now: datetime
) -> list[HeadStamp]:
    """Have authorities, each by its URL, stamp a head; return what each answered, or why it did not.

    One that has stamped it already is not asked again, and one that fails keeps nobody waiting.
    """
    done = {stamp.authority: stamp for stamp in await heads.stamps(database, [head.id]) if stamp.reply}
    for authority in authorities:
        if authority not in done:
            done[authority] = await _ask(head, authority, proxy, now)
            await database.write(partial(heads.put_stamp, stamp=done[authority]))
    return [done[authority] for authority in authorities]


async def _ask(head: LedgerHead, authority: str, proxy: Proxy | None, now: datetime) -> HeadStamp:
    reply, stamped_at, reason = None, None, None
    try:
        async with Transport.open(proxy, headers=_HEADERS) as transport:
            reply, stamped_at = await _request(transport, authority, head.text.encode())
    except (PageFailureError, StampRefusedError) as error:
        reason = str(error)
    return HeadStamp(
        head_id=head.id, authority=authority, reply=reply, stamped_at=stamped_at, tried_at=now, reason=reason
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
