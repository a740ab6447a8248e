"""`ghostjob agent`, killed while a program runs and robbed of its memory: nothing runs twice, nothing stays behind."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.agent_process import agent, lab

PROGRAM = "mkdir {mark} || exit 9; echo $$ > {pipe}; exec sleep 300"
"""Leaves a mark, tells its process id to whoever listens, and stays; the second time it fails at once."""


def zero_the_journal(state: Path) -> None:
    (state / "journal").write_bytes(bytes((state / "journal").stat().st_size))


def lose_the_journal(state: Path) -> None:
    (state / "journal").unlink()


def wipe_the_state(state: Path) -> None:
    shutil.rmtree(state)


def runs(pid: int) -> bool:
    """Whether it still does something; what has ended and nobody waits for has no command any more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


def document(program: str, kind: str) -> dict[str, Any]:
    if kind == "run":
        return {"operation": "run", "command": ["sh", "-c", program]}
    words = ",".join(("sh", "-c", program.replace(",", "\\,")))
    action = {"name": "run", "type": "runCommand", "input": {"command": words}}
    return {"version": "1.0", "steps": [{"action": action}]}


@pytest.mark.parametrize(
    ("lose", "namespace_id", "kind"),
    [
        pytest.param(zero_the_journal, None, "run", id="the journal is zeroed"),
        pytest.param(lose_the_journal, "lab", "run", id="the journal is lost, in a namespace"),
        pytest.param(wipe_the_state, None, "runCommand", id="the state is wiped, a document of the Device Client"),
        pytest.param(wipe_the_state, "lab", "run", id="the state is wiped, in a namespace"),
    ],
)
async def test_a_program_whose_agent_was_killed_and_forgot_it_never_runs_twice(
    lose: Callable[[Path], None], namespace_id: str | None, kind: str, tmp_path: Path
):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    options = ("--allow", "run", *(("--namespace", namespace_id) if namespace_id else ()))
    async with lab() as cloud:
        async with agent(tmp_path, cloud.mqtt, *options) as first:
            await cloud.job("fw", document(PROGRAM.format(mark=tmp_path / "mark", pipe=pipe), kind), namespace_id)
            program = int(await asyncio.to_thread(pipe.read_text))
            await first.kill()
        assert runs(program), "it outlives its agent"
        lose(tmp_path / "state")
        async with agent(tmp_path, cloud.mqtt, *options):
            status, details = await cloud.end_of("fw")
            assert status == "FAILED"
            assert details["reason"] == (
                "it was IN_PROGRESS already, and forgotten here: run may have begun, and that is not done twice"
            )
            assert not runs(program)
            await cloud.job("next", {"operation": "run", "command": ["true"]}, namespace_id)
            assert await cloud.end_of("next") == ("SUCCEEDED", {})
