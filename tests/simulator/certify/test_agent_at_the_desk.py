"""Desk, device and arrival together: our own agent, started by its command line, and its power cut."""

from pathlib import Path

import uvloop

from simulator.certify.device import Process
from simulator.processes import command

from .conftest import opened


def test_our_own_agent_comes_back_from_a_power_cut_to_the_desk(tmp_path: Path, certs: Path):
    """On the loop that the command line has, with nothing given but placeholders."""

    async def story() -> None:
        async with opened(certs) as world:
            files = ("--ca", "{ca}", "--cert", "{cert}", "--key", "{key}", "--state", str(tmp_path / "state"))
            argv = (*command("agent", "--endpoint", "{host}:{port}", "--thing", "{thing}"), *files)
            device, arrival = Process(argv, world.desk.offer.placeholders()), world.arrival
            try:
                for act in (device.start, device.power_on):
                    await act()
                    await world.until(lambda: arrival.is_there)
                    assert arrival.says().startswith("connected, ")
                    assert arrival.wrong() is None
                    await device.cut_power()
                    await world.until(lambda: not world.desk.standing())
                    arrival.anew()
                    assert not arrival.is_there
                    assert device.died() is None
            finally:
                await device.stop()

    uvloop.run(story())
