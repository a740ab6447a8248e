"""The time of a play against a clock that is moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.engines.play_time import PlayTime
from simulator.trace import CLOUD, ENGINE, Entry, ProcessStalled, RunEnded


class Machine:
    """Its clock."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_is_the_machines_to_the_last_bit_until_somebody_wants_it_slower():
    machine = Machine()
    time = PlayTime(clock=machine)
    machine.now += 0.1 + 0.2
    assert time.now() == machine.now
    entry = Entry(CLOUD, 1, machine.now, ProcessStalled("cloud", 0.3))
    assert time.told(entry) is entry


def test_slow_held_and_on_again():
    machine = Machine()
    time = PlayTime(4.0, machine)
    machine.now += 4
    assert time.now() == 101
    time.hold()
    machine.now += 1000
    assert time.now() == 101
    time.go_slower(2.0)
    machine.now += 1000
    assert (time.now(), time.is_held) == (101, True)
    time.go_on()
    machine.now += 1
    assert time.now() == 101.5


def test_another_clock_goes_as_slowly_from_where_it_is():
    machine, running = Machine(), Machine()
    running.now = 5.0
    time = PlayTime(clock=machine)
    measured = time.measure(running)
    running.now += 1
    time.go_slower(10)
    running.now += 1
    assert measured() == 6.1
    later = time.measure(running)
    running.now += 1
    assert (round(measured(), 9), round(later(), 9)) == (6.2, 7.1)


def test_what_was_told_before_a_change_and_comes_in_after_it_has_its_own_time():
    machine = Machine()
    time = PlayTime(clock=machine)
    machine.now = 102.0
    time.hold()
    machine.now = 110.0
    time.go_on()
    told = [time.told(Entry(ENGINE, n, at, RunEnded("finished"))).at for n, at in enumerate((101.5, 105.0, 111.0))]
    assert told == [101.5, 102.0, 103.0]


def test_a_process_that_did_not_run_lost_as_much_of_the_plays_time_as_went_by_meanwhile():
    machine = Machine()
    time = PlayTime(clock=machine)
    machine.now = 110.0
    time.go_slower(10)
    machine.now = 120.0
    told = time.told(Entry(CLOUD, 1, 120.0, ProcessStalled("cloud", 15.0, 10.0)))
    assert (told.at, told.event) == (111.0, ProcessStalled("cloud", 6.0, 6.0))


CHANGES = st.lists(
    st.tuples(st.floats(0.0, 100.0), st.one_of(st.floats(1.0, 100.0), st.sampled_from(["hold", "on"]))), max_size=80
)


@given(CHANGES)
def test_it_never_goes_back_and_never_faster_than_the_machine(changes: list[tuple[float, float | str]]):
    machine = Machine()
    time = PlayTime(clock=machine)
    before = machine.now, time.now()
    for seconds, change in changes:
        machine.now += seconds
        after = machine.now, time.now()
        assert -1e-6 <= after[1] - before[1] <= after[0] - before[0] + 1e-6
        if change == "hold":
            time.hold()
        elif change == "on":
            time.go_on()
        else:
            time.go_slower(float(change))
        assert abs(time.now() - after[1]) < 1e-6
        before = after
