"""Work that blocks, in a thread, and nothing of it behind anybody's back."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def settled(act: Callable[..., T], *arguments: object) -> T:
    """Run `act` in a thread; who is cancelled meanwhile waits for its end: nothing goes on behind their back."""
    running = asyncio.ensure_future(asyncio.to_thread(act, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
