"""The power goes at every instant of an update whose job is force-deleted.

Where a policy may matter, instants are dealt over the two. All of the product is played by
`python -m tests.power_cuts --all`.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.abilities import Layout
from agent.core import Machine, step
from agent.core.events import BeginStep, Booted, Effect, Event, Remember
from simulator.devices.models import MODELS
from simulator.devices.models.model import Model
from simulator.devices.storage import SURVIVALS
from simulator.scenario import PowerCut
from simulator.trace import Entry
from tests.power_cuts.product import LAYOUTS, Half, deal_policies, exhaust, of_the_suite
from tests.power_cuts.world import Cut, CutDevice, Setting, World, play, played


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
    tally = exhaust(Setting("left", layout))
    assert tally.failures == []
    done = set(tally.instants)
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
    stories = play(Setting("write half"), [Cut((nth,)) for nth in range(1, 69)])
    unsynced = [story for story in stories if story.survivals]
    assert {story.lost_at[0][1] for story in unsynced} >= {"journal sync", "journal sync directory"}
    assert {survives for story in unsynced for survives in story.survivals} == {*SURVIVALS} - {"nothing"}


class Told(World):
    """It keeps its trace; the power goes at `cut` without a world that branches off, if there is one."""

    def __init__(self, setting: Setting, cuts: Sequence[Cut] = (Cut(),), cut: Cut | None = None) -> None:
        super().__init__(setting, cuts)
        self.trace: list[Entry] = []
        self._cut = cut

    def _device(self) -> CutDevice:
        device = super()._device()
        if self._cut is not None:
            device.rig = device.rig._replace(cuts=tuple(PowerCut(nth=nth) for nth in self._cut.nth))
        return device

    def _feed(self, entry: Entry) -> None:
        self.trace.append(entry)
        super()._feed(entry)


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(Setting("write half"), id="undone"),
        pytest.param(Setting("tried", "swap", "lab", then="the same id"), id="on trial, with a bootloader that swaps"),
        pytest.param(Setting("never", "single", trouble="silence since write"), id="without a network"),
    ],
)
def test_a_world_that_branches_off_is_the_one_that_is_played_from_the_start(setting: Setting):
    cuts = [Cut((nth,)) for nth in range(1, 80, 3)] + [Cut((40, nth)) for nth in range(43, 60, 3)]
    branched = {world.device.story.cut: world.trace for world in played(Told(setting, cuts))}
    for cut in cuts:
        (alone,) = played(Told(setting, cut=cut))
        assert [nth for nth, _ in alone.device.story.lost_at] == [*cut.nth]
        assert branched[cut] == alone.trace, cut


def forgets(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """Reads no journal when it starts."""
    return step(machine, replace(event, record=None) if isinstance(event, Booted) else event)


def writes_late(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """Writes down what it has done, and not what it is about to do."""
    machine, effects = step(machine, event)
    begins = any(isinstance(effect, BeginStep) for effect in effects)
    return machine, tuple(effect for effect in effects if not (begins and isinstance(effect, Remember)))


@pytest.mark.parametrize("half", ["odd", "even"])
def test_a_device_that_reads_no_journal_is_found_out(half: Half, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(MODELS, "flawed", Model(forgets))
    assert exhaust(Setting("write half", model="flawed"), since_deletion=True, half=half).failures


@pytest.mark.parametrize("half", ["odd", "even"])
def test_a_device_that_writes_down_a_step_only_when_it_has_ended_is_saved_by_what_its_hardware_shows(
    half: Half, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(MODELS, "flawed", Model(writes_late))
    tally = exhaust(Setting("write half", model="flawed"), since_deletion=True, half=half)
    assert tally.cuts
    assert tally.failures == []
