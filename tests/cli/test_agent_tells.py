"""What the real agent lets its owner know, in the log and in statusDetails, and the Device Client's documents in it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from simulator.certs import make_certificates
from simulator.trace import ExecutionChanged
from tests.agent.handlers.web import Shelf, served
from tests.cli.agent_process import Lab, agent, lab


async def told(cloud: Lab, job_id: str, name: str) -> str:
    """The first statusDetails of a job that have this name."""
    while True:
        for entry in cloud.entries:
            event = entry.event
            if (
                isinstance(event, ExecutionChanged)
                and event.execution.job_id == job_id
                and name in (event.details or {})
            ):
                return str((event.details or {})[name])
        cloud.changed.clear()
        await cloud.changed.wait()


# ── what it waits for ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_download_that_waits_says_why_in_the_log_and_then_in_status_details(tmp_path: Path):
    shelf = Shelf(statuses=[500, 500, 500])
    async with served(shelf), lab() as cloud, agent(tmp_path, cloud.mqtt, "--executions", "1") as running:
        document = {"operation": "download", "url": shelf.url, "to": "f", "sha256": shelf.sha256}
        await cloud.job("fw", document)
        first = await running.until("step.waiting", job_id="fw")
        assert await told(cloud, "fw", "waiting") == first["why"] == f"unreachable: {shelf.url}: HTTP 500"
        assert await cloud.end_of("fw") == ("SUCCEEDED", {})
        assert await running.end() == 0
    assert len([line for line in running.seen if line["event"] == "step.waiting"]) == 1


async def test_a_failure_names_its_cause_beside_the_reason(tmp_path: Path):
    shelf = Shelf()
    async with served(shelf), lab() as cloud, agent(tmp_path, cloud.mqtt, "--executions", "1") as running:
        await cloud.job("fw", {"operation": "download", "url": shelf.url, "to": "f", "sha256": "0" * 64})
        assert await running.end() == 0
        status, details = await cloud.end_of("fw")
    assert (status, details["cause"]) == ("FAILED", "hash-mismatch")
    assert "its SHA-256 is" in details["reason"]


async def test_an_agent_without_a_cloud_says_what_is_wrong_and_when_it_tries_again(
    tmp_path: Path, unused_tcp_port: int
):
    async with agent(tmp_path, f"127.0.0.1:{unused_tcp_port}") as running:
        lost = await running.until("device.disconnected")
        assert "nobody answers" in lost["reason"]
        assert 0 < (await running.until("connection.waiting"))["seconds"] <= 1


@pytest.mark.parametrize("transport", ["paho", "awsiot"])
async def test_an_agent_whose_subscription_is_refused_says_which(tmp_path: Path, transport: str):
    certs = tmp_path / "certs"
    make_certificates(certs, ["pump"])
    files = [f"--{name}={certs}/{file}" for name, file in (("ca", "ca.pem"), ("cert", "pump.pem"), ("key", "pump.key"))]
    async with lab(certs) as cloud:
        endpoint = cloud.mqtts.replace("127.0.0.1", "localhost")
        async with agent(tmp_path, endpoint, *files, "--client-id", "pump", "--transport", transport) as running:
            lost = await running.until("device.disconnected")
            assert "refused the subscription to $aws/things/dev/jobs/" in lost["reason"]
            assert lost["level"] == "warning"
            assert (await running.until("connection.waiting"))["level"] == "info"


# ── what it passes over ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_damaged_journal_is_said_to_be_kept_and_what_follows_from_it(tmp_path: Path):
    (tmp_path / "state").mkdir(mode=0o700)
    journal = tmp_path / "state" / "journal"
    journal.write_bytes(bytes(64))
    async with lab() as cloud, agent(tmp_path, cloud.mqtt) as running:
        said = await running.until("journal.damaged")
        await running.until("device.connected")
    assert said["level"] == "warning"
    assert said["journal"] == str(journal)
    assert said["found"] == f"no journal: what is in it is kept as {journal}.damaged"
    assert "no program of it is begun again" in said["then"]
    assert (tmp_path / "state" / "journal.damaged").read_bytes() == bytes(64)


async def test_members_that_nobody_reads_are_named_of_a_document_and_of_a_configuration(tmp_path: Path):
    (tmp_path / "dc.json").write_text(
        json.dumps({"logging": {"level": "DEBUG"}, "jobs": {"enabled": False, "handler-directory": str(tmp_path)}})
    )
    given = {"handler": "true", "args": None, "stdin": "x"}
    step = {"name": "x", "type": "runHandler", "input": given, "ignoreStepFailure": True}
    async with lab() as cloud:
        await cloud.job("fw", {"version": "1.0", "steps": [{"action": step}], "colour": "red", "_comment": "x"})
        options = ("--config", str(tmp_path / "dc.json"), "--allow", "run", "--executions", "1")
        async with agent(tmp_path, cloud.mqtt, *options) as running:
            assert await running.end() == 0
        assert await cloud.end_of("fw") == ("SUCCEEDED", {})
    said = {line["event"]: line for line in running.seen}
    assert said["configuration.ignored"]["keys"] == ["jobs.enabled", "logging"]
    assert said["document.ignored"]["members"] == ["colour", "ignoreStepFailure", "stdin"]
    assert said["document.ignored"]["level"] == "warning"


# ── documents of the Device Client ────────────────────────────────────────────────────────────────────────────


async def test_a_handler_without_a_path_is_found_as_that_client_finds_it_and_conditions_are_judged(tmp_path: Path):
    windows = [{"key": "operatingSystem", "value": ["windows"], "type": "stringEqual"}]
    async with lab() as cloud:
        await cloud.job("echo", {"operation": "echo", "args": ["hello"], "includeStdOut": True})
        await cloud.job("windows", {"operation": "echo", "conditions": windows})
        await cloud.job("script", {"operation": "echo", "path": "default"})
        async with agent(tmp_path, cloud.mqtt, "--allow", "run", "--executions", "3") as running:
            assert await running.end() == 0
        assert await cloud.end_of("echo") == ("SUCCEEDED", {"stdout": "hello"})
        status, details = await cloud.end_of("windows")
        assert (status, details["cause"]) == ("REJECTED", "condition-not-met")
        assert details["reason"].startswith("conditions: operatingSystem: for windows, and this is linux")
        status, details = await cloud.end_of("script")
        assert (status, details["cause"]) == ("REJECTED", "unknown-operation")
    reports = [
        line["why"] for line in running.seen if line["event"] == "phase.changed" and line["phase"] == "reporting"
    ]
    assert reports[1].startswith("reporting REJECTED: conditions: operatingSystem: ")


SYSTEMCTL = """#!/bin/sh
# What systemctl does to the service of the agent that runs it: the service manager ends both.
echo "$@" >>"$RESTARTS"
[ "$2" = ghost ] || exit 0
kill -TERM "$(cat "$LOCK")"
exec sleep 600
"""
RESTART_SERVICES = '#!/bin/sh\nshift\nfor service in $@; do systemctl restart "$service" || exit; done\n'


def service_manager(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl on PATH that ends the agent, and a script for AWS-Restart-Application; where its calls are noted."""
    for path, text in (("bin/systemctl", SYSTEMCTL), ("state/scripts/restart-services.sh", RESTART_SERVICES)):
        (directory / path).parent.mkdir(parents=True, mode=0o700)
        (directory / path).write_text(text)
        (directory / path).chmod(0o700)
    (directory / "state").chmod(0o700)
    monkeypatch.setenv("PATH", f"{directory / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("LOCK", str(directory / "state" / "lock"))
    monkeypatch.setenv("RESTARTS", str(directory / "restarts"))
    return directory / "restarts"


def step(name: str, kind: str, **given: object) -> dict[str, Any]:
    return {"action": {"name": name, "type": kind, "input": given}}


@pytest.mark.parametrize(
    ("document", "restarts"),
    [
        pytest.param(
            {
                "version": "1.0",
                "steps": [step("Restart", "runHandler", handler="restart-services.sh", args=["x ghost y"])],
            },
            ["restart x", "restart y", "restart ghost"],
            id="AWS-Restart-Application, with others",
        ),
        pytest.param(
            {
                "version": "1.0",
                "steps": [step("Restart", "runCommand", command="systemctl,restart,ghost")],
                "finalStep": step("After", "runCommand", command="systemctl,restart,z"),
            },
            ["restart ghost", "restart z"],
            id="a command, and a step after it",
        ),
        pytest.param(
            {"operation": "run", "command": ["sh", "-c", "systemctl reload ghost"], "restarts": "agent"},
            ["reload ghost"],
            id="a program of which the document says so",
        ),
    ],
)
async def test_a_job_that_restarts_the_agents_own_service_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any], restarts: list[str]
):
    noted = service_manager(tmp_path, monkeypatch)
    options = ("--allow", "run", "--service", "ghost", "--executions", "1")
    async with lab() as cloud:
        await cloud.job("restart", document)
        async with agent(tmp_path, cloud.mqtt, *options) as running:
            assert await running.end() == 0
        assert noted.read_text().split("\n")[-2].endswith("ghost"), "ended by what it had started, and in good order"
        async with agent(tmp_path, cloud.mqtt, *options) as running:
            assert await running.end() == 0
        assert (await cloud.end_of("restart"))[0] == "SUCCEEDED"
    assert noted.read_text().splitlines() == restarts, "each once"


