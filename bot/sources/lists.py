"""A folder's link, or the wish for all that the reader is in, comes in; wishes for the channels of it go out."""

from collections.abc import Sequence
from dataclasses import dataclass

from telethon.tl import types

from bot.models import Clock, PeerKind
from bot.sources import resolver
from bot.sources.account import Account
from bot.sources.described import resolved
from bot.sources.dialogs import channel_dialogs
from bot.sources.notices import Notices
from bot.sources.resolver import NotFollowableError
from bot.store import channels, chats, follows
from bot.store.channels import MOST_FAST
from bot.store.database import Database, Transaction
from bot.store.follows import Follow
from bot.store.references import ALL, ALL_ASKED, FOLDER

TOO_MANY_FAST = "too_many_fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What a list holds."""

    title: str | None  # of the folder
    chats: Sequence[types.Channel]  # that can be read
    closed: Sequence[str]  # titles of private channels that the reader is not in


class Lists:
    """Takes lists of channels apart; each channel of them is followed like one that somebody named."""

    def __init__(self, account: Account, database: Database, notices: Notices, *, clock: Clock) -> None:
        self._account = account
        self._database = database
        self._notices = notices
        self._clock = clock

    async def take_apart(self, follow: Follow) -> None:
        """Put wishes for its channels in place of the wish for a list. Raises TelegramError, NotFollowableError."""
        listed = await self._listed(follow.reference)
        followed = {channel.id: channel for channel in await channels.followed(self._database)}
        fresh = [chat for chat in listed.chats if chat.id not in followed]
        if follow.options.fast:
            hurried = [chat for chat in listed.chats if chat.id not in followed or not followed[chat.id].fast]
            if await channels.fast_ones(self._database) - 1 + len(hurried) > MOST_FAST:  # 1: the wish for the list
                raise NotFollowableError(TOO_MANY_FAST)
        is_asked = follow.reference == ALL_ASKED
        # What is followed already needs no asking: it takes on the options.
        taken = () if is_asked and fresh else listed.chats
        await self._database.write(lambda tx: self._replace(tx, follow, taken))
        if is_asked:
            await self._notices.offer_all(follow, count=len(listed.chats), unfollowed=len(fresh))
        elif listed.title is not None:
            await self._notices.folder_read(follow, title=listed.title, count=len(listed.chats), private=listed.closed)

    async def _listed(self, reference: str) -> _Listed:
        if reference.startswith(FOLDER):
            folder = await resolver.by_folder(self._account, reference.removeprefix(FOLDER))
            return _Listed(title=folder.title, chats=folder.chats, closed=folder.closed)
        # Alerts that were read would be alerted to again: the groups that receive them are left out.
        ours = {chat.peer.id for chat in await chats.everyone(self._database) if chat.peer.kind is PeerKind.CHANNEL}
        dialogs = (await channel_dialogs(self._account)).values()
        here = [dialog.chat for dialog in dialogs if isinstance(dialog.chat, types.Channel)]
        return _Listed(title=None, chats=[chat for chat in here if chat.id not in ours], closed=())

    async def _replace(self, tx: Transaction, follow: Follow, found: Sequence[types.Channel]) -> None:
        for chat in found:
            channel = resolved(chat)
            await channels.meet(tx, self._account.reader_id, channel, access_hash=chat.access_hash)
            # By its id: where it is was just written down, so that its name need not be looked up.
            await follows.ask(tx, str(channel.id), chat_id=follow.chat_id, now=follow.asked_at, options=follow.options)
        await follows.withdraw(tx, follow.reference)


def is_list(reference: str) -> bool:
    """Say whether a reference stands for many channels."""
    return reference in {ALL, ALL_ASKED} or reference.startswith(FOLDER)
