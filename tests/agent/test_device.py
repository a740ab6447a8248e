"""A real device from one beginning of its agent to the next."""

import asyncio
from pathlib import Path

import pytest

from agent.core import Policy
from agent.core.events import Booted
from agent.device import Settings, _Device
from agent.jitter import Jitter
from agent.transports.paho import Endpoint, PahoFleet
from tests.agent.handlers.bench import place_in


async def begun(directory: Path) -> tuple[_Device, Booted]:
    """A device that knows what it finds, and has not connected yet."""
    transport = PahoFleet(Jitter("test")).transport("dev", Endpoint("127.0.0.1", 1), ())
    device = _Device(Settings(place_in(directory), Policy(), "test"), transport, lambda _: None, asyncio.Event())
    return device, await device._boot()


@pytest.mark.parametrize("boot", ["a1b2", ""], ids=["as Linux names its boots", "as where boots have no names"])
async def test_an_agent_that_made_way_for_the_next_has_rebooted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str
):
    monkeypatch.setattr("agent.device.boot_id", lambda: boot)
    device, first = await begun(tmp_path)
    device._restart()
    _, second = await begun(tmp_path)
    assert (first.rebooted, second.rebooted) == (True, True)
