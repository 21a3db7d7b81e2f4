"""A trial of the service without an account: real channels through their web pages, alerts to a terminal and targets.

The parts are those of the service, on a database that lasts as long as the trial: what is an alert here is one there.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot import targets as ways
from bot.delivery.target_composer import TargetComposer
from bot.delivery.worker import Worker
from bot.errors import ChannelwatchError, TargetError
from bot.matching.engine.compiled import Compiled
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import analyse
from bot.models import Clock, StoredPost
from bot.models.targets import TargetMessage
from bot.pipeline.ingest import Ingest
from bot.settings import Settings
from bot.sources.assignment import Assignments
from bot.sources.pages.answers import AnswerKind, PageAnswer
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.observation import see
from bot.sources.pages.page import ChannelPage, LandingKind, LandingPage
from bot.sources.pages.page_archive import PageArchive
from bot.sources.pages.reader import PageReader
from bot.store import channels, follows, page_readings, posts, subscriptions, topics
from bot.store import targets as target_store
from bot.store.channels import ResolvedChannel
from bot.store.database import Database, Transaction
from bot.targets import TargetKind
from bot.targets.address import Address
from bot.text.references import FOLDER, normalise_reference

TERMINAL = "terminal:"  # the address of the target that is the terminal
TRIES = 5  # for a channel at first: two for each of two hosts, and one that finds the wait
WRONG_CLOCK = timedelta(seconds=30)  # from which on this machine's clock is not believed
SOON = timedelta(seconds=5)  # a wait that is waited for
_WITH_ACCOUNT = "only a reader account can read it (channelwatch login)"
_BELONGS = {
    LandingKind.GROUP: f"is a group, which has no public page: {_WITH_ACCOUNT}",
    LandingKind.BOT: "is a bot, and no channel: check the spelling",
    LandingKind.USER: "is a person, and no channel: check the spelling",
    LandingKind.NOBODY: "does not exist: check the spelling",
    LandingKind.BANNED: "was closed by Telegram: nobody can read it",
    LandingKind.INVITATION: f"is a private link: {_WITH_ACCOUNT}",
    LandingKind.CHANNEL: f"is a channel whose public page is switched off: {_WITH_ACCOUNT}",
}


class UnwatchableError(ChannelwatchError):
    """A name that cannot be watched so: the sentence says what it is and what to do."""


class NotNowError(ChannelwatchError):
    """A channel that cannot be read now: the sentence says why; it may later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierMatch:
    """A post from before the trial that has a topic."""

    post: StoredPost
    topics: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]  # Python characters of the text together with its parts


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """What was understood of a channel."""

    channel_id: int
    title: str
    username: str
    posts: int  # on its page
    unreadable: int  # of these
    newest: datetime | None
    matches: tuple[EarlierMatch, ...]  # newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialState:
    """How a trial is doing."""

    channels: int
    posts: int
    read_at: datetime | None
    trouble: str  # why a page was not read the last time it was asked for; empty: it was
    retry_at: datetime | None


class PageClock:
    """This machine's clock, put right by what pages say of the time: a wrong one would hide new posts, or alarm of old.

    Of several pages the latest counts, since one may come from a cache.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._behind: timedelta | None = None  # None: no page was seen

    def __call__(self) -> datetime:
        """Return the time."""
        return self._clock() + self.error

    @property
    def error(self) -> timedelta:
        """How far this machine's clock is behind; nothing where that is not certain."""
        behind = self._behind or timedelta()
        return behind if abs(behind) > WRONG_CLOCK else timedelta()

    def see(self, rendered_at: datetime | None) -> None:
        """Compare with when a page was made, a moment ago."""
        if rendered_at is not None:
            behind = rendered_at - self._clock()
            self._behind = behind if self._behind is None else max(behind, self._behind)


