"""Who may open few files: a cloud serves whom it has, turns others away with a word, and keeps some for its API; a run
says how many it needs, before anything starts."""

import asyncio
import json
import re
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from simulator.certs import make_certificates
from simulator.cloud.mqtt.shells.listening import KEPT_BACK
from tests.cli.served import Served
from tests.clients.cloud_process import running_cloud
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import WAIT, Bare
from tests.within import within

MOST = 200
"""Open files of the cloud; half of them are kept for its API and its files."""
TOO_MANY = 160
"""Clients."""


async def came_in(port: int, number: int) -> Bare | None:
    """A client that is connected; None if it was turned away."""
    client = Bare(*await asyncio.open_connection("127.0.0.1", port))
    client.send(connect(4, rest=text(f"dev-{number}")))
    try:
        first = await within(client.reader.read(4), WAIT)
    except ConnectionError:
        first = b""
    if first == b"\x20\x02\0\0":
        return client
    client.close()
    return None


@pytest.mark.parametrize(
    ("port", "said"),
    [("api", b""), ("api", b"GET / HTTP/1.1\r\n"), ("mqtt", b"\x10\x7f"), ("mqtts", b""), ("mqtts", b"\x16\x03\x01")],
    ids=["HTTP, nothing", "half a head", "half a CONNECT", "TLS, nothing", "half a ClientHello"],
)
async def test_who_does_not_say_what_it_wants_makes_room(tmp_path: Path, port: str, said: bytes):
    make_certificates(tmp_path, ["lamp"])
    settings = json.dumps({"gateway": {"connect_limit_seconds": 3600}})
    async with AsyncExitStack() as stack:
        stderr = stack.enter_context((tmp_path / "log").open("w"))
        options = ("--settings", settings)
        cloud = running_cloud(*options, certs=tmp_path, stderr=stderr, most_files=MOST)
        ports = {name: int(each.rpartition(":")[2]) for name, each in stack.enter_context(cloud).items() if each}
        for _ in range(TOO_MANY):
            _, writer = await asyncio.open_connection("127.0.0.1", ports[port])
            stack.callback(writer.close)
            writer.write(said)
        for number in range(20):
            async with asyncio.timeout(WAIT / 2):
                while (client := await came_in(ports["mqtt"], number)) is None:
                    pass
            stack.callback(client.close)


async def test_served_clients_go_on_and_the_api_answers_when_files_run_out(tmp_path: Path):
    files = tmp_path / "files" / "bucket"
    files.mkdir(parents=True)
    (files / "image").write_bytes(b"image")
    log = tmp_path / "log"
    options = ("--state", str(tmp_path / "state"), "--files", str(files.parent), "--log-format", "json")
    async with AsyncExitStack() as stack:
        stderr = stack.enter_context(log.open("w"))
        cloud = Served(stack.enter_context(running_cloud(*options, stderr=stderr, most_files=MOST)), stack)
        port = int((cloud.endpoints["mqtt"] or "").rpartition(":")[2])
        clients = [await came_in(port, number) for number in range(TOO_MANY)]
        served = [client for client in clients if client is not None]
        for client in served:
            stack.callback(client.close)
        assert MOST // 4 < len(served) <= MOST // 2
        assert all(clients[: len(served)]), "those that came first"

        first, last = served[0], served[-1]
        first.send(subscribe("a", version=4, options=0))
        assert (await first.packet())[0] == 0x90
        last.send(publish("a", b"x", 4))
        assert (await first.packet()) == (0x30, b"\0\1ax")

        assert await cloud.job("fw", ("dev-0",)) is None
        answers = await asyncio.gather(*(cloud.ask("GET /things") for _ in range(20)))
        assert {answer.status for answer in answers} == {200}

        served[1].close()
        await within(served[1].writer.wait_closed(), WAIT)
        async with asyncio.timeout(WAIT):
            while (newcomer := await came_in(port, TOO_MANY)) is None:
                pass
        newcomer.close()
    said = [json.loads(line) for line in log.read_text().splitlines()]
    told = [entry for entry in said if entry.get("code") == "too-many-files"]
    assert len(told) <= 2, "the first at once, the others as a number"
    assert f"may have {MOST} open files" in told[0]["why"]
    [(files_wanted, devices)] = re.findall(r"`ulimit -n (\d+)` for (\d+) devices", told[0]["hint"])
    taken_by_itself = MOST // 2 - len(served)
    assert int(files_wanted) >= int(devices) + KEPT_BACK + taken_by_itself, "so many devices do come in"
    assert [entry for entry in said if entry["level"] == "error"] == []


def played_with(files: int, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A run of forty devices, each process of which may open so many."""
    run = (sys.executable, "-P", "-m", "simulator.cli", "run", "delete-in-download", "--devices", "40", "--no-table")
    limited = ("sh", "-c", f'ulimit -n {files} && exec "$0" "$@"')
    return subprocess.run([*limited, *run], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_run_says_how_many_files_it_needs_and_does_with_as_many(tmp_path: Path):
    refused = played_with(40, tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    [need] = re.findall(r"40 devices need (\d+) open files, and this process may have 40;", refused.stderr)
    assert played_with(int(need) - 1, tmp_path).returncode == 2
    played = played_with(int(need), tmp_path)
    assert played.returncode == 0, played.stderr
    assert "too-many-files" not in played.stderr
