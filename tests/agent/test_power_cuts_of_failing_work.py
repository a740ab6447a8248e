"""The power goes at every instant of an update whose work fails by itself, before its job is deleted or without that.

Where a policy may matter, instants are dealt over the two. All of the product is played by
`python -m tests.power_cuts --all`.
"""

from dataclasses import replace

import pytest

from agent.core import Machine, step
from agent.core.events import Booted, Effect, Event
from agent.core.record import Record, Work
from simulator.devices.models import MODELS
from simulator.devices.models.model import Model
from tests.power_cuts.product import Half, deal_policies, exhaust, failing_in_the_suite
from tests.power_cuts.world import Setting


@pytest.mark.parametrize("setting", [pytest.param(each, id=str(each)) for each in failing_in_the_suite()])
def test_a_device_whose_work_fails_by_itself_is_as_whole_as_it_can_be_after_a_cut_at_every_instant(setting: Setting):
    tallies = list(deal_policies(setting))
    assert [failure for tally in tallies for failure in tally.failures] == []
    assert all(tally.cuts for tally in tallies)


def forgets_the_leap(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """Takes what is on record as being restored for something that can be."""
    match event:
        case Booted(record=Record(doing="restoring", work=Work() as work) as record):
            steps = tuple(replace(each, reversible=True) for each in work.plan.steps)
            event = replace(event, record=replace(record, work=replace(work, plan=replace(work.plan, steps=steps))))
        case _:
            pass
    return step(machine, event)


@pytest.mark.parametrize("half", ["odd", "even"])
@pytest.mark.parametrize("guarded", [True, False], ids=["on flash that refuses it", "on flash that does anything"])
@pytest.mark.parametrize("trouble", ["image self-test", "self-test fails at once"])
def test_a_device_that_takes_back_the_leap_once_it_restarts_is_found_out(
    trouble: str, guarded: bool, half: Half, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(MODELS, "flawed", Model(forgets_the_leap, guarded=guarded))
    failures = exhaust(Setting("never", "single", model="flawed", trouble=trouble), half=half).failures
    assert failures
    assert any("erased the firmware that was running" in each for each in failures) is not guarded
