"""Time in which the processes of a run did not run: it is nobody's fault, and what it may have decided is undecided."""

from collections.abc import Callable

import pytest

from simulator.trace import ClientDisconnected, ProcessName, ProcessStalled
from simulator.verdict import InvariantVerdict
from simulator.verdict.seen import Mark, Seen
from simulator.verdict.stalls import Stalls
from tests.simulator.verdict.stories.scenes import at_work, lost_in_write
from tests.simulator.verdict.tale import FW, NEXT, Tale, judge

Tell = Callable[[Tale, "Stall"], None]
Stall = Callable[[Tale], None]


def nobody(tale: Tale) -> None:
    """Everything ran all the time."""


def stalled(process: ProcessName, seconds: float) -> Stall:
    return lambda tale: tale.stall(process, seconds)


def begins_a_step_too_late_and_hears_of_it_then(tale: Tale, stall: Stall) -> None:
    lost_in_write(tale)
    tale.wait(2.2)
    stall(tale)
    tale.finish(FW, "write")
    tale.begin(FW, "check")
    tale.hint()


def begins_a_step_too_late_and_hears_of_nothing(tale: Tale, stall: Stall) -> None:
    lost_in_write(tale)
    tale.wait(2.2)
    stall(tale)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


def begins_a_step_long_after_it_has_heard(tale: Tale, stall: Stall) -> None:
    lost_in_write(tale)
    tale.hint()
    tale.wait(2.2)
    stall(tale)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


def waits_for_an_answer_and_takes_the_next(tale: Tale, stall: Stall) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.hint(NEXT)
    token = tale.send("describe", FW)
    tale.wait(6)
    stall(tale)
    tale.arrive(token, code="ResourceNotFound")
    tale.answer(token, code="ResourceNotFound")
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write")
    tale.take(NEXT)


def does_nothing_for_long_and_takes_the_next(tale: Tale, stall: Stall) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write")
    tale.wait(6)
    stall(tale)
    tale.take(NEXT)


def leaves_a_job_queued(tale: Tale, stall: Stall) -> None:
    tale.connect()
    tale.queue(FW)
    tale.hint(FW)
    tale.wait(6)
    stall(tale)
    tale.take(FW)


def says_nothing_for_long(tale: Tale, stall: Stall) -> None:
    at_work(tale)
    tale.wait(31)
    stall(tale)
    tale.say(FW, "download")


def loses_its_keep_alive(tale: Tale, stall: Stall) -> None:
    tale.connect()
    tale.wait(100)
    stall(tale)
    tale.cloud(ClientDisconnected(tale.thing, "MQTT_KEEP_ALIVE_TIMEOUT"))


def asks_again_too_soon(tale: Tale, stall: Stall) -> None:
    """As a timer does that is set in the middle of a stall: the loop counts from the stall's beginning."""
    at_work(tale)
    tale.wait(0.5)
    tale.ask(FW, code="RequestThrottled")
    stall(tale)
    tale.wait(0.7)
    tale.ask(FW, attempt=2)


def told(tell: Tell, stall: Stall, invariant: str) -> InvariantVerdict:
    tale = Tale(device_clock=0.0)  # which is the engine's
    tell(tale, stall)
    tale.end()
    return next(each for each in judge(tale.entries).invariants if each.id == invariant)


@pytest.mark.parametrize(
    ("invariant", "tell", "stall", "outcome"),
    [
        # What took too long by itself is a violation, however busy the machine was besides.
        ("stops-in-time", begins_a_step_too_late_and_hears_of_it_then, nobody, "violated"),
        ("stops-in-time", begins_a_step_too_late_and_hears_of_it_then, stalled("devices", 0.1), "violated"),
        ("ready-in-time", waits_for_an_answer_and_takes_the_next, nobody, "violated"),
        ("ready-in-time", waits_for_an_answer_and_takes_the_next, stalled("cloud", 0.5), "violated"),
        ("ready-in-time", does_nothing_for_long_and_takes_the_next, stalled("cloud", 0.5), "violated"),
        ("no-lost-job", leaves_a_job_queued, nobody, "violated"),
        ("alive", says_nothing_for_long, nobody, "violated"),
        ("alive", loses_its_keep_alive, stalled("devices", 10), "violated"),
        ("no-hammering", asks_again_too_soon, nobody, "violated"),
        # Who was told only then could not know, and who waited for an answer did its part.
        ("stops-in-time", begins_a_step_too_late_and_hears_of_it_then, stalled("cloud", 1), "held"),
        ("ready-in-time", waits_for_an_answer_and_takes_the_next, stalled("cloud", 3), "held"),
        # While its process does not run, a device's own time stands still.
        ("ready-in-time", does_nothing_for_long_and_takes_the_next, stalled("devices", 3), "held"),
        ("no-lost-job", leaves_a_job_queued, stalled("devices", 3), "held"),
        ("alive", says_nothing_for_long, stalled("devices", 5), "held"),
        # Whatever else that time may have decided, it may as well not have.
        ("stops-in-time", begins_a_step_too_late_and_hears_of_nothing, stalled("devices", 1), "undecided"),
        ("stops-in-time", begins_a_step_long_after_it_has_heard, stalled("cloud", 1), "undecided"),
        ("ready-in-time", does_nothing_for_long_and_takes_the_next, stalled("cloud", 3), "undecided"),
        ("no-lost-job", leaves_a_job_queued, stalled("cloud", 3), "undecided"),
        ("alive", says_nothing_for_long, stalled("cloud", 5), "undecided"),
        ("alive", loses_its_keep_alive, stalled("devices", 20), "undecided"),
        ("no-hammering", asks_again_too_soon, stalled("devices", 0.4), "undecided"),
    ],
)
def test_time_in_which_nothing_ran_is_not_charged(invariant: str, tell: Tell, stall: Stall, outcome: str):
    found = told(tell, stall, invariant)
    assert found.outcome == outcome
    if outcome == "undecided":
        assert "not run" in found.doubts[0].message or "hardly ran" in found.doubts[0].message
        assert found.doubts[0].events


def test_a_device_does_not_excuse_itself():
    def says_that_it_did_not_run(tale: Tale) -> None:
        tale.device(ProcessStalled("devices", 3))  # type: ignore[arg-type]

    found = told(does_nothing_for_long_and_takes_the_next, says_that_it_did_not_run, "ready-in-time")
    assert found.outcome == "violated"


def stalls(*spans: tuple[int, int]) -> Stalls:
    found = Stalls()
    for number, (start, end) in enumerate(spans, 1):
        found = found.after(Seen(Mark("cloud", number, end), ProcessStalled("cloud", (end - start) / 1_000_000)))
    return found


@pytest.mark.parametrize(
    ("since", "until", "lost"),
    [
        (0, 100, 0),
        (0, 1_000, 300),
        (150, 250, 50),
        (120, 180, 60),
        (250, 450, 50),
        (300, 400, 0),
        (450, 450, 0),
        (-(10**9), 10**9, 300),
    ],
)
def test_what_a_span_lost(since: int, until: int, lost: int):
    assert stalls((100, 200), (400, 600)).lost(since, until) == lost


@pytest.mark.parametrize(("at", "before"), [(99, 0), (100, 0), (150, 50), (200, 100), (201, 0), (700, 0)])
def test_for_how_long_a_process_had_not_run(at: int, before: int):
    assert stalls((100, 200), (400, 600)).before(at) == before
