"""The fleet's side of the memory benchmark: so many simulated devices, connected and idle, in a process of its own.

`python -m tests.bench.fleet HOST PORT DEVICES [CERTS]` prints its memory before and after, and the connects a second,
as one JSON object, and stays until its standard input closes.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

from agent.device_events import DeviceConnected
from agent.log import configure
from agent.transports.endpoint import Endpoint
from simulator.certificate_files import client_context
from simulator.engines.fleet import Fleet
from simulator.engines.mqtt_connections import MqttConnections
from simulator.scenario import Group, thing_names
from simulator.trace import Entry
from tests.bench.memory import resident_kib


async def main(host: str, port: int, devices: int, certs: Path | None) -> None:
    configure("text", "error")
    connected, everyone = 0, asyncio.Event()

    def feed(entry: Entry) -> None:
        nonlocal connected
        if isinstance(entry.event, DeviceConnected):
            connected += 1
            if connected == devices:
                everyone.set()

    tls = client_context(certs / "ca.pem", certs / "load.pem", certs / "load.key") if certs else None
    endpoint = Endpoint("localhost" if tls else host, port, tls)
    group = Group(group="all")
    before, start = resident_kib(), time.perf_counter()
    connections = MqttConnections(lambda _: endpoint, seed=1)
    things = [(name, group) for name in thing_names(devices)]
    async with connections, Fleet(things, connections, 1, feed):
        await everyone.wait()
        took = time.perf_counter() - start
        result = {"kib_per_device": (resident_kib() - before) / devices, "connects_per_second": devices / took}
        print(json.dumps(result), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    host, port, devices, *rest = sys.argv[1:]
    uvloop.run(main(host, int(port), int(devices), Path(rest[0]) if rest else None))
