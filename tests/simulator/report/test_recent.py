from agent.device_events import DeviceConnected, StepProgressed
from simulator.report.recent import ENTRIES, Recent
from simulator.trace import ClientConnected, Entry
from tests.simulator.verdict.tale import FW


def test_the_last_entries_of_a_thing_are_kept_of_both_who_tell_of_it():
    recent = Recent()
    for number in range(1, ENTRIES + 10):
        recent.feed(Entry("device/lamp", number, number / 10, DeviceConnected()))
        recent.feed(Entry("cloud", number, number / 10, ClientConnected("lamp")))
        recent.feed(Entry("device/other", number, number / 10, DeviceConnected()))
    kept = [entry.id for entry in recent.entries_of("lamp")]
    assert kept[-1] == f"cloud#{ENTRIES + 9}"
    assert [each for each in kept if each.startswith("device")] == [
        f"device/lamp#{number}" for number in range(10, ENTRIES + 10)
    ]


def test_how_far_a_step_has_come_is_not_kept():
    recent = Recent()
    recent.feed(Entry("device/lamp", 1, 0.1, StepProgressed(FW, "write", 50)))
    assert list(recent.entries_of("lamp")) == []


def test_an_agent_that_shares_a_thing_is_shown_what_the_cloud_told_of_that():
    recent = Recent()
    recent.feed(Entry("cloud", 1, 0.1, ClientConnected("lamp")))
    recent.feed(Entry("device/lamp@lab", 1, 0.1, DeviceConnected()))
    assert [entry.id for entry in recent.entries_of("lamp@lab")] == ["device/lamp@lab#1", "cloud#1"]


def test_of_a_thing_that_nothing_was_told_of_nothing_is_shown():
    assert list(Recent().entries_of("lamp")) == []
