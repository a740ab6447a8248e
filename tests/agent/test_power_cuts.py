"""The power goes at every instant of an update whose job is force-deleted.

Where a policy may matter, instants are dealt over the two. All of the product is played by
`python -m tests.power_cuts --all`.
"""

from dataclasses import replace
from typing import Any

import pytest

from agent.abilities import Layout
from agent.core import Machine, step
from agent.core.events import BeginStep, Booted, Effect, Event, Remember
from simulator.devices.models import MODELS
from simulator.devices.models.model import Model
from simulator.devices.storage import SURVIVALS
from tests.power_cuts.product import LAYOUTS, Half, deal_policies, exhaust, of_the_suite
from tests.power_cuts.world import Cut, Setting, play


@pytest.mark.parametrize(
    "setting", [pytest.param(each, id=str(each)) for layout in LAYOUTS for each in of_the_suite(layout)]
)
def test_a_device_is_whole_and_ready_again_after_a_power_cut_at_every_instant(setting: Setting):
    tallies = list(deal_policies(setting, since_deletion=True))
    assert [failure for tally in tallies for failure in tally.failures] == []
    assert all(tally.cuts for tally in tallies)


@pytest.mark.parametrize(
    ("moment", "layout"), [("download half", "ab"), ("commit begins", "swap"), ("reboot begins", "single")]
)
def test_a_second_cut_at_every_instant_of_the_recovery_from_the_first_is_survived_too(moment: str, layout: Layout):
    assert exhaust(Setting(moment, layout), twice=True, since_deletion=True).failures == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_instants_are_every_sector_every_step_of_the_journal_every_message_and_every_reboot(layout: Layout):
    done = set(exhaust(Setting("left", layout)).instants)
    sectors = {f"write {number}/32" for number in range(1, 33)} | {f"download {number}/16" for number in range(1, 17)}
    if layout == "swap":
        sectors |= {f"exchange {number}/16" for number in range(1, 17)}
    journal = {f"journal {deed}" for deed in ("write", "sync", "write new", "sync new", "rename", "sync directory")}
    assert done >= sectors | journal | {"reboot", "publish update", "publish start-next"}


def test_undoing_can_be_cut_at_every_sector_too():
    done = exhaust(Setting("write half"), since_deletion=True).instants
    written = sum(name.startswith("undo write ") for name in done)
    assert written > 1
    assert {f"undo write {number}/{written}" for number in range(1, written + 1)} <= set(done)
    assert {f"undo download {number}/16" for number in range(1, 17)} <= set(done)


def test_every_way_in_which_the_last_write_of_the_journal_may_survive_is_played():
    stories, _ = play(Setting("write half"), [Cut((nth,)) for nth in range(1, 69)])
    unsynced = [story for story in stories if story.survivals]
    assert {story.lost_at[0][1] for story in unsynced} >= {"journal sync", "journal sync directory"}
    assert {survives for story in unsynced for survives in story.survivals} == {*SURVIVALS} - {"nothing"}


def forgets(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """Reads no journal when it starts."""
    return step(machine, replace(event, record=None) if isinstance(event, Booted) else event)


def writes_late(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """Writes down what it has done, and not what it is about to do."""
    machine, effects = step(machine, event)
    begins = any(isinstance(effect, BeginStep) for effect in effects)
    return machine, tuple(effect for effect in effects if not (begins and isinstance(effect, Remember)))


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(forgets, id="that reads no journal"),
        pytest.param(writes_late, id="that writes down a step when it has ended, and not before"),
    ],
)
@pytest.mark.parametrize("half", ["odd", "even"])
def test_a_device_is_found_out(model: Any, half: Half, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(MODELS, "flawed", Model(model))
    assert exhaust(Setting("write half", model="flawed"), since_deletion=True, half=half).failures
