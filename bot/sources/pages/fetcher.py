"""Asks for Telegram's public pages, slowly, and says what came: posts, none, another channel, or why nothing is known.

Server and throttle lie alike: a shell for a free name is what a live channel looks like when we ask too often. So what
looks as if a channel were gone is believed only while the canary, a channel that is always there, can be read.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Self
from urllib.parse import quote, urlsplit

import structlog

from bot.models import Clock
from bot.runtime.clock import utc_now
from bot.runtime.proxies import proxy_of
from bot.runtime.web import REDIRECTS, PageFailureError, PageReply, Transport, retry_after
from bot.settings import Settings
from bot.sources.pages.answers import AnswerKind, PageAnswer
from bot.sources.pages.pacing import Hosts, Pacer
from bot.sources.pages.page import (
    LandingKind,
    LandingPage,
    PageNotUnderstoodError,
    is_by_telegram,
    read_embed,
    read_landing,
    read_page,
)
from bot.store.database import Database
from bot.store.meta import PageBackoff

log = structlog.get_logger(__name__)

_DOUBTED = frozenset({LandingKind.NOBODY, LandingKind.BANNED})  # what a throttling server says of anybody, too
_ODD_IN_A_ROW = 3  # known channels that look gone, after which all wait
_SERVER_ERROR = 500
_FOREIGN = "a page came that is not Telegram's: something between us and it answers in its place"
_TOO_OFTEN = "the pages were asked for too often"

Read = Callable[["PageQuestion", PageReply], PageAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuestion:
    """What is asked for, and what is known of the channel already."""

    path: str
    name: str
    channel_id: int | None = None  # None: it was never read

    def is_taken_over(self, channel_id: int | None) -> bool:
        """Tell whether another channel answers to the name."""
        return None not in (self.channel_id, channel_id) and channel_id != self.channel_id


class Pages:
    """The public pages; one request is under way at a time. Make one for the whole process."""

    def __init__(
        self, transport: Transport, pacer: Pacer, urls: tuple[str, ...], *, canary: str, clock: Clock = utc_now
    ) -> None:
        self._transport = transport
        self._pacer = pacer
        self._hosts = Hosts(urls=urls)
        self._canary = canary
        self._clock = clock
        self._odd: set[str] = set()  # known channels that looked gone, one after another
        self._needs_canary = False

    @classmethod
    def open(cls, settings: Settings, database: Database | None, clock: Clock = utc_now) -> Self:
        """Open them by the settings; the wait is kept in the database. Raises SettingsError for a useless proxy."""
        return cls(
            Transport.open(proxy_of(settings)),
            Pacer(database, clock, pause=settings.pages_pause),
            (settings.pages_url, *settings.pages_fallback_urls),
            canary=settings.pages_canary,
            clock=clock,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def backoff(self) -> PageBackoff:
        """Return how long no page is asked for, and why."""
        return await self._pacer.backoff()

    async def head(self, name: str, *, channel_id: int | None = None) -> PageAnswer:
        """Ask for the newest posts of a channel."""
        return await self._posts(_at(name, "", channel_id))

    async def before(self, name: str, message_id: int, *, channel_id: int | None = None) -> PageAnswer:
        """Ask for the posts before a message. Raises ValueError for an id that would bring the newest page again."""
        return await self._posts(_at(name, f"?before={_positive(message_id)}", channel_id))

    async def after(self, name: str, message_id: int, *, channel_id: int | None = None) -> PageAnswer:
        """Ask for the posts after a message, the oldest of them. Raises ValueError as `before` does."""
        return await self._posts(_at(name, f"?after={_positive(message_id)}", channel_id))

    async def embed(self, name: str, message_id: int, *, channel_id: int | None = None) -> PageAnswer:
        """Ask for one message; the answer's `embed` says what it shows, or why it does not."""
        path = f"{_path(name)}/{_positive(message_id)}?embed=1"
        return await self._ask(PageQuestion(path=path, name=name, channel_id=channel_id), self._read_embed)

    async def landing(self, name: str) -> PageAnswer:
        """Ask what a name belongs to; the kind of the answer is NO_PAGE, for it has no posts."""
        return await self._ask(PageQuestion(path=_path(name), name=name), self._read_landing)

    async def _posts(self, question: PageQuestion) -> PageAnswer:
        answer = await self._ask(question, self._read_posts)
        if answer.kind is AnswerKind.NO_PAGE and answer.landing is None:
            answer = await self._explain(question)
        if answer.is_read and question.name != self._canary:
            self._odd.clear()
        return answer

    async def _explain(self, question: PageQuestion) -> PageAnswer:
        """Ask why a name has no page of posts, and the canary where the reason may be that we ask too often."""
        answer = await self.landing(question.name)
        if answer.landing is None:
            return answer
        if answer.landing.has_page:
            return await self._wait(answer, _TOO_OFTEN)
        if answer.landing.kind in _DOUBTED or question.channel_id is not None:
            return await self._doubt(question, answer)
        return answer

    async def _doubt(self, question: PageQuestion, answer: PageAnswer) -> PageAnswer:
        """Believe that a channel is gone only while the canary is well, and not of three in a row."""
        if question.channel_id is not None:
            self._odd.add(question.name.lower())
        if len(self._odd) >= _ODD_IN_A_ROW:
            self._odd.clear()
            self._needs_canary = True
            return await self._wait(answer, "three channels in a row look gone, which is rather us", is_long=True)
        canary = await self._ask_canary()
        return answer if canary.is_read else _of_sick(canary)

    async def _ask_canary(self) -> PageAnswer:
        canary = await self._ask(_at(self._canary, "", None), self._read_posts)
        if canary.kind in {AnswerKind.NO_PAGE, AnswerKind.TAKEN_OVER}:
            return await self._wait(canary, _TOO_OFTEN)
        return canary

    async def _ask(self, question: PageQuestion, read: Read) -> PageAnswer:
        held = await self._held_up(question)
        if held is not None:
            return held
        if self._needs_canary and question.name != self._canary:
            canary = await self._ask_canary()
            if not canary.is_read:
                return _of_sick(canary)
            self._needs_canary = False
        async with self._pacer.turn():
            held = await self._held_up(question)  # by what was answered while others waited for their turn
            if held is not None:
                return held
            try:
                reply = await self._transport.get(self._url(question))
            except PageFailureError as failure:
                return await self._fail(question, f"{failure.stage}: {failure.reason}", None)
            return replace(await self._judge(question, reply, read), reply=reply)

    async def _held_up(self, question: PageQuestion) -> PageAnswer | None:
        """Return the answer to whatever is asked while all have to wait."""
        backoff, now = await self._pacer.backoff(), self._clock()
        if backoff.until is None or now >= backoff.until:
            return None
        asked = PageAnswer(kind=AnswerKind.THROTTLED, url=self._url(question), asked_at=now)
        return replace(asked, reason=backoff.reason, retry_at=backoff.until)

    async def _judge(self, question: PageQuestion, reply: PageReply, read: Read) -> PageAnswer:
        """Read a reply whose status says that it can be."""
        asked = PageAnswer(kind=AnswerKind.THROTTLED, url=reply.url, asked_at=self._clock(), status=reply.status)
        if reply.status >= _SERVER_ERROR:
            return await self._fail(question, f"HTTP: the server answered {reply.status}", reply.status)
        self._hosts = self._hosts.answered()
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            wanted = retry_after(reply.headers.get("retry-after"), self._clock())
            return await self._wait(asked, _TOO_OFTEN, wanted=wanted)
        if reply.status in REDIRECTS:
            return await self._redirected(question, asked, reply)
        if reply.status != HTTPStatus.OK or not is_by_telegram(reply.html):
            return await self._wait(replace(asked, kind=AnswerKind.UNREACHABLE), _FOREIGN)
        return await self._read(question, asked, reply, read)

    async def _read(self, question: PageQuestion, asked: PageAnswer, reply: PageReply, read: Read) -> PageAnswer:
        try:
            answer = await asyncio.to_thread(read, question, reply)  # a huge page would hold up alerts
        except PageNotUnderstoodError as error:
            if read == self._read_posts and _is_shell(reply.html):
                return await self._shell(question, asked)
            log.warning("a public page is built in a new way", url=reply.url, reason=error.reason)
            return replace(asked, kind=AnswerKind.NOT_UNDERSTOOD, reason=error.reason)
        if answer.landing is None:  # which a throttling server gives as well
            await self._pacer.go_on()
        return answer

    async def _shell(self, question: PageQuestion, asked: PageAnswer) -> PageAnswer:
        """Wait because of what looks like the page of a free name in the place of posts."""
        if question.channel_id is not None:
            self._odd.add(question.name.lower())
        return await self._wait(asked, _TOO_OFTEN, is_long=len(self._odd) >= _ODD_IN_A_ROW)

    async def _redirected(self, question: PageQuestion, asked: PageAnswer, reply: PageReply) -> PageAnswer:
        """Tell a name without a page of posts, which leads to its landing page, from one that cannot be, and others."""
        try:
            to = urlsplit(reply.headers.get("location", ""))
        except ValueError:
            return await self._wait(replace(asked, kind=AnswerKind.UNREACHABLE), _FOREIGN)
        if to.path.strip("/").lower() == question.name.lower():
            return replace(asked, kind=AnswerKind.NO_PAGE, reason="its posts are on no page")
        if to.hostname == "telegram.org":
            nobody = LandingPage(kind=LandingKind.NOBODY, title=None, description=None, members=None, has_page=False)
            return replace(asked, kind=AnswerKind.NO_PAGE, landing=nobody, reason="no channel can have this name")
        return await self._wait(replace(asked, kind=AnswerKind.UNREACHABLE), _FOREIGN)

    def _read_posts(self, question: PageQuestion, reply: PageReply) -> PageAnswer:
        page = read_page(reply.html)
        if page.posts and page.channel_id is None:
            raise PageNotUnderstoodError("its posts do not say which channel they are of")
        kind = AnswerKind.TAKEN_OVER if question.is_taken_over(page.channel_id) else AnswerKind.POSTS
        return PageAnswer(kind=kind, url=reply.url, asked_at=self._clock(), status=reply.status, page=page)

    def _read_embed(self, question: PageQuestion, reply: PageReply) -> PageAnswer:
        embed = read_embed(reply.html)
        kind = AnswerKind.TAKEN_OVER if question.is_taken_over(embed.channel_id) else AnswerKind.POSTS
        return PageAnswer(kind=kind, url=reply.url, asked_at=self._clock(), status=reply.status, embed=embed)

    def _read_landing(self, _question: PageQuestion, reply: PageReply) -> PageAnswer:
        landing = read_landing(reply.html)
        kind, now = AnswerKind.NO_PAGE, self._clock()
        return PageAnswer(kind=kind, url=reply.url, asked_at=now, status=reply.status, landing=landing)

    async def _fail(self, question: PageQuestion, reason: str, status: int | None) -> PageAnswer:
        """Go to the next host after two failures, and wait once all have failed."""
        url, now = self._url(question), self._clock()
        self._hosts = self._hosts.failed()
        asked = PageAnswer(
            kind=AnswerKind.UNREACHABLE, url=url, asked_at=now, status=status, reason=reason, retry_at=now
        )
        if not self._hosts.are_all_out:
            return asked
        return await self._wait(asked, reason)

    async def _wait(
        self, answer: PageAnswer, reason: str, *, wanted: timedelta | None = None, is_long: bool = False
    ) -> PageAnswer:
        until = await self._pacer.wait_longer(reason=reason, asked=wanted, is_long=is_long)
        log.warning("public pages are not asked for", until=until, reason=reason)
        kind = AnswerKind.UNREACHABLE if answer.kind is AnswerKind.UNREACHABLE else AnswerKind.THROTTLED
        return replace(answer, kind=kind, reason=reason, retry_at=until, landing=None)

    def _url(self, question: PageQuestion) -> str:
        return f"{self._hosts.url}/{question.path}"


def _of_sick(canary: PageAnswer) -> PageAnswer:
    """Return what is known of a channel while the canary cannot be read: nothing."""
    kinds = {AnswerKind.NOT_UNDERSTOOD, AnswerKind.UNREACHABLE}
    return replace(canary, kind=canary.kind if canary.kind in kinds else AnswerKind.THROTTLED, page=None)


def _is_shell(html: str) -> bool:
    try:
        read_landing(html)
    except PageNotUnderstoodError:
        return False
    return True


def _path(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts)


def _at(name: str, where: str, channel_id: int | None) -> PageQuestion:
    return PageQuestion(path=_path("s", name) + where, name=name, channel_id=channel_id)


def _positive(message_id: int) -> int:
    if message_id < 1:
        raise ValueError(f"{message_id} is no message's id")
    return message_id
