"""Settles what people asked to follow: finds each channel, writes it down, reads its recent past, gives notice.

The notices go to the chat that asked; requests of the settings get none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from telethon.tl import types

from bot.errors import TelegramError, Verdict
from bot.models.notices import FolderRead, FollowAccess, FollowAllOffered, JoinRequested
from bot.models.outgoing import PeerKind
from bot.runtime.supervisor import Beat, no_beat
from bot.search.pool import Searches
from bot.sources import resolver
from bot.sources.account import LONGEST_VISIT, RETRY_AFTER, Account, retry_pause
from bot.sources.assignment import Assignments
from bot.sources.channel_events import lose, resolved
from bot.sources.follow_answers import FollowAnswers, event_of
from bot.sources.joiner import Joiner
from bot.sources.resolver import ListedChannels, NotFollowableError, channel_dialogs
from bot.sources.sync import ChannelSync
from bot.store import channels, chats, follows, progress
from bot.store.channels import MOST_FAST, Access, Channel
from bot.store.database import Subject, Transaction
from bot.store.follows import REQUESTED, FollowRequest
from bot.text.references import ALL, ALL_ASKED, FOLDER

log = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0  # s between looks at what is due by now, where nothing was announced
ASK_ADMINS_AGAIN = timedelta(minutes=10)  # whether they let us in
ITS_TURN = "waits for its turn to be joined"
TOO_MANY_FAST = "too_many_fast"


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
        searches: Searches,
        join_interval: float,
    ) -> None:
        self._account = account
        self._database = account.database
        self._sync = sync
        self._assignments = assignments
        self._answers = FollowAnswers(account.database, searches, clock=account.now)
        self._joiner = Joiner(account, join_interval=join_interval)

    async def run(self, beat: Beat = no_beat) -> None:
        """Do all that is due, then wait for news, for ever. Raises ReaderLostError."""
        await self._database.changes.work_off(Subject.FOLLOWS, self.act, beat, turn=LONGEST_VISIT, pause=LOOK_AGAIN)

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
        follow = await follows.oldest_due(self._database, now, by_name=self._account.may_ask_name())
        if follow is not None:
            await self._settle(follow)
        return follow is not None

    async def meet_one(self) -> bool:
        """Find and read a public channel that this account has never met, or its comments; False where none is left.

        Another account followed it, or its web page stood in for one. Access hashes hold for one account only.
        """
        assigned = await self._account.channels()
        met = {channel.id for channel in assigned if channel.access is not None}
        unmet = [each for each in assigned if each.access is None and (each.username or each.comments_of in met)]
        if not unmet or not self._account.may_ask_name():
            return False
        return await self._meet(unmet[0])

    async def _meet(self, unmet: Channel) -> bool:
        """Find one channel; False where Telegram wants us to wait."""
        try:
            if unmet.username is not None:
                self._account.spend_name()
                chat = await resolver.by_name(self._account, unmet.username)
            else:
                commented = await channels.get(self._database, unmet.comments_of or 0, self._account.reader_id)
                chat = await resolver.by_comments(self._account, commented, unmet.id)
        except NotFollowableError as refusal:
            await lose(self._account, unmet, refusal.reason)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                return False
            await lose(self._account, unmet, error.error)
        else:
            access = Access.POLLED if chat.left else Access.JOINED
            await self._account.grant(unmet, access, access_hash=chat.access_hash, joined_at=chat.date)
            await self._read(unmet.id)
        return True

    async def _settle(self, follow: FollowRequest) -> None:
        try:
            if follow.reference in {ALL, ALL_ASKED} or follow.reference.startswith(FOLDER):
                await self._take_apart(follow)
            else:
                await self._follow(follow, *await self._find(follow))
        except PostponedError as later:
            await self._answers.postpone(follow, later.until, later.reason)
        except NotFollowableError as refusal:
            await self._answers.refuse(follow, refusal.reason, reader_id=self._account.reader_id)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                await self._answers.postpone(follow, self._account.now() + retry_pause(error), error.error)
            else:
                await self._answers.refuse(follow, error.error, reader_id=self._account.reader_id)

    async def _take_apart(self, follow: FollowRequest) -> None:
        """Replace the request for a list by requests for its channels.

        The request to count all channels of the reader replaces none while some are new: its notice asks first.
        Raises TelegramError, NotFollowableError.
        """
        listed = await self._listed(follow.reference)
        followed = {channel.id: channel.fast for channel in await channels.followed(self._database)}
        fresh = [chat for chat in listed.chats if chat.id not in followed]
        if follow.options.fast:
            hurried = sum(not followed.get(chat.id) for chat in listed.chats) - 1  # 1: the wish for the list
            if await channels.count_fast(self._database) + hurried > MOST_FAST:
                raise NotFollowableError(TOO_MANY_FAST)
        is_asked = follow.reference == ALL_ASKED
        # What is followed already needs no asking: it takes on the options.
        taken = () if is_asked and fresh else listed.chats
        await self._database.write(lambda tx: self._replace(tx, follow, taken))
        event, count = event_of(follow), len(listed.chats)
        if is_asked:
            options = follow.options.typed()
            await self._answers.notify(
                follow, FollowAllOffered(event=event, channels=count, unfollowed=len(fresh), options=options)
            )
        elif listed.title is not None:
            private = tuple(listed.closed)
            await self._answers.notify(
                follow, FolderRead(event=event, folder=listed.title, channels=count, private=private)
            )

    async def _listed(self, reference: str) -> ListedChannels:
        if reference.startswith(FOLDER):
            return await resolver.by_folder(self._account, reference.removeprefix(FOLDER))
        # Alerts that were read would be alerted to again: the groups that receive them are left out.
        ours = {chat.peer.id for chat in await chats.everyone(self._database) if chat.peer.kind is PeerKind.CHANNEL}
        dialogs = (await channel_dialogs(self._account)).values()
        found = [dialog.chat for dialog in dialogs if isinstance(dialog.chat, types.Channel)]
        return ListedChannels(title=None, chats=[chat for chat in found if chat.id not in ours], closed=())

    async def _replace(self, tx: Transaction, follow: FollowRequest, found: Sequence[types.Channel]) -> None:
        for chat in found:
            channel = resolved(chat)
            await channels.remember(tx, self._account.reader_id, channel, access_hash=chat.access_hash)
            # By its id: where it is was just written down, so that its name need not be looked up.
            await follows.request(
                tx, str(channel.id), chat_id=follow.chat_id, now=follow.asked_at, options=follow.options
            )
            await follows.enlist(
                tx, str(channel.id), groups=follow.channel_groups, chats=follow.feeds, now=follow.asked_at
            )
        await follows.withdraw(tx, follow.reference)
        if len(found) > 1 and follow.chat_id is not None:
            await progress.show_list(tx, follow.chat_id, follow.asked_at)

    async def _find(self, follow: FollowRequest) -> tuple[types.Channel, datetime | None]:
        """Find the channel that a request names, and when the reader joined it; None where it is no member.

        A name is looked for in the archive first: Telegram is asked for it once. Raises TelegramError,
        NotFollowableError, PostponedError.
        """
        reference = follow.reference
        if reference.startswith("+"):
            return await self._by_invite(follow, reference.removeprefix("+"))
        reader_id, name = self._account.reader_id, reference.removeprefix("@")
        if name == reference:
            known = await channels.get(self._database, int(reference), reader_id)
            chat = await self._at_its_address(known) or await resolver.by_id(self._account, int(reference))
        else:
            chat = await self._at_its_address(await channels.find(self._database, reference, reader_id))
            if chat is None or f"@{resolved(chat).username}".lower() != reference:
                self._account.spend_name()
                chat = await resolver.by_name(self._account, name)
        return chat, None if chat.left else chat.date  # of a member, `date` is when it joined

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
        log.info("a channel has changed and is looked up again", channel=known.id)
        return None

    async def _by_invite(self, follow: FollowRequest, invite: str) -> tuple[types.Channel, datetime]:
        found = await resolver.by_invite(self._account, invite)
        if not isinstance(found, str):
            return found, found.date
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
            await self._answers.notify(follow, JoinRequested(event=event_of(follow), channel=found))
            raise PostponedError(self._account.now() + ASK_ADMINS_AGAIN, REQUESTED) from None
        return chat, self._account.now()

    async def _follow(self, follow: FollowRequest, chat: types.Channel, joined_at: datetime | None) -> None:
        """Write a channel down, read its recent past, and give notice. Raises NotFollowableError for one of ours."""
        channel, now = resolved(chat), self._account.now()
        if channel.id in {own.peer.id for own in await chats.broadcasts(self._database)}:
            raise NotFollowableError("own_channel")

        async def job(tx: Transaction) -> None:
            reader_id, access_hash = self._account.reader_id, chat.access_hash
            await follows.settle(
                tx,
                follow.id,
                channel=channel,
                reader_id=reader_id,
                access_hash=access_hash,
                access=Access.POLLED,
                now=now,
            )
            if joined_at is not None:
                await channels.set_access(tx, reader_id, channel.id, Access.JOINED, joined_at=joined_at, now=now)

        await self._database.write(job)
        await self._assignments.assign_all()
        await self._read(channel.id)
        if joined_at is not None:
            access = FollowAccess.JOINED
        elif follow.options.may_join is not False:
            access = FollowAccess.POLLED
        else:
            access = FollowAccess.OUTSIDE_FAST if follow.options.fast else FollowAccess.OUTSIDE
        if follow.chat_id is not None:
            await self._answers.notify(follow, await self._answers.followed(follow, channel, access))

    async def _read(self, channel_id: int) -> None:
        channel = await channels.get(self._database, channel_id, self._account.reader_id)
        assert channel is not None  # noqa: S101 - it was written a moment ago
        try:
            await self._sync.complete(channel, None)
        except TelegramError as error:
            log.warning("a channel that was just found could not be read yet", channel=channel_id, error=error.error)
            if error.verdict is Verdict.UNAUTHORISED:
                await lose(self._account, channel, error.error)
