"""`ghostjob cloud` as somebody sees it who starts it: what it serves, who was refused, and how to see more."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from agent.log import configure
from simulator.certs import make_certificates
from simulator.cli.cloud import cloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.cli.served import options
from tests.simulator.cloud.mqtt.packets import connect, publish, text

CLOUD = (sys.executable, "-P", "-m", "simulator.cli", "cloud", "--api-port", "0", "--mqtt-port", "0")
LAST = "Ctrl-C stops it.\n"
SECONDS = 30.0


@contextmanager
def running(*options: str) -> Iterator[tuple[list[str], "subprocess.Popen[str]"]]:
    """A cloud: the lines that it began with, and its process."""
    with subprocess.Popen([*CLOUD, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            yield _until(process.stderr, LAST), process
        finally:
            process.terminate()
            process.communicate()


def _until(lines: IO[str], wanted: str) -> list[str]:
    """The lines up to that one. Raises AssertionError if it does not come."""
    seen: list[str] = []
    while not (seen and wanted in seen[-1]):
        seen.append(_next(lines, seen))
    return seen


def _next(lines: IO[str], seen: list[str]) -> str:
    """What is read in parts would be unseen by `select`: so a byte at a time."""
    line, file = b"", lines.fileno()
    while not line.endswith(b"\n"):
        is_there, _, _ = select.select([file], [], [], SECONDS)
        byte = os.read(file, 1) if is_there else b""
        assert byte, f"no more came than: {''.join(seen)}{line.decode()}"
        line += byte
    return line.decode()


def _say(address: str, *raw: bytes) -> None:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as client:
        client.sendall(b"".join(raw))
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass


def _address(lines: list[str], name: str) -> str:
    [line] = [line for line in lines if line.startswith(f"{name} ")]
    return line.split()[1]


def test_it_says_what_it_serves_to_whom_and_how_to_see_more(tmp_path: Path):
    make_certificates(tmp_path, ["lamp", "pump"])
    options = ("--mqtts-port", "0", "--data-port", "off", "--certs", str(tmp_path), "--access-key", "AKID:secret")
    with running(*options, "--state", str(tmp_path / "cloud.db")) as (lines, _):
        told = "".join(lines)
        for expected in (
            r"^api    http://127\.0\.0\.1:\d+ +control plane.*; who signs with AKID$",
            r"^mqtt   127\.0\.0\.1:\d+ +MQTT 3\.1\.1 and 5; anybody, for everything$",
            r"^mqtts  127\.0\.0\.1:\d+ +MQTT.*; who holds a client certificate, for what its policies allow$",
            r"^data   off$",
            rf"^certs  {re.escape(str(tmp_path))}, with 2 things: lamp, pump$",
            rf"^state  {re.escape(str(tmp_path))}/cloud\.db$",
            r"^files  none: S3 placeholders in job documents stay",
            r"^here   region us-east-1, account 000000000000$",
            r"--log-level info or debug",
            r"--trace FILE",
        ):
            assert re.search(expected, told, re.MULTILINE), told
        assert "secret" not in told


def test_without_certificates_it_says_what_is_missing():
    with running() as (lines, _):
        told = "".join(lines)
        assert "mqtts  off: it needs --certs DIR\n" in told
        assert "data   off: it needs --certs DIR\n" in told
        assert "anybody: signatures are not checked (--access-key-file FILE)" in told
        assert "nothing is kept when this ends (--state FILE)" in told


def test_who_is_refused_is_logged_without_asking_for_it():
    with running("--log-format", "json") as (lines, process):
        assert process.stderr
        _say(_address(lines, "mqtt"), connect(4, rest=text("$dev")))
        [line] = _until(process.stderr, "client.refused")
        for expected in ('"level": "warning"', '"client_id": "$dev"', '"code": "client-id"', '"address": "127.0.0.1"'):
            assert expected in line
        process.terminate()
        assert process.stdout
        assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("level", "shows"),
    [("info", ["client.connected", "client.disconnected"]), ("debug", ["request.received", "client.disconnected"])],
)
def test_a_lower_level_shows_more(level: str, shows: list[str]):
    with running("--log-level", level) as (lines, process):
        assert process.stderr
        request = publish("$aws/things/dev/jobs/get", b"{}", 4)
        _say(_address(lines, "mqtt"), connect(4), request)
        told = "".join(_until(process.stderr, "client.disconnected"))
        assert all(event in told for event in shows)
        assert ("request.received" in told) == (level == "debug")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_cloud_goes_on_without_its_trace_once_the_disk_is_full_and_says_so_once(tmp_path: Path):
    (tmp_path / "trace").symlink_to("/dev/full")
    with running("--trace", str(tmp_path / "trace")) as (lines, process):
        assert process.stderr
        (said,) = _until(process.stderr, "trace.unwritable")
        _say(_address(lines, "mqtt"), connect(4, rest=text("one")))
        _say(_address(lines, "mqtt"), connect(4, rest=text("two")))
        process.terminate()
        _, after = process.communicate()
    assert "No space left on device" in said
    assert (process.returncode, after) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        pytest.param((), "api_port", 4566, id="nothing given"),
        pytest.param(("--api-port", "off"), "api_port", None, id="off"),
        pytest.param(("--settings", '{"api_port": "off"}'), "api_port", None, id="off as a setting"),
        pytest.param(("--settings", '{"region": "eu-west-1"}'), "region", "eu-west-1", id="an option as a setting"),
        pytest.param(
            ("--settings", '{"region": "eu-west-1"}', "--region", "eu-west-2"), "region", "eu-west-2", id="both"
        ),
        pytest.param(
            ("--access-key", "a:b"), "access_keys", (("a", "b"),), id="what is read in another way than it stands there"
        ),
    ],
)
def test_options_and_settings_are_one(arguments: tuple[str, ...], field: str, value: object):
    assert getattr(options(*arguments), field) == value


def test_an_option_for_one_setting_leaves_its_neighbours_alone():
    given = options("--deletion-seconds", "5", "--settings", '{"cloud": {"deletion_seconds": 9, "targets": 7}}').cloud
    assert (given.deletion_seconds, given.deletion_seconds_per_execution, given.targets) == (5, 0, 7)


def test_of_a_setting_and_an_option_that_disagree_it_is_said_which_counts(capsys: pytest.CaptureFixture[str]):
    configure("json", "warning")
    options("--settings", '{"host": "127.0.0.2", "seed": "7"}', "--host", "127.0.0.1")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["setting"], line["why"]) == ("setting.ignored", "host", "an option says otherwise")


def test_of_a_setting_below_another_it_is_said_too(capsys: pytest.CaptureFixture[str]):
    configure("json", "warning")
    options("--settings", '{"cloud": {"deletion_seconds": 9, "targets": 7}}', "--deletion-seconds", "5")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["setting"]) == ("setting.ignored", "cloud.deletion_seconds")


def test_every_default_that_help_shows_is_the_settings_own():
    shown = {each.name: each.show_default for each in cloud.params if isinstance(each.show_default, str)}
    defaults = {name: str(CloudSettings.model_fields[name].default) for name in shown}
    assert shown == defaults
    assert len(shown) == 8


# ── with workers ──────────────────────────────────────────────────────────────────────────────────────────────

WORKERS = ("--workers", "2", "--api-port", "off")
SHOWN = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="where nobody says who began a process")


def _begun_by(process: "subprocess.Popen[str]") -> list[int]:
    return [int(each) for each in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def _wait_until_gone(processes: list[int]) -> None:
    """Until none of them is there; what has died and nobody waits for counts as gone."""
    for each in processes:
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(each)
            gone, _, _ = select.select([descriptor], [], [], SECONDS)
            os.close(descriptor)
            assert gone, f"process {each} is still there"


@SHOWN
@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP", "SIGKILL"],
)
def test_no_worker_outlives_its_cloud_however_that_ends(number: int):
    with running(*WORKERS) as (lines, process):
        host, _, port = _address(lines, "mqtt").rpartition(":")
        with socket.create_connection((host, int(port)), 20) as client:
            client.sendall(connect(5, rest=text("lamp")))
            assert client.recv(1) == b"\x20"
            workers = _begun_by(process)
            assert len(workers) == 2
            process.send_signal(number)
            _wait_until_gone(workers)
            assert process.wait(SECONDS) == (-number if number == signal.SIGKILL else 0)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), 20)


@SHOWN
def test_a_worker_that_dies_is_told_of_and_begun_anew():
    with running(*WORKERS) as (lines, process):
        assert process.stderr
        lost = _begun_by(process)
        for each in lost:
            os.kill(each, signal.SIGKILL)
            told = _until(process.stderr, f"process={each}")[-1]
            assert "worker.lost" in told
            assert "killed by signal 9" in told
        _say(_address(lines, "mqtt"), connect(5, rest=text("lamp")), b"\xe0\x00")
        assert not set(lost) & set(_begun_by(process))
