"""Apprise, whose plugins block: each message in a thread of its own, with a deadline. Imported where it is first used.

Of a failure a plugin says no more than that it was one, so that all of them may heal.
"""

import asyncio
import threading
from functools import cache

import apprise
from apprise import NotifyFormat
from apprise.plugins.base import NotifyBase

from bot.errors import TargetError, Verdict
from bot.models.targets import TargetMessage
from bot.targets.text import TextFormat, write

AT_ONCE = 16  # threads; each ends by the timeouts of its sockets
_ROOM = 32_000  # characters, where a service says nothing
# Services that read Markdown whatever they are told.
_MARKDOWN = frozenset(
    {"discord", "mmost", "mmosts", "rocket", "rockets", "zulip", "guilded", "revolt", "nctalk", "nctalks"}
)
_busy: set[str] = set()  # addresses at which a thread is at work: one whose service hangs gets no second


@cache
def _asset() -> apprise.AppriseAsset:
    asset: apprise.AppriseAsset = apprise.AppriseAsset(secure_logging=True, storage_mode="memory")
    asset.app_id, asset.app_desc, asset.app_url = "channelwatch", "channelwatch", ""
    asset.image_url_mask = asset.image_url_logo = ""  # pictures that lie elsewhere
    asset.http_redirects = False
    return asset


def _plugin(url: str) -> NotifyBase | None:
    """Return the plugin of an address, None where Apprise cannot read it."""
    try:
        found = apprise.Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - plugins of a hundred authors read what people type
        return None
    return found if isinstance(found, NotifyBase) else None


def service_of(url: str) -> str | None:
    """Return the name of the service that an address leads to; None where Apprise cannot read it."""
    plugin = _plugin(url)
    if plugin is None:
        return None
    return str(getattr(plugin, "service_name", "") or url.partition(":")[0])[:40]


async def send(url: str, message: TargetMessage, *, within: float) -> None:
    """Send a message. Raises TargetError."""
    if url in _busy:
        raise TargetError("TIMEOUT", code=0, verdict=Verdict.RETRY)  # of the attempt before
    if len(_busy) >= AT_ONCE:
        raise TargetError("BUSY", code=0, verdict=Verdict.RETRY, retry_after=1.0)
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[str | None] = loop.create_future()

    def settle(error: str | None) -> None:
        if not outcome.done():
            outcome.set_result(error)

    def work() -> None:
        error: str | None = "FAILED"
        try:
            error = _send(url, message)
        except BaseException as failure:  # noqa: BLE001 - it belongs to whoever waits, and may repeat the address
            error = type(failure).__name__
        finally:
            _busy.discard(url)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error)

    _busy.add(url)
    threading.Thread(target=work, name="target", daemon=True).start()
    try:
        async with asyncio.timeout(within):
            error = await outcome
    except TimeoutError:
        raise TargetError("TIMEOUT", code=0, verdict=Verdict.RETRY) from None
    if error is not None:
        raise TargetError(error, code=0, verdict=Verdict.RETRY)


def _send(url: str, message: TargetMessage) -> str | None:
    """Send a message in this thread; return why it was not taken."""
    plugin = _plugin(url)
    if plugin is None:
        return "UNKNOWN_SERVICE"
    how = _format(plugin, url)
    room, title_room = _length(plugin.body_maxlen), _length(plugin.title_maxlen, default=0)
    text = write(message, how, room=room, title_room=title_room)
    # A service that knows one format alone is sent that, and nothing is converted.
    said = plugin.resolve_format(NotifyFormat(how.value))
    is_taken = plugin.notify(body=text.body, title=text.title, body_format=said)
    return None if is_taken else "FAILED"


def _format(plugin: NotifyBase, url: str) -> TextFormat:
    """Choose how to write for a service: HTML where it takes that, else plain text, else Markdown."""
    if url.partition("://")[0].lower() in _MARKDOWN:
        return TextFormat.MARKDOWN
    for how in (TextFormat.HTML, TextFormat.PLAIN):
        if plugin.resolve_format(NotifyFormat(how.value)) is NotifyFormat(how.value):
            return how
    return TextFormat.MARKDOWN


def _length(most: object, *, default: int = _ROOM) -> int:
    return most if isinstance(most, int) and most >= 0 else default
