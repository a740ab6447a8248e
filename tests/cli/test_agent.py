"""The real agent as a process, against a local cloud: what it does on this very machine, and after it was killed."""

import asyncio
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
