"""Writes down that a channel was lost, found again or renamed, with notices to the chats that asked for it.

Telegram has one error for many reasons of a loss, so the reason is looked into where that is cheap.
"""

from dataclasses import replace
from datetime import datetime

from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.models import Withholdings
from bot.models.notices import ChannelLost, ChannelRegained, ChannelRenamed, ChannelWithheld
from bot.sources import resolver
from bot.sources.account import Account
from bot.sources.resolver import NotFollowableError
from bot.store import channel_groups, channels
from bot.store.channels import BANNED, VAGUE, Access, Channel, ResolvedChannel
from bot.store.database import Transaction
from bot.store.notices import notify_followers
from bot.telegram.convert import to_withholdings

VANISHED = "vanished"  # a public channel of which nothing is left
REMOVED = "removed"  # a private channel that lets the reader in no more, or is no more
NOT_MEMBER = "not_member"  # a private channel that another account was in


async def lose(account: Account, channel: Channel, reason: str) -> None:
    """Write down that a channel is lost, and why: Telegram's error string, or a word of ours.

    Of a channel that is known to be lost, only a more telling reason is written down, without a notice.
    """
    if not _says_more(reason, channel):
        return
    now = account.now()

    async def job(tx: Transaction) -> None:
        await channels.set_access(
            tx, account.reader_id, channel.id, Access.LOST, access_hash=channel.access_hash, reason=reason, now=now
        )
        if channel.access is Access.LOST:
            return
        notice = ChannelLost(event=f"{channel.id}:{now.isoformat()}", channel=channel.title, reason=reason)
        await notify_followers(tx, channel.id, notice, now=now)

    await account.database.write(job)


def _says_more(reason: str, channel: Channel) -> bool:
    """Tell whether a reason says more than the one that is written down of a channel."""
    return channel.access is not Access.LOST or (channel.reason in VAGUE and reason not in VAGUE)


async def regain(account: Account, channel: Channel) -> None:
    """Put notices into the outbox that a lost channel can be read again."""
    now = account.now()
    notice = ChannelRegained(event=f"{channel.id}:{now.isoformat()}", channel=channel.title)
    await account.database.write(lambda tx: notify_followers(tx, channel.id, notice, now=now))


async def cause(account: Account, channel: Channel, error: str) -> str:
    """Return why a channel cannot be read, as exactly as one question for its name can tell.

    `error` is Telegram's error string; it is returned where nothing better is found.
    """
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
    """Read the id, kind and title of a channel, and its username, or the first of those in use."""
    names = [name.username for name in getattr(chat, "usernames", None) or () if name.active]
    return ResolvedChannel(
        id=chat.id,
        kind="broadcast" if chat.broadcast else "supergroup",
        title=chat.title,
        username=getattr(chat, "username", None) or next(iter(names), None),
    )


async def describe(account: Account, channel: Channel, chat: types.Channel) -> None:
    """Write down a new title or username, and where Telegram withholds the channel; nothing where nothing changed."""
    new, found, now = resolved(chat), to_withholdings(chat), account.now()
    if (channel.title, channel.username) != (new.title, new.username):
        await account.database.write(lambda tx: rename(tx, channel.id, title=new.title, username=new.username, now=now))
    if not chat.min and channel.withholdings != found:
        await account.database.write(
            lambda tx: withhold(tx, channel.id, new.title, found, reader_id=account.reader_id, now=now)
        )


async def withhold(  # noqa: PLR0913 - what is seen, of what, by whom and when
    tx: Transaction, channel_id: int, title: str, found: Withholdings, *, reader_id: int, now: datetime
) -> None:
    """Write down where Telegram withholds a channel; of each place and reason there is one notice."""
    if not await channels.set_withheld(tx, channel_id, found, reader_id=reader_id, now=now) or not found:
        return
    event = f"{channel_id}:{','.join(f'{each.platform}={each.reason}' for each in found)}"
    await notify_followers(tx, channel_id, ChannelWithheld(event=event, channel=title, found=found), now=now)


async def rename(tx: Transaction, channel_id: int, *, title: str, username: str | None, now: datetime) -> None:
    """Write down a new title or username, with a notice once a day at most; nothing where neither changed."""
    old = await channels.rename(tx, channel_id, title=title, username=username)
    if old is None:
        return
    await channel_groups.follow_channel(tx, old, replace(old, title=title, username=username))
    notice = ChannelRenamed(
        event=f"{channel_id}:{now:%Y-%m-%d}",
        old_title=old.title,
        old_username=old.username,
        title=title,
        username=username,
    )
    await notify_followers(tx, channel_id, notice, now=now)
