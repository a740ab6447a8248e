"""What a session makes of a play in which the tool itself did not do what the cell says."""

import pytest

from simulator.certify.session import no_cut
from simulator.trace import CLOUD, ENGINE, CloudEvent, EngineEvent, Entry, FaultOver, PowerCutOff

OUT_OF_REACH = "something that ./agent started has left its process group"
CUT = PowerCutOff("pump-7", "fault mark struck")


@pytest.mark.parametrize(
    ("source", "event", "survived", "said"),
    [
        pytest.param(CLOUD, FaultOver("pump-7", "mark", "done"), None, None, id="held until it had come"),
        pytest.param(ENGINE, CUT, None, None, id="its power was cut"),
        pytest.param(ENGINE, CUT, OUT_OF_REACH, OUT_OF_REACH, id="part of it lives on"),
        pytest.param(CLOUD, FaultOver("pump-7", "mark", "done"), OUT_OF_REACH, None, id="in a cell before this one"),
    ],
)
def test_what_was_not_done_to_a_device_shows_nothing(
    source: str, event: CloudEvent | EngineEvent, survived: str | None, said: str | None
):
    assert no_cut((Entry(source, 1, 1.0, event),), survived) == said
