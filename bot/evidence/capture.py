"""What the public pages of messages show at one moment: WARC records with headers and time, and their HTML source."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Self

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from bot import __version__
from bot.models import Clock, Network, ObservedBy
from bot.runtime.web import PageReply
from bot.sources.pages.answers import PageAnswer
from bot.sources.pages.fetcher import Pages
from bot.store import channels, ledger
from bot.store.database import Database
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import to_ms

MOST = 200  # messages: a page takes some seconds, lest Telegram shuts us out
_PACKED = {"content-encoding", "transfer-encoding", "content-length"}  # of a body that is stored unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedPage:
    """What came of asking for the page of a message."""

    channel: int
    message: int
    url: str | None
    at: str | None
    sha256: str | None  # of the HTML; None: nothing came
    outcome: str  # for people


class Captures:
    """Asks for pages, and keeps what came in a folder that a bundle takes over; removed where none does."""

    def __init__(self, folder: Path, database: Database, pages: Pages, *, clock: Clock) -> None:
        self._folder = folder
        self._database = database
        self._pages = pages
        self._clock = clock
        self._replies: list[tuple[PageReply, datetime]] = []
        pages.on_reply = lambda reply: self._replies.append((reply, clock()))

    def __enter__(self) -> Self:
        """Make the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what nobody took over."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def take(self, keys: Sequence[tuple[int, int]], show: Callable[[CapturedPage], None]) -> None:
        """Ask for the page of each message, one after the other; each that came has a line in the ledger."""
        with (
            (self._folder / "pages.warc").open("wb") as file,
            (self._folder / "pages.jsonl").open("w", encoding="utf-8") as list_,
        ):
            writer = WARCWriter(file, gzip=False, warc_version="WARC/1.1")
            about = {"software": f"channelwatch {__version__}", "format": "WARC File Format 1.1"}
            writer.write_record(writer.create_warcinfo_record("pages.warc", about))
            for channel_id, message_id in keys:
                page = await self._take(channel_id, message_id, writer)
                list_.write(json.dumps(asdict(page), ensure_ascii=False) + "\n")
                show(page)

    async def _take(self, channel_id: int, message_id: int, writer: WARCWriter) -> CapturedPage:
        channel = await channels.get(self._database, channel_id)
        name = None if channel is None or channel.network is not Network.TELEGRAM else channel.username
        if name is None or message_id < 0:
            why = "it has no public page: its channel is private, or it is a story or of a website"
            return _page(channel_id, message_id, outcome=why)
        self._replies.clear()
        answer = await self._pages.embed(name, message_id, channel_id=channel_id)
        if not self._replies:
            return _page(channel_id, message_id, url=answer.url, outcome=f"nothing came: {answer.reason}")
        reply, at = self._replies[-1]
        sha256 = hashlib.sha256(reply.body)
        (self._folder / f"{sha256.hexdigest()}.html").write_bytes(reply.body)
        writer.write_record(_record(writer, reply, at))
        await self._database.write(
            lambda tx: ledger.add(
                tx,
                [
                    LedgerEntry(
                        LineKind.CAPTURE,
                        to_ms(at),
                        channel_id=channel_id,
                        message_id=message_id,
                        sha256=sha256.digest(),
                        source=ObservedBy.PAGE,
                        detail=reply.url,
                    )
                ],
            )
        )
        return _page(channel_id, message_id, url=reply.url, at=at, sha256=sha256.hexdigest(), outcome=_outcome(answer))


def _page(  # noqa: PLR0913 - the value has this many sides
    channel_id: int,
    message_id: int,
    *,
    url: str | None = None,
    at: datetime | None = None,
    sha256: str | None = None,
    outcome: str,
) -> CapturedPage:
    moment = None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return CapturedPage(channel=channel_id, message=message_id, url=url, at=moment, sha256=sha256, outcome=outcome)


def _outcome(answer: PageAnswer) -> str:
    if answer.embed is not None and answer.embed.post is not None:
        return "the page shows the post" if answer.is_read else f"the page shows the post of {answer.kind}"
    if answer.embed is not None:
        return f"the page shows no post: {answer.embed.refusal}"
    return f"the page cannot be read: {answer.reason or answer.kind}"


def _record(writer: WARCWriter, reply: PageReply, at: datetime) -> object:
    headers = [(name, value) for name, value in reply.headers.items() if name not in _PACKED]
    headers.append(("content-length", str(len(reply.body))))
    return writer.create_warc_record(
        reply.url,
        "response",
        payload=BytesIO(reply.body),
        length=len(reply.body),  # else it is copied, and the copy left open
        http_headers=StatusAndHeaders(f"{reply.status} ", headers, protocol="HTTP/1.1"),
        warc_headers_dict={"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
    )
