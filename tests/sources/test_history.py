from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from bot.sources.history import prefetched
from tests.waiting import until


async def numbers(log: list[str], *, fail_at: int | None = None) -> AsyncGenerator[int, None]:
    try:
        for number in range(1, 4):
            log.append(f"asked {number}")
            if number == fail_at:
                raise LookupError(number)
            yield number
    finally:
        log.append("closed")


async def test_the_next_is_asked_for_while_one_is_worked_on() -> None:
    log: list[str] = []
    following = {1: "asked 2", 2: "asked 3", 3: "closed"}
    async for number in prefetched(numbers(log)):
        await until(lambda number=number: log[-1] == following[number])  # the work
        log.append(f"done {number}")
    assert log == ["asked 1", "asked 2", "done 1", "asked 3", "done 2", "closed", "done 3"]


async def test_an_error_comes_after_what_came_before_it() -> None:
    source = prefetched(numbers([], fail_at=3))
    assert [await anext(source), await anext(source)] == [1, 2]
    with pytest.raises(LookupError):
        await anext(source)


async def test_whoever_breaks_off_leaves_nothing_behind() -> None:
    log: list[str] = []
    async with aclosing(prefetched(numbers(log, fail_at=2))) as source:
        async for _ in source:
            await until(lambda: "asked 2" in log)
            break
    assert log == ["asked 1", "asked 2", "closed"]
