"""A proxy as people write it in the settings, a URL or Telegram's own link, becomes a value."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import ParseResult, parse_qs, unquote, urlparse

from bot.errors import SettingsError
from bot.settings import Settings

WHAT_IT_IS = (
    "TELEGRAM_PROXY is no proxy that can be used: write socks5://user:password@host:port, http://host:port, "
    "or paste a link that begins with https://t.me/proxy or https://t.me/socks"
)
_PREFIXES = (b"\xdd", b"\xee")  # of a secret: random padding, disguise as TLS
_LAST_PORT = 65_535
_KEY = 16  # bytes of a secret that are its key; the name of a site may follow


class ProxyKind(StrEnum):
    """What a proxy speaks."""

    SOCKS4 = "socks4"
    SOCKS5 = "socks5"
    HTTP = "http"
    MTPROTO = "mtproto"  # carries Telegram's own protocol only


_KINDS = {
    "socks5": ProxyKind.SOCKS5,
    "socks5h": ProxyKind.SOCKS5,
    "socks4": ProxyKind.SOCKS4,
    "http": ProxyKind.HTTP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Where a proxy is; it resolves names itself: where Telegram is blocked, its names often are too."""

    kind: ProxyKind
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)  # of MTProto, in the one way that Telethon reads right


def proxy_of(settings: Settings) -> Proxy | None:
    """Return the proxy of the settings. Raises SettingsError where it is none."""
    return None if settings.telegram_proxy is None else read_proxy(settings.telegram_proxy.get_secret_value())


def read_proxy(url: str) -> Proxy:
    """Read a proxy as somebody wrote it. Raises SettingsError, without repeating its password."""
    try:
        proxy = _read(urlparse(url.strip()))
    except ValueError:  # a port that is no number, a broken IPv6 address
        proxy = None
    if proxy is None:
        raise SettingsError(WHAT_IT_IS)
    return proxy


def _read(url: ParseResult) -> Proxy | None:
    values = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.scheme == "tg":
        return _from_link(url.netloc, values)
    if url.scheme in {"http", "https"} and url.hostname in {"t.me", "telegram.me"}:
        return _from_link(url.path.strip("/"), values)
    if url.scheme not in _KINDS or not url.hostname or not url.port:
        return None
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    return Proxy(kind=_KINDS[url.scheme], host=url.hostname, port=url.port, user=user, password=password)


def _from_link(link: str, values: dict[str, str]) -> Proxy | None:
    """Read Telegram's own links, such as https://t.me/proxy?… and tg://socks?…, by their last word and their query."""
    if "server" not in values or "port" not in values:
        return None
    host, port = values["server"], int(values["port"])
    if not 0 < port <= _LAST_PORT:
        return None
    if link == "socks":
        user, password = values.get("user"), values.get("pass")
        return Proxy(kind=ProxyKind.SOCKS5, host=host, port=port, user=user, password=password)
    if link != "proxy" or "secret" not in values:
        return None
    return Proxy(kind=ProxyKind.MTPROTO, host=host, port=port, secret=_secret(values["secret"]))


def _secret(typed: str) -> str:
    """Return a secret, hexadecimal or Base64, in the one way that Telethon reads right. Raises ValueError."""
    try:
        secret = bytes.fromhex(typed)
    except ValueError:
        secret = urlsafe_b64decode(typed.replace("+", "-").replace("/", "_") + "=" * (-len(typed) % 4))
    if secret[:1] in _PREFIXES and len(secret) > _KEY:
        secret = secret[1:]
    if len(secret) < _KEY:
        raise ValueError("a secret has 16 bytes at least")
    return f"dd{secret[:_KEY].hex()}"
