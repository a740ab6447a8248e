"""Devices that do wrong, and what their samples show of it."""

from tests.simulator.verdict.sampled.bench import DEAD, LATE, NEW, OLD, READY, Bench, story
from tests.simulator.verdict.tale import BOUNDS, FW, NEXT


@story("alive", "violated")
@story("bootable", "undecided")
def dies_with_nothing_to_do(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.is_dead(DEAD)


def crashes_when_its_job_is_gone(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.crash("ended by itself, with exit code 1")
    bench.disconnect()
    bench.connect()
    bench.starts(NEXT)
    bench.succeeds(NEXT)


@story("bootable", "violated")
@story("alive", "violated")
def does_not_boot_when_its_power_comes_back(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.cuts_power()
    bench.disconnect()
    bench.probe(False)
    bench.restores_power()
    bench.is_dead(DEAD)


@story("accounted-for", "violated")
def reports_a_success_and_runs_what_ran_before(bench: Bench) -> None:
    bench.starts()
    bench.succeeds(FW)
    bench.sees(OLD, READY)


@story("accounted-for", "violated")
def reports_a_success_and_runs_what_ran_at_first_and_no_job_brings(bench: Bench) -> None:
    bench.told_at_the_start(versions={"next": ("3.0",)})
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.sees(OLD, READY)


@story("accounted-for", "violated")
def takes_a_reported_version_back_in_silence(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.is_dead(0.3)
    bench.sees(OLD, READY)


@story("accounted-for", "violated")
def keeps_a_deleted_version_and_says_nothing(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(NEW)
    bench.starts(NEXT)
    bench.fails(NEXT, reason="no room")
    bench.sees(NEW, READY)


@story("accounted-for", "undecided")
def keeps_a_deleted_version_and_had_no_job_to_tell_it_with(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(NEW, READY)


@story("accounted-for", "undecided")
def runs_what_no_job_brings(bench: Bench) -> None:
    bench.starts()
    bench.succeeds(FW)
    bench.sees("2.0-rc1 (build 7)", READY)


@story("stops-in-time", "violated")
def switches_long_after_its_record_was_removed(bench: Bench) -> None:
    bench.starts()
    bench.remove(FW)
    bench.sees(OLD, LATE)
    bench.sees(NEW, LATE)


@story("no-ghost-work", "violated")
def switches_long_after_it_was_told(bench: Bench) -> None:
    bench.starts()
    bench.say(FW, "write")
    bench.is_deleted()
    bench.sees(OLD, LATE)
    bench.sees(NEW)


@story("tests-before-commit", "violated")
def vouches_for_what_it_boots_only_then(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.sees(NEW, BOUNDS.detection_seconds + 1)
    bench.is_dead(0.5)
    bench.sees(OLD)


@story("tests-before-commit", "held")
def runs_it_by_the_first_sample_after_its_report(bench: Bench) -> None:
    bench.starts()
    bench.sees(OLD)
    bench.succeeds(FW)
    bench.sees(NEW)


@story("tests-before-commit", "not-exercised")
def runs_it_by_a_later_sample_alone(bench: Bench) -> None:
    bench.starts()
    bench.succeeds(FW)
    bench.sees(OLD, 0.3)
    bench.is_dead(0.2)
    bench.sees(NEW)


@story("no-double-apply", "undecided")
def runs_it_leaves_it_and_runs_it_again(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.sees(OLD)
    bench.sees(NEW)
