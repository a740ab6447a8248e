"""The real agent as a process, against a local cloud: what it does on this very machine, and after it was killed."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from simulator.certs import make_certificates
from tests.agent.handlers.test_processes import family
from tests.agent.handlers.web import Shelf, served
from tests.cli.agent_process import agent, lab

STUBBORN = "trap '' TERM; (trap '' TERM; sleep 600) & sleep 600 & echo >$READY; while :; do sleep 600; done"


def violated(verdict: object) -> set[str]:
    return {invariant.id for invariant in verdict.invariants if invariant.outcome == "violated"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("transport", "namespace", "secure"),
    [
        pytest.param("paho", None, False, id="paho, plain"),
        pytest.param("paho", "lab", True, id="paho, mutual TLS, namespace lab"),
        pytest.param("awsiot", None, True, id="awsiotsdk, mutual TLS"),
        pytest.param("awsiot", "lab", False, id="awsiotsdk, plain, namespace lab"),
    ],
)
async def test_a_job_that_goes_in_mid_download_leaves_nothing_and_the_next_one_is_done(
    tmp_path: Path, transport: str, namespace: str | None, secure: bool
):
    certs = tmp_path / "certs"
    make_certificates(certs, ["dev"])
    options = ["--transport", transport, "--executions", "2"]
    options += ["--namespace", namespace] if namespace else []
    if secure:
        options += [
            f"--{name}={certs}/{file}" for name, file in (("ca", "ca.pem"), ("cert", "dev.pem"), ("key", "dev.key"))
        ]
    shelf = Shelf(held=asyncio.Event())
    document = {"operation": "download", "to": "app.bin"}
    async with served(shelf), lab(certs) as cloud:
        endpoint = cloud.mqtts.replace("127.0.0.1", "localhost") if secure else cloud.mqtt
        await cloud.job("fw", document | {"url": shelf.url}, namespace)
        async with agent(tmp_path, endpoint, *options) as running:
            assert shelf.held
            await shelf.held.wait()
            await running.until("step.progressed", job_id="fw")
            await cloud.delete("fw", namespace)
            await running.until("execution.left", job_id="fw", outcome="recovered")
            assert os.listdir(tmp_path / "state" / "files") == []
            shelf.held = None
            await cloud.job("fw-2", document | {"url": shelf.url, "sha256": shelf.sha256}, namespace)
            assert await cloud.end_of("fw-2") == ("SUCCEEDED", {})
            assert await running.end() == 0
        verdict = cloud.verdict(tmp_path / "trace.jsonl")
    assert (tmp_path / "state" / "files" / "app.bin").read_bytes() == shelf.body
    assert os.listdir(tmp_path / "state" / "work") == []
    assert violated(verdict) == set()
    assert (verdict.passed, verdict.recovered) == (True, 1)


async def test_a_program_goes_with_its_job_and_with_the_agent_that_was_killed(tmp_path: Path):
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    run = {"operation": "run", "command": ["env", f"FAMILY={tmp_path}", f"READY={ready}", "sh", "-c", STUBBORN]}
    async with lab() as cloud:
        await cloud.job("run", run)
        options = ("--allow", "run,download", "--executions", "2")
        async with agent(tmp_path, cloud.mqtt, *options) as running:
            await asyncio.to_thread(ready.read_bytes)
            await cloud.delete("run")
            await running.until("execution.left", job_id="run", outcome="kept")
            assert family(tmp_path) == []
            await cloud.job("run-2", run)
            await asyncio.to_thread(ready.read_bytes)
            await running.kill()
        assert len(family(tmp_path)) >= 3
        await cloud.delete("run-2")
        await cloud.job("run-3", {"operation": "run", "command": ["true"]})
        async with agent(tmp_path, cloud.mqtt, *options) as running:
            await running.until("processes.ended")
            assert family(tmp_path) == []
            assert await running.end() == 0
        assert await cloud.end_of("run-3") == ("SUCCEEDED", {})
        verdict = cloud.verdict(tmp_path / "trace.jsonl")
    assert violated(verdict) == set()
    assert verdict.recovered == 1


def config_file(directory: Path, name: str, **options: object) -> Path:
    (directory / name).write_text(json.dumps(options))
    return directory / name


async def test_an_update_goes_through_a_restart_of_the_agent_itself(tmp_path: Path):
    shelf = Shelf()
    update = {"operation": "update", "sha256": shelf.sha256, "size": len(shelf.body)}
    # A configuration file of the Device Client's, and what only it does; the command line goes first.
    config = config_file(
        tmp_path,
        "dc-config.json",
        **{"thing-name": "dev", "endpoint": "overridden", "logging": {"level": "DEBUG"}, "jobs": {"enabled": True}},
        **{"self-test-command": ["sh", "-c", 'test "$GHOSTJOB_VERSION" = 2.0'], "executions": 2},
    )
    async with served(shelf), lab() as cloud:
        await cloud.job("fw-2", update | {"url": shelf.url, "version": "2.0"})
        await cloud.job("fw-3", update | {"url": shelf.url, "version": "3.0"})
        async with agent(tmp_path, cloud.mqtt, "--config", str(config)) as running:
            assert await cloud.end_of("fw-2") == ("SUCCEEDED", {"version": "2.0"})
            status, details = await cloud.end_of("fw-3")
            assert (status, details["reason"]) == ("FAILED", "self-test: the self-test command failed: exit status 1")
            assert await running.end() == 0
        verdict = cloud.verdict(tmp_path / "trace.jsonl")
    boots = [line for line in running.seen if line["event"] == "device.booted"]
    assert [(boot["why"], boot["version"], boot["on_trial"]) for boot in boots] == [
        ("power-on", "factory", False),
        ("reboot", "2.0", True),
        ("reboot", "3.0", True),
        ("reboot", "2.0", False),
    ]
    firmware = tmp_path / "state" / "firmware"
    assert (firmware / "selected").resolve().read_bytes() == shelf.body
    assert sorted(path.name for path in firmware.iterdir()) == ["b", "b.json", "running.json", "selected"]
    assert violated(verdict) == set()


async def test_an_agent_killed_in_mid_download_fetches_the_rest_and_another_url_if_that_expired(tmp_path: Path):
    shelf = Shelf(held=asyncio.Event())
    async with served(shelf), lab() as cloud:
        document = {"operation": "download", "url": shelf.url, "to": "app.bin", "sha256": shelf.sha256}
        await cloud.job("fw", document)
        async with agent(tmp_path, cloud.mqtt) as running:
            await running.until("step.progressed")
            await running.kill()
        shelf.held, shelf.statuses = None, [403]
        async with agent(tmp_path, cloud.mqtt, "--executions", "1") as running:
            assert await running.end() == 0
        assert await cloud.end_of("fw") == ("SUCCEEDED", {})
        verdict = cloud.verdict(tmp_path / "trace.jsonl")
    assert shelf.asked[:2] == ["", shelf.asked[2]], "the rest, refused, and asked for again"
    assert 0 < int(shelf.asked[2].removeprefix("bytes=").removesuffix("-")) <= len(shelf.body) // 2
    assert [line["step"] for line in running.seen if line["event"] == "step.started"] == ["download", "download"]
    assert (tmp_path / "state" / "files" / "app.bin").read_bytes() == shelf.body
    assert violated(verdict) == set()


PLUG_IN = """
from agent.handlers.handler import Handler, StepError


