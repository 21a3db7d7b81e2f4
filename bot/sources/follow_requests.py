"""Settles what people asked to follow: finds each channel, writes it down, reads its recent past, gives notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.models import PeerKind
from bot.models.notices import FollowAccess
from bot.runtime.supervisor import Beat, no_beat
from bot.sources import resolver
from bot.sources.account import LONGEST_VISIT, RETRY_AFTER, Account, retry_pause
from bot.sources.assignment import Assignments
from bot.sources.channel_events import BANNED, VAGUE, lose, resolved
from bot.sources.follow_notices import FollowNotices
from bot.sources.joiner import Joiner
from bot.sources.resolver import BASIC_GROUP, Invitation, NotFollowableError, channel_dialogs
from bot.sources.sync import ChannelSync
from bot.store import channels, chats, follows
from bot.store.channels import MOST_FAST, Access, Channel
from bot.store.database import Subject, Transaction
from bot.store.follows import FollowRequest
from bot.store.references import ALL, ALL_ASKED, FOLDER

TOO_MANY_FAST = "too_many_fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """The channels of a list."""

    title: str | None  # of the folder
    chats: Sequence[types.Channel]  # that can be read
    closed: Sequence[str]  # titles of private channels that the reader is not in


class ChannelLists:
    """Puts a request for each channel in place of a request for a folder, or for all that the reader is in."""

    def __init__(self, account: Account, notices: FollowNotices) -> None:
        self._account = account
        self._database = account.database
        self._notices = notices

    async def take_apart(self, follow: FollowRequest) -> None:
        """Replace the request for a list by requests for its channels.

        The request to count all channels of the reader replaces none while some are new: its notice asks first.
        Raises TelegramError, NotFollowableError.
        """
        listed = await self._listed(follow.reference)
        followed = {channel.id: channel for channel in await channels.followed(self._database)}
        fresh = [chat for chat in listed.chats if chat.id not in followed]
        if follow.options.fast:
            hurried = [chat for chat in listed.chats if chat.id not in followed or not followed[chat.id].fast]
            if await channels.count_fast(self._database) - 1 + len(hurried) > MOST_FAST:  # 1: the wish for the list
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
        found = [dialog.chat for dialog in dialogs if isinstance(dialog.chat, types.Channel)]
        return _Listed(title=None, chats=[chat for chat in found if chat.id not in ours], closed=())

    async def _replace(self, tx: Transaction, follow: FollowRequest, found: Sequence[types.Channel]) -> None:
        for chat in found:
            channel = resolved(chat)
            await channels.remember(tx, self._account.reader_id, channel, access_hash=chat.access_hash)
            # By its id: where it is was just written down, so that its name need not be looked up.
            await follows.request(
                tx, str(channel.id), chat_id=follow.chat_id, now=follow.asked_at, options=follow.options
            )
        await follows.withdraw(tx, follow.reference)


def is_list(reference: str) -> bool:
    """Tell whether a reference stands for many channels."""
    return reference in {ALL, ALL_ASKED} or reference.startswith(FOLDER)


log = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0  # s between looks at what is due by now, where nothing was announced
ASK_ADMINS_AGAIN = timedelta(minutes=10)  # whether they let us in
REQUESTED = "INVITE_REQUEST_SENT"  # Telegram's: the admins decide
LOOK_AT_GROUP_AGAIN = timedelta(hours=1)  # whether it has become a supergroup
ITS_TURN = "waits for its turn to be joined"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChannel:
    """A channel that was found."""

    chat: types.Channel
    joined_at: datetime | None


class PostponedError(Exception):
    """A request is in order, but its time has not come."""

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason


class FollowRequests:
    """Brings the reader into the channels that people want, and out of those that nobody wants."""

    def __init__(
        self,
        account: Account,
        sync: ChannelSync,
        assignments: Assignments,
        *,
        join_interval: float,
    ) -> None:
        self._account = account
        self._database = account.database
        self._sync = sync
        self._assignments = assignments
        self._notices = FollowNotices(account)
        self._joiner = Joiner(account, join_interval=join_interval)
        self._lists = ChannelLists(account, self._notices)

    async def run(self, beat: Beat = no_beat) -> None:
        """Do all that is due, then wait for news, for ever. Raises ReaderLostError."""
        changes = self._database.changes
        while True:
            since = changes.revision(Subject.FOLLOWS)
            beat(LONGEST_VISIT)
            while await self.act():
                beat(LONGEST_VISIT)
            beat(LOOK_AGAIN + LONGEST_VISIT)
            await changes.wait(Subject.FOLLOWS, since, LOOK_AGAIN)

    async def act(self) -> bool:
        """Do one thing that is due, requests of people first; False where nothing is due."""
        found = await self.settle_one() or await self.meet_one()
        return found or await self._joiner.leave_one() or await self._joiner.join_one()

    async def settle_one(self) -> bool:
        """Settle the oldest request that is due; False where none is.

        Of several readers, the one that leads does it.
        """
        now = self._account.now()
        if not self._assignments.leads(self._account.reader_id):
            return False
        for follow in await follows.wanted(self._database, now):
            if not follow.reference.startswith("@") or self._account.may_ask_name():
                await self._settle(follow)
                return True
        return False

    async def meet_one(self) -> bool:
        """Find a public channel that another reader account followed; False where none is left.

        Access hashes hold for one account only.
        """
        assigned = await self._account.channels()
        unmet = next((channel for channel in assigned if channel.access is None and channel.username), None)
        if unmet is None or not self._account.may_ask_name():
            return False
        self._account.spend_name()
        try:
            chat = await resolver.by_name(self._account, str(unmet.username))
        except NotFollowableError as refusal:
            await lose(self._account, unmet, refusal.reason)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                return False
            await lose(self._account, unmet, error.error)
        else:
            access = Access.POLLED if chat.left else Access.JOINED
            await self._account.grant(unmet, access, access_hash=chat.access_hash, joined_at=chat.date)
        return True

    async def _settle(self, follow: FollowRequest) -> None:
        try:
            if is_list(follow.reference):
                await self._lists.take_apart(follow)
                return
            reached = await self._reach(follow)
        except PostponedError as later:
            await self._postpone(follow, later.until, later.reason)
        except NotFollowableError as refusal:
            refuse = self._await_upgrade if refusal.reason == BASIC_GROUP else self._refuse
            await refuse(follow, refusal.reason)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                await self._postpone(follow, self._account.now() + retry_pause(error), error.error)
            else:
                await self._refuse(follow, error.error)
        else:
            await self._follow(follow, reached)

    async def _reach(self, follow: FollowRequest) -> FoundChannel:
        """Find the channel that a request names. Raises TelegramError, NotFollowableError, PostponedError."""
        reference = follow.reference
        if reference.startswith("+"):
            return await self._by_invite(follow, reference.removeprefix("+"))
        chat = await (self._by_name(reference) if reference.startswith("@") else self._by_id(int(reference)))
        joined_at = None if chat.left else chat.date  # of a member, `date` is when it joined
        return FoundChannel(chat=chat, joined_at=joined_at)

    async def _by_id(self, channel_id: int) -> types.Channel:
        known = await channels.get(self._database, channel_id, self._account.reader_id)
        chat = await self._at_its_address(known)
        return chat if chat is not None else await resolver.by_id(self._account, channel_id)

    async def _by_name(self, reference: str) -> types.Channel:
        """Find a channel by its username, in the archive first: Telegram is asked for a name once."""
        known = await channels.find(self._database, reference, self._account.reader_id)
        chat = await self._at_its_address(known)
        if chat is not None and f"@{resolved(chat).username}".lower() == reference:
            return chat
        self._account.spend_name()
        return await resolver.by_name(self._account, reference.removeprefix("@"))

    async def _at_its_address(self, known: Channel | None) -> types.Channel | None:
        """Look at a channel where it was found before; None where it is there no more.

        Raises TelegramError where that can heal.
        """
        if known is None or not known.access_hash:
            return None
        try:
            return await resolver.by_address(self._account, known.id, known.access_hash)
        except NotFollowableError:
            pass
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                raise
        log.info("a channel is not what it was, it is looked up again", channel=known.id)
        return None

    async def _by_invite(self, follow: FollowRequest, invite: str) -> FoundChannel:
        found = await resolver.by_invite(self._account, invite)
        if not isinstance(found, Invitation):
            return FoundChannel(chat=found, joined_at=found.date)
        if follow.reason == REQUESTED:
            raise PostponedError(self._account.now() + ASK_ADMINS_AGAIN, REQUESTED)
        if follow.options.may_join is False:
            raise NotFollowableError("needs_joining")
        if not await self._joiner.may_join():
            raise PostponedError(self._account.now() + RETRY_AFTER, ITS_TURN)
        try:
            chat = await resolver.accept_invite(self._account, invite)
        except TelegramError as error:
            if error.error != REQUESTED:
                raise
            await self._notices.join_requested(follow, title=found.title)
            raise PostponedError(self._account.now() + ASK_ADMINS_AGAIN, REQUESTED) from None
        return FoundChannel(chat=chat, joined_at=self._account.now())

    async def _follow(self, follow: FollowRequest, reached: FoundChannel) -> None:
        """Write a channel down, read its recent past, and give notice."""
        channel, now = resolved(reached.chat), self._account.now()

        async def job(tx: Transaction) -> None:
            reader_id, access_hash = self._account.reader_id, reached.chat.access_hash
            await follows.settle(
                tx,
                follow.id,
                channel=channel,
                reader_id=reader_id,
                access_hash=access_hash,
                access=Access.POLLED,
                now=now,
            )
            if reached.joined_at is not None:
                joined_at = reached.joined_at
                await channels.set_access(tx, reader_id, channel.id, Access.JOINED, joined_at=joined_at, now=now)

        await self._database.write(job)
        await self._assignments.assign_all()
        await self._read(channel.id)
        access = FollowAccess.JOINED if reached.joined_at is not None else _from_outside(follow)
        await self._notices.followed(follow, channel, access=access)

    async def _read(self, channel_id: int) -> None:
        channel = await channels.get(self._database, channel_id, self._account.reader_id)
        assert channel is not None  # noqa: S101 - it was written a moment ago
        try:
            await self._sync.complete(channel, None)
        except TelegramError as error:
            log.warning("a new channel could not be read yet", channel=channel_id, error=error.error)
            if error.verdict is Verdict.UNAUTHORISED:
                await lose(self._account, channel, error.error)

    async def _await_upgrade(self, follow: FollowRequest, reason: str) -> None:
        """Give notice once of a basic group, and look again: it may become a supergroup."""
        if follow.reason != reason:
            await self._notices.refused(follow, reason=reason)
        await self._postpone(follow, self._account.now() + LOOK_AT_GROUP_AGAIN, reason)

    async def _refuse(self, follow: FollowRequest, reason: str) -> None:
        if reason in VAGUE and await self._is_banned(follow):
            reason = BANNED
        await self._database.write(lambda tx: follows.refuse(tx, follow.id, reason=reason))
        await self._notices.refused(follow, reason=reason)

    async def _is_banned(self, follow: FollowRequest) -> bool:
        """Tell whether this reader is known to be banned from the channel of a request."""
        known = await channels.find(self._database, follow.reference, self._account.reader_id)
        return known is not None and known.access is Access.LOST and known.reason == BANNED

    async def _postpone(self, follow: FollowRequest, until: datetime, reason: str) -> None:
        await self._database.write(lambda tx: follows.postpone(tx, follow.id, until=until, reason=reason))


def _from_outside(follow: FollowRequest) -> FollowAccess:
    """Return how a channel is read that the reader is not in."""
    if follow.options.may_join is not False:
        return FollowAccess.POLLED
    return FollowAccess.OUTSIDE_FAST if follow.options.fast else FollowAccess.OUTSIDE
