"""How long a slice may last, and what follows it, by a clock that a test sets."""

import pytest

from simulator.cloud.pace import LONGEST_SECONDS, PAUSE_SECONDS, Pace


class Clock:
    """Seconds, which a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def lasted(late: float, step: float = 0.0001) -> float:
    """Seconds until a slice of a millisecond is spent that comes so late, looked at after every step."""
    clock = Clock()
    pace = Pace(0.001, 0.25, clock)
    pace.want(3.0)
    clock.seconds += 3.0 + late
    pace.begin()
    began = clock.seconds
    while not pace.is_spent():
        clock.seconds += step
    return clock.seconds - began


@pytest.mark.parametrize(
    ("late", "seconds"),
    [
        pytest.param(0.0, 0.001, id="in time"),
        pytest.param(-0.0005, 0.001, id="a clock that is a little ahead"),
        pytest.param(0.004, 0.001, id="a little late: as long as ever"),
        pytest.param(0.02, 0.005, id="late: a quarter of that"),
        pytest.param(3600.0, LONGEST_SECONDS, id="after a machine's sleep: not for a quarter of an hour"),
    ],
)
def test_a_slice_that_comes_late_may_last_for_a_part_of_that(late: float, seconds: float):
    assert lasted(late) == pytest.approx(seconds, abs=0.00015)


@pytest.mark.parametrize(("took", "pause"), [(0.0002, PAUSE_SECONDS), (0.03, 0.03)])
def test_after_a_slice_others_have_as_long(took: float, pause: float):
    clock = Clock()
    pace = Pace(0.0002, clock=clock)
    pace.want(0.0)
    pace.begin()
    clock.seconds += took
    pace.end()
    assert pace.pause_seconds == pytest.approx(pause)
