"""References: the ways in which people name a channel, reduced to one normal form."""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit, urlunsplit

_NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{3,31})")  # Telegram: 5 to 32 characters, 4 for bought names
_ID = re.compile(r"(?:-100)?([1-9]\d{0,15})")
_HASH = re.compile(r"\+?([A-Za-z0-9_-]{10,50})")  # so long that a button's data hold it
_SLUG = re.compile(r"[A-Za-z0-9_-]{8,48}")  # of a folder; likewise
_HOSTS = {"t.me", "telegram.me", "telegram.dog"}
_SUBDOMAIN = re.compile(r"([A-Za-z][A-Za-z0-9_]{3,31})\.t\.me")  # name.t.me
_WEB = "web.telegram.org"  # behind its # is what is open: @name or an id, with or without 100, maybe a post
_WEB_ID = re.compile(r"-(?:100(?=\d{10}))?([1-9]\d{0,15})(?:_\d+)?")

_SITE_ID = re.compile(r"-[1-9]\d{0,5}")  # ours: Telegram's, marked by -100, have more digits
_LONGEST_ADDRESS = 500  # characters of a site's

FOLDER = "addlist/"  # begins the reference of a chat folder's link
ALL = "all"  # that the reader is in
ALL_ASKED = "all?"  # the same, but they are only counted


_NUMBER = re.compile(r"(?:(?<!/c)/|[?&]post=)(\d{1,10})/?(?:[?&#]\S*)?$")

_STORY = re.compile(r"/[A-Za-z]\w{3,31}/s/\d{1,10}/?(?:[?#]\S*)?$")  # t.me/s/name/7 is a post on a web page
_COMMENT = re.compile(r"[?&]comment=(\d{1,10})\b")


class _Link(NamedTuple):
    host: str
    path: list[str]
    query: str
    fragment: str


def normalise_reference(text: str) -> str | None:
    """Return '@name' in lower case, '+hash' of an invite link, a bare channel id as digits or 'addlist/…' of a folder.

    Reads `@name`, `name`, links to channels, posts and folders on t.me and telegram.me, those of Telegram Web, `tg://`
    links, ids with or without -100. Returns None for anything else.
    """
    text = text.strip().strip("<>.,;")
    if text.lower().startswith("tg:"):
        return _from_tg_link(text)
    if text.startswith(FOLDER):
        return _folder(text.removeprefix(FOLDER))
    if _ID.fullmatch(text):
        return _number(text)
    link = _split(text)
    if link is not None:
        return _from_link(link)
    return _name(text) or (_invite(text) if text.startswith("+") else None)


def any_reference(text: str) -> str | None:
    """Return the normal form of a channel's name on any network: as `normalise_reference`, or a site's.

    That is the address of a feed or of a page that names one, or the id, below zero, of a site that is known.
    """
    text = text.strip().strip("<>.,;")
    return text if _SITE_ID.fullmatch(text) else normalise_reference(text) or _address(text)


def is_site(reference: str) -> bool:
    """Tell whether a normal reference is that of a site."""
    return reference.startswith(("http://", "https://", "-"))


def _address(text: str) -> str | None:
    """Return the normal form of an address on the web; None for what is none, is Telegram's, or has a password."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_web = parts.scheme.lower() in {"http", "https"} and "@" not in parts.netloc and "." in host.strip(".")
    if not is_web or len(text) > _LONGEST_ADDRESS or any(map(str.isspace, text)) or _split(text) is not None:
        return None
    place = host if port in {None, 443 if parts.scheme.lower() == "https" else 80} else f"{host}:{port}"
    return urlunsplit((parts.scheme.lower(), place, parts.path or "/", parts.query, ""))


def post_number(link: str) -> int | None:
    """Return the number of the message that a link to a post names, below zero that of a story; None where none is."""
    found = _NUMBER.search(link)
    if found is None:
        return None
    return -int(found[1]) if _STORY.search(link) else int(found[1])


def comment_number(link: str) -> int | None:
    """Return the number of the comment that a link names, in the supergroup where it is; None where it names none."""
    found = _COMMENT.search(link)
    return None if found is None else int(found[1])


def show_reference(reference: str) -> str:
    """Write a normalised reference as people know it: one of an invite or a folder as a link."""
    return f"t.me/{reference}" if reference.startswith(("+", FOLDER)) else reference


def _from_link(link: _Link) -> str | None:
    if link.host == _WEB:
        return _from_web(link.fragment)
    owner = _SUBDOMAIN.fullmatch(link.host)
    if owner:
        return _name(owner[1])
    first, second = [*link.path, "", ""][:2]
    if first.startswith("+"):
        return _invite(first)
    return {
        "joinchat": _invite(second),
        "addlist": _folder(second),
        "c": _number(second),
        "s": _name(second),
        "boost": _name(second) or _number(_asked(link.query).get("c", "")),
    }.get(first, _name(first))


def _from_web(shown: str) -> str | None:
    found = _WEB_ID.fullmatch(shown)
    if found:
        return found[1]
    return _name(shown) if shown.startswith("@") else None


def _from_tg_link(text: str) -> str | None:
    parts = urlsplit(text)
    asked = _asked(parts.query)
    return {
        "resolve": _name(asked.get("domain", "")),
        "boost": _name(asked.get("domain", "")) or _number(asked.get("channel", "")),
        "join": _invite(asked.get("invite", "")),
        "addlist": _folder(asked.get("slug", "")),
        "privatepost": _number(asked.get("channel", "")),
    }.get(parts.netloc or parts.path.strip("/"))


def _asked(query: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(query).items()}


def _split(text: str) -> _Link | None:
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:  # brackets that are no IPv6 address
        return None
    host = parts.netloc.lower().removeprefix("www.")
    if host in _HOSTS or host == _WEB or _SUBDOMAIN.fullmatch(host):
        return _Link(host, [part for part in parts.path.split("/") if part], parts.query, parts.fragment)
    return None


def _name(text: str) -> str | None:
    found = _NAME.fullmatch(text)
    return f"@{found[1].lower()}" if found else None


def _invite(text: str) -> str | None:
    found = _HASH.fullmatch(text)
    return f"+{found[1]}" if found else None


def _folder(text: str) -> str | None:
    return f"{FOLDER}{text}" if _SLUG.fullmatch(text) else None


def _number(text: str) -> str | None:
    found = _ID.fullmatch(text)
    return found[1] if found else None
