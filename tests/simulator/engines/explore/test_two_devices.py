"""Two devices: each is judged by itself, whatever the other is at."""

import pytest

from simulator.engines.explore.answer import Found, verdict_of
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.system import System


@pytest.mark.parametrize("devices", ["two things", "two namespaces"])
def test_two_devices_that_poll_by_turns_are_both_well(devices: str):
    system = System(Setup.model_validate({"devices": devices, "reports": "end", "bounds": {}}))
    found = explore(system)
    assert found.complete
    assert found.holds
    assert verdict_of(system, Found(found), name="two").outcome == "passed"


def test_one_that_is_never_well_again_is_told_though_the_other_is():
    setup = Setup(
        devices="two namespaces",
        model="reboots-while-recovering",
        reports="end",
        layout="single",
        bounds=Bounds(delete=1),
    )
    system = System(setup)
    found = explore(system)
    assert [cycle.device for cycle in found.cycles] == [0]
    told = [each for each in verdict_of(system, Found(found), name="two").explored.findings if each.sort == "cycle"]
    assert [each.why for each in told] == ["from here dev-1 may go round for ever and never come to rest"]
    assert "device 2" in " ".join(told[0].loop)
