"""A poller: it subscribes to nothing, and believes nothing but the answers to its own questions.

Idle, it asks for `$next` again and again; at work, it describes its execution between any two steps, and at intervals
while a step runs. Why it is right:

- Whatever happened to its execution, the next poll finds it, so it never works on for longer than an interval.
- There are no hints that could be late, doubled, lost or about others: an answer is as old as its question, no more.
- Polls are jittered, so that a fleet that was switched on together does not ask together for ever.

The price is a request for each interval and device: with the account's quota of 200 reads a second, the interval in
seconds is more than a two-hundredth of the number of devices, or nobody gets through.
"""

from functools import partial
from typing import Final

from agent.values import Hint
from simulator.devices.models.designs import conversation
from simulator.devices.models.designs.describe_update import seek_leave, watch_step
from simulator.devices.models.designs.state import DesignTurn

IDLE_SECONDS: Final = 2.0
"""How often it looks for work."""
STEP_SECONDS: Final = 2.0
"""How often it asks, while a step runs, whether that is still wanted."""


def _hear(now: DesignTurn, hint: Hint) -> None:
    """Nothing: it is subscribed to none of these."""


def proceed(now: DesignTurn) -> None:
    """The question that is next, or the step."""
    device, task = now.state, now.state.task
    if not device.connected or device.asked is not None:
        return
    if task is None:
        conversation.ask_for_work(now)
    elif task.aim == "over":
        conversation.report_end(now)
    elif task.aim == "on" and task.busy:
        watch_step(now, in_doubt=device.due)
        if device.due:
            _next_poll(now)
    elif task.aim == "on":
        seek_leave(now)
        if now.task.busy:
            _next_poll(now)


def _next_poll(now: DesignTurn) -> None:
    now.set(due=False)
    now.timer("poll", STEP_SECONDS, jitter=True)


poller = partial(conversation.live, conversation.Manners(_hear, proceed, IDLE_SECONDS))
