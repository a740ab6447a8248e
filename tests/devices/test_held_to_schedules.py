"""Devices that are not ours are held to schedules of the explorer's: how far, what comes of it, and where they part."""

from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulator.certify.certificate import CellResult, Certificate
from tests.devices.certified import all_at_once, certified

SCHEDULES = Path(__file__).parents[1] / "explore" / "schedules"


class Case(NamedTuple):
    """A schedule, which invariants a device violates that is held to it, and words of why it is not passed."""

    device: str
    schedule: str
    violated: tuple[str, ...] = ()
    says: str = ""


CASES = (
    Case("paho", "update"),
    Case("paho", "deleted-while-writing"),
    Case("paho", "twice-and-late"),
    Case("paho", "used-again-while-powerless"),
    Case("paho", "works-for-the-one-before"),
    Case("paho", "cannot-write-the-only-slot", says="'arrive update fw FAILED': expected the packet update; saw upd"),
    Case("flaw-crashes-on-empty", "deleted-while-writing"),
    Case("flaw-crashes-on-empty", "commits-once-more-without-its-job", ("alive",), "with exit code 1"),
    Case("flaw-keeps-reporting", "deleted-while-writing", ("no-ghost-update",), "updates although told before"),
    Case("model-reference", "update"),
    Case("model-reference", "lost-answer"),
    Case("model-reference", "commits-once-more-without-its-job"),
)
DEVICES = tuple(dict.fromkeys(case.device for case in CASES))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Certificate]:
    """Each device's certificate."""

    def call(device: str) -> Coroutine[Any, Any, tuple[int, Certificate]]:
        paths = [SCHEDULES / f"{case.schedule}.yaml" for case in CASES if case.device == device]
        place = tmp_path_factory.mktemp(device)
        return certified(device, (), place, built=place, step_seconds=0.2, schedules=paths)

    certificates = all_at_once(*map(call, DEVICES))
    return {device: certificate for device, (_, certificate) in zip(DEVICES, certificates, strict=True)}


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.device} {case.schedule}") for case in CASES])
def test_a_device_is_held_to_a_schedule_as_far_as_it_can_be(case: Case, played: Mapping[str, Certificate]):
    cell = cell_of(played[case.device], f"schedule/{case.schedule}")
    outcome = "failed" if case.violated else "inconclusive" if case.says else "passed"
    assert cell.outcome == outcome, cell.why
    violated = {each.id for each in cell.invariants if each.outcome == "violated"}
    assert violated >= set(case.violated)
    assert bool(violated) == bool(case.violated)
    assert case.says in cell.why
    assert any(place.id.startswith("fault-struck") for place in cell.reached)


def cell_of(certificate: Certificate, name: str) -> CellResult:
    return next(cell for cell in certificate.cells if cell.id == name)
