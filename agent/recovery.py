"""What to do with half-done work when its execution ended: the table, as data.

Four things decide: how far the work had come, how the execution ended, whether power was lost since, and the policy
of the device's owner. The first row that fits says what to do.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from agent.device_events import End


class Reached(StrEnum):
    """How far the work had come."""

    NOTHING = "nothing begun"
    STAGED = "staged, not switched"
    SWITCHED = "switched, not rebooted"
    TRIAL = "on trial"
    LEAPT = "past the point of no return"
    RAN = "a program has begun, or may have"


class Remedy(StrEnum):
    """What is done about it."""

    DROP = "drop it"
    UNDO = "undo in reverse order, verify"
    FINISH = "finish, verify, tell with the next report"
    FINISH_OR_UNDO = "finish, but undo if the self-test fails; verify, tell with the next report"
    REPEAT_REPORT = "repeat the report"
    BEGIN_ANEW = "begin anew from the first step"
    HOLD = "hold, and go on asking"
    REPORT_DONE = "report success: it is done already"
    STOP = "stop it with all that it started, verify"
    FAIL = "report that it failed"
    GO_ON = "go on, with an interrupted step once more"


PointOfNoReturn: TypeAlias = Literal["revert-until-commit", "finish-after-switch"]
"""The policy: `revert-until-commit` takes everything back before the leap; `finish-after-switch` goes forward once the
boot selector has been switched, because a rollback costs a second reboot."""

Ending: TypeAlias = End | Literal["alive", "accepted", "deleted-after-report", "unknown", "orphan", "orphan-finished"]
"""How it ended, or did not. `alive`: only we were interrupted; `accepted`: our own report stands;
`deleted-after-report`: it was accepted, and then the record went; `unknown`: nobody answers; `orphan`: the service says
IN_PROGRESS and the journal does not know it; `orphan-finished`: the journal calls it finished."""

LOST: Final[tuple[Ending, ...]] = ("gone", "cancelled", "timed-out", "removed", "replaced")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. None fits everything; `restarted` tells whether the device lost its memory in the middle of it."""

    ended: tuple[Ending, ...]
    reached: tuple[Reached, ...] | None
    restarted: bool | None
    policy: PointOfNoReturn | None
    remedy: Remedy
    why: str


R = Reached
TABLE: Final[tuple[Rule, ...]] = (
    Rule(("accepted", "deleted-after-report"), None, None, None, Remedy.DROP, "the work is done and told"),
    Rule(("orphan-finished",), None, None, None, Remedy.REPEAT_REPORT, "the answer to our report was lost"),
    Rule(("orphan",), (R.LEAPT,), None, None, Remedy.REPORT_DONE, "what it asks for runs already"),
    Rule(("orphan",), (R.TRIAL,), None, None, Remedy.GO_ON, "the hardware shows how far it came"),
    Rule(("orphan",), (R.RAN,), None, None, Remedy.FAIL, "whether a program may run twice, nobody said"),
    Rule(
        ("orphan",),
        None,
        None,
        None,
        Remedy.BEGIN_ANEW,
        "what may not be done twice is told before it begins, and has not been told",
    ),
    Rule(("unknown",), (R.TRIAL,), None, None, Remedy.UNDO, "new firmware that cannot reach the service is no good"),
    Rule(("unknown",), None, None, None, Remedy.HOLD, "silence says nothing"),
    Rule(("alive",), (R.RAN,), True, None, Remedy.FAIL, "whether a program may run twice, nobody said"),
    Rule(("alive",), None, None, None, Remedy.GO_ON, "every other step can be done again"),
    Rule(LOST, (R.NOTHING,), None, None, Remedy.DROP, "nothing has been changed"),
    Rule(LOST, (R.STAGED,), None, None, Remedy.UNDO, "what is staged can be taken back, half a step too"),
    Rule(
        LOST,
        (R.SWITCHED, R.TRIAL),
        None,
        "finish-after-switch",
        Remedy.FINISH_OR_UNDO,
        "a rollback costs a second reboot",
    ),
    Rule(LOST, (R.SWITCHED, R.TRIAL), None, None, Remedy.UNDO, "before the commit nothing is lost"),
    Rule(LOST, (R.LEAPT,), None, None, Remedy.FINISH, "there is no way back"),
    Rule(LOST, (R.RAN,), None, None, Remedy.STOP, "nobody wants its result any more"),
)


def remedy_for(ended: Ending, reached: Reached, *, restarted: bool, policy: PointOfNoReturn) -> Remedy:
    """What the table says."""
    for row in TABLE:
        if (
            ended in row.ended
            and (row.reached is None or reached in row.reached)
            and row.restarted in (None, restarted)
            and row.policy in (None, policy)
        ):
            return row.remedy
    raise AssertionError(f"the table has a row for everything, so for {ended}, {reached} too")
