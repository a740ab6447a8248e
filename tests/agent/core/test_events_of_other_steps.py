"""An event of another step than the one that runs, or is being taken back, changes nothing, in every phase."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import step
from agent.core.events import BeginStep, StepAdvanced, StepEnded, StepRestored, StopStep, UndoStep
from agent.core.state import Executing, Gated, Recovering, Reporting, Safe, Starting, Suspect
from agent.values import ErrorCode, Status

from .driver import LEAP, Driver, execution, key


def idle() -> Driver:
    device = Driver()
    device.connect()
    return device


def starting() -> Driver:
    device = Driver(replace(Driver().policy, namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, 1))
    assert isinstance(device.phase, Starting)
    return device


def writing() -> Driver:
    device = Driver.working()
    device.step_done()
    device.accept(3)
    assert isinstance(device.phase, Executing)
    return device


def gated_by_the_report() -> Driver:
    device = writing()
    device.step_done()
    assert isinstance(device.phase, Gated)
    return device


def suspect_while_writing() -> Driver:
    device = writing()
    device.list()
    assert isinstance(device.phase, Suspect)
    return device


def suspect_between_steps() -> Driver:
    device = gated_by_the_report()
    device.list()
    assert isinstance(device.phase, Suspect)
    return device


def stopping() -> Driver:
    device = suspect_while_writing()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert device.phase == replace(device.phase, stage="quiesce")
    return device


def undoing() -> Driver:
    device = stopping()
    device(StepEnded(1, "stopped"))
    assert device.phase == replace(device.phase, stage="restore")
    return device


def finishing() -> Driver:
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert device.phase == replace(device.phase, stage="finish")
    return device


def verifying() -> Driver:
    device = finishing()
    device.step_done()
    assert device.phase == replace(device.phase, stage="verify")
    return device


def reporting() -> Driver:
    device = Driver.reporting()
    assert isinstance(device.phase, Reporting)
    return device


def safe() -> Driver:
    device = undoing()
    device.undone(ok=False)
    assert isinstance(device.phase, Safe)
    return device


PLACES: Final[tuple[Callable[[], Driver], ...]] = (
    idle,
    starting,
    writing,
    gated_by_the_report,
    Driver.before_the_leap,
    suspect_while_writing,
    suspect_between_steps,
    stopping,
    undoing,
    finishing,
    verifying,
    reporting,
    safe,
)
HEARS: Final = {
    writing: ("ended", "advanced"),
    suspect_while_writing: ("ended", "advanced"),
    stopping: ("ended",),
    undoing: ("restored",),
    finishing: ("ended",),
}
"""What the step that runs, or is being taken back, may say there."""


def step_at_work(device: Driver, kind: str) -> int:
    """The index of the step that `kind` may speak of."""
    if kind == "restored":
        return device.all(UndoStep)[-1].index
    return device.all(BeginStep)[-1].index


def events(kind: str) -> st.SearchStrategy[StepAdvanced | StepEnded | StepRestored]:
    index = st.integers(0, 9)
    match kind:
        case "ended":
            return st.builds(StepEnded, index, st.sampled_from(["done", "failed", "stopped", "stale", "refused"]))
        case "advanced":
            return st.builds(StepAdvanced, index, st.integers(1, 100))
        case _:
            return st.builds(StepRestored, index, st.booleans())


@pytest.mark.parametrize("kind", ["ended", "advanced", "restored"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@given(data=st.data())
def test_an_event_of_another_step_changes_nothing(place: Callable[[], Driver], kind: str, data: st.DataObject):
    device = place()
    mine = step_at_work(device, kind) if kind in HEARS.get(place, ()) else None
    event = data.draw(events(kind).filter(lambda event: event.index != mine))
    assert step(device.machine, event) == (device.machine, ())


@pytest.mark.parametrize(
    ("place", "kind"),
    [(place, kind) for place, kinds in HEARS.items() for kind in kinds],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
@given(data=st.data())
def test_an_event_of_the_step_at_work_is_heard(place: Callable[[], Driver], kind: str, data: st.DataObject):
    device = place()
    event = replace(data.draw(events(kind)), index=step_at_work(device, kind))
    assert step(device.machine, event)[0] != device.machine


def test_while_a_step_is_being_stopped_the_end_of_an_earlier_one_takes_nothing_back():
    device = stopping()
    assert [stopped.index for stopped in device.all(StopStep)] == [1]
    device(StepEnded(0, "stopped"))
    assert isinstance(device.phase, Recovering)
    assert device.phase.stage == "quiesce"
    assert not device.all(UndoStep)
