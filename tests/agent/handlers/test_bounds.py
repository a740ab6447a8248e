"""Whatever a document has a handler do takes so long, so much memory and so many words, and then it is over."""

import asyncio
import json
from pathlib import Path

import pytest

from agent.causes import Cause
from agent.handlers.configure import Configure
from agent.handlers.handler import StepError
from agent.handlers.process_table import StartedProgram
from agent.handlers.processes import Processes
from agent.handlers.run import Run
from tests.agent.handlers.bench import context_in, left_in, task_in

MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: 1}}\n" for n in range(1, 26))
"""Each line merges the one before it twice, so that the last merges the first 2**25 times."""
DEEP = "[" * 1500 + "]" * 1500


@pytest.mark.parametrize(
    ("content", "says", "bounds"),
    [
        pytest.param(MERGES, "reading it takes longer than 1 s", {"check_seconds": 1.0}, id="time"),
        pytest.param(
            MERGES,
            "reading it takes more than 33554432 bytes of memory",
            {"check_seconds": 120.0, "check_memory_bytes": 32 << 20},
            id="memory",
        ),
        pytest.param(DEEP, "nested too deeply", {}, id="depth"),
        pytest.param("a: \0", "unacceptable character", {}, id="a character that YAML has not"),
    ],
)
async def test_yaml_that_names_more_than_there_is_room_for_is_no_valid_yaml(
    tmp_path: Path, content: str, says: str, bounds: dict[str, float]
):
    assert len(content) < 32_768
    context = context_in(tmp_path, **bounds)
    handler = Configure(context)
    stage = task_in(tmp_path, "stage", to="a.yaml", content=content)
    await handler.do(stage)
    with pytest.raises(StepError, match=says) as failed:
        await handler.do(task_in(tmp_path, "validate", to="a.yaml", format="yaml"))
    assert failed.value.cause is Cause.WRONG_CONTENT
    await handler.undo(stage)
    assert left_in(context.root) == []
    assert left_in(stage.aside) == []
    assert left_in(context.state / "processes") == []


async def test_yaml_as_people_write_it_is_valid(tmp_path: Path):
    content = "base: &base {host: é, port: 1}\nuse: {<<: *base, port: 2}\nlist: [1, 2]\n"
    handler = Configure(context_in(tmp_path))
    await handler.do(task_in(tmp_path, "stage", to="a.yaml", content=content))
    assert await handler.do(task_in(tmp_path, "validate", to="a.yaml", format="yaml")) == ""


async def test_a_check_goes_with_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recorded, put_on_record = asyncio.Event(), Processes._put_on_record

    def noticed(processes: Processes, group: StartedProgram) -> None:
        put_on_record(processes, group)
        recorded.set()

    monkeypatch.setattr(Processes, "_put_on_record", noticed)
    handler = Configure(context_in(tmp_path, check_seconds=600.0, check_memory_bytes=1 << 30))
    await handler.do(task_in(tmp_path, "stage", to="a.yaml", content=MERGES))
    checking = asyncio.ensure_future(handler.do(task_in(tmp_path, "validate", to="a.yaml", format="yaml")))
    await recorded.wait()
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert left_in(tmp_path / "state" / "processes") == []


@pytest.mark.parametrize(
    ("program", "says", "bounds"),
    [
        pytest.param("x = bytearray(200 << 20)", "MemoryError", {"run_memory_bytes": 64 << 20}, id="memory"),
        pytest.param(
            "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'x = bytearray(200 << 20)']))",
            "MemoryError",
            {"run_memory_bytes": 64 << 20},
            id="memory of what it starts",
        ),
        pytest.param(
            "import sys\nwhile True: sys.stdout.write('x' * 65536)",
            "wrote more than 1000000 bytes, and was ended",
            {"run_output_bytes": 1_000_000},
            id="words",
        ),
        pytest.param(
            "import os\nwhile True: os.write(2, b'x' * 65536)",
            "wrote more than 1000000 bytes, and was ended",
            {"run_output_bytes": 1_000_000},
            id="complaints",
        ),
    ],
)
async def test_a_program_has_a_bound_of(tmp_path: Path, program: str, says: str, bounds: dict[str, int]):
    context = context_in(tmp_path, **bounds)
    command = json.dumps(["python3", "-c", program])
    with pytest.raises(StepError, match=says) as failed:
        await Run(context).do(task_in(tmp_path, "run", command=command, reversible=False))
    assert failed.value.cause is Cause.PROGRAM
    assert left_in(context.state / "processes") == []
