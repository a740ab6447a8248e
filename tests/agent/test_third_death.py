"""An agent that a step of its job kills, twice: the third one does not begin that step, and reports why."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.agent.handlers.bench import left_in
from tests.agent.spoiling import Job, Service
from tests.agent.test_unreadable_over_mqtt import broker

WAIT = 120
DYING = Path(__file__).with_name("dying.py")


@pytest.mark.parametrize(
    ("at", "namespace"),
    [
        pytest.param("stage", (), id="the first step"),
        pytest.param("validate", ("--namespace", "lab"), id="one in a namespace"),
        pytest.param("swap", (), id="the last that can be undone"),
    ],
)
async def test_a_step_that_killed_two_agents_fails_its_job_and_the_next_is_done(
    tmp_path: Path, at: str, namespace: tuple[str, ...]
):
    bad = Job("bad", '{"operation":"configure","to":"a.conf","content":"bad"}')
    good = Job("good", '{"operation":"download","to":"b.conf","url":"https://127.0.0.1:1/"}')
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.conf").write_text("as it was")
    service, deaths = Service(bad, good), tmp_path / "deaths"
    async with broker(service) as port, asyncio.timeout(WAIT):
        options = ("--endpoint", f"127.0.0.1:{port}", "--thing", "dev", "--state", str(tmp_path / "state"))
        options += ("--root", str(tmp_path / "root"), "--executions", "1", *namespace)
        codes = [await lived(tmp_path, options, dying="do", at=at) for _ in range(3)]
    assert codes == [-9, -9, 0]
    assert deaths.read_text().splitlines() == [f"do {at}"] * 2
    assert bad.status == "FAILED"
    assert bad.details["cause"] == "killed"
    assert bad.details["reason"] == f"{at}: the agent died 2 times while it did this: not begun again"
    assert (tmp_path / "root" / "a.conf").read_text() == "as it was"
    assert left_in(tmp_path / "root") == ["a.conf"]
    assert left_in(tmp_path / "state" / "work") == []


async def test_an_undoing_that_killed_two_agents_ends_in_a_safe_device(tmp_path: Path):
    bad = Job("bad", '{"operation":"configure","to":"a.conf","content":"{","format":"json"}')
    (tmp_path / "root").mkdir()
    service = Service(bad)
    async with broker(service) as port, asyncio.timeout(WAIT):
        options = ("--endpoint", f"127.0.0.1:{port}", "--thing", "dev", "--state", str(tmp_path / "state"))
        options += ("--root", str(tmp_path / "root"), "--executions", "1")
        codes = [await lived(tmp_path, options, dying="undo", at="stage") for _ in range(3)]
    assert codes == [-9, -9, 0]
    assert bad.status == "FAILED"
    assert "could not undo stage" in bad.details["reason"]


async def lived(directory: Path, options: tuple[str, ...], *, dying: str, at: str) -> int:
    """How an agent ended that dies in that step."""
    environment = os.environ | {"DEATHS": str(directory / "deaths"), "DYING": dying, "AT": at}
    process = await asyncio.create_subprocess_exec(sys.executable, str(DYING), "agent", *options, env=environment)
    return await process.wait()
