"""The load generator: many MQTT connections in one process, as little work for each message as can be.

It builds its packets once, keeps a number of requests in flight on each connection, and counts answers by their
length. The same generator loads ghostjob's gateway with Jobs requests and mosquitto with an echo of the same size.
Run as a process of its own: `python -m tests.bench.load MODE HOST PORT CONNECTIONS IN_FLIGHT SECONDS CERTS [PID…]`,
CERTS `-` for none; it prints one JSON object. Of the processes named it tells by how many seconds of CPU each was busy
for one round trip, as `cpu_PID`, and of itself as `cpu`; with one in flight, how long 99 of 100 took at most, as `p99`.
"""

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import uvloop

from agent.jitter import Jitter
from agent.transports.endpoint import Endpoint
from agent.transports.sockets import opened
from agent.transports.upkeep import Shared
from simulator.certificate_files import client_context
from simulator.secure_wire import SecureWire

GATHER = 64
TIMED = 10
"""One connection in so many is timed, which costs it a little."""


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _packet(first: int, body: bytes) -> bytes:
    assert len(body) < 16384
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
    return bytes((first,)) + length + body


def thing(index: int) -> str:
    return f"thing-{index:05}"


def connect_packet(client_id: str) -> bytes:
    return _packet(0x10, _text(b"MQTT") + b"\x04\x02\x00\x00" + _text(client_id.encode()))


def publish_packet(topic: str, payload: bytes) -> bytes:
    return _packet(0x30, _text(topic.encode()) + payload)


def subscribe_packet(topics: list[str]) -> bytes:
    return _packet(0x82, b"\x00\x01" + b"".join(_text(topic.encode()) + b"\x00" for topic in topics))


REQUEST_BODY = b'{"clientToken":"abcdefgh"}'
ANSWER_BODY = b'{"inProgressJobs":[],"queuedJobs":[],"timestamp":1700000000,"clientToken":"abcdefgh"}'
UPDATE_BODY = b'{"status":"IN_PROGRESS","clientToken":"abcdefgh"}'
UPDATED_BODY = b'{"timestamp":1700000000,"clientToken":"abcdefgh"}'
JOB = "kept"


class Client(asyncio.Protocol):
    """One connection: CONNECT, SUBSCRIBE if the mode needs it, then round trips until told to stop."""

    def __init__(self, mode: str, index: int) -> None:
        name = thing(index)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.count = 0
        self._hello = connect_packet(name)
        self._echo = mode == "echo"
        if self._echo:
            topic = f"xaws/things/{name}/jobs/get"
            self._request = publish_packet(topic, ANSWER_BODY)
            self._answer_size = len(self._request)
            self._subscribe = subscribe_packet([topic])
        else:
            verb, asked, answered = {
                "jobs": ("get", REQUEST_BODY, ANSWER_BODY),
                "update": (f"{JOB}/update", UPDATE_BODY, UPDATED_BODY),
            }[mode]
            topic = f"$aws/things/{name}/jobs/{verb}"
            self._request = publish_packet(topic, asked)
            self._answer_size = len(publish_packet(f"{topic}/accepted", answered))
            self._subscribe = b""
        self._surplus = 0
        self.is_running = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._hello)  # type: ignore[attr-defined]  # a write transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_running = False
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            if data[0] == 0x20 and self._subscribe:
                self.transport.write(self._subscribe)  # type: ignore[attr-defined]  # a write transport
                return
            self.ready.set_result(None)
            return
        size = len(data) + self._surplus
        answers, self._surplus = divmod(size, self._answer_size)
        self.count += answers
        if self.is_running and answers:
            self.transport.write(self._request * answers)  # type: ignore[attr-defined]  # a write transport

    def go(self, in_flight: int) -> None:
        self.is_running = True
        self.transport.write(self._request * in_flight)  # type: ignore[attr-defined]  # a write transport


class Timed(Client):
    """One that notes how long each answer took, if it has one request in flight."""

    def __init__(self, mode: str, index: int) -> None:
        super().__init__(mode, index)
        self.seconds: list[float] = []
        self._asked = 0.0

    def go(self, in_flight: int) -> None:
        self._asked = time.perf_counter()
        super().go(in_flight)

    def data_received(self, data: bytes) -> None:
        before = self.count
        super().data_received(data)
        if self.count > before:
            now = time.perf_counter()
            self.seconds.append(now - self._asked)
            self._asked = now


C = TypeVar("C", bound=Client)


async def open_all(
    make: Callable[[int], C], host: str, port: int, connections: int, certs: Path | None = None
) -> tuple[list[C], float]:
    """Every client connected, and how many seconds that took."""
    gate, loop = asyncio.Semaphore(GATHER), asyncio.get_running_loop()
    tls = None if certs is None else client_context(certs / "ca.pem", certs / "load.pem", certs / "load.key")
    endpoint, shared = Endpoint(host, port, tls), Shared(Jitter("load"))

    async def one(index: int) -> C:
        async with gate:
            client = make(index)
            if tls is None:
                await loop.create_connection(lambda: client, host, port)
            else:  # a loop's own TLS takes more of the load's core than a gateway takes of the other
                SecureWire(cast("ssl.SSLSocket", await opened(endpoint, shared)), client)
            await client.ready
            return client

    start = time.perf_counter()
    clients = await asyncio.gather(*(one(index) for index in range(connections)))
    return list(clients), time.perf_counter() - start


def cpu_seconds(process_id: int | str = "self") -> float:
    """What a process has had, in itself and for it in the kernel."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(
    mode: str,
    host: str,
    port: int,
    connections: int,
    in_flight: int,
    seconds: float,
    certs: Path | None,
    watched: list[int],
) -> None:
    kind = "jobs" if mode == "connect" else mode

    def make(index: int) -> Client:
        return Client(kind, index) if index % TIMED else Timed(kind, index)

    clients, took = await open_all(make, host, port, connections, certs)
    result: dict[str, float] = {"connects_per_second": connections / took}
    if mode != "connect":
        result |= await loaded(clients, in_flight, seconds, watched)
    print(json.dumps(result), flush=True)
    for client in clients:
        client.is_running = False
        client.transport.close()


async def loaded(clients: list[Client], in_flight: int, seconds: float, watched: list[int]) -> dict[str, float]:
    """What comes through in so many seconds, once it has come to run."""
    processes = {"cpu": "self"} | {f"cpu_{each}": str(each) for each in watched}
    timed = [client for client in clients if isinstance(client, Timed)]
    for client in clients:
        client.go(in_flight)
    await asyncio.sleep(seconds / 4)
    for client in timed:
        client.seconds.clear()
    before, start = sum(client.count for client in clients), time.perf_counter()
    had = {name: cpu_seconds(each) for name, each in processes.items()}
    await asyncio.sleep(seconds)
    done, took = sum(client.count for client in clients) - before, time.perf_counter() - start
    result = {name: (cpu_seconds(each) - had[name]) / done for name, each in processes.items()}
    if in_flight == 1:
        answers = sorted(each for client in timed for each in client.seconds)
        result["p99"] = answers[len(answers) * 99 // 100]
    return {"round_trips_per_second": done / took} | result


if __name__ == "__main__":
    mode, host, port, connections, in_flight, seconds, certs, *watched = sys.argv[1:]
    arguments = (mode, host, int(port), int(connections), int(in_flight), float(seconds))
    uvloop.run(main(*arguments, None if certs == "-" else Path(certs), list(map(int, watched))))
