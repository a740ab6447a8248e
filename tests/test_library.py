"""ghostjob as a library, in a process that has not configured structlog: it prints nothing."""

import subprocess
import sys
from pathlib import Path

PLAYS_AND_RUNS_AN_AGENT = """
import asyncio, sys
from pathlib import Path

from agent.configuration import configuration_of
from agent.connection import transport_of
from agent.device import run_device
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.local import LocalCloud
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines.live import LiveVenue
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import load

state = Path(sys.argv[1])
scenario = load("main")
told = []
run_virtually(Play(scenario, 2, 1, told.append, VirtualVenue(scenario, 1)).play())
asyncio.run(Play(scenario, 2, 1, told.append, LiveVenue(scenario, 1)).play())
assert {"deletion.requested", "execution.left"} <= {entry.event.type for entry in told}


async def agent():
    options = CloudSettings(api_port=0, mqtt_port=0, mqtts_port=None, data_port=None)
    async with LocalCloud(options) as cloud, Hand(LocalHttp(cloud.endpoints["api"])) as hand:
        await hand.create_thing("a")
        await hand.create_job("fw", ["a"], {"operation": "nothing that anybody knows"}, None)
        given = {"endpoint": cloud.endpoints["mqtt"], "thing": "a", "state": state, "executions": 1}
        configuration = configuration_of(given, None)
        connection = configuration.connection()
        settings = configuration.settings(is_local=True)
        async with transport_of(connection, settings.seed) as transport:
            return await run_device(settings, transport, told.append, asyncio.Event())


assert asyncio.run(agent()) == "finished"
"""


def test_a_library_that_plays_scenarios_and_runs_an_agent_prints_nothing(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-P", "-c", PLAYS_AND_RUNS_AN_AGENT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")


LOGS = """
import logging, sys
from agent.log import get_logger

log = get_logger("ghostjob.controller")
log.warning("nobody.asked")
logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s", level=logging.INFO)
log.info("job.saved", job_id="fw", name="any key", why="50 %")
log.debug("too.little")
log.bind(thing="a").error("handler.crashed", exc_info=ValueError("no"))
"""


def test_a_library_tells_whoever_listens_through_the_standard_librarys_logging():
    done = subprocess.run([sys.executable, "-P", "-c", LOGS], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "ghostjob.controller INFO event='job.saved' job_id='fw' name='any key' why='50 %'",
        "ghostjob.controller ERROR event='handler.crashed' thing='a' exception='ValueError: no'",
    ]
