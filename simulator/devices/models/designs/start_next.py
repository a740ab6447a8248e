"""A straight line: start-next, step, report, step, report, ask, leap, report the end. As simple as it gets.

It hears notify-next alone, and only as a reason to look: while it works, a running step is never stopped, since the
report at the step's end says soon enough that nobody wants the next one. Why that is right:

- start-next names what it started, so the first step needs no more leave. In a namespace, where no start-next is
  known, `$next` finds the head, an update with `expectedVersion` claims it, and a describe names what was claimed.
- Every step ends with a report, and the next one begins only if that was accepted. A report is a write: it cannot lag
  behind a deletion, as reads can. Off line it works on, where a step can be undone.
- A report does not say which execution accepted it, so before the point of no return the device asks that too. After
  a notification it repeats the report before it asks: both are then younger than anything that it was hinted at.
"""

from functools import partial
from typing import Final

from agent.account import hint_received
from agent.values import Hint, NextChanged
from simulator.devices.models.designs import hands, talk
from simulator.devices.models.designs.state import Turn

LOOK_SECONDS: Final = 3.0
"""How often it looks for work without having heard of any: a notification can be lost."""


def _hear(turn: Turn, hint: Hint) -> None:
    if not isinstance(hint, NextChanged):
        return  # not subscribed
    head = hint.execution
    turn.tell(hint_received(hint))
    talk.outdate(turn)
    task = turn.device.task
    if task is None:
        found = head is not None
        turn.set(due=turn.device.due or found, promised=turn.device.promised or found, misses=0)
    elif task.aim == "on" and (head is None or head.key != task.work.key):
        turn.set(told=0)
        turn.know("another is next", suspect=True)


def _proceed(turn: Turn) -> None:
    device, task = turn.device, turn.device.task
    if not device.connected:
        _work_alone(turn)
    elif device.asked is not None:
        pass
    elif task is None:
        talk.ask_for_work(turn, by_start_next=device.policy.namespace_id is None)
    elif task.aim == "over":
        talk.report_end(turn)
    elif task.aim == "on" and task.busy:
        talk.report_progress(turn)
    elif task.aim == "on":
        _next_instruction(turn)


def _next_instruction(turn: Turn) -> None:
    """Between two steps: report the last one, ask if there is reason to, begin the next one."""
    work, known = turn.task.work, turn.device.known
    step = work.next_step
    assert step is not None, "without a next step it is over"
    is_silent = turn.policy.reports == "end"
    is_only_claimed = not work.begun and turn.policy.namespace_id is not None
    must_ask = not step.reversible or known.suspect or is_silent or is_only_claimed
    if known.probing:
        talk.probe(turn)
    elif known.refuted or not work.version_number:
        talk.ask_about_it(turn)
    elif turn.device.told < work.done and not is_silent:
        talk.report_step(turn)
    elif must_ask and not known.fresh:
        talk.ask_about_it(turn)
    else:
        hands.begin(turn)


def _work_alone(turn: Turn) -> None:
    task = turn.device.task
    if task is None or task.aim != "on" or task.busy or not task.work.version_number:
        return
    step = task.work.next_step
    if step is not None and step.reversible:
        hands.begin(turn)


start_next = partial(talk.live, talk.Manners(_hear, _proceed, LOOK_SECONDS))
