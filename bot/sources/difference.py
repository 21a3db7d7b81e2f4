"""A channel's changes since a pts come in by slices; posts go out, with edits and deletions, which Telethon drops."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from telethon.tl import types
from telethon.tl.functions.updates import GetChannelDifferenceRequest

from bot.errors import ChannelwatchError, TelegramError, Verdict
from bot.models import Event
from bot.sources.account import Account
from bot.sources.events import to_event, to_loaded
from bot.telegram.convert import named_in, to_post

SLICE = 100  # Telegram's limit for accounts that are no bots


class GapError(ChannelwatchError):
    """Telegram does not keep the changes since then: only the history can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some changes, in the order in which to apply them."""

    events: tuple[Event, ...]
    pages: frozenset[int]  # ids of the web pages whose previews have loaded
    newest: int  # the highest id of a new message, service messages too; 0 where there is none
    pts: int  # changes are known up to here
    asked_at: datetime
    timeout: int  # s after which the server wants to be asked again; 0 where it does not say


async def slices(account: Account, channel: types.InputChannel, *, pts: int) -> AsyncGenerator[Slice, None]:
    """Read all changes since `pts`, to the last. Raises GapError, TelegramError."""
    while True:
        asked_at = account.now()
        answer = await _ask(account, channel, pts)
        if isinstance(answer, types.updates.ChannelDifferenceTooLong):
            raise GapError("TooLong")
        yield _slice(answer, asked_at)
        if answer.final:
            return
        if answer.pts <= pts:  # else this would never end
            raise GapError("a slice without progress")
        pts = answer.pts


async def _ask(account: Account, channel: types.InputChannel, pts: int) -> types.updates.ChannelDifference:
    everything = types.ChannelMessagesFilterEmpty()
    try:
        return await account.ask(GetChannelDifferenceRequest(channel, everything, pts=pts, limit=SLICE))
    except TelegramError as error:
        # PERSISTENT_TIMESTAMP_…: this pts is of no use; DROP: this channel, or this server, knows no differences.
        if error.error.startswith("PERSISTENT_TIMESTAMP_") or error.verdict is Verdict.DROP:
            raise GapError(error.error) from error
        raise


def _slice(answer: types.updates.ChannelDifference | types.updates.ChannelDifferenceEmpty, asked_at: datetime) -> Slice:
    if isinstance(answer, types.updates.ChannelDifferenceEmpty):
        return Slice(
            events=(), pages=frozenset(), newest=0, pts=answer.pts, asked_at=asked_at, timeout=answer.timeout or 0
        )
    # New messages first: one that was deleted since stands among them as well as in the deletions.
    named = named_in(answer)
    posts = [to_post(message, named=named) for message in answer.new_messages]
    found = [*posts, *(to_event(update, named) for update in answer.other_updates)]
    loaded = (page for update in answer.other_updates if (page := to_loaded(update)) is not None)
    return Slice(
        events=tuple(event for event in found if event is not None),
        pages=frozenset(page.page_id for page in loaded),
        newest=max((message.id for message in answer.new_messages), default=0),
        pts=answer.pts,
        asked_at=asked_at,
        timeout=answer.timeout or 0,
    )
