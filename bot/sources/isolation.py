"""Reads around messages that this program cannot read, since Telegram is newer: a page is asked for in smaller parts.

Of an answer that holds such a message nothing can be read; in the end it stands alone, and its id is found out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from telethon.tl import types
from telethon.tl.functions.channels import GetMessagesRequest
from telethon.tl.functions.messages import GetHistoryRequest

from bot.errors import UnreadableError
from bot.sources.account import Account
from bot.telegram.unreadable import ask_by_number

PAGE_SIZE = 100  # Telegram's limit
Unreadable = Mapping[int, int | None]  # message id → the constructor of TL that this program does not know
NOTHING: Unreadable = {}


@dataclass(slots=True, kw_only=True)
class Reading:
    """What could be read, and what could not."""

    answers: list[types.messages.ChannelMessages] = field(default_factory=list)  # newest messages first
    unreadable: dict[int, int | None] = field(default_factory=dict)

    @property
    def readable(self) -> int:
        """The number of messages that could be read."""
        return sum(len(answer.messages) for answer in self.answers)

    @property
    def count(self) -> int:
        """The number of messages, the unreadable ones too; those of them that were not tried may be gone."""
        return self.readable + len(self.unreadable)

    @property
    def lowest(self) -> int:
        """The lowest id of a message; 0 where there is none."""
        return min(
            [*self.unreadable, *(message.id for answer in self.answers for message in answer.messages)], default=0
        )


async def page_below(
    account: Account,
    channel: types.InputPeerChannel,
    below: int,
    *,
    known: Unreadable = NOTHING,
    newest_known: int = 0,
) -> Reading:
    """Return the messages under an id, or the newest where it is 0; `known` ones are not asked for again.

    It is one answer of Telegram wherever that can be read. `newest_known` is about the id of the newest message. Raises
    TelegramError.
    """
    found, limit = Reading(), PAGE_SIZE
    while found.count < PAGE_SIZE and below != 1:
        floor = max((number for number in known if not below or number < below), default=0)
        if floor and floor == below - 1:
            found.unreadable[floor], below = known[floor], floor
            continue
        limit = min(limit, PAGE_SIZE - found.count)
        try:
            answer = await _history(account, channel, below, limit=limit, floor=floor)
        except UnreadableError as error:
            if limit == 1:
                below = await _first_below(account, channel, below, floor=floor, newest_known=newest_known)
                found.unreadable[below] = error.constructor
            limit = max(1, limit // 2)
            continue
        found.answers.append(answer)
        if answer.messages:
            is_heeded = not below or min(message.id for message in answer.messages) < below
            if not is_heeded or (len(answer.messages) == found.count and not floor and limit == PAGE_SIZE):
                return found
            below, limit = found.lowest, limit * 2
        elif floor:
            found.unreadable[floor], below = known[floor], floor
        else:
            return found
    return found


async def by_number(account: Account, channel: types.InputChannel, ids: Sequence[int]) -> Reading:
    """Return the messages with these ids, 100 at most; one that is not there is empty. Raises TelegramError."""

    async def ask(numbers: Sequence[int]) -> types.messages.ChannelMessages:
        return await account.ask(GetMessagesRequest(channel, [types.InputMessageID(number) for number in numbers]))

    answers, unreadable = await ask_by_number(ids, ask)
    return Reading(answers=answers, unreadable=unreadable)


async def _first_below(
    account: Account, channel: types.InputPeerChannel, below: int, *, floor: int, newest_known: int
) -> int:
    """Return the id of the first message under an id, or of the newest, which is above `floor` and unreadable.

    It is the highest id above which there is a message. It is looked for in growing steps, since it is mostly the next.
    """
    low, high, step = floor, below - 1, 1
    if not below:
        high = max(floor + 1, newest_known)
        while await _is_above(account, channel, 0, high):
            low, high, step = high, high + step, step * 2
        step = 1
    while high - low > 1:
        middle = max((low + high) // 2, high - step)
        if await _is_above(account, channel, high + 1, middle):
            low = middle
        else:
            high, step = middle, step * 2
    return high


async def _is_above(account: Account, channel: types.InputPeerChannel, below: int, floor: int) -> bool:
    """Tell whether the first message under an id, which is unreadable, is above another id.

    Raises UnreadableError where a new message has come.
    """
    try:
        answer = await _history(account, channel, below, limit=1, floor=floor)
    except UnreadableError:
        return True
    if answer.messages:
        raise UnreadableError(None)
    return False


async def _history(
    account: Account, channel: types.InputPeerChannel, below: int, *, limit: int, floor: int = 0
) -> types.messages.ChannelMessages:
    request = GetHistoryRequest(
        channel, offset_id=below, offset_date=None, add_offset=0, limit=limit, max_id=0, min_id=floor, hash=0
    )
    return await account.ask(request)
