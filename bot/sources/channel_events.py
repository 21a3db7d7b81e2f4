"""A channel that the reader can no longer read comes in; the archive knows, and whoever asked for it is told.

Telegram has one error for many reasons, so the reason is looked into where that is cheap.
"""

from datetime import datetime

from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.models.notices import ChannelLost, ChannelRegained, ChannelRenamed
from bot.sources import resolver
from bot.sources.account import Account
from bot.sources.resolver import NotFollowableError
from bot.store import channels
from bot.store.channels import Access, Channel, ResolvedChannel
from bot.store.database import Database, Transaction
from bot.store.notices import notify_followers

BANNED = "USER_BANNED_IN_CHANNEL"  # Telegram's
VANISHED = "vanished"  # a public channel of which nothing is left
REMOVED = "removed"  # a private channel that lets the reader in no more, or is no more
NOT_MEMBER = "not_member"  # a private channel that another account was in
VAGUE = {"CHANNEL_PRIVATE", "CHANNEL_INVALID"}


async def lose(database: Database, channel: Channel, *, reader_id: int, reason: str, now: datetime) -> None:
    """Write down that a channel is lost, for a reason: Telegram's error string.

    Where it is known that it is lost, only a reason that says more is written down, and nobody is told.
    """
    if not _says_more(reason, channel):
        return

    async def job(tx: Transaction) -> None:
        await channels.grant(
            tx, reader_id, channel.id, Access.LOST, access_hash=channel.access_hash, reason=reason, now=now
        )
        if channel.access is Access.LOST:
            return
        notice = ChannelLost(event=f"{channel.id}:{now.isoformat()}", channel=channel.title, reason=reason)
        await notify_followers(tx, channel.id, notice, now=now)

    await database.write(job)


def _says_more(reason: str, channel: Channel) -> bool:
    """Say whether a reason, or any, would tell more of a channel than what is written down of it."""
    return channel.access is not Access.LOST or (channel.reason in VAGUE and reason not in VAGUE)


async def regain(database: Database, channel: Channel, *, now: datetime) -> None:
    """Tell that a channel that was lost can be read again."""
    notice = ChannelRegained(event=f"{channel.id}:{now.isoformat()}", channel=channel.title)
    await database.write(lambda tx: notify_followers(tx, channel.id, notice, now=now))


async def cause(account: Account, channel: Channel, error: str) -> str:
    """Find out more of why a channel cannot be read than Telegram's error says; asks for its name at most."""
    if error not in VAGUE or not _says_more("", channel):
        return error
    if channel.username is None:
        return REMOVED
    if not account.may_ask_name():
        return error
    account.spend_name()
    try:
        chat = await resolver.by_name(account, channel.username)
    except NotFollowableError as refusal:
        return BANNED if refusal.reason in VAGUE else VANISHED  # it is there, but closed to this reader
    except TelegramError as refused:
        return VANISHED if refused.verdict is Verdict.UNAUTHORISED else error
    return error if chat.id == channel.id else VANISHED


def resolved(chat: types.Channel | types.ChannelForbidden) -> ResolvedChannel:
    """Read what a channel is, what it is called, and its username, or the first of those in use."""
    names = [name.username for name in getattr(chat, "usernames", None) or () if name.active]
    return ResolvedChannel(
        id=chat.id,
        kind="broadcast" if chat.broadcast else "supergroup",
        title=chat.title,
        username=getattr(chat, "username", None) or next(iter(names), None),
    )


async def describe(database: Database, channel: Channel, chat: types.Channel, *, now: datetime) -> None:
    """Follow a rename and tell of it, once a day at most; nothing is written where nothing changed."""
    new = resolved(chat)
    if (channel.title, channel.username) == (new.title, new.username):
        return

    async def job(tx: Transaction) -> None:
        old = await channels.describe(tx, channel.id, title=new.title, username=new.username)
        if old is not None:
            notice = ChannelRenamed(
                event=f"{channel.id}:{now:%Y-%m-%d}",
                old_title=old.title,
                old_username=old.username,
                title=new.title,
                username=new.username,
            )
            await notify_followers(tx, channel.id, notice, now=now)

    await database.write(job)
