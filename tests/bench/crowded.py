"""A local cloud that holds a job with so many executions: `python -m tests.bench.crowded EXECUTIONS [STATE]`.

It prints its endpoints as one line of JSON, and serves until its standard input closes. The executions are queued by
function calls; everything else, the deletion included, goes through its listeners.
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
from simulator.cloud.serving import _tame_collector
from simulator.cloud.settings.cloud import CloudSettings

JOB = "big"


async def main(executions: int, state: Path | None) -> None:
    configure("text", "error")
    options = CloudSettings(
        api_port=0,
        mqtt_port=0,
        mqtts_port=None,
        data_port=None,
        state=state,
        cloud=JobsSettings(0.0, 0.0, requests_per_second=None),
    )
    async with LocalCloud(options) as cloud:
        jobs = cloud.core.jobs
        things = tuple(f"big-{number:06}" for number in range(executions))
        jobs.do(CreateJob(NewJob(JOB, things, JobDocument.of({"operation": "update"}))), time.time())
        jobs.tick(time.time())
        if cloud._store is not None:
            await cloud._store.settled()
        _tame_collector()
        print(json.dumps(cloud.endpoints), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None))
