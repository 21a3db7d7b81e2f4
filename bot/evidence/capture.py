"""Captures in a bundle: the HTML source of each public page, and WARC records with headers and time.

A record is made of what is stored: the page as it was unpacked, and the headers that came with it.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TextIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from bot import __version__
from bot.evidence.moments import exact
from bot.models import Clock
from bot.models.captures import Capture, CaptureCause, CaptureState
from bot.sources.pages.captures import CLAIMED, PageCaptures
from bot.store import captures, posts
from bot.store.blobs import Blobs
from bot.store.database import Database

MOST = 200  # messages of a bundle that are asked for: a page takes some seconds, lest Telegram shuts us out
_PACKED = {"content-encoding", "transfer-encoding", "content-length"}  # of a body that is stored unpacked


async def take(
    database: Database,
    taker: PageCaptures,
    keys: Sequence[tuple[int, int]],
    *,
    clock: Clock,
    show: Callable[[Capture], None],
) -> None:
    """Capture the page of each message as it is now, one after the other."""
    for channel_id, message_id in keys:
        (message,) = await posts.current(database, channel_id, [message_id])
        now, ids = clock(), [message.version_id]
        until = now + CLAIMED  # the service leaves it to us
        await database.write(partial(captures.want, version_ids=ids, cause=CaptureCause.EXPORT, now=now, due_at=until))
        made = await captures.of_post(database, channel_id, message_id)
        if made is None:
            continue
        wanted = await database.write(partial(captures.claim, until=until, now=now, capture_id=made.id))
        if wanted is not None:
            attempt = await taker.take(wanted)
            if attempt.page is None:
                await database.write(partial(captures.put_off, wanted=wanted, detail=attempt.reason, until=None))
        show(await captures.of_post(database, channel_id, message_id) or made)


class PageWriter(ExitStack):
    """Writes captures into a folder of a bundle, some at a time; where there are none, there is no folder."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        super().__init__()
        self._folder = folder
        self._blobs = blobs
        self._files: tuple[WARCWriter, TextIO] | None = None

    def put(self, found: Sequence[Capture]) -> None:
        """Write captures."""
        for capture in found:
            pages, names = self._files or self._open()
            body = _body(capture, self._blobs)
            if body is not None:
                (self._folder / f"{(capture.sha256 or b'').hex()}.html").write_bytes(body)
                pages.write_record(_record(pages, capture, body))
            names.write(json.dumps(_listed(capture, is_here=body is not None), ensure_ascii=False) + "\n")

    def _open(self) -> tuple[WARCWriter, TextIO]:
        self._folder.mkdir()
        file = self.enter_context((self._folder / "pages.warc").open("wb"))
        names = self.enter_context((self._folder / "pages.jsonl").open("w", encoding="utf-8"))
        pages = WARCWriter(file, gzip=False, warc_version="WARC/1.1")
        about = {"software": f"channelwatch {__version__}", "format": "WARC File Format 1.1"}
        pages.write_record(pages.create_warcinfo_record("pages.warc", about))
        self._files = pages, names
        return self._files


def _body(capture: Capture, blobs: Blobs) -> bytes | None:
    if capture.state is not CaptureState.KEPT or capture.sha256 is None or not blobs.has(capture.sha256):
        return None
    return blobs.path(capture.sha256).read_bytes()


def _listed(capture: Capture, *, is_here: bool) -> dict[str, object]:
    """Return a capture as strangers read it; `README.txt` says what the words mean."""
    return {
        "channel": capture.channel_id,
        "message": capture.message_id,
        "number": capture.number,
        "cause": capture.cause,
        "url": capture.url,
        "at": exact(capture.at),
        "sha256": None if capture.sha256 is None else capture.sha256.hex(),
        "outcome": "lost" if capture.state is CaptureState.KEPT and not is_here else capture.outcome,
        "detail": capture.detail,
    }


def _record(writer: WARCWriter, capture: Capture, body: bytes) -> object:
    headers = [(name, value) for name, value in (capture.headers or {}).items() if name not in _PACKED]
    headers.append(("content-length", str(len(body))))
    at = exact(capture.at)
    return writer.create_warc_record(
        capture.url,
        "response",
        payload=BytesIO(body),
        length=len(body),  # else it is copied, and the copy left open
        http_headers=StatusAndHeaders(f"{capture.status} ", headers, protocol="HTTP/1.1"),
        warc_headers_dict={} if at is None else {"WARC-Date": at},
    )
