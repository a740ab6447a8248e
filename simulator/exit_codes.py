"""What the exit codes of `ghostjob` mean. `delete-job` alone has the AWS CLI's."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal


class ExitCode(IntEnum):
    """By name; MEANINGS has a sentence for each."""

    PASSED = 0
    FAILED = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    FAULT = 70
    """EX_SOFTWARE of sysexits.h. Python's own code for it, 1, would be a verdict."""
    INTERRUPTED = 130
    READER_GONE = 141
    """What a shell makes of SIGPIPE, of which other tools die then."""


MEANINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.PASSED: "passed: no invariant was violated, and every place that the scenario names was reached",
    ExitCode.FAILED: "failed: an invariant was violated; of `ghostjob agent`: it crashed",
    ExitCode.BAD_INPUT: "bad input, said in one line, or output that cannot be written, whatever the verdict",
    ExitCode.INCONCLUSIVE: "inconclusive: the run could not show it, as a place was not reached, an invariant is "
    "undecided, the time limit was met, or one of its processes was lost; of `ghostjob control`: the instant did not "
    "come, and nothing was deleted",
    ExitCode.FAULT: "a fault of ghostjob's own, told on stderr",
    ExitCode.INTERRUPTED: "interrupted, by Ctrl-C, SIGTERM or the end of the terminal; what was known then was told, "
    "and is kept with `--out`",
    ExitCode.READER_GONE: "whoever read stdout has closed it, as after `| head`",
}
OF_OUTCOME: Final[Mapping[Literal["passed", "failed", "inconclusive"], ExitCode]] = {
    "passed": ExitCode.PASSED,
    "failed": ExitCode.FAILED,
    "inconclusive": ExitCode.INCONCLUSIVE,
}
