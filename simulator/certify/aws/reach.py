"""Which cells of the matrix can be played where nobody holds a packet for us, and when their jobs go there.

A cell whose mark is no fault (see `simulator.certify.points`) is played with the report, or the status, that the mark
is about: the deletion is asked for once the control plane shows that. It is later than the packet, by a look at most,
and what the device has done meanwhile the cell does not know. All else is the gateway's doing, and not to be had.
"""

from dataclasses import replace
from typing import Final

from simulator.certify.cell import Cell, row
from simulator.certify.draft import MARK, Draft
from simulator.certify.learning import Learned
from simulator.certify.matrix import CELLS, Names
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.settings.service import PLAYED, Fault
from simulator.scenario import Deletion, Instant, Place, Scenario, When

DELETION_SECONDS: Final = 60.0
"""About how long a deletion lasts there."""
LONGEST_DELETION_SECONDS: Final = 600.0
SLOW_SECONDS: Final = 4.0
"""Who takes longer than this to take a job can have it deleted before that."""
GATEWAY: Final = "needs the local cloud, whose gateway holds, loses or delays packets; this endpoint's does not"
SETTINGS: Final = "needs the local cloud, which can be told how it deletes; this endpoint cannot"
POWER: Final = "needs the local cloud: a deletion lasts too long here to fall into the time without power"
QUICK_TO_TAKE: Final = "it takes a job within {:.1f} s, sooner than one can be sure to delete it here"


def _unasked(draft: Draft) -> Draft:
    """The job goes as soon as it is queued."""
    drawn = draft.but(when=When(status="QUEUED"))
    return drawn.reaching(Place(place="deleted-before-start", job=draft.lost.id))


UNASKED: Final = row(
    "asking/unasked",
    "quick",
    _unasked,
    shows="the job is gone before the device asks for work: it finds none, and takes the next",
    mistake="an answer, or a notify-next, without `execution` brings the agent down",
)
OF_ACCOUNTS: Final = (*(cell for cell in CELLS if cell.id == "taking/calm"), UNASKED)
"""Cells that are played on accounts before all others; the local cloud has sharper ones in their place."""


def out_of_reach(cell: Cell, learned: Learned, names: Names) -> str | None:
    """Why a cell cannot be played there; None if it can."""
    scenario = cell.scenario(learned, names)
    if scenario.power_cuts:
        return POWER
    if cell.turns is not None or any(not _is_bare(fault) for fault in scenario.faults):
        return GATEWAY
    if replace(scenario.cloud, deletion_seconds=0) != replace(JobsSettings(**PLAYED), deletion_seconds=0):
        return SETTINGS
    if cell is UNASKED and learned.take_seconds < SLOW_SECONDS:
        return QUICK_TO_TAKE.format(learned.take_seconds)
    return None


def _is_bare(fault: Fault) -> bool:
    """Whether it does nothing, and only says when."""
    return fault.name == MARK and fault.do == "delay" and fault.seconds == 0


def reached(scenario: Scenario, learned: Learned, seconds: float) -> Scenario:
    """A cell's scenario as it is played there, within so many seconds if all goes well."""
    mark = next(iter(scenario.faults), None)
    bounds = scenario.bounds
    is_awaited = any(job.after is not None and job.after.until == "gone" for job in scenario.jobs)
    deletion = LONGEST_DELETION_SECONDS if is_awaited else DELETION_SECONDS
    most = bounds.ready_seconds + bounds.uninterruptible_seconds + learned.work_seconds + deletion
    return scenario.model_copy(
        update={
            "faults": (),
            "deletions": tuple(_due(each, scenario, mark, learned) for each in scenario.deletions),
            "must_reach": tuple(place for place in scenario.must_reach if place.place != "fault-struck"),
            "cloud": JobsSettings(**PLAYED),
            "time_limit_seconds": min(seconds + most, 86_400.0),
        }
    )


def _due(deletion: Deletion, scenario: Scenario, mark: Fault | None, learned: Learned) -> Deletion:
    when: Instant = deletion.when
    if when.fault is None or mark is None:
        return deletion
    if deletion.job != scenario.jobs[0].id:  # another job is struck while the first is in hand
        instant = When(after_seconds=round(max(1.0, learned.longest_gap_seconds / 2), 3))
    else:
        instant = _instant(mark, learned, when.later_seconds)
    return deletion.model_copy(update={"when": instant})


def _instant(mark: Fault, learned: Learned, later_seconds: float) -> When:
    if mark.step is not None:
        return When(step=mark.step, later_seconds=later_seconds)
    if mark.status == "SUCCEEDED":
        return When(status="SUCCEEDED", later_seconds=later_seconds)
    # A report without a name: at its time, as far as that was learned.
    number = (mark.nth or 1) - 1
    since = learned.progress[number].seconds - learned.take_seconds if mark.nth and learned.progress else 0.0
    at_report = since if "update-answer" in mark.messages and number < len(learned.progress) else 0.0
    return When(status="IN_PROGRESS", later_seconds=round(later_seconds + max(at_report, 0.0), 3))


def seconds_there(cell: Cell, learned: Learned, look_seconds: float) -> float:
    """About how long a cell takes there."""
    deletions = DELETION_SECONDS if "recreated" in cell.point else 0.0
    return round(cell.seconds(learned) + deletions + 4 * look_seconds, 3)
