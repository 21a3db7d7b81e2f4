import pytest
from telethon import connection

from bot.errors import SettingsError
from bot.runtime.proxies import read_proxy
from bot.telegram.proxies import proxy_arguments


def plain(kind: str, user: str | None = None, word: str | None = None) -> dict[str, object]:
    where = {"proxy_type": kind, "addr": "e.org", "port": 1080, "rdns": True}
    return {"proxy": {**where, "username": user, "password": word}}


KEY = "00112233445566778899aabbccddeeff"


def mtproxy() -> dict[str, object]:
    return {
        "connection": connection.ConnectionTcpMTProxyRandomizedIntermediate,
        "proxy": ("e.org", 443, f"dd{KEY}"),
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, {}),
        ("socks5://e.org:1080", plain("socks5")),
        ("socks5://anna:p%40ss@e.org:1080", plain("socks5", "anna", "p@ss")),
        ("http://anna:pass@e.org:1080", plain("http", "anna", "pass")),
        ("https://t.me/socks?server=e.org&port=1080&user=anna&pass=x", plain("socks5", "anna", "x")),
        (f"https://t.me/proxy?server=e.org&port=443&secret={KEY}", mtproxy()),
        (f"https://t.me/proxy?server=e.org&port=443&secret=dd{KEY}", mtproxy()),
        ("tg://proxy?server=e.org&port=443&secret=7gARIjNEVWZ3iJmqu8zd7v9lLm9yZw", mtproxy()),
    ],
)
def test_a_proxy_is_understood_as_people_write_it(url: str | None, expected: dict[str, object]) -> None:
    assert proxy_arguments(read_proxy(url) if url else None) == expected


@pytest.mark.parametrize(
    "url",
    [
        "e.org:1080",
        "socks5://e.org",
        "ftp://hunter2@e.org:21",
        "socks5://e.org:port",
        "https://t.me/proxy?server=e.org&port=443",
        "https://t.me/proxy?server=e.org&port=443&secret=hunter2",
        "https://t.me/news?server=e.org&port=443",
        f"https://t.me/proxy?server=e.org&port=99999&secret={KEY}",
        "socks5://e.org:0",
        "tg://proxy?server=e.org&port=x&secret=y",
        "http://[e.org:1080",
    ],
)
def test_what_is_no_proxy_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^TELEGRAM_PROXY") as caught:
        read_proxy(url)
    assert "hunter2" not in str(caught.value)
