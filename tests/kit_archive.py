"""A store on the disk with the real ingest, driven by verbs: follow, pair, track, live, sweep."""

import asyncio
import pickle
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.matching.engine.compiled import Compiled, compile_query
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from bot.models import Deletion, Observation, ObservedBy, Post, RawFormat, StoredPost
from bot.models.captures import CaptureCause, CaptureOutcome
from bot.models.outgoing import Peer, PeerKind
from bot.pipeline.ingest import Ingest, Result
from bot.search.deadline import Deadline
from bot.search.searcher import Hit, find_newest
from bot.store import captures, channels, chats, follows, meta, posts, readers, subscriptions, topics
from bot.store.blobs import Blob
from bot.store.captures import CapturedPage
from bot.store.channels import Access, Channel, ResolvedChannel
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Subject, Transaction
from bot.store.fulltext import Scope
from bot.store.topics import Topic
from bot.store.transaction import run
from tests.kit import Message, labels, messages, send_all, sent
from tests.kit_clock import NOON
from tests.waiting import WAIT_S, until

NEWS = 1001  # a channel
OTHER = 1002  # another one
INFLECTOR = Inflector()


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


LAST_MONTH = ago(days=30)


def post(message_id: int, text: str = "Тихий день", **fields: Any) -> Post:  # noqa: ANN401 - the fields of a Post
    raw = {"raw": f"{message_id}:{text}".encode(), "raw_format": RawFormat.TL, "layer": 214}
    return Post(message_id=message_id, text=text, **{"channel_id": NEWS, "date": NOON, **raw, **fields})


def gone(*message_ids: int, channel_id: int = NEWS) -> Deletion:
    return Deletion(channel_id=channel_id, message_ids=message_ids)


async def find_hits(
    db: Reader,
    query: Compiled,
    *,
    limit: int,
    before: int | None = None,
    **scope: Any,  # noqa: ANN401 - the fields of a Scope
) -> list[Hit]:
    """Return the newest messages that match, however far back; `scope` are the fields of a Scope."""
    return list((await find_newest(db, query, Scope(**scope), limit=limit, before=before)).hits)


def compiled(query: str) -> Compiled:
    return compile_query(parse(query), INFLECTOR)


