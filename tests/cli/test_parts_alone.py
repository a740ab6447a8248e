"""Cloud, fleet and controller as processes of their own, put together as a lab would."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.device_events import DeviceConnected, ExecutionGone, ExecutionLeft
from simulator.certs import make_certificates
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.scenario import thing_names
from simulator.trace import read
from tests.clients.cloud_process import running_cloud

GHOSTJOB = [sys.executable, "-P", "-m", "simulator.cli"]
THINGS = thing_names(3)


async def create(api: str, namespace_id: str | None) -> None:
    async with Hand(LocalHttp(api)) as hand:
        for thing in THINGS:
            await hand.create_thing(thing)
        await hand.create_job("fw", THINGS, {"operation": "update", "version": "2.0"}, namespace_id)


@pytest.mark.parametrize(
    ("namespace", "secure"), [(None, False), ("lab", True)], ids=["plain", "mutual TLS, namespace lab"]
)
def test_a_fleet_loses_its_job_to_a_controller(tmp_path: Path, namespace: str | None, secure: bool):
    certs = tmp_path / "certs"
    make_certificates(certs, THINGS)
    with running_cloud(certs=certs) as endpoints:
        asyncio.run(create(endpoints["api"], namespace))
        in_namespace = ["--namespace-id", namespace] if namespace else []
        tls = ["--certs", str(certs)] if secure else []
        port = endpoints["mqtts" if secure else "mqtt"].rsplit(":", 1)[1]
        where = f"localhost:{port}" if secure else f"127.0.0.1:{port}"
        fleet = [*GHOSTJOB, "fleet", "--endpoint", where, "--devices", "3", "--step-seconds", "30", "--no-table"]
        fleet += ["--out", "out", "--log-level", "info", "--log-format", "json", *in_namespace, *tls]
        with subprocess.Popen(fleet, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
            control = [*GHOSTJOB, "control", "--endpoint-url", endpoints["api"], "--job-id", "fw", "--force"]
            control += ["--when-status", "IN_PROGRESS", "--save", "gone", *in_namespace]
            done = subprocess.run(control, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            assert running.stderr
            left = 0
            for line in running.stderr:
                left += '"event": "execution.left"' in line
                if left == len(THINGS):
                    break
            running.send_signal(signal.SIGINT)
            running.stderr.read()
        assert running.returncode == 0
    assert (tmp_path / "gone" / "fw-1.json").exists()
    assert not (tmp_path / "out" / "trace.jsonl.partial").exists()
    with (tmp_path / "out" / "trace.jsonl").open() as lines:
        entries = list(read(lines))
    for kind in (DeviceConnected, ExecutionGone, ExecutionLeft):
        assert len({entry.source for entry in entries if isinstance(entry.event, kind)}) == len(THINGS)


def test_a_controller_whose_time_is_over_says_what_it_waited_for(tmp_path: Path):
    with running_cloud() as endpoints:
        asyncio.run(create(endpoints["api"], None))
        control = [*GHOSTJOB, "control", "--endpoint-url", endpoints["api"], "--job-id", "fw", "--force"]
        control += ["--when-step", "burn it in", "--timeout", "2"]
        done = subprocess.run(control, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    awaited, missed, last = done.stderr.splitlines()
    assert "deletion.awaited" in awaited
    assert "deletion.missed" in missed
    until = "waited until all devices reported step burn it in; seen: of 3 devices 3 QUEUED"
    assert last == f"ghostjob: job fw: not deleted: --timeout 2 is over; {until}"