class Calibrate(Handler):
    def __init__(self, place):
        self.place = place

    async def do(self, task):
        if task.arg("args") == '["badly"]':
            raise StepError("the sensor does not answer")
        (self.place.state / "calibrated").write_text(task.arg("args"))
        return "offset 3"

    async def undo(self, task):
        (self.place.state / "calibrated").unlink(missing_ok=True)
"""


def installed(directory: Path) -> str:
    """A package with a plug-in, as pip would leave it; where it is."""
    site = directory / "site"
    (site / "my_board-1.0.dist-info").mkdir(parents=True)
    (site / "my_board.py").write_text(PLUG_IN)
    (site / "my_board-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: my-board\nVersion: 1.0\n")
    (site / "my_board-1.0.dist-info" / "entry_points.txt").write_text(
        "[ghostjob.handlers]\ncalibrate = my_board:Calibrate\n"
    )
    return str(site)


async def test_a_plug_in_of_another_package_does_what_documents_name_it_for_if_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONPATH", installed(tmp_path))
    step = {"action": {"name": "x", "type": "runHandler", "input": {"handler": "calibrate", "args": ["badly"]}}}
    async with lab() as cloud:
        await cloud.job("well", {"operation": "calibrate", "args": ["well"], "includeStdOut": True})
        await cloud.job("badly", {"version": "1.0", "steps": [step]})
        async with agent(tmp_path, cloud.mqtt, "--allow", "calibrate", "--executions", "2") as running:
            assert await running.end() == 0
        assert await cloud.end_of("well") == ("SUCCEEDED", {"stdout": "offset 3"})
        said = {"reason": "x: the sensor does not answer", "cause": "step-failed"}
        assert await cloud.end_of("badly") == ("FAILED", said)
        (loaded,) = [line for line in running.seen if line["event"] == "handlers.loaded"]
        assert loaded["others"] == {"calibrate": "my_board"}
        await cloud.job("again", {"operation": "calibrate"})
        await cloud.job("unknown", {"operation": "frobnicate"})
        async with agent(tmp_path, cloud.mqtt, "--executions", "1") as running:
            assert await running.end() == 0
        async with agent(tmp_path, cloud.mqtt, "--allow", "run", "--executions", "1") as running:
            assert await running.end() == 0
        reason = "frobnicate: there is no handler frobnicate among the scripts or on PATH"
        assert await cloud.end_of("unknown") == ("REJECTED", {"reason": reason, "cause": "unknown-operation"})
        status, details = await cloud.end_of("again")
        assert (status, details["reason"]) == ("REJECTED", "calibrate: this device does not allow 'run'")
