"""A next job whenever the devices of a namespace have nothing to do: so an open play has always something to show."""

import asyncio
from typing import Final

from simulator.engines.steering import NotDone, Steering

WAITING: Final = 2
"""Who has so many jobs waiting gets no more: a device without power, say."""


async def keep_busy(steering: Steering) -> None:
    """Until it is cancelled. What somebody creates meanwhile is a next job, too."""
    async with asyncio.TaskGroup() as group:
        for namespace in steering.namespaces:
            group.create_task(_keep_busy(steering, namespace))


async def _keep_busy(steering: Steering, namespace: str | None) -> None:
    while True:
        await steering.until(lambda: is_idle(steering, namespace))
        await steering.sleep(steering.rest_seconds)
        if is_idle(steering, namespace):
            try:
                await steering.create_next(namespaces=(namespace,))
            except NotDone:  # somebody has just made a job of that name, or ended the play
                continue


def is_idle(steering: Steering, namespace: str | None) -> bool:
    """Whether devices have power there, none of them has anything to do, and nobody else has much before him."""
    open_ = steering.open_jobs(namespace)
    powered = [thing for thing, has_power in steering.things_in(namespace) if has_power]
    return bool(powered) and not any(map(open_.get, powered)) and max(open_.values(), default=0) < WAITING
