"""Whether who stamps the ledger answers, and our own port; a proxy that carries no HTTP is never gone past."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.cli.network_checks import check_port, check_stamps
from bot.evidence.calendars import calendars_of, warning_of
from bot.evidence.stamps import NO_WAY_OUT, authorities_of
from bot.runtime.web import web_proxy
from bot.settings import Settings
from tests.evidence.kit import reply

NOBODY = "http://127.0.0.1:1"
MTPROXY = SecretStr(f"https://t.me/proxy?server=proxy.example&port=443&secret={'ab' * 16}")


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, int]]:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reply(writer, 405, b"")

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", port


async def test_one_authority_that_answers_is_enough_whatever_it_says(served: tuple[str, int]) -> None:
    settings = Settings(timestamp_urls=(served[0], NOBODY), opentimestamps_urls=())
    (found,) = [check async for check in check_stamps(settings)]
    assert found.is_well
    assert found.outcome.startswith(f"1 of 2 answer; {NOBODY} does not answer (no connection: ")
    (found,) = [check async for check in check_stamps(settings.model_copy(update={"timestamp_urls": (NOBODY,)}))]
    assert not found.is_well
    assert found.outcome.endswith("let this machine reach them, or change TIMESTAMP_URLS")


async def test_past_an_mtproxy_nobody_is_asked(served: tuple[str, int]) -> None:
    settings = Settings(timestamp_urls=(served[0],), opentimestamps_urls=(served[0],), telegram_proxy=MTPROXY)
    assert (authorities_of(settings), calendars_of(settings), web_proxy(settings)) == ((), (), None)
    assert warning_of(settings) == NO_WAY_OUT
    (found,) = [check async for check in check_stamps(settings)]
    assert (found.outcome, found.is_well) == (NO_WAY_OUT, True)


async def test_our_own_port_takes_connections_or_not(served: tuple[str, int]) -> None:
    assert (await check_port("127.0.0.1", served[1])).is_well
    assert "takes no connection" in (await check_port("127.0.0.1", 1)).outcome
