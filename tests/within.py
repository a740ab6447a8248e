"""Waiting with a limit, for tests."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Got = TypeVar("Got")


async def within(awaited: Awaitable[Got], seconds: float) -> Got:
    """Wait for it, so long at most. Raises TimeoutError.

    Before Python 3.12 `asyncio.wait_for` may swallow a cancellation that comes as what it waits for is done: whoever
    cancels the task and waits for its end waits for ever.
    """
    async with asyncio.timeout(seconds):
        return await awaited
