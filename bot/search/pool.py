"""Search processes: a question goes to one of them, since sifting posts in this one would hold up every alert.

A thread would not do: the matcher is Python, and RE2 keeps Python's lock for as long as one text takes. A process that
has no answer a little after the deadline is killed, and another one takes its place.
"""

import asyncio
import os
import pickle
import sys
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.charts.jobs import drawing_environment
from bot.errors import ChannelwatchError, FatalError
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.search.child import LENGTH

log = structlog.get_logger(__name__)

T = TypeVar("T")
Job = Callable[..., Awaitable[T]]  # a function of a module: the archive comes first, the deadline by name
PROCESSES = 2  # 40 MB each
WITHIN = 2.0  # s that people wait for an answer; it is partial then
GRACE = 3.0  # s after it that a process may take to notice
PATIENCE = 20.0  # s that people wait for their turn
START_WITHIN = 60.0  # s, on a machine that is busy
WARM_AFTER = 5.0  # s after the start of the service, which has more urgent things to do before
GOES_ROUND = 60.0  # s, though no process is missing
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")  # no secrets


class SearchError(ChannelwatchError):
    """A question without an answer."""


class BusyError(SearchError):
    """Too many others ask at this moment."""


class OverdueError(SearchError):
    """There was no answer at the deadline, not even a partial one."""


class Searches(Protocol):
    """A place where questions are answered that take long, such as the `SearchPool`."""

    async def run(
        self,
        job: Job[T],
        *arguments: Any,  # noqa: ANN401 - a job's own
        who: Hashable,
        within: float = WITHIN,
        **options: Any,  # noqa: ANN401 - the same
    ) -> T:
        """Answer a question within some seconds. Raises SearchError."""
        ...


class SearchPool:
    """The search processes of one archive: as many questions are answered at once, and one of each person."""

    def __init__(
        self, path: Path, *, processes: int = PROCESSES, patience: float = PATIENCE, is_kept: bool = True
    ) -> None:
        """Make a pool; a process that is not kept ends with its answer, for what it took of the memory."""
        self._path = path
        self._is_kept = is_kept
        self._patience = patience
        self._places = asyncio.Semaphore(processes)
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._idle: list[_Process] = []
        self._missing = asyncio.Event()  # set where no process waits for a question

    async def run(
        self,
        job: Job[T],
        *arguments: Any,  # noqa: ANN401 - a job's own
        who: Hashable,
        within: float = WITHIN,
        grace: float = GRACE,
        **options: Any,  # noqa: ANN401 - the same
    ) -> T:
        """Let a process answer a question, `within` seconds from when its turn comes; raises what the job raises.

        Raises BusyError where its turn does not come in time, OverdueError where the job ignores its deadline.
        """
        question = pickle.dumps((job, arguments, options, within))
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._patience):
                    await stack.enter_async_context(self._turns.setdefault(who, asyncio.Lock()))
                    await stack.enter_async_context(self._places)
            except TimeoutError:
                raise BusyError("too many questions at once") from None
            answer: T = await self._answer(question, within + grace)
            return answer

    async def keep_ready(self, beat: Beat = no_beat) -> None:
        """Have a process wait for the next question, for ever: the first one shall not wait for its start."""
        beat(WARM_AFTER + TURN)
        await asyncio.sleep(WARM_AFTER)
        self._missing.set()
        while True:
            beat(GOES_ROUND + TURN)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._missing.wait(), GOES_ROUND)
                self._missing.clear()
                async with self._places:
                    if not self._idle:
                        self._idle.append(await _Process.start(self._path))

    async def close(self) -> None:
        """End the processes."""
        while self._idle:
            await self._idle.pop().kill()

    async def _answer(self, question: bytes, seconds: float) -> Any:  # noqa: ANN401 - of any job
        while self._idle:  # one may have been killed meanwhile, for its memory perhaps
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                return await self._ask(self._idle.pop(), question, seconds)
        return await self._ask(await _Process.start(self._path), question, seconds)

    async def _ask(self, process: "_Process", question: bytes, seconds: float) -> Any:  # noqa: ANN401 - of any job
        is_well = False
        try:
            async with asyncio.timeout(seconds):
                result, error = await process.ask(question)
            is_well = self._is_kept
        except TimeoutError:
            log.warning("a search took too long and was stopped", seconds=seconds)
            raise OverdueError("a search took too long") from None
        finally:
            if is_well:
                self._idle.append(process)
            else:  # whoever asked may have left: the answer to come is nobody's
                self._missing.set()
                await process.kill()
        if error is not None:
            raise error
        return result


class _Process:
    """One search process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._questions, self._answers = process.stdin, process.stdout

    @classmethod
    async def start(cls, path: Path) -> "_Process":
        """Start a process that answers questions about an archive."""
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        environment |= drawing_environment(path)
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-P", "-m", "bot.search.child", str(path))
        started = cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment))
        is_ready = False
        try:
            async with asyncio.timeout(START_WITHIN):
                fatal = await started._read()
            if isinstance(fatal, FatalError):
                raise fatal
            is_ready = True
        finally:
            if not is_ready:
                await started.kill()
        return started

    async def ask(self, question: bytes) -> tuple[Any, Exception | None]:
        """Return a result, or the error that there was in its place. Raises an error of the pipe."""
        self._questions.write(LENGTH.pack(len(question)) + question)
        await self._questions.drain()
        answer: tuple[Any, Exception | None] = await self._read()
        return answer

    async def kill(self) -> None:
        """End the process at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._questions.close()
        await asyncio.shield(self._process.wait())

    async def _read(self) -> Any:  # noqa: ANN401 - what the process has written
        (size,) = LENGTH.unpack(await self._answers.readexactly(LENGTH.size))
        return pickle.loads(await self._answers.readexactly(size))  # noqa: S301 - of our own process
