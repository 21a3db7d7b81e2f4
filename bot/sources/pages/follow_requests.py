"""Settles what people asked to follow while no reader account can: public names by their web pages, the rest later."""

from datetime import timedelta

import structlog

from bot.models import Clock
from bot.models.notices import FollowAccess
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.assignment import Assignments
from bot.sources.follow_answers import FollowAnswers
from bot.sources.pages.answers import AnswerKind, PageAnswer
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.observation import see
from bot.sources.pages.page import LandingKind
from bot.sources.pages.page_archive import PageArchive
from bot.sources.pages.reader import A_VISIT, GRACE
from bot.store import channels, chats, follows
from bot.store.channels import ResolvedChannel
from bot.store.database import Database, Subject
from bot.store.follows import NEEDS_ACCOUNT, FollowRequest
from bot.store.page_readings import STRANGE, UNREACHABLE

log = structlog.get_logger(__name__)

LOOK_AGAIN = 10.0  # s between looks at what is due by now, where nothing was announced
RETRY_AFTER = timedelta(minutes=1)  # at least, after no answer
_REFUSALS = {  # by what a name belongs to; all others need an account
    LandingKind.BOT: "bot",
    LandingKind.USER: "user",
    LandingKind.NOBODY: "USERNAME_NOT_OCCUPIED",
    LandingKind.BANNED: "CHANNEL_BANNED",
}


class PageFollowRequests:
    """Finds the channels that people want by their web pages, until a reader account sees to that."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        database: Database,
        archive: PageArchive,
        assignments: Assignments,
        pages: Pages,
        answers: FollowAnswers,
        *,
        clock: Clock,
        grace: timedelta = GRACE,
    ) -> None:
        self._database = database
        self._archive = archive
        self._assignments = assignments
        self._pages = pages
        self._answers = answers
        self._clock = clock
        self._grace = grace

    async def run(self, beat: Beat = no_beat) -> None:
        """Settle what is due, then wait for news, for ever."""
        await self._database.changes.work_off(
            Subject.FOLLOWS, self.settle_one, beat, turn=A_VISIT + TURN, pause=LOOK_AGAIN
        )

    async def settle_one(self) -> bool:
        """Settle the oldest request that is due; False where none is, or where a reader account does it."""
        if self._assignments.has_any or not await self._assignments.is_absent(self._grace):
            return False
        follow = await follows.oldest_due(self._database, self._clock(), by_name=True)
        if follow is not None:
            await self._settle(follow)
        return follow is not None

    async def _settle(self, follow: FollowRequest) -> None:
        name, channel_id = await self._named(follow.reference)
        if name is None:
            await self._answers.refuse(follow, NEEDS_ACCOUNT)
            return
        answer = await self._pages.head(name, channel_id=channel_id)
        found = answer.channel(name)
        if answer.is_read and found is not None:
            await self._follow(follow, found, answer)
        elif answer.is_read or answer.kind is AnswerKind.TAKEN_OVER:  # an empty page does not say whose it is
            await self._answers.refuse(follow, NEEDS_ACCOUNT)
        elif answer.landing is not None:
            await self._answers.refuse(follow, _REFUSALS.get(answer.landing.kind, NEEDS_ACCOUNT))
        else:
            reason = STRANGE if answer.kind is AnswerKind.NOT_UNDERSTOOD else UNREACHABLE
            later = self._clock() + RETRY_AFTER
            await self._answers.postpone(follow, max(later, answer.retry_at or later), reason)

    async def _named(self, reference: str) -> tuple[str | None, int | None]:
        """Return the name of what is asked for, and its id where that is known; None: it has no page."""
        if reference.startswith("@"):
            return reference.removeprefix("@"), None
        known = await channels.get(self._database, int(reference)) if reference.isdecimal() else None
        return (known.username, known.id) if known is not None and known.has_page else (None, None)

    async def _follow(self, follow: FollowRequest, found: ResolvedChannel, answer: PageAnswer) -> None:
        """Write a channel down, store what its page shows, and give notice."""
        if found.id in {own.peer.id for own in await chats.broadcasts(self._database)}:
            await self._answers.refuse(follow, "own_channel")
            return
        now = self._clock()
        await self._database.write(lambda tx: follows.settle(tx, follow.id, channel=found, now=now))
        channel = await channels.get(self._database, found.id)
        assert channel is not None  # noqa: S101 - it was written a moment ago
        await self._archive.store(channel, see(answer, found.id), answer.asked_at)
        if follow.chat_id is not None:
            await self._answers.notify(follow, await self._answers.followed(follow, found, FollowAccess.PAGE))
