"""What a session would make in an account, ask of it and delete there, without asking anything."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulator.certify.aws.afar import LearnedFromAfar
from simulator.certify.aws.desk import AccountSettings
from simulator.certify.aws.reach import DELETION_SECONDS, out_of_reach, reached, seconds_there
from simulator.certify.cell import ESTIMATE, Cell
from simulator.certify.certificate import alike
from simulator.certify.learning import Report
from simulator.certify.names import Names
from simulator.controller.controller import DELETIONS_AT_ONCE
from simulator.scenario import Scenario

TAKE_SECONDS: Final = 5.0
WORK_SECONDS: Final = 60.0
"""How long the device takes to a job and over it, as long as nobody knows."""
DEPTH: Final = 10
"""Columns that what a line begins with takes, where it is about the session."""
ASKS: Final = {"delete-job": "DeleteJob", "cancel-job": "CancelJob", "delete-execution": "DeleteJobExecution"}


@dataclass(frozen=True, slots=True)
class Budget:
    """`jobs` are made and deleted again, `calls` are exact but for those of `looks_a_minute`, which go on throughout.

    `left_out` has each cell that is not played, and why.
    """

    cells: tuple[str, ...]
    left_out: dict[str, str]
    jobs: int
    calls: dict[str, int]
    looks_a_minute: int
    seconds: float

    def lines(self, settings: AccountSettings) -> list[str]:
        """For people."""
        where = settings.endpoint_url or "AWS"
        calls = ", ".join(f"{operation} {count}" for operation, count in self.calls.items())
        made = f"{self.jobs} jobs for thing {settings.thing}, which is made if there is none"
        if settings.makes_certificate:
            made += ", a certificate and its policy"
        return [
            f"nothing was asked of {where}; a session would",
            f"  play    {len(self.cells)} cells: {', '.join(self.cells)}",
            *(f"  not     {', '.join(cells)}: {why}" for why, cells in alike(self.left_out.items())),
            f"  make    {made}; jobs and policy with the tag ghostjob=certify, a thing with that as attribute",
            f"  delete  these, and nothing else; {DELETIONS_AT_ONCE} jobs at most at a time",
            f"  ask     {calls}",
            "  look    DescribeJobExecution, DescribeJob and ListJobExecutionsForThing, "
            f"about {self.looks_a_minute} times a minute",
            f"  last    about {self.seconds / 60:.0f} min with a device that takes {WORK_SECONDS:g} s over a job, "
            "more for each cell that finds it broken",
        ]


def budget(cells: Sequence[Cell], settings: AccountSettings) -> Budget:
    """Of these cells, with a device that reports a step and does its work in a minute."""
    assumed = _assumed(settings)
    left_out = {cell.id: why for cell in cells if (why := out_of_reach(cell, assumed, Names(ESTIMATE))) is not None}
    played = [cell for cell in cells if cell.id not in left_out]
    names = Names(ESTIMATE)
    scenarios = [reached(cell.scenario(assumed, names), assumed, 0.0) for cell in played]
    jobs = 1 + sum(len(scenario.jobs) for scenario in scenarios)
    seconds = sum(seconds_there(cell, assumed, settings.look_seconds) for cell in played)
    clearing = DELETION_SECONDS * -(-jobs // DELETIONS_AT_ONCE)
    return Budget(
        cells=tuple(cell.id for cell in played),
        left_out=left_out,
        jobs=jobs,
        calls=_calls(scenarios, jobs, settings),
        looks_a_minute=round(3 * 60 / settings.look_seconds),
        seconds=WORK_SECONDS + seconds + clearing,
    )


def _calls(scenarios: Sequence[Scenario], jobs: int, settings: AccountSettings) -> dict[str, int]:
    asked = Counter(ASKS.get(each.do, each.do) for scenario in scenarios for each in scenario.deletions)
    certificate = (
        "CreateCertificateFromCsr",
        "CreatePolicy",
        "AttachPolicy",
        "AttachThingPrincipal",
        "DetachThingPrincipal",
        "DetachPolicy",
        "UpdateCertificate",
        "DeleteCertificate",
        "DeletePolicy",
    )
    calls = Counter({"DescribeEndpoint": 1, "DescribeThing": 3 + len(scenarios), "ListJobExecutionsForThing": 2})
    calls |= Counter({"CreateThing": 1, "CreateJob": jobs})
    calls |= Counter({"DeleteJob": jobs, "DeleteThing": 1})
    calls |= Counter({name: count for name, count in asked.items() if name != "DeleteJob"})
    calls["ListJobExecutionsForJob"] = asked["DeleteJobExecution"]
    if settings.makes_certificate:
        calls |= Counter(certificate)
    return {name: count for name, count in calls.items() if count}


def _assumed(settings: AccountSettings) -> LearnedFromAfar:
    reports = (
        Report("IN_PROGRESS", (), TAKE_SECONDS),
        Report("IN_PROGRESS", (("step", "download"),), TAKE_SECONDS + WORK_SECONDS / 3),
        Report("IN_PROGRESS", (("step", "install"),), TAKE_SECONDS + WORK_SECONDS * 2 / 3),
        Report("SUCCEEDED", (), TAKE_SECONDS + WORK_SECONDS),
    )
    return LearnedFromAfar(
        carrier="mqtt",
        takes_by="start-next",
        namespace_id=settings.namespace_id,
        clients=(),
        asks_on_connect=(),
        listens=(),
        polls_seconds=None,
        take_seconds=TAKE_SECONDS,
        work_seconds=WORK_SECONDS,
        longest_gap_seconds=WORK_SECONDS / 3,
        reports=reports,
        step_key="step",
        sends_tokens=False,
        sends_expected_version=False,
        seen_by="control-plane",
        look_seconds=settings.look_seconds,
    )
