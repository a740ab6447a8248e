"""A call that may hang in the kernel, such as on a file of another machine, made where nobody has to wait for it.

A thread of its own, which does not keep the process from ending: a pool's threads are waited for at the end.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(call: Callable[[], T]) -> asyncio.Future[T]:
    """What the call gives, or raises."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(value)  # type: ignore[arg-type]
        else:
            outcome.set_exception(error)

    def run() -> None:
        value, failure = None, None
        try:
            value = call()
        except OSError as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, value, failure)
        except RuntimeError:
            return  # the loop is over, and nobody waits

    threading.Thread(target=run, name="ghostjob-probe", daemon=True).start()
    return outcome