def read_name(typed: str) -> str:
    """Return the name of a public channel, without @. Raises UnwatchableError for everything else."""
    reference = normalise_reference(typed)
    if reference is None:
        raise UnwatchableError(f"«{typed[:60]}» is not a channel: write @name or t.me/name")
    if reference.startswith("+"):
        raise UnwatchableError(f"{typed} is a private link: {_WITH_ACCOUNT}")
    if reference.startswith(FOLDER):
        raise UnwatchableError(f"{typed} is a folder of channels, which only an account can open: write their names")
    if not reference.startswith("@"):
        raise UnwatchableError(f"{typed} is a number, which names no public page: write the channel's @name")
    return reference.removeprefix("@")


class TrialScreen(Protocol):
    """Where a trial shows what it finds."""

    def show_alert(self, message: TargetMessage) -> None:
        """Show an alert, or what came of one."""

    def show_failure(self, service: str, error: TargetError) -> None:
        """Show that a target did not take a message; it is tried again by the service's own rules."""


class Trial:
    """The parts of the service that read pages, find topics and send alerts."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        database: Database,
        pages: Pages,
        queries: Mapping[str, Compiled],
        *,
        screen: TrialScreen,
        max_age: float,
        clock: PageClock,
    ) -> None:
        self._database = database
        self._pages = pages
        self._matcher = Matcher(dict(queries))
        self._screen = screen
        self._services: dict[str, str] = {}  # by address
        self._clock = clock
        self._archive = PageArchive(database, Ingest(database, clock, alert_max_age=max_age), clock=clock)
        self._reader = PageReader(database, self._archive, Assignments(database, clock), pages, clock=clock)
        composer = TargetComposer(database, clock=clock, send=self._send)
        self._worker = Worker(database, composer, sender=None, clock=clock)

    async def prepare(self, queries: Mapping[str, Compiled], addresses: Sequence[Address]) -> None:
        """Store the topics, and a target for the terminal and for each address, subscribed to all of them."""
        now = self._clock()
        urls = [(TargetKind.WEBHOOK, "terminal", TERMINAL)]
        urls += [(each.kind, each.service, each.url.get_secret_value()) for each in addresses]
        self._services = {url: service for _, service, url in urls}

        async def job(tx: Transaction) -> None:
            made = [
                await topics.save(tx, name=name, query="", compiled=compiled.to_json(), now=now)
                for name, compiled in queries.items()
            ]
            for kind, service, url in urls:
                target = await target_store.add(
                    tx, name=service, kind=kind, service=service, url=url, like=None, now=now
                )
                for topic in made:
                    await subscriptions.subscribe(tx, target.id, topic.id, now=now)

        await self._database.write(job)

    async def look(self, name: str) -> FirstLook:
        """Ask for a channel's page, and follow it. Raises UnwatchableError and NotNowError."""
        for _ in range(TRIES):
            answer = await self._pages.head(name)
            is_waiting = answer.kind in {AnswerKind.UNREACHABLE, AnswerKind.THROTTLED}
            if not is_waiting or answer.retry_at is None or answer.retry_at - self._clock() > SOON:
                break
        if answer.page is None:
            raise _refusal(name, answer)
        self._clock.see(answer.page.rendered_at)
        found = answer.channel(name)
        if found is None:
            raise UnwatchableError(
                f"@{name} has no posts yet, so that nothing says which channel it is: try again later"
            )
        await self._follow(name, found, answer)
        return await self._first_look(found, answer.page)

    async def _follow(self, name: str, found: ResolvedChannel, answer: PageAnswer) -> None:
        assert answer.page is not None  # noqa: S101 - it was read
        now = self._clock()
        last_id = max(number for post in answer.page.posts for number in post.album or (post.message_id,))

        async def job(tx: Transaction) -> None:
            await follows.request(tx, f"@{name.lower()}", chat_id=None, now=now)
            follow = await follows.oldest_due(tx, now, by_name=True)
            assert follow is not None  # noqa: S101 - it was written a moment ago
            await follows.settle(tx, follow.id, channel=found, now=now)
            await page_readings.begin(tx, [found.id], now=now)
            await page_readings.set_read(tx, found.id, last_id=last_id, gap_below=None, now=now)

        await self._database.write(job)
        channel = await channels.get(self._database, found.id)
        assert channel is not None  # noqa: S101 - likewise
        await self._archive.store(channel, see(answer, found.id), answer.asked_at)

    async def _first_look(self, channel: ResolvedChannel, page: ChannelPage) -> FirstLook:
        stored = await posts.latest(self._database, channel_ids=[channel.id], limit=len(page.posts))
        return FirstLook(
            channel_id=channel.id,
            title=channel.title,
            username=str(channel.username),
            posts=len(page.posts),
            unreadable=sum(post.is_unreadable for post in page.posts),
            newest=max((post.date for post in page.posts), default=None),
            matches=tuple(filter(None, map(self._match, stored))),
        )

    def _match(self, post: StoredPost) -> EarlierMatch | None:
        found = self._matcher.match(analyse(post.whole))
        spans = sorted({span for each in found.values() for span in each})
        return EarlierMatch(post=post, topics=tuple(found), spans=tuple(spans)) if found else None

    async def run(self, stop: asyncio.Event) -> None:
        """Read and alert until it is to stop; what is on its way arrives. Raises what a part of it raises."""
        worker, reader = asyncio.create_task(self._worker.run()), asyncio.create_task(self._reader.run())
        ends = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((worker, reader, ends), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._worker.stop()
            for task in (reader, ends):
                task.cancel()
            results = await asyncio.gather(worker, reader, ends, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def state(self) -> TrialState:
        """Return how it is doing."""
        readings = await page_readings.all_readings(self._database)
        stats = await posts.archive_stats(self._database, self._clock())
        backoff = await self._pages.backoff()
        return TrialState(
            channels=len(readings),
            posts=stats.messages,
            read_at=max((each.read_at for each in readings.values() if each.read_at), default=None),
            trouble=backoff.reason,
            retry_at=backoff.until,
        )

    async def _send(self, kind: TargetKind, url: str, message: TargetMessage, /, *, within: float) -> None:
        if url == TERMINAL:
            self._screen.show_alert(message)
            return
        try:
            await ways.send(kind, url, message, within=within)
        except TargetError as error:
            self._screen.show_failure(self._services[url], error)
            raise


@asynccontextmanager
async def open_trial(
    settings: Settings,
    queries: Mapping[str, Compiled],
    addresses: Sequence[Address],
    *,
    screen: TrialScreen,
    clock: PageClock,
) -> AsyncIterator[Trial]:
    """Open a trial in a folder of its own, which is gone at its end. Raises SettingsError for a useless proxy."""
    with tempfile.TemporaryDirectory(prefix="channelwatch-trial-") as folder:
        database = await Database.open(Path(folder) / "trial.db")
        try:
            pages = Pages.open(settings, database, clock)
            try:
                trial = Trial(database, pages, queries, screen=screen, max_age=settings.alert_max_age, clock=clock)
                await trial.prepare(queries, addresses)
                yield trial
            finally:
                await pages.close()
        finally:
            await database.close()


def _refusal(name: str, answer: PageAnswer) -> ChannelwatchError:
    """Return why a name has no page with posts."""
    if answer.landing is not None:
        return UnwatchableError(f"@{name}{_title(answer.landing)} {_BELONGS[answer.landing.kind]}")
    if answer.kind is AnswerKind.NOT_UNDERSTOOD:
        why = f"its page is built in a way that this version does not know ({answer.reason}): look for a newer one"
        return NotNowError(f"@{name}: {why}")
    until = "" if answer.retry_at is None else f"; nobody asks before {answer.retry_at:%H:%M:%S} UTC"
    return NotNowError(f"@{name} cannot be read now ({answer.reason}){until}")


def _title(landing: LandingPage) -> str:
    return "" if landing.title is None else f" («{landing.title}»)"
