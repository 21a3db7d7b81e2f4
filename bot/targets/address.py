"""The address of a target as somebody typed it: our signed webhook, or any URL that Apprise knows.

The URL is a secret: errors and everything that is shown name the service alone.
"""

import base64
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from bot.errors import ChannelwatchError
from bot.locales import N_

TYPED = re.compile(r"\S+://\S*")  # an address among other words
SECRET_PREFIX = "whsec_"  # noqa: S105 - https://www.standardwebhooks.com
_WEBHOOKS = {"webhook+https": "https", "webhook+http": "http"}
_SECRET = "secret"  # noqa: S105 - the name of the parameter
_LEAST_SECRET = 16  # bytes of a key, once decoded
_LONGEST = 2000  # characters
# What would show a message on the machine of the service, where nobody sits, or send to Telegram after all.
_LOCAL = frozenset({"dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows", "syslog", "tgram"})


class AddressError(ChannelwatchError):
    """An address that cannot be used; the sentence, a key for the translator with its values, never repeats it."""

    def __init__(self, template: str, **values: str) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


class TargetKind(StrEnum):
    """The ways out."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a target is reached."""

    kind: TargetKind
    service: str  # for people: ntfy, mailto, webhook, …
    url: SecretStr  # of a webhook, with its secret as a parameter
    made_secret: SecretStr | None = None  # of a webhook that came without one: to be shown once


def hide_addresses(typed: str) -> str:
    """Return what somebody typed with the service alone of each address: «ntfy://…»."""
    return TYPED.sub(lambda found: f"{found[0].partition('://')[0]}://…", typed)


def new_secret() -> str:
    """Return a fresh secret for a webhook."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for. Raises ValueError."""
    coded = secret.removeprefix(SECRET_PREFIX).replace(" ", "+")  # which an address makes of it
    return base64.b64decode(coded, validate=True)


def read_address(typed: str) -> Address:
    """Read what somebody typed; it may take half a second at first, for Apprise. Raises AddressError."""
    url = typed.strip().strip("<>")
    scheme, separator, _ = url.partition("://")
    scheme = scheme.lower()
    if not separator or len(url) > _LONGEST or any(char.isspace() or not char.isprintable() for char in url):
        raise AddressError(N_("That is no address: write it whole, such as ntfy://… or https://… for a webhook."))
    if scheme in _WEBHOOKS:
        return _webhook(url)
    from bot.targets.apprise_way import service_of  # noqa: PLC0415 - Apprise takes a third of a second

    if scheme in _LOCAL:
        raise AddressError(N_("Alerts cannot be sent by {scheme}: choose another service."), scheme=scheme)
    service = service_of(url)
    if service is not None:
        return Address(kind=TargetKind.APPRISE, service=service, url=SecretStr(url))
    if scheme in {"http", "https"}:
        return _webhook(f"webhook+{url}")
    raise AddressError(
        N_("Apprise cannot read that. How the address of each service is written: {page}"),
        page="https://github.com/caronc/apprise/wiki",
    )


def _webhook(url: str) -> Address:
    """Read the address of a webhook; one without a secret is given a new one."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or parts.username or parts.fragment:
        raise AddressError(N_("A webhook is https://host/path, without a name or a password before the host."))
    named = dict(parse_qsl(parts.query, keep_blank_values=True))
    made = None
    if _SECRET not in named:
        made = new_secret()
        url = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode({_SECRET: made}))))))
    else:
        _check_secret(named[_SECRET])
    return Address(
        kind=TargetKind.WEBHOOK,
        service="webhook",
        url=SecretStr(url),
        made_secret=None if made is None else SecretStr(made),
    )


def _check_secret(secret: str) -> None:
    try:
        is_long = len(key_of(secret)) >= _LEAST_SECRET
    except ValueError:
        is_long = False
    if not is_long:
        raise AddressError(
            N_("A webhook's secret is whsec_ and 16 bytes or more in base64; leave it out for a new one.")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The two parts of a webhook's address."""

    url: str  # that is posted to
    key: bytes  # that signs


def endpoint_of(url: str) -> Endpoint:
    """Take the address of a webhook apart."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    secret = next(value for name, value in pairs if name == _SECRET)
    rest = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs if name != _SECRET)
    return Endpoint(url=urlunsplit(parts._replace(scheme=_WEBHOOKS[parts.scheme], query=rest)), key=key_of(secret))
