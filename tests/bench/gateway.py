"""`python -m tests.bench.gateway`: one table of the gateway's and the fleet's speed and memory, beside mosquitto's.

Everything is measured in this run, on this machine, one thing after the other; every process is one of ours.
"""

import getpass
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from simulator.certs import make_certificates
from tests.bench.memory import resident_kib
from tests.bench.rest import call
from tests.bench.rows import Row, tell

MOSQUITTO: Final = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
"""It is there, or not; Debian has it where not everybody looks."""
LOADS: Final = ((100, 8), (1000, 1))
"""Connections, and how many requests each has in flight."""


class Wire(NamedTuple):
    """What clients connect by: the name of that endpoint of the cloud, and the most that one of them is to take."""

    words: str
    endpoint: str
    most_kib: float

    @property
    def is_secure(self) -> bool:
        return self.endpoint == "mqtts"


WIRES: Final = (Wire("plain", "mqtt", 10), Wire("mutual TLS", "mqtts", 40))
ROWS: Final = 18
UNLIMITED = json.dumps(
    {
        "gateway": {"publishes_per_second": None, "payload_per_second": None, "connects_per_second": None},
        "cloud": {"requests_per_second": None, "targets": None, "rollout_per_minute": 1_000_000},
    }
)
"""AWS discards what a connection publishes beyond 100 a second, and refuses what an account asks beyond 200."""


@contextmanager
def gateway(certs: Path, *options: str) -> Iterator[tuple[dict[str, Any], int]]:
    """A `ghostjob cloud` without a trace: its endpoints and process id."""
    ready = certs / "ready"
    command = [sys.executable, "-P", "-m", "simulator.cli", "cloud", "--api-port", "0", "--mqtt-port", "0"]
    command += ["--mqtts-port", "0", "--certs", str(certs), "--ready-file", str(ready), "--settings", UNLIMITED]
    command += options
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("Ctrl-C"):
                break
        endpoints = json.loads(ready.read_text())
        _let_it_be_anybody(endpoints["api"], (certs / "load.pem").read_text())
        try:
            yield endpoints, process.pid
        finally:
            process.terminate()


