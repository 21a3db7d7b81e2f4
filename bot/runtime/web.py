"""One HTTP request to the public web: an answer comes out, or why there is none. Nothing is judged here."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self

import aiohttp  # which Telethon imports anyway
from aiohttp import BaseConnector, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver

from bot import __version__
from bot.errors import SettingsError
from bot.runtime.proxies import Proxy, ProxyKind, proxy_of
from bot.settings import Settings

USER_AGENT = f"Mozilla/5.0 (X11; Linux x86_64) channelwatch/{__version__}"  # who asks, in the shape that servers expect
HEADERS = {"User-Agent": USER_AGENT, "Accept-Language": "en", "Accept": "text/html"}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LARGEST = 4 << 20  # bytes of an answer, unpacked: Telegram's pages have 150,000
TOTAL, CONNECT = 40.0, 10.0  # s
NO_MTPROXY = (
    "TELEGRAM_PROXY is an MTProxy link, which carries Telegram's own protocol only: to read web pages, "
    "write a socks5://… or http://… proxy there"
)


class FailureStage(StrEnum):
    """How far a request came that has no answer."""

    PROXY = "proxy"
    DNS = "DNS"
    TCP = "TCP"
    TLS = "TLS"
    HTTP = "HTTP"


class PageFailureError(Exception):
    """There is no answer; `reason` is a sentence without the names of proxies."""

    def __init__(self, stage: FailureStage, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReply:
    """An HTTP answer."""

    url: str
    status: int
    headers: Mapping[str, str]  # their names in lower case
    body: bytes

    @property
    def html(self) -> str:
        """The body as a page in UTF-8."""
        return self.body.decode("utf-8", "replace")


class Transport:
    """A session that keeps its connections; redirects are answers, cookies are not kept."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    @classmethod
    def open(
        cls,
        proxy: Proxy | None,
        *,
        headers: Mapping[str, str] = MappingProxyType(HEADERS),
        at_once: int = 1,
        resolver: AbstractResolver | None = None,
    ) -> Self:
        """Open a session, through a proxy, which looks up names in the `resolver`'s place.

        Raises SettingsError where the proxy carries no HTTP.
        """
        session = ClientSession(
            connector=_connector(proxy, at_once, resolver),
            timeout=ClientTimeout(total=TOTAL, connect=CONNECT),
            headers=headers,
            cookie_jar=DummyCookieJar(),
        )
        return cls(session)

    async def __aenter__(self) -> Self:
        """Return the session, which is closed at the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.close()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> PageReply:
        """Ask for a page. Raises PageFailureError."""
        return await self._answer("GET", url, headers)

    async def post(self, url: str, body: bytes) -> PageReply:
        """Send bytes and return the answer. Raises PageFailureError."""
        return await self._answer("POST", url, None, body)

    async def _answer(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None = None
    ) -> PageReply:
        from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError  # noqa: PLC0415 - few need it

        try:
            return await self._ask(method, url, headers, body)
        except (ProxyConnectionError, ProxyTimeoutError):
            raise PageFailureError(FailureStage.PROXY, "the proxy takes no connection") from None
        except ProxyError as error:
            raise PageFailureError(FailureStage.PROXY, f"the proxy does not let us through: {error}") from None
        except aiohttp.ClientConnectorDNSError:
            raise PageFailureError(FailureStage.DNS, "the name of the host is not known") from None
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise PageFailureError(FailureStage.TLS, f"no secure connection: {_of_ssl(error)}") from None
        except aiohttp.ClientConnectorError as error:
            raise PageFailureError(FailureStage.TCP, f"no connection: {error.os_error.strerror or 'refused'}") from None
        except (TimeoutError, aiohttp.ServerTimeoutError):
            raise PageFailureError(FailureStage.HTTP, "no answer in time") from None
        except (aiohttp.ClientError, OSError):
            raise PageFailureError(FailureStage.HTTP, "the connection was cut before the answer was here") from None

    async def _ask(self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None) -> PageReply:
        async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) > LARGEST:
                    raise PageFailureError(FailureStage.HTTP, f"the answer is larger than {LARGEST >> 20} MB")
            return PageReply(
                url=url,
                status=response.status,
                headers=_headers(response),
                body=bytes(read),
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        await asyncio.sleep(0)  # aiohttp closes transports in the next step of the loop


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the headers, their names in lower case and those of one name in one; what is no UTF-8 is written out."""
    found: dict[str, str] = {}
    for name, written in response.headers.items():
        value = written.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return found


def check_proxy(proxy: Proxy | None) -> None:
    """Raise SettingsError for a proxy through which no web page can be asked for."""
    if proxy is not None and proxy.kind is ProxyKind.MTPROTO:
        raise SettingsError(NO_MTPROXY)


def carries_web(settings: Settings) -> bool:
    """Tell whether there is a way to the web as the settings have it: what a proxy does not carry goes nowhere else."""
    try:
        check_proxy(proxy_of(settings))
    except SettingsError:
        return False
    return True


def web_proxy(settings: Settings) -> Proxy | None:
    """Return the proxy of the settings; None where it carries Telegram's own protocol only."""
    return proxy_of(settings) if carries_web(settings) else None


def retry_after(written: str | None, now: datetime) -> timedelta | None:
    """Read how long a server asks us to wait: seconds, or a date (RFC 9110, 10.2.3); None where it does not say."""
    written = (written or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", written):
        return timedelta(seconds=int(written))
    try:
        date = parsedate_to_datetime(written)
    except ValueError:
        return None
    return max(timedelta(), (date if date.tzinfo else date.replace(tzinfo=UTC)) - now)


def _connector(proxy: Proxy | None, at_once: int, resolver: AbstractResolver | None) -> BaseConnector:
    check_proxy(proxy)
    if proxy is None:
        return TCPConnector(limit=at_once, resolver=resolver)
    from aiohttp_socks import ProxyConnector  # noqa: PLC0415 - see above
    from python_socks import ProxyType  # noqa: PLC0415 - likewise

    return ProxyConnector(
        proxy_type=ProxyType[proxy.kind.name],
        host=proxy.host,
        port=proxy.port,
        username=proxy.user,
        password=proxy.password,
        rdns=True,
        limit=at_once,
    )


def _of_ssl(error: Exception) -> str:
    certificate = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(certificate, "verify_message", None) or getattr(certificate, "reason", None) or "it was refused"
