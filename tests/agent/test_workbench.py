"""The real machine's workbench where a plug-in is at fault."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.account import HardwareChanged
from agent.core.events import BeginStep, Event, StepRestored, UndoStep, Verified, Verify
from agent.handlers.handler import Handler, Task
from agent.handlers.slots import SlotFiles
from agent.plan import Step
from agent.values import ExecutionKey
from agent.workbench import MachineWorkbench
from tests.agent.handlers.bench import place_in


class Able(Handler):
    async def do(self, task: Task) -> str:
        return ""


class Clumsy(Able):
    def pending(self, asides: Sequence[Path]) -> tuple[str, ...]:
        raise RuntimeError("cannot look")

    async def settle(self, aside: Path) -> None:
        raise RuntimeError("cannot let go")


class Mute(SlotFiles):
    @property
    def bootable(self) -> bool:
        raise RuntimeError("cannot look")


def bench_of(
    directory: Path, handler: Handler, firmware: SlotFiles, told: Callable[[Event], None] = lambda _: None
) -> MachineWorkbench:
    return MachineWorkbench({"calibrate": handler}, firmware, directory / "work", lambda _: None, told)


@pytest.mark.parametrize(
    ("handler", "firmware", "says"),
    [
        pytest.param(Clumsy, SlotFiles, (True, ("whatever Clumsy did",)), id="what is half done"),
        pytest.param(Able, Mute, (False, ()), id="whether the machine would come up"),
    ],
)
def test_a_plug_in_that_cannot_say_something_ends_no_agent_and_is_not_believed_to_be_whole(
    tmp_path: Path, handler: type[Handler], firmware: type[SlotFiles], says: tuple[bool, tuple[str, ...]]
):
    firmware_at_hand, told = firmware(place_in(tmp_path)), list[Event]()
    firmware_at_hand.booted(rebooted=True)
    bench = bench_of(tmp_path, handler(), firmware_at_hand, told.append)
    assert bench.describe() == HardwareChanged(says[0], "", says[1])
    bench.verify(Verify())
    assert told == [Verified(False)]


@pytest.mark.parametrize("name", ["fw", "../../../x", "/etc/x", "x/y", ".."])
async def test_what_is_kept_of_a_job_lies_below_work_whatever_the_job_is_called(tmp_path: Path, name: str):
    asides: list[Path] = []
    done = asyncio.Event()

    class Looks(Able):
        async def do(self, task: Task) -> str:
            asides.append(task.aside.resolve())
            done.set()
            return ""

    bench = bench_of(tmp_path, Looks(), SlotFiles(place_in(tmp_path)))
    bench.begin(BeginStep(ExecutionKey(None, name, 1, 1), 0, Step("calibrate", "calibrate"), ""))
    await done.wait()
    await bench.close()
    assert [aside.parent for aside in asides] == [tmp_path / "work"]


async def test_a_plug_in_that_fails_to_settle_keeps_neither_the_agent_from_beginning_nor_its_leftovers(tmp_path: Path):
    (tmp_path / "work" / "left-behind").mkdir(parents=True)
    firmware = SlotFiles(place_in(tmp_path))
    await bench_of(tmp_path, Clumsy(), firmware).sweep(None)
    assert list((tmp_path / "work").iterdir()) == []


async def test_a_step_past_the_point_of_no_return_is_not_taken_back_whoever_asks_for_it(tmp_path: Path):
    undone: list[Task] = []
    told: list[Event] = []
    over = asyncio.Event()

    class Willing(Able):
        async def undo(self, task: Task) -> None:
            undone.append(task)

    def tell(event: Event) -> None:
        told.append(event)
        over.set()

    firmware = SlotFiles(place_in(tmp_path))
    firmware.booted(rebooted=True)
    bench = bench_of(tmp_path, Willing(), firmware, tell)
    bench.undo(UndoStep(ExecutionKey(None, "fw", 1, 1), 3, Step("calibrate", "calibrate", reversible=False)))
    await over.wait()
    await bench.close()
    assert told == [StepRestored(3, False)]
    assert undone == []
