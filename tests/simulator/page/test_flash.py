"""The flash of a device over time, folded from its own account."""

from agent.device_events import DeviceBooted, HardwareChanged, PowerLost, StepFinished, StepProgressed, StepStarted
from agent.values import ExecutionKey
from simulator.page.data import Flash, Slot, Work
from simulator.page.flash import FlashFold
from simulator.trace import Entry, Event, FlashArea, FlashChanged, FlashWork

FW = ExecutionKey(None, "fw", 1, 1_700_000_000)
OLD, NONE = FlashArea("A", "1.0", "whole", "####"), FlashArea("B", "", "empty", "....")
WRITE = FlashWork("B", 4, 4, 0, 0, 0.5)


def shown(*told: tuple[float, Event], most: int = 100) -> tuple[Flash, ...]:
    fold = FlashFold(most)
    for number, (at, event) in enumerate(told, 1):
        fold.feed(Entry("device/thing", number, at, event))
    return fold.shown(lambda when: when.at + 100)


def test_what_is_told_at_once_is_one_instant():
    (at,) = shown(
        (1.0, DeviceBooted("1.0")), (1.0, HardwareChanged(True, "1.0")), (1.0, FlashChanged((OLD,), "A", "A"))
    )
    assert (at.at, at.running, at.bootable, at.power) == (101.0, "1.0", True, True)
    assert at.slots == (Slot(name="A", holds="1.0", state="whole", cells="####", runs=True, boots=True),)


def test_work_goes_on_until_the_flash_is_told_again():
    begins, half, over = shown(
        (1.0, StepStarted(FW, "write", True)),
        (1.0, FlashChanged((OLD, NONE), "A", "A", work=WRITE)),
        (3.0, HardwareChanged(True, "1.0", ("download",))),
        (5.0, FlashChanged((OLD, NONE), "A", "A")),
        (5.0, StepFinished(FW, "write", "stopped")),
    )
    assert begins.work == Work(slot="B", erases=4, writes=4, seconds=0.5, since=101.0)
    assert half.work == begins.work
    assert (begins.does, over.does, over.work) == ("write", "", None)


def test_progress_alone_is_no_instant_of_it():
    told = (1.0, FlashChanged((OLD, NONE), "A", "A", work=WRITE))
    assert len(shown(told, (2.0, StepProgressed(FW, "write", 50)))) == 1


def test_what_the_hardware_does_by_itself_is_named():
    exchange, undo, held = (
        shown((1.0, FlashChanged((OLD, NONE), "", "A", work=work)))[0].does
        for work in (FlashWork("", 0, 0, 4, 0, 0.5), FlashWork("B", 3, 0, 0, 0, 0.5), FlashWork("B", 3, 0, 0, 0, 0.0))
    )
    assert (exchange, undo, held) == ("exchanges the slots", "takes back B", "takes back B, and is held there")


def test_what_arrives_has_a_row_before_its_first_sector_is_there():
    (at,) = shown((1.0, FlashChanged((OLD, NONE), "A", "A", work=FlashWork("download", 0, 4, 0, 0, 0.5))))
    assert at.slots[2] == Slot(name="download", state="empty", cells="....")


def test_without_power_nothing_runs_and_what_is_left_is_seen():
    left = FlashArea("B", "2.0", "partial", "++..")
    _, off = shown(
        (1.0, FlashChanged((OLD, NONE), "A", "A", work=WRITE)),
        (2.0, PowerLost("write 5/8")),
        (2.0, FlashChanged((OLD, left), "", "A")),
    )
    assert (off.power, off.running, off.slots[1].cells, off.work) == (False, "", "++..", None)
    assert (off.slots[0].runs, off.slots[0].boots) == (False, True)


def test_a_device_that_is_not_simulated_has_no_slots():
    (at,) = shown((1.0, HardwareChanged(False, "", ("spare slot",))))
    assert (at.slots, at.bootable, at.pending) == ((), False, ("spare slot",))


def test_stores_are_named_if_there_is_anything_in_them():
    (plain,) = shown((1.0, FlashChanged((OLD,), "A", "A", config="1")))
    (used,) = shown((1.0, FlashChanged((OLD,), "A", "A", config="2", staged="3", previous="1", files=("a", "b"))))
    assert plain.stores == ()
    assert used.stores == (
        ("configuration", "2"),
        ("configuration to come", "3"),
        ("configuration to go back to", "1"),
        ("files", "a, b"),
    )


def test_a_long_history_forgets_its_beginning():
    told = [(float(at), FlashChanged((OLD,), "A", "A", tries=at)) for at in range(50)]
    kept = shown(*told, most=16)
    assert len(kept) <= 16
    assert kept[-1].at == 149.0
