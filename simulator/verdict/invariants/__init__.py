"""The invariants, by their public names."""

from simulator.verdict.findings import Invariant
from simulator.verdict.invariants.asking import asks_before_leap, no_false_abort
from simulator.verdict.invariants.ghosts import no_cross_incarnation, no_ghost_update, no_ghost_work, stops_in_time
from simulator.verdict.invariants.hammering import no_hammering
from simulator.verdict.invariants.hardware import accounted_for, bootable, no_double_apply
from simulator.verdict.invariants.readiness import alive, no_lost_job, ready_in_time
from simulator.verdict.invariants.trial import tests_before_commit

INVARIANTS: tuple[Invariant, ...] = (
    Invariant("bootable", "has nothing whole to boot from at some instant, or is half changed at rest", bootable),
    Invariant(
        "no-ghost-work", "starts a step of an execution it has been told is gone", no_ghost_work, of_requests=True
    ),
    Invariant(
        "no-ghost-update", "goes on updating an execution it has been told is gone", no_ghost_update, of_requests=True
    ),
    Invariant(
        "stops-in-time",
        "starts a new step more than the detection bound after its record was removed, while connected",
        stops_in_time,
    ),
    Invariant(
        "asks-before-leap",
        "crosses the point of no return without an authoritative answer since its last hint or (re)connection",
        asks_before_leap,
    ),
    Invariant(
        "no-cross-incarnation",
        "sends a request meant for one execution that a later one of the same job id accepts",
        no_cross_incarnation,
        of_requests=True,
    ),
    Invariant("no-false-abort", "abandons an execution without an authoritative answer that it ended", no_false_abort),
    Invariant("no-lost-job", "leaves an execution pending beyond the bound while connected and free", no_lost_job),
    Invariant("no-double-apply", "commits one identity twice with no undo between", no_double_apply),
    Invariant(
        "accounted-for",
        "runs a version that no accepted report and no later note explains, or reports the success of one it took back",
        accounted_for,
    ),
    Invariant("ready-in-time", "is not IN_PROGRESS on the next job within the bound", ready_in_time),
    Invariant(
        "no-hammering",
        "repeats permanent errors, or retries faster or more evenly than the stated gap, growth and jitter allow",
        no_hammering,
        of_requests=True,
    ),
    Invariant("alive", "is silent beyond its keep-alives, crashes, or restarts without end", alive),
    Invariant(
        "tests-before-commit",
        "commits firmware, or where the write commits it reports its success, before its self-test has passed",
        tests_before_commit,
    ),
)
"""All of them, in the order in which reports list them."""
