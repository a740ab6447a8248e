"""The eight cells that find most, in the order in which they do."""

from typing import Final

from simulator.certify.cell import Cell, row
from simulator.certify.conditions import as_request, calm, cut, held, lost, notification_reordered, same_again
from simulator.certify.points import asking, report, report_accepted, step_middle, taking

TELLING: Final[tuple[Cell, ...]] = (
    row(
        "step-middle/calm",
        "quick",
        step_middle,
        calm,
        shows="its job is force-deleted while it works: it stops, tells nobody of it any more, and takes the next",
        mistake="nobody reads the answers to updates, so it works on at what is gone, and reports it",
        catches="hammering reports-success-for-a-gone-job device-client-old drops-the-next-job",
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
        "taking/held",
        "quick",
        taking,
        held,
        shows="the job goes while the answer that hands it over is on its way: it is not worked on to the end",
        mistake="an answer is taken for the state of things, though a notification said otherwise before it came",
        catches="reads-an-answer-sent-before-the-hint",
    ),
    row(
        "report-accepted/lost",
        "quick",
        report_accepted,
        lost,
        shows="its success was accepted, the answer lost, the job deleted: asking again, it finds none, and goes on",
        mistake="it waits for the answer without a time-out, or repeats the report although it is refused for good",
        catches="hammering waits-for-ever device-client-old",
    ),
    row(
        "step-middle/cut",
        "quick",
        step_middle,
        as_request(cut),
        shows="the job is deleted while it is off line: back again, it finds that out, and takes what is there now",
        mistake="what was in hand before the connection was lost is taken to be in hand still",
        needs=("steps",),
    ),
    row(
        "step-middle/notification-reordered",
        "quick",
        step_middle,
        notification_reordered,
        shows="an old notification that nothing is pending comes while it works on the next job: that is no news",
        mistake="a notification is taken for proof that the job in hand is gone",
        catches="acts-on-the-hint-alone embedded-crash over-eager greengrass-nucleus",
        needs=("hints",),
    ),
    row(
        "recreated/same-document",
        "quick",
        step_middle,
        same_again,
        shows="the id of the deleted job is used again, a second later, with the same document: it is another job",
        mistake="jobs are told apart by their id, so the second is taken for a duplicate of the first, and never done",
        catches="device-client",
    ),
    row(
        "asking/held",
        "quick",
        asking,
        shows="the job is gone before its question for work arrives: an answer without an execution is an ordinary one",
        mistake="an answer, or a notify-next, without `execution` brings the agent down",
        catches="embedded-crash crashes-on-an-empty-head",
    ),
)
