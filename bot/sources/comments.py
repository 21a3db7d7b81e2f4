"""Follows the supergroups in which channels' posts are commented on; they are read from outside and not joined.

https://core.telegram.org/api/discussion: whoever may read a channel may read the comments on its posts.
"""

import structlog
from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.models.enquiries import Findings
from bot.models.notices import CommentsFollowed
from bot.models.outgoing import PeerKind
from bot.sources import resolver
from bot.sources.account import Account, retry_pause
from bot.sources.assignment import Assignments
from bot.sources.channel_events import resolved
from bot.sources.sync import ChannelSync
from bot.store import channels, chats, comments, enquiries
from bot.store.channels import Access, Channel
from bot.store.database import Transaction
from bot.store.enquiries import Enquiry
from bot.store.notices import notify

log = structlog.get_logger(__name__)

NO_COMMENTS, CLOSED = "no_comments", "comments_closed"
_REFUSED = {Verdict.UNAUTHORISED, Verdict.SUSPEND}


class CommentRequests:
    """Settles what chats asked to follow of comments."""

    def __init__(self, account: Account, sync: ChannelSync, assignments: Assignments) -> None:
        self._account = account
        self._database = account.database
        self._sync = sync
        self._assignments = assignments

    async def answer(self, enquiry: Enquiry) -> None:
        """Follow the comments that a chat asked for, and report on it; later, where Telegram wants us to wait."""
        channel = await channels.get(self._database, enquiry.channel_id or 0, self._account.reader_id)
        if channel is None or channel.followed_at is None:
            await self._database.write(lambda tx: enquiries.settle(tx, enquiry.id, Findings()))
            return
        try:
            group = await resolver.comments_of(self._account, channel)
            reason = NO_COMMENTS if group is None else await self._why_not(group) or await self._follow(channel, group)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                until = self._account.now() + retry_pause(error)
                await self._database.write(lambda tx: enquiries.postpone(tx, enquiry.id, until=until))
                return
            group, reason = None, error.error
        title = None if group is None else group.title
        notice = CommentsFollowed(event=str(enquiry.id), channel=channel.title, group=title, reason=reason)
        await self._database.write(lambda tx: self._settle(tx, enquiry, notice))

    async def _why_not(self, group: types.Channel) -> str | None:
        """Return why a supergroup is not to be read: it receives alerts, which would be alerted to again."""
        ours = {chat.peer.id for chat in await chats.everyone(self._database) if chat.peer.kind is PeerKind.CHANNEL}
        return "own_channel" if group.id in ours else None

    async def _settle(self, tx: Transaction, enquiry: Enquiry, notice: CommentsFollowed) -> None:
        await enquiries.settle(tx, enquiry.id, Findings(reason=notice.reason))
        chat = await chats.get(tx, enquiry.chat_id)
        if chat is not None:
            await notify(tx, chat, notice, now=self._account.now())

    async def _follow(self, channel: Channel, group: types.Channel) -> str | None:
        """Follow a supergroup and read its newest comments; return why it cannot be read. Raises TelegramError."""
        now, access = self._account.now(), Access.POLLED if group.left else Access.JOINED

        async def job(tx: Transaction) -> None:
            await comments.follow(tx, resolved(group), channel, now=now)
            await channels.set_access(
                tx,
                self._account.reader_id,
                group.id,
                access,
                access_hash=group.access_hash,
                joined_at=None if group.left else group.date,
                now=now,
            )

        await self._database.write(job)
        await self._assignments.assign_all()
        known = await channels.get(self._database, group.id, self._account.reader_id)
        assert known is not None  # noqa: S101 - it was written a moment ago
        try:
            await self._sync.complete(known, None)
        except TelegramError as error:
            if error.verdict not in _REFUSED:
                log.warning("new comments could not be read yet", channel=group.id, error=error.error)
                return None  # the sweep reads them
            await self._database.write(lambda tx: channels.end_comments(tx, channel.id))
            return CLOSED
        return None
