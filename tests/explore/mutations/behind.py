"""Why nobody misses some rules: what stands behind them, or why either way is right."""

from typing import Final, NamedTuple

from simulator.engines.explore.setup import Setup
from tests.explore.mutations.worlds import world

LATE: Final = "recovering.on_step_late: `isinstance(phase, Executing) or phase.running` is dropped from an `and`"
RUNS_ALREADY: Final = 'recovery.TABLE: no row "what it asks for runs already"'


class Behind(NamedTuple):
    """Another mutation, with which it is caught in a world in which neither is alone."""

    other: str
    world: Setup


BEHIND: Final[dict[str, Behind]] = {
    "working.step_over: no `turn.do(CancelTimer('step'))`": Behind(
        LATE, world({"delete": 1, "early": 1}, asks="configuration")
    ),
    "doubting.on_step_ended: no `turn.do(CancelTimer('step'))`": Behind(
        LATE, world({"delete": 1, "early": 1}, asks="configuration")
    ),
    "restarting.on_booted: no case `'reporting'`": Behind(RUNS_ALREADY, world({"power-cut": 1}, reports="end")),
    "state.record_of: no `work=_unversioned(told.work)`": Behind(RUNS_ALREADY, world({"power-cut": 1}, reports="end")),
}
"""By mutation: the rule that does the same where it is needed."""

RIGHT: Final[dict[str, str]] = {
    "working.read_update_answer: no `version_number=state.version_number if state else work.version_number + 1`": (
        "the next update is refused as out of step, with the version and our own nonce, and so known as ours"
    ),
    "working.settle_report: no `resyncing=True`": (
        "it is for a describe that finds the end without its status; there the report is already known by its nonce"
    ),
    "doubting.speaks_against: `head.key != key` is dropped from an `or`": (
        "another head comes with a list without ours, and either is enough of a reason to ask"
    ),
    "doubting.idle_hears: no `empty_answers=0`": "it asks less often at once, and polls all the same",
    "doubting.suspect_hears: `_omits(hint, suspect.work.key)` is dropped from an `or`": (
        "whatever speaks against ours asks for several answers then, where one is enough"
    ),
    "doubting.on_gate_answered: no `turn.suspect(suspect, 'no leave to go on')`": (
        "the very answer is dealt with in the doubt that it would enter"
    ),
    "doubting._found: `suspect.omitted` is dropped from an `and`": "several answers clear every doubt, where one is enough",
}
"""By mutation: why a device that does so is right as well."""
