"""A device whose journal cannot be written, from any of its operations on: no step begins that is not on record."""

from dataclasses import dataclass, field

import pytest

from agent.abilities import Layout
from agent.core.record import Record
from agent.device_events import DeviceCrashed, ExecutionLeft, JournalUnwritable, StepStarted
from agent.journal import Journal
from simulator.devices.storage import Disk, FlashFile, recall, snapshot_of
from simulator.trace import Entry, ExecutionChanged
from tests.power_cuts.world import CutDevice, Setting, World, played

FULL = (
    "the journal cannot be written: journal: cannot write it: No space left on device; free space or mend the disk, "
    "no job begins before"
)


@dataclass
class Seen:
    """What came of it."""

    outcomes: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    unwritable: int = 0


class FailingFile(FlashFile):
    """It fails at one operation; from then on, if `for_good`."""

    def __init__(self, device: "FailingDevice") -> None:
        super().__init__(device.rig.disk)
        self._device = device

    def _do(self, name: str, disk: Disk) -> None:
        device = self._device
        device.operations_left -= 1
        if device.operations_left == 0 or (device.operations_left < 0 and device.for_good):
            raise OSError(28, "No space left on device")
        super()._do(name, disk)
        device.rig = device.rig._replace(disk=disk)


class FailingDevice(CutDevice):
    """A device with such a file."""

    operations_left: int
    for_good: bool
    opened_at = 0

    def remember(self, record: Record) -> None:
        if self.opened_at != self.boots:
            self.opened_at = self.boots
            self._journal = Journal(FailingFile(self))
            self._journal.open()
        self._journal.append(snapshot_of(record))


class Failing(World):
    """One device, whose disk fails at the nth operation on the journal."""

    kind = FailingDevice

    def __init__(self, setting: Setting, nth: int, *, for_good: bool) -> None:
        super().__init__(setting)
        self.seen = Seen()
        self._nth, self._for_good = nth, for_good
        self._failing: FailingDevice

    def _device(self) -> CutDevice:
        device = super()._device()
        assert isinstance(device, FailingDevice), "of that kind"
        device.operations_left, device.for_good = self._nth, self._for_good
        self._failing = device
        return device

    def _feed(self, entry: Entry) -> None:
        match entry.event:
            case StepStarted(execution=key, step=step):
                _, record = recall(self._failing.rig.disk.after_power_cut())
                work = record.work if record else None
                if work is None or work.key != key or work.plan.steps[work.begun - 1].name != step:
                    self.seen.unrecorded.append(step)
            case ExecutionLeft(outcome=outcome):
                self.seen.outcomes.append(outcome)
            case DeviceCrashed(reason=reason):
                self.seen.crashes.append(reason)
            case JournalUnwritable():
                self.seen.unwritable += 1
            case ExecutionChanged(status="FAILED", details=details):
                self.seen.reasons.append((details or {}).get("reason", ""))
            case _:
                pass
        super()._feed(entry)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("layout", ["ab", "single"])
@pytest.mark.parametrize("moment", ["never", "write half", "reporting"])
def test_a_disk_that_fails_at_any_operation_is_survived(moment: str, layout: Layout, for_good: bool):
    nth, failed = 0, True
    while failed:
        nth += 1
        world = Failing(Setting(moment, layout), nth, for_good=for_good)
        assert [*played(world)] == [world]
        story = world.device.story
        seen, failed = world.seen, bool(world.seen.unwritable)
        assert seen.unrecorded == [], nth
        assert seen.crashes == [], nth
        assert seen.outcomes or not story.taken_at, nth
        assert all(seen.reasons), nth
        if not for_good:
            assert seen.reasons in ([], [FULL]), nth
        if "safe" not in seen.outcomes:
            assert story.violated == [], nth
    assert nth > 10
