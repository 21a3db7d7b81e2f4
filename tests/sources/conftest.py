"""A real reader client on the embedded server, over TCP, with a real database behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.matching.engine.matcher import compile_query
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from bot.models import Peer, PeerKind
from bot.pipeline.ingest import Ingest
from bot.sandbox import Sandbox
from bot.settings import load_settings
from bot.sources.assignment import Assignments
from bot.sources.live import Live
from bot.store import chats, readers, subscriptions, topics
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.telegram import connections
from bot.telegram.client import reader_client

from .kit import Now, Place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    now = Now()
    async with Sandbox(now=now) as sandbox:
        me = sandbox.world.add_user("Reader", phone="+10000000001")
        sandbox.session_for(me, tmp_path / "reader.session")
        settings = load_settings(
            telegram_api_id=1,
            telegram_api_hash="0" * 32,
            telegram_server=sandbox.address,
            data_dir=tmp_path,
            _env_file=None,
        )
        database = await Database.open(settings.database_path)
        client = reader_client(settings)
        ingest = Ingest(database, now)
        live = Live(client, ingest, now)
        try:
            account_id = await connections.connect_reader(client)
            live.reader_id = await database.write(lambda tx: readers.register(tx, account_id, now(), "reader.session"))
            assignments = Assignments(database)
            await assignments.enter(live.reader_id)
            yield Place(
                assignments=assignments,
                sandbox=sandbox,
                now=now,
                me=me,
                client=client,
                database=database,
                ingest=ingest,
                live=live,
                reader_id=live.reader_id,
            )
            assert sandbox.unknown == []
            assert sandbox.crashes == []
        finally:
            await client.disconnect()
            await database.close()


@pytest.fixture
async def asking(place: Place) -> Place:
    """Add a chat that asks and is subscribed to a topic."""

    async def job(tx: Transaction) -> Chat:
        peer = Peer(kind=PeerKind.USER, id=42)
        chat = await chats.pair(tx, peer, title="Anna", language="en", now=place.now())
        compiled = compile_query(parse("outage"), Inflector()).to_json()
        topic = await topics.save(tx, name="outages", query="outage", compiled=compiled, now=place.now())
        await subscriptions.subscribe(tx, chat.id, topic.id, now=place.now())
        return chat

    place.chat = await place.database.write(job)
    return place
