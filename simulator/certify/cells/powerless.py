"""The cells in which the power goes: last, since they are what a device may not come back from."""

from typing import Final

from simulator.certify.cell import Cell, row
from simulator.certify.conditions import kept, power_cut, same_again
from simulator.certify.points import report, report_accepted, step_middle, taking

POWERLESS: Final[tuple[Cell, ...]] = (
    row(
        "step-middle/power",
        "default",
        step_middle,
        power_cut,
        shows="the power goes while it works, and the job meanwhile: it wakes with half an update that nobody wants",
        mistake="what was in hand before the power went is gone on with, or left half done for ever",
        needs=("power",),
    ),
    row(
        "report-accepted/power",
        "full",
        report_accepted,
        power_cut,
        shows="the power goes as its success has been accepted, and the job meanwhile: done is done",
        mistake="what was done before the power went is done again",
        needs=("power",),
    ),
    row(
        "report/power",
        "full",
        report,
        power_cut,
        shows="the power goes as it reports its success, and the job meanwhile",
        mistake="after the restart the report is owed for ever",
        needs=("power",),
    ),
    row(
        "taking/power",
        "full",
        taking,
        power_cut,
        shows="the power goes as it takes the job, and the job meanwhile",
        mistake="a job that the journal knows and the service does not is begun",
        needs=("power",),
    ),
    row(
        "step-middle/power-kept",
        "full",
        step_middle,
        power_cut,
        kept,
        shows="the control: the power goes, and nothing is deleted, so the job is to be ended, one way or the other",
        mistake="after the restart the job is forgotten, and IN_PROGRESS for ever",
        needs=("power",),
    ),
    row(
        "recreated/power",
        "full",
        step_middle,
        power_cut,
        same_again,
        shows="without power, the job is deleted and made again as it was",
        mistake="the journal's job and the service's have one id, and pass for one",
        needs=("power",),
    ),
)
