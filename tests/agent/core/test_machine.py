"""Whatever happens, in whatever order: what holds of every step of the core."""

import hypothesis.strategies as st
from hypothesis import given, settings

from agent.core import Machine, start, step
from agent.core.events import (
    Answered,
    BeginStep,
    Connected,
    Disconnected,
    Event,
    Hinted,
    Remember,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    Tell,
    TimerFired,
    Verified,
)
from agent.core.machine import act
from agent.core.recovering import give_way
from agent.core.state import DevicePolicy, Executing, Recovering, record_of
from agent.device_events import HintReceived
from agent.documents import plan_of
from agent.plan import MISSING, Planned
from agent.values import (
    Answer,
    ErrorCode,
    ExecutionState,
    ExecutionTold,
    NextChanged,
    PendingChanged,
    Rejected,
    Status,
    UpdateAccepted,
)

from .driver import NOW, Driver, execution, key

_KEYS = st.builds(key, st.sampled_from(["fw", "other"]), queued_at=st.sampled_from([NOW, NOW + 9]))
_EXECUTIONS = st.builds(execution, _KEYS, st.sampled_from(list(Status)), st.integers(1, 6))
_STATES = st.none() | st.builds(ExecutionState, st.sampled_from(list(Status)), st.integers(1, 6))
_ANSWERS = st.one_of(
    st.builds(ExecutionTold, st.just(NOW), st.none() | _EXECUTIONS),
    st.builds(UpdateAccepted, st.just(NOW), st.none(), _STATES),
    st.builds(lambda code, state: Rejected(NOW, code, state=state), st.sampled_from(list(ErrorCode)), _STATES),
)


def planned(answer: Answer) -> Planned:
    told = answer.execution if isinstance(answer, ExecutionTold) else None
    return plan_of(told.document) if told is not None else MISSING


_EVENTS = st.one_of(
    st.builds(Connected),
    st.builds(Disconnected),
    st.builds(lambda answer: Answered(answer, planned(answer)), _ANSWERS),
    st.builds(Hinted, st.builds(NextChanged, st.just(NOW), st.none(), st.none() | _EXECUTIONS)),
    st.builds(
        Hinted, st.builds(lambda e: PendingChanged(NOW, None, e, ()), st.lists(_EXECUTIONS, max_size=2).map(tuple))
    ),
    st.builds(TimerFired, st.sampled_from(["request", "retry", "ask-again", "poll", "step", "leap"])),
    st.builds(StepAdvanced, st.integers(0, 2), st.integers(0, 100)),
    st.builds(StepEnded, st.integers(0, 2), st.sampled_from(["done", "failed", "stopped", "stale", "refused"])),
    st.builds(StepRestored, st.integers(0, 2), st.booleans()),
    st.builds(Verified, st.booleans()),
)


@settings(max_examples=300)
@given(st.lists(_EVENTS, max_size=40))
def test_no_order_of_events_breaks_the_core_and_the_leap_is_never_taken_unasked(events: list[Event]):
    machine: Machine = start(DevicePolicy())
    asked_about: object = None
    for event in events:
        if isinstance(event, Answered) and machine.asked is not None and machine.asked.sent:
            asked_about = machine.asked.about
        before = machine.phase
        machine, effects = step(machine, event)
        assert hash(machine) == hash(machine)
        for effect in effects:
            if isinstance(effect, BeginStep) and not effect.step.reversible and not isinstance(before, Recovering):
                assert isinstance(event, Answered), "only an answer opens the gate"
                assert asked_about == effect.execution


def test_a_rule_that_is_played_by_itself_is_on_record_before_its_effects():
    device = Driver.working()
    assert isinstance(device.phase, Executing)
    work = device.phase.work
    machine, effects = act(device.machine, lambda turn: give_way(turn, work, "gone", running=True))
    assert isinstance(machine.phase, Recovering)
    assert effects.index(Remember(record_of(machine))) < effects.index(StopStep(work.done))


def test_a_rule_that_changes_nothing_writes_nothing_down():
    device = Driver.working()
    assert act(device.machine, lambda turn: turn.tell(HintReceived("notify", None))) == (
        device.machine,
        (Tell(HintReceived("notify", None)),),
    )