def _let_it_be_anybody(api: str, pem: str) -> None:
    """One certificate stands for all devices, so it needs a policy that lets it be any of them."""
    allowed = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    known = call(api, "POST", "/certificate/register-no-ca", certificatePem=pem, status="ACTIVE")
    call(api, "POST", "/policies/anybody", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    call(api, "PUT", "/target-policies/anybody", target=known["certificateArn"])


@contextmanager
def mosquitto(directory: Path, *, is_secure: bool = False) -> Iterator[tuple[str, int]]:
    """A mosquitto that echoes through a subscription, with the gateway's certificates if it has TLS: where it listens,
    and its process id.
    """
    assert MOSQUITTO is not None, "installed"
    socket_port = _free_port()
    config = directory / "mosquitto.conf"
    # What it reads as root it reads as another user afterwards, unless it is told to stay who it is.
    lines = [f"user {getpass.getuser()}", f"listener {socket_port} 127.0.0.1", "allow_anonymous true"]
    lines += ["set_tcp_nodelay true", "max_queued_messages 0", "max_inflight_messages 0", "log_type none"]
    if is_secure:
        files = ("cafile", "ca.pem"), ("certfile", "server.pem"), ("keyfile", "server.key")
        lines += [f"{name} {directory / file}" for name, file in files] + ["require_certificate true"]
    config.write_text("\n".join(lines) + "\n")
    with subprocess.Popen([MOSQUITTO, "-c", str(config)]) as process:
        _wait_until_it_listens(socket_port)
        try:
            yield f"127.0.0.1:{socket_port}", process.pid
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


def load(*arguments: object, certs: Path | None = None, watched: Sequence[int] = ()) -> dict[str, float]:
    """What one run of the load generator measured."""
    command = [sys.executable, "-m", "tests.bench.load", *map(str, (*arguments, certs or "-", *watched))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def held(module: str, *arguments: object, watch: int | None = None) -> tuple[dict[str, float], float]:
    """What a process measured, and by how many KiB the process `watch` grew, while it held its connections."""
    before = resident_kib(watch) if watch else 0
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        result: dict[str, float] = json.loads(process.stdout.readline())
        grown = resident_kib(watch) - before if watch else 0
        process.stdin.close()
    return result, grown


def measured(seconds: float, devices: int) -> Iterator[Row]:
    """Each number, as soon as it is known."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_certificates(directory, ["load"])
        for wire in WIRES:
            for connections, in_flight in LOADS:
                yield from _speed(directory, wire, connections, in_flight, seconds)
        for wire in WIRES:
            yield _arrival(directory, wire, devices)
        for wire in WIRES:
            yield from _memory(directory, wire, devices)


def _speed(directory: Path, wire: Wire, connections: int, in_flight: int, seconds: float) -> Iterator[Row]:
    certs = directory if wire.is_secure else None
    with gateway(directory) as (endpoints, process_id):
        address = endpoints[wire.endpoint]
        ours = round_trips("jobs", address, connections, in_flight, seconds, [process_id], certs)
    theirs = None
    if MOSQUITTO is not None:
        with mosquitto(directory, is_secure=wire.is_secure) as (address, process_id):
            theirs = round_trips("echo", address, connections, in_flight, seconds, [process_id], certs)
    what = f"{connections} connections, {in_flight} in flight, {wire.words}"
    peers = theirs and theirs.a_second
    row = Row(f"round trips/s, {what}", ours.a_second, "/s", peers, more_is_better=True)
    yield _beside_mosquitto(row, peers)
    peers = theirs and 1 / sum(theirs.cpu)
    row = Row(f"round trips a CPU second, {what}", 1 / sum(ours.cpu), "", peers, more_is_better=True)
    yield _beside_mosquitto(row, peers)
    if ours.p99 is not None:
        row = Row(f"p99 of a round trip in ms, {what}", ours.p99 * 1e3, "ms")
        yield _beside_mosquitto(row, theirs and theirs.p99 and theirs.p99 * 1e3)


def _arrival(directory: Path, wire: Wire, devices: int) -> Row:
    certs, theirs = directory if wire.is_secure else None, None
    if MOSQUITTO is not None:
        with mosquitto(directory, is_secure=wire.is_secure) as (address, _):
            theirs = load("connect", *address.rsplit(":", 1), devices, 1, 0, certs=certs)["connects_per_second"]
    with gateway(directory) as (endpoints, _):
        address = endpoints[wire.endpoint].rsplit(":", 1)
        ours = load("connect", *address, devices, 1, 0, certs=certs)["connects_per_second"]
    return _beside_mosquitto(Row(f"connects/s, {wire.words}", ours, "/s"), theirs)


def _memory(directory: Path, wire: Wire, devices: int) -> Iterator[Row]:
    certs, theirs = [directory] if wire.is_secure else [], None
    with gateway(directory) as (endpoints, process_id):
        address = endpoints[wire.endpoint].rsplit(":", 1)
        fleet, grown = held("fleet", *address, devices, *certs, watch=process_id)
    if MOSQUITTO is not None:
        with mosquitto(directory, is_secure=wire.is_secure) as (address, process_id):
            theirs = held("fleet", *address.rsplit(":", 1), devices, *certs, watch=process_id)[1] / devices
    row = Row(f"KiB a connected device, gateway, {wire.words}", grown / devices, "KiB", wire.most_kib)
    yield _beside_mosquitto(row, theirs)
    yield Row(f"KiB a connected device, fleet, {wire.words}", fleet["kib_per_device"], "KiB", wire.most_kib)
    yield Row(f"fleet connects/s, {wire.words}", fleet["connects_per_second"], "/s")


def _beside_mosquitto(row: Row, theirs: float | None) -> Row:
    return replace(row, peer="mosquitto", peers=theirs, note="" if theirs else "mosquitto is not installed")


@click.command()
@click.option("--seconds", default=4.0, help="How long each round-trip measurement lasts.")
@click.option("--devices", default=2000, help="How many connections the memory is measured with.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(seconds: float, devices: int, has_rows: bool) -> None:
    """Measure, and print the table."""
    if has_rows:
        for row in measured(seconds, devices):
            tell(row)
        return
    table = Table(title=f"ghostjob benchmark ({seconds:g} s a measurement, {devices} devices)", title_justify="left")
    for heading in ("what", "ghostjob", "mosquitto echo", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in track(measured(seconds, devices), "measuring", total=ROWS, console=Console(stderr=True)):
        aim = "" if row.aim is None else "≥ mosquitto" if row.more_is_better else f"≤ {row.aim:g}"
        table.add_row(row.what, _number(row.measured), _number(row.peers), aim)
    Console().print(table)


class Speed(NamedTuple):
    """Round trips a second; for how many seconds of CPU each of the processes `watched` was busy for one, and the load
    itself; with one in flight, the seconds that 99 of 100 took at most.
    """

    a_second: float
    cpu: list[float]
    cpu_of_load: float
    p99: float | None


def round_trips(
    mode: str,
    address: str,
    connections: int,
    in_flight: int,
    seconds: float,
    watched: Sequence[int],
    certs: Path | None = None,
) -> Speed:
    """What one run of the load generator measured."""
    host, _, port = address.rpartition(":")
    result = load(mode, host, port, connections, in_flight, seconds, certs=certs, watched=watched)
    cpu = [result[f"cpu_{each}"] for each in watched]
    return Speed(result["round_trips_per_second"], cpu, result["cpu"], result.get("p99"))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


if __name__ == "__main__":
    main()
