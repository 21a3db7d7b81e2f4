"""Turns a proxy as people write it, a URL or Telegram's own link, into arguments of Telethon's constructor."""

from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import ParseResult, parse_qs, unquote, urlparse

from telethon import connection

from bot.errors import SettingsError

WHAT_IT_IS = (
    "TELEGRAM_PROXY is no proxy that can be used: write socks5://user:password@host:port, http://host:port, "
    "or paste a link that begins with https://t.me/proxy or https://t.me/socks"
)
_PREFIXES = (b"\xdd", b"\xee")  # of a secret: random padding, disguise as TLS
_LAST_PORT = 65_535
_KEY = 16  # bytes of a secret that are its key; the name of a site may follow
_SCHEMES = {"socks5": "socks5", "socks5h": "socks5", "socks4": "socks4", "http": "http"}


def proxy_arguments(url: str | None) -> dict[str, Any]:
    """Return the keyword arguments of `TelegramClient` for a proxy.

    Raises SettingsError, without repeating the URL's password.
    """
    if url is None:
        return {}
    try:
        arguments = _read(urlparse(url.strip()))
    except ValueError:  # a port that is no number, a broken IPv6 address
        arguments = None
    if arguments is None:
        raise SettingsError(WHAT_IT_IS)
    return arguments


def _read(url: ParseResult) -> dict[str, Any] | None:
    values = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.scheme == "tg":
        return _from_link(url.netloc, values)
    if url.scheme in {"http", "https"} and url.hostname in {"t.me", "telegram.me"}:
        return _from_link(url.path.strip("/"), values)
    if url.scheme not in _SCHEMES or not url.hostname or not url.port:
        return None
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    return _plain(_SCHEMES[url.scheme], url.hostname, url.port, user=user, password=password)


def _from_link(link: str, values: dict[str, str]) -> dict[str, Any] | None:
    """Read Telegram's own links, such as https://t.me/proxy?… and tg://socks?…, by their last word and their query."""
    if "server" not in values or "port" not in values:
        return None
    host, port = values["server"], int(values["port"])
    if not 0 < port <= _LAST_PORT:
        return None
    if link == "socks":
        return _plain("socks5", host, port, user=values.get("user"), password=values.get("pass"))
    if link != "proxy" or "secret" not in values:
        return None
    # The randomized protocol is the one that every MTProxy secret allows.
    return {
        "connection": connection.ConnectionTcpMTProxyRandomizedIntermediate,
        "proxy": (host, port, _secret(values["secret"])),
    }


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


def _plain(kind: str, host: str, port: int, *, user: str | None, password: str | None) -> dict[str, Any]:
    # The proxy resolves names (rdns): where Telegram is blocked, its names often are too.
    return {
        "proxy": {
            "proxy_type": kind,
            "addr": host,
            "port": port,
            "rdns": True,
            "username": user,
            "password": password,
        }
    }
