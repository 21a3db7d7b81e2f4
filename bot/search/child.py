"""A search process: questions come in by standard input, from the `SearchPool` alone, and answers go out.

It opens the archive read-only, knows no secret, and yields the processor to the service that started it. It ends when
its standard input does, and so with its parent, however that ends.
"""

import asyncio
import os
import pickle
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from bot.errors import ChannelwatchError, FatalError
from bot.runtime.garbage import collect_seldom
from bot.runtime.priority import give_way
from bot.search.deadline import Deadline
from bot.store.database import Reader, open_read_only

LENGTH = struct.Struct(">I")  # before each question and answer, of which it is the size in bytes


def main() -> None:
    """Answer questions until standard input ends."""
    collect_seldom()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the parent too, which ends this process
    give_way()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints disturbs no answer
    try:
        asyncio.run(_serve(Path(sys.argv[1]), answers))
    except ChannelwatchError as error:
        sys.exit(str(error))


async def _serve(path: Path, answers: BinaryIO) -> None:
    questions = asyncio.Queue[bytes]()
    loop = asyncio.get_running_loop()

    def receive(question: bytes) -> None:
        loop.call_soon_threadsafe(questions.put_nowait, question)

    Thread(target=_read, args=(sys.stdin.buffer, receive), daemon=True).start()
    try:
        async with open_read_only(path) as archive:
            _put(answers, None)  # it is ready
            while True:
                _put(answers, await _answer(archive, await questions.get()))
    except FatalError as error:  # the database cannot be opened
        _put(answers, error)


def _read(source: BinaryIO, receive: Callable[[bytes], object]) -> None:
    """Read questions; where there will be no more, end the process at once, though an answer is being made."""
    while head := source.read(LENGTH.size):
        (size,) = LENGTH.unpack(head)
        receive(source.read(size))
    os._exit(0)


async def _answer(archive: Reader, question: bytes) -> tuple[object, Exception | None]:
    """Return a result, or the error that there was in its place."""
    try:
        job, arguments, options, seconds = pickle.loads(question)  # noqa: S301 - our parent wrote it
        return await job(archive, *arguments, **options, deadline=Deadline(seconds)), None
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
        error.add_note(traceback.format_exc())
        return None, error


def _put(answers: BinaryIO, answer: object) -> None:
    written = pickle.dumps(answer)
    answers.write(LENGTH.pack(len(written)) + written)
    answers.flush()


if __name__ == "__main__":
    main()
