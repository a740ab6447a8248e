"""One well-behaved device beside a hostile client of each kind. What holds on any machine is asserted; how soon it is
answered is a figure of `python -m tests.hostile beside`."""

import pytest

from tests.hostile.beside import KINDS, Beside, beside
from tests.hostile.device import Seen

SECONDS = 1.0
"""For each kind, at least."""


async def test_a_device_is_answered_beside_a_hostile_client_of_each_kind():
    results, wrong = await beside(list(KINDS), seed=0, seconds=SECONDS)
    findings = [finding for each in results for finding in each.findings()]
    assert [*findings, *wrong] == []
    assert [each.kind for each in results] == list(KINDS)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"seen": Seen([0.001], ["get: no answer"])}, "the device: get: no answer", id="an answer is lost"),
        pytest.param({"seen": Seen([])}, "no round trip", id="the device was not served at all"),
        pytest.param({"did": {"packets": 0}}, "nothing was tried", id="the attack did not happen"),
        pytest.param({"did": {"packets": 9, "stuck": 1}}, "1 stuck", id="something hangs"),
        pytest.param({"held_cpu_ms": 400.0}, "held for 400 ms", id="the loop was held"),
        pytest.param({"grown_mib": 900.0}, "900 MiB more", id="memory was taken"),
    ],
)
def test_what_goes_wrong_beside_an_attack_is_found(more, says):
    well = {"did": {"packets": 9, "stuck": 0}, "seen": Seen([0.001])}
    assert Beside("mutated packets", **well).findings() == []
    (found,) = Beside("mutated packets", **(well | more)).findings()
    assert says in found
