"""The checks of `channelwatch doctor` that ask others than Telegram: who stamps the ledger, and our own HTTP port."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from bot.cli.check import WITHIN, Check, connect, failed, why
from bot.evidence.calendars import calendars_of, warning_of
from bot.evidence.stamps import authorities_of
from bot.runtime.proxies import Proxy
from bot.runtime.web import PageFailureError, Transport, carries_web, web_proxy
from bot.settings import Settings


async def check_stamps(settings: Settings) -> AsyncIterator[Check]:
    """Look whether authorities of time and calendars, of each kind one at least, answer; what they say is not read.

    A proxy that does not carry that is somebody's choice, and no fault.
    """
    if warning := warning_of(settings):
        yield Check(name="stamps of the ledger", outcome=warning, is_well=not carries_web(settings))
    proxy = web_proxy(settings)
    for name, urls, setting in (
        ("authorities of time", authorities_of(settings), "TIMESTAMP_URLS"),
        ("calendars", calendars_of(settings), "OPENTIMESTAMPS_URLS"),
    ):
        if urls:
            yield await _answering(name, urls, setting, proxy)


async def _answering(name: str, urls: Sequence[str], setting: str, proxy: Proxy | None) -> Check:
    async with Transport.open(proxy, at_once=len(urls)) as transport:
        reasons = await asyncio.gather(*(_silence(transport, url) for url in urls))
    silent = [f"{url} does not answer ({reason})" for url, reason in zip(urls, reasons, strict=True) if reason]
    count = f"{len(urls) - len(silent)} of {len(urls)} answer"
    if len(silent) == len(urls):
        return failed(name, f"{'; '.join(silent)}: let this machine reach them, or change {setting}")
    return Check(name=name, outcome="; ".join([count, *silent]))


async def _silence(transport: Transport, url: str) -> str | None:
    """Return why a server does not answer; None where it does."""
    try:
        async with asyncio.timeout(WITHIN):
            await transport.get(url)
    except PageFailureError as failure:
        return failure.reason
    except TimeoutError as error:
        return why(error)
    return None


async def check_port(host: str, port: int) -> Check:
    """Look whether our HTTP port takes connections."""
    name, place = "HTTP port", f"{host}:{port}"
    try:
        await connect(host, port)
    except (TimeoutError, OSError) as error:
        return failed(name, f"{place} takes no connection ({why(error)}): start the service, or see its log")
    return Check(name=name, outcome=f"{place} takes connections")
