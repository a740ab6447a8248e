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

from agent.device_events import hint_received
from agent.values import Hint, NextChanged
from simulator.devices.models.designs import conversation, working
from simulator.devices.models.designs.state import DesignTurn

LOOK_SECONDS: Final = 3.0
"""How often it looks for work without having heard of any: a notification can be lost."""


def _hear(now: DesignTurn, hint: Hint) -> None:
    if not isinstance(hint, NextChanged):
        return  # not subscribed
    head = hint.execution
    now.tell(hint_received(hint))
    conversation.outdate(now)
    task = now.state.task
    if task is None:
        found = head is not None
        now.set(due=now.state.due or found, promised=now.state.promised or found, misses=0)
    elif task.aim == "on" and (head is None or head.key != task.work.key):
        now.set(told=0)
        now.know("another is next", suspect=True)


def _proceed(now: DesignTurn) -> None:
    device, task = now.state, now.state.task
    if not device.connected:
        _work_alone(now)
    elif device.asked is not None:
        pass
    elif task is None:
        conversation.ask_for_work(now, by_start_next=device.policy.namespace_id is None)
    elif task.aim == "over":
        conversation.report_end(now)
    elif task.aim == "on" and task.busy:
        conversation.report_progress(now)
    elif task.aim == "on":
        _next_instruction(now)


def _next_instruction(now: DesignTurn) -> None:
    """Between two steps: report the last one, ask if there is reason to, begin the next one."""
    work, known = now.task.work, now.state.known
    step = work.next_step
    assert step is not None, "without a next step it is over"
    is_silent = now.policy.reports == "end"
    is_only_claimed = not work.begun and now.policy.namespace_id is not None
    must_ask = not step.reversible or known.suspect or is_silent or is_only_claimed
    if known.probing:
        conversation.probe(now)
    elif known.refuted or not work.version_number:
        conversation.ask_about_it(now)
    elif now.state.told < work.done and not is_silent:
        conversation.report_step(now)
    elif must_ask and not known.fresh:
        conversation.ask_about_it(now)
    else:
        working.begin(now)


def _work_alone(now: DesignTurn) -> None:
    """Off line: begin what can be undone, unless an answer has said that it ended, and only how is not known yet."""
    task = now.state.task
    if task is None or task.aim != "on" or task.busy or not task.work.version_number or now.state.known.probing:
        return
    step = task.work.next_step
    if step is not None and step.reversible:
        working.begin(now)


start_next = partial(conversation.live, conversation.Manners(_hear, _proceed, LOOK_SECONDS))