class Archive:
    """A database with the real ingest, driven by verbs: follow, pair, track, live, sweep."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = NOON
        self.ingest = Ingest(db, lambda: self.now)
        self.reader_id = 0

    async def follow(self, channel_id: int = NEWS, *, title: str = "Вести", since: datetime = LAST_MONTH) -> Channel:
        async def job(tx: Transaction) -> None:
            await follows.request(tx, str(channel_id), chat_id=None, now=since)
            follow = next(f for f in await follows.all_follows(tx) if f.reference == str(channel_id))
            await follows.settle(
                tx,
                follow.id,
                channel=ResolvedChannel(id=channel_id, kind="broadcast", title=title, username=f"News{channel_id}"),
                reader_id=self.reader_id,
                access_hash=7,
                access=Access.JOINED,
                now=since,
            )

        await self.db.write(job)
        return await self.channel(channel_id)

    async def channel(self, channel_id: int = NEWS) -> Channel:
        channel = await channels.get(self.db, channel_id)
        assert channel is not None
        return channel

    async def pair(self, user_id: int = 501, *, language: str = "ru") -> Chat:
        peer = Peer(kind=PeerKind.USER, id=user_id)
        return await self.db.write(
            lambda tx: chats.pair(tx, peer, title=f"Reader {user_id}", language=language, now=self.now)
        )

    async def track(self, chat: Chat | None, name: str, query: str) -> Topic:
        async def job(tx: Transaction) -> Topic:
            topic = await topics.save(tx, name=name, query=query, compiled=compiled(query).to_json(), now=self.now)
            if chat is not None:
                await subscriptions.subscribe(tx, chat.id, topic.id, now=self.now)
            return topic

        return await self.db.write(job)

    async def live(self, *events: Post | Deletion) -> Result:
        return await self.see(ObservedBy.LIVE, *events)

    async def sweep(self, *events: Post | Deletion) -> Result:
        return await self.see(ObservedBy.SWEEP, *events)

    async def see(self, observed_by: ObservedBy, *events: Post | Deletion) -> Result:
        observation = Observation(events=events, observed_by=observed_by, reader_id=self.reader_id, seen_at=self.now)
        return await self.ingest.store(observation)

    async def stored(self, message_id: int, channel_id: int = NEWS) -> StoredPost:
        found = await posts.current(self.db, channel_id, [message_id])
        return found[0]

    async def capture(self, message_id: int, page: Blob, cause: CaptureCause = CaptureCause.CASE) -> None:
        """Want the public page of a message, and keep what came."""
        version_id = (await self.stored(message_id)).version_id

        async def job(tx: Transaction) -> None:
            await captures.want(tx, [version_id], cause, now=NOON)
            wanted = await captures.claim(tx, until=NOON, now=NOON)
            assert wanted is not None
            shown = CapturedPage(
                outcome=CaptureOutcome.SHOWN,
                detail=None,
                at=NOON,
                url=f"https://t.me/News1001/{message_id}?embed=1",
                status=200,
                headers={},
                sha256=page.sha256,
                size=page.size,
            )
            await captures.keep(tx, wanted, shown)

        await self.db.write(job)

    async def outbox(self) -> list[Message]:
        """Return what is to be sent or edited, now or later."""
        return await messages(self.db, self.now + timedelta(days=2))

    async def labels(self) -> list[str]:
        """Say in a word each what is to be done with what is in the outbox."""
        return labels(await self.outbox())

    async def send(self, message: Message, telegram_id: int | None = None, *, at: datetime | None = None) -> None:
        """Let Telegram take a message."""
        await sent(self.db, message, telegram_id, at or self.now)

    async def send_all(self) -> None:
        """Let Telegram take all that is in the outbox."""
        await send_all(self.db, self.now + timedelta(days=2), self.now)


class InProcess:
    """The search processes without their processes: what is asked and answered still goes through pickle."""

    def __init__(self, db: Reader) -> None:
        self._db = db

    async def run(self, job: Any, *arguments: Any, who: object, within: float = 0, **options: Any) -> Any:  # noqa: ANN401 - of any job
        del who, within
        job, arguments, options = pickle.loads(pickle.dumps((job, arguments, options)))  # noqa: S301 - our own
        try:
            answer, error = await job(self._db, *arguments, **options, deadline=Deadline()), None
        except Exception as failure:  # noqa: BLE001 - it belongs to whoever asked
            answer, error = None, failure
        answer, error = pickle.loads(pickle.dumps((answer, error)))  # noqa: S301 - our own
        if error is not None:
            raise error
        return answer


class Gate:
    """A job that writes a row, and then holds up the writer in the middle of its transaction."""

    def __init__(self, *announced: Subject) -> None:
        self._announced = announced
        self.entered = asyncio.Event()
        self.opened = threading.Event()  # the job waits on SQLite's thread
        self._loop = asyncio.get_running_loop()

    async def __call__(self, tx: Transaction) -> str:
        await meta.put(tx, "gate", 1)
        for subject in self._announced:
            tx.announce(subject)
        self._loop.call_soon_threadsafe(self.entered.set)
        assert self.opened.wait(WAIT_S)
        return "passed"


async def queued(db: Database, count: int) -> None:
    """Wait until so many jobs wait for the writer."""
    await until(lambda: len(db._writer._waiting) == count)  # noqa: SLF001 - nothing else tells


@cache
def made_once(fill: Callable[[Transaction], Awaitable[object]]) -> bytes:
    """Make a database that all tests begin with: the migrations alone take longer than most of them."""

    async def make(path: Path) -> None:
        database = await Database.open(path)
        await database.write(fill)
        await database.close()

    with TemporaryDirectory() as folder:
        path = Path(folder) / "bot.db"
        asyncio.run(make(path))
        return path.read_bytes()


async def _nothing(_: Transaction) -> None:
    """Leave a database empty."""


@asynccontextmanager
async def open_archive(folder: Path) -> AsyncIterator[Archive]:
    path = folder / "data" / "bot.db"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(await asyncio.to_thread(made_once, _nothing))
    db = await Database.open(path)
    try:
        archive = Archive(db)
        archive.reader_id = await db.write(lambda tx: readers.register(tx, 42, NOON))
        yield archive
    finally:
        await db.close()


def steps(path: Path, ask: Callable[[Transaction], Awaitable[object]]) -> int:
    """Count what SQLite does for an answer."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    async def job() -> None:
        await ask(Transaction(connection))

    connection.set_progress_handler(step, 1)
    run(job())
    connection.close()
    return count
