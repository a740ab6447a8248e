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

from agent.account import hint_received
from agent.values import Hint, PendingChanged
from simulator.devices.models.designs import hands, talk
from simulator.devices.models.designs.state import Turn

LOOK_SECONDS: Final = 3.0
"""How often it looks for work without having heard of any: a list can be lost."""


def _hear(turn: Turn, hint: Hint) -> None:
    if not isinstance(hint, PendingChanged):
        return  # not subscribed
    turn.tell(hint_received(hint))
    talk.outdate(turn)
    task = turn.device.task
    if task is None:
        found = bool(hint.listed)
        turn.set(due=turn.device.due or found, promised=turn.device.promised or found, misses=0)
    elif task.aim == "on" and task.work.key not in hint.listed:
        turn.set(told=0)
        turn.know("not listed", suspect=True)


def _proceed(turn: Turn) -> None:
    device, task = turn.device, turn.device.task
    if not device.connected or device.asked is not None:
        return
    if task is None:
        talk.ask_for_work(turn)
    elif task.aim == "over":
        talk.report_end(turn)
    elif task.aim == "on" and task.busy:
        watch_step(turn, in_doubt=device.known.suspect)
    elif task.aim == "on":
        seek_leave(turn)


def watch_step(turn: Turn, *, in_doubt: bool) -> None:
    """While a step runs: ask whether it is still wanted if there is doubt, or else report how far it is."""
    known = turn.device.known
    if known.probing:
        talk.probe(turn)
    elif in_doubt or known.refuted:
        talk.ask_about_it(turn)
    else:
        talk.report_progress(turn)


def seek_leave(turn: Turn) -> None:
    """Between two steps: report the last one, ask for leave, begin the next one."""
    work, known = turn.task.work, turn.device.known
    if known.probing:
        talk.probe(turn)
    elif turn.device.told < work.done and turn.policy.reports != "end" and work.version_number and not known.refuted:
        talk.report_step(turn)
    elif not known.fresh or known.refuted:
        talk.ask_about_it(turn)
    else:
        hands.begin(turn)


describe_update = partial(talk.live, talk.Manners(_hear, _proceed, LOOK_SECONDS))
