"""A condition comes in; a test goes on once it holds, or fails."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

WAIT_S = 30.0  # a test that waits longer has failed


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for what neither the store nor the embedded server has an event for."""
    async with asyncio.timeout(WAIT_S):
        while not (await found if isawaitable(found := condition()) else found):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)
