"""Devices that do right, however odd it looks through a probe."""

from tests.simulator.verdict.sampled.bench import DEAD, LAST, LATE, NEW, OLD, Bench, right, story
from tests.simulator.verdict.stories.scenes import RNF
from tests.simulator.verdict.tale import BOUNDS, FW, FW_AGAIN, NEXT


@story("accounted-for", "held")
@story("tests-before-commit", "held")
@story("no-double-apply", "held")
@story("bootable", "held")
@right
def works_through_its_jobs(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.works_through(NEXT, OLD)
    bench.wait(LATE)
    bench.sees(OLD)


@right
def boots_slowly(bench: Bench) -> None:
    bench.starts()
    bench.disconnect()
    bench.is_dead(BOUNDS.silence_seconds - 2)
    bench.connect()
    bench.sees(NEW)
    bench.succeeds(FW)
    bench.sees(NEW, LATE)


@right
def tries_an_image_and_falls_back(bench: Bench) -> None:
    bench.starts()
    bench.is_dead(0.3)
    bench.sees(NEW, 2)
    bench.is_dead(0.3)
    bench.sees(OLD)
    bench.fails(FW, reason="self-test")
    bench.works_through(NEXT, OLD)
    bench.sees(OLD, LATE)


@story("accounted-for", "not-exercised")
@right
def is_deleted_on_trial_and_falls_back(bench: Bench) -> None:
    bench.starts()
    bench.is_dead(0.3)
    bench.sees(NEW)
    bench.is_deleted()
    bench.is_dead(0.3)
    bench.sees(OLD, LATE)


@right
def boots_what_it_had_switched_to_just_before_it_was_told(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.is_dead(0.3)
    bench.sees(NEW, 1)
    bench.is_dead(0.3)
    bench.sees(OLD, LATE)


@right
def tells_its_version_late(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.sees(NEW, BOUNDS.ready_seconds - 1)
    bench.sees(OLD, LATE)


@right
def restarts_after_its_success(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.is_dead(0.5)
    bench.sees(NEW, LATE)


@right
def could_not_be_sampled(bench: Bench) -> None:
    bench.starts()
    bench.probe(None, took=5)
    bench.wait(2 * DEAD)
    bench.probe(None, took=5)
    bench.succeeds(FW)


@right
def is_dead_to_a_probe_that_hangs_in_between(bench: Bench) -> None:
    for _ in range(8):
        bench.is_dead(DEAD / 4)
        bench.probe(None, took=5)


@story("alive", "held")
@right
def talks_although_its_probe_is_wrong(bench: Bench) -> None:
    bench.queue(FW)
    bench.take(FW)
    for _ in range(6):
        bench.is_dead(DEAD / 4)
        bench.say(FW, "download")


@right
def has_no_power(bench: Bench) -> None:
    bench.cuts_power()
    bench.disconnect()
    bench.is_dead(2 * DEAD)


@right
def boots_slowly_after_its_power_came_back(bench: Bench) -> None:
    bench.cuts_power()
    bench.is_dead(2 * DEAD)
    bench.restores_power()
    bench.is_dead(DEAD / 2)


@right
def is_dead_while_the_sampler_does_not_run(bench: Bench) -> None:
    bench.probe(False)
    bench.wait(2 * DEAD)
    bench.stall("cloud", 2 * DEAD - 1)
    bench.probe(False)


@right
def is_sampled_late_by_a_process_that_did_not_run(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.wait(LATE)
    bench.stall("cloud", LATE)
    bench.sees(NEW)
    bench.sees(OLD)


@right
def was_asked_before_it_changed_and_answered_after(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.probe(True, NEW, took=LATE)
    bench.sees(OLD, LATE)


@right
def takes_back_a_success_that_was_never_answered_when_its_record_is_gone(bench: Bench) -> None:
    bench.starts()
    bench.sees(NEW)
    bench.succeeds(FW)
    bench.remove(FW, "SUCCEEDED")
    bench.is_dead(0.2)
    bench.sees(OLD, LATE)
    bench.works_through(NEXT, OLD)


@right
def goes_forward_and_owns_up_to_it(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(NEW)
    bench.starts(NEXT)
    bench.fails(NEXT, firmware=f"kept {NEW}")
    bench.sees(NEW, LATE)


@right
def never_says_that_it_takes_a_job(bench: Bench) -> None:
    bench.queue(FW)
    bench.sees(NEW)
    bench.succeeds(FW)
    bench.queue(NEXT)
    bench.wait(LATE)
    bench.sees(OLD, LATE)


@right
def gets_the_same_id_again_with_another_version(bench: Bench) -> None:
    bench.told_at_the_start(versions={"fw": (NEW, "3.0")})
    bench.starts()
    bench.is_deleted()
    bench.wait(1.2)
    bench.works_through(FW_AGAIN, "3.0")
    bench.sees("3.0", LATE)


@right
def hears_of_nothing_tries_it_and_asks_before_it_keeps_it(bench: Bench) -> None:
    bench.starts()
    bench.remove(FW)
    bench.sees(OLD, 2 * LATE)
    bench.sees(NEW, 1)
    bench.say(FW, "self-test", code=RNF)
    bench.is_dead(0.3)
    bench.sees(OLD, LATE)


@right
def had_a_success_under_way_when_its_id_was_used_again(bench: Bench) -> None:
    bench.told_at_the_start(versions={"fw": (NEW, "3.0")})
    bench.starts()
    bench.remove(FW)
    bench.queue(FW_AGAIN)
    bench.succeeds(FW_AGAIN)
    bench.sees(OLD, LATE)


@story("accounted-for", "undecided")
def may_have_meant_the_first_with_a_success_that_the_second_took(bench: Bench) -> None:
    bench.told_at_the_start(versions={"fw": (NEW, "3.0")})
    bench.starts()
    bench.remove(FW)
    bench.wait(1.2)
    bench.works_through(FW_AGAIN, NEW)
    bench.sees(NEW, LATE)


@right
def gets_the_deleted_version_by_a_later_job(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(OLD, LATE)
    bench.works_through(LAST, NEW)
    bench.sees(NEW, LATE)
