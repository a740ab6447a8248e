"""`ghostjob certify` on real devices: what was found by hand, it finds; a correct one it does not accuse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulator.certify.certificate import CellResult, Certificate
from simulator.certify.matrix import CELLS
from tests.devices import outcomes
from tests.devices.building import built
from tests.devices.certified import all_at_once, certified
from tests.devices.commands import COMMANDS
from tests.devices.paho_options import FLAWS

SOON = ("ready_seconds=3", "lost_job_seconds=3")
"""For who never takes the next job: no longer is waited for it."""


class Expected(NamedTuple):
    """What a cell shows of a device: the invariants that it violates, and words of the sentence that says why."""

    cell: str
    violated: tuple[str, ...] = ()
    says: str = ""


class Case(NamedTuple):
    device: str
    cells: tuple[Expected, ...]
    bounds: tuple[str, ...] = ()
    step_seconds: float = 0.1


DIES = ("alive",)
CASES = (
    Case(
        "sdk-v2",
        (
            Expected("step-middle/calm"),
            Expected("step-middle/throttled", DIES, "awsiot.V2ServiceException"),
            Expected(
                "recreated/cut-same-document", ("no-cross-incarnation",), "its update to IN_PROGRESS for an earlier"
            ),
        ),
    ),
    Case(
        "paho-c",
        (Expected("step-middle/calm"), Expected("recreated/same-document", ("ready-in-time",), "was not IN_PROGRESS")),
        SOON,
    ),
    Case(
        "node",
        (Expected("step-middle/calm", DIES, "with exit code 1"), Expected("cancelled/calm", DIES, "with exit code 1")),
    ),
    Case(
        "shell",
        (Expected("step-middle/calm"), Expected("recreated/same-document", ("ready-in-time",), "was not IN_PROGRESS")),
        SOON,
    ),
    Case(
        "flaw-keeps-reporting",
        (Expected("step-middle/calm", ("no-ghost-update",), "updates although told before"),),
        step_seconds=0.3,
    ),
    Case("flaw-crashes-on-empty", (Expected("recreated/same-document", DIES, "with exit code 1"),)),
    Case("paho", (Expected("step-middle/calm"), Expected("recreated/same-document"), Expected("report/held"))),
)


Outcome = tuple[int, Certificate] | BaseException


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """Exit code and certificate; of those whose parts are not there, why not."""
    places = {case.device: tmp_path_factory.mktemp(case.device) for case in CASES}
    found = {name: _built(name, place) for name, place in places.items()}
    there = [case for case in CASES if isinstance(found[case.device], Path)]
    came = all_at_once(
        *(
            certified(
                case.device,
                [each.cell for each in case.cells],
                places[case.device],
                built=found[case.device],
                bounds=case.bounds,
                step_seconds=case.step_seconds,
            )
            for case in there
        )
    )
    certificates = dict(zip((case.device for case in there), came, strict=True))
    return {name: certificates.get(name, why) for name, why in found.items()}


def _built(name: str, place: Path) -> Any:
    try:
        return built(COMMANDS[name].needs, place)
    except (pytest.skip.Exception, pytest.fail.Exception) as why:
        return why


@pytest.mark.parametrize("case", CASES, ids=[case.device for case in CASES])
def test_a_real_device_gets_the_certificate_that_it_deserves(played: Mapping[str, Outcome], case: Case):
    found = played[case.device]
    if isinstance(found, BaseException):
        raise found
    code, certificate = found
    cells = {cell.id: cell for cell in certificate.cells}
    assert {name: _violated(cell) for name, cell in cells.items()} == {each.cell: each.violated for each in case.cells}
    for expected in case.cells:
        cell = cells[expected.cell]
        assert cell.outcome == ("failed" if expected.violated else "passed"), cell.why
        assert expected.says in cell.why
        assert any(each.pointed_at for each in cell.evidence) == bool(expected.violated)
    assert code == any(each.violated for each in case.cells)


def test_it_is_what_was_recorded():
    told = outcomes.recorded()
    for case in CASES:
        found = {each.cell: told[case.device].get(each.cell, ()) for each in case.cells}
        # with other steps and bounds something may be seen besides: silence, where it is waited for longer
        assert all(set(each.violated) <= set(found[each.cell]) for each in case.cells), case.device
        assert all(each.violated or not found[each.cell] for each in case.cells), case.device


def test_what_was_recorded_is_of_cells_that_there_are_and_has_a_meaning():
    told = outcomes.recorded()
    cells = {cell.id for cell in CELLS}
    assert all(set(found) <= cells for found in told.values())
    assert {(name, each) for name in outcomes.REAL for each in outcomes.by_invariant(told[name])} == set(outcomes.MEANS)
    assert sorted([*outcomes.flaws_found(), *outcomes.NOT_FOUND]) == sorted(FLAWS)
    assert told["paho"] == {}


def _violated(cell: CellResult) -> tuple[str, ...]:
    return tuple(each.id for each in cell.invariants if each.outcome == "violated")
