"""One HTTP request to Telegram's public web: an answer comes out, or why there is none. Nothing is judged here."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from bot import __version__
from bot.errors import SettingsError
from bot.telegram.proxies import proxy_arguments

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientSession

USER_AGENT = f"Mozilla/5.0 (X11; Linux x86_64) channelwatch/{__version__}"  # who asks, in the shape that servers expect
HEADERS = {"User-Agent": USER_AGENT, "Accept-Language": "en", "Accept": "text/html"}
LARGEST = 4 << 20  # bytes of a page, unpacked: real ones have 150,000
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
    html: str


class Transport:
    """A session that keeps its connections; redirects are answers, cookies are not kept."""

    def __init__(self, session: "ClientSession") -> None:
        self._session = session

    @classmethod
    def open(cls, proxy: str | None) -> Self:
        """Open a session, through a proxy as TELEGRAM_PROXY has it. Raises SettingsError where that carries no HTTP."""
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar  # noqa: PLC0415 - a tenth of a second

        session = ClientSession(
            connector=_connector(proxy),
            timeout=ClientTimeout(total=TOTAL, connect=CONNECT),
            headers=HEADERS,
            cookie_jar=DummyCookieJar(),
        )
        return cls(session)

    async def get(self, url: str) -> PageReply:
        """Ask for a page. Raises PageFailureError."""
        import aiohttp  # noqa: PLC0415 - see above
        from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError  # noqa: PLC0415 - likewise

        try:
            return await self._get(url)
        except (ProxyError, ProxyConnectionError, ProxyTimeoutError):
            raise PageFailureError(FailureStage.PROXY, "the proxy does not let us through") from None
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

    async def _get(self, url: str) -> PageReply:
        async with self._session.get(url, allow_redirects=False) as response:
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) > LARGEST:
                    raise PageFailureError(FailureStage.HTTP, f"the answer is larger than {LARGEST >> 20} MB")
            return PageReply(
                url=url,
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                html=read.decode("utf-8", "replace"),
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        await asyncio.sleep(0)  # aiohttp closes transports in the next step of the loop


def check_proxy(proxy: str | None) -> None:
    """Raise SettingsError for a proxy through which no web page can be asked for."""
    if "connection" in proxy_arguments(proxy):
        raise SettingsError(NO_MTPROXY)


def _connector(proxy: str | None) -> "BaseConnector":
    from aiohttp import TCPConnector  # noqa: PLC0415 - see above

    check_proxy(proxy)
    if proxy is None:
        return TCPConnector(limit=1)
    from aiohttp_socks import ProxyConnector  # noqa: PLC0415 - few need one
    from python_socks import ProxyType  # noqa: PLC0415 - likewise

    given = proxy_arguments(proxy)["proxy"]
    return ProxyConnector(
        proxy_type=ProxyType[given["proxy_type"].upper()],
        host=given["addr"],
        port=given["port"],
        username=given["username"],
        password=given["password"],
        rdns=given["rdns"],
        limit=1,
    )


def _of_ssl(error: Exception) -> str:
    certificate = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(certificate, "verify_message", None) or getattr(certificate, "reason", None) or "it was refused"
