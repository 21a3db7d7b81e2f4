"""The checks of `channelwatch watch --check`: how far a question for a public page comes, and what to do about it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from bot.cli.check import Check, connect, failed, why
from bot.errors import SettingsError
from bot.runtime.clock import utc_now
from bot.runtime.proxies import Proxy, proxy_of
from bot.runtime.web import PageFailureError, PageReply, Transport
from bot.settings import Settings
from bot.sources.pages.page import ChannelPage, PageNotUnderstoodError, is_by_telegram, read_page

WRONG_CLOCK = 60.0  # s between our clock and the server's from which on it is said
_PORTS = {"http": 80, "https": 443}
_BLOCKED = "where Telegram is blocked, set TELEGRAM_PROXY=socks5://host:port"


async def run_page_checks(settings: Settings) -> AsyncIterator[Check]:
    """Follow a question for the canary's page to each host, until it is answered or stopped."""
    try:
        proxy = proxy_of(settings)
        transport = Transport.open(proxy)
    except SettingsError as error:
        yield failed("proxy", str(error))
        return
    async with transport:
        if proxy is not None:
            check = await _proxy(proxy)
            yield check
            if not check.is_well:
                return
        for url in (settings.pages_url, *settings.pages_fallback_urls):
            async for check in _host(settings, transport, url):
                yield check


def reaches_pages(checks: Sequence[Check]) -> bool:
    """Return whether the pages of one host at least can be read."""
    return any(check.is_well and check.name.startswith("page ") for check in checks)


async def _proxy(proxy: Proxy) -> Check:
    name, place = "proxy", f"{proxy.host}:{proxy.port}"
    try:
        await connect(proxy.host, proxy.port)
    except (TimeoutError, OSError) as error:
        advice = "start it, or set TELEGRAM_PROXY to one that runs"
        return failed(name, f"{place} takes no connection ({why(error)}): {advice}")
    return Check(name=name, outcome=f"{place} takes connections; names of hosts are left to it")


async def _host(settings: Settings, transport: Transport, url: str) -> AsyncIterator[Check]:
    parts = urlsplit(url)
    if settings.telegram_proxy is None:
        async for check in _steps(parts):
            yield check
            if not check.is_well:
                return
    address = f"{url}/s/{settings.pages_canary}"
    try:
        reply = await transport.get(address)
    except PageFailureError as failure:
        outcome = f"no answer from {address} ({failure.stage}: {failure.reason}): {_advice_on(failure)}"
        yield failed(f"HTTP {parts.hostname}", outcome)
        return
    check = _answer(parts, reply, settings.pages_canary)
    yield check
    if check.is_well:
        yield _structure(parts, reply)


async def _steps(parts: SplitResult) -> AsyncIterator[Check]:
    """Look up a host, connect, and make the connection secure: what HTTP needs first."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        outcome = f"the name is not known here ({why(error)}): check the network and its DNS; {_BLOCKED}"
        yield failed(f"DNS {host}", outcome)
        return
    yield Check(name=f"DNS {host}", outcome=", ".join(dict.fromkeys(str(each[4][0]) for each in found)))
    try:
        await connect(host, port)
    except (TimeoutError, OSError) as error:
        outcome = f"port {port} takes no connection ({why(error)}): a firewall is in the way; {_BLOCKED}"
        yield failed(f"TCP {host}", outcome)
        return
    yield Check(name=f"TCP {host}", outcome=f"port {port} takes connections")
    if parts.scheme != "https":
        return
    try:
        await connect(host, port, ssl.create_default_context())
    except ssl.SSLError as error:
        outcome = f"not trusted ({why(error)}): somebody reads along, or the clock or the certificates here are wrong"
        yield failed(f"TLS {host}", outcome)
    except (TimeoutError, OSError) as error:
        outcome = f"cut off ({why(error)}): the network does not let this host through; {_BLOCKED}"
        yield failed(f"TLS {host}", outcome)
    else:
        yield Check(name=f"TLS {host}", outcome="the certificate is right")


def _answer(parts: SplitResult, reply: PageReply, canary: str) -> Check:
    name = f"HTTP {parts.hostname}"
    if reply.status == 429:  # noqa: PLR2004 - Too Many Requests
        wait = reply.headers.get("retry-after", "")
        outcome = f"we ask too often: wait {wait + ' s' if wait.isdecimal() else 'some minutes'}, and let only one ask"
        return failed(name, outcome)
    if reply.status in {301, 302, 303, 307, 308}:
        where = reply.headers.get("location", "")[:80]
        outcome = f"@{canary} has no page of posts there (sent to {where}): set PAGES_CANARY to a channel that has one"
        return failed(name, outcome)
    if reply.status != 200:  # noqa: PLR2004 - OK
        return failed(name, f"the server answers {reply.status}: try again later")
    if not is_by_telegram(reply.html):
        outcome = f"a page came that is not Telegram's: log in to this network in a browser first; {_BLOCKED}"
        return failed(name, outcome)
    return Check(name=name, outcome=f"200, {len(reply.html.encode()) // 1000} kB")


def _structure(parts: SplitResult, reply: PageReply) -> Check:
    name = f"page {parts.hostname}"
    try:
        page = read_page(reply.html)
    except PageNotUnderstoodError as error:
        outcome = f"it is built in a way that this version does not know ({error.reason}): look for a newer one"
        return failed(name, outcome)
    if not page.posts or page.channel_id is None:
        return failed(name, "it shows no posts: set PAGES_CANARY to a channel that has some")
    hidden = sum(post.is_unreadable for post in page.posts)
    shown = f"{len(page.posts)} posts of «{page.title}», the newest of {page.posts[-1].date:%Y-%m-%d %H:%M} UTC"
    return Check(name=name, outcome=f"{shown}; {hidden} cannot be read here{_clock(page, utc_now())}")


def _clock(page: ChannelPage, now: datetime) -> str:
    if page.rendered_at is None:
        return ""
    apart = (page.rendered_at - now).total_seconds()
    is_wrong = abs(apart) > WRONG_CLOCK
    return (
        f"; the page is {abs(apart):.0f} s {'older' if apart < 0 else 'newer'} than our clock says" if is_wrong else ""
    )


def _advice_on(failure: PageFailureError) -> str:
    if failure.stage == "proxy":
        return "check the proxy's name and password, and whether it lets us out"
    return f"try again; {_BLOCKED}"
