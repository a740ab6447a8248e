"""Peers that hold connections: they do not read, stop half way, or say nothing. What each costs, and when it is gone.

The cloud is a process of its own; a well-behaved client is served meanwhile.
"""

import asyncio
import json
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from tests.clients.cloud_process import running_cloud
from tests.hostile.report import Bounds, Report
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text

READERS: Final = 20
"""Clients that subscribe with QoS 1, and never read."""
HELD: Final = 200
"""Connections of each other kind."""
MESSAGES: Final = 300
"""Of 100 kB, published to who does not read: more than may wait for them."""
MOST_A_READER: Final = 1 << 20
"""Bytes in memory for one who does not read, besides messages, which they share: 256 KiB and two messages."""
MOST_SHARED: Final = 40 << 20
"""Bytes of messages that all of them share: a hundred unacknowledged, 8 MiB that wait; and what Python keeps."""
GONE_SECONDS: Final = 90
"""After which nobody may be there who does not go on."""
MOST_HELD: Final = 400 << 10
"""Bytes in memory for one that does not go on: TLS has a buffer of 256 KiB on uvloop."""
SETTINGS: Final = {
    "gateway": {
        "connects_per_second": None,
        "publishes_per_second": None,
        "payload_per_second": None,
        "redelivery_seconds": 0.5,
        "connect_limit_seconds": 3,
    }
}
UPGRADE: Final = (
    b"GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
)
HEAD: Final = b"PUT /jobs/j HTTP/1.1\r\nHost: x\r\n"
HALF_WAY: Final[dict[str, tuple[str, bytes]]] = {
    "MQTT, silent": ("mqtt", b""),
    "MQTT, half a CONNECT": ("mqtt", connect(5)[:9]),
    "TLS, silent": ("mqtts", b""),
    "TLS, half a ClientHello": ("mqtts", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
    "HTTP, silent": ("api", b""),
    "HTTP, half a head": ("api", HEAD),
    "HTTP, half a body": ("api", HEAD + b"Content-Length: 1000000\r\n\r\n{"),
    "WebSocket, without CONNECT": ("api", UPGRADE),
    "WebSocket, half a frame": ("api", UPGRADE + b"\x82\xfe\x40\0mask"),
}
"""A port, and what is said there before nothing more is."""
Open: TypeAlias = Callable[[str], socket.socket]


@dataclass(slots=True)
class Target:
    """Its ports, the certificate of `lamp`, and its process; `seconds` are round trips of a well-behaved client."""

    ports: dict[str, int]
    certs: Path
    pid: int
    seconds: list[float] = field(default_factory=list)

    @property
    def resident(self) -> int:
        """Bytes of it in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def open(self, name: str) -> socket.socket:
        """A connection to that port, for which the kernel keeps little."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect(("127.0.0.1", self.ports[name]))
        return made

    def open_tls(self, name: str) -> ssl.SSLSocket:
        """The same, with TLS."""
        tls = client_context(self.certs / "ca.pem", self.certs / "lamp.pem", self.certs / "lamp.key")
        return tls.wrap_socket(self.open(name), server_hostname="localhost")

    async def ping_for_ever(self) -> None:
        """Note how long an answer takes, twenty times a second."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports["mqtt"])
        try:
            writer.write(connect(4, rest=text("well-behaved")))
            await reader.readexactly(4)
            while True:
                begun = time.perf_counter()
                writer.write(b"\xc0\0")
                await reader.readexactly(2)
                self.seconds.append(time.perf_counter() - begun)
                await asyncio.sleep(0.05)
        finally:
            writer.close()

    def percentile(self, of_a_hundred: int) -> str:
        """Of the round trips, in words."""
        ordered = sorted(self.seconds) or [0.0]
        return f"{ordered[(len(ordered) - 1) * of_a_hundred // 100] * 1000:.1f} ms"


def _children() -> set[int]:
    tasks = Path("/proc/self/task")
    return {int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()}


@asynccontextmanager
async def _attacked() -> AsyncIterator[Target]:
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        make_certificates(directory / "certs", ["lamp"])
        stderr, before = stack.enter_context((directory / "log").open("w")), _children()
        options = ("--settings", json.dumps(SETTINGS))
        endpoints = stack.enter_context(running_cloud(*options, certs=directory / "certs", stderr=stderr))
        ports = {name: int(each.rpartition(":")[2]) for name, each in endpoints.items() if each}
        [pid] = _children() - before
        target = Target(ports, directory / "certs", pid)
        pinging = asyncio.create_task(target.ping_for_ever())
        try:
            yield target
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)


async def attack(bounds: Bounds) -> Report:
    """Hold connections of every kind: `count` of each at most, and each kind for `seconds` at most."""
    report = Report()
    async with _attacked() as target:
        await _hold(target, min(bounds.count, HELD), bounds.seconds, report)
        await _do_not_read(target, min(bounds.count, READERS), bounds.seconds, report)
        report.figures["round trip of another client, p99"] = target.percentile(99)
        report.figures["its longest"] = target.percentile(100)
    return report


async def _hold(target: Target, each: int, seconds: float, report: Report) -> None:
    """Connections that do not go on: what each costs, and when all of them are gone."""
    held: list[tuple[str, socket.socket]] = []
    for kind, (port, said) in HALF_WAY.items():
        before = target.resident
        for _ in range(each):
            made = await asyncio.to_thread(target.open, port)
            made.sendall(said)
            held.append((kind, made))
        await asyncio.sleep(min(0.5, seconds / 20))  # until it was looked at
        cost = max(0, target.resident - before) // each
        report.tried += each
        report.figures[f"{kind}, each"] = f"{cost / 1024:.1f} KiB"
        if cost > MOST_HELD:
            report.findings.append(f"{kind}: {cost} bytes each")
    begun, gone = time.perf_counter(), dict.fromkeys(HALF_WAY, 0.0)
    while held and time.perf_counter() - begun < min(seconds, GONE_SECONDS):
        await asyncio.sleep(0.2)
        still = []
        for kind, made in held:
            if _is_gone(made):
                gone[kind] = time.perf_counter() - begun
                made.close()
            else:
                still.append((kind, made))
        held = still
    left = {kind for kind, _ in held}
    for kind, after in gone.items():
        report.figures[f"{kind}, gone after"] = f"more than {seconds:.0f} s" if kind in left else f"{after:.0f} s"
    if seconds >= GONE_SECONDS:
        report.findings += [f"{kind}: still there after {GONE_SECONDS} s" for kind in left]
    for _, made in held:
        made.close()


def _is_gone(made: socket.socket) -> bool:
    made.setblocking(False)
    try:
        while made.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _frame(payload: bytes) -> bytes:
    return b"\x82\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload


async def _do_not_read(target: Target, each: int, seconds: float, report: Report) -> None:
    """Clients that subscribe and never read, while messages come and come again; then others take their ids."""
    before, ways = target.resident, ("plain", "TLS", "WebSocket")
    deaf: list[socket.socket] = []

    def begin(way: str, name: str) -> socket.socket:
        asked = connect(5, rest=text(name)) + subscribe("a")
        made = {"plain": lambda: target.open("mqtt"), "TLS": lambda: target.open_tls("mqtts")}.get(
            way, lambda: target.open("api")
        )()
        made.sendall(asked if way != "WebSocket" else UPGRADE + _frame(asked))
        return made

    for number in range(each):
        way = ways[number % 3]
        # The certificate lets in `lamp` alone.
        deaf.append(await asyncio.to_thread(begin, way, "lamp" if way == "TLS" else f"deaf-{number}"))
    report.tried += each
    reader, writer = await asyncio.open_connection("127.0.0.1", target.ports["mqtt"])
    writer.write(connect(5, rest=text("sender")))
    await reader.read(1000)
    for _ in range(MESSAGES):
        writer.write(publish("a", bytes(100_000), qos=1))
        await writer.drain()
        await reader.read(1000)
    writer.close()
    growths, ends = [target.resident - before], time.perf_counter() + seconds
    while time.perf_counter() < ends:
        await asyncio.sleep(0.5)
        growths.append(target.resident - before)
    report.figures[f"{each} that do not read: memory, at first and at most"] = (
        f"{growths[0] / 2**20:.1f} MiB, {max(growths) / 2**20:.1f} MiB"
    )
    if max(growths) > each * MOST_A_READER + MOST_SHARED:
        report.findings.append(f"{each} clients that do not read: {max(growths)} bytes more")
    begun = time.perf_counter()
    taken = [(number, made) for number, made in enumerate(deaf) if ways[number % 3] != "TLS"]
    for number, _ in taken:
        (await asyncio.to_thread(begin, "plain", f"deaf-{number}")).close()
    await asyncio.sleep(3)
    left = sum(_is_open(made) for _, made in taken)
    report.figures["taken over, and still open after 3 s"] = str(left)
    report.figures["memory after that"] = f"{(target.resident - before) / 2**20:.1f} MiB"
    if left:
        report.findings.append(f"{left} connections are open {time.perf_counter() - begun:.1f} s after a takeover")
    for made in deaf:
        with suppress(OSError):
            made.close()


def _is_open(made: socket.socket) -> bool:
    """Whether the cloud still has its end of a connection."""
    try:
        ours, theirs = made.getsockname()[1], made.getpeername()[1]
    except OSError:  # it was reset
        return False
    wanted = (f"0100007F:{theirs:04X}", f"0100007F:{ours:04X}")
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    # Whose inode is 0 is an orphan of the kernel's: the process has closed it.
    return any((row := line.split())[1:3] == list(wanted) and row[9] != "0" for line in table)
