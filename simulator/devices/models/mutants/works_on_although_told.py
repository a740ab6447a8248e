"""A device that is told that its execution is gone, sends no further update, and yet begins one step more.

AWS IoT Device Client logs that there is no job any more, and lets the handler of the last one run on
(awslabs/aws-iot-device-client, `JobsFeature.cpp`).
"""

from dataclasses import dataclass, replace
from typing import Final

from agent.core import DevicePolicy, Machine, start
from agent.core import step as reference
from agent.core.events import Answered, Disconnected, Effect, Event, Hinted, SetTimer, StepEnded, Tell, TimerFired
from agent.core.machine import act
from agent.core.record import Work
from agent.core.recovering import give_way
from agent.core.state import Executing, Gated, Suspect
from agent.core.turn import Turn
from agent.core.working import begin
from agent.device_events import ExecutionGone
from agent.values import Answer

PATIENCE_SECONDS: Final = 0.5
"""For so long it lets the step that runs go on to its end; then it gives way all the same."""


@dataclass(frozen=True, slots=True)
class Stubborn:
    """The machine; `told`: there is an answer against which it works on.

    Meanwhile the machine believes to be off line, where reversible steps go on without a word. `is_last`: the step that
    is one too many has begun.
    """

    machine: Machine
    told: bool = False
    is_last: bool = False

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.machine.rests


def awake(policy: DevicePolicy) -> Stubborn:
    """A device before its first event."""
    return Stubborn(start(policy))


def step(state: Stubborn, event: Event) -> tuple[Stubborn, tuple[Effect, ...]]:
    """As the reference device, but told at its first asking it gives way one step later, if that can be taken back."""
    if state.told:
        return _work_on(state, event)
    after, effects = reference(state.machine, event)
    asked = state.machine.asked
    if not isinstance(event, Answered) or not any(_learns_of_end(effect) for effect in effects):
        return Stubborn(after), effects
    if asked is None or asked.waits:
        return Stubborn(after), effects  # late as it is, one step more would be another flaw
    match state.machine.phase:
        case Executing(work=work) | Gated(work=work) | Suspect(work=work) as phase:
            runs = isinstance(phase, Executing) or (isinstance(phase, Suspect) and phase.running)
            if _can_begin(work, work.done + runs):
                machine, effects = act(state.machine, lambda turn: _overhear(turn, work, event.answer, runs=runs))
                return Stubborn(machine, told=True, is_last=not runs), effects
        case _:
            pass
    return Stubborn(after), effects


def _learns_of_end(effect: Effect) -> bool:
    return isinstance(effect, Tell) and isinstance(effect.event, ExecutionGone)


def _can_begin(work: Work, index: int) -> bool:
    """Whether step `index` can be one too many: a restart would end all this, and a leap would be another flaw."""
    steps = work.plan.steps[index : index + 1]
    return bool(steps) and steps[0].reversible and steps[0].action != "reboot"


def _overhear(turn: Turn, work: Work, answer: Answer, *, runs: bool) -> None:
    turn.take_answer(answer)
    turn.machine = replace(turn.machine, connected=False)
    if runs:
        turn.to(Executing(work), "told, and goes on")
        turn.do(SetTimer("ask-again", PATIENCE_SECONDS))
    else:
        begin(turn, work)


def _work_on(state: Stubborn, event: Event) -> tuple[Stubborn, tuple[Effect, ...]]:
    match event, state.machine.phase:
        case Hinted(), _:
            return state, ()
        case StepEnded(outcome="done"), _ if not state.is_last:
            machine, effects = reference(state.machine, event)
            return Stubborn(machine, state.told, is_last=True), effects
        case ((StepEnded() | Disconnected() | TimerFired("ask-again")), Executing(work=work)):
            machine, effects = act(state.machine, lambda turn: _yield(turn, work, event))
            return Stubborn(machine), effects
        case _:
            machine, effects = reference(state.machine, event)
            return replace(state, machine=machine), effects


def _yield(turn: Turn, work: Work, event: Event) -> None:
    """Give way at last, to the answer that was the last one."""
    turn.answered = True
    turn.machine = replace(turn.machine, connected=not isinstance(event, Disconnected))
    done = isinstance(event, StepEnded) and event.outcome == "done"
    give_way(turn, replace(work, done=work.done + done), "gone", running=not isinstance(event, StepEnded))
