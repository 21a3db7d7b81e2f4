"""Turns a proxy into arguments of Telethon's constructor."""

from typing import Any

from telethon import connection

from bot.runtime.proxies import Proxy, ProxyKind


def proxy_arguments(proxy: Proxy | None) -> dict[str, Any]:
    """Return the keyword arguments of `TelegramClient` for a proxy."""
    if proxy is None:
        return {}
    if proxy.kind is ProxyKind.MTPROTO:
        # The randomized protocol is the one that every MTProxy secret allows.
        kind = connection.ConnectionTcpMTProxyRandomizedIntermediate
        return {"connection": kind, "proxy": (proxy.host, proxy.port, proxy.secret)}
    return {
        "proxy": {
            "proxy_type": proxy.kind.value,
            "addr": proxy.host,
            "port": proxy.port,
            "rdns": True,
            "username": proxy.user,
            "password": proxy.password,
        }
    }
