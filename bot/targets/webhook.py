"""The signed webhook: JSON after docs/webhook.md, signed as https://www.standardwebhooks.com lays down."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import aiohttp

import bot
from bot.errors import TargetError, Verdict
from bot.models.targets import TargetMessage
from bot.runtime.web import retry_after as read_retry_after
from bot.targets.address import endpoint_of
from bot.targets.text import plain

VERSION = 1  # of the schema: fields may be added to it, none changes or goes
LONGEST_WAIT = 3600.0  # s that a Retry-After is obeyed
_TAKEN, _GONE = range(200, 300), 410
_TOO_MANY = {429, 503}
_REFUSED = {400, 413, 414, 415, 422, 431}  # this message, and not all of them


def body_of(message: TargetMessage) -> dict[str, object]:
    """Return a message as the schema has it. Pure."""
    post = message.post
    links = [button for row in message.outgoing.buttons for button in row if button.url]
    return {
        "version": VERSION,
        "id": message.id,
        "about": message.about,
        "kind": message.kind,
        "created_at": message.created_at.isoformat(),
        "text": plain(message.outgoing),
        "links": [{"label": button.text, "url": button.url} for button in links],
        "silent": message.outgoing.silent,
        "topics": list(message.topics),
        "post": post
        and {
            "url": post.link,
            "channel": post.channel_title,
            "channel_id": post.channel_id,
            "username": post.channel_username,
            "message_id": post.message_id,
            "date": post.date.isoformat(),
            "edited_at": post.edit_date and post.edit_date.isoformat(),
            "deletion_told_at": post.deleted_at and post.deleted_at.isoformat(),
            "missing_since": post.missing_since and post.missing_since.isoformat(),
            "text": post.text,
        },
    }


def headers_of(message_id: str, body: bytes, *, key: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers that name, date and sign a body. Pure."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": f"channelwatch/{bot.__version__}",
        "Idempotency-Key": message_id,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def verdict_of(status: int, retry_after: str | None, *, now: datetime) -> TargetError | None:
    """Return what an answer means; None: the message was taken. Pure."""
    if status in _TAKEN:
        return None
    wait, verdict = 0.0, Verdict.RETRY
    if status == _GONE:
        verdict = Verdict.SUSPEND
    elif status in _REFUSED:
        verdict = Verdict.DROP
    elif status in _TOO_MANY:
        wait = min((read_retry_after(retry_after, now) or timedelta()).total_seconds(), LONGEST_WAIT)
    return TargetError(f"HTTP_{status}", code=status, verdict=verdict, retry_after=wait)


async def send(url: str, message: TargetMessage, *, within: float) -> None:
    """Post a message. Raises TargetError, which holds nothing of the address."""
    endpoint = endpoint_of(url)
    body = json.dumps(body_of(message), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    headers = headers_of(message.id, body, key=endpoint.key, timestamp=int(time.time()))
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within), trust_env=True) as session,
            session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            refusal = verdict_of(answer.status, answer.headers.get("Retry-After"), now=datetime.now(UTC))
    except TimeoutError:
        raise TargetError("TIMEOUT", code=0, verdict=Verdict.RETRY) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise TargetError(type(error).__name__, code=0, verdict=Verdict.RETRY) from None
    if refusal is not None:
        raise refusal
