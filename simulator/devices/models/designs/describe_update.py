"""Describe, step, update: before every step it asks for the very execution, and on every list that leaves it out.

It hears the list, notify, alone. Why it is right:

- Only a describe names an execution, so only a describe gives leave: one that was sent after the last list, the last
  connection and the last step. What an accepted update says of identity is nothing, and nothing is made of it.
- A list that does not name ours makes it ask at once, also while a step runs; if ours is gone, the step is stopped.
- A read may lag behind the list. So the report of the last step, a write, is repeated before the describe that is to
  clear the doubt; while a step runs, the report at its end does the same.
- Off line it finishes the step at hand and waits. On new firmware, and before the point of no return, not for ever.
"""

from functools import partial
from typing import Final

from agent.device_events import hint_received
from agent.values import Hint, PendingChanged
from simulator.devices.models.designs import conversation, working
from simulator.devices.models.designs.state import DesignTurn

LOOK_SECONDS: Final = 3.0
"""How often it looks for work without having heard of any: a list can be lost."""


def _hear(now: DesignTurn, hint: Hint) -> None:
    if not isinstance(hint, PendingChanged):
        return  # not subscribed
    now.tell(hint_received(hint))
    conversation.outdate(now)
    task = now.state.task
    if task is None:
        found = bool(hint.listed)
        now.set(due=now.state.due or found, promised=now.state.promised or found, misses=0)
    elif task.aim == "on" and task.work.key not in hint.listed:
        now.set(told=0)
        now.know("not listed", suspect=True)


def _proceed(now: DesignTurn) -> None:
    device, task = now.state, now.state.task
    if not device.connected or device.asked is not None:
        return
    if task is None:
        conversation.ask_for_work(now)
    elif task.aim == "over":
        conversation.report_end(now)
    elif task.aim == "on" and task.busy:
        watch_step(now, in_doubt=device.known.suspect)
    elif task.aim == "on":
        seek_leave(now)


def watch_step(now: DesignTurn, *, in_doubt: bool) -> None:
    """While a step runs: ask whether it is still wanted if there is doubt, or else report how far it is."""
    known = now.state.known
    if known.probing:
        conversation.probe(now)
    elif in_doubt or known.refuted:
        conversation.ask_about_it(now)
    else:
        conversation.report_progress(now)


def seek_leave(now: DesignTurn) -> None:
    """Between two steps: report the last one, ask for leave, begin the next one."""
    work, known = now.task.work, now.state.known
    if known.probing:
        conversation.probe(now)
    elif now.state.told < work.done and now.policy.reports != "end" and work.version_number and not known.refuted:
        conversation.report_step(now)
    elif not known.fresh or known.refuted:
        conversation.ask_about_it(now)
    else:
        working.begin(now)


describe_update = partial(conversation.live, conversation.Manners(_hear, _proceed, LOOK_SECONDS))
