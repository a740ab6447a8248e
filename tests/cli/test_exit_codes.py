"""The table of exit codes: every code has a meaning, and every outcome a code."""

from typing import get_args

from simulator.exit_codes import MEANINGS, OF_OUTCOME, ExitCode
from simulator.verdict import RunOutcome


def test_every_code_has_a_meaning_that_begins_with_its_outcome():
    assert list(MEANINGS) == list(ExitCode)
    assert {outcome: MEANINGS[code].partition(":")[0] for outcome, code in OF_OUTCOME.items()} == {
        outcome: outcome for outcome in get_args(RunOutcome)
    }