async def test_so_does_one_whose_new_configuration_is_read_by_the_agent_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    noted = service_manager(tmp_path, monkeypatch)
    options = ("--restart-command", "systemctl restart ghost", "--service", "ghost.service", "--executions", "1")
    async with lab() as cloud:
        await cloud.job("configure", {"operation": "configure", "to": "c.json", "content": "{}", "format": "json"})
        for _ in range(2):
            async with agent(tmp_path, cloud.mqtt, *options) as running:
                assert await running.end() == 0
        assert await cloud.end_of("configure") == ("SUCCEEDED", {})
    assert noted.read_text().splitlines() == ["restart ghost"]


async def test_a_program_that_ends_the_agent_and_is_not_known_to_do_so_is_not_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    noted = service_manager(tmp_path, monkeypatch)
    options = ("--allow", "run", "--service", "another", "--executions", "1")
    async with lab() as cloud:
        await cloud.job("restart", {"operation": "run", "command": ["systemctl", "restart", "ghost"]})
        for _ in range(2):
            async with agent(tmp_path, cloud.mqtt, *options) as running:
                assert await running.end() == 0
        status, details = await cloud.end_of("restart")
    assert (status, details["cause"]) == ("FAILED", "interrupted")
    assert noted.read_text().splitlines() == ["restart ghost"]
