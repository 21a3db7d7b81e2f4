"""News of commits: the subjects that a transaction announced, and a way to wait for them."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum


class Subject(StrEnum):
    """A kind of news that a loop waits for."""

    ALERTS = "alerts"  # the outbox has more to send
    FOLLOWS = "follows"  # a channel is to be followed or left
    TOPICS = "topics"  # a topic was saved or deleted
    PROGRESS = "progress"  # work that a chat watches has come further
    MEDIA = "media"  # a file of a post is wanted, was kept or given up
    CHATS = "chats"  # a chat was paired, suspended, resumed, or changed its settings


class Changes:
    """Wakes the waiters of a subject once a transaction that announced it is committed."""

    def __init__(self) -> None:
        self._revisions = dict.fromkeys(Subject, 0)
        self._news = {subject: asyncio.Event() for subject in Subject}

    def revision(self, subject: Subject) -> int:
        """Return a number that grows with each committed change of the subject."""
        return self._revisions[subject]

    async def wait(self, subject: Subject, since: int, timeout: float | None = None) -> int:  # noqa: ASYNC109 - the caller wants the revision, not an error
        """Wait for a revision newer than `since`, `timeout` seconds at most; return the present one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._revisions[subject] <= since:
                    await self._news[subject].wait()
        return self._revisions[subject]

    def publish(self, subjects: Iterable[Subject]) -> None:
        """Count a change of each subject and wake its waiters."""
        for subject in subjects:
            self._revisions[subject] += 1
            self._news[subject].set()
            self._news[subject] = asyncio.Event()
