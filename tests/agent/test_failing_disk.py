"""A device whose journal cannot be written, from any of its operations on: no step begins that is not on record."""

import copy
from dataclasses import dataclass, field

import pytest

from agent.abilities import Layout
from agent.account import DeviceCrashed, ExecutionLeft, JournalUnwritable, StepStarted
from agent.journal import Journal
from agent.records import read_record
from simulator.devices.storage import FlashFile
from simulator.engines.virtual_time import run_virtually
from simulator.trace import Entry, ExecutionChanged
from tests.power_cuts.world import Cut, CutDevice, Setting, World

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


class Failing(World):
    """One device, whose disk fails at the nth operation on the journal; and from then on, if `for_good`."""

    def __init__(self, setting: Setting, nth: int, *, for_good: bool) -> None:
        super().__init__(setting, [Cut()])
        self.seen = Seen()
        self._left, self._for_good = nth, for_good
        self._disk: FlashFile

    def _device(self, number: int, cut: Cut) -> CutDevice:
        device = super()._device(number, cut)
        self._disk = device._storage = FlashFile(self._operation)
        device._journal = Journal(self._disk)
        return device

    def _operation(self, _name: str) -> bool:
        self._left -= 1
        if self._left == 0 or (self._left < 0 and self._for_good):
            raise OSError(28, "No space left on device")
        return True

    def _feed(self, entry: Entry) -> None:
        match entry.event:
            case StepStarted(execution=key, step=step):
                disk = copy.copy(self._disk)
                disk.lose_power()
                work = read_record(Journal(disk).open() or b"{}").work
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
        stories, _ = run_virtually(world.play())
        seen, failed = world.seen, bool(world.seen.unwritable)
        assert seen.unrecorded == [], nth
        assert seen.crashes == [], nth
        assert seen.outcomes or not stories[0].taken_at, nth
        assert all(seen.reasons), nth
        if not for_good:
            assert seen.reasons in ([], [FULL]), nth
        if "safe" not in seen.outcomes:
            assert stories[0].violated == [], nth
    assert nth > 10
