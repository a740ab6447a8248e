"""The controller alone: look at jobs through a hand until their triggers fire, then delete them.

Nothing on the control plane tells of a device's progress by itself, so this looks again and again: the executions of
the job, and, where the trigger needs statusDetails, each one that is IN_PROGRESS. Off this machine it keeps below
AWS's quota of ten such requests a second.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import InputError
from agent.jitter import Jitter
from simulator.controller.controller import Command, Controller
from simulator.controller.hands import Hand, Refused
from simulator.controller.triggers import Observation, Trigger
from simulator.scenario import When
from simulator.trace import ControllerEvent

REQUESTS_A_SECOND: Final = 8
"""Off this machine; AWS's quota for control-plane job operations is 10 a second each."""
LOCAL_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """What to delete, and when. `poll_seconds` None: as often as the endpoint bears."""

    job_ids: tuple[str, ...]
    when: When
    force: bool
    namespace_id: str | None
    is_local: bool
    save_in: Path | None = None
    poll_seconds: float | None = None


async def delete_when_due(hand: Hand, order: Order) -> None:
    """Carry the order out. Raises InputError if a job is not there, or a deletion is refused for good."""

    def ignore(event: ControllerEvent) -> None:
        """Alone, the controller's log is its account."""

    controller = Controller(hand, ignore, rng=Jitter(str(os.getpid())), named=order.job_ids, save_in=order.save_in)
    try:
        async with asyncio.TaskGroup() as group:
            for job_id in order.job_ids:
                group.create_task(_watch(hand, controller, job_id, order))
    except* (InputError, Refused) as errors:
        first = errors.exceptions[0]
        raise (first if isinstance(first, InputError) else InputError(str(first))) from None
    finally:
        await controller.close()


async def _watch(hand: Hand, controller: Controller, job_id: str, order: Order) -> None:
    loop = asyncio.get_running_loop()
    executions = await hand.executions(job_id)
    trigger = Trigger(order.when, frozenset(execution.thing for execution in executions))
    trigger.created(loop.time())
    while (why := trigger.due(loop.time())) is None:
        asked = await _look(hand, job_id, trigger, needs_details=order.when.step is not None)
        if trigger.due(loop.time()) is None:
            pace = LOCAL_POLL_SECONDS if order.is_local else asked / REQUESTS_A_SECOND
            await asyncio.sleep(order.poll_seconds or pace)
    await asyncio.sleep(order.when.later_seconds)
    await controller.carry_out(Command("delete-job", job_id, order.force, order.namespace_id), why=why)


async def _look(hand: Hand, job_id: str, trigger: Trigger, *, needs_details: bool) -> int:
    """Observe every execution once; how many requests that took."""
    executions = await hand.executions(job_id)
    asked = 1
    for listed in executions:
        seen = listed
        if needs_details and listed.status == "IN_PROGRESS":
            seen = await hand.execution(listed.thing, job_id)
            asked += 1
        incarnation = (seen.queued_at, seen.execution_number)
        trigger.observe(Observation(seen.thing, seen.status, seen.details, incarnation))
    return asked
