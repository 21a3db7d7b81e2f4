"""Fetches a site's feed: redirects are followed, and addresses that are not of the public internet are refused.

Anybody who may follow channels can type any address, and the service may stand where others cannot reach.
"""

import asyncio
import socket
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Self
from urllib.parse import urljoin

from aiohttp import DefaultResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot import __version__
from bot.runtime.proxies import Proxy
from bot.runtime.web import REDIRECTS, PageFailureError, PageReply, Transport, web_proxy
from bot.settings import Settings

# Why a site cannot be read.
UNREACHABLE, REFUSED, PRIVATE = "site_unreachable", "site_refuses", "site_private"
NO_FEED, BROKEN = "site_no_feed", "site_broken"
AT_ONCE = 4
_HOPS = 5  # redirects
_WITHIN = 60.0  # s, redirects included
_WITH_IPV4 = ip_network("64:ff9b::/96")  # NAT64
_HEADERS = {
    "User-Agent": f"Mozilla/5.0 (compatible; channelwatch/{__version__})",
    "Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5",
}


class SiteError(Exception):
    """A site could not be read; `reason` is a word of ours, which people see as a sentence."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What tells a site which answer we have already."""

    etag: str | None = None
    modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a question for what is newer."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in found.items() if value}


class SiteFetcher:
    """Fetches from the sites of the public internet; `takes_private` lets it ask any others too."""

    def __init__(self, *, proxy: Proxy | None = None, takes_private: bool = False) -> None:
        self._takes_private = takes_private
        resolver = None if takes_private else _PublicResolver()
        self._transport = Transport.open(proxy, headers=_HEADERS, at_once=AT_ONCE, resolver=resolver)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make one by the settings; a proxy that carries Telegram's protocol only is not for sites."""
        return cls(proxy=web_proxy(settings), takes_private=settings.site_private_addresses)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def fetch(self, url: str, stamp: Stamp) -> PageReply | None:
        """Return the answer of a site; None where it is the one that we have. Raises SiteError."""
        try:
            async with asyncio.timeout(_WITHIN):
                return await self._fetch(url, stamp)
        except TimeoutError:
            raise SiteError(UNREACHABLE, "no answer in time") from None

    async def _fetch(self, url: str, stamp: Stamp) -> PageReply | None:
        for _ in range(_HOPS):
            self._check(url)
            try:
                reply = await self._transport.get(url, stamp.headers)
            except PageFailureError as failure:
                raise SiteError(UNREACHABLE, f"{failure.stage}: {failure.reason}") from None
            except _PrivateAddressError:
                raise SiteError(PRIVATE) from None
            if reply.status == HTTPStatus.NOT_MODIFIED:
                return None
            if reply.status == HTTPStatus.OK:
                return reply
            if reply.status not in REDIRECTS or not reply.headers.get("location"):
                raise SiteError(REFUSED, f"HTTP {reply.status}")
            try:
                url = urljoin(url, reply.headers["location"])
            except ValueError:
                raise SiteError(REFUSED, "it leads to what is no web address") from None
        raise SiteError(REFUSED, "redirects without end")

    def _check(self, url: str) -> None:
        """Raise SiteError for an address that is refused without a look; a proxy looks names up by itself."""
        try:
            parts = URL(url)  # as aiohttp reads it: «１２７.0.0.1» is a name to others
        except ValueError:
            raise SiteError(REFUSED, "not a web address") from None
        host = parts.host or ""
        if parts.scheme not in {"http", "https"} or not host or parts.user is not None:
            raise SiteError(REFUSED, "not a web address")
        if self._takes_private:
            return
        try:
            is_public = _is_public(host)
        except ValueError:  # a name
            is_public = "." in host and not host.rstrip(".").endswith((".local", ".localhost", ".internal"))
        if not is_public:
            raise SiteError(PRIVATE)


def _is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet. Raises ValueError for a name."""
    found = ip_address(address)
    inner = found in _WITH_IPV4 and ip_address(int(found) & 0xFFFFFFFF)  # which a gateway would connect to
    return found.is_global and not found.is_multicast and (not inner or inner.is_global)


class _PrivateAddressError(Exception):
    """A name leads to addresses that are not of the public internet."""


class _PublicResolver(AbstractResolver):
    """Gives addresses of the public internet only: what it checks is what is connected to."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up. Raises _PrivateAddressError where it leads to none."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if _is_public(each["host"])]
        if found and not public:
            raise _PrivateAddressError(host)
        return public

    async def close(self) -> None:
        """Close what looks names up."""
        await self._resolver.close()
