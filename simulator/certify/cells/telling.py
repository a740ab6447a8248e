"""The eight cells that find most, in the order in which they do."""

from typing import Final

from simulator.certify.cell import Cell, row
from simulator.certify.conditions import as_request, calm, cut, held, lost, other_head, same_again, throttled
from simulator.certify.points import asking, report, report_accepted, step_first, step_middle, taking

TELLING: Final[tuple[Cell, ...]] = (
    row(
        "step-middle/calm",
        "quick",
        step_middle,
        calm,
        shows="its job is force-deleted while it works: it stops, tells nobody of it any more, and takes the next",
        mistake="nobody reads the answers to updates, so it works on at what is gone, and reports it",
        catches="drops-the-next-job hammering",
    ),
    row(
        "report/held",
        "quick",
        report,
        held,
        shows="the report of its success is on its way as the job goes: told that there is none, it is done with it",
        mistake="a last report that is refused is repeated for ever, and the device never free again",
        catches="hammering device-client-old",
    ),
    row(
        "report-accepted/lost",
        "quick",
        report_accepted,
        lost,
        shows="its success was accepted, the answer lost, the job deleted: asking again, it finds none, and goes on",
        mistake="it waits for the answer without a time-out, or repeats the report although it is refused for good",
        catches="hammering device-client-old",
    ),
    row(
        "taking/cut",
        "quick",
        taking,
        cut,
        shows="the answer that hands the job over is lost with the connection, and the job deleted meanwhile",
        mistake="what the service has IN_PROGRESS and the device never saw blocks it",
        catches="device-client old-name",
    ),
    row(
        "provoked/other-head",
        "quick",
        step_first,
        other_head,
        shows="a late notify-next names a job that has come and gone while it works on a third: it works on",
        mistake="another job at the head is taken for the end of the one in hand",
        catches="embedded-crash waits-for-ever over-eager ota-self-test-flag",
        needs=("hints",),
    ),
    row(
        "recreated/cut-same-document",
        "quick",
        step_middle,
        as_request(cut),
        same_again,
        shows="off line, the job is deleted and made again as it was: what is found is not what was left",
        mistake="the old work is gone on with, under a job that has not begun",
        catches="embedded-crash old-name waits-for-ever over-eager",
        needs=("steps",),
    ),
    row(
        "step-middle/throttled",
        "quick",
        step_middle,
        throttled,
        shows="what it asks after the deletion is throttled three times: it asks again later, and finds the next job",
        mistake="RequestThrottled is taken for a refusal for good, and the device gives up",
        catches="greengrass-nucleus device-client waits-for-ever",
    ),
    row(
        "asking/held",
        "quick",
        asking,
        shows="the job is gone before its question for work arrives: an answer without an execution is an ordinary one",
        mistake="an answer, or a notify-next, without `execution` brings the agent down",
    ),
)
