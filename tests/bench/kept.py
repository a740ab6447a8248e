"""A local cloud with or without a store, whose devices have a job each: `python -m tests.bench.kept DEVICES [STATE]`.

It prints its endpoints as one line of JSON, and serves until its standard input closes. `tests.bench.load` is for its
devices, in the mode `jobs` or `update`.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

from agent.log import configure
from agent.values import JobDocument
from simulator.cloud.jobs import JobsSettings, NewJob
from simulator.cloud.jobs.commands import CreateJob
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.serving import _tame_collector
from simulator.cloud.settings.cloud import CloudSettings
from tests.bench.load import JOB, thing


async def main(devices: int, state: Path | None) -> None:
    configure("text", "error")
    limits = GatewaySettings(publishes_per_second=None, payload_per_second=None)
    quick = JobsSettings(requests_per_second=None)
    ports = {"api_port": 0, "mqtt_port": 0, "mqtts_port": None, "data_port": None}
    options = CloudSettings(**ports, state=state, gateway=limits, cloud=quick)
    async with LocalCloud(options) as cloud:
        core = cloud.core
        new = NewJob(JOB, tuple(map(thing, range(devices))), JobDocument.of({"operation": "update"}))
        core._carry(core.jobs.do(CreateJob(new), time.time()))
        core._carry(core.jobs.tick(time.time()))
        _tame_collector()
        print(json.dumps(cloud.endpoints), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None))
