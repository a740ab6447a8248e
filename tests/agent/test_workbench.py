"""The real machine's workbench where a plug-in is at fault."""

from pathlib import Path

from agent.handlers.handler import Handler, Task
from agent.handlers.slots import SlotFiles
from agent.workbench import MachineWorkbench
from tests.agent.handlers.bench import place_in


class Clumsy(Handler):
    async def do(self, task: Task) -> str:
        return ""

    async def settle(self, aside: Path) -> None:
        raise RuntimeError("cannot let go")


async def test_a_plug_in_that_fails_to_settle_keeps_neither_the_agent_from_beginning_nor_its_leftovers(tmp_path: Path):
    (tmp_path / "work" / "left-behind").mkdir(parents=True)
    firmware = SlotFiles(place_in(tmp_path))
    bench = MachineWorkbench({"calibrate": Clumsy()}, firmware, tmp_path / "work", lambda _: None, lambda _: None)
    await bench.sweep(None)
    assert list((tmp_path / "work").iterdir()) == []
