"""What a run comes to, and the sentence that says why."""

from collections.abc import Callable

import pytest

from simulator.trace import ENGINE, Entry, RunEnded
from simulator.verdict import PlaceToReach, Verdict
from simulator.verdict.outcome import Recovered, concluded
from simulator.verdict.seen import seen_in
from simulator.verdict.stalls import Lag
from tests.simulator.verdict.stories.scenes import at_work, lost_in_write, recovers_from_write
from tests.simulator.verdict.tale import FW, Tale, judge

IN_WRITE = PlaceToReach(
    id="deleted-in-step fw write", place="deleted-in-step", job="fw", step="write", things=("lamp",)
)


def goes_on_too_long(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(2.1)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


def may_have_gone_on_too_long(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(2.005)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


def keeps_its_job(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW)


def keeps_its_job_though_nobody_ran_for_a_moment(tale: Tale) -> None:
    at_work(tale)
    tale.wait(1)
    tale.stall("cloud", 0.4)
    tale.report(FW)


def told(tell: Callable[[Tale], None], *places: PlaceToReach, why: str = "finished") -> tuple[Verdict, list[str]]:
    tale = Tale(*places)
    tell(tale)
    tale.end(why)
    return judge(tale.entries), [entry.id for entry in tale.entries]


@pytest.mark.parametrize(
    ("tell", "places", "why", "outcome", "sentence"),
    [
        pytest.param(
            recovers_from_write,
            (IN_WRITE,),
            "finished",
            "passed",
            "no invariant was violated and every place was reached; ",
            id="all held, and every place was reached",
        ),
        pytest.param(
            goes_on_too_long,
            (),
            "finished",
            "failed",
            "stops-in-time was violated by lamp on job fw: started step 'check' more than 2 s after",
            id="a violation",
        ),
        pytest.param(
            goes_on_too_long,
            (IN_WRITE,),
            "timed-out",
            "failed",
            "stops-in-time was violated by lamp on job fw: ",
            id="a violation in a run that was cut short",
        ),
        pytest.param(
            may_have_gone_on_too_long,
            (),
            "finished",
            "inconclusive",
            "stops-in-time is undecided of lamp on job fw: whether step 'check' began within the bound",
            id="an undecided invariant",
        ),
        pytest.param(
            keeps_its_job,
            (IN_WRITE,),
            "finished",
            "inconclusive",
            "'deleted-in-step fw write' was reached by 0 of 1 device; the first of them is lamp on job fw; see cloud#",
            id="a place that was not reached",
        ),
        pytest.param(
            recovers_from_write,
            (),
            "timed-out",
            "inconclusive",
            "the run met its time limit before it was over; see engine#2",
            id="the time limit",
        ),
    ],
)
def test_what_a_run_comes_to_and_why(
    tell: Callable[[Tale], None], places: tuple[PlaceToReach, ...], why: str, outcome: str, sentence: str
):
    verdict, ids = told(tell, *places, why=why)
    assert (verdict.outcome, verdict.passed) == (outcome, outcome == "passed")
    assert verdict.why.startswith(sentence)
    if outcome != "passed":
        assert verdict.why.rpartition("see ")[2] in ids


def test_a_place_that_a_busy_machine_may_have_missed_says_so():
    verdict, _ = told(keeps_its_job_though_nobody_ran_for_a_moment, IN_WRITE)
    busy = "; the cloud's process did not run for up to 0.400 s at a time, the devices' for up to 0.000 s"
    assert verdict.outcome == "inconclusive"
    assert verdict.why.endswith(busy)
    quiet, _ = told(keeps_its_job, IN_WRITE)
    assert "did not run" not in quiet.why


@pytest.mark.parametrize(
    ("devices", "had_to", "did", "says"),
    [
        (10, 10, 10, "all 10 devices that had to recover did"),
        (10, 5, 5, "all 5 devices that had to recover did; 5 did not have to"),
        (10, 5, 4, "4 of 5 devices that had to recover did; 5 did not have to"),
        (1, 1, 1, "the device that had to recover did"),
        (3, 1, 0, "0 of 1 device that had to recover did; 2 did not have to"),
        (2, 0, 0, "no device had to recover"),
    ],
)
def test_who_had_nothing_to_recover_from_does_not_count_as_who_did_not(devices: int, had_to: int, did: int, says: str):
    ended = seen_in(Entry(ENGINE, 2, 1.0, RunEnded("finished")))
    outcome, why = concluded((), (), ended, devices, Recovered(had_to, did), Lag())
    assert (outcome, why) == ("passed", f"no invariant was violated; {says}")
