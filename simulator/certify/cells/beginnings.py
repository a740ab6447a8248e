"""The cells that are played only if all are asked for: those in which a job has hardly begun."""

from typing import Final

from simulator.certify.cell import Cell, row
from simulator.certify.conditions import (
    announcement_lost,
    announcement_overtaken,
    calm,
    cut,
    execution_deleted,
    held,
    kept,
    lost,
    other_again,
)
from simulator.certify.points import asking, reading, taking

BEGINNINGS: Final[tuple[Cell, ...]] = (
    row(
        "asking/announcement-lost",
        "full",
        announcement_lost,
        shows="it hears only that there is nothing, of a job that it never heard of",
        mistake="a notify-next without `execution` brings down who has no job in hand",
        needs=("hints",),
    ),
    row(
        "asking/announcement-overtaken",
        "full",
        announcement_overtaken,
        shows="the notification that names the job comes after the one that leaves it out: the older one is no news",
        mistake="notifications are believed in the order in which they come",
        needs=("hints",),
    ),
    row(
        "asking/execution-deleted",
        "full",
        asking,
        execution_deleted,
        shows="its execution is deleted before its question for work arrives, and the job stays",
        mistake="an answer without an execution is an error",
        needs=("own-namespace",),
    ),
    row(
        "asking/recreated",
        "full",
        asking,
        other_again,
        shows="the job is deleted before it asks, and its id used again: it was told of one, and takes the other",
        mistake="what was announced is matched with what is found by the job id alone",
        catches="embedded-crash",
    ),
    row(
        "asking/cut",
        "full",
        asking,
        cut,
        shows="the connection goes with its question for work, and the job meanwhile",
        mistake="a question that was put is taken to be under way still, and never put again",
        catches="device-client",
    ),
    row(
        "reading/held",
        "full",
        reading,
        shows="the job goes between being read and being taken: the update to IN_PROGRESS is refused, nothing begun",
        mistake="work begins before the job was taken",
        needs=("describes",),
    ),
    row(
        "taking/calm",
        "full",
        taking,
        calm,
        shows="the job goes at the moment at which it has been taken",
        mistake="what is deleted before the first report is noticed at the last",
        catches="old-name",
    ),
    row(
        "taking/cut-kept",
        "full",
        taking,
        cut,
        kept,
        shows="the same, and nothing is deleted: the job that it never saw is IN_PROGRESS, and is to be found and done",
        mistake="only QUEUED jobs are looked for, so this one waits for ever",
        catches="device-client",
    ),
    row(
        "taking/lost-kept",
        "full",
        taking,
        lost,
        kept,
        shows="the answer that hands the job over is lost, and nothing is deleted: it asks again, and does it",
        mistake="a job that is IN_PROGRESS already is not taken",
    ),
    row(
        "taking/recreated",
        "full",
        taking,
        held,
        other_again,
        shows="the job is deleted and made again while the answer that hands over the first is on its way",
        mistake="the first update for the old job takes the new one, whose document was never read",
        catches="embedded-crash hammering",
    ),
)
