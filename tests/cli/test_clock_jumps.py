"""`ghostjob cloud` on a machine whose clock jumps, or that was suspended: what lasts goes on lasting as long.

libfaketime lies to the process about the time of day, and leaves its monotonic clock alone. A machine that slept looks
the same to it: the time of day is later, and no time has passed.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.command import FAKE_TIME

CLOUD: Final = (sys.executable, "-P", "-m", "simulator.cli", "cloud", "--trace", "-", "--mqtt-port", "off")
LONGEST_WAIT_SECONDS: Final = 60
"""A deletion that a jump holds takes an hour."""
HOUR: Final = 3600

pytestmark = pytest.mark.skipif(
    not FAKE_TIME and not os.environ.get("CI"), reason="needs libfaketime: apt-get install faketime"
)


class Cloud:
    """A process whose time of day is the machine's and `ahead`, in seconds."""

    def __init__(self, directory: Path) -> None:
        self._offset, ready = directory / "offset", directory / "ready"
        self.ahead(0)
        environment = os.environ | {
            "LD_PRELOAD": str(FAKE_TIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        options = ("--api-port", "0", "--ready-file", str(ready), "--state", str(directory / "state.db"))
        self.process = subprocess.Popen([*CLOUD, *options], stdout=subprocess.PIPE, env=environment, text=True)
        self.until("cloud.listening")
        while not ready.exists():
            assert self.process.poll() is None
            os.sched_yield()
        self._api = json.loads(ready.read_text())["api"]

    def ahead(self, seconds: int) -> None:
        partial = self._offset.with_suffix(".partial")
        partial.write_text(f"{seconds:+d}\n")
        partial.replace(self._offset)

    def call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(f"{self._api}{path}", json.dumps(body or {}).encode(), method=method)
        with urllib.request.urlopen(request, timeout=LONGEST_WAIT_SECONDS) as answer:
            return json.loads(answer.read() or b"{}")

    def delete_a_job(self, job_id: str, seconds: float) -> None:
        """Begin the deletion of a job that is gone after so many seconds."""
        tags = [{"Key": "ghostjob:deletion-seconds", "Value": str(seconds)}]
        targets = ["arn:aws:iot:us-east-1:000000000000:thing/lamp"]
        self.call("PUT", f"/jobs/{job_id}", {"targets": targets, "document": "{}", "tags": tags})
        self.call("DELETE", f"/jobs/{job_id}?force=true")

    def until(self, event: str, **wanted: str) -> None:
        """Read the trace up to such an event."""
        assert self.process.stdout is not None
        signal.alarm(LONGEST_WAIT_SECONDS)  # readline has no timeout
        try:
            for line in self.process.stdout:
                told = json.loads(line)
                if told["type"] == event and all(told.get(name) == value for name, value in wanted.items()):
                    return
        finally:
            signal.alarm(0)
        raise AssertionError(f"the cloud ended before {event} {wanted}")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    def ring(*_: object) -> None:
        raise TimeoutError("it is held")

    before = signal.signal(signal.SIGALRM, ring)
    cloud = Cloud(tmp_path)
    try:
        cloud.call("POST", "/things/lamp")
        yield cloud
    finally:
        signal.signal(signal.SIGALRM, before)
        cloud.process.send_signal(signal.SIGCONT)
        cloud.process.terminate()
        cloud.process.communicate()


def test_deletions_end_although_the_clock_jumps_back_and_ahead_and_is_put_right(cloud: Cloud):
    for number, ahead in enumerate((-HOUR, 0, HOUR, 0, 365 * 86_400, 0)):
        cloud.delete_a_job(f"fw-{number}", 0.5)
        cloud.ahead(ahead)
        cloud.until("job.deleted", job_id=f"fw-{number}")
        told = cloud.call("PUT", f"/jobs/told-{number}", {"targets": [_arn()], "document": "{}"})
        created = cloud.call("GET", f"/jobs/told-{number}")["job"]["createdAt"]
        assert abs(created - (time.time() + ahead)) < LONGEST_WAIT_SECONDS, "what is told goes by the time of day"
        assert told["jobId"] == f"told-{number}"


def test_a_deletion_that_a_jump_meets_on_its_way_is_not_held_when_the_clock_is_put_right(cloud: Cloud):
    cloud.delete_a_job("fw", 1.0)
    cloud.ahead(-HOUR)
    cloud.delete_a_job("other", 0.2)
    cloud.until("job.deleted", job_id="other")
    cloud.ahead(0)
    cloud.until("job.deleted", job_id="fw")


def test_a_machine_that_was_suspended_goes_on_where_it_was(cloud: Cloud):
    cloud.delete_a_job("fw", 2.0)
    cloud.process.send_signal(signal.SIGSTOP)
    cloud.ahead(8 * HOUR)
    cloud.process.send_signal(signal.SIGCONT)
    assert cloud.call("GET", "/jobs/fw")["job"]["status"] == "DELETION_IN_PROGRESS", "no time has passed"
    cloud.until("job.deleted", job_id="fw")
    cloud.delete_a_job("next", 0.5)
    cloud.until("job.deleted", job_id="next")


def _arn() -> str:
    return "arn:aws:iot:us-east-1:000000000000:thing/lamp"
