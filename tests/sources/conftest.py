"""A real reader client on the embedded server, over TCP, with a real database behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.matching.engine.compiled import compile_query
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from bot.models.outgoing import Peer, PeerKind
from bot.pipeline.ingest import Ingest
from bot.sources.assignment import Assignments
from bot.sources.live import Live
from bot.store import chats, readers, subscriptions, topics
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.telegram import connections
from bot.telegram.client import reader_client
from tests.kit_bot import embedded_server, settings_of
from tests.kit_clock import Clock

from .kit import BEGIN, ReaderKit


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGIN)


@pytest.fixture
async def reader(tmp_path: Path, clock: Clock) -> AsyncIterator[ReaderKit]:
    async with embedded_server(clock) as server:
        me = server.sandbox.world.add_user("Reader", phone="+10000000001")
        server.sandbox.session_for(me, tmp_path / "reader.session")
        settings = settings_of(server.sandbox, tmp_path)
        database = await Database.open(settings.database_path)
        client = reader_client(settings)
        ingest = Ingest(database, clock)
        live = Live(client, ingest, clock)
        try:
            account_id = await connections.connect_reader(client)
            live.reader_id = await database.write(
                lambda tx: readers.register(tx, account_id, clock(), "reader.session")
            )
            assignments = Assignments(database, clock)
            await assignments.enter(live.reader_id)
            yield ReaderKit(
                assignments=assignments,
                sandbox=server.sandbox,
                clock=clock,
                me=me,
                client=client,
                database=database,
                ingest=ingest,
                live=live,
                reader_id=live.reader_id,
            )
        finally:
            await client.disconnect()
            await database.close()


@pytest.fixture
async def asking(reader: ReaderKit) -> ReaderKit:
    """Add a chat that asks and is subscribed to a topic."""

    async def job(tx: Transaction) -> Chat:
        peer = Peer(kind=PeerKind.USER, id=42)
        chat = await chats.pair(tx, peer, title="Anna", language="en", now=reader.clock())
        compiled = compile_query(parse("outage"), Inflector()).to_json()
        topic = await topics.save(tx, name="outages", query="outage", compiled=compiled, now=reader.clock())
        await subscriptions.subscribe(tx, chat.id, topic.id, now=reader.clock())
        return chat

    reader.chat = await reader.database.write(job)
    return reader
