"""Who asks on and on without a wait is told from one whose waits are drawn by chance, of devices that are not ours."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.trace import ClientConnected, HintPublished, RunStarted
from simulator.verdict import InvariantVerdict
from simulator.verdict.invariants.hammering import BUSY_ATTEMPTS
from tests.simulator.verdict.tale import BOUNDS, FW, Tale, from_the_wire, judge

PATIENT = BOUNDS.model_copy(update={"retry_gap_seconds": 0, "retry_growth": 1})
"""As of every device that is certified: full jitter has no least wait."""


def judged(*gaps: float, code: str = "RequestThrottled", hints: bool = False) -> InvariantVerdict:
    """A device that is not ours asks the same again and again, so long after each refusal."""
    tale = Tale(bounds=PATIENT)
    started = tale.entries[0]
    assert isinstance(started.event, RunStarted)
    tale.entries[0] = started._replace(event=replace(started.event, are_foreign=True))
    tale.cloud(ClientConnected(tale.thing))
    tale.queue(FW)
    tale.take(FW)
    for gap in (*gaps, 0.0):
        tale.ask(FW, code=code)
        tale.wait(gap)
        if hints:
            tale.cloud(HintPublished(tale.thing, "notify", None, (FW,)))
    tale.end()
    return next(each for each in judge(from_the_wire(tale.entries)).invariants if each.id == "no-hammering")


def judged_telling(*gaps: float, seconds_connected: float = 0.0) -> InvariantVerdict:
    """One tells the very same, so long after each time that this was accepted, from so long after it connected on."""
    tale = Tale(bounds=PATIENT)
    started = tale.entries[0]
    assert isinstance(started.event, RunStarted)
    tale.entries[0] = started._replace(event=replace(started.event, are_foreign=True))
    tale.connect()
    tale.queue(FW)
    tale.take(FW)
    tale.disconnect()
    tale.wait(60.0)
    tale.connect()
    tale.wait(seconds_connected)
    for gap in (*gaps, 0.0):
        tale.update(FW, details=(("alive", "yes"),))
        tale.wait(gap)
    tale.end()
    return next(each for each in judge(from_the_wire(tale.entries)).invariants if each.id == "no-hammering")


def test_who_tells_the_same_on_and_on_is_found():
    (violation,) = judged_telling(*[0.02] * 30, seconds_connected=3.0).violations
    assert "the same each time, and accepted" in violation.message


def test_what_had_to_wait_for_the_connection_is_no_flood():
    assert judged_telling(*[0.0] * 40).violations == ()


def test_who_goes_on_after_all_that_waited_is_found():
    assert judged_telling(*[0.02] * 100).violations


def test_a_busy_loop_is_found_once_and_by_its_first_and_last():
    (violation,) = judged(*[0.02] * 40).violations
    message = f"sent describe fw {BUSY_ATTEMPTS} times within 0.6 s, each time after a refusal (RequestThrottled)"
    assert violation.message == f"{message}: it does not back off"
    assert len(violation.events) == 2


@pytest.mark.parametrize(
    ("gaps", "code", "hints"),
    [
        pytest.param([0.02] * (BUSY_ATTEMPTS - 2), "RequestThrottled", False, id="a few times"),
        pytest.param([0.2] * 40, "RequestThrottled", False, id="five times a second"),
        pytest.param([0.02] * 40, "RequestThrottled", True, id="at each notification"),
    ],
)
def test_who_may_have_a_reason_is_not_accused(gaps: list[float], code: str, hints: bool):
    assert judged(*gaps, code=code, hints=hints).violations == ()


@given(seed=st.integers(0, 2**32), first=st.floats(0.05, 5.0), most=st.floats(2.0, 60.0))
def test_full_jitter_is_never_accused(seed: int, first: float, most: float):
    rng = Random(seed)
    gaps = [rng.uniform(0.0, min(first * 2**attempt, most)) for attempt in range(30)]
    assert judged(*gaps).violations == ()
