"""What takes long goes on in turns, one at a time, so that nobody else waits for longer than a turn lasts.

An operation that has to look at a hundred thousand things is a generator, which pauses every few of them. Its first
steps it does at once. What is left then gets turns beside whatever else was asked for and takes long, in the order in
which it came; between two turns, whoever they are for, there is as much time for everybody else.
"""

import asyncio
import time
from typing import Final

from simulator.cloud.api.api_errors import too_much
from simulator.cloud.api.backing import Parameters, Paused

TURN_SECONDS: Final = 0.001
"""A device's round trip takes some ten milliseconds; it does not notice one more."""
MOST: Final = 100
"""Operations that take long, under way at once: each keeps memory, and has the others wait for their turns."""


class Turns:
    """One for everybody who shares a loop."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._number = 0

    async def carry_out(self, operation: str, steps: Paused) -> Parameters:
        """Carry an operation out to its end. Raises ApiError."""
        try:
            next(steps)
        except StopIteration as done:
            return _output(done)
        self._enter(operation)
        try:
            while True:
                async with self._one_at_a_time:
                    began = time.perf_counter()
                    try:
                        next(steps)
                        while time.perf_counter() - began < TURN_SECONDS:
                            next(steps)
                    except StopIteration as done:
                        return _output(done)
                    await asyncio.sleep(time.perf_counter() - began)
        finally:
            self._number -= 1

    def _enter(self, operation: str) -> None:
        if self._number >= MOST:
            raise too_much(operation, f"Rate exceeded: {MOST} operations that take long are under way.")
        self._number += 1


def in_one_go(steps: Paused) -> Parameters:
    """Carry an operation out where nobody waits for a turn. Raises ApiError."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return _output(done)


def _output(done: StopIteration) -> Parameters:
    output: Parameters = done.value
    return output
