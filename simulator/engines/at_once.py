"""Doing many things at once, a bounded number at a time; and what went wrong, in one line."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Final

from agent.errors import InputError
from simulator.controller.hand import Refused
from simulator.engines.meeting import OthersDiedError

CREATIONS_AT_ONCE: Final = 32


def plainly(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended several tasks at once, in one line if it is what the service, or a file, had to say."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, Refused):
        return InputError(str(first))
    return first if isinstance(first, InputError | OthersDiedError) else group


async def at_once(calls: Iterator[Awaitable[None]]) -> None:
    """Await all of them, a bounded number at a time; each is made when its turn comes."""

    async def some() -> None:
        for call in calls:
            await call

    async with asyncio.TaskGroup() as group:
        for _ in range(CREATIONS_AT_ONCE):
            group.create_task(some())
